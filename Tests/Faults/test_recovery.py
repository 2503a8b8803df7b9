"""What a lost index costs, and what is done to directories that are another deployment's."""

import hashlib
import json
import os
import shutil
import signal
import time
import urllib.parse

import pytest

from Harness import gateway, raw

if os.environ.get("TIDEGATE_TEST_ENDPOINT"):
    pytest.skip("faults are made on a gateway that the test starts itself", allow_module_level=True)

# Too long for the journal to get what a test writes after the start.
LAGGING = "index.journal-lag=60s"


def remove_index(data):
    for path in data.glob("index.sqlite*"):
        path.unlink()


def contents(folder):
    """The digest of every file below a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def lagging(folder):
    """A gateway whose journal has what was committed before, and gets nothing more."""
    running = gateway.Gateway(folder, settings=[LAGGING])
    running.start()
    # Its first pass begins at once, and the next one a minute later: once it stands still, the first has ended.
    end, seen = time.monotonic() + 30, []
    while len(seen) < 20 or seen[-20] == 0 or len(set(seen[-20:])) > 1:
        assert time.monotonic() < end, f"the journal does not come to rest: {seen}"
        seen.append(running.metrics()["tidegate_index_journalled_commit"])
        time.sleep(0.05)
    return running


@pytest.mark.timeout(300)
def test_what_lost_commits_stored_is_kept_until_it_is_given_up(tmp_path):
    with gateway.Gateway(tmp_path) as running:
        client = raw.Raw(running.access)
        assert client("PUT", "/bucket").status == 200
        assert client("PUT", "/bucket/journalled", body=b"1" * 300_000).status == 200
    running = lagging(tmp_path)
    client = raw.Raw(running.access)
    # No footer tells of a bucket.
    assert client("PUT", "/late").status == 200
    assert client("PUT", "/late/lost", body=b"2" * 300_000).status == 200
    running.kill()
    remove_index(running.data)
    recovered = running.tool("recover", "--data", running.data)
    assert "--after-recovery" in recovered.stdout
    assert "Left alone: 1 of buckets that the journal does not know" in recovered.stdout

    collected = running.tool("collect", "--data", running.data, check=False)
    assert collected.returncode == 1, collected.stdout
    assert "6 shards kept" in collected.stdout
    # A gateway does not give them up either.
    with gateway.Gateway(tmp_path) as again:
        client = raw.Raw(again.access)
        assert client("GET", "/bucket/journalled").body == b"1" * 300_000
        assert client("GET", "/late/lost").status == 404
        assert client("DELETE", "/bucket/journalled").status == 204
    collected = running.tool("collect", "--data", running.data, check=False)
    assert collected.returncode == 1
    assert collected.stdout.startswith("12 shards"), collected.stdout

    collected = running.tool("collect", "--after-recovery", "--data", running.data)
    assert collected.stdout.startswith("0 shards, 0 orphans"), collected.stdout
    with gateway.Gateway(tmp_path) as again:
        pass
    records = [path.read_text() for path in (again.data / "audit").rglob("*") if path.is_file()]
    assert any('"eventName":"AcceptIndexLoss"' in text for text in records)


def index_files(data):
    return {path.name: path.read_bytes() for path in data.glob("index.sqlite*")}


def put_back(data, files):
    remove_index(data)
    for name, content in files.items():
        (data / name).write_bytes(content)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("is_running", [False, True], ids=["of-a-stopped-gateway", "of-a-running-one"])
def test_an_old_copy_of_the_index_is_not_served(tmp_path, is_running):
    """What a restored backup or a rolled back machine does: the objects since would be taken for orphans."""
    running = gateway.Gateway(tmp_path)
    running.start()
    client = raw.Raw(running.access)
    assert client("PUT", "/bucket").status == 200
    assert client("PUT", "/bucket/one", body=b"1" * 300_000).status == 200
    if is_running:
        # As a machine is copied whose power fails: the files of one moment.
        os.kill(running.process.pid, signal.SIGSTOP)
        copy = index_files(running.data)
        os.kill(running.process.pid, signal.SIGCONT)
    else:
        running.stop()
        copy = index_files(running.data)
        running.start()
        client = raw.Raw(running.access)
    assert client("PUT", "/bucket/two", body=b"2" * 300_000).status == 200
    running.stop()
    put_back(running.data, copy)

    with pytest.raises(RuntimeError, match="is an old copy: .*recover"):
        running.start()
    for command in ["collect", "scrub"]:
        refused = running.tool(command, "--data", running.data, check=False)
        assert refused.returncode != 0 and "is an old copy" in refused.stderr, refused
    remove_index(running.data)
    running.tool("recover", "--data", running.data)
    with gateway.Gateway(tmp_path) as again:
        client = raw.Raw(again.access)
        assert client("GET", "/bucket/one").body == b"1" * 300_000
        assert client("GET", "/bucket/two").body == b"2" * 300_000


@pytest.mark.timeout(300)
def test_objects_that_the_journal_missed_come_back_from_footers(tmp_path):
    with gateway.Gateway(tmp_path) as running:
        client = raw.Raw(running.access)
        assert client("PUT", "/bucket").status == 200
        assert client("PUT", "/bucket/deleted", body=b"journalled").status == 200
        assert client("PUT", "/bucket/overwritten", body=b"journalled").status == 200
        assert client("DELETE", "/bucket/deleted").status == 204
        assert client("PUT", "/bucket/untouched", body=b"journalled").status == 200
    running = lagging(tmp_path)
    client = raw.Raw(running.access)
    headers = {"content-type": "text/x", "x-amz-meta-a": "1", "x-amz-tagging": "t=v"}
    large = os.urandom(3_000_000)
    put = {
        "small": b"small",
        "large": large,
        "overwritten": b"later",
        "ключ/with + %25": os.urandom(100_000),
    }
    etags = {key: client("PUT", f"/bucket/{raw.quote(key)}", headers, body).etag for key, body in put.items()}
    assert client("PUT", "/bucket/small", headers, b"latest").status == 200
    put["small"] = b"latest"
    copied = client("PUT", "/bucket/copy", {"x-amz-copy-source": "/bucket/large"})
    assert copied.status == 200
    put["copy"] = large
    running.kill()
    remove_index(running.data)
    # A store may be gone with it.
    shutil.rmtree(running.stores()[2])
    recovered = running.tool("recover", "--data", running.data)
    assert f"gave {len(put) + 1} objects" in recovered.stdout, recovered.stdout
    assert "Left" not in recovered.stdout, recovered.stdout

    with gateway.Gateway(tmp_path) as again:
        client = raw.Raw(again.access)
        listed = client("GET", "/bucket?list-type=2&encoding-type=url").texts("Contents/Key")
        assert sorted(map(urllib.parse.unquote_plus, listed)) == sorted([*put, "untouched"])
        assert "x-tidegate-recovered" not in client("GET", "/bucket/untouched").headers
        for key, body in put.items():
            answer = client("GET", f"/bucket/{raw.quote(key)}", {"x-amz-checksum-mode": "ENABLED"})
            assert answer.body == body, key
            assert answer.headers["x-tidegate-recovered"]
            assert answer.headers["content-type"] == "text/x" and answer.headers["x-amz-meta-a"] == "1"
            assert answer.headers["x-amz-tagging-count"] == "1"
            assert answer.headers["x-amz-checksum-crc64nvme"]
            assert answer.etag == hashlib.md5(body).hexdigest()
    assert etags["large"] == hashlib.md5(large).hexdigest()
    records = [path.read_text() for path in (again.data / "audit").rglob("*") if path.is_file()]
    assert sum(text.count('"eventName":"RecoverObject"') for text in records) == len(put) + 1
    # What nothing names is given up, and what came back stays.
    collected = running.tool("collect", "--after-recovery", "--data", running.data, check=False)
    assert " 0 orphans left" in collected.stdout and "kept" not in collected.stdout, collected.stdout
    with gateway.Gateway(tmp_path) as again:
        client = raw.Raw(again.access)
        for key, body in put.items():
            assert client("GET", f"/bucket/{raw.quote(key)}").body == body


@pytest.mark.timeout(300)
@pytest.mark.parametrize("command", ["serve", "recover"])
def test_a_store_of_another_deployment_is_left_as_it_is(tmp_path, command):
    with gateway.Gateway(tmp_path / "theirs") as theirs:
        client = raw.Raw(theirs.access)
        assert client("PUT", "/bucket").status == 200
        assert client("PUT", "/bucket/small", body=b"1" * 1000).status == 200
    with gateway.Gateway(tmp_path / "ours") as ours:
        pass
    foreign = theirs.stores()[0]
    (foreign / "tmp" / "0123456789abcdef-17.part").write_bytes(b"half-written")
    before = contents(foreign)
    if command == "recover":
        remove_index(ours.data)
    directories = [str(foreign)] + [str(store) for store in ours.stores()[1:]]
    settings = tmp_path / "mixed.yaml"
    settings.write_text(json.dumps({"pool": {"directories": directories}}))
    result = ours.tool(command, "--data", ours.data, "--config", settings, check=False)
    assert result.returncode != 0
    assert "different deployments" in result.stderr
    assert contents(foreign) == before
