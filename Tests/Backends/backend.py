"""One S3 server, as a store to be attached: how it is reached, and what happens to it."""

import collections
import contextlib
import os
import pathlib
import secrets
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests/Benchmarks"), str(ROOT / "Tests/Remote")]

import ceph  # noqa: E402
import servers  # noqa: E402
import sides  # noqa: E402
from Harness import endpoints, gateway  # noqa: E402
from Remote.faultproxy import FaultProxy  # noqa: E402

# An endpoint that is there takes the place of a server that the tests start: `NAME=URL`, of which the first counts.
GIVEN = os.environ.get("TIDEGATE_TEST_S3_ENDPOINTS", "").split(" ")[0]

Keys = collections.namedtuple("Keys", "access secret")


def with_given(kinds, at):
    """The kinds of servers, the one at a place replaced by the endpoint that the environment names, if it does."""
    return (*kinds[:at], "given", *kinds[at + 1 :]) if GIVEN else tuple(kinds)


class Backend:
    """A server that runs, with a bucket, or a prefix in one, that is empty."""

    bucket, prefix, region, ca = servers.BUCKET, "", "us-east-1", None
    keys = Keys(servers.ACCESS_KEY, servers.SECRET_KEY)

    def __init__(self, name, side, stack, buffered=False, is_behind_proxy=False):
        self.name, self.side, self.stack = name, side, stack
        self.buffered = buffered
        self.proxy = stack.enter_context(FaultProxy(side.port)) if is_behind_proxy else None

    @property
    def url(self):
        """Where the gateway reaches it."""
        return self.proxy.url if self.proxy else f"http://127.0.0.1:{self.side.port}"

    @property
    def direct(self):
        """Where it is, without a proxy."""
        return gateway.Endpoint(f"http://127.0.0.1:{self.side.port}", *self.keys, self.ca, self.region)

    def place(self):
        """The options of `backend attach` that say where it is."""
        options = ["--url", self.url, "--bucket", self.bucket]
        options += ["--prefix", self.prefix] if self.prefix else []
        options += ["--signing-region", self.region] if self.region != "us-east-1" else []
        options += ["--ca", self.ca] if self.ca else []
        return options + (["--durability", "buffered", "--accept-buffered"] if self.buffered else [])

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

    @contextlib.contextmanager
    def killed(self):
        """kill -9 of all that serves; afterwards it is started again, on the same port and data."""
        started = [Started(process) for process in self.side.processes()]
        self.signal(signal.SIGKILL)
        for each in started:
            each.wait()
        try:
            yield
        finally:
            # What serves comes first in the list, what it needs behind.
            again = [self.stack.enter_context(each.again()) for each in reversed(started)]
            self.side.processes = lambda: [process.pid for process in reversed(again)]
            sides.wait_for(self.side.port, again[-1], deadline=180)


class Started:
    """A process as it was started, so that it can be started once more."""

    def __init__(self, process):
        self.process = process
        where = pathlib.Path(f"/proc/{process}")
        self.command = [os.fsdecode(word) for word in where.joinpath("cmdline").read_bytes()[:-1].split(b"\0")]
        self.folder = os.readlink(where / "cwd")

    def wait(self, deadline=30):
        """Waits until it has ended; a zombie, which its starter has not waited for, holds no port."""
        end = time.monotonic() + deadline
        while self.is_running():
            if time.monotonic() > end:
                raise RuntimeError(f"{self.command[0]} does not end")
            time.sleep(0.01)

    def is_running(self):
        try:
            text = pathlib.Path(f"/proc/{self.process}/stat").read_text()
        except FileNotFoundError:
            return False
        return text.rpartition(")")[2].split()[0] != "Z"

    def again(self):
        log = pathlib.Path(self.folder) / f"{pathlib.Path(self.command[0]).name}.again"
        return sides.running(self.command, log, env=ceph.environment(), cwd=self.folder)


class Given(Backend):
    """The endpoint that the environment names, below a prefix of its own, which is emptied afterwards."""

    def __init__(self, name, stack):
        variables = os.environ
        self.name, self.stack, self.proxy = name, stack, None
        self.url = GIVEN.partition("=")[2]
        self.bucket = variables.get("TIDEGATE_TEST_S3_BUCKET", servers.BUCKET)
        self.region = variables.get("TIDEGATE_TEST_S3_REGION", "us-east-1")
        self.ca = variables.get("TIDEGATE_TEST_S3_CA")
        self.keys = Keys(variables["TIDEGATE_TEST_S3_ACCESS_KEY"], variables["TIDEGATE_TEST_S3_SECRET_KEY"])
        self.buffered = variables.get("TIDEGATE_TEST_S3_DURABILITY") == "buffered"
        self.prefix = f"tidegate-test-{secrets.token_hex(8)}"
        stack.callback(self.empty)

    url = None

    @property
    def direct(self):
        return gateway.Endpoint(self.url, *self.keys, self.ca, self.region)

    def signal(self, number):
        raise RuntimeError(f"{self.url} is not ours to stop or to kill")

    def empty(self):
        client = endpoints.connect(self.direct, s3={"addressing_style": "path"})
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"{self.prefix}/")
        for entry in [entry for page in pages for entry in page.get("Contents", [])]:
            client.delete_object(Bucket=self.bucket, Key=entry["Key"])


def start(kind, number, folder, stack, is_behind_proxy=False):
    """One server: rclone over a directory, SeaweedFS, a Ceph cluster of its own with RGW, or the one that is given."""
    if kind == "given":
        return Given(f"{GIVEN.partition('=')[0].lower()}-{number}", stack)
    name = f"{kind}-{number}"
    make = {"rclone": servers.rclone, "seaweedfs": sides.seaweedfs, "ceph": ceph.rgw}[kind]
    side = stack.enter_context(make(folder / name))
    return Backend(name, side, stack, buffered=kind == "seaweedfs", is_behind_proxy=is_behind_proxy)
