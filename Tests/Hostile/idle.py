#!/usr/bin/env python3
"""Thousands of connections that ask for nothing, or for half of something, while others are answered.

Every other connection is silent; the rest have sent the half of a head. Meanwhile a client puts and gets, and each of
its requests is answered within --patience seconds. What the connections cost in memory is printed. Then they close, and
descriptors and memory come back.

Exit code 0: all of it held. 1: something did not (it is named).
"""

import argparse
import pathlib
import resource
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from Harness import gateway, venv  # noqa: E402
from Hostile import scene, watch  # noqa: E402


def arguments(given=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=10_000, help="how many connections (10000)")
    parser.add_argument("--requests", type=int, default=200, help="puts and gets meanwhile (200)")
    parser.add_argument("--patience", type=float, default=20, help="seconds that one of them may take (20)")
    parser.add_argument(
        "--kib", type=float, default=32, help="memory that a connection may cost in the gateway (32)"
    )
    parser.add_argument("--folder", type=pathlib.Path, help="where the data goes, and stays (a temporary folder)")
    return parser.parse_args(given)


def enough_files(count):
    """Raises this process's own limit, or says that the machine does not allow it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard == resource.RLIM_INFINITY or hard >= count, f"{count} files are needed, and {hard} allowed"
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(count, hard)), hard))


def crowd(running, count):
    """So many open connections, in pairs of a silent one and one that has begun a head."""
    connections = []
    for number in range(count):
        connection = socket.create_connection(("127.0.0.1", running.port), timeout=10)
        connections.append(connection)
        if number % 2:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: h\r\nX-Half: ")
    return connections


def served(running, count, patience):
    """Puts and gets; the longest of them in seconds."""
    from Harness import raw

    client = raw.Raw(running.access)
    longest = 0.0
    for number in range(count):
        start = time.monotonic()
        body = b"%d" % number
        assert client("PUT", "/crowd/key", body=body).status == 200
        answer = client("GET", "/crowd/key")
        assert (answer.status, answer.body) == (200, body), answer
        longest = max(longest, time.monotonic() - start)
        assert longest < patience, f"request {number} took {longest:.2f} s"
    client.close()
    return longest


def run(options, folder, say=print):
    from Harness import raw

    enough_files(options.connections + 512)
    room = str(options.connections + 100)
    settings = [f"limits.connections={room}", f"limits.connections-per-address={room}"]
    # Longer than the test: nobody is sent away for being idle.
    settings += ["limits.idle-timeout=30m", "limits.head-timeout=30m"]
    with gateway.Gateway(folder, settings=settings) as running:
        client = raw.Raw(running.access)
        assert client("PUT", "/crowd").status == 200
        client.close()
        served(running, 50, options.patience)
        before = watch.Level(running)
        say(f"before: {before}")
        connections = crowd(running, options.connections)
        watch.until(lambda: watch.descriptors(running) >= before.descriptors + options.connections - 16, running)
        with_crowd = watch.Level(running)
        cost = (with_crowd.memory - before.memory) / options.connections / 1024
        say(f"with {options.connections} connections: {with_crowd}, {cost:.1f} KiB each")
        longest = served(running, options.requests, options.patience)
        say(f"{2 * options.requests} requests meanwhile, the slowest pair took {longest * 1000:.0f} ms")
        assert cost <= options.kib, f"a connection costs {cost:.1f} KiB"
        for connection in connections:
            connection.close()
        say(f"after: {before.wait_back(more_memory=with_crowd.memory - before.memory + (32 << 20))}")
        served(running, 10, options.patience)


def main(given=None):
    return scene.play(run, arguments(given))


if __name__ == "__main__":
    venv.enter(__file__)
    sys.exit(main())
