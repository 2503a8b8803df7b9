"""The gateway's machine is lost, with its data directory: one store and the recovery key bring everything back."""

import base64
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess

import pytest

from Backends import cluster
from Backends.cluster import Cluster, wait
from Harness import gateway, raw

KEY = re.compile(r"recovery key: ([0-9A-Z-]{69})\b")
READ_ONLY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "*"}],
}
ANN = {"access-key": "ANNSACCESSKEY", "secret": "anns-secret-0123456789", "user": "ann"}


def shown(text):
    """The recovery keys that a text shows."""
    return KEY.findall(text)


def private(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return path


@pytest.fixture(scope="module")
def lost(tmp_path_factory):
    """A deployment over four backends and two directories, of which nothing is left but the backends."""
    folder = tmp_path_factory.mktemp("lost")
    (folder / "policies").mkdir()
    (folder / "policies/look.json").write_text(json.dumps(READ_ONLY))
    config = {
        "policies-directory": str(folder / "policies"),
        "keys": [{**ANN, "policies": ["look", READ_ONLY]}],
    }
    with contextlib.ExitStack() as stack:
        made = Cluster(folder, stack, config=config)
        made.attach_all()
        made.gateway.start()
        made.make_bucket()
        made.under_load(lambda: None, seconds=2)
        made.keys = shown(made.gateway.log.read_text())
        # Every backend tells of all the others.
        wait(lambda: all(cluster.objects(each, "blobs/03") for each in made.backends), "a store was given no copy")
        yield made


def test_the_key_is_shown_once(lost):
    assert len(lost.keys) == 1
    lost.stop()
    lost.gateway.start()
    assert shown(lost.gateway.log.read_text()) == lost.keys
    assert cluster.shows(lost.gateway.data, lost.keys[0]) == []


def test_another_key_takes_its_place(lost):
    """Beside the running gateway; what is sent to it is not the key."""
    answer = lost.tool("recovery-key").stdout
    lost.keys += shown(answer)
    assert len(set(lost.keys)) == 2
    assert cluster.shows(lost.gateway.folder, lost.keys[1]) == []
    wait(lambda: len(cluster.events(lost, "RenewRecoveryKey")) == 1, "nothing was recorded", deadline=20)
    # The stores are told within seconds.
    before = {each.name: cluster.objects(each, "blobs/03") for each in lost.backends}
    wait(
        lambda: all(cluster.objects(each, "blobs/03") not in ([], before[each.name]) for each in lost.backends),
        "a store was not given the newer copy",
    )


def recover(lost, key, *options, data=None):
    path = private(lost.folder / "recovery-key", key + "\n")
    backend = lost.backends[3]
    place = ["--url", backend.url, "--bucket", cluster.servers.BUCKET, "--credentials", lost.credentials]
    where = ["--data", data or lost.gateway.data, "--config", lost.gateway.config]
    return lost.gateway.tool("recover", "--recovery-key", path, *place, *options, *where, check=False)


def test_everything_comes_back_from_one_backend_and_the_key(lost):
    before = lost.check()
    lost.stop()
    shutil.rmtree(lost.gateway.data)
    for number in range(2):
        shutil.rmtree(lost.folder / f"directory-{number}")
        (lost.folder / f"directory-{number}").mkdir()

    alone = lost.tool("recover", check=False)
    assert alone.returncode == 1 and "There is no deployment" in alone.stderr, alone
    wrong = recover(lost, lost.keys[1][:-1] + ("0" if lost.keys[1][-1] != "0" else "1"))
    assert wrong.returncode == 1 and "letter or digit" in wrong.stderr, wrong
    old = recover(lost, lost.keys[0])
    assert old.returncode == 1 and "another one was drawn after it" in old.stderr, old

    report = recover(lost, lost.keys[1].lower().replace("-", " "))
    assert report.returncode == 0 and "The index is back" in report.stdout, report
    assert "1 access key and 1 policy" in report.stdout, report
    kept = json.loads((lost.gateway.data / "recovered/keys.yaml").read_text())["keys"]
    assert kept == [{**ANN, "account": kept[0]["account"], "policies": ["look", READ_ONLY]}]
    assert json.loads((lost.gateway.data / "recovered/policies/look.json").read_text()) == READ_ONLY
    assert os.stat(lost.gateway.data / "recovered/keys.yaml").st_mode & 0o777 == 0o600

    # The audit log is gone too, which is not passed over.
    with pytest.raises(RuntimeError, match="the audit log is damaged"):
        lost.gateway.start()
    lost.tool("audit", "accept-loss")
    lost.gateway.start()
    assert lost.check() == before
    assert all("absence" not in each for each in lost.list().values())
    # The recovery key is still the one that counts.
    assert shown(lost.gateway.log.read_text()) == lost.keys[:1]


def test_another_sealing_key_stays(lost):
    """A data directory that holds another sealing key is not written over."""
    lost.stop()
    lost.gateway.data.rename(lost.gateway.data.with_name("back"))
    other = lost.gateway.data
    other.mkdir()
    private(other / "sealing-key", "00" * 32 + "\n")
    taken = recover(lost, lost.keys[1])
    assert taken.returncode == 1 and "holds another key" in taken.stderr, taken
    shutil.rmtree(other)
    lost.gateway.data.with_name("back").rename(lost.gateway.data)
    lost.gateway.start()
    assert lost.check() > 0
    lost.stop()
    lost.tool("scrub", check=False)
    assert lost.tool("scrub", check=False).returncode == 0


def test_a_seal_that_was_moved_opens_nothing(lost):
    """Credentials that somebody wants sent to another address: nothing is sent there."""
    lost.gateway.kill()
    (lost.gateway.data / "index.sqlite").rename(lost.gateway.data / "kept.sqlite")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        path, moved = lost.gateway.data / "backends", lost.backends[0]
        rows = json.loads(path.read_text())
        ports = [str(moved.side.port).encode(), str(listener.getsockname()[1]).encode()]
        assert len(ports[0]) == len(ports[1])
        for row in rows:
            record = base64.b64decode(row["record"]).replace(*ports)
            row["record"] = base64.b64encode(record).decode()
        private(path, json.dumps(rows))
        report = lost.tool("recover", check=False)
        told = report.stdout + report.stderr
        assert f"{ports[1].decode()}" in told and "cannot be opened" in told, told
        with pytest.raises(BlockingIOError):
            listener.accept()


def run(folder, *arguments):
    """The binary without a configured root key."""
    variables = {k: v for k, v in gateway.Gateway.variables().items() if not k.startswith("TIDEGATE_ROOT_")}
    command = [str(gateway.binary()), *map(str, arguments), "--data", str(folder / "data")]
    command += ["--set", f"pool.directories={','.join(str(folder / f'd{n}') for n in range(6))}"]
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)


def test_a_drawn_root_key_comes_back_from_directories(tmp_path):
    made = gateway.Gateway(
        tmp_path,
        settings=[f"pool.directories={','.join(str(tmp_path / f'd{n}') for n in range(6))}"],
        environment={"TIDEGATE_ROOT_ACCESS_KEY": "", "TIDEGATE_ROOT_SECRET_KEY": ""},
    )
    with made:
        text = made.log.read_text()
        access, secret = re.search(r"access key: (\S+)\n\s+secret key: (\S+)", text).groups()
        key = private(tmp_path / "recovery-key", shown(text)[0])
        client = raw.Raw(gateway.Endpoint(made.endpoint, access, secret, None))
        assert client("PUT", "/kept").status == 200
        assert client("PUT", "/kept/object", {}, b"still there").status == 200
        client.close()
        # What a copy begins with, of a format and a kind that the page Formats tells.
        stores, beginning = [tmp_path / f"d{number}" for number in range(6)], "TGIB\0\1\3"
        wait(lambda: all(cluster.shows(store, beginning) for store in stores), "a store was given no copy")
    shutil.rmtree(made.data)

    done = run(tmp_path, "recover", "--recovery-key", key)
    assert done.returncode == 0 and f"its access key is {access}" in done.stdout, done
    assert run(tmp_path, "audit", "accept-loss").returncode == 0
    with made:
        assert "was drawn" not in made.log.read_text()[len(text) :]
        client = raw.Raw(gateway.Endpoint(made.endpoint, access, secret, None))
        assert client("GET", "/kept/object").body == b"still there"
        client.close()
