"""What is measured against what, and how far it is to reach: the table of the page Performance."""

import dataclasses
import os
import urllib.parse

import filled
import loads
from loads import KIB, MIB

SMALL_OBJECTS = 200
LISTED_OBJECTS = 10_000
# Members of the groups that a listing with a delimiter rolls up.
GROUP = 100
LARGE = 64 * MIB
MIDDLE = 16 * MIB
FEW_KEYS, MANY_KEYS = 10_000, 10_000_000
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
    # The names of the sides that are measured.
    needs: list
    ours: object
    references: list
    choose: object = max
    # What is to be made before, once; None where nothing is.
    prepare: object = None
    # Whether it is left out unless its name is asked for: it would take too long to prepare.
    is_rare: bool = False


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

    def lines(self):
        yield from self.small_reads()
        yield from self.small_writes()
        yield from self.large_writes()
        yield from self.digests()
        yield from self.large_reads()
        yield from self.listings()
        yield from self.large_indexes()
        yield from self.stripes()

    def against(self, names, measure):
        return [lambda name=name: measure(self.sides[name]) for name in names if name in self.sides]

    def line(self, outcomes, names, measure, choose=max, others=()):
        references = [*self.against(names, measure), *others]
        needs = ["tidegate", *(name for name in names if name in self.sides)]
        return Line(outcomes, needs, lambda: measure(self.sides["tidegate"]), references, choose)

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

    def digests(self):
        yield Line(
            [Outcome("MD5 of 32 uploads at once, a core ÷ OpenSSL's, one by one", "rate", "MiB/s", 4)],
            [],
            lambda: self.loads.part("md5", "--streams", 32),
            [lambda: self.loads.part("md5", "--streams", 32, "--plain")],
        )
        what = "PUT 16 MiB, 32 streams"
        yield Line(
            [
                Outcome(f"{what} ÷ with plain MD5", "rate", "MiB/s", 1.2),
                Outcome(f"{what}, CPU ÷ with plain MD5", "cpu", "s/GiB", 0.6, most=True),
            ],
            ["tidegate", "tidegate-plain"],
            lambda: self.loads.put(self.sides["tidegate"], MIDDLE, 32),
            [lambda: self.loads.put(self.sides["tidegate-plain"], MIDDLE, 32)],
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
        yield Line(
            [Outcome("GET 64 MiB, decoding ÷ not", "rate", "MiB/s", 0.8)],
            ["degraded", "whole"],
            lambda: self.loads.get(self.sides["degraded"], self.sides["degraded"].key, 4),
            [lambda: self.loads.get(self.sides["whole"], "large", 4)],
        )
        if "tidegate-tls" in self.sides:
            yield Line(
                [Outcome("TLS GET 64 MiB ÷ nginx", "rate", "MiB/s", 0.9)],
                ["tidegate-tls", "nginx-tls"],
                lambda: measure(self.sides["tidegate-tls"]),
                self.against(["nginx-tls"], measure),
            )

    def listings(self):
        for delimiter in [False, True]:
            what = f"page of 1,000 keys of 10,000{', grouped' if delimiter else ''}"

            def measure(side, delimiter=delimiter):
                return self.page(side, delimiter)

            yield self.line([Outcome(f"{what} ÷ better peer", "rate", "1/s", 8)], PEERS, measure)

    def large_indexes(self):
        """The same pages of many keys and of few, and the start with many objects and with none."""
        few, many = f"filled-{FEW_KEYS}", f"filled-{MANY_KEYS}"
        for what, grouped in [("page of 1,000 keys", False), ("page of 50 groups", True)]:

            def measure(name, grouped=grouped):
                return filled.pages(self.loads, self.sides[name], grouped)

            what = f"{what} of 10,000,000 ÷ of 10,000"
            yield Line(
                [
                    Outcome(what, "cost", "µs", 1.3, most=True),
                    Outcome(f"{what}, CPU", "cpu", "µs", 1.3, most=True),
                ],
                [few, many],
                lambda measure=measure: measure(many),
                [lambda measure=measure: measure(few)],
                prepare=lambda: [filled.warm(MANY_KEYS), filled.warm(FEW_KEYS)],
                is_rare=not filled.is_made(MANY_KEYS),
            )
        yield Line(
            [Outcome("start, index of 1,000,000 objects ÷ empty index", "rate", "s", 3, most=True)],
            [],
            lambda: filled.start(1_000_000, self.loads.seconds),
            [lambda: filled.start(0, self.loads.seconds)],
            prepare=lambda: [filled.made(1_000_000), filled.made(0)],
        )

    def stripes(self):
        """The erasure code as a PUT and a GET use it, and ISA-L's functions alone on as many bytes."""
        works = {
            "encode": "encode {}: parity in a PUT's stripe ÷ ISA-L alone",
            "decode": "decode {}: as many cells as parity ÷ ISA-L alone",
            "seal": "encode {}: parity, CRC-64, roots ÷ ISA-L's two functions",
        }
        for work, name in works.items():
            for data, parity in [(4, 2), (8, 4), (12, 4)]:
                shape = [work, "--data", data, "--parity", parity]
                yield Line(
                    [Outcome(name.format(f"{data}+{parity}"), "rate", "MiB/s", 0.9)],
                    [],
                    lambda shape=shape: self.loads.part("erasure", *shape),
                    [lambda shape=shape: self.loads.part("isal", *shape)],
                )


class Seeds:
    """Makes what is read of a side."""

    def __init__(self, loads, pages):
        self.loads, self.pages = loads, pages
        self.small, self.large = os.urandom(4 * KIB), os.urandom(LARGE)

    def __call__(self, name, side):
        if name == "degraded" or name.startswith("filled"):
            return
        side.request("PUT", "large", self.large)
        if name not in ["tidegate", "nginx", *PEERS]:
            return
        targets = [side.target("PUT", f"small/{number:04}") for number in range(SMALL_OBJECTS)]
        path = self.loads.requests(side, "seed-small", "PUT", targets, self.small)
        self.loads.each(side, path, SMALL_OBJECTS)
        if name == "nginx" or not self.pages:
            return
        numbers = range(LISTED_OBJECTS)
        targets = [side.target("PUT", f"listed/{number // GROUP:04}/{number:06}") for number in numbers]
        path = self.loads.requests(side, "seed-listed", "PUT", targets, b"x")
        self.loads.each(side, path, LISTED_OBJECTS, 64)
