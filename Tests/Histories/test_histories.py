"""A share of what `prove` does: the real binary under concurrent clients and kills -9, its histories checked."""

import os

import pytest

from Histories import checker, recorder

if os.environ.get("TIDEGATE_TEST_ENDPOINT"):
    pytest.skip("the histories are of a gateway that the test starts and kills itself", allow_module_level=True)

# Each is three histories with kills.
SESSIONS = int(os.environ.get("TIDEGATE_HISTORIES", "8"))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(SESSIONS))
def test_histories_are_linearizable(seed, tmp_path):
    session = recorder.Session(seed, tmp_path, kills=2 + seed % 2)
    histories = session.record()
    for history in histories:
        (tmp_path / f"{history.origin['bucket']}.json").write_text(history.encoded())
        verdict = checker.check(history)
        assert verdict.is_right, f"{tmp_path}: {verdict.reason}"
    # The disks are sound, and nobody is turned away.
    assert sum(bucket.counts["5xx"] for bucket in session.buckets) == 0, session.gateway.tail()
    answered = sum(not each.is_open for history in histories for each in history.operations)
    assert answered > 200, "too little was answered to say anything"
    kinds = {each.kind for history in histories for each in history.operations if not each.is_open}
    assert kinds >= {"put", "get", "head", "delete", "copy", "list", "create", "part"}
