"""Runs a script with the pinned packages of .build/venv (made by ``make venv``) where they are."""

import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def enter(script):
    """Replaces this process by the same script in the virtual environment, unless it runs there or there is none."""
    python = ROOT / ".build/venv/bin/python"
    if (
        python.exists()
        and pathlib.Path(sys.prefix) != ROOT / ".build/venv"
        and not os.environ.get("TIDEGATE_NO_VENV")
    ):
        os.execv(python, [str(python), script, *sys.argv[1:]])
