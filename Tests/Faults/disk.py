"""What a disk may hold after a power cut, from a recording of what was done to it (record_files.c).

A change of a file is there for sure once a sync of the file that began after it has ended; a change of a directory's
names once a sync of that directory has. Everything else may be there or not: a file's sectors each in any state that
they had since the last sync, its size as it was at any moment since, names made, moved and removed in any order that
does not contradict itself. So a new file whose bytes are synced is gone as long as its directory is not: POSIX promises
no more, although the file systems of today do. What a file was never given reads as zeros.
"""

import bisect
import dataclasses
import mmap
import os
import pathlib
import struct

PAGE = 4096
# The same as in record_files.c.
CREATE, MAKE_DIRECTORY, LINK, UNLINK, REMOVE_DIRECTORY, RENAME, WRITE, ZERO, SIZE, ALLOCATE, CLEAR = range(1, 12)
SYNC_BEGIN, SYNC_END, UNSUPPORTED, PROCESS = range(12, 16)
HEAD = struct.Struct("<IHHQQQqqQ")


@dataclasses.dataclass
class Record:
    """One change, numbered from 1 in the order in which they happened."""

    number: int
    kind: int
    inode: int
    other: int
    child: int
    offset: int
    length: int
    name: str
    other_name: str
    data: memoryview


def records(path):
    """Reads a recording; one that was cut off within a record ends before it."""
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            return
        view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    at, number = 0, 0
    while at + HEAD.size <= len(view):
        kind, name, other_name, inode, other, child, offset, length, size = HEAD.unpack_from(view, at)
        names = at + HEAD.size
        data = names + name + other_name
        if data + size > len(view):
            return
        number += 1
        yield Record(
            number,
            kind,
            inode,
            other,
            child,
            offset,
            length,
            bytes(view[names : names + name]).decode(),
            bytes(view[names + name : data]).decode(),
            view[data : data + size],
        )
        at = data + size


class Content:
    """The bytes of a file: its size, and those of its pages that are not all zero."""

    def __init__(self, pages=(), size=0):
        self.pages, self.size = dict(pages), size

    def copy(self):
        return Content(self.pages, self.size)

    def write(self, offset, data):
        at = 0
        while at < len(data):
            page, within = divmod(offset + at, PAGE)
            piece = data[at : at + PAGE - within]
            if len(piece) == PAGE:
                self.pages[page] = bytes(piece)
            else:
                old = self.pages.get(page) or bytes(PAGE)
                self.pages[page] = b"".join((old[:within], piece, old[within + len(piece) :]))
            at += len(piece)

    def clear(self, offset, end):
        """Makes a range zero."""
        for page in [page for page in self.pages if page * PAGE < end and (page + 1) * PAGE > offset]:
            first, last = max(0, offset - page * PAGE), min(PAGE, end - page * PAGE)
            if first == 0 and last == PAGE:
                del self.pages[page]
            else:
                old = self.pages[page]
                self.pages[page] = old[:first] + bytes(last - first) + old[last:]

    def resize(self, size):
        if size < self.size or self.pages:
            self.clear(size, 1 << 62)
        self.size = size

    def apply(self, change):
        """Does a whole change of a file."""
        if change.kind == WRITE:
            self.write(change.offset, change.data)
        elif change.kind in (ZERO, CLEAR):
            self.clear(change.offset, change.offset + change.length)
        self.size = size_after(change, self.size)
        if change.kind == SIZE:
            self.resize(self.size)

    def runs(self):
        """The bytes that are not zero, as (offset, bytes), neighbours joined."""
        start, pieces = None, []
        for page in sorted(self.pages):
            if pieces and page != start + len(pieces):
                yield start * PAGE, b"".join(pieces)
                pieces = []
            if not pieces:
                start = page
            pieces.append(self.pages[page])
        if pieces:
            yield start * PAGE, b"".join(pieces)

    def store(self, path):
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for offset, data in self.runs():
                file.seek(offset)
                file.write(data[: max(0, self.size - offset)])
            file.truncate(self.size)


def size_after(change, size):
    if change.kind == SIZE:
        return change.length
    return size if change.kind == CLEAR else max(size, change.offset + change.length)


class File:
    """A file, with what is on the disk for sure and what was done since."""

    def __init__(self, home):
        self.home, self.content, self.pending = home, Content(), []

    def synced(self, before):
        while self.pending and self.pending[0].number < before:
            self.content.apply(self.pending.pop(0))

    def after(self, count):
        """With the first so many of the changes that are not synced."""
        content = self.content.copy()
        for change in self.pending[:count]:
            content.apply(change)
        return content

    def sizes(self):
        sizes = [self.content.size]
        for change in self.pending:
            sizes.append(size_after(change, sizes[-1]))
        return sizes

    def torn(self, chance, grain, size):
        """With each sector in one of the states that it had since the sync, and a size."""
        touching = {}
        for change in self.pending:
            if change.kind == WRITE:
                first, end = change.offset // grain, -(-(change.offset + change.length) // grain)
                for sector in range(first, end):
                    touching.setdefault(sector, []).append(change)
            elif change.kind in (ZERO, CLEAR, SIZE):
                first, end = change.offset, change.offset + change.length
                if change.kind == SIZE:
                    first, end = change.length, 1 << 62
                present = {page * PAGE // grain + n for page in self.content.pages for n in range(PAGE // grain)}
                for sector in present | touching.keys():
                    if sector * grain < end and (sector + 1) * grain > first:
                        touching.setdefault(sector, []).append(change)
        content = self.content.copy()
        for sector in sorted(touching):
            for change in touching[sector][: chance.randint(0, len(touching[sector]))]:
                part = clipped(change, sector * grain, (sector + 1) * grain)
                if change.kind == WRITE:
                    content.write(*part)
                else:
                    content.clear(part[0], part[0] + part[1])
        content.resize(size)
        return content


def clipped(change, start, end):
    """The part of a change within a range: its offset, and its bytes or their number."""
    first, last = (change.length, 1 << 62) if change.kind == SIZE else (change.offset, change.offset + change.length)
    begin, stop = max(first, start), min(last, end)
    if change.kind == WRITE:
        return begin, change.data[begin - first : stop - first]
    return begin, stop - begin


class Directory:
    """A directory, with the names that are on the disk for sure."""

    def __init__(self, home):
        self.home, self.entries = home, {}


class Naming:
    """A change of names, whole or not at all: entries that go, and those that come."""

    def __init__(self, number, removed, added, node):
        self.number, self.removed, self.added, self.node = number, removed, added, node
        self.directories = {id(directory): directory for directory, *_ in [*removed, *added]}
        self.entries = {(id(directory), name) for directory, name, *_ in [*removed, *added]}

    def apply(self, entries):
        for directory, name in self.removed:
            entries(directory).pop(name, None)
        for directory, name, node in self.added:
            entries(directory)[name] = node


class Disk:
    """The state of a folder after some of a recording's records."""

    def __init__(self, root_inode, is_lie=lambda node: False):
        self.root = Directory("")
        self.nodes = {root_inode: self.root}
        self.names = []
        self.syncs = {}
        self.number = 0
        self.unsupported = []
        # Whether a sync of a file or directory is to count for nothing, as with a disk that does not do what it says.
        self.is_lie = is_lie

    @classmethod
    def of(cls, tree, folder):
        """The disk on which a tree was stored in a folder, all of it synced."""
        disk = cls(os.stat(folder).st_ino)
        disk.adopt(tree, pathlib.Path(folder), disk.root)
        return disk

    def adopt(self, tree, folder, directory):
        for name, stored in tree.items():
            path, home = folder / name, directory.home or name
            if not path.exists():
                # SQLite's -shm is not stored.
                continue
            node = Directory(home) if isinstance(stored, dict) else File(home)
            self.nodes[path.stat().st_ino] = directory.entries[name] = node
            if isinstance(stored, dict):
                self.adopt(stored, path, node)
            else:
                node.content = stored.copy()

    def advance(self, record):
        self.number = record.number
        if record.kind <= RENAME:
            self.rename(record)
        elif record.kind <= CLEAR:
            self.nodes[record.inode].pending.append(record)
        elif record.kind == SYNC_BEGIN:
            # By its inode the file would be another one, once this one is deleted and the number given again.
            self.syncs[record.number] = self.nodes[record.inode]
        elif record.kind == SYNC_END:
            node = self.syncs.pop(record.offset)
            if not self.is_lie(node):
                self.sync(node, record.offset)
        elif record.kind == UNSUPPORTED:
            self.unsupported.append(record.name)

    def rename(self, record):
        directory, name = self.nodes[record.inode], record.name
        removed, added = [], []
        if record.kind in (CREATE, MAKE_DIRECTORY):
            home = directory.home or name
            node = File(home) if record.kind == CREATE else Directory(home)
            self.nodes[record.child] = node
        else:
            node = self.nodes[record.child]
        if record.kind in (UNLINK, REMOVE_DIRECTORY, RENAME):
            removed.append((directory, name))
        if record.kind == RENAME:
            added.append((self.nodes[record.other], record.other_name, node))
        elif not removed:
            added.append((directory, name, node))
        self.names.append(Naming(record.number, removed, added, node))

    def needs(self):
        """Each change of names that is not synced, with those before it that it cannot be without."""
        last = {}
        for index, naming in enumerate(self.names):
            keys = naming.entries | {id(naming.node)}
            needed = {last[key] for key in keys if key in last}
            if isinstance(naming.node, Directory) and not naming.added:
                # A directory goes only once it is empty.
                needed |= {n for n, before in enumerate(self.names[:index]) if id(naming.node) in before.directories}
            for key in keys:
                last[key] = index
            yield naming, needed

    def sync(self, node, before):
        if isinstance(node, File):
            return node.synced(before)
        needs = list(self.needs())
        durable = set()
        for n, (naming, _) in enumerate(needs):
            if naming.number < before and id(node) in naming.directories:
                durable.add(n)
        for n in range(len(needs) - 1, -1, -1):
            if n in durable:
                durable |= needs[n][1]
        for n in sorted(durable):
            needs[n][0].apply(lambda directory: directory.entries)
        self.names = [naming for n, (naming, _) in enumerate(needs) if n not in durable]

    def cut(self, keeps, content):
        """A tree: names to trees or contents, which are not to be changed.

        `keeps` says of a change of names that is not synced whether it is to be seen, `content` what a file holds.
        """
        entries, kept = {}, set()

        def of(directory):
            return entries.setdefault(id(directory), dict(directory.entries))

        for index, (naming, needed) in enumerate(self.needs()):
            if needed <= kept and keeps(naming):
                kept.add(index)
                naming.apply(of)

        def tree(directory):
            return {
                name: tree(node) if isinstance(node, Directory) else content(node)
                for name, node in of(directory).items()
            }

        return tree(self.root)


def store(tree, folder):
    """Writes a tree into a new folder, without what SQLite makes anew."""
    pathlib.Path(folder).mkdir(mode=0o700)
    for name, node in tree.items():
        path = pathlib.Path(folder) / name
        if isinstance(node, dict):
            store(node, path)
        elif not name.endswith("-shm"):
            node.store(path)


def compare(tree, folder):
    """What of a folder is not as a tree has it, in sentences."""
    folder = pathlib.Path(folder)
    present = {entry.name for entry in folder.iterdir()}
    for name in sorted(present ^ tree.keys()):
        yield f"{folder / name} is {'there' if name in present else 'missing'}"
    for name in sorted(present & tree.keys()):
        path, node = folder / name, tree[name]
        if isinstance(node, dict) != path.is_dir():
            yield f"{path} is of another kind"
        elif isinstance(node, dict):
            yield from compare(node, path)
        elif not name.endswith("-shm"):
            expected = bytearray(node.size)
            for offset, data in node.runs():
                expected[offset : offset + len(data)] = data[: max(0, node.size - offset)]
            if path.read_bytes() != bytes(expected):
                yield f"{path} has other bytes"


class Loss:
    """What a power cut takes of a disk: one of the ways that there are, by chance."""

    KINDS = ("nothing unsynced", "everything", "names before data", "data before names", "until a moment", "any")

    def __init__(self, disk, chance, kind, scope=lambda home: True):
        self.disk, self.chance, self.kind, self.scope = disk, chance, kind, scope
        # Of "until a moment": what came later is lost where it was not synced.
        numbers = sorted(
            [naming.number for naming in disk.names]
            + [change.number for node in disk.nodes.values() if isinstance(node, File) for change in node.pending]
        )
        self.moment = chance.choice(numbers) if numbers else 0
        self.likely = chance.choice([0.1, 0.5, 0.9])

    def tree(self):
        return self.disk.cut(self.keeps, self.content)

    def keeps(self, naming):
        home = next(iter(naming.directories.values())).home or naming.node.home
        if not self.scope(home):
            return True
        return {
            "nothing unsynced": False,
            "everything": True,
            "names before data": True,
            "data before names": False,
            "until a moment": naming.number <= self.moment,
            "any": self.chance.random() < self.likely,
        }[self.kind]

    def content(self, file):
        whole = len(file.pending)
        if whole == 0 or not self.scope(file.home):
            return file.after(whole)
        if self.kind == "until a moment":
            return file.after(bisect.bisect_right([change.number for change in file.pending], self.moment))
        pure = {"nothing unsynced": "none", "names before data": "size"}
        if self.kind == "any":
            way = self.chance.choice(["none", "all", "prefix", "size", "data", 512, PAGE])
        else:
            way = pure.get(self.kind, "all")
        if way == "none":
            return file.after(0)
        if way == "all":
            return file.after(whole)
        if way == "prefix":
            return file.after(self.chance.randint(0, whole))
        sizes = file.sizes()
        if way in ("size", "data"):
            content = file.after(0 if way == "size" else whole)
            content.resize(sizes[-1] if way == "size" else sizes[0])
            return content
        return file.torn(self.chance, way, self.chance.choice([sizes[-1], sizes[0], self.chance.choice(sizes)]))
