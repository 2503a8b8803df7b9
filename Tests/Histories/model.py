"""S3, as far as one bucket without versions goes, as what each operation may answer and what it leaves.

Written from S3's documentation and not from any server's code. The state is a tuple of cells: one for each key (the
ETag of what it holds, or None), one for each upload, and one for each copy without an answer (the ETag of what it has
read). An operation becomes steps, each of which happens at one moment. A copy is two of them: S3 does not promise that
the source is still the same when the copy appears.
"""

import dataclasses
import typing

# The answers that are not an ETag or a list.
DONE, MISSING, PRECONDITION, NO_UPLOAD, INVALID_PART = "done", "missing", "precondition", "no upload", "invalid part"
REFUSALS = {MISSING, PRECONDITION, NO_UPLOAD, INVALID_PART}


@dataclasses.dataclass(frozen=True)
class Step:
    """What happens at one moment."""

    # The cells that it reads or writes.
    cells: frozenset
    # Takes a state to the next one; None where the answer could not have been given, or nothing would have happened.
    apply: typing.Callable
    # Whether it never changes anything.
    is_read: bool = False


def changed(state, cell, value):
    return state[:cell] + (value,) + state[cell + 1 :]


class Model:
    """The steps of the operations of one history."""

    def __init__(self, history):
        self.history = history
        names = [("key", key) for key in sorted(history.keys, key=str.encode)]
        names += [("upload", each) for each in sorted({o.arguments.get("upload") for o in history.operations} - {None})]
        names += [("copy", n) for n, o in enumerate(history.operations) if o.kind == "copy" and o.is_open]
        self.cells = {name: cell for cell, name in enumerate(names)}
        self.keys = [(name[1], cell) for name, cell in self.cells.items() if name[0] == "key"]
        self.initial = (None,) * len(names)

    def steps(self, number):
        """One or two: the second one comes after the first."""
        operation = self.history.operations[number]
        arguments = operation.arguments
        cell = self.cells.get(("key", arguments.get("key")))
        if operation.kind == "copy":
            return self.copy(number, operation, cell)
        return [getattr(self, operation.kind)(operation, cell, **{k: v for k, v in arguments.items() if k != "key"})]

    # Single requests on a key.

    def get(self, operation, cell):
        """GET or HEAD."""
        return self.observation(cell, lambda value: (value or MISSING) == operation.answer)

    head = get

    @staticmethod
    def observation(cell, holds):
        return Step(frozenset([cell]), lambda state: state if holds(state[cell]) else None, is_read=True)

    def put(self, operation, cell, etag, condition=None, match=None):
        """`condition` is None, "absent" (If-None-Match: *) or "match" (If-Match: the ETag `match`)."""
        if operation.answer in REFUSALS:
            refused = operation.answer
            return self.observation(cell, lambda value: self.refusal(condition, match, value) == refused)
        return Step(
            frozenset([cell]),
            lambda state: (
                changed(state, cell, etag)
                if self.refusal(condition, match, state[cell]) is None and operation.answer in (None, etag)
                else None
            ),
        )

    @staticmethod
    def refusal(condition, match, value):
        """Why a conditional write is refused, or None."""
        if condition == "absent":
            return None if value is None else PRECONDITION
        if condition == "match":
            return MISSING if value is None else None if value == match else PRECONDITION
        return None

    def delete(self, operation, cell):
        return Step(frozenset([cell]), lambda state: changed(state, cell, None))

    def copy(self, number, operation, target):
        source = self.cells["key", operation.arguments["source"]]
        etags = self.history.copies
        if operation.answer == MISSING:
            return [self.observation(source, lambda value: value is None)]
        if not operation.is_open:
            read = self.observation(source, lambda value: etags.get(value, value) == operation.answer)
            return [read, Step(frozenset([target]), lambda state: changed(state, target, operation.answer))]
        held = self.cells["copy", number]

        def read(state):
            value = state[source]
            return None if value is None else changed(state, held, etags.get(value, value))

        def write(state):
            return None if state[held] is None else changed(changed(state, target, state[held]), held, None)

        return [Step(frozenset([source, held]), read), Step(frozenset([held, target]), write)]

    # Listings.

    def list(self, operation, _, after="", limit=1000):
        """A page: at most `limit` keys after one, with what each holds, and whether there are more."""
        # JSON knows no tuples.
        listed, is_truncated = [tuple(each) for each in operation.answer[0]], operation.answer[1]
        # What comes after the end of a page that has one cannot be seen in it, but for the next key's being there.
        within = [(key, cell) for key, cell in self.keys if key.encode() > after.encode()]

        def apply(state):
            present = [(key, state[cell]) for key, cell in within if state[cell] is not None]
            return state if listed == present[:limit] and is_truncated == (len(present) > limit) else None

        return Step(frozenset(cell for _, cell in within), apply, is_read=True)

    # Uploads: None before and after, ("open", parts) or ("completed", the ETag of the object).

    def create(self, operation, _, upload):
        cell = self.cells["upload", upload]
        return Step(frozenset([cell]), lambda state: changed(state, cell, ("open", ())))

    def part(self, operation, _, upload, number, etag):
        cell = self.cells["upload", upload]
        if operation.answer == NO_UPLOAD:
            return self.observation(cell, lambda value: not self.is_open(value))

        def apply(state):
            if not self.is_open(state[cell]) or operation.answer not in (None, etag):
                return None
            parts = dict(state[cell][1]) | {number: etag}
            return changed(state, cell, ("open", tuple(sorted(parts.items()))))

        return Step(frozenset([cell]), apply)

    def abort(self, operation, _, upload):
        cell = self.cells["upload", upload]
        if operation.answer == NO_UPLOAD:
            return self.observation(cell, lambda value: not self.is_open(value))
        return Step(
            frozenset([cell]), lambda state: changed(state, cell, None) if self.is_open(state[cell]) else None
        )

    def complete(self, operation, key, upload, parts, etag, condition=None):
        """`etag` is what the object has if the listed parts become it. A repeated completion gets the first answer."""
        cell = self.cells["upload", upload]
        answer = operation.answer
        cells = frozenset([cell, key])

        def are_there(value):
            present = dict(value[1])
            return all(present.get(number) == part for number, part in parts)

        if answer == NO_UPLOAD:
            return self.observation(cell, lambda value: value is None)
        if answer == INVALID_PART:
            return self.observation(cell, lambda value: self.is_open(value) and not are_there(value))
        if answer == PRECONDITION:
            return Step(
                cells,
                lambda state: (
                    state if self.is_open(state[cell]) and self.refusal(condition, None, state[key]) else None
                ),
                is_read=True,
            )

        def apply(state):
            if state[cell] == ("completed", answer):
                return state
            if not self.is_open(state[cell]) or not are_there(state[cell]) or answer not in (None, etag):
                return None
            if self.refusal(condition, None, state[key]):
                return None
            return changed(changed(state, cell, ("completed", etag)), key, etag)

        return Step(cells, apply)

    @staticmethod
    def is_open(upload):
        return upload is not None and upload[0] == "open"
