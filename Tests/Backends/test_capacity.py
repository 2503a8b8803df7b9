"""Stores of unlike sizes: how much each is given, and what becomes of those that are full."""

import contextlib
import os
import subprocess

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
    return [len(cluster.objects(backend, "blobs/00")) for backend in made.backends]


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


def stores(made):
    """The stores by position, as the management interface tells of them."""
    return {each["store"]: each for each in ask(made, "GET", "/v1/stores")[1]}


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    with contextlib.ExitStack() as stack:
        made = Cluster(
            tmp_path_factory.mktemp("limited"), stack, kinds=("rclone",), directories=4, config={"pool": POOL}
        )
        made.gateway.start()
        made.make_bucket()
        yield made
        made.gateway.stop()


def test_a_backend_is_filled_to_its_mark(limited):
    backend = limited.backends[0]
    for capacity in ("0", "ten", "10TB", "-1", "99999999TiB"):
        refused = limited.attach(backend, f"--capacity={capacity}", check=False)
        assert refused.returncode != 0 and "apacity" in refused.stderr, refused
    # 3,000,000 bytes for shards of 150,000.
    limited.attach(backend, "--weight", "10000", "--capacity", "3000000")
    put(limited, "first", 10)
    wait(lambda: stores(limited)[4].get("usedPercent", 0) >= 50, "what is held was not counted")
    told = limited.list()[backend.name]
    assert (told["capacityBytes"], told["fill"]) == (3_000_000, "normal")
    assert 1_500_000 <= told["usedBytes"] < 1_700_000
    put(limited, "second", 8)
    wait(lambda: stores(limited)[4]["fill"] == "nearly full", "it was not said that it is nearly full")
    assert "nearly full" in limited.tool("backend", "list").stdout
    put(limited, "third", 3)
    wait(lambda: stores(limited)[4]["fill"] == "full", "it was not said that it is full")
    before = cluster.objects(backend, "blobs/00")
    put(limited, "fourth", 20)
    assert cluster.objects(backend, "blobs/00") == before
    samples = limited.gateway.metrics()
    assert samples['tidegate_store_bytes{store="4",kind="capacity"}'] == 3_000_000
    used, available = (samples[f'tidegate_store_bytes{{store="4",kind="{kind}"}}'] for kind in ("used", "available"))
    assert used + available == max(used, 3_000_000) and used >= 2_850_000
    capacity, used = (samples[f'tidegate_store_bytes{{store="0",kind="{kind}"}}'] for kind in ("capacity", "used"))
    assert capacity > used > 0
    assert samples["tidegate_stores_full"] == 1
    assert ", full" in limited.tool("backend", "stores").stdout
    for prefix, count in (("first", 10), ("second", 8), ("third", 3), ("fourth", 20)):
        check(limited, prefix, count)
    assert limited.gateway.log.read_text().count("a store is nearly full") == 1


def test_a_backend_with_more_room_is_given_shards_again(limited):
    backend = limited.backends[0]
    said = limited.tool("backend", "capacity", backend.name, "1GiB").stdout
    assert said == "Store 4 can hold 1.0 GiB.\n"
    wait(lambda: stores(limited)[4]["fill"] == "normal", "it is still said to be full")
    before = len(cluster.objects(backend, "blobs/00"))
    put(limited, "fifth", 10)
    assert len(cluster.objects(backend, "blobs/00")) >= before + 9
    limited.tool("backend", "capacity", backend.name, "none")
    assert "capacityBytes" not in limited.list()[backend.name]
    events = [event["requestParameters"] for event in cluster.events(limited, "SetBackendCapacity")]
    assert [(each["capacity"], each["formerCapacity"]) for each in events] == [
        (str(1 << 30), "3000000"),
        ("none", str(1 << 30)),
    ]


@pytest.mark.parametrize(
    "which, document, status, code",
    [
        ("rclone-0", {"capacity": -1}, 400, "InvalidRequest"),
        ("rclone-0", {"capacity": 1 << 61}, 400, "InvalidRequest"),
        ("rclone-0", {"capacity": "1GiB"}, 400, "InvalidRequest"),
        ("rclone-0", {}, 400, "InvalidRequest"),
        ("rclone-9", {"capacity": 5}, 404, "NoSuchBackend"),
        # A directory's file system says how much it can hold.
        ("0", {"capacity": 5}, 404, "NoSuchBackend"),
    ],
)
def test_bad_capacities_are_told_what_is_wrong(limited, which, document, status, code):
    got, said = ask(limited, "PUT", f"/v1/backends/{which}/capacity", document)
    assert (got, said["code"]) == (status, code), said


def test_a_full_disk_is_gone_round_until_it_has_room(tmp_path):
    disk = tmp_path / "directory-0"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512m", "none", disk], check=False).returncode:
        pytest.skip("nothing may be mounted here")
    with contextlib.ExitStack() as stack:
        stack.callback(subprocess.run, ["umount", "-l", disk], check=True)
        made = Cluster(tmp_path, stack, kinds=(), directories=4, config={"pool": POOL})
        made.gateway.start()
        made.make_bucket()

        def held():
            return sum(path.stat().st_blocks for path in disk.rglob("*") if path.name != "ballast")

        put(made, "first", 20)
        assert held() > 10 * BODY / 2 / 512
        ballast = disk / "ballast"
        room = os.statvfs(disk)
        ballast.write_bytes(bytes(room.f_bavail * room.f_frsize - (16 << 20)))
        wait(lambda: stores(made)[0]["fill"] == "full", "it was not said that it is full")
        before = held()
        put(made, "second", 20)
        # The index's copies alone may go there.
        assert held() - before < 2 * BODY / 512
        ballast.unlink()
        wait(lambda: stores(made)[0]["fill"] == "normal", "it is still said to be full")
        put(made, "third", 20)
        assert held() - before > 10 * BODY / 2 / 512
        for prefix in ("first", "second", "third"):
            check(made, prefix, 20)
        made.stop()
