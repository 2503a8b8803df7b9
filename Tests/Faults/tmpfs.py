"""A small file system of its own, for disks that are to be full."""

import contextlib
import os
import pathlib
import subprocess

import pytest


@contextlib.contextmanager
def mounted(folder, mib):
    """A tmpfs on a folder, for as long as the context lasts. Skips a test where mounting is not allowed."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tried = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tidegate-test", str(folder)], capture_output=True, text=True
    )
    if tried.returncode != 0:
        pytest.skip(f"a small disk wants a tmpfs, which only root may mount: {tried.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder, leave):
    """Takes all space but so many bytes; returns the file, whose removal makes room again."""
    path = pathlib.Path(folder) / "filler"
    free = os.statvfs(folder)
    size = max(0, free.f_bavail * free.f_frsize - leave)
    with open(path, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, size))
    return path
