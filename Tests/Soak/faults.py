"""What goes wrong during a soak, one thing after another."""

import pathlib
import shutil
import socket
import threading
import time

from Harness import gateway


class Faults(threading.Thread):
    """Brings a fault about now and then, until it is told to stop."""

    def __init__(self, running, chance, every, stopping):
        super().__init__(daemon=True, name="faults")
        self.running, self.chance, self.every, self.stopping = running, chance, every, stopping
        self.start_time = time.monotonic()
        self.done = []
        self.error = None

    def run(self):
        try:
            while not self.stopping.wait(self.every * self.chance.uniform(0.6, 1.4)):
                fault = self.chance.choice([self.take_store, self.flip_bits, self.break_off])
                self.done.append({"second": time.monotonic() - self.start_time, "kind": fault.__name__})
                fault()
        except Exception as error:
            self.error = error

    def take_store(self):
        """A directory is away for a while; what was written meanwhile lacks a shard, and is repaired."""
        self.wait_repaired()
        store = self.chance.choice(self.running.stores())
        away = store.with_name(store.name + "-away")
        store.rename(away)
        self.stopping.wait(20)
        # What the gateway laid anew in the meantime, if it did.
        shutil.rmtree(store, ignore_errors=True)
        away.rename(store)
        self.until(lambda metrics: metrics["tidegate_stores_attached"] == gateway.STORES, "the store is not taken back")

    def flip_bits(self):
        """A bit in each of some files of one store."""
        self.wait_repaired()
        store = self.chance.choice(self.running.stores())
        files = [path for path in pathlib.Path(store).rglob("*") if path.is_file() and path.stat().st_size > 4096]
        for path in self.chance.sample(files, min(5, len(files))):
            try:
                with open(path, "r+b") as file:
                    file.seek(self.chance.randrange(4096, path.stat().st_size))
                    byte = file.read(1)
                    file.seek(-1, 1)
                    file.write(bytes([byte[0] ^ 1 << self.chance.randrange(8)]))
            except FileNotFoundError:
                # It was deleted meanwhile.
                continue

    def break_off(self):
        """Clients go away in the middle of a head or a body."""
        for number in range(50):
            with socket.create_connection(("127.0.0.1", self.running.port), timeout=30) as client:
                client.sendall(b"PUT /soak-probe/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n")
                if number % 2:
                    client.sendall(b"\r\n" + bytes(1000))

    def wait_repaired(self):
        """Waits until no blob is known that wants repair."""
        self.until(lambda metrics: not metrics["tidegate_damaged_blobs_waiting"], "what was damaged is not repaired")

    def until(self, holds, otherwise, deadline=600):
        end = time.monotonic() + deadline
        while not holds(self.running.metrics()):
            if time.monotonic() > end:
                raise RuntimeError(otherwise)
            time.sleep(0.5)
