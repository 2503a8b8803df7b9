"""Libraries of our own that change what the C library tells a process: compiled when a test wants them."""

import os
import pathlib
import shutil
import subprocess


def library(source, folder):
    """The compiled library of a source file, named from `Tests` on, in a folder, where it may have been left before."""
    compiler = os.environ.get("CC") or shutil.which("clang") or shutil.which("cc")
    if not compiler:
        raise SystemExit("no C compiler found: clang comes with Swift's toolchain")
    source = pathlib.Path(__file__).resolve().parent.parent / source
    built = pathlib.Path(folder) / f"{source.stem}.so"
    if built.exists() and built.stat().st_mtime > source.stat().st_mtime:
        return str(built)
    built.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", built, source, "-ldl"], check=True
    )
    return str(built)
