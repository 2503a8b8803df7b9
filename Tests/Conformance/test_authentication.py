"""Who may ask: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html"""

import datetime
import urllib.parse

import botocore.auth
import botocore.awsrequest
import pytest

from Harness import raw


def presigned(server, method, target, expires=60, headers=None, secret=None, when=None):
    """A presigned target, signed as botocore does, at another time where one is given."""
    client = raw.Raw(server._replace(secret_key=secret or server.secret_key))
    signer = botocore.auth.S3SigV4QueryAuth(client.credentials, "s3", server.region, expires=expires)
    request = botocore.awsrequest.AWSRequest(method, server.url + target, headers=dict(headers or {}))
    with shifted(when):
        signer.add_auth(request)
    url = urllib.parse.urlsplit(request.url)
    return f"{url.path}?{url.query}"


class shifted:
    """Moves botocore's clock by some seconds."""

    def __init__(self, seconds):
        self.seconds = seconds

    def __enter__(self):
        self.original = botocore.auth.get_current_datetime
        if self.seconds:
            delta = datetime.timedelta(seconds=self.seconds)
            botocore.auth.get_current_datetime = lambda *a, **k: self.original(*a, **k) + delta

    def __exit__(self, *_):
        botocore.auth.get_current_datetime = self.original


@pytest.fixture
def stranger(server):
    """Requests with the right access key and a wrong secret."""
    return raw.Raw(server._replace(secret_key="wrong" + server.secret_key))


@pytest.fixture
def target(send, place, key):
    send("PUT", f"/{place}/{key}", {}, b"content")
    return f"/{place}/{key}"


PAYLOADS = [
    None,
    raw.UNSIGNED,
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
]


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize(
    "method,query,headers",
    [
        ("PUT", "", {}),
        ("PUT", "", {"x-amz-copy-source": "/PLACE/KEY"}),
        ("PUT", "?tagging", {}),
        ("POST", "?uploads", {}),
        ("DELETE", "", {}),
        ("GET", "", {}),
        ("PUT", "", {"x-amz-meta-snowball-auto-extract": "true"}),
    ],
)
def test_wrong_secret_in_every_payload_mode(stranger, send, refused, target, payload, method, query, headers):
    """CVE-2026-40344, CVE-2025-31489: some payload modes were never verified."""
    headers = {name: value.replace("/PLACE/KEY", target) for name, value in headers.items()}
    body = b"changed" if method == "PUT" else b""
    if payload and payload.startswith("STREAMING"):
        headers |= {"Content-Encoding": "aws-chunked", "x-amz-decoded-content-length": "7"}
        if payload.endswith("TRAILER"):
            headers |= {"x-amz-trailer": "x-amz-checksum-crc32"}
        body = b"7\r\nchanged\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"
    refused(stranger(method, target + query, headers, body, payload=payload), 403, "SignatureDoesNotMatch")
    assert send("GET", target).body == b"content"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_credentials_in_the_query(server, send, refused, target, method):
    """CVE-2026-41145: with the credential in the query string, verification was skipped."""
    client = raw.Raw(server)
    body = b"x" if method == "PUT" else b""
    for payload in PAYLOADS[1:]:
        headers = {"x-amz-content-sha256": payload}
        wrong = presigned(server, method, target, headers=headers, secret="wrong")
        refused(client(method, wrong, headers, body, sign=False), 403, "SignatureDoesNotMatch")
        # A header that was not signed is refused before the signature is looked at.
        unsigned = presigned(server, method, target, secret="wrong")
        refused(client(method, unsigned, headers, body, sign=False), 403, "AccessDenied")
    assert send("GET", target).body == b"content"


def test_both_places_at_once(server, refused, target):
    url = presigned(server, "GET", target)
    answer = raw.Raw(server)("GET", url)
    assert answer.status in (400, 403) and answer.code in (
        "InvalidArgument",
        "InvalidRequest",
        "SignatureDoesNotMatch",
    ), answer


def test_unknown_key_and_garbage(server, refused, target):
    refused(raw.Raw(server._replace(access_key="NOSUCHACCESSKEY"))("GET", target), 403, "InvalidAccessKeyId")
    client = raw.Raw(server)
    for value in [
        "",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=x",
        "Basic eDp4",
        "AWS x:y",
        "Bearer x",
        "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=00",
        "AWS4-HMAC-SHA256 Credential=////, SignedHeaders=;, Signature=",
        "AWS4-HMAC-SHA256 " + "x" * 4000,
    ]:
        answer = client("GET", target, {"Authorization": value, "x-amz-date": "20260101T000000Z"}, sign=False)
        assert answer.status in (400, 403), (value, answer)


@pytest.mark.parametrize(
    "seconds,status", [(-14 * 60, 200), (14 * 60, 200), (-16 * 60, 403), (16 * 60, 403), (-86400 * 400, 403)]
)
def test_skew(server, target, seconds, status):
    """CVE-2025-68671 and its kin: no check of the date, so that a request could be replayed for ever."""
    with shifted(seconds):
        answer = raw.Raw(server)("GET", target)
    assert answer.status == status, answer
    if status == 403:
        assert answer.code == "RequestTimeTooSkewed"


def test_presigned_expiry(server, refused, target):
    client = raw.Raw(server)
    assert client("GET", presigned(server, "GET", target), sign=False).body == b"content"
    refused(client("GET", presigned(server, "GET", target, expires=60, when=-61), sign=False), 403, "AccessDenied")
    assert client("GET", presigned(server, "GET", target, expires=7 * 86400, when=-86400), sign=False).status == 200
    for expires in [7 * 86400 + 1, 0, -1]:
        answer = client("GET", presigned(server, "GET", target, expires=expires), sign=False)
        assert answer.status in (400, 403), (expires, answer)
    answer = client("GET", presigned(server, "GET", target, when=20 * 60), sign=False)
    assert answer.status == 403, answer


def test_presigned_for_another_method_or_key(server, refused, target):
    client = raw.Raw(server)
    url = presigned(server, "GET", target)
    refused(client("PUT", url, {}, b"x", sign=False), 403, "SignatureDoesNotMatch")
    refused(client("DELETE", url, sign=False), 403, "SignatureDoesNotMatch")
    refused(client("GET", url.replace("?", "x?", 1), sign=False), 403, "SignatureDoesNotMatch")
    refused(client("GET", url + "&versionId=null", sign=False), 403, "SignatureDoesNotMatch")
    assert client("HEAD", url, sign=False).status in (200, 403)


@pytest.mark.parametrize(
    "name,value",
    [
        ("x-amz-acl", "private"),
        ("x-amz-copy-source", "/PLACE"),
        ("x-amz-meta-a", "1"),
        ("x-amz-tagging", "a=b"),
        ("x-amz-storage-class", "STANDARD"),
        ("x-amz-security-token", "x"),
        ("x-amz-metadata-directive", "REPLACE"),
        ("x-amz-website-redirect-location", "/x"),
        ("x-amz-server-side-encryption", "AES256"),
    ],
)
def test_unsigned_amz_headers_are_refused(server, send, target, name, value):
    """CVE-2026-54330: unsigned x-amz-* headers on a presigned URL were honoured."""
    client = raw.Raw(server)
    value = value.replace("/PLACE", target)
    answer = client("PUT", presigned(server, "PUT", target), {name: value}, b"changed", sign=False)
    assert answer.status in (400, 403), answer
    headers = client.signed("PUT", target, {}, b"changed") | {name: value}
    answer = client("PUT", target, headers, b"changed", sign=False)
    assert answer.status in (400, 403), answer
    assert send("GET", target).body == b"content"


def test_unsigned_content_type_on_a_presigned_put(server, send, target):
    """AWS accepts it, and restic and an SDK send it."""
    url = presigned(server, "PUT", target)
    assert raw.Raw(server)("PUT", url, {"Content-Type": "text/x"}, b"new", sign=False).status == 200
    assert send("GET", target).headers["Content-Type"] == "text/x"


def test_scope(server, refused, target):
    answer = raw.Raw(server, region="eu-mars-1")("GET", target)
    assert answer.status == 400 and answer.code == "AuthorizationHeaderMalformed", answer
    answer = raw.Raw(server, service="sts")("GET", target)
    assert answer.status in (400, 403), answer


def test_host_must_be_signed(server, target):
    client = raw.Raw(server)
    headers = client.signed("GET", target)
    headers["Authorization"] = headers["Authorization"].replace("host;", "")
    assert client("GET", target, headers, sign=False).status in (400, 403)
    headers = client.signed("GET", target, {"Host": "other.example"})
    headers["Host"] = client.url.netloc
    assert client("GET", target, headers, sign=False).status == 403


def test_double_encoding(server, send, place):
    """cloudpods PR 25490: decoding twice made a signature valid for another key."""
    client = raw.Raw(server)
    assert client("PUT", f"/{place}/a%252Fb", {}, b"x").status == 200
    assert client("GET", f"/{place}/a%2Fb").status == 404 and client("GET", f"/{place}/a/b").status == 404
    assert client("GET", f"/{place}/a%252Fb").body == b"x"
    headers = client.signed("GET", f"/{place}/a%252Fb")
    assert client("GET", f"/{place}/a%2Fb", headers, sign=False).status in (403, 404)


def test_internal_headers_of_strangers(server, send, refused, target):
    """SeaweedFS cce98fcec, GHSA-6r96, GHSA-fc6g: identity or conditions taken from the client's own headers."""
    for name in [
        "x-amz-principal",
        "x-forwarded-for",
        "x-real-ip",
        "x-minio-source-replication-request",
        "x-tidegate-principal",
        "x-amz-account-id",
        "x-seaweedfs-principal-arn",
    ]:
        refused(raw.Raw(server)("GET", target, {name: "root"}, sign=False), 403, "AccessDenied")
