"""What can be said of Dockerfile and docker-compose.yml without a container engine."""

import json
import pathlib
import re
import shutil
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
KNOWN = {
    "build",
    "image",
    "ports",
    "environment",
    "volumes",
    "read_only",
    "tmpfs",
    "cap_drop",
    "security_opt",
    "stop_grace_period",
    "restart",
    "profiles",
    "command",
    "healthcheck",
    "depends_on",
}


def instructions(text):
    """The Dockerfile's instructions with their arguments, continuation lines joined and comments left out."""
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [tuple(line.split(None, 1)) for line in lines if line.strip()]


def complaints(text):
    """What is wrong with a Dockerfile, in words."""
    found, wrong = instructions(text), []
    words = [word for word, _ in found]
    for word, rest in found:
        if word != word.upper() or not word.isalpha():
            wrong.append(f"{word} is no instruction")
        if word == "FROM" and (":" not in rest.split()[0] or rest.split()[0].endswith(":latest")):
            wrong.append(f"FROM {rest}: no pinned tag")
        if word == "ADD":
            wrong.append("ADD: COPY says what it does")
        if word in ("CMD", "ENTRYPOINT") and not isinstance(parsed(rest), list):
            wrong.append(f"{word} goes through a shell, which does not pass signals on")
        if word == "RUN" and "apt-get install" in rest:
            for needed in ["apt-get update", "--no-install-recommends", "rm -rf /var/lib/apt/lists/*", "-y"]:
                if needed not in rest:
                    wrong.append(f"apt-get install without {needed}")
        if word in ("ENV", "ARG") and re.search(r"(?i)(secret|password|token|key)\s*=", rest):
            wrong.append(f"{word} puts a secret into a layer")
    last = len(words) - 1 - words[::-1].index("FROM")
    final = found[last:]
    users = [rest for word, rest in final if word == "USER"]
    if words.count("FROM") < 2:
        wrong.append("one stage: the toolchain would be shipped")
    if not users or users[-1] in ("root", "0"):
        wrong.append("it runs as root")
    for word in ["HEALTHCHECK", "ENTRYPOINT"]:
        if word not in [name for name, _ in final]:
            wrong.append(f"no {word}")
    for word, rest in found:
        if word == "COPY" and "--from" not in rest:
            wrong += [f"COPY {name}: there is none" for name in rest.split()[:-1] if not (ROOT / name).exists()]
    return wrong


def parsed(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


def test_dockerfile():
    assert complaints((ROOT / "Dockerfile").read_text()) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("USER 10001", ""),
        lambda text: text.replace("USER 10001", "USER root"),
        lambda text: text.replace("debian:bookworm-slim", "debian"),
        lambda text: text.replace(" --no-install-recommends", ""),
        lambda text: re.sub(r"ENTRYPOINT .*", "ENTRYPOINT tidegate", text),
        lambda text: text.replace("COPY policies", "COPY nothing"),
        lambda text: text + "ENV SECRET_KEY=x\n",
        lambda text: re.sub(r"HEALTHCHECK [^\n]*\n[^\n]*\n", "", text),
    ],
)
def test_the_checks_can_fail(change):
    assert complaints(change((ROOT / "Dockerfile").read_text())) != []


def test_dockerfile_installs_what_the_makefile_names():
    named = re.search(r"^BUILD_PACKAGES := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()
    build = (ROOT / "Dockerfile").read_text().split("\nFROM ")[1]
    assert set(named) <= set(re.findall(r"[\w.-]+", build))


def test_health_check_is_valid_shell():
    line = next(rest for word, rest in instructions((ROOT / "Dockerfile").read_text()) if word == "HEALTHCHECK")
    command = json.loads(line.split("CMD ", 1)[1])
    assert command[:2] == ["bash", "-c"]
    subprocess.run(["bash", "-n", "-c", command[2]], check=True)


def test_compose_file():
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert set(compose) <= {"name", "services", "volumes", "networks"}
    assert set(compose["services"]) >= {"gateway", "redis", "postgres", "minio", "ceph-rgw"}
    for name, service in compose["services"].items():
        assert set(service) <= KNOWN, f"{name}: {set(service) - KNOWN}"
        assert ("image" in service) != ("build" in service), name
        if "image" in service:
            assert re.fullmatch(r"[\w./-]+:[\w.-]+", service["image"]) and not service["image"].endswith(
                ":latest"
            ), name
            assert "healthcheck" in service, name
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} publishes {port} to everybody"
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in compose["volumes"], f"{name}: {volume} is not declared"
        for value in (service.get("environment") or {}).values():
            assert isinstance(value, str), f"{name}: {value!r} is no string"
        assert not any(
            re.search(r"(?i)(password|secret)", key) and not value.startswith("${")
            for key, value in (service.get("environment") or {}).items()
        ), f"{name} has a fixed secret"


def compose_command():
    """The command that reads compose files, as a plugin or on its own; neither needs an engine for that."""
    for command in [["docker", "compose"], ["docker-compose"]]:
        if shutil.which(command[0]) and subprocess.run([*command, "version"], capture_output=True).returncode == 0:
            return command
    return None


def test_docker_compose_accepts_it():
    command = compose_command()
    if command is None:
        pytest.skip("docker compose is not installed")
    subprocess.run([*command, "--profile", "backends", "config", "--quiet"], cwd=ROOT, check=True)


def test_nothing_private_goes_into_the_image():
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".build", ".git", "data"} <= set(ignored)
