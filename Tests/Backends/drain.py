#!/usr/bin/env python3
"""A Ceph cluster that holds 50,000 shards leaves a pool of seven stores during a mixed load.

No request fails, no byte is wrong, every object is read right afterwards, and nothing is left in its bucket.

Exit code 0: all of it held. 1: some of it did not (it is named).
"""

import contextlib
import hashlib
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from Faults import script  # noqa: E402
from Harness import raw, venv  # noqa: E402

BUCKET = "kept"
# The smallest that is no part of a pack: it has a shard of its own on six of the seven stores.
LEAST = (128 << 10) + 1


def arguments(given=None):
    parser = script.options(__doc__)
    parser.add_argument("--shards", type=int, default=50_000, help="shards on the backend before it leaves (50,000)")
    parser.add_argument("--deadline", type=float, default=7200, help="seconds until it must have left (7,200)")
    return parser.parse_args(given)


def content(number):
    return random.Random(f"kept/{number}").randbytes(LEAST + number % 5000)


def put(client, number):
    answer = client("PUT", f"/{BUCKET}/{number}", {}, content(number), payload=raw.UNSIGNED)
    if answer.status != 200:
        raise RuntimeError(f"PUT {number}: {answer}")


def is_right(client, number):
    answer = client("GET", f"/{BUCKET}/{number}")
    return answer.status == 200 and hashlib.sha256(answer.body).digest() == hashlib.sha256(content(number)).digest()


class Run:
    def __init__(self, options, folder, say=print):
        self.options, self.folder, self.say = options, pathlib.Path(folder), say

    def whole(self):
        from Backends.cluster import MIX, Cluster, objects
        from Backends.crowd import Crowd

        with contextlib.ExitStack() as stack:
            self.cluster = Cluster(self.folder, stack, kinds=(*MIX, "rclone"))
            self.gateway = self.cluster.gateway
            self.cluster.attach_all()
            self.gateway.start()
            self.cluster.make_bucket()
            client = raw.Raw(self.gateway.access)
            assert client("PUT", f"/{BUCKET}").status == 200
            client.close()
            count = self.options.shards * 7 // 6 + 100
            began = time.monotonic()
            with Crowd(self.gateway.access) as crowd:
                crowd.each(put, range(count))
            self.say(f"{count} objects put in {time.monotonic() - began:.0f} s")
            leaving = self.cluster.backends[1]
            compared = self.cluster.under_load(lambda: self.drain(leaving), workers=self.options.workers)
            assert objects(leaving) == []
            with Crowd(self.gateway.access) as crowd:
                wrong = crowd.each(is_right, range(count)).count(False)
            assert wrong == 0, f"{wrong} of {count} objects are not what was put"
            requests = sum(self.cluster.ledger.counts.values())
            self.cluster.finish()
            self.summary = (
                f"{self.shards} shards left {leaving.name} in {self.seconds:.0f} s, detached after"
                f" {self.detached:.0f} s; {requests} changes meanwhile, none refused; {compared + count} things"
                " compared; nothing left on it"
            )

    def drain(self, leaving):
        from Backends.cluster import wait

        tool, began = self.cluster.tool, time.monotonic()
        tool("backend", "drain", leaving.name)
        wait(lambda: self.left(leaving) is not None, "nobody counted what is to move")
        self.shards, told = self.left(leaving), began
        while (left := self.left(leaving)) != 0:
            assert time.monotonic() - began < self.options.deadline, f"{left} shards are still there"
            if time.monotonic() - told > 30:
                told = time.monotonic()
                self.say(f"{left} left after {told - began:.0f} s")
            time.sleep(0.5)
        self.seconds = time.monotonic() - began
        assert self.shards >= self.options.shards, f"only {self.shards} shards were there"
        wait(
            lambda: tool("backend", "detach", leaving.name, check=False).returncode == 0,
            "it was not detached",
            deadline=600,
        )
        self.detached = time.monotonic() - began

    def left(self, leaving):
        return self.cluster.list()[leaving.name].get("left")


def main(given=None):
    return script.outcome(arguments(given), Run, lambda run: run.summary)


if __name__ == "__main__":
    venv.enter(__file__)
    sys.exit(main())
