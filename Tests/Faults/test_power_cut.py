"""The recorder writes down what a process does to files, and of it the disk's rules make what may be left.

What the gateway makes of such disks is test_faults.py's.
"""

import os
import random
import signal
import struct
import subprocess
import sys

import pytest

from Faults import disk
from Harness import preload

# Every call by which a file or a name changes, as a process would use it.
CALLS = """
import ctypes, mmap, os
libc = ctypes.CDLL(None, use_errno=True)
os.chdir(os.environ["RECORD_FILES_ROOT"])
os.mkdir("folder")
a = os.open("a", os.O_RDWR | os.O_CREAT, 0o600)
os.write(a, b"first ")
os.writev(a, [b"second ", b"", b"third"])
os.pwrite(a, b"FIRST", 0)
os.pwritev(a, [b"SECOND", b"!"], 6)
os.pwrite(a, bytes(5000), 9000)
os.ftruncate(a, 100)
os.posix_fallocate(a, 0, 20000)
os.pwrite(a, b"x" * 12000, 4000)
assert libc.fallocate(a, 3, ctypes.c_long(5000), ctypes.c_long(3000)) == 0
os.fsync(a)
appended = os.open("a", os.O_WRONLY | os.O_APPEND)
os.write(appended, b"appended")
os.fdatasync(appended)
b = os.open("folder/b", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
os.sendfile(b, a, 0, 300)
os.copy_file_range(a, b, 200, 0, 500)
folder = os.open("folder", os.O_RDONLY | os.O_DIRECTORY)
os.link("a", "linked")
os.rename("a", "renamed")
os.rename("b", "moved", src_dir_fd=folder)
os.mkdir("empty", dir_fd=folder)
os.rmdir("empty", dir_fd=folder)
os.unlink("linked")
os.fsync(folder)
emptied = os.open("renamed", os.O_WRONLY | os.O_TRUNC)
os.write(emptied, b"anew")
gone = os.open("gone", os.O_WRONLY | os.O_CREAT, 0o600)
os.unlink("gone")
os.write(gone, b"to nobody")
os.mkdir("folder/one"), os.rmdir("folder/one")
with open("buffered", "w") as file:
    file.write("text")
    file.seek(8192)
    file.write("far")
os.pipe(), os.write(1, b"")
"""
PAST = {
    "a mapping": "import mmap, os; f = os.open('m', os.O_RDWR | os.O_CREAT); os.ftruncate(f, 10); mmap.mmap(f, 10)",
    "O_DSYNC": "import os; os.open('m', os.O_RDWR | os.O_CREAT | os.O_DSYNC)",
    "symlink": "import os; os.symlink('x', 'y')",
    "truncate": "import os; open('m', 'w').close(); os.truncate('m', 10)",
}


class Recorded:
    """What a process did below a folder, as far as a disk knows it."""

    def __init__(self, folder, code, limit=None):
        self.root, self.changes = folder / "root", folder / "changes"
        self.root.mkdir()
        environment = {
            **os.environ,
            "LD_PRELOAD": preload.library("Faults/record_files.c", folder.parent),
            "RECORD_FILES_ROOT": str(self.root),
            "RECORD_FILES_TO": str(self.changes),
            "RECORD_FILES_COUNT": str(folder / "count"),
        }
        code = f"import os; os.chdir({str(self.root)!r})\n{code}"
        (folder / "count").write_bytes(struct.pack("=QQ", 0, limit or 0))
        ended = subprocess.run([sys.executable, "-c", code], env=environment)
        assert ended.returncode == (-signal.SIGKILL if limit else 0)
        self.disk = disk.Disk(self.root.stat().st_ino)
        self.records = list(disk.records(self.changes))
        for record in self.records:
            self.disk.advance(record)
        if limit:
            assert len(self.records) == limit
            return
        assert (folder / "count").read_bytes() == struct.pack("=QQ", len(self.records), 0)

    def left(self, kind, seed=0):
        """What a power cut leaves: names to bytes."""
        tree = disk.Loss(self.disk, random.Random(seed), kind).tree()
        return {name: flat(node) for name, node in tree.items()}

    def some(self, count=300):
        """What a good many power cuts leave, each one once."""
        seen = {}
        for seed in range(count):
            left = self.left("any", seed)
            seen[repr(left)] = left
        return list(seen.values())


def flat(node):
    if isinstance(node, dict):
        return {name: flat(inner) for name, inner in node.items()}
    data = bytearray(node.size)
    for offset, piece in node.runs():
        data[offset : offset + len(piece)] = piece[: max(0, node.size - offset)]
    return bytes(data)


def test_every_call_is_recorded(tmp_path):
    recorded = Recorded(tmp_path, CALLS)
    tree = disk.Loss(recorded.disk, random.Random(0), "everything").tree()
    assert list(disk.compare(tree, recorded.root)) == []
    assert recorded.disk.unsupported == []
    # And what differs is seen to differ.
    (recorded.root / "buffered").write_bytes(b"other")
    (recorded.root / "more").write_bytes(b"")
    assert len(list(disk.compare(tree, recorded.root))) == 2
    # A tree is stored as it is.
    disk.store(tree, tmp_path / "stored")
    assert list(disk.compare(tree, tmp_path / "stored")) == []


def test_a_process_is_killed_after_a_record(tmp_path):
    assert flat(disk.Loss(Recorded(tmp_path, CALLS, 4).disk, random.Random(0), "everything").tree()["a"]) == b"first "


@pytest.mark.parametrize("what", PAST)
def test_what_would_change_files_unseen_is_told(tmp_path, what):
    assert len(Recorded(tmp_path, PAST[what]).disk.unsupported) == 1


SYNCED = "f = os.open('f', os.O_RDWR | os.O_CREAT); os.write(f, b'old' * 1000); os.fsync(f)\n"
FOLDER = "d = os.open('.', os.O_RDONLY); os.fsync(d)\n"


def test_a_file_needs_its_directory(tmp_path):
    assert Recorded(tmp_path, SYNCED).left("nothing unsynced") == {}


def test_what_is_synced_is_there_whatever_is_lost(tmp_path):
    recorded = Recorded(tmp_path, SYNCED + FOLDER + "os.write(f, b'new'); os.rename('f', 'g'); os.mkdir('m')")
    old, new = b"old" * 1000, b"old" * 1000 + b"new"
    for left in [recorded.left(kind, seed) for kind in disk.Loss.KINDS for seed in range(50)]:
        assert ({"f", "g"} & left.keys()) in ({"f"}, {"g"})
        content = left.get("f", left.get("g"))
        assert content[:3000] == old and content in (old, new, old + bytes(3))
    assert recorded.left("nothing unsynced") == {"f": old}
    assert recorded.left("everything") == {"g": new, "m": {}}
    assert recorded.left("names before data") == {"g": old + bytes(3), "m": {}}
    assert recorded.left("data before names") == {"f": new}


def test_a_sync_covers_what_was_done_before_it_began_alone(tmp_path):
    recorded = Recorded(tmp_path, SYNCED + FOLDER + "os.write(f, b'new'); os.fsync(f); os.write(f, b'newer')")
    lengths = {len(left["f"]) for left in recorded.some()}
    assert min(lengths) == 3003 and lengths <= {3003, 3008}
    begins = [record for record in recorded.records if record.kind == disk.SYNC_BEGIN]
    # Cut before its end is known, it may not have done anything yet.
    before = disk.Disk(recorded.root.stat().st_ino)
    for record in recorded.records[: begins[-1].number]:
        before.advance(record)
    assert flat(disk.Loss(before, random.Random(0), "nothing unsynced").tree()["f"]) == b"old" * 1000


def test_writes_land_in_any_order_and_are_torn_at_sectors(tmp_path):
    writes = "for n in range(8): os.pwrite(f, bytes([65 + n]) * 2048, n * 2048)\n"
    begin = "f = os.open('f', os.O_RDWR | os.O_CREAT)\nos.pwrite(f, b'.' * 16384, 0); os.fsync(f)\n" + FOLDER
    contents = [left["f"] for left in Recorded(tmp_path, begin + writes).some()]
    for content in contents:
        for sector in range(32):
            piece = content[sector * 512 : sector * 512 + 512]
            assert piece in (b"." * 512, bytes([65 + sector // 4]) * 512)
    assert any(content[:2048] == b"." * 2048 and b"H" in content for content in contents), "a later one alone"
    assert any(0 < content.count(b"A") < 2048 for content in contents), "a torn one"


def test_sizes_and_bytes_come_apart(tmp_path):
    begin = "f = os.open('f', os.O_RDWR | os.O_CREAT); os.fsync(f)\n" + FOLDER
    contents = {left["f"] for left in Recorded(tmp_path, begin + "os.write(f, b'x' * 1024)").some()}
    assert {b"", bytes(1024), b"x" * 1024} <= contents
    assert contents <= {b"", bytes(1024), b"x" * 1024, b"x" * 512 + bytes(512), bytes(512) + b"x" * 512}


def test_what_was_cut_off_does_not_come_back_behind_a_new_end(tmp_path):
    begin = "f = os.open('f', os.O_RDWR | os.O_CREAT); os.write(f, b'y' * 2048); os.fsync(f)\n" + FOLDER
    recorded = Recorded(tmp_path, begin + "os.ftruncate(f, 100); os.fsync(f); os.ftruncate(f, 2048)")
    for left in recorded.some():
        assert left["f"] in (b"y" * 100, b"y" * 100 + bytes(1948))


def test_names_change_in_an_order_that_can_be(tmp_path):
    begin = "os.mkdir('d')\n" + FOLDER
    names = "open('d/new', 'w').close(); os.rename('d/new', 'd/name'); open('d/other', 'w').close()\n"
    seen = [left["d"] for left in Recorded(tmp_path, begin + names).some()]
    assert {frozenset(left) for left in seen} == {
        frozenset(names) for names in ([], ["new"], ["name"], ["other"], ["new", "other"], ["name", "other"])
    }
    (tmp_path / "again").mkdir()
    removed = begin + "os.mkdir('d/in'); d = os.open('d', os.O_RDONLY); os.fsync(d); os.rmdir('d/in'); os.rmdir('d')"
    seen = Recorded(tmp_path / "again", removed).some()
    assert {repr(left) for left in seen} == {"{}", "{'d': {}}", "{'d': {'in': {}}}"}


def test_a_file_that_gets_a_deleted_ones_inode_is_another(tmp_path):
    code = SYNCED + FOLDER + "os.close(f); os.unlink('f'); g = os.open('g', os.O_RDWR | os.O_CREAT); os.write(g, b'1')"
    for left in Recorded(tmp_path, code).some():
        assert left.get("f", b"old" * 1000) == b"old" * 1000
        assert left.get("g", b"") in (b"", b"1", bytes(1))


def test_a_lying_sync_makes_nothing_durable(tmp_path):
    recorded = Recorded(tmp_path, SYNCED + FOLDER)
    for lie, expected in [(disk.File, {"f": b""}), (disk.Directory, {})]:
        lying = disk.Disk(recorded.root.stat().st_ino, lambda node: isinstance(node, lie))
        for record in recorded.records:
            lying.advance(record)
        tree = disk.Loss(lying, random.Random(0), "nothing unsynced").tree()
        assert {name: flat(node) for name, node in tree.items()} == expected
