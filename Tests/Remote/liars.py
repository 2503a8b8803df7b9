"""Servers behind fault proxies, whose processes can be stopped and killed, for a pool of which some stores lie."""

import os
import pathlib
import signal
import subprocess
import time

import servers
import sides
from Remote.control import Control
from Remote.faultproxy import FaultProxy

# Those that speak plain HTTP, as the proxies do.
NAMES = ("SeaweedFS", "rclone")


def start(started, stack):
    """Two proxies before each of the servers.

    :return: for each `NAME=HONEST,PROXY,PROXY,CONTROL`: the other server, where the stores are that never lie
    """
    found = [each for each in started if each.name in NAMES]
    described = []
    for each in found if len(found) > 1 else []:
        honest = next(other for other in found if other is not each)
        proxies = [stack.enter_context(FaultProxy(each.port, servers.SECRET_KEY, seed=seed)) for seed in (1, 2)]
        process = stack.enter_context(ServerProcess(each))
        deeds = {deed.__name__.rstrip("_"): deed for deed in (process.stop, process.continue_)}
        deeds |= {deed.__name__: deed for deed in (process.kill, process.start)}
        control = stack.enter_context(Control(proxies, deeds))
        described.append(f"{each.name}={','.join([honest.url, *(proxy.url for proxy in proxies), control.url])}")
    return described


class ServerProcess:
    """The process of a server: stopped, killed, and started again as it was started first."""

    def __init__(self, server):
        self.server, self.process = server, server.process()
        where = pathlib.Path(f"/proc/{self.process}")
        self.command = where.joinpath("cmdline").read_bytes().rstrip(b"\0").split(b"\0")
        self.folder = os.readlink(where / "cwd")
        # Another one than the first, which is its starter's to end.
        self.again = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.again is not None:
            self.again.terminate()
            self.again.wait(30)

    def stop(self):
        os.kill(self.process, signal.SIGSTOP)

    def continue_(self):
        os.kill(self.process, signal.SIGCONT)

    def kill(self):
        os.kill(self.process, signal.SIGKILL)
        if self.again is not None:
            self.again.wait(30)
        # A zombie holds no port; the first process is waited for by its starter.
        end = time.monotonic() + 30
        while _is_running(self.process):
            if time.monotonic() > end:
                raise RuntimeError(f"{self.server.name} does not end")
            time.sleep(0.01)

    def start(self):
        with open(pathlib.Path(self.folder) / "log", "ab") as log:
            self.again = subprocess.Popen(
                self.command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        self.process = self.again.pid
        sides.wait_for(self.server.port, self.again)
        folder = pathlib.Path(self.folder)
        side = sides.Side(self.server.name, self.server.port, folder, lambda: [self.process])
        sides.wait_until_served(side)
        # SeaweedFS knows buckets before it can write and read objects.
        end = time.monotonic() + 120
        while True:
            try:
                side.request("PUT", "ready", b"yes")
                side.request("GET", "ready")
                return
            except (OSError, RuntimeError, IndexError):
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)


def _is_running(process):
    try:
        state = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
