"""What damage, crashes and strangers do to the audit log of a real gateway."""

import base64
import hashlib
import json
import os
import subprocess
import time

import pytest

from Harness import gateway, raw

if os.environ.get("TIDEGATE_TEST_ENDPOINT"):
    pytest.skip("faults are made on a gateway that the test starts itself", allow_module_level=True)

PUTS = 60


def segments(running):
    return sorted((running.data / "audit").glob("audit-*.jsonl"))


def written(running):
    """The bytes of the log, whatever file they stand in; the reserve is no part of it."""
    return sum(path.stat().st_size for path in (running.data / "audit").iterdir() if path.name != "reserve")


def eventually(what, holds, deadline=30):
    end = time.monotonic() + deadline
    while not holds():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.02)


def killed_gateway(folder):
    """A gateway that was killed once its log and its mark had every change."""
    running = gateway.Gateway(folder).start()
    client = raw.Raw(running.access)
    assert client("PUT", "/bucket").status == 200
    for number in range(PUTS):
        assert client("PUT", f"/bucket/key-{number}", body=b"content").status == 200
    last = f'"key":"key-{PUTS - 1}"'
    eventually("the last change is in the log", lambda: last in segments(running)[-1].read_text())
    records = segments(running)[-1].read_bytes().count(b"\n")
    mark = running.data / "audit" / "mark"
    eventually("it is marked", lambda: int(mark.read_text().split(":")[0]) >= records - 1)
    running.kill()
    return running


def refusal(running):
    with pytest.raises(RuntimeError) as refused:
        running.start()
    running.kill()
    return str(refused.value)


def verify(running):
    return running.tool("audit", "verify", running.data / "audit", check=False)


@pytest.mark.timeout(300)
def test_a_changed_byte_is_no_torn_write(tmp_path):
    running = killed_gateway(tmp_path)
    segment = segments(running)[-1]
    lines = segment.read_bytes().split(b"\n")
    lines[9] = lines[9].replace(b"key", b"kez", 1)
    segment.write_bytes(b"\n".join(lines))
    damaged = segment.read_bytes()

    message = refusal(running)
    assert "damaged at line" in message and "tidegate audit accept-loss" in message
    assert segment.read_bytes() == damaged
    assert not list((running.data / "audit").glob("torn-*"))
    found = verify(running)
    assert found.returncode == 1 and "NOT intact" in found.stdout

    accepted = running.tool("audit", "accept-loss", "--data", running.data)
    assert "damaged at line" in accepted.stdout and "accepted" in accepted.stdout
    assert segment.read_bytes() == damaged
    running.start()
    client = raw.Raw(running.access)
    assert client("PUT", "/bucket/after", body=b"content").status == 200
    assert client("GET", "/bucket/key-3").body == b"content"
    running.stop()
    found = verify(running)
    assert found.returncode == 1
    assert "accepted: the log goes on" in found.stdout
    names = [json.loads(line)["eventName"] for line in segments(running)[-1].read_text().splitlines()]
    assert names[0] == "AuditLogLossAccepted" and "PutObject" in names
    # It is accepted once and for all.
    assert "Nothing is wrong" in running.tool("audit", "accept-loss", "--data", running.data).stdout
    with running:
        pass


@pytest.mark.timeout(300)
@pytest.mark.parametrize("loss", ["end", "segments", "everything"])
def test_a_log_that_is_lost_is_missed(tmp_path, loss):
    running = killed_gateway(tmp_path)
    segment = segments(running)[-1]
    if loss == "end":
        segment.write_bytes(b"".join(line + b"\n" for line in segment.read_bytes().split(b"\n")[:20]))
    for path in list((running.data / "audit").iterdir()):
        if loss == "everything" or loss == "segments" and path == segment:
            path.unlink()
    assert "was on the disk" in refusal(running)
    if loss != "everything":
        # The index is not asked, but the mark is there.
        assert verify(running).returncode == 1
    running.tool("audit", "accept-loss", "--data", running.data)
    with running:
        assert raw.Raw(running.access)("PUT", "/bucket/after").status == 200
    assert "accepted" in verify(running).stdout


@pytest.mark.timeout(300)
def test_a_torn_end_is_cut_kept_and_told(tmp_path):
    running = killed_gateway(tmp_path)
    with open(segments(running)[-1], "ab") as segment:
        segment.write(b'{"additionalEventData":{"half')
    with running:
        pass
    cuts = [line for line in running.log.read_text().splitlines() if "cut off" in line]
    assert len(cuts) == 1 and " error " in cuts[0], running.tail()
    found = verify(running)
    assert found.returncode == 0, found.stdout
    assert "1 unfinished lines" in found.stdout
    (torn,) = (running.data / "audit").glob("torn-*")
    torn.unlink()
    found = verify(running)
    assert found.returncode == 1 and "missing" in found.stdout


@pytest.mark.timeout(300)
def test_a_pipe_among_the_segments_holds_nobody_up(tmp_path):
    with gateway.Gateway(tmp_path) as running:
        assert raw.Raw(running.access)("PUT", "/bucket").status == 200
    os.mkfifo(running.data / "audit" / "audit-00000000000000004711.jsonl")
    try:
        found = running.tool("audit", "verify", running.data / "audit", check=False, timeout=60)
    except subprocess.TimeoutExpired:
        pytest.fail("the verifier waits for a pipe")
    assert found.returncode == 1 and "no regular file" in found.stdout


@pytest.mark.timeout(300)
def test_strangers_fill_no_log(tmp_path):
    with gateway.Gateway(tmp_path) as running:
        client = raw.Raw(running.access)
        assert client("PUT", "/bucket").status == 200
        # Where nothing could be allowed, the list is not even read.
        resource = "arn:aws:s3:::bucket/open"
        statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:DeleteObject", "Resource": resource}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        assert client("PUT", "/bucket?policy", {}, json.dumps(policy).encode()).status == 204
        objects = "".join(f"<Object><Key>{n}/{'k' * 900}</Key></Object>" for n in range(1000))
        body = f"<Delete>{objects}</Delete>".encode()
        headers = {"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()}
        before, lines = written(running), len(running.log.read_text().splitlines())
        for _ in range(3):
            answer = client("POST", "/bucket?delete", headers, body, sign=False)
            assert answer.status == 200 and answer.texts("Error/Code") == ["AccessDenied"] * 1000
        for _ in range(100):
            assert client("GET", "/bucket?website&cors", sign=False).status == 501
        assert written(running) - before < 100_000
        # One who is known is told of, but that is no error of ours. The line follows the answer, and whatever the
        # strangers brought about stands before it.
        assert client("GET", "/bucket?website&cors").status == 501
        eventually("it is told of", lambda: len(running.log.read_text().splitlines()) > lines)
        (line,) = running.log.read_text().splitlines()[lines:]
        assert " info " in line and "error" not in line and "principal=arn:aws:iam::" in line
