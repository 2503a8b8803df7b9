"""The servers that are measured beside one another, each on ports of its own."""

import contextlib
import datetime
import hashlib
import hmac
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from Harness import certificates, gateway  # noqa: E402

BUCKET = "bench"
ACCESS_KEY, SECRET_KEY = gateway.ACCESS_KEY, gateway.SECRET_KEY


def presigned(method, port, key, query=(), bucket=BUCKET, region="us-east-1"):
    """Path and query of a request that is signed by version 4 for a day, its payload unsigned."""
    now = datetime.datetime.now(datetime.timezone.utc)
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    scope = f"{day}/{region}/s3/aws4_request"
    path = "/" + urllib.parse.quote(f"{bucket}/{key}" if key else bucket, safe="/-_.~")
    items = [
        *query,
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
        ("X-Amz-Credential", f"{ACCESS_KEY}/{scope}"),
        ("X-Amz-Date", stamp),
        ("X-Amz-Expires", "86400"),
        ("X-Amz-SignedHeaders", "host"),
    ]
    text = "&".join(sorted("=".join(urllib.parse.quote(part, safe="-_.~") for part in item) for item in items))
    canonical = f"{method}\n{path}\n{text}\nhost:127.0.0.1:{port}\n\nhost\nUNSIGNED-PAYLOAD"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    signed = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    secret = ("AWS4" + SECRET_KEY).encode()
    for part in [day, region, "s3", "aws4_request"]:
        secret = hmac.digest(secret, part.encode(), "sha256")
    return f"{path}?{text}&X-Amz-Signature={hmac.digest(secret, signed.encode(), 'sha256').hex()}"


class Side:
    """A server with the targets of the same objects, and what its processes have used of the processor."""

    def __init__(self, name, port, folder, processes, signs=True, authority=None):
        self.name, self.port, self.folder = name, port, pathlib.Path(folder)
        # Gives the ids of the processes that serve.
        self.processes, self.signs, self.authority = processes, signs, authority
        self.folder.mkdir(parents=True, exist_ok=True)

    def target(self, method, key, query=()):
        """Path and query."""
        if self.signs:
            return presigned(method, self.port, key, query)
        return f"/{BUCKET}/{urllib.parse.quote(key)}"

    def url(self, method, key):
        return f"{'https' if self.authority else 'http'}://127.0.0.1:{self.port}{self.target(method, key)}"

    def cpu(self):
        """Seconds of the processor that all processes of the server have used."""
        ticks = 0
        for process in self.processes():
            fields = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def request(self, method, key, body=b"", query=(), expected="2"):
        """One request; returns the body of the answer."""
        with contextlib.ExitStack() as stack:
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", self.port), timeout=60))
            if self.authority:
                trusted = ssl.create_default_context(cafile=self.authority.ca)
                connection = stack.enter_context(trusted.wrap_socket(connection, server_hostname="127.0.0.1"))
            head = f"{method} {self.target(method, key, query)} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            connection.sendall(head.encode() + f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode())
            connection.sendall(body)
            answer = connection.makefile("rb").read()
        if not answer.split(b" ", 2)[1].decode().startswith(tuple(expected)):
            raise RuntimeError(f"{self.name}: {method} {key}: {answer[:500]}")
        return answer.partition(b"\r\n\r\n")[2]


def family(process):
    """A process and its children."""
    children = pathlib.Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [process, *[int(child) for child in children]]


def wait_for(port, process, deadline=60):
    end = time.monotonic() + deadline
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.05)
    raise RuntimeError(f"nothing listens on port {port}")


def wait_until_served(side, deadline=120):
    """Waits until a bucket can be made, and makes it."""
    end = time.monotonic() + deadline
    while True:
        try:
            # 409: it was made by the request whose answer was lost.
            side.request("PUT", "", expected=("2", "409"))
            return
        except (OSError, RuntimeError, IndexError):
            if time.monotonic() > end:
                raise
            time.sleep(0.25)


@contextlib.contextmanager
def running(command, log, **options):
    """A process in a session of its own, which is killed with whatever it started: what it holds goes with it.

    A process that a test has stopped goes on when the group that it belongs to loses its last parent elsewhere. Asked
    to end, SeaweedFS would take half a minute.
    """
    with open(log, "ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **options,
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)


@contextlib.contextmanager
def nginx(folder, authority=None, sendfile=True):
    """nginx with two workers that serves and stores files below the folder; with certificates over TLS."""
    port = gateway.free_ports(1)[0]
    folder.mkdir(parents=True)
    files = folder / "files"
    (files / BUCKET).mkdir(parents=True)
    tls = f"ssl_certificate {authority.certificate}; ssl_certificate_key {authority.key};" if authority else ""
    configuration = folder / "nginx.conf"
    configuration.write_text(f"""
        daemon off; worker_processes 2; pid {folder}/pid; error_log {folder}/error.log warn;
        user {'root' if os.geteuid() == 0 else 'nobody'};
        events {{ worker_connections 1024; }}
        http {{
            access_log off; sendfile {'on' if sendfile else 'off'}; tcp_nopush on; keepalive_requests 100000000;
            client_max_body_size 0; client_body_temp_path {folder}/bodies; proxy_temp_path {folder}/a;
            fastcgi_temp_path {folder}/b; uwsgi_temp_path {folder}/c; scgi_temp_path {folder}/d;
            server {{
                listen 127.0.0.1:{port}{' ssl' if authority else ''}; {tls}
                root {files}; dav_methods PUT DELETE; create_full_put_path on;
            }}
        }}
    """)
    program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    with running([program, "-c", str(configuration), "-p", str(folder)], folder / "log") as process:
        wait_for(port, process)
        side = Side("nginx", port, folder, lambda: family(process.pid), signs=False, authority=authority)
        yield side


@contextlib.contextmanager
def tidegate(folder, settings=(), authority=None, data=None):
    """The release build with its default pool."""
    with gateway.Gateway(folder, settings=settings, tls=authority, data=data) as server:
        side = Side("tidegate", server.port, folder, lambda: [server.process.pid], authority=authority)
        side.server = server
        wait_until_served(side)
        yield side


@contextlib.contextmanager
def seaweedfs(folder):
    """SeaweedFS, all of it in one process, with one copy of everything."""
    folder.mkdir(parents=True)
    identities = folder / "s3.json"
    user = {"name": "bench", "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}]}
    user["actions"] = ["Admin", "Read", "Write", "List", "Tagging"]
    identities.write_text(json.dumps({"identities": [user]}))
    parts = ["master", "volume", "filer", "s3"]
    ports = gateway.free_ports(2 * len(parts))
    flags = []
    for part, port, grpc in zip(parts, ports[::2], ports[1::2], strict=True):
        flags += [f"-{part}.port={port}", f"-{part}.port.grpc={grpc}"]
    # What is not wanted would take a fixed port.
    flags += ["-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.iam=false"]
    # So long waits a master that was killed before it is its own leader again.
    flags += ["-master.electionTimeout=1s"]
    (folder / "data").mkdir()
    program = shutil.which("weed", path=f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}")
    command = [program, "server", f"-dir={folder / 'data'}", "-ip=127.0.0.1", "-s3", f"-s3.config={identities}"]
    command += ["-master.volumeSizeLimitMB=1024", "-volume.max=40", *flags]
    with running(command, folder / "log", cwd=folder) as process:
        side = Side("SeaweedFS", ports[6], folder, lambda: [process.pid])
        wait_until_served(side)
        yield side


__all__ = ["BUCKET", "Side", "certificates", "nginx", "presigned", "seaweedfs", "tidegate"]
