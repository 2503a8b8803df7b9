"""Files that cannot be read, written or synced, one kind after another: a store's, the index's, the audit log's."""

import os
import time

import pytest

from Harness import gateway, preload, raw

if os.environ.get("TIDEGATE_TEST_ENDPOINT"):
    pytest.skip("faults are made on a gateway that the test starts itself", allow_module_level=True)

EIO = 5
# EX_SOFTWARE of sysexits.h: the index cannot be trusted any more.
UNTRUSTED = 70


class Failing:
    """A gateway whose files fail on demand, and what was acknowledged by it."""

    def __init__(self, folder):
        self.control = folder / "control"
        self.control.write_text("")
        library = preload.library("Faults/fail_files.c", folder)
        environment = {"LD_PRELOAD": library, "FAIL_FILES_CONTROL": str(self.control)}
        self.gateway = gateway.Gateway(folder / "gateway", environment=environment)
        self.acknowledged, self.possible, self.count = {}, {}, 0

    def __enter__(self):
        self.gateway.start()
        assert self.ask("PUT", "/bucket").status == 200
        for _ in range(8):
            assert self.put() == 200
        return self

    def __exit__(self, *_):
        self.gateway.kill()

    def fail(self, *rules):
        # Replaced as a whole, since it is read at any time.
        new = self.control.with_suffix(".new")
        new.write_text("".join(f"{call} {part} {EIO}\n" for call, part in rules))
        new.replace(self.control)

    def ask(self, method, target, body=b""):
        """The answer, or None where there was none."""
        client = raw.Raw(self.gateway.access)
        try:
            return client(method, target, {}, body)
        except raw.LOST:
            return None
        finally:
            client.close()

    def put(self):
        """The status of a PUT of a new object, small or large, or None; what got no answer may be there or not."""
        self.count += 1
        name, body = f"key-{self.count:03}", os.urandom(500 if self.count % 2 else 300_000)
        self.possible[name] = body
        answer = self.ask("PUT", f"/bucket/{name}", body)
        if answer is not None and answer.status == 200:
            self.acknowledged[name] = body
        return answer and answer.status

    def check(self):
        """Everything that was acknowledged is there and exact, and what was not is whole or absent."""
        for name, body in self.possible.items():
            answer = self.ask("GET", f"/bucket/{name}")
            assert answer is not None
            if name in self.acknowledged or answer.status != 404:
                assert answer.status == 200 and answer.body == body, (name, answer)
        listed = self.ask("GET", "/bucket?list-type=2").texts("Contents/Key")
        assert set(self.acknowledged) <= set(listed) <= set(self.possible)

    def restart(self):
        """On disks that work again."""
        self.gateway.kill()
        self.fail()
        self.gateway.start()
        self.check()
        assert self.put() == 200
        assert self.gateway.stop() == 0
        self.gateway.tool("audit", "verify", self.gateway.data / "audit")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("call", ["write", "sync"])
def test_a_store_that_cannot_be_written_is_written_around(tmp_path, call):
    with Failing(tmp_path) as failing:
        failing.fail((call, "/store-2/"))
        assert [failing.put() for _ in range(8)] == [200] * 8
        if call == "sync":
            failing.gateway.wait_log("a store takes no writes any more")
        failing.check()
        failing.restart()
        # The first may still find what the repair has not come to.
        failing.gateway.tool("scrub", "--data", failing.gateway.data, check=False)
        failing.gateway.tool("scrub", "--data", failing.gateway.data)


@pytest.mark.timeout(300)
def test_two_stores_that_cannot_be_read_are_decoded_around(tmp_path):
    with Failing(tmp_path) as failing:
        failing.fail(("read", "/store-0/"), ("read", "/store-3/"))
        failing.check()
        failing.restart()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("call", ["write", "sync"])
def test_an_index_that_cannot_be_written_ends_the_process(tmp_path, call):
    """A failed sync is never tried again: what the disk has is known after the next start."""
    with Failing(tmp_path) as failing:
        failing.fail((call, "/index.sqlite"))
        statuses = [failing.put() for _ in range(3)]
        assert 200 not in statuses
        assert failing.gateway.process.wait(30) == UNTRUSTED
        failing.restart()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("call", ["write", "sync"])
def test_a_log_that_cannot_be_written_stops_everything_it_would_record(tmp_path, call):
    with Failing(tmp_path) as failing:
        failing.fail((call, "/audit/audit-"))
        # Records go from the index to the log beside the requests, so that the first may come before it is known.
        before, end = [], time.monotonic() + 30
        while (status := failing.put()) != 503:
            before.append(status)
            assert time.monotonic() < end, "changes were taken that nobody could record"
        assert set(before) <= {200} and [failing.put() for _ in range(3)] == [503] * 3, before
        assert failing.ask("GET", "/bucket/key-001").status == 503
        large = failing.ask("GET", "/bucket/key-002")
        assert large is None or large.status == 503, "a read without its record became whole"
        # What was given a number but is not in the file must not be marked as being there; a mark is set in a second.
        audit, end = failing.gateway.data / "audit", time.monotonic() + 2.5
        while time.monotonic() < end:
            marked = int((audit / "mark").read_text().partition(":")[0])
            assert marked < sum(path.read_bytes().count(b"\n") for path in audit.glob("audit-*"))
            time.sleep(0.1)
        failing.restart()
