"""Two gateways with 4+1 on five stores: one whole, one that has lost a store for good.

With as many stores as shards, and one parity shard, no store may hold a second shard of a blob: what is lost cannot be
repaired, so that each read of a blob that has lost a data shard decodes.
"""

import contextlib
import os
import pathlib

import lines
import sides

DATA_SHARDS = 4


def settings(folder, options):
    stores = [str(pathlib.Path(folder) / f"store-{number}") for number in range(DATA_SHARDS + 1)]
    return [f"pool.directories={','.join(stores)}", "pool.parity-shards=1", *options], stores


@contextlib.contextmanager
def whole(folder, options):
    """With every store."""
    with sides.tidegate(folder, settings(folder, options)[0]) as side:
        yield side


@contextlib.contextmanager
def degraded(folder, options):
    """Without the first store, which held a data shard of the object `key` of the side."""
    chosen, stores = settings(folder, options)
    with sides.tidegate(folder, chosen) as side:
        key = seeded(side, pathlib.Path(stores[0]))
    os.rename(stores[0], stores[0] + "-lost")
    with sides.tidegate(folder, chosen, data=folder / "data") as side:
        side.key = key
        yield side


def seeded(side, store):
    """Makes objects until one has a data shard in the store; returns its key."""
    known = set()
    for number in range(100):
        side.request("PUT", f"large-{number}", os.urandom(lines.LARGE))
        names = {file.name for file in (store / "files").rglob("*") if file.is_file()} - known
        # The name of a shard ends with its number and that of the attempt.
        if any(len(name) == 38 and int(name[34:36], 16) < DATA_SHARDS for name in names):
            return f"large-{number}"
        known |= names
    raise RuntimeError("no object has a data shard in the store")
