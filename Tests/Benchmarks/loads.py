"""The loads: the same client for every side of a line."""

import json
import os
import pathlib
import re
import socket
import struct
import subprocess
import threading
import time

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


def workbench():
    """The program that works on the product's own parts."""
    path = pathlib.Path(__file__).resolve().parent.parent.parent / ".build/release/workbench"
    if not path.exists():
        raise FileNotFoundError(f"{path} is not built; run `swift build -c release --product workbench`")
    return path


class Loads:
    """What is measured of a side for some seconds."""

    def __init__(self, seconds, scratch):
        self.seconds = seconds
        self.scratch = pathlib.Path(scratch)
        self.program = self.scratch / "load"
        source = pathlib.Path(__file__).resolve().parent / "load.c"
        subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", self.program, source], check=True)

    def requests(self, side, name, method, targets, body=b""):
        """The file of requests that `load` sends; it is made once."""
        path = side.folder / f"{name}.requests"
        if path.exists():
            return path
        with open(path, "wb") as file:
            for target in targets:
                head = f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{side.port}\r\n"
                head += f"Content-Length: {len(body)}\r\n\r\n" if body else "\r\n"
                file.write(struct.pack("<I", len(head) + len(body)) + head.encode() + body)
        return path

    def small(self, side, path, connections, seconds=None):
        """What `load` says of requests that are sent over and over; microseconds a request, on the clock and of the
        server's processor, too."""
        command = [self.program, str(side.port), str(connections), str(seconds or self.seconds), path]
        before = side.cpu()
        outcome = subprocess.run(command, capture_output=True, text=True, timeout=600)
        if outcome.returncode != 0:
            raise RuntimeError(f"{side.name}: {outcome.stderr}")
        told = json.loads(outcome.stdout)
        if told["failures"] or not told["answers"]:
            raise RuntimeError(f"{side.name}: {told}: {outcome.stderr}")
        told["rate"] = told["answers"] / told["seconds"]
        told["cost"] = 1e6 / told["rate"]
        told["cpu"] = (side.cpu() - before) * 1e6 / told["answers"]
        return told

    def each(self, side, path, count, connections=16):
        """Sends each request of a file about once, to make the objects that are read later."""
        done = 0
        while done < count:
            done += self.small(side, path, connections, seconds=2)["answers"]

    def get(self, side, key, connections):
        """GETs of one large object; MiB a second, and seconds of the server's processor a GiB."""
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(self.seconds))}s", "--timeout", "60s"]
        before = side.cpu()
        output = subprocess.run([*command, side.url("GET", key)], capture_output=True, text=True, check=True).stdout
        if "Non-2xx" in output or "Socket errors" in output:
            raise RuntimeError(f"{side.name}: {output}")
        units = {"B": 1, "KB": KIB, "MB": MIB, "GB": GIB}
        total, unit = re.search(r"requests in [\d.]+\w+, ([\d.]+)(\w+) read", output).groups()
        amount, of = re.search(r"Transfer/sec:\s+([\d.]+)(\w+)", output).groups()
        return {
            "rate": float(amount) * units[of] / MIB,
            "cpu": (side.cpu() - before) / (float(total) * units[unit] / GIB),
        }

    def put(self, side, size, streams):
        """PUTs of large bodies over kept connections; MiB a second of whole ones, and the server's processor a GiB."""
        body = memoryview(os.urandom(MIB) * (size // MIB))
        done, errors = [], []
        before, start = side.cpu(), time.monotonic()

        def work(number):
            try:
                with socket.create_connection(("127.0.0.1", side.port), timeout=120) as connection:
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    answers = connection.makefile("rb")
                    while time.monotonic() - start < self.seconds:
                        put(connection, answers, side, side.target("PUT", f"large/{number}"), body)
                        done.append(time.monotonic())
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(streams)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
        amount = len(done) * size
        return {"rate": amount / MIB / (max(done) - start), "cpu": (side.cpu() - before) / (amount / GIB)}

    def part(self, *arguments):
        """What a part of the product, or what it is held against, does alone: MiB a second of the processor."""
        command = [workbench(), *map(str, arguments), "--seconds", str(self.seconds)]
        output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600).stdout
        return {"rate": json.loads(output)["rate"] / MIB}

    def written(self, amount):
        """MiB a second of a file that is written in pieces of 1 MiB and synced."""
        piece = os.urandom(MIB)
        path = self.scratch / "written"
        start = time.monotonic()
        with open(path, "wb", buffering=0) as file:
            for _ in range(amount // MIB):
                file.write(piece)
            os.fdatasync(file.fileno())
        seconds = time.monotonic() - start
        path.unlink()
        return amount / MIB / seconds

    def appended(self, size):
        """How many microseconds half of the appends to a file take, each synced."""
        piece, taken = os.urandom(size), []
        path = self.scratch / "appended"
        end = time.monotonic() + self.seconds
        with open(path, "ab", buffering=0) as file:
            while time.monotonic() < end:
                start = time.monotonic_ns()
                file.write(piece)
                os.fdatasync(file.fileno())
                taken.append((time.monotonic_ns() - start) / 1000)
        path.unlink()
        return sorted(taken)[len(taken) // 2]


def put(connection, answers, side, target, body):
    """One PUT over a kept connection, to the end of its answer."""
    head = f"PUT {target} HTTP/1.1\r\nHost: 127.0.0.1:{side.port}\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode())
    connection.sendall(body)
    status, length = answers.readline(), 0
    while (line := answers.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    text = answers.read(length)
    if status.split()[1][:1] != b"2":
        raise RuntimeError(f"{side.name}: {status} {text}")


def md5(seconds=1):
    """MiB a second of `openssl speed md5` on blocks of 64 KiB, one core."""
    output = subprocess.run(
        ["openssl", "speed", "-mr", "-seconds", str(seconds), "-bytes", "65536", "-evp", "md5"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return float(re.search(r"^\+F:\d+:[^:]*:([\d.]+)", output, re.MULTILINE)[1]) / MIB
