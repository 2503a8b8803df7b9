"""What clients ask of a bucket: few keys, every content of its own, and uploads that several clients share."""

import dataclasses
import hashlib
import random
import threading

from Histories import model

KEYS = ["a", "a/b", "ü+ %", "z"]
KINDS = (
    ["put"] * 9 + ["put absent"] * 5 + ["put match"] * 4 + ["get"] * 9 + ["head"] * 4 + ["delete"] * 6
    + ["copy"] * 4 + ["list"] * 6 + ["create"] * 3 + ["part"] * 5 + ["complete"] * 5 + ["abort"]
)  # fmt: skip
# Fewer kinds meet more often.
CONDITIONAL = ["put absent"] * 6 + ["put match"] * 4 + ["put"] * 2 + ["delete"] * 5 + ["get"] * 3 + ["list"] * 5
UPLOADING = (
    ["create"] * 2 + ["part"] * 5 + ["complete"] * 6 + ["abort"] * 4 + ["put absent"] * 2 + ["get"] * 3
    + ["list"] * 2 + ["delete"] * 2 + ["copy"]
)  # fmt: skip
PROFILES = [KINDS, CONDITIONAL, UPLOADING]
# Of uploads no more than these are in use at once.
UPLOADS = 4
SIZES = [(0.6, 3_000), (0.9, 90_000), (1.0, 700_000)]


def md5(content):
    return hashlib.md5(content, usedforsecurity=False)


@dataclasses.dataclass
class Content:
    """What an ETag stands for."""

    size: int
    sha256: str


@dataclasses.dataclass
class Upload:
    key: str
    identity: str
    # Whether its objects have two parts.
    is_double: bool
    # The ETags of the parts that were acknowledged, by their number.
    parts: dict = dataclasses.field(default_factory=lambda: {1: [], 2: []})
    # How many requests after its end may still name it.
    left: int = 3
    has_ended: bool = False


@dataclasses.dataclass
class Request:
    kind: str
    arguments: dict
    body: bytes = b""


class Workload:
    """Draws requests and learns from answers; several clients use it at once."""

    def __init__(self, seed, keys=KEYS, kinds=KINDS, sizes=SIZES, first_part=5 << 20):
        """`first_part` is what a part must have at least where another one follows."""
        self.seed, self.keys, self.kinds, self.sizes, self.first_part = seed, keys, kinds, sizes, first_part
        self.lock = threading.Lock()
        self.contents, self.copies, self.bodies = {}, {}, {}
        self.uploads, self.seen, self.count = [], {key: [] for key in keys}, 0
        self.filler = random.Random(seed).randbytes(max([first_part, *(size for _, size in sizes)]))

    def next(self, chance, client):
        with self.lock:
            kind = chance.choice(self.kinds)
            if kind in ("part", "complete", "abort") and not self.uploads:
                kind = "create"
            if kind == "create" and len(self.uploads) >= UPLOADS:
                kind = "part"
            key = chance.choice(self.keys)
            return getattr(self, kind.split()[0])(chance, key, kind.partition(" ")[2] or None)

    def content(self, chance, size=None):
        """Bytes that nobody put before, and their ETag."""
        self.count += 1
        if size is None:
            draw = chance.random()
            size = chance.randrange(next(limit for share, limit in self.sizes if draw <= share))
        content = f"{self.seed}/{self.count}/".encode() + self.filler[:size]
        return content, self.register(content, md5(content).hexdigest())

    def register(self, content, etag):
        self.contents[etag] = Content(len(content), hashlib.sha256(content).hexdigest())
        return etag

    def put(self, chance, key, condition):
        content, etag = self.content(chance)
        arguments = {"key": key, "etag": etag}
        if condition:
            arguments["condition"] = condition
        if condition == "match":
            # Mostly what was seen last, which others may have replaced meanwhile.
            arguments["match"] = (self.seen[key] or [etag])[-1] if chance.random() < 0.9 else etag
        return Request("put", arguments, content)

    def get(self, chance, key, _):
        return Request("get", {"key": key})

    def head(self, chance, key, _):
        return Request("head", {"key": key})

    def delete(self, chance, key, _):
        return Request("delete", {"key": key})

    def copy(self, chance, key, _):
        return Request("copy", {"key": key, "source": chance.choice([each for each in self.keys if each != key])})

    def list(self, chance, key, _):
        if chance.random() < 0.6:
            return Request("list", {})
        return Request("list", {"after": chance.choice(["", key]), "limit": chance.randint(1, len(self.keys))})

    def create(self, chance, key, _):
        return Request("create", {"key": key})

    def upload(self, chance):
        """One in use, rarely one that has ended."""
        upload = chance.choice(self.uploads)
        if upload.has_ended:
            upload.left -= 1
            if upload.left <= 0:
                self.uploads.remove(upload)
        return upload

    def part(self, chance, *_):
        return self.part_of(self.upload(chance), chance)

    def part_of(self, upload, chance):
        number = chance.choice([1, 2]) if upload.is_double else 1
        if upload.is_double and number == 1 and len(upload.parts[1]) >= 2:
            number = 2
        body, etag = self.content(chance, self.first_part if upload.is_double and number == 1 else None)
        self.bodies[etag] = body
        return Request("part", {"key": upload.key, "upload": upload.identity, "number": number, "etag": etag}, body)

    def complete(self, chance, *_):
        """Mostly of the latest parts that were acknowledged, sometimes of one that was replaced."""
        upload = self.upload(chance)
        parts = []
        for number in [1, 2] if upload.is_double else [1]:
            known = upload.parts[number]
            if not known:
                return self.part_of(upload, chance)
            parts.append([number, known[-1] if chance.random() < 0.9 else chance.choice(known)])
        whole = b"".join(self.bodies[etag] for _, etag in parts)
        tag = md5(b"".join(bytes.fromhex(etag) for _, etag in parts)).hexdigest() + f"-{len(parts)}"
        self.copies[self.register(whole, tag)] = self.register(whole, md5(whole).hexdigest())
        arguments = {"key": upload.key, "upload": upload.identity, "parts": parts, "etag": tag}
        if chance.random() < 0.25:
            arguments["condition"] = "absent"
        return Request("complete", arguments)

    def abort(self, chance, *_):
        upload = self.upload(chance)
        return Request("abort", {"key": upload.key, "upload": upload.identity})

    def learn(self, request, answer, chance):
        """What an answer (None for none) tells for the requests to come."""
        arguments = request.arguments
        with self.lock:
            if request.kind == "create" and answer is not None:
                self.uploads.append(Upload(arguments["key"], answer, chance.random() < 0.25))
            if request.kind in ("get", "head", "put") and answer in self.contents:
                self.seen[arguments["key"]] = self.seen[arguments["key"]][-3:] + [answer]
            for upload in self.uploads:
                if upload.identity != arguments.get("upload"):
                    continue
                if request.kind == "part" and answer == arguments["etag"]:
                    upload.parts[arguments["number"]].append(answer)
                if request.kind in ("complete", "abort") and answer not in (model.INVALID_PART, model.PRECONDITION):
                    upload.has_ended = True
