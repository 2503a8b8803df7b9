"""Runs the command-line clients, each found in the virtual environment or on PATH."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest


def find(name, system=False):
    """The program, or a skip that says what to install."""
    beside = pathlib.Path(sys.prefix) / "bin" / name
    if not system and beside.exists():
        return str(beside)
    found = shutil.which(name, path=os.pathsep.join(p for p in os.get_exec_path() if p != str(beside.parent)))
    if not found:
        pytest.skip(f"{name} is not installed; `make test-packages` installs it")
    return found


class Command:
    """A program with its environment: calling it runs it with arguments."""

    def __init__(self, program, *fixed, environment, folder):
        self.program = [program, *fixed]
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "RCLONE_", "RESTIC_"))}
        self.environment.update(environment, HOME=str(folder), LC_ALL="C.UTF-8")
        self.folder = folder

    def __call__(self, *arguments, expect=0, input=None, timeout=240, text=True):
        """Runs it; `expect` is the exit code, or None for any but 0. Returns what subprocess.run returns."""
        result = subprocess.run(
            [*self.program, *map(str, arguments)],
            env=self.environment,
            cwd=self.folder,
            input=input,
            text=text,
            capture_output=True,
            timeout=timeout,
        )
        right = result.returncode != 0 if expect is None else result.returncode == expect
        assert right, f"{arguments} ended with {result.returncode}:\n{result.stdout[-2000:]}\n{result.stderr[-3000:]}"
        return result
