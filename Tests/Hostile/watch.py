"""What a process holds, and waiting until it holds no more than it did."""

import os
import time


def descriptors(running):
    return len(os.listdir(f"/proc/{running.process.pid}/fd"))


class Level:
    """What a gateway held at some time."""

    def __init__(self, running):
        self.running = running
        self.descriptors, self.memory = descriptors(running), running.memory()

    def __str__(self):
        return f"{self.descriptors} descriptors, {self.memory >> 20} MiB"

    def wait_back(self, more_descriptors=16, more_memory=96 << 20, deadline=120):
        """Waits until the gateway holds at most so much more than it did; returns what it holds."""
        end = time.monotonic() + deadline
        while True:
            assert self.running.process.poll() is None, self.running.tail()
            now = Level(self.running)
            if (
                now.descriptors <= self.descriptors + more_descriptors
                and now.memory <= self.memory + more_memory
            ):
                return now
            assert time.monotonic() < end, f"{self} at the start, {now} after {deadline} s"
            time.sleep(0.1)


def until(condition, running, deadline=60):
    """Waits until a condition holds; returns what it gave."""
    end = time.monotonic() + deadline
    while True:
        assert running.process.poll() is None, running.tail()
        if found := condition():
            return found
        assert time.monotonic() < end, f"not within {deadline} s:\n{running.tail()}"
        time.sleep(0.05)
