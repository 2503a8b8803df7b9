"""PutObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html"""

import base64
import hashlib

import pytest

from Harness import raw


def test_answer(send, place, key):
    answer = send("PUT", f"/{place}/{key}", {}, b"content")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["ETag"] == f'"{hashlib.md5(b"content").hexdigest()}"'
    assert answer.request_id and answer.headers["x-amz-id-2"]


def test_headers_come_back(send, place, key):
    headers = {
        "Content-Type": "text/x; charset=utf-8",
        "Cache-Control": "max-age=1",
        "Content-Disposition": 'attachment; filename="a"',
        "Content-Encoding": "gzip",
        "Content-Language": "de",
        "Expires": "Wed, 21 Oct 2026 07:28:00 GMT",
        "x-amz-meta-one": "1",
        "x-amz-meta-Two": "a  b",
    }
    send("PUT", f"/{place}/{key}", headers, b"content")
    for method in ["GET", "HEAD"]:
        answer = send(method, f"/{place}/{key}")
        for name, value in headers.items():
            assert answer.headers[name] == (value if name != "x-amz-meta-Two" else answer.headers[name])
        assert answer.headers["x-amz-meta-two"] in ("a  b", "a b")


def test_default_content_type(send, place, key):
    send("PUT", f"/{place}/{key}", {}, b"x")
    assert send("HEAD", f"/{place}/{key}").headers["Content-Type"] == "binary/octet-stream"


def test_empty(send, place, key):
    send("PUT", f"/{place}/{key}", {}, b"")
    answer = send("GET", f"/{place}/{key}")
    assert (answer.status, answer.body, answer.headers["Content-Length"]) == (200, b"", "0")


def test_missing_bucket(send, refused, place, key):
    refused(send("PUT", f"/{place}-none/{key}", {}, b"x"), 404, "NoSuchBucket", f"/{place}-none/{key}")


def test_content_md5(send, refused, place, key):
    right = base64.b64encode(hashlib.md5(b"content").digest()).decode()
    assert send("PUT", f"/{place}/{key}", {"Content-MD5": right}, b"content").status == 200
    refused(send("PUT", f"/{place}/{key}", {"Content-MD5": right}, b"other"), 400, "BadDigest")
    refused(send("PUT", f"/{place}/{key}", {"Content-MD5": "not base64"}, b"other"), 400, "InvalidDigest")
    refused(
        send("PUT", f"/{place}/{key}", {"Content-MD5": base64.b64encode(b"short").decode()}, b"x"),
        400,
        "InvalidDigest",
    )
    assert send("GET", f"/{place}/{key}").body == b"content"


def test_payload_hash(send, refused, place, key):
    wrong = hashlib.sha256(b"other").hexdigest()
    refused(send("PUT", f"/{place}/{key}", {}, b"content", payload=wrong), 400, "XAmzContentSHA256Mismatch")
    assert send("GET", f"/{place}/{key}").status == 404
    assert send("PUT", f"/{place}/{key}", {}, b"content", payload=raw.UNSIGNED).status == 200


@pytest.mark.parametrize(
    "algorithm,value",
    [
        ("crc32", base64.b64encode(b"\0\0\0\0").decode()),
        ("crc32c", "AAAAAA=="),
        ("crc64nvme", "AAAAAAAAAAA="),
        ("sha1", base64.b64encode(bytes(20)).decode()),
        ("sha256", base64.b64encode(bytes(32)).decode()),
    ],
)
def test_wrong_checksums(send, refused, place, key, algorithm, value):
    refused(send("PUT", f"/{place}/{key}", {f"x-amz-checksum-{algorithm}": value}, b"content"), 400, "BadDigest")
    answer = send("PUT", f"/{place}/{key}", {f"x-amz-checksum-{algorithm}": "?"}, b"content")
    refused(answer, 400, "InvalidRequest")
    assert send("GET", f"/{place}/{key}").status == 404


def test_one_checksum_only(send, refused, place, key):
    headers = {"x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-crc32c": "AAAAAA=="}
    refused(send("PUT", f"/{place}/{key}", headers, b""), 400, "InvalidRequest")


def test_needs_a_length(server, refused, place, key):
    client = raw.Raw(server)
    headers = client.signed("PUT", f"/{place}/{key}", {}, b"x", payload=raw.UNSIGNED)
    connection = client.connect()
    connection.putrequest("PUT", f"/{place}/{key}", skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    refused(raw.Answer(response.status, response.headers, response.read()), 411, "MissingContentLength")
    connection.close()


def test_key_lengths(send, refused, place):
    longest = "k" * 1024
    assert send("PUT", f"/{place}/{longest}", {}, b"x").status == 200
    refused(send("PUT", f"/{place}/{longest}k", {}, b"x"), 400, "KeyTooLongError")
    # Bytes count, not characters.
    refused(send("PUT", f"/{place}/{raw.quote('é' * 513)}", {}, b"x"), 400, "KeyTooLongError")


def test_metadata_limits(send, refused, place, key):
    assert send("PUT", f"/{place}/{key}", {"x-amz-meta-a": "x" * 2047}, b"x").status == 200
    refused(send("PUT", f"/{place}/{key}", {"x-amz-meta-a": "x" * 2048}, b"x"), 400, "MetadataTooLarge")


def test_conditions(send, refused, place, key):
    first = send("PUT", f"/{place}/{key}", {"If-None-Match": "*"}, b"1")
    assert first.status == 200
    refused(send("PUT", f"/{place}/{key}", {"If-None-Match": "*"}, b"2"), 412, "PreconditionFailed")
    refused(send("PUT", f"/{place}/{key}", {"If-Match": '"00"'}, b"2"), 412, "PreconditionFailed")
    assert send("PUT", f"/{place}/{key}", {"If-Match": first.headers["ETag"]}, b"2").status == 200
    assert send("GET", f"/{place}/{key}").body == b"2"
    refused(send("PUT", f"/{place}/{key}-none", {"If-Match": '"00"'}, b"2"), 404, "NoSuchKey")
    refused(send("PUT", f"/{place}/{key}-none", {"If-Match": "*"}, b"2"), 404, "NoSuchKey")
    # AWS takes * alone here; a tag means what RFC 9110 says.
    etag = send("HEAD", f"/{place}/{key}").headers["ETag"]
    refused(send("PUT", f"/{place}/{key}", {"If-None-Match": etag}, b"3"), 412, "PreconditionFailed")
    refused(send("PUT", f"/{place}/{key}", {"If-None-Match": "*", "If-Match": etag}, b"3"), 412, "PreconditionFailed")
    assert send("PUT", f"/{place}/{key}", {"If-None-Match": '"00"'}, b"3").status == 200


def test_storage_classes(send, refused, place, key):
    assert send("PUT", f"/{place}/{key}", {"x-amz-storage-class": "STANDARD_IA"}, b"x").status == 200
    assert send("HEAD", f"/{place}/{key}").headers["x-amz-storage-class"] == "STANDARD_IA"
    refused(send("PUT", f"/{place}/{key}", {"x-amz-storage-class": "NOPE"}, b"x"), 400, "InvalidStorageClass")


def test_access_control_lists(send, refused, place, key):
    assert send("PUT", f"/{place}/{key}", {"x-amz-acl": "private"}, b"x").status == 200
    assert send("PUT", f"/{place}/{key}", {"x-amz-acl": "bucket-owner-full-control"}, b"x").status == 200
    refused(send("PUT", f"/{place}/{key}", {"x-amz-acl": "public-read"}, b"x"), 400, "AccessControlListNotSupported")


@pytest.mark.parametrize(
    "name,value",
    [
        ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
        ("x-amz-object-lock-mode", "GOVERNANCE"),
        ("x-amz-object-lock-legal-hold", "ON"),
        ("x-amz-write-offset-bytes", "0"),
    ],
)
def test_headers_of_what_is_not_served_are_never_ignored(send, place, key, name, value):
    answer = send("PUT", f"/{place}/{key}", {name: value}, b"x")
    assert answer.status in (400, 501), answer
    assert send("GET", f"/{place}/{key}").status == 404


def test_redirects_are_kept_for_whoever_reads_them(send, refused, place, key):
    """Only a website endpoint follows them; the REST endpoint stores and shows them."""
    name = "x-amz-website-redirect-location"
    for value in ["/x", "http://example.org/", "https://example.org/a?b"]:
        assert send("PUT", f"/{place}/{key}", {name: value}, b"x").status == 200
        answer = send("GET", f"/{place}/{key}")
        assert (answer.status, answer.body, answer.headers[name]) == (200, b"x", value)
        assert send("HEAD", f"/{place}/{key}").headers[name] == value
    for value in ["x", "ftp://example.org/", "//"]:
        assert (send("PUT", f"/{place}/{key}-bad", {name: value}, b"x").status == 200) == value.startswith("/")
    refused(send("PUT", f"/{place}/{key}", {name: "x"}, b"x"), 400, "InvalidRedirectLocation")


def test_tagging_header(send, refused, place, key):
    send("PUT", f"/{place}/{key}", {"x-amz-tagging": "a=b%20c&d="}, b"x")
    answer = send("GET", f"/{place}/{key}?tagging")
    assert list(zip(answer.texts("TagSet/Tag/Key"), answer.texts("TagSet/Tag/Value"))) == [("a", "b c"), ("d", "")]
    assert send("HEAD", f"/{place}/{key}").headers["x-amz-tagging-count"] == "2"
    many = "&".join(f"k{n}=v" for n in range(11))
    answer = send("PUT", f"/{place}/{key}", {"x-amz-tagging": many}, b"x")
    assert answer.status == 400 and answer.code in ("BadRequest", "InvalidTag"), answer
    for value in ["a=1&a=2", "=", "=v", "a%"]:
        refused(send("PUT", f"/{place}/{key}", {"x-amz-tagging": value}, b"x"), 400, "InvalidArgument")
    for value in ["key?=v", "k=v*", "k=(v)"]:
        refused(send("PUT", f"/{place}/{key}", {"x-amz-tagging": value}, b"x"), 400, "InvalidTag")
    assert send("PUT", f"/{place}/{key}", {"x-amz-tagging": "&key++key=a%2Bb/c.d-e_f:g@h&&"}, b"x").status == 200
    assert send("GET", f"/{place}/{key}?tagging").texts("TagSet/Tag/Value") == ["a+b/c.d-e_f:g@h"]


@pytest.mark.parametrize(
    "sent,kept",
    [
        ("gzip", "gzip"),
        ("deflate, gzip", "deflate, gzip"),
        ("aws-chunked, gzip", "gzip"),
        ("gzip,aws-chunked", "gzip"),
        ("aws-chunked", None),
    ],
)
def test_framing_is_no_encoding_of_the_object(send, place, key, sent, kept):
    assert send("PUT", f"/{place}/{key}", {"Content-Encoding": sent}, b"x").status == 200
    assert send("HEAD", f"/{place}/{key}").headers["Content-Encoding"] == kept


def test_no_expectation(send, place, key):
    assert send("PUT", f"/{place}/{key}", {"Expect": ""}, b"x").status == 200
