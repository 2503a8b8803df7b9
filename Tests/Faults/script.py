"""What the scripts of the fault tests have in common: options, and how a run of them is told to end."""

import argparse
import pathlib
import random
import tempfile
import time


def options(description, rounds=None, seconds=None):
    """A parser with the options of all of them.

    `rounds` and `seconds`, where a script has them, are a default and what it means. Two of seconds are a least and a
    most.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    if rounds:
        parser.add_argument("--rounds", type=int, default=rounds[0], help=f"{rounds[1]} ({rounds[0]})")
    if seconds:
        default, meaning = seconds
        pair = isinstance(default, list)
        shown = " to ".join(map(str, default)) if pair else default
        parser.add_argument(
            "--seconds", type=float, nargs=2 if pair else None, default=default, help=f"{meaning} ({shown})"
        )
    parser.add_argument("--workers", type=int, default=6, help="concurrent connections (6)")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="draws load and faults; printed")
    parser.add_argument("--folder", type=pathlib.Path, help="where the data goes, and stays (a temporary folder)")
    return parser


def say(text):
    print(text, flush=True)


def outcome(given, make, summary):
    """Makes a run in a folder and runs it whole; says what came of it, and returns the script's exit code."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tidegate-faults-") as temporary:
        run = make(given, given.folder or temporary, say)
        try:
            run.whole()
        except Exception as error:
            say(f"BROKEN with seed {given.seed}: {type(error).__name__}: {error}")
            say(run.gateway.tail() if run.gateway.log.exists() else "")
            return 1
        said = summary(run)
    if said:
        say(f"{said} in {time.monotonic() - start:.0f} s")
    return 0
