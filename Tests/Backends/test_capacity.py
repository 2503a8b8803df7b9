"""Stores of unlike sizes: how much each is given."""

import contextlib

import pytest

from Backends import cluster
from Backends.cluster import Cluster, wait
from Backends.test_management import ask
from Harness import raw

# Ten places for three shards, of which none is in another's failure domain.
POOL = {"data-shards": 2, "parity-shards": 1, "spread": "store"}
BODY = 300_000


def put(made, prefix, count):
    """Objects of a size that gets a blob of its own."""
    client = raw.Raw(made.gateway.access)
    for number in range(count):
        assert client("PUT", f"/plain-bucket/{prefix}-{number}", {}, bytes([number]) * BODY).status == 200
    client.close()


def check(made, prefix, count):
    client = raw.Raw(made.gateway.access)
    for number in range(count):
        answer = client("GET", f"/plain-bucket/{prefix}-{number}")
        assert answer.status == 200 and answer.body == bytes([number]) * BODY
    client.close()


@pytest.fixture(scope="module")
def weighed(tmp_path_factory):
    with contextlib.ExitStack() as stack:
        made = Cluster(
            tmp_path_factory.mktemp("weighed"), stack, kinds=("rclone",) * 2, directories=8, config={"pool": POOL}
        )
        made.gateway.start()
        made.make_bucket()
        yield made
        made.gateway.stop()


def held(made):
    return [len(cluster.objects(backend, "blobs/")) for backend in made.backends]


def test_a_store_holds_what_it_weighs(weighed):
    heavy, light = weighed.backends
    for weight in ("0", "10001", "-1", "1.5", "much"):
        refused = weighed.attach(heavy, f"--weight={weight}", check=False)
        assert refused.returncode != 0 and "eight" in refused.stderr, refused
    weighed.attach(heavy, "--weight", "10000")
    weighed.attach(light, "--weight", "1")
    before = held(weighed)
    put(weighed, "first", 40)
    taken = [after - old for after, old in zip(held(weighed), before)]
    # The heavy one has a shard of nearly each of 40, and the light one none, but for one in a thousand.
    assert taken[0] >= 36 and taken[1] <= 2, taken
    assert weighed.list()[heavy.name]["weight"] == 10000
    taken_in = [event for event in cluster.events(weighed, "AttachBackend") if "errorCode" not in event]
    assert [event["requestParameters"]["weight"] for event in taken_in] == ["10000", "1"]


def test_a_weight_is_changed_while_objects_are_served(weighed):
    heavy, light = weighed.backends
    before = held(weighed)
    said = weighed.tool("backend", "weight", light.name, "10000").stdout
    assert said == "Store 9 has the weight 10000.\n"
    weighed.tool("backend", "weight", heavy.name, "1")
    put(weighed, "second", 40)
    taken = [after - old for after, old in zip(held(weighed), before)]
    assert taken[1] >= 36 and taken[0] <= 2, taken
    check(weighed, "first", 40)
    # A directory is named by its position.
    weighed.tool("backend", "weight", "3", "200")
    weights = {each["store"]: each["weight"] for each in ask(weighed, "GET", "/v1/stores")[1]}
    assert weights == {**dict.fromkeys(range(8), 100), 3: 200, 8: 1, 9: 10000}
    assert "store 3: " in weighed.tool("backend", "stores").stdout
    events = [event["requestParameters"] for event in cluster.events(weighed, "SetBackendWeight")]
    assert [(each["store"], each["weight"], each["formerWeight"]) for each in events] == [
        ("9", "10000", "1"),
        ("8", "1", "10000"),
        ("3", "200", "100"),
    ]


@pytest.mark.parametrize(
    "which, document, status, code",
    [
        ("rclone-0", {"weight": 0}, 400, "InvalidRequest"),
        ("rclone-0", {"weight": 10001}, 400, "InvalidRequest"),
        ("rclone-0", {"weight": 2.5}, 400, "InvalidRequest"),
        ("rclone-0", {"weight": "5"}, 400, "InvalidRequest"),
        ("rclone-0", {}, 400, "InvalidRequest"),
        ("rclone-9", {"weight": 5}, 404, "NoSuchBackend"),
        ("77", {"weight": 5}, 404, "NoSuchBackend"),
        ("99999", {"weight": 5}, 404, "NoSuchBackend"),
        # What a policy says of a backend's name is not to be gone round by its number.
        ("8", {"weight": 5}, 400, "InvalidRequest"),
        ("123456", {"weight": 5}, 404, "NotFound"),
        ("-1", {"weight": 5}, 404, "NotFound"),
    ],
)
def test_bad_weights_are_told_what_is_wrong(weighed, which, document, status, code):
    got, said = ask(weighed, "PUT", f"/v1/backends/{which}/weight", document)
    assert (got, said["code"]) == (status, code), said
    assert ask(weighed, "POST", f"/v1/backends/{which}/weight", document)[0] in (404, 405)
    assert {each["weight"] for each in weighed.list().values()} == {1, 10000}


def test_what_was_decided_of_a_store_outlasts_a_restart(weighed):
    light = weighed.backends[1]
    weighed.gateway.stop()
    # Beside a stopped gateway.
    weighed.tool("backend", "weight", "5", "50")
    weighed.tool("backend", "drain", light.name)
    weighed.gateway.start()
    weights = {each["store"]: each["weight"] for each in ask(weighed, "GET", "/v1/stores")[1]}
    assert weights == {**dict.fromkeys(range(8), 100), 3: 200, 5: 50, 8: 1, 9: 10000}
    wait(lambda: weighed.list()[light.name].get("left") == 0, "the backend was not drained")
    weighed.gateway.stop()
    weighed.gateway.start()
    assert weighed.list()[light.name]["standing"] == "draining"
    check(weighed, "first", 40)
    check(weighed, "second", 40)
