"""Buckets of one Ceph cluster: what its CRUSH map says keeps the shards of an object apart."""

import contextlib
import json

import pytest

from Backends import cluster
from Backends.cluster import Cluster
from Backends.test_management import GOOD, ask
from Harness import raw

FSID = "3f6a2c1e-5b7d-4e21-9f0a-6c8d2b4e7a10"


def bucket(number, name, kind, *items):
    held = [{"id": item, "weight": 65536, "pos": place} for place, item in enumerate(items)]
    return {"id": number, "name": name, "type_name": kind, "alg": "straw2", "items": held}


def rule(name, number, taken, kind="host"):
    choose = {"op": "chooseleaf_firstn", "num": 0, "type": kind}
    return {"rule_id": number, "rule_name": name, "steps": [{"op": "take", "item": taken}, choose, {"op": "emit"}]}


DUMP = {
    "devices": [{"id": number, "name": f"osd.{number}"} for number in range(4)],
    "types": [{"type_id": 0, "name": "osd"}, {"type_id": 1, "name": "host"}, {"type_id": 2, "name": "root"}],
    "buckets": [
        bucket(-1, "default", "root", -2, -3, -4),
        bucket(-2, "one", "host", 0),
        bucket(-3, "two", "host", 1, 2),
        bucket(-4, "three", "host", 3),
        bucket(-5, "two~ssd", "host", 2),
        bucket(-6, "default~ssd", "root", -5),
    ],
    "rules": [rule("all", 0, -1), rule("ssd", 1, -6), rule("third", 2, -4), rule("missing", 3, -9)],
    "tunables": {"choose_total_tries": 50},
}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Two directories, which are one host, and two servers that are not attached yet; of two shards any may be lost."""
    with contextlib.ExitStack() as stack:
        pool = {"data-shards": 1, "parity-shards": 1, "spread": "host"}
        folder = tmp_path_factory.mktemp("crush")
        made = Cluster(folder, stack, kinds=("rclone",) * 2, directories=2, config={"pool": pool})
        made.dump = folder / "crush.json"
        made.dump.write_text(json.dumps(DUMP, indent=4))
        yield made
        made.finish()


def test_what_cannot_be_used_is_refused_in_a_sentence(served, tmp_path):
    (tmp_path / "no-map").write_text('{"nodes": [], "stray": []}')
    (tmp_path / "cut-off").write_text(served.dump.read_text()[:-100])
    circle = {**DUMP, "buckets": [*DUMP["buckets"], bucket(-7, "ring", "host", -7)]}
    (tmp_path / "circle").write_text(json.dumps(circle))
    for options, said in [
        (["--crush", tmp_path / "never", "--crush-rule", "all"], "cannot be read"),
        (["--crush", tmp_path / "no-map", "--crush-rule", "all"], "not what `ceph osd crush dump` gives"),
        (["--crush", tmp_path / "cut-off", "--crush-rule", "all"], "not what `ceph osd crush dump` gives"),
        (["--crush", tmp_path / "circle", "--crush-rule", "all"], "below itself"),
        (["--crush", served.dump, "--crush-rule", "other"], "no rule `other`; it has `all`, `ssd`"),
        (["--crush", served.dump, "--crush-rule", "missing"], "takes the bucket -9, which is missing"),
        (["--crush", served.dump, "--crush-rule", "all", "--crush-fsid", "x"], "no id of a Ceph cluster"),
        (["--crush", served.dump], "Give --crush and --crush-rule together"),
        (["--crush-rule", "all"], "Give --crush and --crush-rule together"),
    ]:
        result = served.attach(served.backends[0], *options, check=False)
        assert result.returncode != 0 and said in result.stderr, result.stderr
    assert served.list() == {}


def test_two_buckets_that_share_a_host_are_one_domain(served):
    options = ["--crush", served.dump, "--crush-fsid", FSID.upper(), "--crush-rule"]
    served.attach(served.backends[0], *options, "all", "--host", "gateway-of-it")
    served.attach(served.backends[1], *options, "ssd", "--crush-rule", "ssd")
    listed = served.list()
    hosts = [f"{FSID}/host/{name}" for name in ("one", "three", "two")]
    assert listed["rclone-0"]["hosts"] == ["gateway-of-it", *hosts]
    assert listed["rclone-1"]["hosts"] == [f"{FSID}/host/two"]
    served.gateway.start()
    client = raw.Raw(served.gateway.access)
    assert client("PUT", "/bucket").status == 200
    for number in range(24):
        assert client("PUT", f"/bucket/{number}", body=bytes(200_000)).status == 200
    client.close()
    # Kind and name of the blob: its shards differ in what follows.
    blobs = [{key[:34] for key in map(name, cluster.objects(backend, "blobs/00"))} for backend in served.backends]
    assert all(blobs) and not blobs[0] & blobs[1], blobs


def name(key):
    return key.removeprefix("blobs/")


def test_the_interface_takes_a_map_too(served):
    crush = {"dump": DUMP, "rules": ["third"]}
    status, said = ask(served, "POST", "/v1/backends", {**GOOD, "crush": crush})
    # All that is wrong with it is that nobody is there.
    assert (status, said["code"]) == (422, "BackendRefused"), said
    for change, word in [
        ({"rules": []}, "Name the CRUSH rules"),
        ({"rules": ["other"]}, "no rule"),
        ({"fsid": "x"}, "no id"),
        ({"dump": {}}, "is missing"),
        ({"dump": {**DUMP, "buckets": [[]]}}, "of another type"),
        ({"dump": "x"}, "of another type"),
        ({"dump": {**DUMP, "buckets": [bucket(-4, "a\nb", "host", 1)]}}, "are labels"),
    ]:
        status, said = ask(served, "POST", "/v1/backends", {**GOOD, "crush": {**crush, **change}})
        assert (status, said["code"]) == (400, "InvalidRequest") and word in said["message"], said
