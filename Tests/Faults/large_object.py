#!/usr/bin/env python3
"""A large object up in parts from concurrent clients, down whole, and ranged, with the gateway's memory measured.

Exit code 0: every byte was right, and the resident set never went over the limit. 1: otherwise.
"""

import argparse
import concurrent.futures
import hashlib
import pathlib
import random
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from Harness import gateway, raw, venv  # noqa: E402

MIB = 1 << 20
BUCKET, KEY = "large", "an object/of many parts"


def arguments(given=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=int, default=5120, help="the object's size (5120)")
    parser.add_argument("--part-mib", type=int, default=16, help="the size of a part (16)")
    parser.add_argument("--clients", type=int, default=8, help="concurrent connections (8)")
    parser.add_argument("--ranges", type=int, default=200, help="how many ranges to read (200)")
    parser.add_argument("--limit-mib", type=int, default=256, help="what the resident set must stay below (256)")
    parser.add_argument("--folder", type=pathlib.Path, help="where the data goes, and stays (a temporary folder)")
    return parser.parse_args(given)


class Content:
    """Bytes that differ in every part and can be had again without keeping them."""

    def __init__(self, size, part):
        self.size, self.part = size, part
        self.base = random.Random(5).randbytes(part)

    @property
    def parts(self):
        return -(-self.size // self.part)

    def of_part(self, index):
        length = min(self.part, self.size - index * self.part)
        return (index.to_bytes(8, "big") * 8 + self.base[64:])[:length]

    def between(self, start, end):
        pieces = []
        for index in range(start // self.part, (end - 1) // self.part + 1):
            piece = self.of_part(index)
            first = max(0, start - index * self.part)
            pieces.append(piece[first : max(0, end - index * self.part)])
        return b"".join(pieces)


class Clients:
    """One connection a thread."""

    def __init__(self, server, count):
        self.server, self.local = server, threading.local()
        self.pool = concurrent.futures.ThreadPoolExecutor(count)

    @property
    def raw(self):
        if not hasattr(self.local, "raw"):
            self.local.raw = raw.Raw(self.server, timeout=300)
        return self.local.raw

    def map(self, work, items):
        return list(self.pool.map(work, items))


def expect(answer, status):
    if answer.status != status:
        raise RuntimeError(f"expected {status}: {answer}")
    return answer


def upload(clients, content):
    client = raw.Raw(clients.server)
    expect(client("PUT", f"/{BUCKET}"), 200)
    target = f"/{BUCKET}/{raw.quote(KEY)}"
    identity = expect(client("POST", f"{target}?uploads"), 200).text("UploadId")

    def part(index):
        body = content.of_part(index)
        query = f"partNumber={index + 1}&uploadId={identity}"
        answer = expect(clients.raw("PUT", f"{target}?{query}", {}, body, payload=raw.UNSIGNED), 200)
        if answer.etag != hashlib.md5(body).hexdigest():
            raise RuntimeError(f"part {index + 1} has the ETag {answer.etag}")
        return answer.etag

    etags = clients.map(part, range(content.parts))
    listed = "".join(
        f"<Part><PartNumber>{n + 1}</PartNumber><ETag>{etag}</ETag></Part>" for n, etag in enumerate(etags)
    )
    body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
    answer = expect(client("POST", f"{target}?uploadId={identity}", {}, body), 200)
    if b"<Error>" in answer.body:
        raise RuntimeError(f"complete: {answer}")
    return target


def download(server, target, content):
    """Reads the whole object in one GET, comparing as it comes."""
    client = raw.Raw(server, timeout=300)
    connection = client.connect()
    connection.request("GET", target, headers=client.signed("GET", target))
    answer = connection.getresponse()
    if answer.status != 200 or int(answer.headers["Content-Length"]) != content.size:
        raise RuntimeError(f"GET: {answer.status} {dict(answer.headers)}")
    for index in range(content.parts):
        expected = content.of_part(index)
        if answer.read(len(expected)) != expected:
            raise RuntimeError(f"wrong bytes in part {index + 1}")
    if answer.read(1):
        raise RuntimeError("more bytes than there are")
    connection.close()


def ranges(clients, target, content, count):
    chance = random.Random(7)

    def one(_):
        start = chance.randrange(content.size)
        end = min(content.size, start + chance.choice([1, 1000, MIB, 3 * content.part + 1]))
        answer = expect(clients.raw("GET", target, {"Range": f"bytes={start}-{end - 1}"}), 206)
        if answer.body != content.between(start, end):
            raise RuntimeError(f"wrong bytes in the range {start}-{end - 1}")

    clients.map(one, range(count))


def main(given=None):
    options = arguments(given)
    content = Content(options.mib * MIB, options.part_mib * MIB)
    with tempfile.TemporaryDirectory(prefix="tidegate-large-") as temporary:
        server = gateway.Gateway(options.folder or temporary)
        try:
            server.start()
            idle = server.memory()
            clients = Clients(server.access, options.clients)
            target = None

            def upload_all():
                nonlocal target
                target = upload(clients, content)

            steps = [
                (f"{options.mib} MiB up in {content.parts} parts from {options.clients} clients", upload_all),
                ("down whole", lambda: download(server.access, target, content)),
                (f"{options.ranges} ranges", lambda: ranges(clients, target, content, options.ranges)),
                (
                    "down whole, by every client at once",
                    lambda: clients.map(lambda _: download(server.access, target, content), range(options.clients)),
                ),
            ]
            if options.mib > 1024:
                steps.pop()
            for name, step in steps:
                start = time.monotonic()
                step()
                seconds = time.monotonic() - start
                peak = server.memory_peak() / MIB
                print(f"{name}: {seconds:.1f} s, resident set at most {peak:.0f} MiB so far", flush=True)
            peak = server.memory_peak()
            print(
                f"resident set: {idle / MIB:.0f} MiB idle, at most {peak / MIB:.0f} MiB, limit {options.limit_mib} MiB"
            )
            server.stop()
        except Exception as error:
            print(f"BROKEN: {type(error).__name__}: {error}")
            print(server.tail() if server.log.exists() else "")
            return 1
        finally:
            server.kill()
    return 0 if peak < options.limit_mib * MIB else 1


if __name__ == "__main__":
    venv.enter(__file__)
    sys.exit(main())
