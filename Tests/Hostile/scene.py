"""Runs one hostile scene in a folder of its own, and says whether it held."""

import pathlib
import tempfile
import traceback


def play(run, options):
    """`run(options, folder)`; 0 where it held, 1 where it did not."""
    with tempfile.TemporaryDirectory(prefix="tidegate-hostile-") as temporary:
        try:
            run(options, options.folder or pathlib.Path(temporary))
        except Exception as error:
            traceback.print_exc()
            print(f"BROKEN: {type(error).__name__}: {error}", flush=True)
            return 1
    return 0
