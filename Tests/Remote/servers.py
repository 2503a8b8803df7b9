"""S3 servers on free ports of the loopback interface, for as long as they are tested."""

import collections
import contextlib
import os
import pathlib
import shutil
import sys

import boto3
import botocore.config
import botocore.exceptions

import ceph
import sides
from Harness import gateway

ACCESS_KEY, SECRET_KEY, BUCKET = sides.ACCESS_KEY, sides.SECRET_KEY, sides.BUCKET

# `process` gives the id of the one that serves.
Server = collections.namedtuple("Server", "name url ca port process", defaults=[None, None])


def start(folder, stack, authority, with_ceph=False, only=None):
    """The servers that are installed, each with an empty bucket."""
    started = []

    def wanted(name):
        return only in (None, name)

    def add(side, ca=None):
        url = f"{'https' if ca else 'http'}://127.0.0.1:{side.port}"
        started.append(Server(side.name, url, ca, side.port, lambda: side.processes()[0]))

    if wanted("SeaweedFS") or wanted("nginx"):
        seaweed = stack.enter_context(sides.seaweedfs(folder / "seaweedfs"))
        if wanted("SeaweedFS"):
            add(seaweed)
        if wanted("nginx") and program("nginx"):
            side = stack.enter_context(front(folder / "nginx", seaweed, authority))
            add(side, authority.ca)
            started.append(started[-1]._replace(name="nginx-h2"))
    if wanted("rclone"):
        add(stack.enter_context(rclone(folder / "rclone")))
    if with_ceph and wanted("Ceph"):
        side = stack.enter_context(ceph.rgw(folder / "ceph"))
        side.name = "Ceph"
        add(side)
    if not started:
        raise SystemExit(f"There is no server {only}.")
    return started


def program(name):
    """The program, from the virtual environment or the system; None where it is not installed."""
    return shutil.which(name, path=f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin")


def rclone(folder):
    """rclone's server over a directory, which writes to it before it answers: by itself it does so 5 s later, and may
    then bring back what was deleted meanwhile."""
    (folder / "data").mkdir(parents=True)
    port = gateway.free_ports(1)[0]
    command = [program("rclone"), "serve", "s3", "--addr", f"127.0.0.1:{port}", "--config", str(folder / "none")]
    command += ["--auth-key", f"{ACCESS_KEY},{SECRET_KEY}", "--cache-dir", str(folder)]
    command += ["--vfs-cache-mode", "writes", "--vfs-write-back", "0s"]
    return serving("rclone", [*command, str(folder / "data")], folder, port)


def front(folder, behind, authority):
    """nginx with TLS and HTTP/2 before another server; it takes what it is sent as it comes."""
    folder.mkdir(parents=True)
    port = gateway.free_ports(1)[0]
    configuration = folder / "nginx.conf"
    configuration.write_text(f"""
        daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log warn;
        user {'root' if os.geteuid() == 0 else 'nobody'};
        events {{ worker_connections 1024; }}
        http {{
            access_log off; client_max_body_size 0; client_body_temp_path {folder}/bodies;
            proxy_temp_path {folder}/a; fastcgi_temp_path {folder}/b;
            uwsgi_temp_path {folder}/c; scgi_temp_path {folder}/d;
            server {{
                listen 127.0.0.1:{port} ssl http2;
                ssl_certificate {authority.certificate}; ssl_certificate_key {authority.key};
                location / {{
                    proxy_pass http://127.0.0.1:{behind.port}; proxy_set_header Host $http_host;
                    proxy_http_version 1.1; proxy_request_buffering off; proxy_buffering off;
                }}
            }}
        }}
    """)
    command = [program("nginx"), "-c", str(configuration), "-p", str(folder)]
    return serving("nginx", command, folder, port, authority)


@contextlib.contextmanager
def serving(name, command, folder, port, authority=None):
    with sides.running(command, folder / "log", cwd=folder) as process:
        sides.wait_for(port, process)
        side = sides.Side(name, port, folder, lambda: [process.pid], authority=authority)
        sides.wait_until_served(side)
        yield side


def uploads(server):
    """The multipart uploads that a server keeps; none where it does not list them."""
    client = boto3.client(
        "s3",
        endpoint_url=server.url,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        region_name="us-east-1",
        verify=str(server.ca) if server.ca else None,
        config=botocore.config.Config(s3={"addressing_style": "path"}),
    )
    try:
        answer = client.list_multipart_uploads(Bucket=BUCKET)
    except botocore.exceptions.ClientError as error:
        print(f"{server.name} lists no uploads: {error}", file=sys.stderr)
        return []
    found = answer.get("Uploads", [])
    # Where a server lies about an abort, or about its answer to a beginning, nobody else can end the upload.
    return [f"{each['Key']} {each['UploadId']}" for each in found if not each["Key"].startswith("lies/")]
