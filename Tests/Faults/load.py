"""Workers that load a server with a mixture of mutations and reads, and write every outcome into the ledger."""

import contextlib
import hashlib
import random
import threading

from Harness import raw
from Harness.samples import MIB
from Faults.ledger import ABSENT, Key, State, Upload, Versions, Wrong

PLAIN, VERSIONED = "plain-bucket", "versioned-bucket"
KEYS_OF_EACH = 12
LOST = raw.LOST
PART = 5 * MIB


class Gone(Exception):
    """The server did not answer."""


class Refused(Exception):
    """A read was answered 5xx where that is allowed."""


class Worker(threading.Thread):
    """Works on keys of its own until told to stop, or until the server is gone."""

    def __init__(self, number, server, ledger, seed, stopping, operations, may_refuse_reads=False):
        super().__init__(daemon=True, name=f"worker-{number}")
        self.number, self.ledger, self.stopping, self.operations = number, ledger, stopping, operations
        self.raw = raw.Raw(server, timeout=30)
        self.chance = random.Random(f"{seed}/{number}")
        self.seed = seed
        # Whether a read may be answered 5xx, as when a disk cannot be read; never may it be answered wrong.
        self.may_refuse_reads = may_refuse_reads
        self.keys = [f"w{number}/ключ {n}+" for n in range(KEYS_OF_EACH)]
        self.error = None

    def run(self):
        try:
            while not self.stopping.is_set():
                with contextlib.suppress(Refused):
                    self.step(self.chance.choice(self.operations))
        except Gone:
            pass
        except Exception as error:
            self.error = error
        finally:
            self.raw.close()

    def step(self, operation):
        getattr(self, operation)()

    # What every request goes through.

    def send(self, kind, method, bucket, key, query="", headers=None, body=b"", unknown=None, good=(200, 204)):
        """Returns the answer to a mutation that was acknowledged; an unanswered one leaves its effect as possible."""
        target = f"/{bucket}/{raw.quote(key)}" + (f"?{query}" if query else "")
        try:
            answer = self.raw(method, target, headers, body, payload=raw.UNSIGNED if len(body) > MIB else None)
        except LOST as error:
            if unknown:
                unknown()
            self.ledger.unanswered += 1
            raise Gone from error
        if answer.status >= 500:
            # It may have happened all the same: the key is left alone until it was looked at.
            if unknown:
                unknown()
            self.ledger.refused.append(f"{kind} {target}: {answer}")
            return None
        if answer.status not in good:
            raise Wrong(f"{kind} {target} was refused: {answer}")
        self.ledger.acknowledge(kind, answer.request_id)
        return answer

    def content(self):
        size = int(2 ** self.chance.uniform(0, 17)) if self.chance.random() < 0.97 else self.chance.randrange(3 * MIB)
        return self.chance.randbytes(size)

    def key(self, present=False):
        """One of this worker's keys whose state is certain, or None."""
        names = []
        for name in self.keys:
            known = self.ledger.keys.setdefault(name, Key())
            if not known.uncertain and (not present or known.state != ABSENT):
                names.append(name)
        return self.chance.choice(names) if names else None

    # Operations on the bucket without versions.

    def put(self):
        name = self.key()
        if name is None:
            return
        known, content = self.ledger.keys[name], self.content()
        tag = self.chance.choice([None, str(self.chance.random())]) if "tag" in self.operations else None
        state = State.of(content, hashlib.md5(content).hexdigest(), tag)
        headers = {"x-amz-tagging": f"t={tag}"} if tag else {}
        if self.send("put", "PUT", PLAIN, name, "", headers, content, lambda: known.possible.append(state)):
            known.state = state

    def delete(self):
        name = self.key()
        if name is None:
            return
        known = self.ledger.keys[name]
        if self.send("delete", "DELETE", PLAIN, name, unknown=lambda: known.possible.append(ABSENT)):
            known.state = ABSENT

    def copy(self):
        source, name = self.key(present=True), self.key()
        if source is None or name is None or source == name:
            return
        state, known = self.ledger.keys[source].state, self.ledger.keys[name]
        # A copy of an object that was put in parts has an ETag of its own: of the whole.
        content = self.read(source)
        state = State(state.digest, state.size, hashlib.md5(content).hexdigest(), state.tag)
        headers = {"x-amz-copy-source": f"/{PLAIN}/{raw.quote(source)}"}
        if self.send("copy", "PUT", PLAIN, name, "", headers, b"", lambda: known.possible.append(state)):
            known.state = state

    def tag(self):
        name = self.key(present=True)
        if name is None:
            return
        known, tag = self.ledger.keys[name], str(self.chance.random())
        body = f"<Tagging><TagSet><Tag><Key>t</Key><Value>{tag}</Value></Tag></TagSet></Tagging>".encode()
        state = State(known.state.digest, known.state.size, known.state.etag, tag)
        if self.send("tag", "PUT", PLAIN, name, "tagging", {}, body, lambda: known.possible.append(state)):
            known.state = state

    def get(self):
        name = self.key(present=True)
        if name is not None:
            self.read(name)

    def read(self, name):
        state = self.ledger.keys[name].state
        try:
            answer = self.raw("GET", f"/{PLAIN}/{raw.quote(name)}")
        except LOST as error:
            raise Gone from error
        self.admit(answer)
        if answer.status != 200 or hashlib.sha256(answer.body).hexdigest() != state.digest:
            raise Wrong(f"GET {name} under load: {answer}, acknowledged was {state}")
        return answer.body

    def admit(self, answer):
        if self.may_refuse_reads and answer.status >= 500:
            raise Refused

    def list(self):
        """Under load a listing must be in order and without doubles, and hold this worker's own keys exactly."""
        try:
            answer = self.raw("GET", f"/{PLAIN}?list-type=2&max-keys=1000&prefix=w{self.number}%2F")
        except LOST as error:
            raise Gone from error
        self.admit(answer)
        if answer.status != 200:
            raise Wrong(f"list: {answer}")
        names = answer.texts("Contents/Key")
        if names != sorted(set(names), key=str.encode):
            raise Wrong(f"a listing out of order: {names}")
        etags = dict(zip(names, answer.texts("Contents/ETag")))
        for name in self.keys:
            known = self.ledger.keys.get(name, Key())
            if not known.uncertain and etags.get(name, '""').strip('"') != known.state.etag:
                raise Wrong(f"{name} is listed with {etags.get(name)}, acknowledged was {known.state}")

    def race(self):
        """A conditional write that other workers try too: one of them at most may be told that it won."""
        name = f"race/{self.seed}/{self.chance.randrange(40)}"
        content = f"{self.number} {self.chance.random()}".encode()
        entry = [hashlib.sha256(content).hexdigest(), "unknown"]
        self.ledger.races.setdefault(name, []).append(entry)
        answer = self.send("race", "PUT", PLAIN, name, "", {"If-None-Match": "*"}, content, good=(200, 412, 409))
        if answer is not None:
            entry[1] = "won" if answer.status == 200 else "lost"

    def multipart(self):
        """Begins, continues, completes or aborts an upload of this worker."""
        own = [u for u, upload in self.ledger.uploads.items() if upload.key in self.keys and not upload.ending]
        if len(own) < 3 and self.chance.random() < 0.5 or not own:
            name = self.key()
            if name is not None:
                answer = self.send("create upload", "POST", PLAIN, name, "uploads")
                if answer:
                    self.ledger.uploads[answer.text("UploadId")] = Upload(name)
            return
        identity = self.chance.choice(own)
        upload = self.ledger.uploads[identity]
        numbers = sorted(upload.parts)
        choice = self.chance.random()
        if upload.possible and choice < 0.9:
            # The content of a part that was never answered is not kept: it is sent again before anything else.
            self.part(identity, upload, min(upload.possible))
        elif not numbers or choice < 0.4:
            self.part(identity, upload, 1 + len(numbers) % 2)
        elif choice < 0.9:
            self.complete(identity, upload, numbers)
        else:
            self.end(
                identity,
                upload,
                lambda gone: self.send("abort", "DELETE", PLAIN, upload.key, f"uploadId={identity}", unknown=gone),
            )

    def part(self, identity, upload, number):
        # The first part has the least size that is allowed before others; the last may have any.
        content = self.chance.randbytes(PART if number == 1 else self.chance.randrange(1, 100_000))
        etag = hashlib.md5(content).hexdigest()
        query = f"partNumber={number}&uploadId={identity}"

        def unknown():
            upload.possible.setdefault(number, set()).add(etag)

        if self.send("part", "PUT", PLAIN, upload.key, query, {}, content, unknown):
            upload.parts[number] = (etag, content)
            upload.possible.pop(number, None)

    def complete(self, identity, upload, numbers):
        known = self.ledger.keys[upload.key]
        if known.uncertain or upload.possible:
            return
        listed = "".join(
            f"<Part><PartNumber>{n}</PartNumber><ETag>{upload.parts[n][0]}</ETag></Part>" for n in numbers
        )
        body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
        content = b"".join(upload.parts[n][1] for n in numbers)
        joined = b"".join(bytes.fromhex(upload.parts[n][0]) for n in numbers)
        state = State.of(content, f"{hashlib.md5(joined).hexdigest()}-{len(numbers)}")

        def finish(gone):
            def unknown():
                known.possible.append(state)
                gone()

            answer = self.send("complete", "POST", PLAIN, upload.key, f"uploadId={identity}", {}, body, unknown)
            # An error may come with status 200 here.
            if answer is not None and b"<Error>" in answer.body:
                raise Wrong(f"complete: {answer}")
            if answer is not None:
                known.state = state
            return answer

        self.end(identity, upload, finish)

    def end(self, identity, upload, request):
        def gone():
            upload.ending = True

        if request(gone):
            del self.ledger.uploads[identity]

    # Operations on the versioned bucket.

    def version_key(self):
        name = self.chance.choice(self.keys[:4])
        known = self.ledger.versions.setdefault(name, Versions())
        return (name, known) if not known.uncertain else (None, None)

    def put_version(self):
        name, known = self.version_key()
        if name is None:
            return
        content = self.content()
        state = State.of(content, hashlib.md5(content).hexdigest())
        answer = self.send("put version", "PUT", VERSIONED, name, "", {}, content, lambda: known.added.append(state))
        if answer:
            known.versions.append((answer.headers["x-amz-version-id"], state))

    def delete_marker(self):
        name, known = self.version_key()
        if name is None:
            return
        answer = self.send("delete marker", "DELETE", VERSIONED, name, unknown=lambda: known.added.append(ABSENT))
        if answer:
            known.versions.append((answer.headers["x-amz-version-id"], ABSENT))

    def delete_version(self):
        name, known = self.version_key()
        if name is None or len(known.versions) < 4:
            return
        identity = self.chance.choice(known.versions)[0]
        query = f"versionId={identity}"
        if self.send(
            "delete version", "DELETE", VERSIONED, name, query, unknown=lambda: known.removed.append(identity)
        ):
            known.versions = [one for one in known.versions if one[0] != identity]


ALL = ["put"] * 6 + [
    "delete",
    "copy",
    "tag",
    "get",
    "get",
    "list",
    "race",
    "multipart",
    "multipart",
    "put_version",
    "put_version",
    "delete_marker",
    # As many as come: every check reads all of them.
    "delete_version",
    "delete_version",
    "delete_version",
]
