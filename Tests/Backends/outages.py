#!/usr/bin/env python3
"""Each store of a pool over servers of several makers, and each two of them, killed, stopped and slowed under load.

Two Ceph clusters with RGW, SeaweedFS and rclone, each behind a fault proxy, and two directories. An outage begins under
a mixed load, in which every answer is compared with what was acknowledged; it lasts until the gateway calls the stores
away, where it is to, and longer. A reader beside the load times its GETs of 1 MiB. Once the stores are back the repair
has to come to its end by itself. A last scrub finds nothing.

* killed: kill -9 of all processes that serve, or a directory that is gone; started again, or brought back
* stopped: SIGSTOP of these processes: connections are taken, and nothing is answered
* slow: every answer of the server comes two seconds late

--hedge-after 60s turns off that a read takes other shards beside a slow one (`pool.hedge-after`).

Exit code 0: no request failed, no byte was wrong, every shard is back. 1: something of that did not hold (it is named).
"""

import contextlib
import hashlib
import itertools
import pathlib
import random
import sqlite3
import statistics
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from Faults import script  # noqa: E402
from Harness import raw, venv  # noqa: E402

MIB = 1 << 20
BUCKET, READ = "read", 24
KINDS = ("killed", "stopped", "slow")
SLOW = 2.0


def arguments(given=None):
    parser = script.options(__doc__, seconds=(20, "an outage, at least"))
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help="kinds of outages (all)")
    parser.add_argument("--single", action="store_true", help="no two at once")
    parser.add_argument("--most", type=int, help="outages, drawn from all of them")
    parser.add_argument("--hedge-after", default="250ms", help="when a read takes other shards (250ms)")
    parser.add_argument("--repair-deadline", type=float, default=600, help="seconds until every shard is back (600)")
    return parser.parse_args(given)


class Reader(threading.Thread):
    """Reads objects of 1 MiB in turn, compares them, and keeps how long each took, under the phase that it was in."""

    def __init__(self, access, digests):
        super().__init__(daemon=True)
        self.client, self.digests = raw.Raw(access, timeout=60), digests
        self.stopping, self.phase, self.taken, self.error = threading.Event(), "before", {}, None

    def run(self):
        try:
            for number in itertools.cycle(range(len(self.digests))):
                if self.stopping.is_set():
                    return
                self.read(number)
        except Exception as error:
            self.error = error

    def read(self, number):
        began, phase = time.monotonic(), self.phase
        answer = self.client("GET", f"/{BUCKET}/{number}")
        taken = time.monotonic() - began
        if answer.status != 200 or hashlib.sha256(answer.body).digest() != self.digests[number]:
            raise RuntimeError(f"GET of {number} while {phase}: {answer}")
        self.taken.setdefault(phase, []).append(taken)

    def summary(self, phase):
        taken = sorted(self.taken.get(phase, []))
        if not taken:
            return "no GET"
        tail = taken[min(len(taken) - 1, int(len(taken) * 0.99))]
        figures = [statistics.median(taken), tail, taken[-1]]
        return f"{len(taken)} GETs, p50, p99, max {' '.join(f'{each * 1000:.0f}' for each in figures)} ms"


class Store:
    """A store of the pool, and how it is made to fail."""

    def __init__(self, name, position, backend=None, folder=None):
        self.name, self.position, self.backend, self.folder = name, position, backend, folder

    @property
    def kinds(self):
        return KINDS if self.backend else ("killed",)

    def failing(self, kind):
        """The context in which it fails."""
        if self.folder:
            return self.gone()
        return {"killed": self.backend.killed, "stopped": self.backend.stopped, "slow": self.slowed}[kind]()

    @contextlib.contextmanager
    def gone(self):
        away = self.folder.with_suffix(".away")
        self.folder.rename(away)
        try:
            yield
        finally:
            away.rename(self.folder)

    @contextlib.contextmanager
    def slowed(self):
        from Remote.faultproxy import Fault

        self.backend.proxy.set(Fault("slow", seconds=SLOW))
        try:
            yield
        finally:
            self.backend.proxy.clear()


class Run:
    def __init__(self, options, folder, say=print):
        self.options, self.folder, self.say = options, pathlib.Path(folder), say
        self.chance = random.Random(options.seed)
        self.detected, self.repaired, self.worst, self.outages = [], [], 0.0, 0

    def whole(self):
        from Backends.cluster import MIX, Cluster

        self.say(f"seed {self.options.seed}")
        with contextlib.ExitStack() as stack:
            config = {"pool": {"hedge-after": self.options.hedge_after}}
            self.cluster = Cluster(self.folder, stack, kinds=MIX, proxies=True, config=config)
            self.gateway = self.cluster.gateway
            self.cluster.attach_all()
            self.gateway.start()
            self.cluster.make_bucket()
            self.fill()
            listed = self.cluster.list()
            self.stores = [Store(b.name, listed[b.name]["store"], backend=b) for b in self.cluster.backends]
            taken = {store.position for store in self.stores}
            free = [position for position in range(len(taken) + 2) if position not in taken]
            for number, position in enumerate(free):
                folder = self.folder / f"directory-{number}"
                self.stores.append(Store(folder.name, position, folder=folder))
            for kind, stores in self.plan():
                self.outage(kind, stores)
            self.cluster.finish(scrubs=1)

    def plan(self):
        """Each store alone by every kind, and every two of them by one kind in turn."""
        single = [(kind, [store]) for store in self.stores for kind in store.kinds if kind in self.options.kinds]
        pairs = [] if self.options.single else list(itertools.combinations(self.stores, 2))
        kinds = itertools.cycle(self.options.kinds)
        planned = single + [(next(kinds), list(pair)) for pair in pairs]
        if self.options.most and self.options.most < len(planned):
            planned = self.chance.sample(planned, self.options.most)
        return planned

    def fill(self):
        client = raw.Raw(self.gateway.access)
        assert client("PUT", f"/{BUCKET}").status == 200
        self.digests = []
        for number in range(READ):
            body = self.chance.randbytes(MIB)
            self.digests.append(hashlib.sha256(body).digest())
            assert client("PUT", f"/{BUCKET}/{number}", {}, body).status == 200
        client.close()

    def outage(self, kind, stores):
        reader = Reader(self.gateway.access, self.digests)
        reader.start()
        names = " and ".join(store.name for store in stores)
        try:
            self.cluster.under_load(lambda: self.during(kind, stores, reader), self.options.workers)
            repaired = self.wait_for_repair()
        finally:
            reader.stopping.set()
            reader.join(120)
        if reader.error:
            raise reader.error
        self.outages += 1
        self.repaired.append(repaired)
        self.worst = max([self.worst, *reader.taken.get("failing", [])])
        seen = "not called away" if self.seen is None else f"away after {self.seen:.1f} s"
        self.say(
            f"{names} {kind}: {seen}; {reader.summary('failing')} (before {reader.summary('before')});"
            f" {self.writes} changes meanwhile; every shard back {repaired:.1f} s after"
        )

    def during(self, kind, stores, reader):
        self.cluster.progress(3, [])
        before = sum(self.cluster.ledger.counts.values())
        self.seen = None
        with contextlib.ExitStack() as stack:
            began = time.monotonic()
            for store in stores:
                stack.enter_context(store.failing(kind))
            reader.phase = "failing"
            if kind != "slow":
                self.wait(lambda: not any(self.attached(store) for store in stores), "they were not called away", 120)
                self.seen = time.monotonic() - began
                self.detected.append(self.seen)
            self.cluster.progress(max(3, self.options.seconds - (time.monotonic() - began)), [])
            self.writes = sum(self.cluster.ledger.counts.values()) - before
            reader.phase = "after"
        self.back = time.monotonic()
        self.wait(lambda: all(self.attached(store) for store in stores), "they did not come back", 180)

    def attached(self, store):
        return self.gateway.metrics()[f'tidegate_store_attached{{store="{store.position}"}}'] == 1

    def wait_for_repair(self):
        """Waits until nothing has been on the queue of repairs for some seconds; returns when the last of it went."""
        self.last = time.monotonic()

        def is_over():
            if self.damaged():
                self.last = time.monotonic()
            return time.monotonic() - self.last > 6

        self.wait(is_over, "repairs went on", self.options.repair_deadline)
        return max(0.0, self.last - self.back)

    def damaged(self):
        """Whether blobs wait for a repair: as the gateway has heard of them, and in its index.

        Shards that were only out of reach are looked at again after a quarter of an hour; those rows do not count.
        """
        told = self.gateway.metrics()
        if told["tidegate_damaged_blobs_waiting"] or told["tidegate_spreading_waits"]:
            return True
        with contextlib.closing(sqlite3.connect(f"file:{self.gateway.data}/index.sqlite?mode=ro", uri=True)) as index:
            # A row of broken shards begins with its first field.
            query = "SELECT count(*) FROM entry WHERE key >= x'0364' AND key < x'0365' AND substr(value, 1, 1) = x'02'"
            return index.execute(query).fetchone()[0] > 0

    @staticmethod
    def wait(holds, what, deadline):
        from Backends.cluster import wait

        wait(holds, what, deadline)

    def summary(self):
        def middle(values):
            return f"{statistics.median(values):.1f} s (most {max(values):.1f})" if values else "none"

        return (
            f"{self.outages} outages, {sum(self.cluster.ledger.counts.values())} changes, no request failed; called"
            f" away after {middle(self.detected)}; the slowest GET of 1 MiB took {self.worst:.2f} s; every shard back"
            f" after {middle(self.repaired)}"
        )


def main(given=None):
    return script.outcome(arguments(given), Run, lambda run: run.summary())


if __name__ == "__main__":
    venv.enter(__file__)
    sys.exit(main())
