"""Requests of signature version 2: https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html"""

import email.utils
import time
import urllib.parse

import botocore.auth
import botocore.awsrequest
import pytest

from Harness import endpoints, gateway, raw


class V2:
    """Requests signed by botocore's HmacV1Auth and HmacV1QueryAuth, and sent as they are."""

    def __init__(self, server, secret=None):
        self.client = raw.Raw(server._replace(secret_key=secret or server.secret_key))

    def __call__(self, method, target, headers=None, body=b"", **changes):
        headers = self.signed(method, target, headers) | changes
        return self.client(method, target, headers, body, sign=False)

    def signed(self, method, target, headers=None):
        request = self.request(method, target, headers)
        botocore.auth.HmacV1Auth(self.client.credentials).add_auth(request)
        return dict(request.headers.items())

    def presigned(self, method, target, headers=None, expires=60):
        request = self.request(method, target, headers)
        botocore.auth.HmacV1QueryAuth(self.client.credentials, expires=expires).add_auth(request)
        url = urllib.parse.urlsplit(request.url)
        return f"{url.path}?{url.query}"

    def request(self, method, target, headers):
        return botocore.awsrequest.AWSRequest(method, self.client.server.url + target, headers=dict(headers or {}))


@pytest.fixture
def v2(server):
    return V2(server)


@pytest.fixture
def target(send, place, key):
    send("PUT", f"/{place}/{key}", {}, b"content")
    return f"/{place}/{key}"


def test_header(v2, send, place, key):
    target = f"/{place}/{raw.quote(key + ' ü+%~')}"
    put = v2("PUT", target, {"Content-Type": "text/x", "x-amz-meta-a": "two  spaces"}, b"content")
    assert put.status == 200, put
    got = v2("GET", target)
    assert got.body == b"content" and got.headers["x-amz-meta-a"] == "two  spaces"
    assert v2("GET", f"/{place}/?location").status == 200
    assert v2("DELETE", target).status == 204


def test_query(v2, send, target):
    client = raw.Raw(v2.client.server)
    assert client("PUT", v2.presigned("PUT", target), {}, b"new", sign=False).status == 200
    url = v2.presigned("GET", target + "?response-content-type=text%2Fy")
    answer = client("GET", url, sign=False)
    assert (answer.body, answer.headers["Content-Type"]) == (b"new", "text/y")
    for changed in [
        url.replace("text%2Fy", "text%2Fhtml"),
        url + "&versionId=null",
        url + "&tagging",
        url + "&x-amz-acl=private",
        url.replace("?", "x?", 1),
    ]:
        answer = client("GET", changed, sign=False)
        assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch"), changed
    assert client("DELETE", v2.presigned("GET", target), sign=False).code == "SignatureDoesNotMatch"


def test_expiry(v2, refused, target):
    client = raw.Raw(v2.client.server)
    refused(client("GET", v2.presigned("GET", target, expires=-1), sign=False), 403, "AccessDenied")
    for expires in ["", "x", "-1", "1e9", "99999999999999999999"]:
        refused(
            client("GET", f"{target}?AWSAccessKeyId=a&Expires={expires}&Signature=x", sign=False),
            403,
            "AccessDenied",
        )
    for half in ["AWSAccessKeyId=a", "Signature=x", "AWSAccessKeyId=a&Signature=x"]:
        refused(client("GET", f"{target}?{half}", sign=False), 403, "AccessDenied")


def test_refused(server, v2, refused, target):
    refused(V2(server, secret="wrong" + server.secret_key)("GET", target), 403, "SignatureDoesNotMatch")
    refused(v2("GET", target, Authorization="AWS NOSUCHACCESSKEY:x"), 403, "InvalidAccessKeyId")
    for value in ["AWS HAHAHA", "AWS", "AWS a:", "AWS a:b:c"]:
        refused(v2("GET", target, Authorization=value), 400, "InvalidArgument")
    refused(v2("GET", target, {"x-amz-security-token": "x"}), 400, "InvalidToken")
    refused(v2("GET", target, **{"x-amz-meta-a": "unsigned"}), 403, "SignatureDoesNotMatch")
    # Folded lines, which the page still describes, are refused before anybody signs or reads them (RFC 9112 §5.2).
    answer = v2("GET", target, **{"x-amz-meta-a": "folded\r\n more"})
    assert answer.status == 400, answer


def test_dates(v2, refused, target):
    for date in ["", "Bad Date", "Tue, 07 Jul 1950 21:53:04 GMT"]:
        refused(v2("GET", target, **{"x-amz-date": date}), 403, "AccessDenied")
    for date in [
        "Tue, 07 Jul 2010 21:53:04 GMT",
        "Tue, 07 Jul 9999 21:53:04 GMT",
        email.utils.formatdate(time.time() + 1000, usegmt=True),
    ]:
        refused(v2("GET", target, **{"x-amz-date": date}), 403, "RequestTimeTooSkewed")
    headers = v2.signed("GET", target)
    del headers["Date"]
    refused(v2.client("GET", target, headers, sign=False), 403, "AccessDenied")


def test_two_claims(v2, refused, target):
    """CVE-2026-41145: a credential in the query skipped verification."""
    client = raw.Raw(v2.client.server)
    headers = v2.signed("GET", target)
    refused(client("GET", v2.presigned("GET", target), headers, sign=False), 400, "InvalidArgument")
    refused(client("GET", v2.presigned("GET", target)), 400, "InvalidArgument")
    url = v2.presigned("GET", target) + "&X-Amz-Algorithm=AWS4-HMAC-SHA256"
    refused(client("GET", url, sign=False), 400, "InvalidArgument")


def test_payload(v2, send, target):
    """The body is not signed; what the request says of it is checked."""
    answer = v2("PUT", target, {"x-amz-content-sha256": "0" * 64}, b"other")
    assert (answer.status, answer.code) == (400, "XAmzContentSHA256Mismatch")
    for mode in ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"]:
        headers = {"x-amz-content-sha256": mode, "x-amz-decoded-content-length": "5"}
        answer = v2("PUT", target, headers, b"5;chunk-signature=" + b"0" * 64 + b"\r\nother\r\n0\r\n\r\n")
        assert (answer.status, answer.code) == (403, "AccessDenied")
    assert send("GET", target).body == b"content"


def test_uncovered_sub_resources(v2, refused, place, target):
    """What version 2 does not cover cannot be added to a URL that somebody else signed."""
    refused(v2("GET", f"/{place}?session"), 403, "AccessDenied")
    refused(v2("PUT", f"{target}?renameObject"), 403, "AccessDenied")
    assert v2("GET", f"/{place}/?list-type=2&prefix=none").text("KeyCount") == "0"


@pytest.mark.skipif(bool(endpoints.GIVEN), reason="needs a gateway of its own settings")
def test_off(tmp_path, refused):
    """As S3's newer regions answer."""
    with gateway.Gateway(tmp_path, settings=["signature-v2=off"]) as running:
        v2 = V2(running.access)
        refused(v2("GET", "/"), 400, "InvalidRequest")
        refused(raw.Raw(running.access)("GET", v2.presigned("GET", "/"), sign=False), 400, "InvalidRequest")
        assert raw.Raw(running.access)("GET", "/").status == 200
