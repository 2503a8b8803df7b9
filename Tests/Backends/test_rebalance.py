"""Stores that come are filled with what was there before them, while everything is served."""

import contextlib
import hashlib
import os

import pytest

from Backends import cluster
from Backends.backend import with_given
from Backends.cluster import Cluster, wait
from Backends.test_management import NOBODY, ask
from Harness import raw

CONFIG = {
    # Slow enough for a restart in the middle.
    "pool": {"spread": "store", "repair-rate": "384KiB"},
    "keys": [{"access-key": NOBODY[0], "secret": NOBODY[1], "user": "nobody", "policies": []}],
}
OBJECTS = 40


@pytest.fixture(scope="module")
def wider(tmp_path_factory):
    """Six directories with objects, and two servers that were attached afterwards."""
    with contextlib.ExitStack() as stack:
        made = Cluster(
            tmp_path_factory.mktemp("wider"),
            stack,
            kinds=with_given(("rclone",) * 2, at=1),
            directories=6,
            config=CONFIG,
        )
        made.gateway.start()
        made.make_bucket()
        client = raw.Raw(made.gateway.access)
        assert client("PUT", "/kept").status == 200
        made.digests = {}
        for number in range(OBJECTS):
            # Larger than what shares a blob.
            body = os.urandom(300_000)
            made.digests[str(number)] = hashlib.sha256(body).hexdigest()
            assert client("PUT", f"/kept/{number}", body=body).status == 200
        client.close()
        made.attach_all()
        yield made
        made.finish()


def status(served):
    code, told = ask(served, "GET", "/v1/rebalance")
    assert code == 200, told
    return told


def blobs(backend):
    """Shards of objects: copies of the index begin with the number of another kind."""
    return cluster.objects(backend, "blobs/00")


def test_nothing_is_moved_that_nobody_asked_for(wider):
    assert status(wider) == {"state": "none"}
    assert wider.tool("backend", "rebalance", "--status").stdout == "Nothing is being rebalanced.\n"
    assert all(not blobs(backend) for backend in wider.backends)


def test_only_who_may_asks_for_it(wider):
    for method in ("GET", "PUT", "DELETE"):
        assert ask(wider, method, "/v1/rebalance", keys=NOBODY)[0] == 403
    assert ask(wider, "POST", "/v1/rebalance")[0] == 405
    assert status(wider) == {"state": "none"}


def test_it_stops_where_it_is(wider):
    said = wider.tool("backend", "rebalance").stdout
    assert said == "Shards are moved to where the list of stores has them.\n"
    wait(lambda: status(wider).get("moved", 0) > 0, "nothing was moved")
    told = wider.tool("backend", "rebalance", "--status").stdout
    assert told.startswith("Rebalancing: asked for ") and "moved" in told, told
    assert wider.tool("backend", "rebalance", "--stop").stdout == "Nothing more is moved.\n"
    assert status(wider) == {"state": "none"}
    # At the end there are some sixty.
    assert 0 < sum(len(blobs(backend)) for backend in wider.backends) < OBJECTS
    assert wider.gateway.metrics()["tidegate_rebalance_blobs_left"] == 0


def test_every_store_is_filled_under_load_and_over_a_restart(wider):
    wider.tool("backend", "rebalance")
    wait(lambda: status(wider).get("moved", 0) > 0, "nothing was moved")
    wider.stop()
    # Nobody has to ask again.
    wider.gateway.start()
    began = status(wider)
    assert began["state"] == "wanted"
    wider.under_load(lambda: wait(lambda: status(wider) == {"state": "none"}, "it did not end", deadline=120))
    # Of 8 stores each object has 6: a store has three quarters of them, and of 40 hardly ever less than half.
    assert all(len(blobs(backend)) > OBJECTS // 2 for backend in wider.backends)
    client = raw.Raw(wider.gateway.access)
    for name, digest in wider.digests.items():
        assert hashlib.sha256(client("GET", f"/kept/{name}").body).hexdigest() == digest
    client.close()
    moved = [event["requestParameters"]["was"] for event in cluster.events(wider, "RepairShard")]
    assert moved.count("elsewhere than its list places it") >= OBJECTS
    # Beside those that were refused.
    done = {
        name: sum("errorCode" not in event for event in cluster.events(wider, name))
        for name in ("StartRebalance", "StopRebalance")
    }
    assert done == {"StartRebalance": 2, "StopRebalance": 1}


def test_a_loss_of_two_stores_then_costs_nothing(wider):
    with contextlib.ExitStack() as stack:
        for backend in wider.backends:
            stack.enter_context(backend.killed())
        client = raw.Raw(wider.gateway.access)
        for name, digest in wider.digests.items():
            assert hashlib.sha256(client("GET", f"/kept/{name}").body).hexdigest() == digest
        client.close()
