"""A gateway over real S3 servers and directories, and what happens to these."""

import contextlib
import json
import os
import pathlib
import signal
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests/Benchmarks"), str(ROOT / "Tests/Remote")]

import ceph  # noqa: E402
import servers  # noqa: E402
import sides  # noqa: E402
from Faults import ledger, load  # noqa: E402
from Faults.check import Checker  # noqa: E402
from Harness import gateway, raw  # noqa: E402

OPERATIONS = ["put"] * 6 + ["get"] * 6 + ["copy", "delete", "list", "multipart", "tag"]
# The secret that no file, log or answer may show.
SECRET_KEY = servers.SECRET_KEY


class Backend:
    """A server that runs, with an empty bucket, as a store to be attached."""

    def __init__(self, name, side, buffered=False):
        self.name, self.side = name, side
        self.buffered = buffered

    @property
    def url(self):
        return f"http://127.0.0.1:{self.side.port}"

    def signal(self, number):
        for process in self.side.processes():
            os.kill(process, number)

    @contextlib.contextmanager
    def stopped(self):
        """SIGSTOP: it takes connections and answers nothing."""
        self.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.signal(signal.SIGCONT)


def start(kind, number, folder, stack):
    """One server: rclone over a directory, SeaweedFS, or a Ceph cluster of its own with RGW."""
    name = f"{kind}-{number}"
    make = {"rclone": servers.rclone, "seaweedfs": sides.seaweedfs, "ceph": ceph.rgw}[kind]
    return Backend(name, stack.enter_context(make(folder / name)), buffered=kind == "seaweedfs")


class Cluster:
    """Servers, and a gateway with a pool over them and over directories."""

    def __init__(self, folder, stack, kinds=("rclone",) * 3 + ("seaweedfs",), directories=2, config=None):
        self.folder, self.stack = pathlib.Path(folder), stack
        self.credentials = self.folder / "credentials"
        self.credentials.write_text(f"access-key: {servers.ACCESS_KEY}\nsecret-key: {SECRET_KEY}\n")
        self.credentials.chmod(0o600)
        self.backends = [start(kind, number, self.folder, stack) for number, kind in enumerate(kinds)]
        stores = [str(self.folder / f"directory-{number}") for number in range(directories)]
        config = dict(config or {})
        pool = {**config.pop("pool", {}), **({"directories": stores} if stores else {})}
        self.gateway = gateway.Gateway(self.folder / "gateway", config={"pool": pool, **config})
        stack.callback(self.gateway.kill)
        self.ledger, self.phase = ledger.Ledger(), 0

    def tool(self, *arguments, **options):
        where = ["--data", self.gateway.data, "--config", self.gateway.config]
        return self.gateway.tool(*arguments, *where, "--admin", f"127.0.0.1:{self.gateway.admin_port}", **options)

    def attach(self, backend, *options, name=None, **how):
        more = ["--durability", "buffered", "--accept-buffered"] if backend.buffered else []
        place = ["--url", backend.url, "--bucket", servers.BUCKET, "--credentials", self.credentials]
        return self.tool("backend", "attach", name or backend.name, *place, *more, *options, **how)

    def attach_all(self):
        for backend in self.backends:
            self.attach(backend)

    def list(self):
        """The backends by name, as `backend list --json` tells of them."""
        return {each["name"]: each for each in json.loads(self.tool("backend", "list", "--json").stdout)}

    def make_bucket(self):
        client = raw.Raw(self.gateway.access)
        assert client("PUT", f"/{load.PLAIN}").status == 200
        client.close()

    def under_load(self, act, workers=4, seconds=1.0):
        """Runs workers, acts in the middle, and stops them; no request may be refused, unanswered or answered wrong."""
        self.phase += 1
        stopping = threading.Event()
        started = [
            load.Worker(number, self.gateway.access, self.ledger, f"backends/{self.phase}", stopping, OPERATIONS)
            for number in range(workers)
        ]
        for worker in started:
            worker.start()
        try:
            self.progress(seconds, started)
            act()
            self.progress(seconds, started)
        finally:
            stopping.set()
            for worker in started:
                worker.join(120)
        for worker in started:
            if worker.error:
                raise worker.error
        assert not self.ledger.refused and not self.ledger.unanswered, (
            self.ledger.refused[:2],
            self.ledger.unanswered,
        )
        return self.check()

    def progress(self, seconds, workers):
        """Lets the load go on until it has done something for so long."""
        before, end = sum(self.ledger.counts.values()), time.monotonic() + seconds
        wait(
            lambda: (time.monotonic() > end and sum(self.ledger.counts.values()) > before + 10)
            or any(worker.error for worker in workers),
            "the load did nothing",
        )

    def check(self):
        """Compares everything that the gateway holds with what is known; returns how many things that were."""
        return Checker(self.gateway.access, self.ledger, OPERATIONS).everything()

    def stop(self):
        assert self.gateway.stop() == 0

    def finish(self, scrubs=2):
        """Stops the gateway; its log verifies, and a scrub, after one that may have repaired, finds nothing."""
        self.stop()
        self.gateway.tool("audit", "verify", self.gateway.data / "audit")
        for _ in range(scrubs):
            scrub = self.tool("scrub", check=False)
        assert scrub.returncode == 0, scrub.stdout + scrub.stderr


def objects(backend, prefix=""):
    """The keys that a backend holds."""
    client = raw.Raw(gateway.Endpoint(backend.url, servers.ACCESS_KEY, SECRET_KEY, None))
    answer = client("GET", f"/{servers.BUCKET}?list-type=2&max-keys=1000&prefix={prefix}")
    client.close()
    assert answer.status == 200, answer
    return answer.texts("Contents/Key")


def wait(holds, what, deadline=120):
    end = time.monotonic() + deadline
    while not holds():
        assert time.monotonic() < end, f"{what} within {deadline} s"
        time.sleep(0.05)


def events(cluster, name):
    """The records of the audit log with this name, oldest first."""
    lines = []
    for segment in sorted((cluster.gateway.data / "audit").glob("*.jsonl")):
        lines += segment.read_text().splitlines()
    return [event for event in map(json.loads, lines) if event.get("eventName") == name]


def files(folder, suffixes=("",)):
    return [path for path in folder.rglob("*") if path.is_file() and path.name.endswith(tuple(suffixes))]


def shows(folder, text):
    """The files below a folder that hold a text."""
    return [path for path in files(folder) if text.encode() in path.read_bytes()]


