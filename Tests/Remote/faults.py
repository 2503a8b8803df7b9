"""What a fault proxy may do to a request, and for which requests it is to do it."""

import collections
import dataclasses
import random
import re
import threading

OBJECTS = frozenset(["GetObject"])
READS = frozenset(["GetObject", "HeadObject", "ListObjectsV2"])
LISTINGS = frozenset(["ListObjectsV2"])
CHANGES = frozenset(["PutObject", "UploadPart", "CompleteMultipartUpload", "DeleteObject", "AbortMultipartUpload"])
ALL = READS | CHANGES | {"CreateMultipartUpload"}

# Each kind of fault, and the operations that it can be done to.
KINDS = {
    # The bytes of an answer. `honest`: whether Content-Length tells how many there really are.
    "truncate": OBJECTS | LISTINGS,  # what is behind byte `at`
    "flip": OBJECTS | LISTINGS,  # `count` bytes from `at` on, or from anywhere
    "append": OBJECTS | LISTINGS,  # `count` bytes
    "swap": OBJECTS,  # the bytes of another object
    "stale": READS,  # what was true before the last change of the key, or what a listing said first
    # Answers that the backend did not give. `forwards`: whether it was asked, and did what it was asked.
    "error": ALL,  # `status`, by default 200, with an `Error` document of `code`
    "html": ALL,  # 200 with a page
    "throttle": ALL,  # 503 SlowDown, with Retry-After where `seconds` says so
    "lost": CHANGES,  # success, and nothing is done
    "cut": ALL,  # done, and the connection ends before the answer
    "skew": ALL,  # a clock that is `seconds` ahead
    # Listings.
    "reordered": LISTINGS,
    "missing": LISTINGS,
    "duplicated": LISTINGS,
    "endless": LISTINGS,  # the same page again and again
    "onward": LISTINGS,  # without end, keys that are nobody's
    "outside": LISTINGS,  # with a key that does not have the prefix
    # The connection, at byte `at` of the `where`: "answer" or "request".
    "reset": ALL,
    "hang": ALL,  # until it is released
    "slow": ALL,  # `rate` bytes in a second, and `seconds` before the first byte
    "refuse": frozenset(),  # no connection is taken, whatever it would ask for
}


@dataclasses.dataclass(frozen=True)
class Fault:
    kind: str
    # What its count goes by; by default the kind.
    name: str = ""
    # Regular expressions: of the whole operation, and of any part of the key, or of a listing's prefix.
    operation: str = ".*"
    key: str = ""
    probability: float = 1.0
    # How often it is done at most.
    times: int | None = None
    # A byte of a body; from its end where negative, anywhere where None.
    at: int | None = None
    count: int = 1
    honest: bool = True
    closes: bool = False
    status: int = 200
    code: str = "InternalError"
    forwards: bool = False
    where: str = "answer"
    seconds: float = 0
    rate: int = 0

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"There is no fault {self.kind}.")
        if self.where not in ("answer", "request"):
            raise ValueError("A fault is done to the answer or to the request.")
        if not 0 <= self.probability <= 1:
            raise ValueError("A probability is from 0 to 1.")
        re.compile(self.operation), re.compile(self.key)
        if not self.name:
            object.__setattr__(self, "name", self.kind)

    def matches(self, request):
        return (
            request.operation in KINDS[self.kind]
            and re.fullmatch(self.operation, request.operation) is not None
            and re.search(self.key, request.subject) is not None
        )

    def place(self, length, chance):
        """The byte of a body at which it is done; None where the body is too short."""
        if self.at is None:
            return chance.randrange(length) if length else None
        place = self.at if self.at >= 0 else length + self.at
        return place if 0 <= place < length else None


class Plan:
    """The faults that are to be done, and how often each was. Its calls may come from any thread."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self._lock = threading.Lock()
        self._faults = []
        self._done = collections.Counter()

    def set(self, fault):
        """Adds a fault. The first that matches a request is done to it."""
        with self._lock:
            self._faults.append(Chance(fault))

    def clear(self):
        """No more faults; what was counted stays."""
        with self._lock:
            self._faults = []

    def counts(self):
        """How often each was done, by name."""
        with self._lock:
            return dict(self._done)

    def begin(self, request):
        """The chance of a fault for a request, or None. `end` tells of each that this gave."""
        with self._lock:
            for chance in self._faults:
                fault = chance.fault
                if fault.times is not None and chance.used >= fault.times:
                    continue
                if fault.matches(request) and self.chance.random() < fault.probability:
                    chance.used += 1
                    return chance
        return None

    def end(self, chance, is_done):
        with self._lock:
            if is_done:
                self._done[chance.fault.name] += 1
            else:
                chance.used -= 1

    def did(self, fault):
        """Counts what no single request had done to it."""
        with self._lock:
            self._done[fault.name] += 1


@dataclasses.dataclass
class Chance:
    """A fault that was set once, and how often it was done or begun."""

    fault: Fault
    used: int = 0
