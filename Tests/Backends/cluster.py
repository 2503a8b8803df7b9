"""A gateway over real S3 servers and directories, and what happens to these."""

import json
import pathlib
import threading
import time

from Backends.backend import Backend, servers, start, with_given
from Faults import ledger, load
from Faults.check import Checker
from Harness import gateway, raw

OPERATIONS = ["put"] * 6 + ["get"] * 6 + ["copy", "delete", "list", "multipart", "tag"]
# The secret that no file, log or answer may show.
SECRET_KEY = servers.SECRET_KEY
# What the pools of tests are made of, where they do not say it.
KINDS = ("rclone",) * 3 + ("seaweedfs",)
# Services of three makers, two of them of one; with two directories six stores.
MIX = ("ceph", "ceph", "seaweedfs", "rclone")


class Cluster:
    """Servers, and a gateway with a pool over them and over directories."""

    def __init__(self, folder, stack, kinds=None, directories=2, config=None, proxies=False):
        self.folder, self.stack = pathlib.Path(folder), stack
        kinds = with_given(KINDS, at=3) if kinds is None else kinds
        self.backends = [
            start(kind, number, self.folder, stack, is_behind_proxy=proxies)
            for number, kind in enumerate(kinds)
        ]
        # Those of the servers that the tests start.
        self.credentials = self.keep(Backend.keys, "credentials")
        stores = [str(self.folder / f"directory-{number}") for number in range(directories)]
        config = dict(config or {})
        pool = {**config.pop("pool", {}), **({"directories": stores} if stores else {})}
        self.gateway = gateway.Gateway(self.folder / "gateway", config={"pool": pool, **config})
        stack.callback(self.gateway.kill)
        self.ledger, self.phase = ledger.Ledger(), 0

    def tool(self, *arguments, **options):
        where = ["--data", self.gateway.data, "--config", self.gateway.config]
        return self.gateway.tool(*arguments, *where, "--admin", f"127.0.0.1:{self.gateway.admin_port}", **options)

    def keep(self, keys, name):
        """A file with keys, as the commands want them."""
        path = self.folder / name
        path.write_text(f"access-key: {keys.access}\nsecret-key: {keys.secret}\n")
        path.chmod(0o600)
        return path

    def attach(self, backend, *options, name=None, **how):
        place = [*backend.place(), "--credentials", self.keep(backend.keys, f"{backend.name}.keys")]
        return self.tool("backend", "attach", name or backend.name, *place, *options, **how)

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
    """The keys that a backend holds: a thousand of them at most."""
    client = raw.Raw(backend.direct)
    below = raw.recode(f"{backend.prefix}/{prefix}" if backend.prefix else prefix, "")
    answer = client("GET", f"/{backend.bucket}?list-type=2&max-keys=1000&prefix={below}")
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


