"""Runs a long proof part by part, and goes on after the last part that an interrupted run of the same commit ended."""

import argparse
import datetime
import json
import pathlib
import subprocess
import sys
import time

from Harness import gateway

FOLDER = gateway.ROOT / ".build/prove"


def arguments(description, given=None):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", help="parts whose names begin so (all)")
    parser.add_argument("--anew", action="store_true", help="begin anew, whatever was done before")
    return parser.parse_args(given)


def commit():
    described = subprocess.run(
        ["git", "describe", "--always", "--abbrev=12", "--dirty"], cwd=gateway.ROOT, capture_output=True, text=True
    )
    return described.stdout.strip() or "unknown"


def run(script, arguments, log):
    """Runs a part, and says how it ended."""
    log.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with open(log, "w") as output:
        code = subprocess.run([sys.executable, script, *arguments], stdout=output, stderr=output).returncode
    lines = log.read_text(errors="replace").splitlines() or [""]
    broken = [line for line in lines if line.startswith("BROKEN")]
    return {
        "command": " ".join([script.name, *arguments]),
        "ended": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - began),
        "exit code": code,
        "said": (broken or lines)[-1],
    }


def main(name, parts, folder, description, given=None):
    """Runs the parts that are asked for and not done yet.

    :param name: of the file in .build/prove that keeps what came of each part, and of the folder of their logs
    :param parts: for each its script in the folder, and the arguments of that
    :return: the exit code
    """
    options = arguments(description, given)
    path = FOLDER / f"{name}.json"
    state = {"commit": commit(), "parts": {}}
    if path.exists() and not options.anew:
        before = json.loads(path.read_text())
        if before["commit"] == state["commit"]:
            state = before
    for part, command in parts.items():
        if options.only and not part.startswith(tuple(options.only)):
            continue
        # What failed is run again: whoever comes back has looked at it.
        if state["parts"].get(part, {}).get("exit code") != 0:
            log = FOLDER / name / f"{part.replace(' ', '-')}.log"
            state["parts"][part] = run(pathlib.Path(folder) / command[0], command[1:], log)
            path.parent.mkdir(parents=True, exist_ok=True)
            new = path.with_suffix(".new")
            new.write_text(json.dumps(state, indent=1))
            new.replace(path)
        done = state["parts"][part]
        print(f"{part}: {done['said']} ({done['seconds']} s)", flush=True)
    return 1 if any(part["exit code"] for part in state["parts"].values()) else 0
