"""What a fault proxy remembers of what went through it, so that it can give older answers and those of others."""

import collections
import dataclasses
import hashlib
import re

from Remote import messages


@dataclasses.dataclass
class State:
    """What was under a key. A body of None is one that was too long to be remembered."""

    exists: bool
    body: bytes | None = None


ABSENT = State(False)


class Memory:
    """Bounded: the bodies that were seen first are forgotten first."""

    def __init__(self, limit=64 << 20, longest=4 << 20, listings=1000):
        self.longest = longest
        self._limit, self._listings_limit, self._longest_listing = limit, listings, 256 << 10
        self._states = collections.OrderedDict()
        self._listings = collections.OrderedDict()
        self._used = 0
        # What an endless listing repeats.
        self.endless_page = None

    def wrote(self, key, body):
        """Notes a write that succeeded; None for a body that is not known."""
        self._changed(key, State(True, body))

    def deleted(self, key):
        self._changed(key, ABSENT)

    def listed(self, target, body):
        """Notes the first answer to a listing."""
        if target not in self._listings and len(body) <= self._longest_listing:
            self._listings[target] = body
            while len(self._listings) > self._listings_limit:
                self._listings.popitem(last=False)

    def _changed(self, key, state):
        # What was there before the first change is taken for nothing: keys are written once.
        states = self._states.setdefault(key, [ABSENT])
        states.append(state)
        self._states.move_to_end(key)
        self._used += len(state.body or b"")
        if len(states) > 4:
            self._used -= len(states.pop(0).body or b"")
        while self._used > self._limit and len(self._states) > 1:
            _, forgotten = self._states.popitem(last=False)
            self._used -= sum(len(each.body or b"") for each in forgotten)

    def before(self, key):
        """What was under a key before its last change; None where that is not known."""
        states = self._states.get(key)
        if states is None:
            return None
        before = states[-2]
        return before if before.body is not None or not before.exists else None

    def first_listing(self, target):
        return self._listings.get(target)

    def of_another(self, key):
        """The bytes of another object, the last that was written; None where there is none."""
        for other, states in reversed(self._states.items()):
            if other != key and states[-1].body:
                return states[-1].body
        return None


def answer_of(state, request):
    """What a backend in which a key has a state answers to a reading request."""
    if not state.exists:
        return messages.made_up(404, error("NoSuchKey"), ("Content-Type", "application/xml"), method=request.method)
    return part_of(state.body, request)


def part_of(body, request):
    """An object, or the range of it that a request is for."""
    fields = [("ETag", f'"{hashlib.md5(body).hexdigest()}"'), ("Accept-Ranges", "bytes")]
    asked = re.fullmatch(r"bytes=(\d+)-(\d*)", request.fields.get("range", ""))
    if asked is None:
        return messages.made_up(200, body, *fields, method=request.method)
    first, last = int(asked[1]), min(int(asked[2] or len(body)), len(body) - 1)
    if first > last:
        return messages.made_up(416, error("InvalidRange"), ("Content-Type", "application/xml"))
    fields.append(("Content-Range", f"bytes {first}-{last}/{len(body)}"))
    return messages.made_up(206, body[first : last + 1], *fields, method=request.method)


def error(code, extra=""):
    """The document of an error."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>The fault proxy says so.</Message>{extra}"
        "<RequestId>FAULTPROXY1</RequestId></Error>"
    ).encode()
