#!/usr/bin/env python3
"""Uploads and downloads that their clients break off, by hundreds: nothing of them stays.

Bodies of every kind (plain, chunked by AWS with and without signatures, parts, forms) end in their middle, some with a
reset and some with an orderly end; downloads are reset after their first bytes. Then descriptors and memory of the
gateway are back where they were, no request is in flight, no key that was broken off is there, and what was there
before is whole.

Exit code 0: all of it held. 1: something did not (it is named).
"""

import argparse
import concurrent.futures
import contextlib
import hashlib
import pathlib
import random
import socket
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from Harness import gateway, venv  # noqa: E402
from Hostile import scene, watch  # noqa: E402

MIB = 1 << 20
FRAMED = {"signed": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "trailer": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}


def arguments(given=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000, help="uploads, and as many downloads (1000)")
    parser.add_argument("--clients", type=int, default=16, help="how many at once (16)")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="draws the scene; printed")
    parser.add_argument("--memory-mib", type=int, default=96, help="memory that may stay (96)")
    parser.add_argument("--folder", type=pathlib.Path, help="where the data goes, and stays (a temporary folder)")
    return parser.parse_args(given)


class Scene:
    def __init__(self, running, seed):
        self.running, self.seed = running, seed
        self.content = random.Random(seed).randbytes(8 * MIB)

    def send(self, head, body, chance):
        """Sends a head and a part of a body, and goes."""
        connection = socket.create_connection(("127.0.0.1", self.running.port), timeout=30)
        with connection, contextlib.suppress(ConnectionResetError, BrokenPipeError):
            connection.sendall(head + body)
            if chance.random() < 0.5:
                # The gateway sees a reset instead of an end.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return None

    def head(self, method, target, headers, payload):
        from Harness import raw

        headers = raw.Raw(self.running.access).signed(method, target, headers, payload=payload)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode()

    def upload(self, number):
        chance = random.Random(self.seed + number)
        kind = chance.choice(["plain", "hashed", "signed", "trailer", "part", "form"])
        target = f"/aborted/up-{number}"
        piece = self.content[: chance.randrange(1, 5 * MIB)]
        length = {"Content-Length": str(8 * MIB)}
        if kind in FRAMED:
            headers = length | {"x-amz-decoded-content-length": str(7 * MIB)}
            extension = b";chunk-signature=" + b"0" * 64 if kind == "signed" else b""
            framed = b"%x%s\r\n" % (6 * MIB, extension) + piece
            return self.send(self.head("PUT", target, headers, FRAMED[kind]), framed, chance)
        if kind == "part":
            target += f"?partNumber=1&uploadId={self.upload_id}"
        if kind == "form":
            head = f"POST /aborted HTTP/1.1\r\nHost: h\r\nContent-Length: {8 * MIB}\r\n".encode()
            head += b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
            head += b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nup\r\n'
            head += b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n'
            return self.send(head, piece, chance)
        payload = hashlib.sha256(self.content).hexdigest() if kind == "hashed" else "UNSIGNED-PAYLOAD"
        return self.send(self.head("PUT", target, length, payload), piece, chance)

    def download(self, number):
        chance = random.Random(self.seed - number)
        head = self.head("GET", "/aborted/whole", {}, None)
        connection = socket.create_connection(("127.0.0.1", self.running.port), timeout=30)
        with connection:
            connection.sendall(head)
            first = connection.recv(chance.choice([1, 4096, 1 << 16]))
            assert b"HTTP/1.1 200"[: len(first)] == first[:12], first[:200]
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def run(options, folder, say=print):
    from Harness import raw

    say(f"seed {options.seed}")
    with gateway.Gateway(folder) as running:
        client = raw.Raw(running.access)
        assert client("PUT", "/aborted").status == 200
        acting = Scene(running, options.seed)
        assert client("PUT", "/aborted/whole", body=acting.content).status == 200
        acting.upload_id = client("POST", "/aborted/parts?uploads").text("UploadId")
        with concurrent.futures.ThreadPoolExecutor(options.clients) as pool:
            # Threads, pools and what the allocator keeps of them once they have served somebody are no leak.
            warm = min(400, options.count)
            list(pool.map(acting.upload, range(-warm, 0)))
            list(pool.map(acting.download, range(warm)))
            settled(client, running)
            before = watch.Level(running)
            say(f"before: {before}")
            list(pool.map(acting.upload, range(options.count)))
            say(f"after {options.count} uploads: {watch.Level(running)}")
            list(pool.map(acting.download, range(options.count)))
            say(f"after {options.count} downloads: {watch.Level(running)}")
        settled(client, running)
        say(f"at the end: {before.wait_back(more_memory=options.memory_mib * MIB)}")
        answer = client("GET", "/aborted/whole")
        assert answer.body == acting.content, "an object that was only read has changed"
        assert client("GET", "/aborted?list-type=2").texts("Contents/Key") == ["whole"], "an upload that nobody ended"
        assert not client("GET", f"/aborted/parts?uploadId={acting.upload_id}").texts("Part/PartNumber")
        client.close()


def settled(client, running):
    """Waits until no request but our own is being served."""
    name = next(name for name in running.metrics() if "in_flight" in name)
    watch.until(lambda: running.metrics()[name] == 0, running)


def main(given=None):
    return scene.play(run, arguments(given))


if __name__ == "__main__":
    venv.enter(__file__)
    sys.exit(main())
