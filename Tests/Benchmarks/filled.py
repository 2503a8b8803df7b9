"""Gateways whose index holds many objects.

No client makes ten million objects in useful time: `workbench fill` puts them into the index of a stopped gateway, as
copies of an object that it stored itself. What is made stays in .build/bench-data, by the version of the format, and
later runs start with it.
"""

import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import time

import sides
from Harness import gateway
from loads import KIB, workbench

DATA = gateway.ROOT / ".build/bench-data"
TEMPLATE = "template"
PREFIX = "listed"
# Members of a group, as `workbench fill` numbers them.
GROUP = 100
# The copies of the index take less of the disk so, and a listing does not care.
SETTINGS = ["pool.parity-shards=1"]


def home(count):
    """Where the gateway with so many objects is."""
    version = subprocess.run([workbench(), "format"], capture_output=True, text=True, check=True).stdout.strip()
    return DATA / f"format-{version}" / str(count)


def is_made(count):
    return (home(count) / "made.json").exists()


def made(count):
    """The folder of the gateway with so many objects, which is made where there is none."""
    folder = home(count)
    if is_made(count):
        return folder
    # Left by a run that was cut short.
    shutil.rmtree(folder, ignore_errors=True)
    start = time.monotonic()
    with sides.tidegate(folder, SETTINGS) as side:
        side.request("PUT", TEMPLATE, os.urandom(4 * KIB))
    index = folder / "data/index.sqlite"
    if count:
        print(f"filling an index with {count:,} objects", flush=True)
        command = [workbench(), "fill", "--index", index, "--bucket", sides.BUCKET, "--template", TEMPLATE]
        subprocess.run([*command, "--prefix", PREFIX, "--objects", str(count)], check=True)
    filled = time.monotonic()
    with gateway.Gateway(folder, settings=SETTINGS) as server:
        wait_until_copied(server)
    told = {
        "objects": count,
        "index bytes": index.stat().st_size,
        "seconds to fill": round(filled - start, 1),
        "seconds to copy to the stores": round(time.monotonic() - filled, 1),
    }
    (folder / "made.json").write_text(json.dumps(told, indent=1))
    print(f"made {told}", flush=True)
    return folder


def wait_until_copied(server, deadline=1800):
    """Waits until the stores have a copy of the index, which a gateway makes beside its requests."""
    end = time.monotonic() + deadline
    while True:
        told = server.metrics()
        if told["tidegate_index_journal_lag_seconds"] == 0 and told["tidegate_index_journalled_commit"] > 0:
            return
        if time.monotonic() > end:
            raise RuntimeError(f"the index was not copied: {told}\n{server.tail()}")
        time.sleep(0.2)


def warm(count):
    """Reads the index into the page cache, where a gateway that serves listings has it."""
    with open(made(count) / "data/index.sqlite", "rb") as file:
        while file.read(4 << 20):
            pass


@contextlib.contextmanager
def serving(count):
    """The gateway with so many objects."""
    with sides.tidegate(made(count), SETTINGS) as side:
        side.objects = count
        yield side


class Starting(gateway.Gateway):
    """A gateway that is ready once it has answered a request of S3."""

    def wait_ready(self, deadline=60):
        target = sides.presigned("GET", self.port, TEMPLATE)
        request = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nConnection: close\r\n\r\n".encode()
        end = time.monotonic() + deadline
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(ConnectionRefusedError):
                with socket.create_connection(("127.0.0.1", self.port), timeout=deadline) as connection:
                    connection.sendall(request)
                    answer = connection.makefile("rb").read()
                if answer.startswith(b"HTTP/1.1 200 "):
                    return
                raise RuntimeError(f"the first answer was {answer[:300]}")
            time.sleep(0.001)
        raise RuntimeError(f"nothing was answered:\n{self.tail()}")


def start(count, seconds, least=3):
    """Seconds from the start of the gateway with so many objects to its first answer: the median of some starts."""
    folder, taken = made(count), []
    end = time.monotonic() + seconds
    while len(taken) < least or time.monotonic() < end:
        server = Starting(folder, settings=SETTINGS)
        begun = time.monotonic()
        try:
            server.start()
            taken.append(time.monotonic() - begun)
        finally:
            server.stop()
    return {"rate": statistics.median(taken)}


def pages(loads, side, grouped):
    """Listings that begin all over the keys: of 1,000 keys, or of 50 groups."""
    wanted = 50 if grouped else 1000
    span = side.objects - (wanted * GROUP if grouped else wanted)
    targets = []
    # A multiple of the golden ratio spreads them without a pattern.
    for number in range(1000):
        first = int(span * (number * 0.6180339887498949 % 1))
        after = f"{PREFIX}/{first // GROUP:06}/" + ("~" if grouped else f"{first:08}")
        query = [("list-type", "2"), ("prefix", f"{PREFIX}/"), ("max-keys", str(wanted)), ("start-after", after)]
        targets.append(side.target("GET", "", query + ([("delimiter", "/")] if grouped else [])))
    path = loads.requests(side, f"pages{'-grouped' if grouped else ''}-{side.port}", "GET", targets)
    told = loads.small(side, path, 4)
    path.unlink()
    return told
