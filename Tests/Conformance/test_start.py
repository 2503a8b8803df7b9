"""What a started process lets in: the drawn root key and nobody else, and the admin port only with its token."""

import os
import re
import stat
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from Harness import gateway, raw


def fetch(url, **headers):
    """Status and text of a GET."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def until(condition, process, log, deadline=60):
    """Polls until the condition gives something."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        assert process.poll() is None, log.read_text()
        time.sleep(0.02)
    raise AssertionError(log.read_text())


@pytest.fixture
def bare(tmp_path):
    """A process without a configured key and with a token for its admin port: S3's URL, the admin port's, its log."""
    token = tmp_path / "token"
    token.write_text("a-token-of-the-tests-0123456789\n")
    token.chmod(0o600)
    s3, admin = gateway.free_ports(2)
    log = tmp_path / "log"
    command = [str(gateway.binary()), "serve", "--data", str(tmp_path / "data"), "--listen", f"127.0.0.1:{s3}"]
    command += ["--admin", f"127.0.0.1:{admin}", "--set", f"admin.credential-file={token}"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TIDEGATE_"))}
    with open(log, "wb") as file:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    try:
        bearer = {"Authorization": f"Bearer {token.read_text().strip()}"}

        def ready():
            try:
                return fetch(f"http://127.0.0.1:{admin}/readyz", **bearer)[0] == 200
            except OSError:
                return False

        until(ready, process, log)
        yield f"http://127.0.0.1:{s3}", f"http://127.0.0.1:{admin}", log, bearer
    finally:
        process.terminate()
        process.wait(60)


def test_without_a_configured_key_only_the_drawn_one_is_let_in(bare, tmp_path):
    """SeaweedFS #7724, #7726: a server without users let everybody in."""
    url, _, log, _ = bare
    key, secret = re.findall(r"(?:access|secret)[ _a-z]*key\W+([A-Za-z0-9/+_-]{16,})", log.read_text(), re.IGNORECASE)
    drawn = gateway.Endpoint(url, key, secret, None)
    send = raw.Raw(drawn)
    try:
        assert send("PUT", "/drawn").status == 200
        assert send("PUT", "/drawn/key", {}, b"x").status == 200
    finally:
        send.close()
    for target in ["/", "/drawn", "/drawn/key"]:
        assert fetch(url + target)[0] == 403, target
    for change in [{"secret_key": "x" * 40}, {"secret_key": ""}, {"access_key": "AKIA"}]:
        wrong = drawn._replace(**change)
        send = raw.Raw(wrong)
        try:
            answer = send("GET", "/drawn/key")
            assert answer.status == 403 and answer.code in ("SignatureDoesNotMatch", "InvalidAccessKeyId"), answer
        finally:
            send.close()
    kept = [path for path in (tmp_path / "data").rglob("*") if path.is_file() and secret in path.read_text("latin-1")]
    assert len(kept) == 1, kept
    assert stat.S_IMODE(kept[0].stat().st_mode) == 0o600


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz", "/", "/debug/pprof"])
def test_the_admin_port_wants_its_token(bare, path):
    """CVE-2020-11012: an admin API took a key without its secret."""
    _, admin, _, bearer = bare
    token = bearer["Authorization"].removeprefix("Bearer ")
    wrong = ["", token, f"Basic {token}", f"Bearer {token[:-1]}", f"Bearer {token}x", "Bearer", f"Bearer  {token}"]
    for value in wrong:
        status, text = fetch(admin + path, **({"Authorization": value} if value else {}))
        assert (status, text) == (401, "A bearer token is wanted.\n"), value
    known = path in ("/metrics", "/healthz", "/readyz")
    assert fetch(admin + path, **bearer)[0] == (200 if known else 404)
