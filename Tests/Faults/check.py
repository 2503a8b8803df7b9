"""Compares all that a server holds with what the ledger knows, and settles what was uncertain."""

import concurrent.futures
import hashlib
import threading
import urllib.parse

from Harness import raw
from Faults.ledger import ABSENT, State, Wrong
from Faults.load import PLAIN, VERSIONED


class Checker:
    def __init__(self, server, ledger, features):
        self.server, self.ledger, self.features = server, ledger, features
        self.local = threading.local()

    def get(self, target):
        if not hasattr(self.local, "raw"):
            self.local.raw = raw.Raw(self.server)
        return self.local.raw("GET", target)

    def everything(self):
        """Returns how many things were compared; raises Wrong at the first broken law."""
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            counts = [
                sum(pool.map(self.key, list(self.ledger.keys))),
                sum(pool.map(self.race, list(self.ledger.races))),
            ]
            counts.append(self.listing())
            if "multipart" in self.features:
                counts.append(self.uploads())
            if "put_version" in self.features:
                counts.append(self.versions(pool))
        return sum(counts)

    def key(self, name):
        self.ledger.keys[name].settle(self.state(f"/{PLAIN}/{raw.quote(name)}", name), name)
        return 1

    def state(self, target, name):
        """What a key holds now, its tag included."""
        answer = self.get(target)
        if answer.status == 404:
            return ABSENT
        if answer.status != 200:
            raise Wrong(f"GET {name}: {answer}")
        tag = None
        if "tag" in self.features:
            tags = self.get(target + ("&" if "?" in target else "?") + "tagging")
            if tags.status != 200:
                raise Wrong(f"GET {name}?tagging: {tags}")
            tag = (tags.texts("TagSet/Tag/Value") or [None])[0]
        return State(hashlib.sha256(answer.body).hexdigest(), len(answer.body), answer.etag, tag)

    def race(self, name):
        entries = self.ledger.races[name]
        winners = [digest for digest, outcome in entries if outcome == "won"]
        if len(winners) > 1:
            raise Wrong(f"{name} was won {len(winners)} times")
        answer = self.get(f"/{PLAIN}/{raw.quote(name)}")
        if answer.status == 404:
            if winners or any(outcome == "lost" for _, outcome in entries):
                raise Wrong(f"{name} is gone, yet {entries}")
            del self.ledger.races[name]
            return 1
        digest = hashlib.sha256(answer.body).hexdigest()
        candidates = winners or [digest for digest, outcome in entries if outcome == "unknown"]
        if answer.status != 200 or digest not in candidates:
            raise Wrong(f"{name} is {answer}, {digest}; {entries}")
        self.ledger.races[name] = [[digest, "won"]]
        return 1

    def pages(self, bucket, query, token, marker):
        target, more = f"/{bucket}?{query}", ""
        while True:
            answer = self.get(target + more)
            if answer.status != 200:
                raise Wrong(f"{target}: {answer}")
            yield answer
            if answer.text("IsTruncated") != "true":
                return
            more = "".join(
                f"&{name}={urllib.parse.quote(answer.text(element) or '', safe='')}"
                for name, element in zip(marker, token)
            )

    def listing(self):
        """Both kinds of listing say exactly what is there, in order, with each object's size and ETag."""
        expected = {
            name: (known.state.size, known.state.etag)
            for name, known in self.ledger.keys.items()
            if known.state != ABSENT
        }
        races = set(self.ledger.races)
        for query, token, marker in [
            ("list-type=2&max-keys=37", ["NextContinuationToken"], ["continuation-token"]),
            ("max-keys=41&delimiter=none", ["NextMarker"], ["marker"]),
        ]:
            seen = []
            for page in self.pages(PLAIN, query, token, marker):
                seen += zip(
                    page.texts("Contents/Key"),
                    map(int, page.texts("Contents/Size")),
                    [etag.strip('"') for etag in page.texts("Contents/ETag")],
                )
            names = [name for name, _, _ in seen]
            if names != sorted(set(names), key=str.encode):
                raise Wrong(f"a listing out of order or with doubles: {names}")
            found = {name: (size, etag) for name, size, etag in seen if name not in races}
            if found != expected or not races.issubset(names):
                wrong = {name: (found.get(name), expected.get(name)) for name in found.keys() ^ expected.keys()}
                wrong |= {
                    n: (found[n], expected[n]) for n in found.keys() & expected.keys() if found[n] != expected[n]
                }
                raise Wrong(f"{query}: listed against acknowledged: {wrong}, races missing: {races - set(names)}")
        return len(expected) * 2

    def uploads(self):
        """Every acknowledged upload is there with its acknowledged parts; no ended one is."""
        present = {}
        for page in self.pages(
            PLAIN,
            "uploads&max-uploads=7",
            ["NextKeyMarker", "NextUploadIdMarker"],
            ["key-marker", "upload-id-marker"],
        ):
            present.update(zip(page.texts("Upload/UploadId"), page.texts("Upload/Key")))
        for identity, upload in list(self.ledger.uploads.items()):
            if identity not in present:
                if not upload.ending:
                    raise Wrong(f"the upload {identity} of {upload.key} is gone")
                del self.ledger.uploads[identity]
                continue
            answer = self.get(f"/{PLAIN}/{raw.quote(upload.key)}?uploadId={identity}")
            parts = dict(
                zip(map(int, answer.texts("Part/PartNumber")), [e.strip('"') for e in answer.texts("Part/ETag")])
            )
            unknown = {}
            for number in upload.parts.keys() | upload.possible.keys() | parts.keys():
                allowed = {upload.parts.get(number, (None,))[0]} | upload.possible.get(number, set())
                if parts.get(number) not in allowed:
                    raise Wrong(f"part {number} of {identity} is {parts.get(number)}, allowed {allowed}")
                if parts.get(number) != upload.parts.get(number, (None,))[0]:
                    # It took the place of an acknowledged one, or there was none.
                    upload.parts.pop(number, None)
                    unknown[number] = {parts[number]}
            upload.possible, upload.ending = unknown, False
        # An unanswered CreateMultipartUpload leaves an upload that nobody knows: allowed, and aborted here.
        for identity in present.keys() - self.ledger.uploads.keys():
            self.local.raw("DELETE", f"/{PLAIN}/{raw.quote(present[identity])}?uploadId={identity}")
        return len(present)

    def versions(self, pool):
        seen = {}
        for page in self.pages(
            VERSIONED,
            "versions&max-keys=29",
            ["NextKeyMarker", "NextVersionIdMarker"],
            ["key-marker", "version-id-marker"],
        ):
            for element in page.xml:
                if element.tag in ("Version", "DeleteMarker"):
                    marker = element.tag == "DeleteMarker"
                    seen.setdefault(element.findtext("Key"), []).append((element.findtext("VersionId"), marker))

        def state(item):
            name, (identity, marker) = item
            if marker:
                return name, identity, ABSENT
            target = f"/{VERSIONED}/{raw.quote(name)}?versionId={urllib.parse.quote(identity, safe='')}"
            return name, identity, self.state(target, f"{name} {identity}")

        items = [(name, entry) for name, entries in seen.items() for entry in reversed(entries)]
        found = {}
        for name, identity, value in pool.map(state, items):
            found.setdefault(name, []).append((identity, value))
        for name in found.keys() | self.ledger.versions.keys():
            if name not in self.ledger.versions:
                raise Wrong(f"{name} is in the versioned bucket, and nobody put it there")
            self.ledger.versions[name].settle(found.get(name, []), name)
        return len(items)
