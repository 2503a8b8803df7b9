"""A pool of which one server is slow: reads go round it, within a budget, and writes go on without it."""

import contextlib
import json
import random

import pytest

from Backends.cluster import Cluster, wait
from Faults import load
from Harness import raw
from Remote.faultproxy import Fault

MIB = 1 << 20
OBJECTS = 12
# Longer than anything takes that does not wait for it, also on a machine that has much else to do.
READ, WRITE = 4.0, 9.0


@pytest.fixture
def pool(tmp_path):
    """Four rclones behind fault proxies, and two directories, with some objects of a MiB."""
    with contextlib.ExitStack() as stack:
        config = {"pool": {"straggler-after": "1s"}}
        made = Cluster(tmp_path, stack, kinds=("rclone",) * 4, proxies=True, config=config)
        made.attach_all()
        made.gateway.start()
        made.make_bucket()
        chance = random.Random(7)
        made.bodies = [chance.randbytes(MIB) for _ in range(OBJECTS)]
        made.client = raw.Raw(made.gateway.access)
        for number in range(OBJECTS):
            put(made, number)
        yield made
        made.client.close()
        # The scrub reads all that there is of it.
        for each in made.backends:
            each.proxy.clear()
        # What was beside others may still be on its way back: the first scrub ends that.
        made.finish()


def put(made, number):
    assert made.client("PUT", f"/{load.PLAIN}/{number}", {}, made.bodies[number]).status == 200


def get(made, number):
    answer = made.client("GET", f"/{load.PLAIN}/{number}")
    assert answer.status == 200 and answer.body == made.bodies[number], answer


def test_reads_begin_with_others_and_hedge_within_a_budget(pool):
    slow = pool.backends[0]
    position = pool.list()[slow.name]["store"]
    before = pool.gateway.metrics()
    assert before["tidegate_hedge_budget_left"] == 10
    slow.proxy.set(Fault("slow", operation="GetObject", seconds=READ))
    for number in range(3 * OBJECTS):
        get(pool, number % OBJECTS)
    asked = slow.proxy.count("slow")
    for number in range(3 * OBJECTS):
        get(pool, number % OBJECTS)
    # By then it is known: what is still asked of it are trials beside the others.
    assert slow.proxy.count("slow") - asked <= 3
    after = pool.gateway.metrics()
    begun = after["tidegate_hedged_reads_total"] - before["tidegate_hedged_reads_total"]
    assert 1 <= begun <= 10 + 0.05 * 6 * 6 * OBJECTS
    assert 1 <= after["tidegate_hedged_reads_won_total"] <= after["tidegate_hedged_reads_total"]
    assert 0 <= after["tidegate_hedge_budget_left"] <= 10
    times = [after[f'tidegate_store_first_cell_microseconds{{store="{store}"}}'] for store in range(6)]
    assert times[position] == max(times)
    # The same is told of the backends.
    told = pool.list()
    assert told[slow.name]["firstCellMilliseconds"] == max(
        each["firstCellMilliseconds"] for each in told.values() if "firstCellMilliseconds" in each
    )
    assert "answers reads in" in pool.tool("backend", "list").stdout


def test_a_write_goes_on_without_the_one_that_holds_it_up(pool):
    slow = pool.backends[1]
    slow.proxy.set(Fault("slow", operation="PutObject|CompleteMultipartUpload", seconds=WRITE))
    for number in range(OBJECTS):
        put(pool, number)
    metrics = pool.gateway.metrics()
    # One write found out; the others went elsewhere at once, but for those after its time was over.
    assert 1 <= metrics["tidegate_write_stragglers_total"] <= 4
    logged = [line for line in pool.gateway.log.read_text().splitlines() if "slower than all the others" in line]
    assert logged
    for number in range(OBJECTS):
        get(pool, number)
    slow.proxy.clear()
    wait(lambda: spread(pool), "shards stayed beside others")


def spread(made):
    metrics = made.gateway.metrics()
    return metrics["tidegate_spreading_waits"] == 0 and metrics["tidegate_damaged_blobs_waiting"] == 0


def test_what_is_said_of_backends_is_json_without_a_gateway(pool):
    """What is known of their speed only a gateway knows."""
    pool.stop()
    listed = json.loads(pool.tool("backend", "list", "--json").stdout)
    assert all("firstCellMilliseconds" not in each for each in listed)
    pool.gateway.start()
