"""Starts the real binary on free ports with a folder of its own, waits until it is ready, stops it by its process."""

import collections
import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ACCESS_KEY = "TIDEGATETESTROOTKEY1"
SECRET_KEY = "tidegate-test-root-secret-key-0000000001"
STORES = 6
# Another server's command, with {port} and {data}, to try these tests themselves: what they find are its faults.
STAND_IN = os.environ.get("TIDEGATE_STAND_IN")

Endpoint = collections.namedtuple("Endpoint", "url access_key secret_key ca region")
Endpoint.__new__.__defaults__ = ("us-east-1",)


def binary():
    """The binary under test: TIDEGATE_BINARY, or what TIDEGATE_CONFIGURATION (debug by default) has built."""
    named = os.environ.get("TIDEGATE_BINARY")
    path = (
        pathlib.Path(named)
        if named
        else ROOT / ".build" / os.environ.get("TIDEGATE_CONFIGURATION", "debug") / "tidegate"
    )
    if not path.exists():
        raise FileNotFoundError(f"{path} is not built; run `swift build`, or name another one by TIDEGATE_BINARY")
    return path


def free_ports(count):
    """Ports that were free a moment ago."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


class Gateway:
    """One running gateway. As a context manager it starts on entry and stops, or is killed, on exit."""

    def __init__(
        self, folder, tls=None, config=None, settings=(), data=None, open_files=None, prefix=(), environment=None
    ):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = pathlib.Path(data) if data else self.folder / "data"
        self.tls = tls
        self.settings = list(settings)
        # How many files the process may have open, and may not raise.
        self.open_files = open_files
        # What runs the gateway's command, and variables for it, such as those that inject faults.
        self.prefix, self.environment = list(prefix), environment or {}
        self.config = None
        if config:
            self.config = self.folder / "tidegate.yaml"
            # JSON is YAML.
            self.config.write_text(json.dumps(config, indent=1))
            # It may hold secrets of users.
            self.config.chmod(0o600)
        self.log = self.folder / "gateway.log"
        self.port, self.admin_port = free_ports(2)
        self.process = None

    @property
    def endpoint(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def admin(self):
        return f"http://127.0.0.1:{self.admin_port}"

    @property
    def access(self):
        return Endpoint(self.endpoint, ACCESS_KEY, SECRET_KEY, str(self.tls.ca) if self.tls else None)

    def command(self):
        if STAND_IN:
            return [word.format(port=self.port, data=self.data) for word in STAND_IN.split()]
        command = [
            str(binary()),
            "serve",
            "--data",
            str(self.data),
            "--listen",
            f"127.0.0.1:{self.port}",
            "--admin",
            f"127.0.0.1:{self.admin_port}",
        ]
        if self.config:
            command += ["--config", str(self.config)]
        if self.tls:
            command += ["--set", f"tls.certificate={self.tls.certificate}", "--set", f"tls.key={self.tls.key}"]
        for setting in self.settings:
            command += ["--set", setting]
        return command

    @staticmethod
    def variables():
        """The environment of every process of the binary."""
        plain = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TIDEGATE_"))}
        return {**plain, "TIDEGATE_ROOT_ACCESS_KEY": ACCESS_KEY, "TIDEGATE_ROOT_SECRET_KEY": SECRET_KEY}

    def start(self, deadline=60):
        self.data.mkdir(parents=True, exist_ok=True)
        environment = {**self.variables(), **self.environment}
        command = [*self.prefix, *self.command()]
        if self.open_files:
            command = ["prlimit", f"--nofile={self.open_files}:{self.open_files}", *command]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        self.wait_ready(deadline)
        return self

    def wait_ready(self, deadline=60):
        end, obstacle = time.monotonic() + deadline, None
        while time.monotonic() < end:
            code = self.process.poll()
            if code is not None:
                raise RuntimeError(f"the gateway ended with {code} before it was ready:\n{self.tail()}")
            try:
                if STAND_IN:
                    socket.create_connection(("127.0.0.1", self.port), timeout=2).close()
                    return
                with urllib.request.urlopen(f"{self.admin}/readyz", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except urllib.error.HTTPError as refusal:
                obstacle = refusal.read().decode(errors="replace")
            except OSError as error:
                obstacle = error
            time.sleep(0.02)
        self.kill()
        raise RuntimeError(f"the gateway was not ready after {deadline} s: {obstacle}\n{self.tail()}")

    def tail(self, count=40):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])

    def wait_log(self, text, deadline=60):
        """Waits until a text is in the log."""
        end = time.monotonic() + deadline
        while text not in self.log.read_text(errors="replace"):
            if time.monotonic() > end or self.process.poll() is not None:
                raise RuntimeError(f"the log never said {text!r}:\n{self.tail()}")
            time.sleep(0.02)

    def stop(self, deadline=60):
        """Drains and ends; returns the exit code."""
        if self.process is None:
            return None
        process, self.process = self.process, None
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            return process.wait(deadline)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise RuntimeError(f"the gateway did not stop within {deadline} s of SIGTERM:\n{self.tail()}") from None

    def kill(self):
        """kill -9."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def memory_peak(self):
        """The largest resident set so far, in bytes."""
        return self._status("VmHWM")

    def forget_memory_peak(self):
        """The largest resident set is that of now."""
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def memory(self):
        """The resident set now, in bytes."""
        return self._status("VmRSS")

    def _status(self, name):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
        raise RuntimeError(f"no {name}")

    def metrics(self):
        """The samples of /metrics: name with labels to value."""
        with urllib.request.urlopen(f"{self.admin}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        samples = {}
        for line in lines:
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                samples[name] = float(value)
        return samples

    def stores(self):
        """The six directories."""
        return [self.data / f"store-{number}" for number in range(STORES)]

    def tool(self, *arguments, check=True, timeout=600):
        """Runs a command of the binary, such as ``recover`` or ``scrub``; returns what subprocess.run returns."""
        result = subprocess.run(
            [str(binary()), *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            env=self.variables(),
        )
        if check and result.returncode != 0:
            raise RuntimeError(f"{arguments} ended with {result.returncode}:\n{result.stdout}\n{result.stderr}")
        return result

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, traceback):
        if kind is None:
            code = self.stop()
            if code not in (0, None):
                raise RuntimeError(f"the gateway ended with {code}:\n{self.tail()}")
        else:
            self.kill()
