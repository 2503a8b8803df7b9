"""What goes wrong during a soak, one thing after another."""

import pathlib
import shutil
import socket
import threading
import time

MIB = 1 << 20


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
                fault = self.chance.choice([self.lose_store, self.flip_bits, self.break_off])
                self.done.append({"second": time.monotonic() - self.start_time, "kind": fault.__name__})
                fault()
        except Exception as error:
            self.error = error

    def lose_store(self):
        """A directory's shards go, and what was in it is repaired from the others."""
        self.wait_repaired()
        store = self.chance.choice(self.running.stores())
        shutil.rmtree(store, ignore_errors=True)

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

    def wait_repaired(self, deadline=600):
        """Waits until no blob is known that wants repair."""
        end = time.monotonic() + deadline
        while self.running.metrics()["tidegate_damaged_blobs_waiting"]:
            if time.monotonic() > end:
                raise RuntimeError("what was damaged is not repaired")
            time.sleep(0.5)
