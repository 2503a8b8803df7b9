#!/usr/bin/env python3
"""The power fails, again and again, at any call that changes a file; what was not synced is there, or not, or in part.

A library (record_files.c) records every change of a file below the data directory, with its bytes, while workers put,
copy, tag, delete, list, race, upload in parts and version, and while the gateway starts, stops and is killed. Then, for
one moment of the recording after another, directories are made as a disk may hold them after a power cut at that moment
(disk.py): everything that had been synced, and by chance none, all or any part of the rest. The gateway is started upon
them, and everything that it holds is compared with what it had acknowledged by then; the audit log must verify and have
every acknowledged mutation, and a scrub must find nothing. Some cuts take one store's disk alone, or that of index and
log; some are followed by another one, while the gateway starts.

Last, syncs of one kind of file count for nothing for some time before the cut, as with a disk that lies, or with code
that forgets one: within some cuts a law must break, or the test itself is broken (--lies).

Exit code 0: every law held, and broke under each lie. 1: otherwise (it is named).
"""

import collections
import os
import pathlib
import random
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from Faults import audited, script  # noqa: E402
from Harness import gateway, raw, venv  # noqa: E402

# Whose syncs count for nothing: by the name of what is at the top of the data directory, and whether it is a file.
LIES = {
    "log": lambda home, is_file: home == "audit",
    "index": lambda home, is_file: home.startswith("index"),
    "shards": lambda home, is_file: home.startswith("store-") and is_file,
    "names": lambda home, is_file: home.startswith("store-") and not is_file,
}
# How many records before a cut, and in how many cuts at most.
LYING, LYING_CUTS = 600, 12


def arguments(given=None):
    parser = script.options(__doc__, seconds=(4, "load in each run of the recording"))
    parser.add_argument("--cuts", type=int, default=100, help="how many power cuts (100)")
    parser.add_argument("--runs", type=int, default=3, help="how often the gateway is started in the recording (3)")
    parser.add_argument("--lies", choices=LIES, nargs="*", default=list(LIES), help="whose syncs are to lie (all)")
    parser.add_argument("--again", action="store_true", help="cut the recording that an earlier run left in --folder")
    parser.add_argument("--only", type=int, nargs="+", help="of the cuts only those of these numbers")
    parser.add_argument("--go-on", action="store_true", help="go on with the next cut where a law is broken")
    return parser.parse_args(given)


def roomy():
    """A folder in memory, where there is enough of it: what is made there is read once."""
    memory = pathlib.Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > 4 << 30 else None


class Run:
    def __init__(self, options, folder, say):
        from Faults import recording

        self.options, self.folder, self.say = options, pathlib.Path(folder), say
        self.chance = random.Random(options.seed)
        self.outcomes, self.compared, self.broken = collections.Counter(), 0, []
        if options.again:
            self.recording = recording.Recording.kept(self.folder)
        else:
            # Segments of the log of which a recording has several.
            self.recording = recording.Recording(
                self.folder, options.seed, options.workers, settings=["audit.segment-size=1MiB"]
            )
        self.gateway = self.recording.gateway

    def whole(self):
        from Faults import disk

        self.say(f"seed {self.options.seed}")
        if not self.options.again:
            self.recording.whole(self.options.runs, self.options.seconds)
        self.records = list(disk.records(self.recording.changes))
        self.cut_all()
        for lie in self.options.lies:
            self.prove_lie_shows(lie)
        if self.broken:
            raise RuntimeError(f"{len(self.broken)} cuts broke a law; the first: {self.broken[0]}")

    def cut_all(self):
        from Faults import disk

        whole = disk.Disk(self.recording.root)
        # By chance where something has just become durable, or is about to, or a name changes, or anywhere.
        kinds = collections.defaultdict(list)
        for record in self.records:
            kinds[record.kind if record.kind > disk.RENAME else disk.CREATE].append(record.number)
        ends = kinds[disk.SYNC_END]
        anywhere = range(1, len(self.records) + 1)
        ways = [ends, [number - 1 for number in ends], kinds[disk.SYNC_BEGIN], kinds[disk.CREATE], anywhere]
        moments = sorted(self.chance.choice(self.chance.choice(ways)) for _ in range(self.options.cuts))
        cuts = collections.deque(enumerate(moments, start=1))
        for record in self.records:
            whole.advance(record)
            while cuts and cuts[0][1] == record.number:
                number, moment = cuts.popleft()
                if number in (self.options.only or [number]):
                    self.cut(whole, number, moment)
        self.say(f"{len(self.records)} records, {sum(len(record.data) for record in self.records) >> 20} MiB")
        # Nothing has changed a file past the recorder.
        if whole.unsupported:
            raise RuntimeError(f"files were changed by what is not recorded: {whole.unsupported}")
        tree = disk.Loss(whole, self.chance, "everything").tree()
        if wrong := list(disk.compare(tree, self.recording.data)):
            raise RuntimeError(f"the recording does not lead to what is there: {wrong[:5]}")

    def cut(self, whole, number, moment):
        from Faults import disk

        chance = random.Random(f"{self.options.seed}/{number}")
        # Half of them of the kind that has all the others in it.
        kind = chance.choice([*disk.Loss.KINDS, *["any"] * 4])
        name, scope = self.scope(chance)
        tree = disk.Loss(whole, chance, kind, scope).tree()
        what = f"cut {number}, after record {moment} on {name}, {kind}"
        again = None
        if chance.random() < 0.2:
            again, what = chance, f"{what}, and again"
        began = time.monotonic()
        try:
            compared = self.look(tree, moment, again)
        except Exception as error:
            if self.options.folder:
                disk.store(tree, self.folder / f"broken-{number}-{os.getpid()}")
            text = f"{what}: {type(error).__name__}: {error}"
            if not self.options.go_on:
                raise RuntimeError(text) from error
            self.broken.append(text)
            self.say(f"BROKEN in {text}")
            return
        self.compared += compared
        self.outcomes[kind] += 1
        self.say(f"{what}: {compared} compared in {time.monotonic() - began:.1f} s")

    @staticmethod
    def scope(chance):
        """Which disks lose power: all of them, one store's, or that of index and log."""
        drawn = chance.random()
        if drawn < 0.7:
            return "all disks", lambda home: True
        if drawn < 0.85:
            store = f"store-{chance.randrange(gateway.STORES)}"
            return store, lambda home: home == store
        return "index and log", lambda home: not home.startswith("store-")

    def look(self, tree, moment, again=None):
        """Starts the gateway on a tree and compares all that it holds; returns how much that was."""
        from Faults import disk

        with tempfile.TemporaryDirectory(prefix="tidegate-cut-", dir=roomy()) as folder:
            folder = pathlib.Path(folder)
            disk.store(tree, folder / "data")
            if again:
                tree = self.cut_again(tree, folder, again)
                shutil.rmtree(folder / "data")
                disk.store(tree, folder / "data")
            return self.check(folder, moment)

    def cut_again(self, tree, folder, chance):
        """What the disks hold after another cut, while the gateway starts on a tree, or soon after."""
        from Faults import disk, recording

        whole = disk.Disk.of(tree, folder / "data")
        starting = gateway.Gateway(folder, environment=recording.Recording.environment(folder, self.folder))
        try:
            starting.start()
        finally:
            starting.kill()
        records = list(disk.records(folder / "changes"))
        for record in records[: chance.randrange(1, len(records) + 1)]:
            whole.advance(record)
        return disk.Loss(whole, chance, chance.choice(disk.Loss.KINDS)).tree()

    def check(self, folder, moment):
        from Faults import load, recording
        from Faults.check import Checker

        timeline = self.recording.timeline
        self.gateway = gateway.Gateway(folder)
        self.gateway.start()
        try:
            if moment < timeline.ready:
                client = raw.Raw(self.gateway.access)
                recording.make_buckets(client)
                client.close()
            known = timeline.at(moment)
            compared = Checker(self.gateway.access, known, load.ALL).everything()
            self.gateway.stop()
        finally:
            self.gateway.kill()
        self.audit(known)
        self.gateway.tool("scrub", "--data", self.gateway.data)
        return compared

    def audit(self, known):
        log = self.gateway.data / "audit"
        audited.check(log, known.request_ids)
        # The gateway's own verifier takes its time in a debug build; what was cut off the log is its matter alone.
        if list(log.glob("torn-*")) or self.chance.random() < 0.25:
            self.gateway.tool("audit", "verify", log)

    def prove_lie_shows(self, name):
        """A law breaks where syncs of one kind count for nothing: so it would where the gateway left them out."""
        from Faults import disk

        for count in range(1, LYING_CUTS + 1):
            moment = self.chance.randrange(self.recording.timeline.ready + LYING, len(self.records))
            lying = disk.Disk(
                self.recording.root,
                lambda node: lying.number > moment - LYING and LIES[name](node.home, isinstance(node, disk.File)),
            )
            for record in self.records[:moment]:
                lying.advance(record)
            try:
                self.look(disk.Loss(lying, self.chance, "nothing unsynced").tree(), moment)
            except Exception as error:
                self.say(f"syncs of the {name} lie: cut {count} shows it: {str(error)[:200]}")
                return
        raise RuntimeError(f"no law broke in {LYING_CUTS} cuts, although syncs of the {name} were lies")


def main(given=None):
    def summary(run):
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(run.outcomes.items()))
        return f"{run.options.cuts} power cuts ({counts}), {run.compared} comparisons, no law broken"

    return script.outcome(arguments(given), Run, summary)


if __name__ == "__main__":
    venv.enter(__file__)
    sys.exit(main())
