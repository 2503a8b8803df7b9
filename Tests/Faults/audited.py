"""The audit log read by code of our own: every record, each naming the one before."""

import hashlib
import json

from Faults.ledger import Wrong


def records(folder):
    """The records of a log that nobody writes; raises Wrong where one is missing, changed or cut."""
    number, previous = 0, "0" * 64
    for path in sorted(folder.glob("audit-*")):
        *lines, rest = path.read_bytes().split(b"\n")
        if rest:
            raise Wrong(f"{path} ends within a line: {rest[:100]}")
        for line in lines:
            record = json.loads(line)
            if (record["seq"], record["prev"]) != (number, previous):
                raise Wrong(f"{path} has record {record['seq']}, which does not follow record {number - 1}")
            number, previous = number + 1, hashlib.sha256(line).hexdigest()
            yield record


def check(folder, acknowledged):
    """Every acknowledged mutation, as (kind, request id), has a record in the log."""
    recorded = {record.get("requestID") for record in records(folder)}
    missing = [entry for entry in acknowledged if entry[1] not in recorded]
    if missing:
        raise Wrong(f"{len(missing)} acknowledged mutations are not in the log; the first: {missing[:3]}")
