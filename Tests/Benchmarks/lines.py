"""What is measured against what, and how far it is to reach: the table of the page Performance."""

import dataclasses
import os
import urllib.parse

import loads
from loads import KIB, MIB

SMALL_OBJECTS = 200
LISTED_OBJECTS = 10_000
# Members of the groups that a listing with a delimiter rolls up.
GROUP = 100
LARGE = 64 * MIB
PEERS = ["seaweedfs", "ceph"]


@dataclasses.dataclass
class Outcome:
    """A figure of a measurement, as a ratio to the reference's: at least the goal, or at most it."""

    name: str
    field: str
    unit: str
    goal: float
    most: bool = False


@dataclasses.dataclass
class Line:
    """One measurement of the gateway, those that it is held against, and which of these counts: by the first figure."""

    outcomes: list
    needs: set
    ours: object
    references: list
    choose: object = max


class Measured:
    """The lines, over the sides that are there."""

    def __init__(self, sides, loads):
        self.sides, self.loads = sides, loads

    def small(self, side, method, connections):
        keys = [f"small/{number:04}" for number in range(SMALL_OBJECTS)]
        path = self.loads.requests(side, method, method, [side.target(method, key) for key in keys])
        return self.loads.small(side, path, connections)

    def put_small(self, side, connections):
        targets = [side.target("PUT", f"put/{number:04}") for number in range(400)]
        path = self.loads.requests(side, "PUT", "PUT", targets, os.urandom(4 * KIB))
        return self.loads.small(side, path, connections)

    def page(self, side, delimiter, prefix="listed/"):
        query = [("list-type", "2"), ("prefix", prefix), ("max-keys", "1000")]
        name = "page-" + urllib.parse.quote(prefix, safe="") + ("-grouped" if delimiter else "")
        query += [("delimiter", "/")] if delimiter else []
        path = self.loads.requests(side, name, "GET", [side.target("GET", "", query)])
        return self.loads.small(side, path, 4)

    def seed(self):
        """Makes what is read."""
        content, large = os.urandom(4 * KIB), os.urandom(LARGE)
        for name, side in self.sides.items():
            if name == "degraded":
                continue
            side.request("PUT", "large", large)
            if name not in ["tidegate", "nginx", *PEERS]:
                continue
            targets = [side.target("PUT", f"small/{number:04}") for number in range(SMALL_OBJECTS)]
            path = self.loads.requests(side, "seed-small", "PUT", targets, content)
            self.loads.each(side, path, SMALL_OBJECTS)
            if name == "nginx" or not self.wants_pages():
                continue
            numbers = range(LISTED_OBJECTS)
            targets = [side.target("PUT", f"listed/{number // GROUP:04}/{number:06}") for number in numbers]
            path = self.loads.requests(side, "seed-listed", "PUT", targets, b"x")
            self.loads.each(side, path, LISTED_OBJECTS, 64)

    def wants_pages(self):
        return any(name in self.sides for name in PEERS)

    def lines(self):
        yield from self.small_reads()
        yield from self.small_writes()
        yield from self.large_writes()
        yield from self.large_reads()
        yield from self.listings()

    def against(self, names, measure):
        return [lambda name=name: measure(self.sides[name]) for name in names if name in self.sides]

    def line(self, outcomes, names, measure, choose=max, others=()):
        references = [*self.against(names, measure), *others]
        return Line(outcomes, {*names}, lambda: measure(self.sides["tidegate"]), references, choose)

    def small_reads(self):
        for method in ["GET", "HEAD"]:
            for connections in [32, 64]:
                what = f"{method} 4 KiB, {connections} connections"

                def measure(side, method=method, connections=connections):
                    return self.small(side, method, connections)

                yield self.line([Outcome(f"{what} ÷ nginx", "rate", "1/s", 0.4)], ["nginx"], measure)
                yield self.line([Outcome(f"{what} ÷ better peer", "rate", "1/s", 4)], PEERS, measure)

    def small_writes(self):
        def measure(side):
            return self.put_small(side, 32)

        def alone(side):
            told = self.put_small(side, 1)
            return told | {"rate": told["p50"]}

        what = "PUT 4 KiB, 32 connections"
        yield self.line([Outcome(f"{what} ÷ Ceph RGW", "rate", "1/s", 8)], ["ceph"], measure)
        yield self.line([Outcome(f"{what} ÷ SeaweedFS", "rate", "1/s", 1.2)], ["seaweedfs"], measure)
        outcome = Outcome("PUT 4 KiB, median ÷ fdatasync of an append", "rate", "µs", 4, most=True)
        yield self.line([outcome], [], alone, others=[lambda: {"rate": self.loads.appended(4 * KIB)}])

    def large_writes(self):
        def measure(side):
            return self.loads.put(side, LARGE, 4)

        def bounds():
            return [lambda: {"rate": loads.md5()}, lambda: {"rate": self.loads.written(LARGE * 3 // 2) * 2 / 3}]

        yield self.line(
            [Outcome("PUT 64 MiB, one stream ÷ MD5 or synced write", "rate", "MiB/s", 0.85)],
            [],
            lambda side: self.loads.put(side, LARGE, 1),
            choose=min,
            others=bounds(),
        )
        what = "PUT 64 MiB, 4 streams"
        yield self.line(
            [
                Outcome(f"{what} ÷ better peer", "rate", "MiB/s", 2),
                Outcome(f"{what}, CPU ÷ better peer", "cpu", "s/GiB", 0.5, most=True),
            ],
            PEERS,
            measure,
        )

    def large_reads(self):
        def measure(side):
            return self.loads.get(side, "large", 4)

        yield self.line(
            [
                Outcome("GET 64 MiB ÷ nginx without sendfile", "rate", "MiB/s", 0.9),
                Outcome("GET 64 MiB, CPU ÷ nginx without sendfile", "cpu", "s/GiB", 1.5, most=True),
            ],
            ["nginx-copying"],
            measure,
        )
        if "degraded" in self.sides:
            degraded = self.sides["degraded"]
            yield Line(
                [Outcome("GET 64 MiB, decoding ÷ not", "rate", "MiB/s", 0.8)],
                {"degraded"},
                lambda: self.loads.get(degraded, degraded.key, 4),
                [lambda: self.loads.get(self.sides["whole"], "large", 4)],
            )
        if "tidegate-tls" in self.sides:
            yield Line(
                [Outcome("TLS GET 64 MiB ÷ nginx", "rate", "MiB/s", 0.9)],
                {"nginx-tls"},
                lambda: measure(self.sides["tidegate-tls"]),
                self.against(["nginx-tls"], measure),
            )

    def listings(self):
        for delimiter in [False, True]:
            what = f"page of 1,000 keys of 10,000{', grouped' if delimiter else ''}"

            def measure(side, delimiter=delimiter):
                return self.page(side, delimiter)

            yield self.line([Outcome(f"{what} ÷ better peer", "rate", "1/s", 8)], PEERS, measure)
