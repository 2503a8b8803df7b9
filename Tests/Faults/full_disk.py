#!/usr/bin/env python3
"""Disks that run full under load: all of them, those of the stores, one store's, and those of index and audit log.

Each is a small tmpfs, which a file fills while workers put, copy, tag, delete, list and upload. Writes may then be
refused with 503, and with nothing else; reads are served, what was acknowledged is there, and what was refused may or
may not have happened but never half. With one store full alone nothing is refused at all. Then room is made, and writes
must come back without a restart. Before or after that the gateway is killed: started on a full disk it serves, is not
ready, or says that the disk is full. At the end the audit log verifies and a scrub finds nothing.

Exit code 0: all of it held. 1: some of it did not (it is named).
"""

import collections
import functools
import pathlib
import random
import re
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from Faults import script  # noqa: E402
from Harness import gateway, raw, venv  # noqa: E402

OPERATIONS = ["put"] * 8 + ["get"] * 4 + ["copy", "delete", "list", "list", "multipart", "tag", "race"]
MIB = 1 << 20
# The size of the small disk, and what is left of it for the load.
DISKS = {"everything": (280, 3 * MIB), "stores": (240, 3 * MIB), "one store": (40, MIB), "index": (60, MIB // 2)}


def arguments(given=None):
    parser = script.options(__doc__, seconds=(6, "load where nothing is refused"))
    parser.add_argument("--disks", nargs="+", choices=DISKS, default=list(DISKS), help="which are to be small (all)")
    parser.add_argument("--refusals", type=int, default=20, help="how many before room is made (20)")
    return parser.parse_args(given)


class Run:
    def __init__(self, disk, options, folder, say):
        from Faults import ledger

        self.disk, self.options, self.folder, self.say = disk, options, pathlib.Path(folder), say
        self.small = self.folder / "small"
        self.ledger = ledger.Ledger()
        self.chance = random.Random(f"{options.seed}/{disk}")
        self.refused, self.phase = collections.Counter(), 0
        self.gateway = gateway.Gateway(self.folder, data=self.data(), config={"pool": {"directories": self.stores()}})

    def data(self):
        return self.small if self.disk in ("everything", "index") else self.folder / "data"

    def stores(self):
        stores = [self.folder / "stores" / f"store-{number}" for number in range(gateway.STORES)]
        if self.disk in ("everything", "stores"):
            stores = [self.small / store.name for store in stores]
        elif self.disk == "one store":
            stores[self.chance.randrange(len(stores))] = self.small / "store"
        for store in stores:
            store.parent.mkdir(parents=True, exist_ok=True)
        return [str(store) for store in stores]

    def whole(self):
        from Faults import load, tmpfs

        mib, leave = DISKS[self.disk]
        with tmpfs.mounted(self.small, mib):
            # What __init__ made there is hidden below the mount.
            self.stores()
            try:
                self.gateway.start()
                with_client(self.gateway, lambda client: expect(client("PUT", f"/{load.PLAIN}"), 200))
                self.load(lambda workers: self.acknowledged(workers, 40))
                filler = tmpfs.fill(self.small, leave)
                self.load(self.until_refused)
                self.settle("with the disk full")
                if self.chance.random() < 0.5:
                    self.restart_full()
                filler.unlink()
                self.write_again()
                self.load(lambda workers: self.acknowledged(workers, 40))
                self.settle("with room again")
                self.gateway.kill()
                self.gateway.start()
                self.settle("after a kill")
                self.finish()
            finally:
                self.gateway.kill()

    def load(self, until):
        from Faults import load

        self.phase += 1
        stopping = threading.Event()
        seed = f"{self.options.seed}/{self.disk}/{self.phase}"
        workers = [
            load.Worker(number, self.gateway.access, self.ledger, seed, stopping, OPERATIONS)
            for number in range(self.options.workers)
        ]
        for worker in workers:
            worker.start()
        until(workers)
        stopping.set()
        for worker in workers:
            worker.join(120)
            if worker.error:
                raise worker.error
        if self.ledger.unanswered:
            raise RuntimeError(f"{self.ledger.unanswered} requests were not answered")
        self.refusals()

    def wait(self, holds, workers, what, deadline=120):
        end = time.monotonic() + deadline
        while not holds():
            if time.monotonic() > end:
                raise RuntimeError(f"{what} did not come within {deadline} s")
            if any(worker.error for worker in workers) or self.gateway.process.poll() is not None:
                return
            time.sleep(0.02)

    def acknowledged(self, workers, count):
        before = sum(self.ledger.counts.values())
        self.wait(lambda: sum(self.ledger.counts.values()) - before >= count, workers, f"{count} acknowledged")

    def until_refused(self, workers):
        if self.disk == "one store":
            end = time.monotonic() + self.options.seconds
            self.wait(lambda: time.monotonic() > end, workers, "the end")
        else:
            self.wait(lambda: len(self.ledger.refused) >= self.options.refusals, workers, "refusals")

    def refusals(self):
        """Takes what was refused; it must have been so in the words that the product documents."""
        for text in self.ledger.refused:
            status = re.search(r": <(\d+) ", text).group(1)
            if status != "503" or not re.search("<Code>(ServiceUnavailable|SlowDown)</Code>", text):
                raise RuntimeError(f"refused in other words than 503: {text}")
            self.refused[text.split()[0]] += 1
        if self.ledger.refused and self.disk == "one store":
            raise RuntimeError(f"refused although five stores have room: {self.ledger.refused[0]}")
        self.ledger.refused.clear()

    def settle(self, when):
        from Faults.check import Checker

        compared = Checker(self.gateway.access, self.ledger, OPERATIONS).everything()
        self.say(f"{self.disk}, {when}: {compared} compared, refused so far: {dict(self.refused)}")

    def restart_full(self):
        """It serves, or is not ready, or does not start for want of space; whatever it does, it says so."""
        self.gateway.kill()
        before = self.gateway.log.stat().st_size
        try:
            self.gateway.start(deadline=5)
        except RuntimeError as error:
            said = self.gateway.log.read_bytes()[before:].decode(errors="replace").strip()
            if not any(text in said for text in ("No space left", "full", "serving S3")):
                raise RuntimeError(f"a start on a full disk did not say what was wrong: {error}") from error
            self.say(f"{self.disk}: not ready on the full disk: {said.splitlines()[-1]}")
        else:
            self.settle("started on the full disk")

    def write_again(self):
        """Once there is room writes come back, with no restart but where the start was refused."""
        if self.gateway.process is None or self.gateway.process.poll() is not None:
            self.gateway.start()
        began = time.monotonic()

        def again(client):
            while True:
                answer = client("PUT", "/plain-bucket/again", {}, b"x" * 100_000)
                if answer.status == 200:
                    return
                expect(answer, 503)
                if time.monotonic() - began > 60:
                    raise RuntimeError(f"writes did not come back within 60 s of room: {answer}")
                time.sleep(0.05)

        with_client(self.gateway, again)
        self.say(f"{self.disk}: writes came back {time.monotonic() - began:.2f} s after there was room")
        with_client(self.gateway, lambda client: expect(client("DELETE", "/plain-bucket/again"), 204))

    def finish(self):
        self.gateway.stop()
        self.gateway.tool("audit", "verify", self.gateway.data / "audit")
        where = ["--config", self.gateway.config, "--data", self.gateway.data]
        for _ in range(2):
            scrub = self.gateway.tool("scrub", *where, check=False)
        # The small disk may be full again, of the load itself: what found no room there lies elsewhere, and is sound.
        clean = " 0 damaged, [0-9]+ beside a sibling, 0 unreachable, 0 unreadable"
        if scrub.returncode != 0 and not (self.disk == "one store" and re.search(clean, scrub.stdout)):
            raise RuntimeError(f"the second scrub still finds damage:\n{scrub.stdout}{scrub.stderr}")


def expect(answer, status):
    if answer.status != status:
        raise RuntimeError(f"expected {status}: {answer}")


def with_client(running, act):
    client = raw.Raw(running.access)
    try:
        act(client)
    finally:
        client.close()


def main(given=None):
    options = arguments(given)
    folder, start = options.folder, time.monotonic()
    for disk in options.disks:
        options.folder = folder and folder / disk.replace(" ", "-")
        if code := script.outcome(options, functools.partial(Run, disk), lambda run: None):
            return code
    script.say(f"every law held in {time.monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    venv.enter(__file__)
    sys.exit(main())
