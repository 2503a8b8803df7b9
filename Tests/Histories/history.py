"""What clients asked of one bucket and were answered, with the times of both."""

import dataclasses
import json

# After every other time: for what is still under way when a history ends.
NEVER = 1 << 62


@dataclasses.dataclass(frozen=True)
class Operation:
    """One request of one client.

    `arguments` and `answer` are what `model.Model` reads of them. Contents are told by their ETags, which are of
    distinct contents: what is not what the ETag's content should be has a name that nothing explains.

    Without an answer (`answer` is None) it may have happened at any time between `call` and `end`, or never. `end` is
    then the moment at which the process that had it was certainly dead, or None where nothing is known of that.
    """

    client: int
    kind: str
    arguments: dict
    call: int
    end: int | None
    answer: object = None

    @property
    def is_open(self):
        return self.answer is None

    def until(self, late):
        """When it has happened at the latest. `late` lets what has no answer happen ever after."""
        return NEVER if self.end is None or (late and self.is_open) else self.end

    def __str__(self):
        given = ", ".join(f"{name}={value}" for name, value in self.arguments.items() if value is not None)
        return f"client {self.client}: {self.kind}({given}) = {'no answer' if self.is_open else self.answer}"


@dataclasses.dataclass
class History:
    """All operations on a bucket that was empty at first."""

    keys: list
    operations: list
    # The ETag of the copy of each object that was put in parts: S3 gives the copy one of its own.
    copies: dict = dataclasses.field(default_factory=dict)
    # Where it comes from: seed, bucket, planted bug.
    origin: dict = dataclasses.field(default_factory=dict)

    def encoded(self):
        return json.dumps(
            {**vars(self), "operations": [vars(each) for each in self.operations]}, ensure_ascii=False
        )

    @classmethod
    def decoded(cls, text):
        read = json.loads(text)
        return cls(**read | {"operations": [Operation(**each) for each in read["operations"]]})
