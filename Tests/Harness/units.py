#!/usr/bin/env python3
"""Runs the tests in Swift, which are built already: each target in a process of its own, two at a time.

Within a process they run one after the other, since some look at what belongs to the whole process (descriptors,
threads, the order in which things are asked for). Needs nothing beyond Python itself.
"""

import argparse
import collections
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUNDLE = ROOT / ".build/debug/tidegatePackageTests.xctest"
COMMAND = [str(BUNDLE), "--testing-library", "swift-testing"]
# Begun first, since they take longest: whatever is left to the end is waited for by one processor.
LONGEST = ["GatewayTests", "WorkersTests", "StorageTests", "RemoteStoreTests"]
SUMMARY = re.compile(r"Test run with (\d+) tests? in \d+ suites? passed")


def targets():
    """The number of tests of each target."""
    listed = subprocess.run([*COMMAND, "--list-tests"], check=True, capture_output=True, text=True, cwd=ROOT).stdout
    return collections.Counter(line.split(".")[0] for line in listed.splitlines() if "." in line)


def run(target, count):
    """Runs a target's tests. Returns its output, or None where all is well, and how long it took."""
    start = time.monotonic()
    command = [*COMMAND, "--no-parallel", "--filter", f"^{target}\\."]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)
    summary = SUMMARY.search(done.stdout)
    # A filter that met nothing, or a process that ended in the middle, is no success.
    ran = int(summary.group(1)) if summary else 0
    is_well = done.returncode == 0 and ran == count
    problem = None if is_well else f"{done.stdout}\n{target}: exit code {done.returncode}, {ran} tests of {count}"
    return problem, time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="processes at a time")
    parser.add_argument("target", nargs="*", help="these targets alone")
    arguments = parser.parse_args()
    counts = targets()
    unknown = [each for each in arguments.target if each not in counts]
    if unknown or not counts:
        parser.error(f"there are no tests of {', '.join(unknown) or 'anything'}; `make build` makes them")
    wanted = [each for each in counts if not arguments.target or each in arguments.target]
    wanted.sort(key=lambda each: LONGEST.index(each) if each in LONGEST else len(LONGEST))
    broken = []
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        running = {pool.submit(run, each, counts[each]): each for each in wanted}
        for done in concurrent.futures.as_completed(running):
            (problem, seconds), target = done.result(), running[done]
            if problem:
                broken.append(target)
                print(problem, flush=True)
            else:
                print(f"{target}: {counts[target]} tests passed in {seconds:.0f} s", flush=True)
    if broken:
        print(f"Failed: {', '.join(broken)}", flush=True)
        return 1
    print(f"{sum(counts[each] for each in wanted)} tests in {len(wanted)} targets passed", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
