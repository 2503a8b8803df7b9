"""What an outside observer knows of a server's contents: every acknowledged effect, and every possible one.

Each key belongs to one worker, so that its history is a sequence. A request without an answer leaves two possible
states, and the next check of the key, after a restart, settles which of them it is.
"""

import dataclasses
import hashlib
import threading


@dataclasses.dataclass(frozen=True)
class State:
    """What one key holds."""

    digest: str | None = None
    size: int = 0
    etag: str = ""
    tag: str | None = None

    @classmethod
    def of(cls, content, etag, tag=None):
        return cls(hashlib.sha256(content).hexdigest(), len(content), etag, tag)


ABSENT = State()


@dataclasses.dataclass
class Key:
    """A key of the bucket without versions."""

    state: State = ABSENT
    # The states that an unanswered request may have led to.
    possible: list = dataclasses.field(default_factory=list)

    @property
    def uncertain(self):
        return bool(self.possible)

    def settle(self, seen, name):
        """Takes what a check saw; complains where nothing known explains it."""
        if seen not in [self.state, *self.possible]:
            raise Wrong(f"{name} is {seen}; acknowledged was {self.state}, possible {self.possible}")
        self.state, self.possible = seen, []


@dataclasses.dataclass
class Versions:
    """A key of the versioned bucket, oldest first: (version id, State), a delete marker being ABSENT."""

    versions: list = dataclasses.field(default_factory=list)
    # What an unanswered request may have added.
    added: list = dataclasses.field(default_factory=list)
    # The ids that an unanswered request may have removed.
    removed: list = dataclasses.field(default_factory=list)

    @property
    def uncertain(self):
        return bool(self.added or self.removed)

    def settle(self, seen, name):
        """Takes the versions that a check saw, oldest first."""
        known = dict(self.versions)
        missing = [one for one in known if one not in dict(seen) and one not in self.removed]
        if missing:
            raise Wrong(f"{name} has lost the acknowledged versions {missing}")
        extra = [state for one, state in seen if one not in known]
        for state in extra:
            if state not in self.added:
                raise Wrong(f"{name} has a version that nobody wrote: {state}")
            self.added.remove(state)
        for one, state in seen:
            if one in known and known[one] != state:
                raise Wrong(f"{name} version {one} is {state}, was {known[one]}")
        order = [one for one, _ in seen if one in known]
        if order != [one for one, _ in self.versions if one in order]:
            raise Wrong(f"{name} lists its versions in another order than they were written in")
        self.versions, self.added, self.removed = list(seen), [], []


@dataclasses.dataclass
class Upload:
    """A multipart upload in progress."""

    key: str
    # Acknowledged parts: number to (ETag, content).
    parts: dict = dataclasses.field(default_factory=dict)
    # Parts whose request got no answer and may stand: number to ETags.
    possible: dict = dataclasses.field(default_factory=dict)
    # Whether an unanswered complete or abort may have ended it.
    ending: bool = False


class Wrong(Exception):
    """A law is broken."""


class Ledger:
    """All that is known, and the request ids of the acknowledged mutations."""

    def __init__(self):
        self.lock = threading.Lock()
        self.keys = {}
        self.versions = {}
        self.uploads = {}
        # Keys that several writers race for: name to the list of (digest, acknowledged or not).
        self.races = {}
        self.request_ids = []
        self.counts = {}
        self.unanswered = 0
        self.refused = []

    def acknowledge(self, kind, request_id):
        with self.lock:
            self.counts[kind] = self.counts.get(kind, 0) + 1
            self.request_ids.append((kind, request_id))
