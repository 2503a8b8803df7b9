"""One pool over S3 servers of several makers and directories: objects survive what happens to any two of its stores."""

import contextlib
import os
import shutil
import signal

import pytest

from Backends import cluster
from Backends.cluster import Cluster, wait


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Three rclones, a SeaweedFS and two directories, attached before the first start."""
    with contextlib.ExitStack() as stack:
        made = Cluster(tmp_path_factory.mktemp("mixed"), stack)
        made.attach_all()
        made.gateway.start()
        made.make_bucket()
        yield made
        made.finish()


def test_everything_is_stored_and_listed(mixed):
    compared = mixed.under_load(lambda: None, seconds=2)
    assert compared > 20
    listed = mixed.list()
    assert [each["standing"] for each in listed.values()] == ["active"] * 4
    assert all("absence" not in each for each in listed.values())
    for each in mixed.backends:
        assert listed[each.name]["durability"] == ("buffered" if each.buffered else "durable")
    verdicts = {each["ability"]: each["verdict"] for each in listed["rclone-0"]["findings"]}
    assert verdicts["read-after-write"] == verdicts["list-order"] == "good"
    # Every store has been given shards.
    assert all(cluster.objects(backend) for backend in mixed.backends)


def test_a_store_that_hangs_and_one_that_is_gone_fail_no_request(mixed):
    hanging, gone = mixed.backends[0], mixed.folder / "directory-1"

    def act():
        with hanging.stopped():
            gone.rename(gone.with_suffix(".away"))
            mixed.progress(3, [])
            gone.with_suffix(".away").rename(gone)
            # Long enough to be taken for away, so that it is not even asked any more.
            wait(lambda: mixed.list()[hanging.name].get("absence"), f"{hanging.name} was not noticed")
        wait(lambda: not mixed.list()[hanging.name].get("absence"), f"{hanging.name} did not come back")

    mixed.under_load(act)
    names = [event["eventName"] for event in cluster.events(mixed, "StoreLost")]
    assert len(names) >= 2
    # What was put beside a sibling meanwhile is spread again, and the queue of repairs runs empty.
    wait(lambda: mixed.gateway.metrics().get("tidegate_damaged_blobs_waiting", 0) == 0, "repairs went on")


def test_what_is_lost_for_good_is_restored(mixed):
    """A directory that is emptied; then an S3 server hangs beside it."""
    directory = mixed.folder / "directory-0"

    def act():
        while directory.exists():
            # The gateway may be writing there at this moment, so that a directory is not empty when it is to go.
            shutil.rmtree(directory, ignore_errors=True)
        mixed.progress(1, [])
        directory.mkdir()

    mixed.under_load(act)
    with mixed.backends[1].stopped():
        assert mixed.check() > 0
    wait(lambda: len(cluster.events(mixed, "StoreReplaced")) > 0, "the new store was not taken")


def test_every_shard_is_back(mixed):
    """A scrub beside the stopped gateway repairs what is still to be repaired, and then finds nothing."""
    mixed.stop()
    mixed.tool("scrub", check=False)
    scrub = mixed.tool("scrub", check=False)
    mixed.gateway.start()
    assert scrub.returncode == 0, scrub.stdout + scrub.stderr
    assert mixed.check() > 0


def test_secrets_stand_nowhere(mixed):
    assert cluster.shows(mixed.gateway.folder, cluster.SECRET_KEY) == []
    assert os.stat(mixed.gateway.data / "sealing-key").st_mode & 0o777 == 0o600
    assert cluster.SECRET_KEY not in mixed.tool("backend", "list", "--json").stdout


def test_a_gateway_that_was_killed_finds_its_backends_again(mixed):
    mixed.gateway.kill()
    # One of them does not answer at the start: the others are served from without it.
    with mixed.backends[0].stopped():
        mixed.gateway.start()
        assert mixed.list()[mixed.backends[0].name]["absence"]
        assert mixed.check() > 0
    wait(lambda: not mixed.list()[mixed.backends[0].name].get("absence"), "the backend did not come back")


def test_the_index_comes_back_from_backends_and_directories(mixed):
    before = mixed.check()
    mixed.stop()
    for path in mixed.gateway.data.glob("index.sqlite*"):
        path.unlink()
    report = mixed.tool("recover").stdout
    assert "The index is back" in report, report
    mixed.gateway.start()
    assert mixed.check() == before
    assert [each["standing"] for each in mixed.list().values()] == ["active"] * 4


def test_a_backend_that_loses_power_is_read_around(tmp_path):
    """Four of six stores are servers; two of them end for good, and writes go on."""
    with contextlib.ExitStack() as stack:
        made = Cluster(tmp_path, stack, kinds=("rclone",) * 4)
        made.attach_all()
        made.gateway.start()
        made.make_bucket()
        made.under_load(lambda: [each.signal(signal.SIGKILL) for each in made.backends[:2]], seconds=2)
        made.stop()
        made.gateway.tool("audit", "verify", made.gateway.data / "audit")
