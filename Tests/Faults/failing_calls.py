#!/usr/bin/env python3
"""Calls of the operating system that fail under load: writes, reads and syncs of any file, by libfiu (`fiu-utils`).

In each round the gateway is started, loaded, and one kind of call begins to fail now and then with EIO or ENOSPC, or
to do less than it was asked for; some rounds begin with it, so that the start meets it too. The gateway may refuse
requests, or end its process where it cannot trust its index any more; it may not answer wrong. Then it is killed and
started on a disk that works, and all that it holds is compared with what it had acknowledged. At the end every
acknowledged mutation stands in the audit log, the log verifies, and a scrub finds nothing that an earlier one did not
mend.

libfiu knows calls and no files: a failing pwrite may be one of a store or of the index. Calls of write and open are
left alone: those that wake a thread would fail too, and those by which libdispatch looks at its threads in /proc, which
ends a process that no disk would. test_failing_files.py fails the log's writes.

Exit code 0: every law held. 1: one was broken (it is named).
"""

import collections
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from Faults import kill9, script  # noqa: E402
from Harness import venv  # noqa: E402

EIO, ENOSPC = 5, 28
# What fails, with which error, and what the gateway may do then.
FAULTS = {
    "fdatasync": ("posix/io/sync/fdatasync", EIO),
    "fsync": ("posix/io/sync/fsync", EIO),
    "pwrite": ("posix/io/rw/pwrite", EIO),
    "pwrite-full": ("posix/io/rw/pwrite", ENOSPC),
    "pread": ("posix/io/rw/pread", EIO),
    "ftruncate": ("posix/io/rw/ftruncate", EIO),
    "short-pwrite": ("posix/io/rw/pwrite/reduce", 0),
    "short-pread": ("posix/io/rw/pread/reduce", 0),
}
PRELOADED = "/usr/lib/fiu/fiu_run_preload.so /usr/lib/fiu/fiu_posix_preload.so"
OPERATIONS = ["put"] * 6 + ["get"] * 3 + ["copy", "delete", "tag", "list", "race", "multipart"]


def arguments(given=None):
    parser = script.options(__doc__, (60, "how many faults, one after another"), ([0.5, 4], "load under a fault"))
    parser.set_defaults(operations=None, no_kill=False, no_index_loss=True, tails=0)
    parser.add_argument("--faults", nargs="+", choices=FAULTS, default=list(FAULTS), help="which calls fail (all)")
    return parser.parse_args(given)


class Run(kill9.Run):
    """The rounds of `kill9`, with a fault before each kill."""

    def __init__(self, options, folder, say=print):
        super().__init__(options, folder, say)
        self.operations = OPERATIONS
        self.outcomes = collections.Counter()
        self.control = pathlib.Path(folder) / "fiu"
        # How long the log was before this round.
        self.logged = 0

    def load(self, number, operations, no_kill=False):
        from Faults import load

        name = self.options.faults[number % len(self.options.faults)]
        point, error = FAULTS[name]
        probability = self.chance.choice([0.003, 0.02, 0.1])
        command = f"enable_random name={point},probability={probability},failinfo={error}"
        self.gateway.kill()
        self.logged = self.gateway.log.stat().st_size
        if self.start(command if self.chance.random() < 0.2 else ""):
            stopping = threading.Event()
            seed = f"{self.options.seed}/{number}"
            workers = [
                load.Worker(n, self.gateway.access, self.ledger, seed, stopping, operations, may_refuse_reads=True)
                for n in range(self.options.workers)
            ]
            for worker in workers:
                worker.start()
            self.enable(command)
            ended = self.wait()
            stopping.set()
            # A request that waits for a disk that fails is not waited for: nobody is told anything of it.
            self.gateway.kill()
            for worker in workers:
                worker.join(60)
                if worker.error:
                    raise worker.error
        else:
            ended = "no start"
        self.kills += 1
        self.gateway.kill()
        self.refuse_crashes()
        self.gateway.environment = {}
        self.outcomes[f"{name}: {ended}"] += 1
        self.outcomes["refused"] += len(self.ledger.refused)
        self.ledger.refused.clear()

    def refuse_crashes(self):
        """A crash takes its time to be told, so that the kill may come before its end; what it says is in the log."""
        said = self.gateway.log.read_bytes()[self.logged :].decode(errors="replace")
        if re.search("swift-runtime|Fatal error|Program crashed", said):
            raise RuntimeError(f"the gateway crashed:\n{said[-20000:]}")

    def start(self, command):
        """Whether it serves, with the library loaded and a fault from the start on, where one is given."""
        self.gateway.environment = {
            "LD_PRELOAD": PRELOADED,
            "FIU_CTRL_FIFO": str(self.control),
            "FIU_ENABLE": command,
        }
        # libfiu itself hangs in one start of some hundreds: one of its threads looks for a function, under a lock of
        # the linker, while another one has libfiu's lock and wants the linker's. That is before the gateway says a
        # word, so that only such a start is tried again.
        for attempt in range(3):
            said = self.start_once(command, attempt)
            if said is None:
                return True
            if said:
                return False
        raise RuntimeError(f"three starts under {command or 'the library alone'} said nothing")

    def start_once(self, command, attempt):
        """None where it serves; otherwise what it said."""
        before = self.gateway.log.stat().st_size if self.gateway.log.exists() else 0
        try:
            self.gateway.start(deadline=60)
        except RuntimeError as error:
            said = self.gateway.log.read_bytes()[before:].decode(errors="replace").strip()
            # Without a fault it must come; with one it may wait for good.
            if said and not command:
                raise
            # A process that ended is here still, one that was killed at the deadline is not.
            ended = self.gateway.process
            if ended and (ended.returncode < 0 or not said):
                raise RuntimeError(f"a start under {command} died or said nothing: {said[:4000]}") from None
            if not said:
                self.say(f"start {attempt + 1} said nothing: {str(error)[:200]}")
            return said
        return None

    def enable(self, command):
        # Nothing else than this process reads the pipe: one that has ended leaves the writer waiting.
        subprocess.run(
            ["timeout", "5", "fiu-ctrl", "-f", str(self.control), "-c", command, str(self.gateway.process.pid)],
            capture_output=True,
        )

    def wait(self):
        """How the time under the fault ended."""
        end = time.monotonic() + self.chance.uniform(*self.options.seconds)
        while time.monotonic() < end:
            code = self.gateway.process.poll()
            if code is not None:
                if code < 0:
                    raise RuntimeError(f"the gateway died of signal {-code}:\n{self.gateway.tail()}")
                return f"ended with {code}"
            time.sleep(0.02)
        return "served on"

    def scrub(self):
        """What a fault left missing is found by the first scrub, and mended by it."""
        self.gateway.tool("scrub", "--data", self.gateway.data, check=False)
        super().scrub()

    def finish(self):
        super().finish()
        self.say(", ".join(f"{count} {what}" for what, count in sorted(self.outcomes.items())))


def main(given=None):
    if not shutil.which("fiu-ctrl"):
        raise SystemExit("fiu-ctrl is not installed: it is of Debian's fiu-utils")
    return script.outcome(
        arguments(given), Run, lambda run: f"{run.kills} faults, {run.compared} comparisons, no law broken"
    )


if __name__ == "__main__":
    venv.enter(__file__)
    sys.exit(main())
