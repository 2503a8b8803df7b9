"""A configuration file of which only the beginning is there, as after a crash of whoever wrote it or during a copy."""

import os

import pytest

from Harness import gateway, raw

if os.environ.get("TIDEGATE_TEST_ENDPOINT"):
    pytest.skip("faults are made on a gateway that the test starts itself", allow_module_level=True)

# EX_CONFIG of sysexits.h, and what a start says otherwise where it refuses.
REFUSED = (78, 1)


def lines(stores):
    return [
        "# What is cut off here must not be made up for by guesses.",
        "log: {level: info}",
        "audit:",
        "  durability: bounded",
        "index:",
        "  journal-lag: 2s",
        "limits:",
        "  connections: 200",
        "pool:",
        "  data-shards: 4",
        "  parity-shards: 2",
        "  directories:",
        *[f"    - {store}" for store in stores],
    ]


def cuts(text):
    """Every end of a line but the last, and places within lines; a whole line gone at the end is the sly case."""
    ends = [at + 1 for at, character in enumerate(text[:-1]) if character == "\n"]
    within = range(7, len(text) - 1, 23)
    return sorted({*ends, *within})


@pytest.fixture
def filled(tmp_path):
    """A stopped gateway with a configuration in YAML, and what is in it."""
    stores = [tmp_path / "stores" / f"store-{number}" for number in range(gateway.STORES)]
    (tmp_path / "stores").mkdir()
    running = gateway.Gateway(tmp_path, config={"log": {"level": "info"}})
    whole = "\n".join(lines(stores)) + "\n"
    running.config.write_text(whole)
    put = {f"key-{number}": os.urandom(1000 * number + 1) for number in range(6)}
    with running:
        client = raw.Raw(running.access)
        assert client("PUT", "/bucket").status == 200
        for key, body in put.items():
            assert client("PUT", f"/bucket/{key}", {}, body).status == 200
        client.close()
    return running, whole, put


def assert_whole(running, put):
    client = raw.Raw(running.access)
    for key, body in put.items():
        assert client("GET", f"/bucket/{key}").body == body, key
    assert client("GET", "/bucket?list-type=2").texts("Contents/Key") == sorted(put)
    client.close()


@pytest.mark.timeout(300)
def test_a_half_written_file_is_refused_with_its_place_or_means_less(filled):
    running, whole, _ = filled
    refused = 0
    for cut in cuts(whole):
        running.config.write_text(whole[:cut])
        checked = running.tool("config", "--check", running.config, check=False)
        assert checked.returncode in (0, *REFUSED), (cut, checked)
        if checked.returncode:
            refused += 1
            assert str(running.config) in checked.stderr + checked.stdout, (cut, checked)
    assert refused >= 10


@pytest.mark.timeout(300)
def test_a_start_with_a_half_written_file_loses_nothing(filled):
    """It is refused, or is not ready for want of its stores, or serves what is there; it never begins anew."""
    running, whole, put = filled
    outcomes = set()
    directories = whole.index("  directories:")
    for cut in [whole.index("pool:"), directories + 8, directories + 60, whole.rindex("    -"), len(whole) - 2]:
        running.config.write_text(whole[:cut])
        outcomes.add(outcome(running, put))
    assert outcomes >= {"refused", "not ready"}
    running.config.write_text(whole)
    with running:
        assert_whole(running, put)


def outcome(running, put):
    before = running.log.stat().st_size
    try:
        running.start(deadline=4)
    except RuntimeError:
        said = running.log.read_bytes()[before:].decode(errors="replace")
        if running.process is None:
            # It was not ready in time, and was killed for it.
            assert "a store is away" in said, said
            return "not ready"
        assert running.process.returncode in REFUSED and said.strip(), (running.process.returncode, said)
        return "refused"
    assert_whole(running, put)
    running.stop()
    return "served"
