"""Records what concurrent clients ask and are answered, while the gateway is killed and started again.

A session is one gateway with several buckets, each with clients of its own and a history of its own; a kill ends the
process under all of them. What a killed process had under way has happened before its end or never: nothing of it is
left to happen later. What is answered 5xx may happen until that process ends.
"""

import collections
import dataclasses
import hashlib
import random
import threading
import time
import urllib.parse

from Harness import gateway, raw
from Histories import model
from Histories.history import History, Operation
from Histories.workload import KEYS, PROFILES, Request, Workload

LOST = raw.LOST
DEADLINE = 120


class Unexpected(Exception):
    """An answer that S3 does not have for the request."""


class Gate:
    """Lets requests begin, or holds them back."""

    def __init__(self, requests):
        self.condition = threading.Condition()
        self.left, self.begun, self.underway, self.is_open, self.has_ended = requests, 0, 0, True, False

    def enter(self):
        """Waits until a request may begin; false once there were enough of them."""
        with self.condition:
            self.condition.wait_for(lambda: self.is_open or self.left <= 0 or self.has_ended)
            if self.left <= 0 or self.has_ended:
                return False
            self.left, self.begun, self.underway = self.left - 1, self.begun + 1, self.underway + 1
            self.condition.notify_all()
            return True

    def leave(self, was_sent=True):
        """A request that could not be sent is one more to come."""
        with self.condition:
            self.underway -= 1
            self.left += 0 if was_sent else 1
            self.condition.notify_all()

    def close(self):
        """Returns once no request is under way."""
        with self.condition:
            self.is_open = False
            self.wait(lambda: self.underway == 0)

    def open(self):
        with self.condition:
            self.is_open = True
            self.condition.notify_all()

    def end(self):
        with self.condition:
            self.has_ended = True
            self.condition.notify_all()

    def wait_begun(self, count):
        with self.condition:
            self.wait(lambda: self.begun >= count or self.left <= 0 or self.has_ended)

    def wait(self, holds):
        if not self.condition.wait_for(holds, DEADLINE):
            raise RuntimeError(f"the clients stand still: {self.underway} requests under way, {self.left} to come")


class Bucket:
    """A bucket and the history of it."""

    def __init__(self, name, seed, kinds):
        self.name, self.seed = name, seed
        self.workload = Workload(seed, kinds=kinds)
        self.operations, self.lock, self.counts = [], threading.Lock(), collections.Counter()

    def note(self, client, request, call, end, answer):
        with self.lock:
            self.counts[request.kind if answer is not None else "unanswered"] += 1
            # Nobody knows the name of an upload whose creation was not answered.
            if request.kind == "create" and answer is not None:
                request.arguments["upload"] = answer
            if request.kind != "create" or answer is not None:
                self.operations.append(Operation(client, request.kind, request.arguments, call, end, answer))

    def ended(self, moment):
        """The process that had what is unanswered has ended; what was sent to it afterwards never happened."""
        with self.lock:
            self.operations = [
                dataclasses.replace(each, end=moment) if each.end is None else each
                for each in self.operations
                if each.end is not None or each.call <= moment
            ]

    def history(self, origin):
        return History(KEYS, self.operations, self.workload.copies, {**origin, "bucket": self.name})


class Client(threading.Thread):
    """Sends what the workload draws, one request after another, and notes what comes of each."""

    def __init__(self, number, server, bucket, gate):
        super().__init__(daemon=True, name=f"{bucket.name}-{number}")
        self.number, self.bucket, self.gate = number, bucket, gate
        self.raw = raw.Raw(server, timeout=60)
        self.chance = random.Random(f"{bucket.seed}/{number}")
        self.error = None

    def run(self):
        try:
            while self.gate.enter():
                was_sent = True
                try:
                    was_sent = self.send(self.bucket.workload.next(self.chance, self.number))
                finally:
                    self.gate.leave(was_sent)
        except Exception as error:
            self.error = error
            self.gate.end()
        finally:
            self.raw.close()

    def send(self, request):
        """Whether it got as far as to the gateway."""
        call = time.monotonic_ns()
        try:
            answer = self.ask(request)
        except ConnectionRefusedError:
            return False
        except LOST:
            answer = None
        end = time.monotonic_ns()
        if answer is not None and answer.status == 409:
            # Refused for the sake of others: it has changed nothing, which the others' answers show.
            self.bucket.counts["conflict"] += 1
            return True
        meaning = None
        if answer is not None and answer.status < 500:
            meaning = self.meaning(request, answer)
        elif answer is not None:
            self.bucket.counts["5xx"] += 1
        self.bucket.note(self.number, request, call, end if meaning is not None else None, meaning)
        self.bucket.workload.learn(request, meaning, self.chance)
        return True

    def ask(self, request):
        arguments, kind = request.arguments, request.kind
        target = f"/{self.bucket.name}/{raw.quote(arguments.get('key', ''))}"
        query = f"uploadId={urllib.parse.quote(arguments.get('upload', ''), safe='')}"
        headers = {}
        if arguments.get("condition") == "absent":
            headers["If-None-Match"] = "*"
        if arguments.get("condition") == "match":
            headers["If-Match"] = f'"{arguments["match"]}"'
        if kind == "copy":
            headers["x-amz-copy-source"] = f"/{self.bucket.name}/{raw.quote(arguments['source'])}"
        if kind == "list":
            after = urllib.parse.quote(arguments.get("after", ""), safe="")
            query = f"list-type=2&start-after={after}&max-keys={arguments.get('limit', 1000)}"
            return self.raw("GET", f"/{self.bucket.name}?{query}")
        if kind == "part":
            query = f"partNumber={arguments['number']}&{query}"
            return self.raw("PUT", f"{target}?{query}", {}, request.body, payload=raw.UNSIGNED)
        if kind == "complete":
            parts = "".join(
                f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
                for number, etag in arguments["parts"]
            )
            body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
            return self.raw("POST", f"{target}?{query}", headers, body)
        if kind in ("create", "abort"):
            return self.raw(*{"create": ("POST", f"{target}?uploads"), "abort": ("DELETE", f"{target}?{query}")}[kind])
        method = "PUT" if kind == "copy" else kind.upper()
        return self.raw(method, target, headers, request.body, payload=raw.UNSIGNED)

    def meaning(self, request, answer):
        """What an answer says in the model's words."""
        code = answer.code if answer.status >= 400 and request.kind != "head" else None
        refusal = REFUSALS.get((answer.status, code))
        if refusal in MAY_BE_REFUSED.get(request.kind, ()):
            return refusal
        if answer.status not in (200, 204):
            raise Unexpected(f"{request.kind} {request.arguments}: {answer}")
        match request.kind:
            case "get":
                return self.seen(answer.etag, "sha256", hashlib.sha256(answer.body).hexdigest())
            case "head":
                return self.seen(answer.etag, "size", int(answer.headers["Content-Length"]))
            case "put" | "part":
                return answer.etag
            case "copy" | "complete":
                return answer.text("ETag").strip('"')
            case "create":
                return answer.text("UploadId")
            case "list":
                listed = [self.listed(each) for each in answer.xml.findall("Contents")]
                return [listed, answer.text("IsTruncated") == "true"]
        return model.DONE

    def listed(self, entry):
        etag = entry.findtext("ETag").strip('"')
        return [entry.findtext("Key"), self.seen(etag, "size", int(entry.findtext("Size")))]

    def seen(self, etag, what, value):
        """An ETag, if it comes with what it was put with."""
        known = self.bucket.workload.contents.get(etag)
        if known is None:
            return f"unknown {etag}"
        return etag if getattr(known, what) == value else f"damaged {etag}"


REFUSALS = {
    (404, "NoSuchKey"): model.MISSING,
    # HEAD has no body to say it in.
    (404, None): model.MISSING,
    (404, "NoSuchUpload"): model.NO_UPLOAD,
    (412, "PreconditionFailed"): model.PRECONDITION,
    (400, "InvalidPart"): model.INVALID_PART,
}
MAY_BE_REFUSED = {
    "get": [model.MISSING],
    "head": [model.MISSING],
    "put": [model.MISSING, model.PRECONDITION],
    "copy": [model.MISSING],
    "part": [model.NO_UPLOAD],
    "abort": [model.NO_UPLOAD],
    "complete": [model.NO_UPLOAD, model.PRECONDITION, model.INVALID_PART],
}


class Session:
    """One gateway, its buckets and kills."""

    def __init__(self, seed, folder, buckets=3, clients=5, operations=120, kills=2, environment=None):
        """`operations` are those of each bucket."""
        self.seed, self.kills, self.chance = seed, kills, random.Random(f"session {seed}")
        self.gateway = gateway.Gateway(folder, environment=environment)
        self.buckets = [
            Bucket(f"h{number}-{seed}", f"{seed}/{number}", PROFILES[number % len(PROFILES)])
            for number in range(buckets)
        ]
        self.total = buckets * operations
        self.gate = Gate(self.total)
        self.clients = [
            Client(number, self.gateway.access, bucket, self.gate)
            for bucket in self.buckets
            for number in range(clients)
        ]
        self.origin = {"seed": seed, "clients": clients, "kills": kills, **(environment or {})}

    def record(self):
        """Returns the histories."""
        self.gateway.start()
        try:
            for bucket in self.buckets:
                answer = raw.Raw(self.gateway.access)("PUT", f"/{bucket.name}")
                if answer.status != 200:
                    raise Unexpected(f"CreateBucket: {answer}")
            for client in self.clients:
                client.start()
            for count in sorted(self.chance.sample(range(1, self.total), self.kills)):
                self.gate.wait_begun(count)
                self.kill()
            self.finish()
        finally:
            self.gate.end()
            self.gateway.kill()
        return [bucket.history(self.origin) for bucket in self.buckets]

    def kill(self):
        """Under requests or between them."""
        if self.chance.random() < 0.25:
            self.gate.close()
        self.gateway.kill()
        moment = time.monotonic_ns()
        self.gate.close()
        for bucket in self.buckets:
            bucket.ended(moment)
        self.gateway.start()
        self.gate.open()

    def finish(self):
        """Ends the load, and reads what there is at last, which must be answered."""
        for client in self.clients:
            client.join(DEADLINE)
            if client.is_alive():
                raise RuntimeError(f"{client.name} stands still:\n{self.gateway.tail()}")
            if client.error:
                raise client.error
        for bucket in self.buckets:
            reader = Client(-1, self.gateway.access, bucket, self.gate)
            for request in [Request("list", {}), *(Request("get", {"key": key}) for key in KEYS)]:
                reader.send(request)
                if bucket.operations[-1].is_open:
                    raise Unexpected(f"{request.kind} {request.arguments} was not answered at the end")
            reader.raw.close()
