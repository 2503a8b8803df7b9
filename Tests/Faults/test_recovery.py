"""What a lost index costs, and what is done to directories that are another deployment's."""

import hashlib
import json
import os

import pytest

from Harness import gateway, raw

if os.environ.get("TIDEGATE_TEST_ENDPOINT"):
    pytest.skip("faults are made on a gateway that the test starts itself", allow_module_level=True)

# Too long for the journal to get what a test writes after the start.
LAGGING = "index.journal-lag=60s"


def remove_index(data):
    for path in data.glob("index.sqlite*"):
        path.unlink()


def contents(folder):
    """The digest of every file below a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.timeout(300)
def test_what_lost_commits_stored_is_kept_until_it_is_given_up(tmp_path):
    with gateway.Gateway(tmp_path) as running:
        client = raw.Raw(running.access)
        assert client("PUT", "/bucket").status == 200
        assert client("PUT", "/bucket/journalled", body=b"1" * 300_000).status == 200
    running = gateway.Gateway(tmp_path, settings=[LAGGING])
    running.start()
    client = raw.Raw(running.access)
    assert client("PUT", "/bucket/lost", body=b"2" * 300_000).status == 200
    running.kill()
    remove_index(running.data)
    recovered = running.tool("recover", "--data", running.data)
    assert "--after-recovery" in recovered.stdout

    collected = running.tool("collect", "--data", running.data, check=False)
    assert collected.returncode == 1, collected.stdout
    assert "6 shards kept" in collected.stdout
    # A gateway does not give them up either.
    with gateway.Gateway(tmp_path) as again:
        client = raw.Raw(again.access)
        assert client("GET", "/bucket/journalled").body == b"1" * 300_000
        assert client("GET", "/bucket/lost").status == 404
        assert client("DELETE", "/bucket/journalled").status == 204
    collected = running.tool("collect", "--data", running.data, check=False)
    assert collected.returncode == 1
    assert collected.stdout.startswith("12 shards"), collected.stdout

    collected = running.tool("collect", "--after-recovery", "--data", running.data)
    assert collected.stdout.startswith("0 shards, 0 orphans"), collected.stdout
    with gateway.Gateway(tmp_path) as again:
        pass
    records = [path.read_text() for path in (again.data / "audit").rglob("*") if path.is_file()]
    assert any('"eventName":"AcceptIndexLoss"' in text for text in records)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("command", ["serve", "recover"])
def test_a_store_of_another_deployment_is_left_as_it_is(tmp_path, command):
    with gateway.Gateway(tmp_path / "theirs") as theirs:
        client = raw.Raw(theirs.access)
        assert client("PUT", "/bucket").status == 200
        assert client("PUT", "/bucket/small", body=b"1" * 1000).status == 200
    with gateway.Gateway(tmp_path / "ours") as ours:
        pass
    foreign = theirs.stores()[0]
    (foreign / "tmp" / "0123456789abcdef-17.part").write_bytes(b"half-written")
    before = contents(foreign)
    if command == "recover":
        remove_index(ours.data)
    directories = [str(foreign)] + [str(store) for store in ours.stores()[1:]]
    settings = tmp_path / "mixed.yaml"
    settings.write_text(json.dumps({"pool": {"directories": directories}}))
    result = ours.tool(command, "--data", ours.data, "--config", settings, check=False)
    assert result.returncode != 0
    assert "different deployments" in result.stderr
    assert contents(foreign) == before
