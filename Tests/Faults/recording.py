"""A gateway under load of which every change of a file is recorded, and what was known of its contents at any moment.

A moment is a number of records (record_files.c). A request's effect is there for sure in what a power cut leaves, where
its answer had come by the moment of the cut; where it was sent before and not answered, it may be there; where it was
sent later, it is not.
"""

import bisect
import dataclasses
import hashlib
import mmap
import pathlib
import pickle
import random
import struct
import threading
import time

from Faults import ledger, load
from Harness import gateway, preload, raw


def copied(thing):
    """A copy of a key, of versions or of an upload, that later changes do not reach."""

    def value(of):
        if isinstance(of, list):
            return list(of)
        return {k: set(v) if isinstance(v, set) else v for k, v in of.items()} if isinstance(of, dict) else of

    return dataclasses.replace(thing, **{name: value(of) for name, of in vars(thing).items()})


def part(known, number):
    """What a ledger knows of one worker's keys: (where, name) to a copy."""
    copies = {}
    for where in ("keys", "versions", "uploads"):
        for name, thing in list(getattr(known, where).items()):
            if (thing.key if where == "uploads" else name).startswith(f"w{number}/"):
                copies[where, name] = copied(thing)
    return copies


@dataclasses.dataclass
class Request:
    """A request that changes something: what was known while it was under way, and afterwards."""

    sent: int
    meanwhile: dict
    answered: int | None = None
    afterwards: dict | None = None


class Timeline:
    """What an outside observer knew at each moment."""

    def __init__(self):
        # Of each worker, in their order.
        self.requests = {}
        # (moment of the answer, kind, request id) of what was acknowledged.
        self.acknowledged = []
        # (name, digest, sent, answered, outcome) of conditional writes that workers race for.
        self.races = []
        # (moment, the races as a check after a restart has found them).
        self.settled = []
        # When the buckets were there.
        self.ready = None

    def settle(self, known, moment):
        """Takes a ledger that a check has made certain."""
        for number, requests in self.requests.items():
            if requests and requests[-1].answered is None:
                requests[-1].answered, requests[-1].afterwards = moment, part(known, number)
        self.settled.append((moment, {name: [list(entry) for entry in known.races[name]] for name in known.races}))

    def at(self, moment):
        """The ledger for what a cut at a moment leaves, with the request ids that must be in the log."""
        known = ledger.Ledger()
        for requests in self.requests.values():
            # Each was sent after the one before was answered.
            index = bisect.bisect_left([request.sent for request in requests], moment) - 1
            if index >= 0:
                last = requests[index]
                is_done = last.answered is not None and last.answered <= moment
                for (where, name), thing in (last.afterwards if is_done else last.meanwhile).items():
                    getattr(known, where)[name] = copied(thing)
        since = 0
        for settled, races in self.settled:
            if settled <= moment:
                since, known.races = settled, {name: [list(entry) for entry in races[name]] for name in races}
        for name, digest, sent, answered, outcome in self.races:
            if since <= sent < moment:
                done = answered is not None and answered <= moment
                known.races.setdefault(name, []).append([digest, outcome if done else "unknown"])
        known.request_ids = [(kind, identity) for answered, kind, identity in self.acknowledged if answered <= moment]
        return known


class Worker(load.Worker):
    """A worker that writes into a timeline when it asked for what, and when it was answered."""

    def __init__(self, number, server, known, seed, stopping, operations, timeline, moment):
        super().__init__(number, server, known, seed, stopping, operations)
        self.timeline, self.moment, self.request = timeline, moment, None

    def step(self, operation):
        self.request = None
        super().step(operation)
        if self.request:
            self.request.afterwards = part(self.ledger, self.number)

    def send(self, kind, method, bucket, key, query="", headers=None, body=b"", unknown=None, good=(200, 204)):
        before = part(self.ledger, self.number)
        if unknown:
            unknown()
        meanwhile = part(self.ledger, self.number)
        for (where, name), thing in before.items():
            vars(getattr(self.ledger, where)[name]).update(vars(copied(thing)))
        request = self.request = Request(self.moment(), meanwhile)
        self.timeline.requests.setdefault(self.number, []).append(request)
        race = [key, hashlib.sha256(body).hexdigest(), request.sent, None, "unknown"]
        if kind == "race":
            self.timeline.races.append(race)
        answer = super().send(kind, method, bucket, key, query, headers, body, unknown, good)
        if answer is not None:
            request.answered = race[3] = self.moment()
            race[4] = "won" if answer.status == 200 else "lost"
            if answer.status in (200, 204):
                self.timeline.acknowledged.append((request.answered, kind, answer.request_id))
        return answer


class Recording:
    """A gateway that is loaded in several runs, each ended by a kill or a stop."""

    def __init__(self, folder, seed, workers, settings=()):
        self.folder = pathlib.Path(folder)
        self.seed, self.workers, self.chance = seed, workers, random.Random(f"{seed}/recording")
        self.ledger, self.timeline = ledger.Ledger(), Timeline()
        self.data, self.changes, self.count = (self.folder / name for name in ("data", "changes", "count"))
        self.data.mkdir(parents=True)
        self.count.write_bytes(bytes(16))
        with open(self.count, "r+b") as file:
            self.counter = mmap.mmap(file.fileno(), 16)
        environment = self.environment(self.folder, self.folder)
        self.gateway = gateway.Gateway(self.folder, settings=settings, environment=environment)

    @staticmethod
    def environment(folder, built):
        """Variables that have a gateway's files recorded; the library is in `built`, or made there."""
        return {
            "LD_PRELOAD": preload.library("Faults/record_files.c", built),
            "RECORD_FILES_ROOT": str(folder / "data"),
            "RECORD_FILES_TO": str(folder / "changes"),
            "RECORD_FILES_COUNT": str(folder / "count"),
        }

    @classmethod
    def kept(cls, folder):
        """What an earlier run has left in a folder."""
        recording = cls.__new__(cls)
        recording.data, recording.changes = pathlib.Path(folder, "data"), pathlib.Path(folder, "changes")
        recording.gateway = gateway.Gateway(folder)
        recording.timeline, recording.root = pickle.loads(pathlib.Path(folder, "timeline").read_bytes())
        return recording

    def moment(self):
        """How many records there are."""
        return struct.unpack_from("=Q", self.counter)[0]

    def kill(self):
        """Kills the gateway right after a record, so that it has changed nothing that is not recorded."""
        struct.pack_into("=Q", self.counter, 8, 1)
        self.gateway.process.wait(30)
        self.gateway.kill()
        struct.pack_into("=Q", self.counter, 8, 0)

    def whole(self, runs, seconds):
        """Several runs; the last one ends by a kill."""
        from Faults.check import Checker

        try:
            for number in range(runs):
                self.gateway.start()
                if number == 0:
                    self.begin()
                else:
                    Checker(self.gateway.access, self.ledger, load.ALL).everything()
                self.timeline.settle(self.ledger, self.moment())
                self.load(number, seconds, is_killed=number == runs - 1 or self.chance.random() < 0.6)
        finally:
            self.gateway.kill()
        self.root = self.data.stat().st_ino
        pathlib.Path(self.folder, "timeline").write_bytes(pickle.dumps((self.timeline, self.root)))
        if self.ledger.refused:
            raise RuntimeError(f"{len(self.ledger.refused)} requests were refused: {self.ledger.refused[0]}")

    def begin(self):
        client = raw.Raw(self.gateway.access)
        make_buckets(client)
        client.close()
        self.timeline.ready = self.moment()

    def load(self, number, seconds, is_killed):
        stopping = threading.Event()
        seed, server = f"{self.seed}/{number}", self.gateway.access
        workers = [
            Worker(n, server, self.ledger, seed, stopping, load.ALL, self.timeline, self.moment)
            for n in range(self.workers)
        ]
        for worker in workers:
            worker.start()
        time.sleep(self.chance.uniform(0.7, 1.3) * seconds)
        if is_killed:
            self.kill()
        stopping.set()
        for worker in workers:
            worker.join(60)
            if worker.error:
                raise worker.error
        self.gateway.stop()


def make_buckets(client):
    """Makes both buckets, where they are not there yet."""
    enabled = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    for target, body in [
        (f"/{load.PLAIN}", b""),
        (f"/{load.VERSIONED}", b""),
        (f"/{load.VERSIONED}?versioning", enabled),
    ]:
        answer = client("PUT", target, {}, body)
        if answer.status != 200 and answer.code != "BucketAlreadyOwnedByYou":
            raise ledger.Wrong(f"PUT {target}: {answer}")
