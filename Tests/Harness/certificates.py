"""Certificates for tests, made by openssl: a private authority and a server certificate for the loopback interface."""

import collections
import pathlib
import subprocess

Material = collections.namedtuple("Material", "ca certificate key")


def make(folder):
    """Writes ca.pem, server.pem and server-key.pem into the folder."""
    folder = pathlib.Path(folder)

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl(
        "req",
        "-x509",
        *curve,
        "-days",
        "30",
        "-subj",
        "/CN=Test authority",
        "-keyout",
        "ca-key.pem",
        "-out",
        "ca.pem",
        "-addext",
        "keyUsage=critical,keyCertSign,cRLSign",
    )
    openssl("req", *curve, "-subj", "/CN=localhost", "-keyout", "server-key.pem", "-out", "server.csr")
    (folder / "extensions").write_text(
        "subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n"
    )
    openssl(
        "x509",
        "-req",
        "-in",
        "server.csr",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca-key.pem",
        "-CAcreateserial",
        "-days",
        "30",
        "-extfile",
        "extensions",
        "-out",
        "server.pem",
    )
    return Material(folder / "ca.pem", folder / "server.pem", folder / "server-key.pem")
