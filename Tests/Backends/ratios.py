#!/usr/bin/env python3
"""What a pool of 4+2 over servers of several makers takes, against direct use of these by the same client.

A PUT of 64 MiB against writing its six shards to the same stores at once; a GET against reading four shards so; a GET
of 1 MiB against one from the slowest store; the erasure code against ISA-L alone. In each round the sides come one
right after the other, the first of them in turn; a ratio is the median of those of the rounds. The results go to
.build/bench/TIME.json, as those of Tests/Benchmarks/bench do. `workbench` has to be built, in release.

Exit code 0: every goal was met. 1: some were missed.
"""

import argparse
import contextlib
import itertools
import os
import pathlib
import socket
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from Harness import gateway, venv  # noqa: E402

MIB = 1 << 20
WHOLE, SMALL = 64 * MIB, MIB
DATA, SHARDS = 4, 6
# A cell of 128 KiB has a checksum of 8 bytes behind it.
SHARD = WHOLE // DATA + WHOLE // DATA // (128 << 10) * 8
OBJECTS = 12
GOAL = 1.15


def arguments(given=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="alternating rounds (9)")
    parser.add_argument("--requests", type=int, default=200, help="GETs of 1 MiB of a side in a round (200)")
    parser.add_argument("--only", action="append", default=[], help="only the lines whose names hold this")
    parser.add_argument("--directories", action="store_true", help="a pool of six directories alone")
    return parser.parse_args(given)


class Server:
    """An S3 server, asked over one kept connection."""

    # Seconds after which a kept connection may have been closed.
    IDLE = 5

    def __init__(self, side):
        self.side, self.connection, self.used = side, None, 0.0

    def connect(self):
        if time.monotonic() - self.used > self.IDLE and self.connection is not None:
            self.answers.close()
            self.connection.close()
            self.connection = None
        self.used = time.monotonic()
        if self.connection is None:
            self.connection = socket.create_connection(("127.0.0.1", self.side.port), timeout=120)
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.answers = self.connection.makefile("rb", buffering=0)
        return self.connection

    def put(self, key, body):
        import loads

        loads.put(self.connect(), self.answers, self.side, self.side.target("PUT", key), body)

    def get(self, key, length, room):
        target = self.side.target("GET", key)
        head = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{self.side.port}\r\n\r\n"
        self.connect().sendall(head.encode())
        # The head comes in the first piece or pieces; what follows it is the body's.
        got = self.connection.recv_into(room)
        while (end := bytes(room[:got]).find(b"\r\n\r\n")) < 0:
            got += self.connection.recv_into(room[got:])
        if not bytes(room[:13]).startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{self.side.name}: {bytes(room[:300])}")
        left = length - (got - end - 4)
        while left > 0:
            count = self.connection.recv_into(room, min(left, len(room)))
            if not count:
                raise RuntimeError(f"{self.side.name} ended in the middle of {key}")
            left -= count


class Directory:
    """A directory, in which a file is synced before it counts."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True)

    def put(self, key, body):
        path = self.folder / key.replace("/", "-")
        new = path.with_suffix(".new")
        with open(new, "wb", buffering=0) as file:
            for start in range(0, len(body), MIB):
                file.write(body[start : start + MIB])
            os.fdatasync(file.fileno())
        new.rename(path)
        descriptor = os.open(self.folder, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)

    def get(self, key, length, room):
        with open(self.folder / key.replace("/", "-"), "rb", buffering=0) as file:
            while file.readinto(room):
                pass


def at_once(works):
    """Does all of these, each in a thread, and raises the first error."""
    errors = []

    def run(work):
        try:
            work()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def milliseconds(work):
    began = time.monotonic()
    work()
    return (time.monotonic() - began) * 1000


class Measured:
    """The sides, and the lines over them."""

    def __init__(self, cluster, options):
        import sides

        self.cluster, self.options = cluster, options
        process = cluster.gateway.process.pid
        side = sides.Side("tidegate", cluster.gateway.port, cluster.folder / "side", lambda: [process])
        sides.wait_until_served(side)
        self.side, self.gateway = side, Server(side)
        backends = [Server(each.side) for each in cluster.backends]
        count = SHARDS - len(backends)
        self.stores = backends + [Directory(cluster.folder / f"direct-{n}") for n in range(count)]
        # Any four of the six, as the placement of objects has it.
        self.choices = itertools.cycle(itertools.combinations(range(SHARDS), DATA))
        self.numbers = itertools.count()
        self.rooms = [memoryview(bytearray(MIB)) for _ in range(SHARDS)]
        self.whole = memoryview(os.urandom(MIB) * (WHOLE // MIB))
        self.shard = memoryview(os.urandom(SHARD))
        self.small = memoryview(os.urandom(SMALL))

    def seed(self):
        for number in range(OBJECTS):
            self.gateway.put(f"whole/{number}", self.whole)
            self.gateway.put(f"small/{number}", self.small)
        for store in self.stores:
            store.put("direct/shard", self.shard)
            store.put("direct/small", self.small)

    # What is measured.

    def put(self):
        return {"rate": milliseconds(lambda: self.gateway.put(f"put/{next(self.numbers) % OBJECTS}", self.whole))}

    def put_shards(self):
        number = next(self.numbers) % OBJECTS
        works = [lambda store=store: store.put(f"direct/put-{number}", self.shard) for store in self.stores]
        return {"rate": milliseconds(lambda: at_once(works))}

    def get(self):
        number = next(self.numbers) % OBJECTS
        return {"rate": milliseconds(lambda: self.gateway.get(f"whole/{number}", WHOLE, self.rooms[0]))}

    def get_shards(self):
        works = [
            lambda index=index: self.stores[index].get("direct/shard", SHARD, self.rooms[index])
            for index in next(self.choices)
        ]
        return {"rate": milliseconds(lambda: at_once(works))}

    def small_gets(self, store, key, share):
        """Milliseconds that a share of GETs of 1 MiB take at most."""
        taken = [
            milliseconds(lambda number=number: store.get(key(number), SMALL, self.rooms[0]))
            for number in range(self.options.requests)
        ]
        return {"rate": sorted(taken)[min(len(taken) - 1, int(len(taken) * share))]}

    def lines(self):
        from lines import Line, Outcome

        def most(name, goal=GOAL, unit="ms"):
            return [Outcome(name, "rate", unit, goal, most=True)]

        name = "PUT of 64 MiB through 4+2 ÷ its six shards directly"
        yield Line(most(name), [], self.put, [self.put_shards])
        yield Line(most("GET of 64 MiB through 4+2 ÷ four shards directly"), [], self.get, [self.get_shards])
        for share in [0.5, 0.99]:

            def ours(share=share):
                return self.small_gets(self.gateway, lambda number: f"small/{number % OBJECTS}", share)

            def direct(store, share=share):
                return self.small_gets(store, lambda _: "direct/small", share)

            name = f"GET of 1 MiB, p{share * 100:.0f} ÷ slowest store directly"
            references = [lambda store=store, direct=direct: direct(store) for store in self.stores]
            yield Line(most(name, goal=1, unit="ms"), [], ours, references)

    def code(self, folder):
        """The erasure code beside ISA-L, as Tests/Benchmarks/lines.py has it."""
        import lines
        import loads

        stripes = lines.Measured({}, loads.Loads(2, folder)).stripes()
        return [line for line in stripes if "4+2" in line.outcomes[0].name]

    # What has no reference.

    def cost(self, what, work, count=8):
        """Seconds of the gateway's processor a GiB."""
        before = self.side.cpu()
        for _ in range(count):
            work()
        print(f"{what}: {(self.side.cpu() - before) / (count * WHOLE / (1 << 30)):.2f} s of the processor a GiB")

    def memory(self, what, work, streams=9):
        """MiB of the resident set that a stream beside others adds."""
        peaks = []
        for count in (1, streams):
            self.cluster.gateway.forget_memory_peak()
            at_once([lambda number=number: work(Server(self.side), number) for number in range(count)])
            peaks.append(self.cluster.gateway.memory_peak() / MIB)
        each = (peaks[1] - peaks[0]) / (streams - 1)
        print(f"{what}: {peaks[0]:.0f} MiB with one stream, {peaks[1]:.0f} with {streams}: {each:.1f} each")

    def costs(self):
        self.cost("PUT of 64 MiB", self.put)
        self.cost("GET of 64 MiB", self.get)
        self.memory("PUT of 64 MiB", lambda server, number: server.put(f"put/{number}", self.whole))
        room = [memoryview(bytearray(MIB)) for _ in range(OBJECTS)]
        self.memory(
            "GET of 64 MiB", lambda server, number: server.get(f"whole/{number % OBJECTS}", WHOLE, room[number])
        )


def main(given=None):
    os.environ.setdefault("TIDEGATE_CONFIGURATION", "release")
    from Backends.cluster import MIX, Cluster

    import rounds

    options = arguments(given)
    out = gateway.ROOT / ".build/bench"
    out.mkdir(parents=True, exist_ok=True)
    results = []
    with tempfile.TemporaryDirectory(dir=out, prefix="run-") as folder, contextlib.ExitStack() as stack:
        kinds, directories = ((), 6) if options.directories else (MIX, 2)
        cluster = Cluster(folder, stack, kinds=kinds, directories=directories)
        cluster.attach_all()
        cluster.gateway.start()
        measured = Measured(cluster, options)
        measured.seed()
        for line in [*measured.lines(), *measured.code(folder)]:
            if options.only and not any(only in line.outcomes[0].name for only in options.only):
                continue
            told = rounds.measure(line, options.rounds)
            results += [rounds.judge(outcome, told) for outcome in line.outcomes]
        measured.costs()
        code = rounds.store(results, out)
        told = [f"{each['name']} {each['ratio']:.2f} {'met' if each['met'] else 'missed'}" for each in results]
        print("; ".join(told))
        cluster.stop()
    return code


if __name__ == "__main__":
    venv.enter(__file__)
    sys.exit(main())
