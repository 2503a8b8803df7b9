"""Each fault of the fault proxy really does what it says, and nothing else does anything."""

import concurrent.futures
import contextlib
import datetime
import email.utils
import http.client
import json
import random
import re
import socket
import time
import urllib.request

import pytest

from Remote import messages, resigning
from Remote.bucket import Bucket
from Remote.control import Control
from Remote.faultproxy import Fault, FaultProxy

BODY = random.Random(1).randbytes(100_000)
LISTING = "/b?list-type=2&prefix=p%2F"


@pytest.fixture
def bucket():
    made = Bucket()
    yield made
    made.close()


@pytest.fixture
def proxy(bucket):
    with FaultProxy(bucket.port, secret_key="secret") as made:
        yield made


@pytest.fixture
def client(proxy):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=20)) as made:
        yield made


def ask(client, method, target, body=None, **fields):
    """Status, fields and body of an answer."""
    client.request(method, target, body, fields)
    answer = client.getresponse()
    return answer.status, answer.headers, answer.read()


def put(client, key="k", body=BODY):
    status, _, _ = ask(client, "PUT", f"/b/{key}", body)
    assert status == 200


def raw(proxy, method="GET", target="/b/k", body=b"", fields=""):
    """A connection on which a request was sent."""
    connection = socket.create_connection(("127.0.0.1", proxy.port), timeout=20)
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    connection.sendall(f"{method} {target} HTTP/1.1\r\nHost: h\r\n{length}{fields}\r\n".encode() + body)
    return connection


def until(condition):
    """Polls, for half a minute at most."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.005)


# Without a fault.


def test_sends_on_what_came(bucket, client):
    put(client)
    assert ask(client, "GET", "/b/k?x=%20y", Range="bytes=10-19", Host="as.the.client.said:7")[2] == BODY[10:20]
    request = bucket.requests[-1][0]
    assert request.target == "/b/k?x=%20y"
    assert request.fields.get("host") == "as.the.client.said:7"
    assert [name.lower() for name, _ in request.fields].count("host") == 1
    status, fields, body = ask(client, "HEAD", "/b/k")
    assert (status, fields["Content-Length"], body) == (200, str(len(BODY)), b"")
    assert ask(client, "DELETE", "/b/k")[0] == 204
    assert ask(client, "GET", "/b/k")[0] == 404


def test_keeps_connections(bucket, proxy, client):
    put(client)
    connection = client.sock
    for _ in range(20):
        assert ask(client, "GET", "/b/k")[2] == BODY
        assert client.sock is connection


def test_chunks_go_through(bucket, client):
    bucket.chunks, bucket.objects["k"] = True, BODY
    for _ in range(2):
        status, fields, body = ask(client, "GET", "/b/k")
        assert (status, fields["Transfer-Encoding"], body == BODY) == (200, "chunked", True)


def test_answers_who_waits_to_continue(bucket, proxy):
    with raw(proxy, "PUT", fields="Content-Length: 3\r\nExpect: 100-continue\r\n") as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"abc")
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
    assert bucket.objects["k"] == b"abc"


def test_memory_is_bounded(bucket, proxy, client):
    """Readers that do not read hold their objects up at the server, not in the proxy's memory."""
    bucket.objects["long"] = bytes(256 << 20)
    readers = [raw(proxy, target="/b/long") for _ in range(4)]
    for each in readers:
        assert each.recv(20)
    sent, since = bucket.sent, time.monotonic()
    while time.monotonic() - since < 1:
        put(client)
        if bucket.sent != sent:
            sent, since = bucket.sent, time.monotonic()
        # What is on its way is the kernel's.
        assert sent < 64 << 20
    for each in readers:
        each.close()


def test_a_server_that_is_gone_is_gone(bucket, proxy, client):
    put(client)
    bucket.close()
    with FaultProxy(bucket.port) as other, raw(other) as connection, pytest.raises(ConnectionResetError):
        connection.recv(100)


# Which requests.


def test_a_fault_is_done_where_it_is_to_be_done(proxy, client):
    put(client, "a/1"), put(client, "b/1")
    proxy.set(Fault("throttle", name="mine", operation="Get.*", key="^a/", times=2))
    seen = [ask(client, "GET", f"/b/{key}")[0] for key in ["b/1", "a/1", "a/1", "a/1"]]
    assert seen == [200, 503, 503, 200]
    assert proxy.counts() == {"mine": 2}
    # Set anew, it is done as often again.
    proxy.set(Fault("throttle", name="mine", key="^a/", times=1))
    assert [ask(client, "GET", "/b/a/1")[0] for _ in range(2)] == [503, 200]
    assert proxy.counts() == {"mine": 3}
    proxy.set(Fault("throttle", operation="HeadObject"))
    assert ask(client, "HEAD", "/b/b/1")[0] == 503
    proxy.clear()
    assert ask(client, "HEAD", "/b/b/1")[0] == 200
    assert (proxy.count("throttle"), proxy.count("never")) == (1, 0)


def test_the_seed_decides(bucket):
    def drawn(seed):
        with FaultProxy(bucket.port, seed=seed) as proxy:
            proxy.set(Fault("throttle", probability=0.5))
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=20)) as client:
                return [ask(client, "HEAD", "/b/k")[0] for _ in range(40)]

    first = drawn(1)
    assert first == drawn(1) != drawn(2)
    assert 5 < first.count(503) < 35


@pytest.mark.parametrize("wrong", [{"kind": "none"}, {"kind": "flip", "where": "x"}, {"kind": "flip", "key": "("}])
def test_what_is_no_fault_is_refused(wrong):
    with pytest.raises((ValueError, re.error)):
        Fault(**wrong)


# The bytes of an answer.


def test_truncates_and_says_so(proxy, client):
    put(client)
    proxy.set(Fault("truncate", at=70_000, times=1))
    status, fields, body = ask(client, "GET", "/b/k")
    assert (status, fields["Content-Length"], body) == (200, "70000", BODY[:70_000])
    assert ask(client, "GET", "/b/k")[2] == BODY
    proxy.set(Fault("truncate", at=-1, closes=True))
    assert ask(client, "GET", "/b/k")[2] == BODY[:-1]
    assert client.sock is None
    assert proxy.count("truncate") == 2


def test_truncates_and_says_nothing_of_it(proxy, client):
    put(client)
    proxy.set(Fault("truncate", at=70_000, honest=False, closes=True))
    with pytest.raises(http.client.IncompleteRead) as error:
        ask(client, "GET", "/b/k")
    assert error.value.partial == BODY[:70_000]
    proxy.clear()
    # And where the connection stays, the rest never comes.
    proxy.set(Fault("truncate", at=5, honest=False))
    with raw(proxy) as connection:
        until(lambda: proxy.count("truncate") == 2)
        head, _, body = connection.recv(1000).partition(b"\r\n\r\n")
        while len(body) < 5:
            body += connection.recv(1000)
        assert b"Content-Length: 100000" in head
        assert body == BODY[:5]
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        proxy.release()
        connection.settimeout(20)
        assert connection.recv(1) == b""


def test_what_is_too_short_is_not_truncated(proxy, client):
    put(client, body=b"abc")
    proxy.set(Fault("truncate", at=3))
    assert ask(client, "GET", "/b/k")[2] == b"abc"
    assert proxy.count("truncate") == 0


@pytest.mark.parametrize("at", [0, 65_536, 99_999, -1, None])
def test_flips_bytes(proxy, client, at):
    put(client)
    proxy.set(Fault("flip", at=at, count=1))
    status, fields, body = ask(client, "GET", "/b/k")
    assert (status, fields["Content-Length"]) == (200, "100000")
    changed = [index for index in range(len(BODY)) if body[index] != BODY[index]]
    assert len(changed) == 1
    assert at is None or changed == [at % len(BODY)]
    assert proxy.count("flip") == 1


def test_appends_bytes(proxy, client):
    put(client)
    proxy.set(Fault("append", count=10, times=1))
    _, fields, body = ask(client, "GET", "/b/k")
    assert fields["Content-Length"] == "100010"
    assert body[:-10] == BODY
    proxy.set(Fault("append", count=10, honest=False, closes=True, name="unsaid"))
    with raw(proxy) as connection:
        answer = connection.makefile("rb").read()
    assert answer.partition(b"\r\n\r\n")[2][:-10] == BODY
    assert b"Content-Length: 100000\r\n" in answer
    assert proxy.counts() == {"append": 1, "unsaid": 1}


def test_gives_another_object(proxy, client):
    proxy.set(Fault("swap", key="^k$"))
    put(client)
    # There is none yet.
    assert ask(client, "GET", "/b/k")[2] == BODY
    put(client, "other", BODY[::-1])
    _, fields, body = ask(client, "GET", "/b/k", Range="bytes=5-9")
    assert (fields["Content-Range"], body) == ("bytes 5-9/100000", BODY[::-1][5:10])
    assert proxy.count("swap") == 1


def test_answers_what_was_true_before(proxy, client):
    proxy.set(Fault("stale"))
    assert ask(client, "GET", "/b/k")[0] == 404
    put(client)
    status, _, body = ask(client, "GET", "/b/k")
    assert (status, b"<Code>NoSuchKey</Code>" in body) == (404, True)
    assert ask(client, "HEAD", "/b/k")[0] == 404
    put(client, body=b"second")
    assert ask(client, "GET", "/b/k", Range="bytes=1-3")[2] == BODY[1:4]
    assert ask(client, "DELETE", "/b/k")[0] == 204
    status, fields, body = ask(client, "GET", "/b/k", Range="bytes=2-99")
    assert (status, fields["Content-Range"], body) == (206, "bytes 2-5/6", b"cond")
    assert ask(client, "GET", "/b/k", Range="bytes=6-9")[0] == 416
    assert proxy.count("stale") == 5
    proxy.clear()
    assert ask(client, "GET", "/b/k")[0] == 404


def test_lists_what_was_there_before(proxy, client):
    put(client, "p/1")
    first = ask(client, "GET", LISTING)[2]
    put(client, "p/2")
    proxy.set(Fault("stale"))
    assert ask(client, "GET", LISTING)[2] == first
    proxy.clear()
    assert b"p/2" in ask(client, "GET", LISTING)[2]


# Answers that are made up.


@pytest.mark.parametrize("forwards", [False, True])
@pytest.mark.parametrize("method,target", [("PUT", "/b/k"), ("POST", "/b/k?uploadId=1"), ("GET", "/b/k"),
                                           ("DELETE", "/b/k"), ("GET", LISTING)])  # fmt: skip
def test_answers_an_error_behind_its_status(bucket, proxy, client, method, target, forwards):
    put(client)
    before = len(bucket.requests)
    proxy.set(Fault("error", forwards=forwards, code="SlowDown"))
    status, _, body = ask(client, method, target, b"body" if method in ("PUT", "POST") else None)
    assert (status, b"<Error><Code>SlowDown</Code>" in body) == (200, True)
    proxy.clear()
    proxy.set(Fault("html", forwards=forwards))
    status, fields, body = ask(client, method, target, b"body" if method in ("PUT", "POST") else None)
    assert (status, fields["Content-Type"], body[:9]) == (200, "text/html", b"<!DOCTYPE")
    assert len(bucket.requests) - before == (2 if forwards else 0)
    assert proxy.counts() == {"error": 1, "html": 1}
    proxy.clear()
    assert ask(client, "HEAD", "/b/k")[0] in (200, 404)


def test_throttles(bucket, proxy, client):
    proxy.set(Fault("throttle", seconds=3))
    status, fields, body = ask(client, "PUT", "/b/k", BODY)
    assert (status, fields["Retry-After"], b"SlowDown" in body) == (503, "3", True)
    assert bucket.requests == []


def test_loses_what_it_acknowledges(bucket, proxy, client):
    proxy.set(Fault("lost", operation="PutObject", name="write"))
    status, fields, _ = ask(client, "PUT", "/b/k", b"abc")
    assert (status, fields["ETag"]) == (200, '"900150983cd24fb0d6963f7d28e17f72"')
    assert ask(client, "GET", "/b/k")[0] == 404
    proxy.clear()
    put(client)
    proxy.set(Fault("lost", operation="DeleteObject", name="delete"))
    assert ask(client, "DELETE", "/b/k")[0] == 204
    proxy.set(Fault("lost", name="upload"))
    assert ask(client, "PUT", "/b/k?partNumber=1&uploadId=1", b"abc")[1]["ETag"]
    assert b"<CompleteMultipartUploadResult>" in ask(client, "POST", "/b/k?uploadId=1", b"x")[2]
    assert ask(client, "GET", "/b/k")[2] == BODY
    assert proxy.counts() == {"write": 1, "delete": 1, "upload": 2}
    assert bucket.asked("DeleteObject") == bucket.asked("UploadPart") == 0


@pytest.mark.parametrize("fault", [Fault("cut"), Fault("error", status=500, forwards=True)])
def test_does_a_write_and_does_not_say_so(bucket, proxy, client, fault):
    proxy.set(fault)
    if fault.kind == "cut":
        with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
            ask(client, "PUT", "/b/k", BODY)
    else:
        assert ask(client, "PUT", "/b/k", BODY)[0] == 500
    assert bucket.objects == {"k": BODY}
    assert proxy.count(fault.name) == 1


def signed(time):
    fields = messages.Fields([("host", "h"), ("x-amz-date", resigning.stamp(time))])
    scope = f"{resigning.stamp(time)[:8]}/us-east-1/s3/aws4_request"
    fields.set("Authorization", f"AWS4-HMAC-SHA256 Credential=A/{scope}, SignedHeaders=host;x-amz-date, Signature=0")
    request = messages.Request("GET", "/b/k?b=2&a", fields)
    assert resigning.resign(request, "secret", time)
    return dict(request.fields)


def test_has_a_clock_that_is_off(bucket, proxy, client):
    put(client)
    now = datetime.datetime.now(datetime.timezone.utc)
    then = now + datetime.timedelta(hours=1)
    proxy.set(Fault("skew", seconds=3600))
    status, fields, body = ask(client, "GET", "/b/k?b=2&a", **signed(now))
    told = datetime.datetime.fromisoformat(re.search(rb"<ServerTime>(.*)Z<", body)[1].decode() + "+00:00")
    date = email.utils.parsedate_to_datetime(fields["Date"])
    assert (status, b"RequestTimeTooSkewed" in body) == (403, True)
    assert abs((told - then).total_seconds()) < 60 and abs((date - then).total_seconds()) < 60
    assert bucket.asked("GetObject") == 0
    status, fields, body = ask(client, "GET", "/b/k?b=2&a", **signed(then))
    assert (status, body) == (200, BODY)
    assert abs((email.utils.parsedate_to_datetime(fields["Date"]) - then).total_seconds()) < 60
    # It was signed anew, for the time at which it came.
    request = bucket.requests[-1][0]
    time_of_it = resigning.claimed_time(request)
    assert abs((time_of_it - now).total_seconds()) < 60
    assert request.fields.get("authorization") == signed(time_of_it)["Authorization"]
    proxy.clear()
    assert ask(client, "GET", "/b/k?b=2&a", **signed(then))[0] == 403


# Listings.


def listed(client, target=LISTING):
    document = ask(client, "GET", target)[2].decode()
    token = re.search("<NextContinuationToken>(.*?)</NextContinuationToken>", document)
    assert ("<IsTruncated>true</IsTruncated>" in document) == (token is not None)
    return re.findall("<Key>(.*?)</Key>", document), token and token[1]


@pytest.mark.parametrize("kind,keys", [
    ("reordered", ["p/3", "p/2", "p/1"]),
    ("missing", ["p/2"]),
    ("duplicated", ["p/1", "p/1", "p/2", "p/2", "p/3", "p/3"]),
    ("outside", ["0/of/somebody/else", "p/1", "p/2", "p/3"]),
])  # fmt: skip
def test_lists_wrongly(proxy, client, kind, keys):
    proxy.set(Fault(kind))
    assert listed(client) == ([], None)
    assert proxy.count(kind) == 0
    for number in "123":
        put(client, f"p/{number}")
    assert listed(client) == (keys, None)
    assert proxy.count(kind) == 1


def test_lists_without_end(proxy, client):
    put(client, "p/1")
    proxy.set(Fault("endless"))
    keys, token = listed(client)
    assert keys == ["p/1"]
    for _ in range(3):
        assert listed(client, f"{LISTING}&continuation-token={token}") == (keys, token)
    proxy.clear()
    proxy.set(Fault("onward"))
    seen, token = listed(client, f"{LISTING}&max-keys=2")
    for _ in range(3):
        more, token = listed(client, f"{LISTING}&max-keys=2&continuation-token={token}")
        seen += more
    assert len(seen) == 8
    assert seen == sorted(set(seen)) and all(key.startswith("p%2F") for key in seen)
    assert proxy.counts() == {"endless": 4, "onward": 4}


# Connections.


@pytest.mark.parametrize("at", [0, 70_000, 99_999])
def test_resets_an_answer(proxy, client, at):
    put(client)
    proxy.set(Fault("reset", at=at))
    body = b""
    with raw(proxy) as connection, pytest.raises(ConnectionResetError):
        while piece := connection.recv(1000):
            body += piece
    assert body.partition(b"\r\n\r\n")[2] == BODY[:at]
    assert proxy.count("reset") == 1


def test_resets_a_request(bucket, proxy, client):
    proxy.set(Fault("reset", at=70_000, where="request"))
    with raw(proxy, "PUT", body=BODY) as connection, pytest.raises((ConnectionResetError, BrokenPipeError)):
        connection.recv(1000)
    assert bucket.objects == {}
    assert proxy.count("reset") == 1


@pytest.mark.parametrize("where", ["answer", "request"])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_hangs_until_it_is_released(bucket, proxy, client, where, method):
    put(client)
    proxy.set(Fault("hang", at=10, where=where, operation="GetObject|PutObject"))
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, client, method, "/b/k", b"x" * 20 if method == "PUT" else None)
        until(lambda: proxy.count("hang") == 1)
        assert bucket.asked("PutObject") + bucket.asked("GetObject") <= 2
        assert not waiting.done()
        proxy.release()
        assert waiting.result(20)[0] == 200
    assert bucket.objects["k"] == (b"x" * 20 if method == "PUT" else BODY)


def test_who_hangs_may_go(proxy, client):
    put(client)
    proxy.set(Fault("hang", at=0))
    with raw(proxy) as connection:
        until(lambda: proxy.count("hang") == 1)
        connection.shutdown(socket.SHUT_RDWR)
    # The client of `put` alone is left.
    until(lambda: proxy.connections == 1)


@pytest.mark.parametrize("where,method", [("answer", "GET"), ("request", "PUT")])
def test_is_slow(bucket, proxy, client, where, method):
    put(client)
    proxy.set(Fault("slow", rate=500_000, seconds=0.1, where=where))
    begun = time.monotonic()
    _, _, body = ask(client, method, "/b/k", BODY if method == "PUT" else None)
    assert time.monotonic() - begun >= 0.28
    assert (body or bucket.objects["k"]) == BODY
    assert proxy.count("slow") == 1


def test_takes_its_time_before_it_answers(proxy, client):
    put(client)
    proxy.set(Fault("slow", seconds=0.2))
    begun = time.monotonic()
    assert ask(client, "HEAD", "/b/k")[0] == 200
    assert time.monotonic() - begun >= 0.2


def test_refuses_connections(proxy, client):
    put(client)
    for _ in range(2):
        proxy.set(Fault("refuse"))
        with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
            ask(client, "GET", "/b/k")
        client.close()
        with pytest.raises(ConnectionRefusedError):
            raw(proxy)
        proxy.clear()
        assert ask(client, "GET", "/b/k")[2] == BODY
    assert proxy.count("refuse") == 2


# By HTTP.


def test_is_controlled_by_http(proxy, client):
    did = []
    with Control([proxy], {"kill": lambda: did.append("kill")}) as control:

        def tell(path, body=None):
            data = None if body is None else json.dumps(body).encode()
            with urllib.request.urlopen(f"{control.url}{path}", data, timeout=20) as answer:
                return json.load(answer)

        tell("/0/fault", {"kind": "throttle", "operation": "HeadObject", "times": 5})
        assert ask(client, "HEAD", "/b/k")[0] == 503
        assert tell("/0/counts") == {"throttle": 1}
        tell("/0/clear", {}), tell("/0/release", {}), tell("/server/kill", {})
        assert ask(client, "HEAD", "/b/k")[0] == 404
        assert did == ["kill"]
        for path, body in [("/0/fault", {"kind": "x"}), ("/1/clear", {}), ("/server/x", {}), ("/0/counts/x", None)]:
            with pytest.raises(urllib.error.HTTPError) as error:
                tell(path, body)
            assert error.value.code == 400
