"""Clients that take every connection, against a process that may have few files open."""

import contextlib
import os
import socket
import time

import pytest

from Harness import gateway, raw

if os.environ.get("TIDEGATE_TEST_ENDPOINT"):
    pytest.skip("faults are made on a gateway that the test starts itself", allow_module_level=True)


def descriptors(process):
    return len(os.listdir(f"/proc/{process.pid}/fd"))


def answers(running):
    """What a new client gets, or None where it is turned away."""
    client = raw.Raw(running.access)
    try:
        answer = client("GET", "/bucket/key")
        return answer.body if answer.status == 200 else None
    except (OSError, EOFError, ValueError):
        return None
    finally:
        client.close()


def until(condition, running, deadline=60):
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        assert running.process.poll() is None, running.tail()
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(running.tail())


@pytest.mark.timeout(300)
def test_idle_connections_do_not_end_a_process_with_few_files(tmp_path):
    """The system's libraries end a process that has no file left; any client could bring that about."""
    with gateway.Gateway(tmp_path, open_files=1024) as running:
        assert "fewer connections and requests are taken than configured" in running.log.read_text()
        client = raw.Raw(running.access)
        assert client("PUT", "/bucket").status == 200
        assert client("PUT", "/bucket/key", body=b"x").status == 200
        client.close()
        until(lambda: answers(running) == b"x", running)
        before = descriptors(running.process)
        with contextlib.ExitStack() as stack:
            for _ in range(1500):
                with contextlib.suppress(OSError):
                    stack.enter_context(socket.create_connection(("127.0.0.1", running.port), timeout=5))
            for _ in range(40):
                assert running.process.poll() is None, running.tail()
                assert descriptors(running.process) < 900
                time.sleep(0.05)
            assert "is away" not in running.log.read_text(), "the stores stay attached, whoever is turned away"
        until(lambda: answers(running) == b"x", running)
        until(lambda: descriptors(running.process) < before + 50, running)


@pytest.mark.timeout(120)
def test_too_few_files_are_refused_with_what_to_do(tmp_path):
    running = gateway.Gateway(tmp_path, open_files=300)
    with pytest.raises(RuntimeError, match="may have only 300 files open.*LimitNOFILE"):
        running.start()
