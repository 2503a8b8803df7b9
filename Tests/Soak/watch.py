"""What a gateway holds and how long it takes, look by look."""

import os
import pathlib
import statistics
import threading
import time

from Harness import raw

BUCKET = "soak-probe"
KIB, MIB = 1 << 10, 1 << 20

# What is looked at: what it is called, its unit, and how much it may grow: by a factor and by an amount. A store keeps
# up to 16 directories and 64 segments open, which are not all there at first.
SERIES = {
    "memory": ("resident memory", "MiB", 1.15, 24),
    "descriptors": ("open files", "", 1.0, 32),
    "threads": ("threads", "", 1.0, 8),
    "get": ("GET of 4 KiB, median", "ms", 1.6, 2),
    "get99": ("GET of 4 KiB, 99 %", "ms", 2.0, 20),
    "put": ("PUT of 4 KiB, median", "ms", 1.6, 5),
    "put99": ("PUT of 4 KiB, 99 %", "ms", 2.0, 50),
    "repairs": ("blobs that wait for repair", "", 1.0, 50),
    "journal": ("lag of the index's journal", "s", 1.0, 2),
}


def make_bucket(running, name):
    client = raw.Raw(running.access)
    answer = client("PUT", f"/{name}")
    client.close()
    if answer.status != 200:
        raise RuntimeError(f"{name} could not be made: {answer}")


class Probe(threading.Thread):
    """Puts and gets 4 KiB, one after the other, and takes the time."""

    def __init__(self, running, stopping):
        super().__init__(daemon=True, name="probe")
        make_bucket(running, BUCKET)
        self.raw, self.stopping = raw.Raw(running.access, timeout=60), stopping
        self.error = None
        self.lock, self.times = threading.Lock(), {"get": [], "put": []}

    def run(self):
        try:
            for number in range(1 << 40):
                if self.stopping.wait(0.02):
                    return
                target, content = f"/{BUCKET}/{number % 500}", os.urandom(4 * KIB)
                self.timed("put", 200, "PUT", target, {}, content)
                if self.timed("get", 200, "GET", target).body != content:
                    raise RuntimeError(f"{target} is not what was put")
        except Exception as error:
            self.error = error
        finally:
            self.raw.close()

    def timed(self, kind, status, *request):
        start = time.perf_counter()
        answer = self.raw(*request)
        with self.lock:
            self.times[kind].append(1000 * (time.perf_counter() - start))
        if answer.status != status:
            raise RuntimeError(f"{request[:2]}: {answer}")
        return answer

    def taken(self):
        """Milliseconds of each kind since the last call."""
        with self.lock:
            times, self.times = self.times, {"get": [], "put": []}
        return times


def look(running, probe, second):
    """What there is now. A time is None where no request ended since the last look."""
    process, metrics = running.process.pid, running.metrics()
    times = probe.taken()
    seen = {
        "second": second,
        "memory": running.memory() / MIB,
        "descriptors": len(os.listdir(f"/proc/{process}/fd")),
        "threads": len(os.listdir(f"/proc/{process}/task")),
        "repairs": metrics["tidegate_damaged_blobs_waiting"],
        "journal": metrics["tidegate_index_journal_lag_seconds"],
        "index": sum(path.stat().st_size for path in pathlib.Path(running.data).glob("index.sqlite*")) / MIB,
    }
    for kind, taken in times.items():
        seen[kind] = statistics.median(taken) if taken else None
        seen[f"{kind}99"] = sorted(taken)[int(len(taken) * 0.99)] if taken else None
    return seen


def growth(looks):
    """Of each series the median in the second quarter and in the last, and whether it may differ so."""
    quarter = max(1, len(looks) // 4)
    found = {}
    for name, (title, _, factor, amount) in SERIES.items():
        parts = [looks[quarter : 2 * quarter], looks[-quarter:]]
        medians = [statistics.median([each[name] for each in part if each[name] is not None]) for part in parts]
        found[title] = (*medians, medians[1] <= medians[0] * factor + amount)
    return found
