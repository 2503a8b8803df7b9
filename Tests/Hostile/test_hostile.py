"""A small share of each hostile scene; `make hostile` plays the whole ones."""

import os
import socket
import ssl
import subprocess

import pytest

from Harness import certificates, gateway
from Hostile import aborted, idle, slow

if os.environ.get("TIDEGATE_TEST_ENDPOINT"):
    pytest.skip("the scenes are played on a gateway that the test starts itself", allow_module_level=True)


def folder(path):
    return ["--folder", str(path)]


@pytest.mark.timeout(120)
def test_idle_connections(tmp_path):
    assert idle.main(["--connections", "1000", "--requests", "20", *folder(tmp_path)]) == 0


@pytest.mark.timeout(180)
def test_aborted_bodies(tmp_path):
    assert aborted.main(["--count", "60", "--seed", "7", *folder(tmp_path)]) == 0


@pytest.mark.timeout(180)
def test_slow_and_endless_clients(tmp_path):
    assert slow.main(["--clients", "6", "--timeout", "2", *folder(tmp_path)]) == 0


def versions(context, port):
    """The version that a client with this context gets."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        with context.wrap_socket(connection, server_hostname="localhost") as secure:
            assert secure.compression() is None
            return secure.version(), secure.cipher()[0]


@pytest.mark.timeout(120)
def test_tls_versions_and_ciphers(tmp_path):
    """What `tls.py` has scanners look for, as far as openssl asks for it."""
    material = certificates.make(tmp_path)
    with gateway.Gateway(tmp_path / "gateway", tls=material) as running:
        for version, name in [(ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")]:
            context = ssl.create_default_context(cafile=str(material.ca))
            context.minimum_version = context.maximum_version = version
            found, cipher = versions(context, running.port)
            assert found == name and ("GCM" in cipher or "CHACHA20" in cipher), (found, cipher)
        for refused in [
            ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
            ["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
            ["-tls1_2", "-cipher", "AES128-SHA:AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA:DHE:NULL:@SECLEVEL=0"],
        ]:
            assert "Cipher is (NONE)" in client(material, running.port, refused), refused
        # A client asks for another handshake within the connection ("R" at the begin of a line).
        renegotiation = client(material, running.port, ["-tls1_2"], b"R\n")
        before, asked, after = renegotiation.partition("RENEGOTIATING")
        assert "Cipher is ECDHE" in before and asked, renegotiation
        assert "error:" in after, "the client was let into another handshake"


def client(material: certificates.Material, port, arguments, given=b""):
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", str(material.ca), *arguments]
    result = subprocess.run(command, input=given, capture_output=True, timeout=30, check=False)
    return (result.stdout + result.stderr).decode(errors="replace")
