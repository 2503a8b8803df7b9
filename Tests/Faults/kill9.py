#!/usr/bin/env python3
"""kill -9 under mixed concurrent load, again and again, observed from outside.

In each round workers put, copy, tag, delete, list, race, upload in parts and version for a while; then the gateway is
killed, started again, and everything that it holds is compared with what it had acknowledged: acknowledged objects
exact, unanswered requests done or not done but never half, listings whole. After the last round every acknowledged
mutation must stand in the audit log under its request id, the log must verify, a scrub must find nothing wrong and a
collection must leave no orphan; then the index is deleted, recovered from the stores, and everything is compared again.
At the end the gateway is killed while objects are put, and its index deleted: no acknowledged object may be missing
then, although the journal of the index lags behind.

Exit code 0: every law held. 1: one was broken (it is named).
"""

import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from Faults import audited, script  # noqa: E402
from Harness import gateway, raw, venv  # noqa: E402


def arguments(given=None):
    parser = script.options(
        __doc__, (100, "how many times to kill"), ([0.3, 2.5], "load before a kill, least and most")
    )
    parser.add_argument("--operations", help="only these operations, separated by commas")
    parser.add_argument("--no-kill", action="store_true", help="check without killing, to try this test itself")
    parser.add_argument("--no-index-loss", action="store_true", help="leave the index where it is at the end")
    parser.add_argument("--tails", type=int, default=5, help="how many times to kill and to delete the index (5)")
    return parser.parse_args(given)


class Run:
    def __init__(self, options, folder, say=print):
        from Faults import ledger, load

        self.options, self.say = options, say
        self.operations = [o for o in load.ALL if not options.operations or o in options.operations.split(",")]
        self.ledger = ledger.Ledger()
        # Small segments of the log: several of them in a run, and less of them to read at each of its many starts.
        self.gateway = gateway.Gateway(folder, settings=["audit.segment-size=1MiB"])
        self.chance = random.Random(options.seed)
        self.compared = 0
        self.kills = 0

    def whole(self):
        from Faults import load

        self.say(f"seed {self.options.seed}")
        self.gateway.start()
        try:
            client = raw.Raw(self.gateway.access)
            for bucket in [load.PLAIN, load.VERSIONED]:
                self.expect(client("PUT", f"/{bucket}"), 200)
            if "put_version" in self.operations:
                body = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
                self.expect(client("PUT", f"/{load.VERSIONED}?versioning", {}, body), 200)
            client.close()
            for number in range(self.options.rounds):
                self.round(number)
            self.finish()
        finally:
            self.gateway.kill()

    def expect(self, answer, status):
        if answer.status != status:
            raise RuntimeError(f"expected {status}: {answer}")

    def round(self, number):
        self.load(number, self.operations, self.options.no_kill)
        start = time.monotonic()
        if not self.options.no_kill:
            self.gateway.start()
        started = time.monotonic() - start
        compared = self.check()
        total = sum(self.ledger.counts.values())
        self.say(
            f"round {number + 1}: {total} acknowledged so far, {self.ledger.unanswered} unanswered, "
            f"ready after {started:.2f} s, "
            f"{compared} compared"
        )

    def load(self, number, operations, no_kill=False):
        """Loads the gateway for a while, and kills it."""
        from Faults import load

        stopping = threading.Event()
        seed = f"{self.options.seed}/{number}"
        workers = [
            load.Worker(n, self.gateway.access, self.ledger, seed, stopping, operations)
            for n in range(self.options.workers)
        ]
        for worker in workers:
            worker.start()
        time.sleep(self.chance.uniform(*self.options.seconds))
        if not no_kill:
            self.gateway.kill()
            self.kills += 1
        stopping.set()
        for worker in workers:
            worker.join(60)
            if worker.error:
                raise worker.error

    def check(self):
        from Faults.check import Checker

        compared = Checker(self.gateway.access, self.ledger, self.operations).everything()
        self.compared += compared
        return compared

    def finish(self):
        """The laws that are looked at from beside the gateway."""
        if self.ledger.refused:
            raise RuntimeError(
                f"{len(self.ledger.refused)} requests were answered 5xx; the first: {self.ledger.refused[0]}"
            )
        if gateway.STAND_IN:
            return
        self.gateway.stop()
        self.audit(verifies=True)
        self.scrub()
        self.collect()
        if not self.options.no_index_loss:
            self.lose_index()
            for number in range(self.options.tails):
                self.lose_tail(number)
            self.gateway.tool("audit", "verify", self.gateway.data / "audit")

    def audit(self, verifies=False):
        folder = self.gateway.data / "audit"
        audited.check(folder, self.ledger.request_ids)
        # The gateway's own verifier takes minutes for a long log in a debug build.
        if verifies:
            self.gateway.tool("audit", "verify", folder)
        self.say(f"audit: {len(self.ledger.request_ids)} acknowledged mutations are in the log, which verifies")

    def scrub(self):
        output = self.gateway.tool("scrub", "--data", self.gateway.data)
        self.say(f"scrub: {output.stdout.strip().splitlines()[-1] if output.stdout.strip() else 'nothing to say'}")

    def collect(self):
        output = self.gateway.tool("collect", "--data", self.gateway.data)
        self.say(f"collect: {output.stdout.strip().splitlines()[-1]}")

    def lose_index(self):
        self.recover()
        self.gateway.start()
        compared = self.check()
        self.gateway.stop()
        self.audit()
        self.say(f"after the recovery of the index: {compared} compared")

    def lose_tail(self, number):
        """What the footers of shards tell is not lost with the journal's tail: objects that were put."""
        before = self.ledger.counts.get("put", 0)
        self.gateway.start()
        self.load(f"tail {number}", ["put", "put", "put", "get", "list"])
        self.recover()
        self.gateway.start()
        compared = self.check()
        self.gateway.stop()
        audited.check(self.gateway.data / "audit", [])
        put = self.ledger.counts.get("put", 0) - before
        self.say(f"tail {number + 1}: {put} put before the kill and the loss of the index, {compared} compared")

    def recover(self):
        index = [path for path in self.gateway.data.glob("index*")]
        if not index:
            raise RuntimeError(f"no index found in {self.gateway.data}: {sorted(self.gateway.data.iterdir())}")
        for path in index:
            for each in [path] if path.is_file() else path.rglob("*"):
                if each.is_file():
                    each.unlink()
        output = self.gateway.tool("recover", "--data", self.gateway.data)
        for line in output.stdout.strip().splitlines():
            self.say(f"recover: {line}")


def main(given=None):
    def summary(run):
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(run.ledger.counts.items()))
        return (
            f"{run.kills} kills, {run.compared} comparisons, acknowledged: {counts}; unanswered: "
            f"{run.ledger.unanswered}; no law broken"
        )

    return script.outcome(arguments(given), Run, summary)


if __name__ == "__main__":
    venv.enter(__file__)
    sys.exit(main())
