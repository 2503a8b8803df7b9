"""The commands beside `serve`: what they say of a wrong path, of a deployment in use, and of what was configured."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

from Harness import certificates, gateway, raw

POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
USER = {"access-key": "ANNSACCESSKEY", "user": "ann", "policies": [POLICY]}


def run(*arguments, environment=(), timeout=60):
    """Runs a command of the binary in an environment without our variables."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TIDEGATE_"))}
    clean.update(environment)
    return subprocess.run(
        [str(gateway.binary()), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        env=clean,
    )


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A gateway that has run with a key from the environment, and has stopped."""
    with gateway.Gateway(tmp_path_factory.mktemp("stopped")) as running:
        client = raw.Raw(running.access)
        assert client("PUT", "/bucket").status == 200
        assert client("PUT", "/bucket/key", body=b"x" * 300_000).status == 200
        client.close()
    return running


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    """A gateway that only answers."""
    with gateway.Gateway(tmp_path_factory.mktemp("quiet")) as running:
        yield running


@pytest.fixture
def yaml(tmp_path):
    """Writes a configuration file (JSON is YAML) with a mode."""

    def write(content, mode=0o600):
        path = tmp_path / "tidegate.yaml"
        path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
        path.chmod(mode)
        return path

    return write


# A wrong path


@pytest.mark.parametrize("command", ["scrub", "collect", "recover"])
@pytest.mark.parametrize("exists", [False, True])
def test_a_command_makes_no_deployment(tmp_path, command, exists):
    data = tmp_path / "wrong"
    if exists:
        data.mkdir()
    result = run(command, "--data", data)
    assert result.returncode == 1, result
    assert result.stderr.startswith(f"There is no deployment at {data}: "), result.stderr
    assert result.stdout == ""
    assert list(tmp_path.rglob("*")) == ([data] if exists else [])


@pytest.mark.parametrize("command", ["scrub", "collect", "recover"])
def test_only_serve_draws_a_root_key(stopped, command):
    result = run(command, "--data", stopped.data)
    assert result.returncode == (1 if command == "recover" else 0), result
    assert "key" not in result.stdout + result.stderr
    assert not (stopped.data / "root-credentials").exists()


def test_an_empty_variable_is_not_set(tmp_path):
    environment = {"TIDEGATE_ROOT_ACCESS_KEY": "", "TIDEGATE_ROOT_SECRET_KEY": "", "TIDEGATE_REGION": ""}
    result = run("config", "--print", environment=environment)
    assert result.returncode == 0 and result.stderr == "", result
    assert "region: us-east-1  # default" in result.stdout.splitlines()
    assert "root.access-key" not in result.stdout


# What is in use, or broken


@pytest.mark.parametrize("command", ["serve", "scrub", "collect"])
def test_a_deployment_in_use_is_named_with_its_process(tmp_path, command):
    with gateway.Gateway(tmp_path) as running:
        s3, admin = gateway.free_ports(2)
        arguments = ["--listen", f"127.0.0.1:{s3}", "--admin", f"127.0.0.1:{admin}"]
        result = run(command, "--data", running.data, *arguments)
        assert result.returncode == 1, result
        assert f"the process {running.process.pid} has it open, a gateway that serves it" in result.stderr
        assert "SQLite" not in result.stderr and "error" not in result.stderr
        assert result.stdout == "" and not (running.data / "root-credentials").exists()


def test_a_damaged_index_points_to_recover(tmp_path, stopped):
    data = tmp_path / "data"
    data.mkdir()
    (data / "index.sqlite").write_bytes(b"no index " * 4096)
    result = run("scrub", "--data", data)
    assert result.returncode == 1, result
    assert "it is damaged" in result.stderr and "`tidegate recover`" in result.stderr


def test_a_taken_port_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (admin,) = gateway.free_ports(1)
        arguments = ["--listen", f"127.0.0.1:{port}", "--admin", f"127.0.0.1:{admin}"]
        result = run("serve", "--data", tmp_path / "data", *arguments)
    assert result.returncode == 1, result
    wanted = f"The S3 port: 127.0.0.1:{port} cannot be listened on: another process listens there.\n"
    assert result.stderr.endswith(wanted), result.stderr


def test_there_must_be_a_log_to_verify(tmp_path, stopped):
    for path in [tmp_path, tmp_path / "missing", stopped.data]:
        result = run("audit", "verify", path)
        assert result.returncode == 1, result
        assert result.stderr == f"There is no audit log at {path}.\n" and result.stdout == "", result
    result = run("audit", "verify", stopped.data / "audit")
    assert result.returncode == 0 and re.search(r"^\d+ records in 1 file, ", result.stdout), result


# Secrets that others can read


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o644, 0o604])
@pytest.mark.parametrize("secret", ["root", "user"])
def test_a_file_with_secrets_is_for_its_owner_alone(yaml, secret, mode):
    root = {"root": {"access-key": "ROOTSKEY", "secret-key": "a-secret-of-root"}}
    path = yaml(root if secret == "root" else {"keys": [{**USER, "secret": "a-secret-of-ann"}]}, mode)
    for arguments in (["--check", path], ["--print", "--config", path]):
        result = run("config", *arguments)
        if mode & 0o077:
            assert result.returncode == 78, result
            assert f"`{path}` can be used by others: run `chmod 600 {path}`" in result.stderr
            assert "a-secret" not in result.stderr
        else:
            assert result.returncode == 0, result


def test_a_file_without_secrets_may_be_read_by_anybody(yaml, tmp_path):
    secret = tmp_path / "ann"
    secret.write_text("a-secret-of-ann\n")
    secret.chmod(0o600)
    path = yaml({"keys": [{**USER, "secret-file": str(secret)}]}, 0o644)
    assert run("config", "--check", path).returncode == 0


# Whatever serve would refuse


def check(path):
    """What `config --check` says is wrong, and that `serve` says so too."""
    result = run("config", "--check", path)
    assert result.returncode == 78, result
    s3, admin = gateway.free_ports(2)
    places = ["--listen", f"127.0.0.1:{s3}", "--admin", f"127.0.0.1:{admin}", "--data", path.parent / "data"]
    served = run("serve", "--config", path, *places)
    assert served.returncode in (1, 78), served
    return result.stderr, served.stderr


@pytest.mark.parametrize("broken", ["missing", "not-json", "no-policy", "inline"])
def test_policies_are_checked(yaml, tmp_path, broken):
    policies = tmp_path / "policies"
    policies.mkdir()
    if broken == "not-json":
        (policies / "not-json.json").write_text("{")
    if broken == "no-policy":
        (policies / "no-policy.json").write_text(json.dumps({"Version": "2012-10-17", "Statement": [{}]}))
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Perhaps"}]} if broken == "inline" else broken
    user = {**USER, "secret": "a-secret-of-ann", "policies": [policy]}
    checked, served = check(yaml({"policies-directory": str(policies), "keys": [user]}))
    wanted = "the policy of the access key ANNSACCESSKEY" if broken == "inline" else broken
    assert wanted in checked and wanted in served, (checked, served)


@pytest.mark.parametrize("broken", ["no-certificate", "no-key", "other-key", "open-key", "not-pem"])
def test_certificates_are_checked(yaml, tmp_path, broken):
    for name in ["one", "two"]:
        (tmp_path / name).mkdir()
        certificates.make(tmp_path / name)
    certificate, key = tmp_path / "one/server.pem", tmp_path / "one/server-key.pem"
    wanted = {
        "no-certificate": f"{certificate} cannot be read",
        "no-key": f"`{key}` cannot be opened: No such file or directory",
        "other-key": f"The key in {tmp_path}/two/server-key.pem is not that of the first certificate in {certificate}.",
        "open-key": f"`{key}` can be used by others: run `chmod 600 {key}`",
        "not-pem": f"{key} holds no private key",
    }[broken]
    if broken == "no-certificate":
        certificate.unlink()
    if broken == "no-key":
        key.unlink()
    if broken == "other-key":
        key = tmp_path / "two/server-key.pem"
    if broken == "open-key":
        key.chmod(0o644)
    if broken == "not-pem":
        key.write_text("nothing\n")
    checked, served = check(yaml({"tls": {"certificate": str(certificate), "key": str(key)}}))
    assert wanted in checked and wanted in served, (checked, served)


def test_a_usable_configuration_passes_and_leaves_nothing(yaml, tmp_path):
    (tmp_path / "tls").mkdir()
    made = certificates.make(tmp_path / "tls")
    tls = {"certificate": str(made.certificate), "key": str(made.key)}
    path = yaml({"data": str(tmp_path / "data"), "keys": [{**USER, "secret": "a-secret-of-ann"}], "tls": tls})
    result = run("config", "--check", path)
    assert (result.returncode, result.stdout) == (0, f"{path} is a usable configuration.\n"), result
    assert not (tmp_path / "data").exists()


def test_the_readme_shows_a_usable_configuration(yaml, tmp_path):
    made = certificates.make(tmp_path)
    shutil.copy(made.certificate, tmp_path / "chain.pem")
    shutil.copy(made.key, tmp_path / "key.pem")
    (tmp_path / "ann").write_text("a-secret-of-ann\n")
    (tmp_path / "ann").chmod(0o600)
    shown = re.search(r"```yaml\n(.*?)```", (gateway.ROOT / "README.md").read_text(), re.DOTALL)[1]
    shown = shown.replace("/etc/tidegate", str(tmp_path)).replace(": policies ", f": {gateway.ROOT}/policies ")
    result = run("config", "--check", yaml(shown))
    assert result.returncode == 0, result


def test_a_key_that_stands_twice_is_named_by_its_second_line(yaml):
    path = yaml("pool:\n  data-shards: 4\n  cell-size: 64KiB\n  data-shards: 2\n")
    result = run("config", "--check", path)
    assert f"{path}:4: the key `data-shards` stands twice in one group: before in line 2" in result.stderr


# Signals


def test_sighup_without_tls_reads_nothing(tmp_path):
    with gateway.Gateway(tmp_path) as running:
        running.process.send_signal(signal.SIGHUP)
        running.wait_log("TLS is not configured")
        assert "certificates read again" not in running.log.read_text()


# What a running gateway tells


def test_a_start_names_the_stores_that_are_away(tmp_path):
    """One that was away before is told again: nobody reads last week's log."""
    with gateway.Gateway(tmp_path) as running:
        pass
    shutil.rmtree(running.stores()[2])
    for _ in range(2):
        running.log.unlink()
        with running:
            running.wait_log("a store is away")
            lines = [line for line in running.log.read_text().splitlines() if "a store is away" in line]
            assert len(lines) == 1 and f"path={running.stores()[2]}" in lines[0], lines


def test_repairs_and_requests_are_told_in_numbers(tmp_path):
    """Repairs by their sum, requests with who asked and for what, and numbers as JSON's."""
    settings = ["log.format=json", "log.level=debug"]
    running = gateway.Gateway(tmp_path, settings=settings)
    with running:
        client = raw.Raw(running.access)
        assert client("PUT", "/bucket").status == 200
        for number in range(20):
            assert client("PUT", f"/bucket/{number}", body=bytes([number]) * 200_000).status == 200
        client.close()
    store = running.stores()[4]
    shutil.rmtree(store)
    store.mkdir()
    with running:
        running.wait_log('"message":"shards repaired","')
        running.wait_log('"unrepaired":')
    lines = [json.loads(line) for line in running.log.read_text().splitlines() if line.startswith("{")]
    put = next(line for line in lines if line.get("key") == "7")
    assert put["client"] == "127.0.0.1" and put["principal"].startswith("arn:aws:iam::") and put["bucket"] == "bucket"
    assert (put["operation"], put["status"], put["bytes-in"], put["bytes-out"]) == ("PutObject", 200, 200_000, 0)
    sums = [line for line in lines if line["message"] == "shards repaired" and line["level"] == "notice"]
    assert sums and sum(line["by-store"].get("4", 0) for line in sums) >= 20, sums
    assert len(sums) < 10, "one line for each repair"


def test_requests_that_a_stop_cuts_are_counted(tmp_path):
    running = gateway.Gateway(tmp_path, settings=["drain-timeout=0s", "log.format=json"])
    with running:
        client = raw.Raw(running.access)
        assert client("PUT", "/bucket").status == 200
        headers = client.signed("PUT", "/bucket/cut", {"Content-Length": "100"}, payload=raw.UNSIGNED)
        with socket.create_connection(("127.0.0.1", running.port)) as half:
            lines = [f"{name}: {value}" for name, value in headers.items()]
            half.sendall("\r\n".join(["PUT /bucket/cut HTTP/1.1", *lines, "", ""]).encode() + b"x" * 50)
            end = time.monotonic() + 60
            while running.metrics()["tidegate_requests_in_flight"] < 1:
                assert time.monotonic() < end
                time.sleep(0.02)
            assert running.stop() == 0
        client.close()
    lines = [json.loads(line) for line in running.log.read_text().splitlines() if line.startswith("{")]
    assert [line["requests"] for line in lines if line["message"] == "requests in flight were cut"] == [1]


def test_a_start_begins_no_scrub_before_its_time(tmp_path):
    """The first start has nothing to go by; the ones after it know when the last scrub ended."""
    running = gateway.Gateway(tmp_path)
    with running:
        running.wait_log("scrub pass ended")
    with running:
        running.wait_log("serving S3")
        client = raw.Raw(running.access)
        assert client("PUT", "/bucket").status == 200
        client.close()
    assert running.log.read_text().count("scrub pass ended") == 1


def test_collect_says_what_it_removed(tmp_path):
    with gateway.Gateway(tmp_path) as running:
        client = raw.Raw(running.access)
        assert client("PUT", "/bucket").status == 200
        assert client("PUT", "/bucket/key", body=b"1" * 300_000).status == 200
    with running:
        client = raw.Raw(running.access)
        assert client("DELETE", "/bucket/key").status == 204
        running.kill()
    result = run("collect", "--data", running.data)
    assert result.returncode == 0, result
    wanted = "removed: 1 blob of 300000 bytes in 6 shards, and 0 orphaned shards of 0 bytes"
    assert result.stdout.splitlines() == ["0 shards, 0 orphans left", wanted]


def test_recover_from_too_few_stores_says_what_is_unreadable(tmp_path):
    """The index needs one store that holds a copy of it, and objects need as many stores as there are data shards."""
    with gateway.Gateway(tmp_path / "whole") as running:
        client = raw.Raw(running.access)
        assert client("PUT", "/bucket").status == 200
        client.close()
    recovered = 0
    for number, store in enumerate(running.stores()):
        data = tmp_path / f"only-{number}"
        shutil.copytree(store, data / store.name)
        result = run("recover", "--data", data)
        if result.returncode == 0:
            recovered += 1
            wanted = "Only 1 store of 6 can be read: objects are unreadable until 4 of them are back."
            assert wanted in result.stdout.splitlines()
        else:
            assert "no store holds a whole snapshot" in result.stderr
            assert result.stderr.count(": no store is there\n") == 5, result
    assert recovered >= 1


# The admin port


@pytest.mark.parametrize(
    "host, allowed",
    [
        ("127.0.0.1", True),
        ("127.0.0.1:{port}", True),
        ("localhost:{port}", True),
        ("[::1]:{port}", True),
        ("[::1]", True),
        ("127.0.0.9", True),
        ("rebound.example", False),
        ("rebound.example:{port}", False),
        ("127.0.0.1.example", False),
        ("localhost.example:{port}", False),
        ("192.0.2.1:{port}", False),
        ("[2001:db8::1]:{port}", False),
    ],
)
def test_the_admin_port_answers_to_the_loopback_alone(quiet, host, allowed):
    """DNS rebinding: a page's own name leads a browser here, which then reads the answer for it."""
    connection = http.client.HTTPConnection("127.0.0.1", quiet.admin_port, timeout=10)
    connection.putrequest("GET", "/metrics", skip_host=True)
    connection.putheader("Host", host.format(port=quiet.admin_port))
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    assert answer.status == (200 if allowed else 403), body
    assert ("tidegate_" in body) == allowed


def test_an_error_about_any_key_can_be_parsed(quiet):
    client = raw.Raw(quiet.access)
    client("PUT", "/errors")
    for key in ["a%00b", "%01%02", "%EF%BF%BF"]:
        answer = client("GET", f"/errors/{key}")
        assert (answer.status, answer.code) == (404, "NoSuchKey"), answer
    client.close()
