"""`tidegate durability`: how far everything is from its loss, while backends go and come back."""

import contextlib
import json
import math
import os
import shutil
import signal

import pytest

from Backends import cluster
from Backends.cluster import Cluster, wait
from Backends.test_management import NOBODY, ask
from Harness import raw

CONFIG = {
    # One shard of each object on each store, though the directories share a host; and a scrub each minute.
    "pool": {"spread": "store", "scrub-interval": "60s"},
    "keys": [
        {
            "access-key": "TESTREADERACCESSKEY",
            "secret": "testreadersecretkey000000000000000000000",
            "user": "reader",
            "policies": [
                {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Action": "tidegate:GetDurability", "Resource": "*"}],
                }
            ],
        },
        {"access-key": NOBODY[0], "secret": NOBODY[1], "user": "nobody", "policies": []},
    ]
}
READER = ("TESTREADERACCESSKEY", "testreadersecretkey000000000000000000000")
OBJECTS = 12


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Two rclones, a SeaweedFS, which is buffered, and three directories."""
    with contextlib.ExitStack() as stack:
        made = Cluster(
            tmp_path_factory.mktemp("durability"),
            stack,
            kinds=("rclone", "rclone", "seaweedfs"),
            directories=3,
            config=CONFIG,
        )
        made.attach_all()
        made.gateway.start()
        client = raw.Raw(made.gateway.access)
        assert client("PUT", "/durable").status == 200
        for number in range(OBJECTS):
            # Larger than what shares a blob.
            assert client("PUT", f"/durable/{number}", body=os.urandom(300_000)).status == 200
        client.close()
        yield made
        made.stop()
        made.gateway.tool("audit", "verify", made.gateway.data / "audit")


def look(served):
    return json.loads(served.tool("durability", "--json").stdout)


def standard(view):
    """What is told of 4+2."""
    (found,) = [each for each in view["redundancies"] if (each["dataShards"], each["parityShards"]) == (4, 2)]
    return found


def distances(told):
    return {each["distance"]: each["blobs"] for each in told}


def test_everything_is_as_far_from_loss_as_it_can_be(served):
    view = look(served)
    found = standard(view)
    assert view["blobs"] == found["blobs"] == OBJECTS and view["damaged"] == view["unreadable"] == 0
    assert found["bytes"] == view["bytes"] == OBJECTS * 300_000
    assert distances(found["distances"]) == distances(found["distancesInDomains"]) == {2: OBJECTS}
    # One shard of each lies on the store that answers before it syncs.
    assert distances(found["distancesWithoutBuffered"]) == {1: OBJECTS}
    assert [each["durability"] for each in view["stores"]].count("buffered") == 1
    assert all("absence" not in each for each in view["stores"])
    nines = found["configured"]
    assert nines["lossesPerYear"] == 0.02 and nines["repairDays"] == 1
    # 6 · 5 · 4 losses at 0.02 in a year, two of them before one day is over.
    assert abs(nines["markovSerial"] + math.log10(120 * 0.02**3 / 365**2)) < 0.01
    assert nines["markovSerial"] < nines["markovParallel"] and nines["closest"] == nines["markovSerial"]
    wait(lambda: look(served)["observed"]["storeYears"] > 0, "nothing was watched")
    view = look(served)
    found = standard(view)
    assert view["observed"]["losses"] == view["observed"]["damagedShards"] == 0
    # Nothing was lost in some seconds, which says next to nothing.
    assert "observed" not in found and found["observedAtMost"]["lossesPerYear"] > 1000
    assert found["observedAtMost"].get("markovSerial", 0) < 1
    assert view["journal"]["secondsBehind"] < 60


def test_a_backend_that_is_killed_costs_a_shard_at_once(served):
    before = standard(look(served))["configured"]["closest"]
    backend = served.backends[0]
    with backend.stopped():
        # It hangs. The next look tells, long before the gateway takes it for away.
        view = look(served)
        found = standard(view)
        assert distances(found["distances"]) == {1: OBJECTS}
        assert distances(found["distancesWithoutBuffered"]) == {0: OBJECTS}
        assert found["configured"]["closest"] < before - 0.5
        assert [each["name"] for each in view["stores"] if "absence" in each] == [backend.name]
        gone = served.folder / "directory-1"
        gone.rename(gone.with_suffix(".away"))
        assert distances(standard(look(served))["distances"]) == {0: OBJECTS}
        text = served.tool("durability").stdout
        assert "nothing more" in text and f"({backend.name}) is away" in text
        gone.with_suffix(".away").rename(gone)
    wait(lambda: distances(standard(look(served))["distances"]) == {2: OBJECTS}, "the shards did not come back", 20)
    assert standard(look(served))["configured"]["closest"] == before


def test_what_went_and_came_is_remembered_over_a_restart(served):
    def outages():
        return [each["outages"] for each in look(served)["stores"]]

    gone = served.folder / "directory-2"
    before = outages()
    gone.rename(gone.with_suffix(".away"))
    wait(lambda: sum(outages()) > sum(before), "the outage was not noticed")
    gone.with_suffix(".away").rename(gone)
    wait(lambda: all("absence" not in each for each in look(served)["stores"]), "it did not come back")
    wait(lambda: any(each["outageSeconds"] >= 0 and each["outages"] for each in look(served)["stores"]), "no outage")
    known = outages()
    served.stop()
    # Beside the stopped gateway, from the data alone.
    view = look(served)
    assert [each["outages"] for each in view["stores"]] == known and "journal" not in view
    assert distances(standard(view)["distances"]) == {2: OBJECTS}
    served.gateway.start()
    assert outages() == known


def test_the_metrics_follow(served):
    def metric(name):
        return served.gateway.metrics().get(name, 0)

    wait(lambda: metric('tidegate_blobs_at_distance{distance="2"}') == OBJECTS, "the metrics do not count")
    assert metric('tidegate_blobs_at_distance_without_buffered{distance="1"}') == OBJECTS
    serial = standard(look(served))["configured"]["markovSerial"]
    assert abs(metric("tidegate_durability_nines_closest") - serial) < 0.001
    gone = served.folder / "directory-0"
    gone.rename(gone.with_suffix(".away"))
    wait(lambda: metric('tidegate_blobs_at_distance{distance="1"}') == OBJECTS, "the metrics did not follow", 20)
    assert metric('tidegate_blobs_at_distance{distance="2"}') == 0
    gone.with_suffix(".away").rename(gone)
    wait(lambda: metric('tidegate_blobs_at_distance{distance="2"}') == OBJECTS, "the metrics did not follow", 20)


def test_the_management_interface_says_the_same(served):
    status, view = ask(served, "GET", "/v1/durability")
    assert status == 200 and standard(view)["blobs"] == OBJECTS
    assert ask(served, "GET", "/v1/durability", keys=READER)[0] == 200
    assert ask(served, "GET", "/v1/backends", keys=READER)[0] == 403
    assert ask(served, "GET", "/v1/durability", keys=NOBODY)[0] == 403
    assert ask(served, "POST", "/v1/durability", {})[0] == 405
    assert ask(served, "GET", "/v1/durability/x")[0] == 404
    assert cluster.events(served, "GetDurability")[-1]["userIdentity"]["type"] in ("Root", "IAMUser")


def test_a_store_that_lost_everything_and_its_repair_are_figures(served):
    gone = served.folder / "directory-1"
    # The gateway may be writing there at this moment.
    while gone.exists():
        shutil.rmtree(gone, ignore_errors=True)
    wait(lambda: any("absence" in each for each in look(served)["stores"]), "the loss was not noticed")
    gone.mkdir()
    wait(lambda: look(served)["observed"]["repairs"] >= OBJECTS, "the shards were not restored")
    view = look(served)
    assert distances(standard(view)["distances"]) == {2: OBJECTS}
    observed, found = view["observed"], standard(view)["observed"]
    # What is missing in a new store is the loss of the old one, and no damage beside it.
    assert (observed["losses"], observed["damagedShards"]) == (1, 0)
    assert 0 <= observed["meanRepairDays"] < 1 and found["repairDays"] == observed["meanRepairDays"]
    assert observed["lossesPerYear"] == found["lossesPerYear"] < observed["lossesPerYearAtMost"]
    told = [each for each in view["stores"] if each["losses"]]
    assert len(told) == 1 and told[0]["repairs"] >= OBJECTS and told[0]["repairedBytes"] >= OBJECTS * 75_000
    assert "lost everything 1 time" in served.tool("durability").stdout


def test_a_scrub_is_told_of(served):
    """The first scrub began with the gateway, and found nothing yet; the next one comes a minute later."""
    shards = [path for path in cluster.files(served.folder / "directory-2") if 75_000 < path.stat().st_size < 80_000]
    assert len(shards) == OBJECTS, shards
    with open(shards[0], "r+b") as file:
        file.seek(40_000)
        byte = file.read(1)[0]
        file.seek(40_000)
        file.write(bytes([byte ^ 1]))
    wait(lambda: look(served)["scrub"]["inTime"] == OBJECTS, "no scrub came to its end", 120)
    scrub = look(served)["scrub"]
    assert scrub["withinDays"] == 30 and scrub["overdue"] == scrub["unread"] == 0
    assert scrub["oldestRead"].startswith("20") and scrub["lastPassUnreachableShards"] == 0
    wait(lambda: look(served)["observed"]["damagedShards"] == 1, "the flipped bit was not found")
    assert look(served)["observed"]["losses"] == 1
    wait(lambda: distances(standard(look(served))["distances"]) == {2: OBJECTS}, "the shard was not repaired")


@pytest.mark.parametrize(
    "options, wanted",
    [
        (["--nines", "11", "--afr", "0.00405", "--repair-days", "6.5"], None),
        (["--nines", "9", "--afr", "0.00405", "--repair-days", "6.5", "--domains", "20"], (17, 3)),
        (["--nines", "2", "--afr", "0.00405", "--repair-days", "6.5", "--domains", "1"], (1, 0)),
    ],
)
def test_the_cheapest_is_recommended(served, options, wanted):
    told = json.loads(served.tool("durability", *options, "--json").stdout)
    assert told["nines"] >= float(options[1]) and told["domains"] == told["dataShards"] + told["parityShards"]
    assert wanted in (None, (told["dataShards"], told["parityShards"]))
    assert f"{told['dataShards']}+{told['parityShards']} on " in served.tool("durability", *options).stdout


@pytest.mark.parametrize(
    "options",
    [
        ["--nines", "30", "--domains", "2"],
        ["--nines", "-1"],
        ["--nines", "nan"],
        ["--afr", "0.1"],
        ["--nines", "3", "--domains", "0"],
    ],
)
def test_what_cannot_be_is_refused(served, options):
    result = served.tool("durability", *options, check=False)
    assert result.returncode != 0 and len(result.stderr) > 20 and "Fatal" not in result.stderr


def test_a_backend_that_is_gone_for_good(served):
    """Killed while everything is served: the blobs lack a shard until it is restored elsewhere."""
    backend = served.backends[1]
    backend.signal(signal.SIGKILL)
    wait(lambda: distances(standard(look(served))["distances"]) == {1: OBJECTS}, "the loss was not noticed", 20)
    wait(
        lambda: any("absence" in each and each["outages"] for each in look(served)["stores"]), "no outage was noted", 60
    )


def test_new_objects_have_more_parity_where_stores_are_seen_to_lose_much(tmp_path):
    with contextlib.ExitStack() as stack:
        made = Cluster(
            tmp_path, stack, kinds=(), directories=8, config={"pool": {"spread": "store", "adaptive-parity": 3}}
        )
        made.gateway.start()
        client = raw.Raw(made.gateway.access)
        assert client("PUT", "/adaptive").status == 200
        assert client("PUT", "/adaptive/before", body=os.urandom(300_000)).status == 200
        assert look(made)["parityOfNew"] == 2
        gone = made.folder / "directory-3"
        while gone.exists():
            shutil.rmtree(gone, ignore_errors=True)
        wait(lambda: any("absence" in each for each in look(made)["stores"]), "the loss was not noticed")
        gone.mkdir()
        # One loss in a minute is more than one in fifty years.
        wait(lambda: look(made)["parityOfNew"] == 3, "the parity was not raised")
        content = os.urandom(300_000)
        assert client("PUT", "/adaptive/after", body=content).status == 200
        assert client("GET", "/adaptive/after").body == content
        found = {(each["dataShards"], each["parityShards"]): each["blobs"] for each in look(made)["redundancies"]}
        assert found == {(4, 2): 1, (4, 3): 1}
        wait(lambda: cluster.events(made, "ChangeParity"), "the change was not recorded")
        assert cluster.events(made, "ChangeParity")[-1]["requestParameters"] == {"before": "2", "now": "3"}
        client.close()
        made.finish()
