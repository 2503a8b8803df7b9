#!/usr/bin/env python3
"""The suites of conformance and clients against one gateway whose pool is 4+2 over servers of several makers.

Two Ceph clusters with RGW, SeaweedFS, rclone and two directories; then the clients once more, over TLS. What the suites
do with gateways of their own (starts, commands) they do over directories, as always.

Exit code 0: all tests passed. 1: some did not.
"""

import contextlib
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from Faults import script  # noqa: E402
from Harness import certificates, gateway, venv  # noqa: E402

PASSES = {"plain": ["Tests/Conformance", "Tests/Clients"], "tls": ["Tests/Clients"]}


class Run:
    def __init__(self, options, folder, say=print):
        self.options, self.folder, self.say = options, pathlib.Path(folder), say

    def whole(self):
        from Backends.cluster import MIX, Cluster

        with contextlib.ExitStack() as stack:
            made = Cluster(self.folder, stack, kinds=MIX)
            self.gateway = made.gateway
            made.attach_all()
            for name, suites in PASSES.items():
                self.gateway.tls = certificates.make(self.folder) if name == "tls" else None
                self.gateway.start()
                self.run(name, suites)
                assert self.gateway.stop() == 0
            self.gateway.tool("audit", "verify", self.gateway.data / "audit")
            for _ in range(2):
                scrub = made.tool("scrub", check=False, timeout=3600)
            assert scrub.returncode == 0, scrub.stdout + scrub.stderr

    def run(self, name, suites):
        access = self.gateway.access
        named = {"ENDPOINT": access.url, "ACCESS_KEY": access.access_key, "SECRET_KEY": access.secret_key}
        named |= {"CA": access.ca} if access.ca else {}
        command = [sys.executable, "-m", "pytest", "-c", "Tests/pytest.ini", "--rootdir", "Tests", "-q", *suites]
        began = time.monotonic()
        outcome = subprocess.run(
            command,
            cwd=gateway.ROOT,
            env={**os.environ, **{f"TIDEGATE_TEST_{key}": value for key, value in named.items()}},
            stdout=subprocess.PIPE,
            text=True,
        )
        summary = (outcome.stdout.splitlines() or [""])[-1].strip("= ")
        if outcome.returncode != 0:
            self.say(outcome.stdout)
            raise RuntimeError(f"{name}: {summary}")
        self.passed = getattr(self, "passed", []) + [f"{name}: {summary}"]
        self.say(f"{name}: {summary} after {time.monotonic() - began:.0f} s")


def main(given=None):
    options = script.options(__doc__).parse_args(given)
    return script.outcome(options, Run, lambda run: "; ".join(run.passed))


if __name__ == "__main__":
    venv.enter(__file__)
    sys.exit(main())
