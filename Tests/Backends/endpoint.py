#!/usr/bin/env python3
"""The tests of pools with an endpoint from the environment in the place of one of the servers.

TIDEGATE_TEST_S3_ENDPOINTS=NAME=URL, with ..._ACCESS_KEY, ..._SECRET_KEY and ..._BUCKET; where they are needed
..._REGION, ..._CA (a file) and ..._DURABILITY=buffered. What is written goes below a prefix of its own, and is removed.
Where none is named, a Ceph cluster with RGW is started, and named so.

Exit code 0: all tests passed. 1: some did not.
"""

import contextlib
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from Faults import script  # noqa: E402
from Harness import gateway, venv  # noqa: E402


class Run:
    def __init__(self, options, folder, say=print):
        self.folder, self.say = pathlib.Path(folder), say
        # Nothing runs here that has a log of its own.
        self.gateway = gateway.Gateway(self.folder / "none")

    def whole(self):
        from Backends import backend

        with contextlib.ExitStack() as stack:
            named = {}
            if not backend.GIVEN:
                ceph = backend.start("ceph", 0, self.folder, stack)
                named = {"ENDPOINTS": f"Ceph={ceph.url}", "BUCKET": ceph.bucket}
                named |= {"ACCESS_KEY": ceph.keys.access, "SECRET_KEY": ceph.keys.secret}
            self.run({f"TIDEGATE_TEST_S3_{name}": value for name, value in named.items()})

    def run(self, named):
        command = [sys.executable, "-m", "pytest", "-c", "Tests/pytest.ini", "--rootdir", "Tests", "-q"]
        environment = {**os.environ, **named}
        outcome = subprocess.run(
            [*command, "Tests/Backends"], cwd=gateway.ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )
        summary = (outcome.stdout.splitlines() or [""])[-1].strip("= ")
        if outcome.returncode != 0:
            self.say(outcome.stdout)
            raise RuntimeError(summary)
        self.summary = f"{environment['TIDEGATE_TEST_S3_ENDPOINTS'].partition('=')[0]}: {summary}"


def main(given=None):
    return script.outcome(script.options(__doc__).parse_args(given), Run, lambda run: run.summary)


if __name__ == "__main__":
    venv.enter(__file__)
    sys.exit(main())
