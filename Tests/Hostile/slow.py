#!/usr/bin/env python3
"""Clients that are slow, and clients that send too much: each is sent away, and others are answered meanwhile.

Heads, bodies, forms, documents and TLS handshakes that come a byte at a time; answers that nobody reads; request lines,
fields, chunk extensions, forms and documents without end.

Exit code 0: all of it held. 1: something did not (it is named).
"""

import argparse
import contextlib
import pathlib
import select
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from Harness import gateway, venv  # noqa: E402
from Hostile import idle, scene, watch  # noqa: E402

MIB = 1 << 20
HALF_HEAD = b"PUT /slow/k HTTP/1.1\r\nHost: h\r\nX: "
FORM = b"POST /slow HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=b\r\n"
FORM += b"Content-Length: 100000\r\n\r\n"


def arguments(given=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=200, help="slow clients of each kind (200)")
    parser.add_argument("--timeout", type=int, default=4, help="seconds that the gateway waits (4)")
    parser.add_argument("--reader-mib", type=int, default=16, help="what a client that does not read may cost (16)")
    parser.add_argument("--huge-mib", type=int, default=64, help="how much a client sends without an end (64)")
    parser.add_argument("--folder", type=pathlib.Path, help="where the data goes, and stays (a temporary folder)")
    return parser.parse_args(given)


def signed_head(running, method, target, headers):
    from Harness import raw

    headers = raw.Raw(running.access).signed(method, target, headers, payload=raw.UNSIGNED)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode()


def openings(running):
    """What each kind of slow client sends at once; a byte every moment follows, or none."""
    put = signed_head(running, "PUT", "/slow/k", {"Content-Length": str(8 * MIB)})
    document = signed_head(running, "POST", "/slow?delete", {"Content-Length": "1000", "Content-MD5": "AAAA"})
    get = signed_head(running, "GET", "/slow/whole", {})
    return {
        "head": (HALF_HEAD, b"x"),
        "silent head": (HALF_HEAD, b""),
        "body": (put + b"x" * 100, b"x"),
        "silent body": (put, b""),
        "document": (document + b"<Delete>", b" "),
        "form": (FORM + b"--b\r\nContent-Disposition: form-data; name=\"", b"a"),
        "reader": (get * 3, b""),
    }


def sent_away(connections, drip, deadline, reads):
    """Drips until every connection has ended; how long the last one lasted."""
    start = time.monotonic()
    open_ones = set(connections)
    while open_ones:
        assert time.monotonic() - start < deadline, f"{len(open_ones)} slow clients are there after {deadline} s"
        for connection in list(open_ones):
            with contextlib.suppress(BlockingIOError):
                try:
                    if drip:
                        connection.send(drip)
                    # Whoever reads nothing learns of the end by an error alone.
                    if reads:
                        while piece := connection.recv(65536):
                            assert b"HTTP/1.1 2" not in piece, piece[:100]
                        open_ones.discard(connection)
                    elif has_ended(connection):
                        open_ones.discard(connection)
                except (ConnectionResetError, BrokenPipeError):
                    open_ones.discard(connection)
        select.select([], [], [], 0.1)
    return time.monotonic() - start


def has_ended(connection):
    return connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0 or is_hung_up(connection)


def is_hung_up(connection):
    poll = select.poll()
    poll.register(connection, select.POLLRDHUP)
    return any(event & (select.POLLHUP | select.POLLERR | select.POLLRDHUP) for _, event in poll.poll(0))


def slow(running, kind, opening, drip, count, say):
    connections = []
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            connection = socket.socket()
            if kind == "reader":
                # What the kernel takes for us would hide that we read nothing.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", running.port))
            stack.enter_context(connection)
            connection.sendall(opening)
            connection.setblocking(False)
            connections.append(connection)
        longest = idle.served(running, 10, patience=20)
        held = watch.Level(running)
        lasted = sent_away(connections, drip, 60, reads=kind != "reader")
    say(f"{count} × slow {kind}: {held}, the last went after {lasted:.1f} s, a pair of requests took {longest:.2f} s")
    return held


def floods(running):
    """What never ends, and what it has to be answered with."""
    chunked = signed_head(running, "PUT", "/slow/k", {"Transfer-Encoding": "chunked"})
    framed = {"Content-Length": str(1 << 30), "x-amz-decoded-content-length": "10"}
    return {
        "request line": (b"GET /", b"a" * 65536, [b"414"]),
        "header field": (b"GET / HTTP/1.1\r\nHost: h\r\nX: ", b"a" * 65536, [b"400"]),
        "header fields": (b"GET / HTTP/1.1\r\nHost: h\r\n", b"x: y\r\n" * 8192, [b"400"]),
        "chunk extension": (chunked + b"5;", b"a" * 65536, [b"400", b"501"]),
        "aws-chunked": (signed_head(running, "PUT", "/slow/k", framed), b"0" * 65536, [b"400", b"403", b"411"]),
        "form field": (
            FORM.replace(b"100000", b"%d" % (1 << 30)) + b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n',
            b"a" * 65536,
            [b"400"],
        ),
        "form preamble": (FORM.replace(b"100000", b"%d" % (1 << 30)), b"a" * 65536, [b"400"]),
        "document": (
            signed_head(running, "POST", "/slow?delete", {"Content-Length": str(1 << 30)}),
            b"<Delete>" * 8192,
            [b"400", b"413"],
        ),
        "object": (signed_head(running, "PUT", "/slow/k", {"Content-Length": str(1 << 50)}), b"a" * 65536, [b"400"]),
    }


def flood(running, kind, opening, more, statuses, most, say):
    """Sends until the gateway ends the connection; it has to answer before it does."""
    from Hostile.answers import Reader

    with socket.create_connection(("127.0.0.1", running.port), timeout=30) as connection:
        reader = Reader(connection)
        sent = 0
        try:
            connection.sendall(opening)
            while sent < most and not reader.has_begun():
                connection.sendall(more)
                sent += len(more)
        except (ConnectionResetError, BrokenPipeError):
            pass
        status = reader.status()
    assert status in statuses or status is None, f"{kind}: {status}"
    assert sent < most, f"{kind}: {sent >> 20} MiB were taken without an answer"
    say(f"endless {kind}: {(status or b'closed').decode()} after {sent >> 10} KiB")


def run(options, folder, say=print):
    from Harness import raw

    settings = [f"limits.{each}-timeout={options.timeout}s" for each in ["head", "body", "idle"]]
    with gateway.Gateway(folder, settings=settings) as running:
        client = raw.Raw(running.access)
        assert client("PUT", "/crowd").status == client("PUT", "/slow").status == 200
        assert client("PUT", "/slow/whole", body=b"x" * (16 * MIB)).status == 200
        idle.served(running, 5, patience=20)
        # Those who do not read cost the most, and what the allocator keeps of it is no leak.
        reader = openings(running)["reader"]
        idle_level = watch.Level(running)
        say(f"idle: {idle_level}")
        held = slow(running, "reader", *reader, options.clients, say)
        cost = (held.memory - idle_level.memory) / options.clients / MIB
        assert cost < options.reader_mib, f"a client that does not read costs {cost:.1f} MiB"
        say(f"a client that does not read costs {cost:.1f} MiB")
        before = watch.Level(running)
        for kind, (opening, drip) in openings(running).items():
            slow(running, kind, opening, drip, options.clients, say)
        for kind, (opening, more, statuses) in floods(running).items():
            flood(running, kind, opening, more, statuses, options.huge_mib * MIB, say)
        say(f"at the end: {before.wait_back(more_memory=192 * MIB)}")
        assert client("GET", "/slow?list-type=2").texts("Contents/Key") == ["whole"]
        client.close()


def main(given=None):
    return scene.play(run, arguments(given))


if __name__ == "__main__":
    venv.enter(__file__)
    sys.exit(main())
