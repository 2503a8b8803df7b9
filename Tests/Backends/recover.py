#!/usr/bin/env python3
"""100,000 objects over servers of several makers, 10,000 changes, the index deleted and recovered from the stores.

Afterwards everything that the API shows is as before: every page of every listing, and of every version its bytes, all
fields of its answer and its tags; uploads that are open, with their parts. Then a scrub finds nothing.

Exit code 0: all of it held. 1: some of it did not (it is named).
"""

import base64
import contextlib
import hashlib
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from Faults import script  # noqa: E402
from Harness import raw, venv  # noqa: E402

PLAIN, VERSIONED = "plain-bucket", "versioned-bucket"
ENABLED = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
# Of the changes.
SHARES = {"tag": 0.3, "untag": 0.1, "delete": 0.25, "copy": 0.25, "complete": 0.1}


def arguments(given=None):
    parser = script.options(__doc__)
    parser.add_argument("--objects", type=int, default=100_000, help="versions that are put (100,000)")
    parser.add_argument("--changes", type=int, default=10_000, help="changes after that (10,000)")
    parser.add_argument("--directories", action="store_true", help="a pool of six directories alone")
    return parser.parse_args(given)


def key(number, objects):
    """Bucket and key of an object; a third of those of the versioned bucket is another version of one before."""
    half = objects // 2
    if number < half:
        return PLAIN, f"{number % 97:02}/objekt ü+{number}"
    position = (number - half) % max(1, half * 2 // 3)
    return VERSIONED, f"{position % 89:02}/{position}"


def content(number):
    chance = random.Random(f"content/{number}")
    size = int(2 ** chance.uniform(0, 12))
    if number % 100 == 7:
        size = chance.randrange(100_000, 400_000)
    if number % 1000 == 9:
        size = chance.randrange(1 << 20, 3 << 20)
    return chance.randbytes(size)


def fields(number):
    """What a PUT says of an object beside its bytes."""
    chance = random.Random(f"fields/{number}")
    told = {"Content-Type": chance.choice(["text/plain", "application/json", "image/png"])}
    if number % 3 == 0:
        told |= {f"x-amz-meta-{chance.randrange(10)}": f"value {chance.random()}" for _ in range(3)}
        told |= {"Cache-Control": f"max-age={number}", "Content-Disposition": "attachment", "Content-Language": "de"}
    if number % 5 == 0:
        told["x-amz-tagging"] = f"color={chance.randrange(9)}&number={number}"
    return told


def good(answer, what, statuses=(200, 204)):
    if answer.status not in statuses:
        raise RuntimeError(f"{what}: {answer}")
    return answer


def put(client, item):
    number, objects = item
    bucket, name = key(number, objects)
    body = content(number)
    told = fields(number)
    if number % 7 == 0:
        told["x-amz-checksum-sha256"] = base64.b64encode(hashlib.sha256(body).digest()).decode()
    good(client("PUT", f"/{bucket}/{raw.quote(name)}", told, body), name)


def change(client, item):
    kind, number, objects = item
    bucket, name = key(number, objects)
    target = f"/{bucket}/{raw.quote(name)}"
    if kind == "tag":
        tags = "".join(f"<Tag><Key>{n}</Key><Value>{number}</Value></Tag>" for n in range(number % 4 + 1))
        body = f"<Tagging><TagSet>{tags}</TagSet></Tagging>".encode()
        good(client("PUT", f"{target}?tagging", {}, body), name)
    elif kind == "untag":
        good(client("DELETE", f"{target}?tagging"), name)
    elif kind == "delete":
        erase(client, number, target)
    elif kind == "copy":
        copy(client, number, bucket, target)
    else:
        complete(client, number, bucket)


def erase(client, number, target):
    """A deletion; of a version by its id now and then."""
    version = good(client("HEAD", target), target).headers.get("x-amz-version-id") if number % 3 == 0 else None
    good(client("DELETE", f"{target}?versionId={version}" if version else target), target)


def copy(client, number, bucket, target):
    to = f"/{VERSIONED if number % 2 else bucket}/copies/{number}"
    told = {"x-amz-copy-source": target}
    if number % 4 == 0:
        told |= {"x-amz-metadata-directive": "REPLACE", "x-amz-meta-copied": f"{number}", "Content-Type": "text/css"}
    if number % 5 == 0:
        told |= {"x-amz-tagging-directive": "REPLACE", "x-amz-tagging": f"copy={number}"}
    good(client("PUT", to, told), to)


def complete(client, number, bucket):
    target = f"/{bucket}/uploads/{number}"
    identity = begin(client, number, target)
    parts = [part(client, number, target, identity)]
    body = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{etag}</ETag></Part>" for n, etag in parts)
    body = f"<CompleteMultipartUpload>{body}</CompleteMultipartUpload>".encode()
    answer = good(client("POST", f"{target}?uploadId={identity}", {}, body), target)
    if b"<Error>" in answer.body:
        raise RuntimeError(f"{target}: {answer}")


def begin(client, number, target):
    told = fields(number) | {"x-amz-meta-upload": str(number)}
    return good(client("POST", f"{target}?uploads", told), target).text("UploadId")


def part(client, number, target, identity):
    body = random.Random(f"part/{number}").randbytes(2000 + number % 300_000)
    return 3, good(client("PUT", f"{target}?partNumber=3&uploadId={identity}", {}, body), target).etag


def leave_open(client, number):
    target = f"/{PLAIN}/open/{number}"
    part(client, number, target, begin(client, number, target))


class Run:
    def __init__(self, options, folder, say=print):
        self.options, self.folder, self.say = options, pathlib.Path(folder), say
        self.chance = random.Random(options.seed)

    def whole(self):
        from Backends import picture
        from Backends.cluster import MIX, Cluster

        with contextlib.ExitStack() as stack:
            kinds, directories = ((), 6) if self.options.directories else (MIX, 2)
            self.cluster = Cluster(self.folder, stack, kinds=kinds, directories=directories)
            self.gateway = self.cluster.gateway
            self.cluster.attach_all()
            self.gateway.start()
            self.fill()
            before = self.timed("a picture was taken", lambda: picture.take(self.gateway.access, [PLAIN, VERSIONED]))
            self.lose_index()
            after = self.timed("another one", lambda: picture.take(self.gateway.access, [PLAIN, VERSIONED]))
            count, shown = picture.differences(before, after)
            if count:
                raise RuntimeError(f"{count} of {len(before)} things are not as they were:\n{shown}")
            self.compared = len(before)
            self.say(f"{self.compared} things are as they were")
            self.cluster.stop()
            self.timed("collected", lambda: self.cluster.tool("collect", "--after-recovery", timeout=3600))
            self.timed("scrubbed, nothing found", lambda: self.cluster.tool("scrub", timeout=3600))

    def timed(self, what, work):
        began = time.monotonic()
        outcome = work()
        self.say(f"{what}: {time.monotonic() - began:.0f} s")
        return outcome

    def fill(self):
        from Backends.crowd import Crowd

        client = raw.Raw(self.gateway.access)
        for bucket in (PLAIN, VERSIONED):
            good(client("PUT", f"/{bucket}"), bucket)
        good(client("PUT", f"/{VERSIONED}?versioning", {}, ENABLED), VERSIONED)
        client.close()
        objects, changes = self.options.objects, self.options.changes
        kinds = [kind for kind, share in SHARES.items() for _ in range(round(share * changes))]
        # Each object is changed once at most, so that no change comes before another one that it needs.
        half = objects // 2
        single = [n for n in range(objects) if n < half or n >= half + half * 2 // 3]
        chosen = zip(kinds, self.chance.sample(single, len(kinds)))
        with Crowd(self.gateway.access) as crowd:
            numbers = [(number, objects) for number in range(objects)]
            first = half + half * 2 // 3
            self.timed(f"{objects} put", lambda: crowd.each(put, numbers[:first]) + crowd.each(put, numbers[first:]))
            self.timed(
                f"{len(kinds)} changes", lambda: crowd.each(change, [(kind, n, objects) for kind, n in chosen])
            )
            crowd.each(leave_open, range(50))

    def lose_index(self):
        self.cluster.stop()
        index = list(self.gateway.data.glob("index.sqlite*"))
        size = sum(path.stat().st_size for path in index)
        for path in index:
            path.unlink()
        began = time.monotonic()
        report = self.cluster.tool("recover", timeout=3600).stdout
        self.seconds = time.monotonic() - began
        self.say(f"an index of {size >> 20} MiB was deleted; recovered in {self.seconds:.0f} s:\n{report}")
        self.gateway.start()


def main(given=None):
    return script.outcome(
        arguments(given),
        Run,
        lambda run: f"{run.options.objects} objects, {run.options.changes} changes, the index recovered in"
        f" {run.seconds:.1f} s: {run.compared} things compared, all as they were",
    )


if __name__ == "__main__":
    venv.enter(__file__)
    sys.exit(main())
