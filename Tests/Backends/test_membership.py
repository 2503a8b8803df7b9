"""Backends come and go while the gateway serves: no request fails, and nothing stays behind."""

import contextlib
import json
import threading

import pytest

from Backends import cluster
from Backends.backend import with_given
from Backends.cluster import Cluster, wait
from Harness import gateway, raw


@pytest.fixture(scope="module")
def growing(tmp_path_factory):
    """Six directories, as a gateway has them by default, and four servers that are not attached yet."""
    with contextlib.ExitStack() as stack:
        made = Cluster(
            tmp_path_factory.mktemp("growing"), stack, kinds=with_given(("rclone",) * 4, at=1), directories=6
        )
        made.gateway.start()
        made.make_bucket()
        yield made
        made.finish()


def test_backends_are_taken_in_under_load(growing):
    def act():
        for backend in growing.backends:
            said = growing.attach(backend, "--host", f"host-of-{backend.name}").stdout
            assert "of the pool." in said, said
        growing.progress(2, [])

    growing.under_load(act)
    assert [each["store"] for each in growing.list().values()] == [6, 7, 8, 9]
    # The six directories are on one machine: they take one shard of an object between them, or the few that have no
    # other place.
    assert all(cluster.objects(backend, "blobs/") for backend in growing.backends)
    assert [event["requestParameters"]["backend"] for event in cluster.events(growing, "AttachBackend")] == [
        backend.name for backend in growing.backends
    ]


def test_a_backend_is_attached_once(growing):
    twin = growing.attach(growing.backends[0], name="another", check=False)
    assert twin.returncode == 1 and "is in the same place" in twin.stderr, twin
    again = growing.attach(growing.backends[0], check=False)
    assert again.returncode == 1 and "already" in again.stderr, again


def test_a_gateway_is_no_store_of_its_own(growing):
    place = ["--url", growing.gateway.endpoint, "--bucket", "plain-bucket", "--credentials", growing.credentials]
    itself = growing.tool("backend", "attach", "itself", *place, check=False)
    assert itself.returncode == 1 and "in itself" in itself.stderr, itself


def test_credentials_change_without_a_restart(growing):
    name = growing.backends[0].name
    wrong = growing.folder / "wrong"
    wrong.write_text("access-key: TIDEGATETESTROOTKEY1\nsecret-key: not-the-one-that-it-wants\n")
    wrong.chmod(0o600)
    refused = growing.tool("backend", "credentials", name, "--credentials", wrong, check=False)
    assert refused.returncode == 1 and "not taken" in refused.stderr, refused
    wrong.chmod(0o644)
    open_to_all = growing.tool("backend", "credentials", name, "--credentials", growing.credentials, check=False)
    assert open_to_all.returncode == 0, open_to_all
    exposed = growing.tool("backend", "credentials", name, "--credentials", wrong, check=False)
    assert exposed.returncode == 1 and "others" in exposed.stderr, exposed
    growing.under_load(lambda: growing.tool("backend", "credentials", name, "--credentials", growing.credentials))


def test_a_drained_backend_is_left_empty(growing):
    backend = growing.backends[1]
    early = growing.tool("backend", "detach", backend.name, check=False)
    assert early.returncode == 1 and "drain" in early.stderr, early

    def act():
        growing.tool("backend", "drain", backend.name)
        wait(lambda: growing.list()[backend.name].get("left") == 0, "the backend was not drained")
        wait(
            lambda: growing.tool("backend", "detach", backend.name, check=False).returncode == 0,
            "the backend was not detached",
        )

    growing.under_load(act)
    assert cluster.objects(backend) == []
    assert growing.list()[backend.name]["standing"] == "detached"
    moved = [event["requestParameters"] for event in cluster.events(growing, "RepairShard")]
    assert any(each["was"] == "on a store that is emptied" for each in moved)
    assert cluster.events(growing, "DetachBackend")[-1]["requestParameters"]["emptied"] == "true"
    # A restart knows it, and the place can be taken again under another name.
    growing.stop()
    growing.gateway.start()
    assert growing.check() > 0
    growing.attach(backend, name="again")
    growing.under_load(lambda: growing.progress(1, []))


def upload(where, size, slow, outcome):
    """A PUT whose last byte is sent when it is told so."""
    client = raw.Raw(where.gateway.access, timeout=180)
    headers = client.signed("PUT", "/plain-bucket/slow", {"Content-Length": str(size)}, payload=raw.UNSIGNED)
    connection = client.connect()
    connection.putrequest("PUT", "/plain-bucket/slow", skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders(b"a" * (size - 1))
    slow.wait(120)
    connection.send(b"b")
    outcome.append(connection.getresponse().status)
    connection.close()


def test_an_upload_that_ends_after_a_drain_and_before_the_detachment_is_moved_too(tmp_path):
    with contextlib.ExitStack() as stack:
        made = Cluster(tmp_path, stack, kinds=("rclone",), directories=6, config={"pool": {"spread": "store"}})
        made.attach_all()
        made.gateway.start()
        made.make_bucket()
        backend, slow, outcome, size = made.backends[0], threading.Event(), [], 3 << 20
        threads = [threading.Thread(target=upload, args=(made, size, slow, outcome)) for _ in range(4)]
        for thread in threads:
            thread.start()
        wait(lambda: made.gateway.metrics()["tidegate_requests_in_flight"] >= 4, "the uploads did not begin")
        made.tool("backend", "drain", backend.name)
        made.gateway.wait_log("nothing lies on the stores that are drained")
        slow.set()
        for thread in threads:
            thread.join()
        assert outcome == [200] * 4
        wait(
            lambda: made.tool("backend", "detach", backend.name, check=False).returncode == 0,
            "the backend was not detached",
            deadline=60,
        )
        assert cluster.objects(backend) == []
        made.finish()


def test_an_upload_that_outlasts_a_drain_is_refused_and_never_half_there(growing):
    """Its shards may lie on the store that went; the client is told to send it again."""
    backend = growing.backends[2]
    size = 3 << 20
    slow = threading.Event()
    outcome = []

    thread = threading.Thread(target=upload, args=(growing, size, slow, outcome))
    thread.start()
    try:
        wait(lambda: growing.gateway.metrics()["tidegate_requests_in_flight"] >= 1, "the upload did not begin")
        growing.tool("backend", "drain", backend.name)
        wait(lambda: growing.list()[backend.name].get("left") == 0, "the backend was not drained")
        wait(
            lambda: growing.tool("backend", "detach", backend.name, check=False).returncode == 0,
            "the backend was not detached",
        )
    finally:
        slow.set()
        thread.join()
    client = raw.Raw(growing.gateway.access)
    there = client("GET", "/plain-bucket/slow")
    client.close()
    assert outcome == [503]
    assert there.status == 404
    assert cluster.objects(backend) == []


def test_the_last_places_are_not_given_away(tmp_path):
    with contextlib.ExitStack() as stack:
        made = Cluster(tmp_path, stack, kinds=("rclone",) * 3, directories=0)
        made.attach_all()
        made.gateway.start()
        made.make_bucket()
        # 4 + 2 shards on three stores: each takes two, and any one may go.
        made.under_load(lambda: None)
        kept = made.tool("backend", "drain", made.backends[0].name, check=False)
        assert kept.returncode == 1 and "too few places" in kept.stderr, kept
        # Now too few are left for a write to bear another loss: it is refused, and every object is still read.
        made.backends[1].signal(9)
        assert made.check() > 0
        client = raw.Raw(made.gateway.access)
        wait(lambda: client("PUT", "/plain-bucket/more", {}, b"x" * 200_000).status == 503, "a write was taken")
        client.close()
        assert made.check() > 0
        made.stop()


def test_what_cannot_keep_the_laws_is_refused(tmp_path):
    """A versioned bucket of another Tidegate: a deletion there would free nothing."""
    with contextlib.ExitStack() as stack:
        made = Cluster(tmp_path, stack, kinds=(), directories=6)
        other = stack.enter_context(gateway.Gateway(tmp_path / "other"))
        client = raw.Raw(other.access)
        assert client("PUT", "/versioned").status == 200
        enabled = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
        assert client("PUT", "/versioned?versioning", {}, enabled).status == 200
        assert client("PUT", "/plain").status == 200
        client.close()
        place = ["--url", other.endpoint, "--credentials", made.credentials]
        refused = made.tool("backend", "attach", "versions", *place, "--bucket", "versioned", check=False)
        assert refused.returncode == 1 and "versioning:" in refused.stderr, refused
        missing = made.tool("backend", "attach", "missing", *place, "--bucket", "missing", check=False)
        assert missing.returncode == 1 and "bucket:" in missing.stderr, missing
        taken = made.tool("backend", "attach", "plain", *place, "--bucket", "plain")
        assert "is store 0 of the pool" in taken.stdout, taken
        assert json.loads(made.tool("backend", "list", "--json").stdout)[0]["name"] == "plain"
