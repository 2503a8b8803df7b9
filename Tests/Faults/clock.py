#!/usr/bin/env python3
"""The wall clock set back and forth: between two runs, and during one, under load.

The gateway runs with a library (set_clock.c) that reads the offset of its wall clock from a file. In each round the
offset is changed while workers put, copy, tag, delete, list, upload and version; then the gateway is killed, the offset
is changed again, and all that it holds is compared with what it had acknowledged: versions in the order of their
writes, the latest write of each key, nothing more. Offsets stay within the quarter of an hour that signatures may be
old, but for those of a start after a year forth and back, in which nothing is asked. At the end every acknowledged
mutation stands in the audit log, the log verifies, a scrub finds nothing, and a collection leaves nothing.

Debian's libfaketime is not used. It moves the process's environment before Swift's runtime looks for the arguments,
which lie before it, and then finds none; and under its waits the gateway does not stop in time.

Exit code 0: every law held. 1: one was broken (it is named).
"""

import email.utils
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from Faults import kill9, script  # noqa: E402
from Harness import preload, raw, venv  # noqa: E402


def arguments(given=None):
    parser = script.options(
        __doc__, (20, "how many times to set the clock and kill"), ([0.5, 2], "load between changes")
    )
    parser.set_defaults(operations=None, no_kill=False, no_index_loss=True, tails=0)
    return parser.parse_args(given)


class Run(kill9.Run):
    """The rounds of `kill9`, with the clock set meanwhile."""

    def __init__(self, options, folder, say=print):
        super().__init__(options, folder, say)
        self.time = pathlib.Path(folder) / "time"
        self.set(0)
        self.gateway.environment = {
            "LD_PRELOAD": preload.library("Faults/set_clock.c", folder),
            "SET_CLOCK_FILE": str(self.time),
        }

    def set(self, seconds):
        # The file is read again with every look at the clock, so it must never be half-written.
        new = self.time.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        new.replace(self.time)

    def load(self, number, operations, no_kill=False):
        """The clock is set forth and then back under load, and anew before the next start."""
        from Faults import load

        forth, back = self.chance.randrange(60, 800), -self.chance.randrange(60, 800)
        self.set(forth)
        stopping = load.threading.Event()
        seed = f"{self.options.seed}/{number}"
        workers = [
            load.Worker(n, self.gateway.access, self.ledger, seed, stopping, operations)
            for n in range(self.options.workers)
        ]
        for worker in workers:
            worker.start()
        time.sleep(self.chance.uniform(*self.options.seconds))
        self.set(back)
        time.sleep(self.chance.uniform(*self.options.seconds))
        self.prove_set(back)
        self.gateway.kill()
        self.kills += 1
        stopping.set()
        for worker in workers:
            worker.join(60)
            if worker.error:
                raise worker.error
        if self.chance.random() < 0.3:
            for days in (400, -400):
                self.set(days * 86400)
                self.gateway.start()
                self.gateway.kill()
        self.set(self.chance.randrange(-800, 800))

    def prove_set(self, offset):
        """The gateway's own clock is where it was set to."""
        from Faults import load

        client = raw.Raw(self.gateway.access)
        date = client("GET", f"/{load.PLAIN}?max-keys=1").headers["date"]
        client.close()
        differs = email.utils.parsedate_to_datetime(date).timestamp() - time.time()
        if abs(differs - offset) > 5:
            raise RuntimeError(f"the clock was set by {offset} s, and the gateway's differs by {differs:.0f} s")


def main(given=None):
    def summary(run):
        return f"{run.kills} kills and set clocks, {run.compared} comparisons, no law broken"

    return script.outcome(arguments(given), Run, summary)


if __name__ == "__main__":
    venv.enter(__file__)
    sys.exit(main())
