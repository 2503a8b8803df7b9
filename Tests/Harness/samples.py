"""Bytes, keys and trees to send, the same in every run."""

import hashlib
import random

MIB = 1 << 20

# What tools and servers stumble over: each must come back as it went.
KEYS = [
    "plain.txt",
    "a folder/with space.txt",
    "plus+sign+.txt",
    "percent%20sign%.txt",
    "ünïcödé/日本語.txt",
    "decomposed-e\u0301.txt",
    "precomposed-\u00e9.txt",
    "quote'amp&equals=.txt",
    "emoji-🦢.txt",
    "deep/a/b/c/d/e.txt",
    "tilde~star-hash#.txt",
]


def data(size, seed=0):
    """`size` bytes that no compression shortens."""
    return random.Random(f"{seed}/{size}").randbytes(size)


def digest(content):
    return hashlib.sha256(content).hexdigest()


def tree(folder, count, seed=1):
    """Writes `count` files of 0 to some 40 KiB in nested folders; returns their contents by relative path."""
    chance = random.Random(seed)
    contents = {}
    for number in range(count):
        path = f"d{number % 7}/e {number % 5}/f{number % 3}+/file-{number}.bin"
        content = chance.randbytes(0 if number == 0 else int(2 ** chance.uniform(0, 15.3)))
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        contents[path] = content
    return contents


def read_tree(folder):
    """The contents of every file below a folder by relative path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
