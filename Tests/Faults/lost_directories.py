#!/usr/bin/env python3
"""Directories lost under load, returned and repaired; too many lost; bits flipped.

1. Two of the six directories are deleted under load: every GET stays right and writes go on.
2. They return, empty: the repairer restores every shard, and a full scrub says so.
3. Three are gone: what cannot be served is refused with 503, nothing is answered wrong, and all is there when they
   return.
4. Bits are flipped in files of the stores: every GET stays right, a scrub finds and repairs them.

Exit code 0: all of it held. 1: some of it did not (it is named).
"""

import pathlib
import random
import shutil
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from Faults import script  # noqa: E402
from Harness import gateway, raw, venv  # noqa: E402

OPERATIONS = ["put"] * 4 + ["get"] * 4 + ["copy", "delete", "list", "multipart", "tag"]


def arguments(given=None):
    parser = script.options(__doc__, seconds=(10, "load in each phase"))
    parser.add_argument(
        "--flips", type=int, default=60, help="how many files get a flipped bit, one after another (60)"
    )
    parser.add_argument(
        "--repair-deadline", type=float, default=120, help="seconds until every shard must be back (120)"
    )
    return parser.parse_args(given)


class Run:
    def __init__(self, options, folder, say=print):
        from Faults import ledger

        self.options, self.say = options, say
        self.chance = random.Random(options.seed)
        self.ledger = ledger.Ledger()
        self.gateway = gateway.Gateway(folder)
        self.phase = 0

    def whole(self):
        from Faults import load

        self.say(f"seed {self.options.seed}")
        self.gateway.start()
        try:
            client = raw.Raw(self.gateway.access)
            assert client("PUT", f"/{load.PLAIN}").status == 200
            client.close()
            self.under_load("before any loss", lambda: None)
            self.lose_two()
            self.return_two()
            self.lose_three()
            self.flip_bits()
            self.gateway.stop()
            self.gateway.tool("audit", "verify", self.gateway.data / "audit")
        finally:
            self.gateway.kill()

    def under_load(self, name, act):
        """Runs workers, acts in the middle, and stops them; no request may be refused or answered wrong."""
        from Faults import load

        self.phase += 1
        stopping = threading.Event()
        workers = [
            load.Worker(
                n, self.gateway.access, self.ledger, f"{self.options.seed}/{self.phase}", stopping, OPERATIONS
            )
            for n in range(self.options.workers)
        ]
        for worker in workers:
            worker.start()
        time.sleep(self.options.seconds / 2)
        act()
        time.sleep(self.options.seconds / 2)
        stopping.set()
        for worker in workers:
            worker.join(60)
            if worker.error:
                raise worker.error
        if self.ledger.refused or self.ledger.unanswered:
            raise RuntimeError(
                f"{name}: {len(self.ledger.refused)} requests answered 5xx, {self.ledger.unanswered} unanswered; "
                f"the first: {self.ledger.refused[:1]}"
            )
        self.say(f"{name}: {sum(self.ledger.counts.values())} acknowledged so far, {self.check()} compared")

    def check(self):
        from Faults.check import Checker

        return Checker(self.gateway.access, self.ledger, OPERATIONS).everything()

    def lose_two(self):
        self.lost = self.chance.sample(self.gateway.stores(), 2)

        def act():
            for folder in self.lost:
                while folder.exists():
                    # The gateway may be writing there at this moment, so that a directory is not empty when it is to
                    # go.
                    shutil.rmtree(folder, ignore_errors=True)

        self.under_load(f"{' and '.join(folder.name for folder in self.lost)} deleted", act)

    def return_two(self):
        for folder in self.lost:
            folder.mkdir(exist_ok=True)
        start = time.monotonic()
        while True:
            scrub = self.scrub()
            if scrub.returncode == 0:
                break
            if time.monotonic() - start > self.options.repair_deadline:
                raise RuntimeError(
                    f"not repaired after {self.options.repair_deadline} s:\n{scrub.stdout}\n{scrub.stderr}"
                )
            self.gateway.start()
            time.sleep(1)
            self.gateway.stop()
        self.gateway.start()
        counts = {folder.name: len(shards(folder)) for folder in self.gateway.stores()}
        self.say(f"repaired after {time.monotonic() - start:.1f} s; files by store: {counts}")
        # The proof that the new shards are good: what was never lost is taken away.
        others = [folder for folder in self.gateway.stores() if folder not in self.lost]
        away = self.chance.sample(others, 2)
        self.take_away(away)
        self.say(f"{' and '.join(folder.name for folder in away)} taken away instead: {self.check()} compared")
        self.bring_back(away)

    def scrub(self):
        """A full scrub beside the stopped gateway, which is then left stopped."""
        self.gateway.stop()
        return self.gateway.tool("scrub", "--data", self.gateway.data, check=False, timeout=1800)

    def take_away(self, folders):
        for folder in folders:
            folder.rename(folder.with_name(folder.name + "-away"))
        self.wait_for_stores(gateway.STORES - len(folders))

    def wait_for_stores(self, count, deadline=30):
        """A directory that was renamed can still be written by whoever has it open: the gateway has to notice."""
        end = time.monotonic() + deadline
        while self.gateway.metrics()["tidegate_stores_attached"] != count:
            if time.monotonic() > end:
                raise RuntimeError(f"the gateway did not see {count} stores within {deadline} s")
            time.sleep(0.05)

    def bring_back(self, folders):
        for folder in folders:
            if folder.exists():
                # What the gateway laid anew in the meantime.
                shutil.rmtree(folder)
            folder.with_name(folder.name + "-away").rename(folder)
        self.wait_for_stores(gateway.STORES)

    def lose_three(self):
        from Faults import load

        away = self.chance.sample(self.gateway.stores(), 3)
        self.take_away(away)
        client = raw.Raw(self.gateway.access)
        refused = right = 0
        for name, known in sorted(self.ledger.keys.items()):
            answer = client("GET", f"/{load.PLAIN}/{raw.quote(name)}")
            if answer.status == 503:
                refused += 1
            elif answer.status == 200 and known.state.etag and answer.etag == known.state.etag:
                if load.hashlib.sha256(answer.body).hexdigest() != known.state.digest:
                    raise RuntimeError(f"{name} was answered wrong with three stores gone")
                right += 1
            elif not (answer.status == 404 and not known.state.etag):
                raise RuntimeError(f"{name} with three stores gone: {answer}")
        write = client("PUT", f"/{load.PLAIN}/too-few", {}, b"x" * 100_000)
        if write.status != 503 or write.code not in ("ServiceUnavailable", "SlowDown"):
            raise RuntimeError(f"a PUT with three stores gone: {write}")
        if client("GET", f"/{load.PLAIN}/too-few").status != 404:
            raise RuntimeError("a refused PUT is visible")
        client.close()
        self.bring_back(away)
        self.say(f"three gone: {refused} GETs refused with 503, {right} served right, a PUT refused")
        deadline = time.monotonic() + 30
        while raw.Raw(self.gateway.access)("PUT", f"/{load.PLAIN}/w0/{raw.quote('again')}", {}, b"x").status != 200:
            if time.monotonic() > deadline:
                raise RuntimeError("writes did not come back with the stores")
            time.sleep(0.2)
        raw.Raw(self.gateway.access)("DELETE", f"/{load.PLAIN}/w0/{raw.quote('again')}")
        self.under_load("after their return", lambda: None)

    def flip_bits(self):
        found = 0
        scrub = self.scrub()
        if scrub.returncode != 0:
            raise RuntimeError(f"not clean before the flips:\n{scrub.stdout}\n{scrub.stderr}")
        for start in range(0, self.options.flips, 2):
            # Shards that repairs replaced while stores were away are nobody's any more, so that no scrub reads them.
            self.gateway.tool("collect", "--data", self.gateway.data)
            # Two files at a time may damage the same stripe: as many as 4+2 bears.
            damaged = [self.flip() for _ in range(min(2, self.options.flips - start))]
            self.gateway.start()
            self.check()
            scrub = self.scrub()
            again = self.scrub() if scrub.returncode != 0 else scrub
            if again.returncode != 0:
                places = [f"{path} at {position}" for path, _, position in damaged]
                raise RuntimeError(
                    f"flips in {places} were not repaired:\n{scrub.stdout}{scrub.stderr}\n{again.stdout}{again.stderr}"
                )
            # What a repair replaced goes once nothing can want it any more.
            self.gateway.tool("collect", "--data", self.gateway.data)
            for path, content, _ in damaged:
                # In a segment a repaired blob may lie elsewhere, and the damage in bytes that nobody reads any more.
                if path.parent.name != "segments" and path.exists() and path.read_bytes() == content:
                    raise RuntimeError(f"the damage in {path} still stands, and the scrub says clean")
            found += len(damaged)
        self.say(f"{found} flipped bits decoded around, found and repaired")
        self.gateway.start()
        self.check()

    def flip(self):
        path = self.chance.choice([path for folder in self.gateway.stores() for path in shards(folder)])
        while path.parent.name != "segments" and not path.name.startswith("00"):
            # A copy of the index's journal is no shard: recovery checks it and takes another one.
            path = self.chance.choice([path for folder in self.gateway.stores() for path in shards(folder)])
        content = bytearray(path.read_bytes())
        position = self.chance.randrange(len(content))
        content[position] ^= 1 << self.chance.randrange(8)
        path.write_bytes(content)
        return path, bytes(content), position


def shards(folder):
    """The files of a store that hold shards: of large blobs one by one, of small ones many to a segment."""
    return sorted(p for kind in ["files", "segments"] for p in (folder / kind).rglob("*") if p.is_file())


def main(given=None):
    return script.outcome(arguments(given), Run, lambda run: "every law held")


if __name__ == "__main__":
    venv.enter(__file__)
    sys.exit(main())
