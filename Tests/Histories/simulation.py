"""Histories that are linearizable by construction, of a server that is a dictionary, and their spoiling.

They try the checker, and any other one beside it: right ones must be found right, and what two checkers say of spoiled
ones must be the same, since a change may leave a history right.
"""

import dataclasses
import heapq
import random

from Histories import model
from Histories.history import History, Operation
from Histories.workload import PROFILES, Workload

LONGEST = 40


class Server:
    """A bucket without versions, as one dictionary; each method happens at one moment."""

    def __init__(self, copies):
        self.objects, self.uploads, self.copies = {}, {}, copies

    def get(self, key):
        return self.objects.get(key, model.MISSING)

    head = get

    def put(self, key, etag, condition=None, match=None):
        if condition == "absent" and key in self.objects:
            return model.PRECONDITION
        if condition == "match" and self.objects.get(key) != match:
            return model.PRECONDITION if key in self.objects else model.MISSING
        self.objects[key] = etag
        return etag

    def delete(self, key):
        self.objects.pop(key, None)
        return model.DONE

    def list(self, after="", limit=1000):
        keys = sorted((key for key in self.objects if key.encode() > after.encode()), key=str.encode)
        return [[[key, self.objects[key]] for key in keys[:limit]], len(keys) > limit]

    def create(self, key, upload):
        self.uploads[upload] = {}
        return upload

    def part(self, key, upload, number, etag):
        if not isinstance(self.uploads.get(upload), dict):
            return model.NO_UPLOAD
        self.uploads[upload][number] = etag
        return etag

    def abort(self, key, upload):
        if not isinstance(self.uploads.get(upload), dict):
            return model.NO_UPLOAD
        del self.uploads[upload]
        return model.DONE

    def complete(self, key, upload, parts, etag, condition=None):
        known = self.uploads.get(upload)
        if not isinstance(known, dict):
            return known or model.NO_UPLOAD
        if any(known.get(number) != part for number, part in parts):
            return model.INVALID_PART
        if condition and key in self.objects:
            return model.PRECONDITION
        self.uploads[upload] = self.objects[key] = etag
        return etag


@dataclasses.dataclass
class Underway:
    client: int
    request: object
    call: int
    # What a copy has read.
    read: str | None = None
    answer: object = None


class Simulation:
    """Clients whose requests begin, happen and are answered at times drawn from a seed."""

    def __init__(self, seed, clients=5, operations=120, kills=2):
        self.chance = random.Random(seed)
        self.workload = Workload(seed, kinds=PROFILES[seed % len(PROFILES)], sizes=[(1.0, 4)], first_part=4)
        self.server = Server(self.workload.copies)
        self.left, self.operations = operations, []
        self.queue, self.count, self.underway = [], 0, {}
        for client in range(clients):
            self.later(0, client, self.call)
        for _ in range(kills):
            self.later(0, None, self.kill, self.chance.randrange(1, max(2, operations * LONGEST // clients // 2)))
        self.origin = {"seed": seed, "simulated": True}

    def later(self, now, client, what, delay=None):
        self.count += 1
        delay = self.chance.randrange(LONGEST) if delay is None else delay
        heapq.heappush(self.queue, (now + delay, self.count, client, what, self.underway.get(client)))

    def run(self):
        while self.queue:
            now, _, client, what, underway = heapq.heappop(self.queue)
            # What a killed server had under way does not go on.
            if what in (self.call, self.kill) or self.underway.get(client) is underway:
                what(now, client)
        return History(self.workload.keys, self.operations, self.workload.copies, self.origin)

    def call(self, now, client):
        if self.left <= 0:
            return
        self.left -= 1
        request = self.workload.next(self.chance, client)
        if request.kind == "create":
            request.arguments["upload"] = f"u{self.left}"
        self.underway[client] = Underway(client, request, now)
        self.later(now, client, self.read if request.kind == "copy" else self.happen)

    def read(self, now, client):
        underway = self.underway[client]
        underway.read = self.server.get(underway.request.arguments["source"])
        if underway.read == model.MISSING:
            underway.answer = model.MISSING
        self.later(now, client, self.reply if underway.answer else self.happen)

    def happen(self, now, client):
        underway = self.underway[client]
        request = underway.request
        if request.kind == "copy":
            etag = self.workload.copies.get(underway.read, underway.read)
            underway.answer = self.server.put(request.arguments["key"], etag)
        else:
            underway.answer = getattr(self.server, request.kind)(**request.arguments)
        self.later(now, client, self.reply)

    def reply(self, now, client):
        underway = self.underway.pop(client)
        self.note(underway, now, underway.answer)
        self.workload.learn(underway.request, underway.answer, self.chance)
        self.later(now, client, self.call)

    def kill(self, now, _):
        for client in list(self.underway):
            underway = self.underway.pop(client)
            self.note(underway, now, None)
            self.workload.learn(underway.request, None, self.chance)
            self.later(now, client, self.call)

    def note(self, underway, end, answer):
        request = underway.request
        # Nobody knows the name of an upload whose creation was not answered.
        if request.kind != "create" or answer is not None:
            self.operations.append(
                Operation(underway.client, request.kind, request.arguments, underway.call, end, answer)
            )


def spoiled(history, chance):
    """The same with one thing changed that makes it wrong mostly: an answer, a time, or an operation left out."""
    operations = list(history.operations)
    while True:
        number = chance.randrange(len(operations))
        changed = SPOILERS[chance.randrange(len(SPOILERS))](operations[number], operations, chance)
        if changed is not None:
            operations[number : number + 1] = changed
            return dataclasses.replace(history, operations=operations)


def another_answer(operation, operations, chance):
    """What another request of its kind was answered, on the same key where it has one."""
    others = [
        each.answer
        for each in operations
        if each.kind == operation.kind
        and each.arguments.get("key") == operation.arguments.get("key")
        and each.answer not in (None, operation.answer)
    ]
    if operation.is_open or not others or operation.kind == "create":
        return None
    return [dataclasses.replace(operation, answer=chance.choice(others))]


def another_listing(operation, operations, chance):
    """One key is missing, or its entry is of another time."""
    if operation.kind != "list" or operation.is_open or not operation.answer[0]:
        return None
    listed = [list(each) for each in operation.answer[0]]
    number = chance.randrange(len(listed))
    etags = [
        each.answer
        for each in operations
        if each.kind in ("put", "get") and each.arguments["key"] == listed[number][0]
        if each.answer not in (None, listed[number][1], *model.REFUSALS)
    ]
    if etags and chance.random() < 0.5:
        listed[number][1] = chance.choice(etags)
    else:
        del listed[number]
    return [dataclasses.replace(operation, answer=[listed, operation.answer[1]])]


def no_effect(operation, *_):
    """A write that was acknowledged is not there: the others never saw it."""
    is_write = operation.kind in ("put", "delete", "copy", "part", "complete", "abort")
    return [] if is_write and not operation.is_open and operation.answer not in model.REFUSALS else None


def another_time(operation, operations, chance):
    """It was asked and answered after what came later, or before what came earlier."""
    if operation.end is None:
        return None
    shift = chance.choice([-6, -3, 3, 6]) * LONGEST
    return [dataclasses.replace(operation, call=operation.call + shift, end=operation.end + shift)]


def two_winners(operation, *_):
    """A refused conditional write was told that it won."""
    if operation.kind != "put" or operation.answer not in model.REFUSALS:
        return None
    return [dataclasses.replace(operation, answer=operation.arguments["etag"])]


SPOILERS = [another_answer, another_listing, no_effect, another_time, two_winners]
