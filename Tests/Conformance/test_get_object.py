"""GetObject and HeadObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html"""

import pytest

from Harness import raw
from Harness.samples import data

SIZE = 300_000


@pytest.fixture(scope="module")
def target(send, place):
    answer = send("PUT", f"/{place}/object", {"Content-Type": "text/x"}, data(SIZE))
    assert answer.status == 200
    return f"/{place}/object"


@pytest.fixture(scope="module")
def etag(send, target):
    return send("HEAD", target).headers["ETag"]


def test_head_is_get_without_a_body(send, target):
    get, head = send("GET", target), send("HEAD", target)
    varying = {"date", "x-amz-request-id", "x-amz-id-2", "connection"}
    fields = [{n.lower(): v for n, v in answer.headers.items() if n.lower() not in varying} for answer in (get, head)]
    assert fields[0] == fields[1] and head.body == b"" and get.body == data(SIZE)
    assert fields[0]["accept-ranges"] == "bytes" and fields[0]["content-length"] == str(SIZE)


@pytest.mark.parametrize(
    "asked,first,last",
    [
        ("bytes=0-0", 0, 0),
        ("bytes=5-", 5, SIZE - 1),
        ("bytes=-5", SIZE - 5, SIZE - 1),
        ("bytes=0-999999", 0, SIZE - 1),
        ("bytes=-999999", 0, SIZE - 1),
        (f"bytes={SIZE - 1}-{SIZE - 1}", SIZE - 1, SIZE - 1),
        ("bytes=65530-65550", 65530, 65550),
    ],
)
def test_ranges(send, target, asked, first, last):
    answer = send("GET", target, {"Range": asked})
    assert answer.status == 206 and answer.headers["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert answer.body == data(SIZE)[first : last + 1]
    head = send("HEAD", target, {"Range": asked})
    assert head.status == 206 and head.headers["Content-Length"] == str(last + 1 - first)


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", "bytes=-0", f"bytes={SIZE}-{SIZE + 1}"])
def test_ranges_that_no_byte_is_in(send, refused, target, asked):
    answer = send("GET", target, {"Range": asked})
    refused(answer, 416, "InvalidRange")
    assert answer.headers.get("Content-Range") in (None, f"bytes */{SIZE}")


@pytest.mark.parametrize("asked", ["bytes=5-4", "bytes=a-b", "lines=0-1", "bytes=", "bytes=0-1,3-4", "bytes=--5"])
def test_ranges_that_are_none_are_ignored(send, target, asked):
    """RFC 9110 §14.2, and AWS for several ranges."""
    answer = send("GET", target, {"Range": asked})
    assert (answer.status, answer.body) == (200, data(SIZE))


def test_range_of_nothing(send, refused, place):
    send("PUT", f"/{place}/empty", {}, b"")
    refused(send("GET", f"/{place}/empty", {"Range": "bytes=0-0"}), 416, "InvalidRange")


def test_conditions(send, refused, target, etag):
    past, future = "Sat, 01 Jan 2000 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
    for headers, status in [
        ({"If-Match": etag}, 200),
        ({"If-Match": "*"}, 200),
        ({"If-Match": f'"00", {etag}'}, 200),
        ({"If-Match": '"00"'}, 412),
        ({"If-None-Match": etag}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"00"'}, 200),
        ({"If-Modified-Since": past}, 200),
        ({"If-Modified-Since": future}, 200),
        ({"If-Unmodified-Since": past}, 412),
        ({"If-Unmodified-Since": future}, 200),
        ({"If-Match": etag, "If-Unmodified-Since": past}, 200),
        ({"If-None-Match": '"00"', "If-Modified-Since": future}, 200),
        ({"If-Modified-Since": "no date"}, 200),
    ]:
        answer = send("GET", target, headers)
        # A date in the future is no valid condition (RFC 9110 §13.1.3), and some servers take it as one.
        allowed = (status, 304) if headers.get("If-Modified-Since") == future and len(headers) == 1 else (status,)
        assert answer.status in allowed, (headers, answer)
        head = send("HEAD", target, headers)
        assert head.status == answer.status and head.body == b""
        if answer.status == 412:
            refused(answer, 412, "PreconditionFailed")
        if answer.status == 304:
            assert answer.body == b"" and answer.headers["ETag"] == etag


def test_response_overrides(send, target, server):
    query = (
        "response-cache-control=no-store&response-content-disposition=attachment%3B%20filename%3D%22a%22"
        "&response-content-encoding=identity&response-content-language=fr&response-content-type=text%2Fy"
        "&response-expires=Thu%2C%2001%20Jan%202026%2000%3A00%3A00%20GMT"
    )
    answer = send("GET", f"{target}?{query}")
    assert answer.headers["Content-Type"] == "text/y" and answer.headers["Cache-Control"] == "no-store"
    assert (
        answer.headers["Content-Disposition"] == 'attachment; filename="a"'
        and answer.headers["Content-Language"] == "fr"
    )


@pytest.mark.parametrize(
    "value", ["a%0D%0AX-Injected%3A%201", "a%0AX-Injected%3A%201", "a%0DX-Injected: 1".replace(" ", "%20"), "a%00b"]
)
def test_response_overrides_never_split_the_answer(send, target, value):
    """CVE-2020-10753, CVE-2021-3524, CVE-2015-5245: CR and LF injected into headers."""
    answer = send("GET", f"{target}?response-content-type={value}")
    assert "X-Injected" not in answer.headers and answer.status in (200, 400)
    assert b"\r\nX-Injected" not in answer.body[:200]


def test_missing(send, refused, place, target):
    refused(send("GET", f"/{place}/none"), 404, "NoSuchKey", f"/{place}/none")
    refused(send("HEAD", f"/{place}/none"), 404, None, head=True)
    refused(send("GET", f"/{place}-none/x"), 404, "NoSuchBucket", f"/{place}-none/x")
    refused(send("HEAD", f"/{place}-none/x"), 404, None, head=True)


def test_versions_that_are_none(send, refused, target):
    refused(send("GET", f"{target}?versionId=none"), 400, "InvalidArgument")
    refused(send("GET", f"{target}?versionId="), 400, "InvalidArgument")
    assert send("GET", f"{target}?versionId=null").status == 200


def test_part_numbers(send, refused, target):
    answer = send("GET", f"{target}?partNumber=1")
    assert answer.status == 206 and answer.body == data(SIZE)
    refused(send("GET", f"{target}?partNumber=2"), 416, "InvalidPartNumber")
    refused(send("GET", f"{target}?partNumber=0"), 400, "InvalidArgument")
    refused(send("GET", f"{target}?partNumber=10001"), 400, "InvalidArgument")
    assert send("GET", f"{target}?partNumber=1", {"Range": "bytes=0-1"}).status == 400


def test_expected_owner(send, refused, target):
    name = "x-amz-expected-bucket-owner"
    refused(send("GET", target, {name: "999999999999"}), 403, "AccessDenied")
    refused(send("HEAD", target, {name: "999999999999"}), 403, None, head=True)
    for value in ["", "none", "9999999999990"]:
        refused(send("GET", target, {name: value}), 400, "InvalidBucketOwnerAWSAccountID")
    copy = {"x-amz-copy-source": target, "x-amz-source-expected-bucket-owner": "999999999999"}
    refused(send("PUT", f"{target}-copy", copy), 403, "AccessDenied")
    assert send("GET", f"{target}-copy").status == 404


def test_anonymous(send, refused, target, place):
    """Where no policy allows it, a stranger learns nothing: neither the object, nor that another one is missing."""
    refused(send("GET", target, sign=False), 403, "AccessDenied")
    refused(send("GET", f"/{place}/none", sign=False), 403, "AccessDenied")
    refused(send("HEAD", target, sign=False), 403, None, head=True)


def test_conditions_are_no_oracle(server, send, refused, target, etag):
    """CVE-2024-36107: conditional headers were evaluated before authorization."""
    for headers in [{"If-Match": etag}, {"If-None-Match": etag}, {"If-None-Match": "*"}]:
        refused(raw.Raw(server)("GET", target, headers, sign=False), 403, "AccessDenied")
