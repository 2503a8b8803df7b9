"""The multipart operations: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html"""

import base64
import hashlib

import pytest

from Harness.raw import UNSIGNED
from Harness.samples import MIB, data

PART = data(5 * MIB)


@pytest.fixture
def upload(send, place, key):
    """Target and id of an upload that is open."""
    answer = send("POST", f"/{place}/{key}?uploads", {"x-amz-meta-a": "1", "Content-Type": "text/x"})
    assert answer.status == 200 and answer.xml.tag == "InitiateMultipartUploadResult"
    assert (answer.text("Bucket"), answer.text("Key")) == (place, key)
    identity = answer.text("UploadId")
    yield f"/{place}/{key}", identity
    send("DELETE", f"/{place}/{key}?uploadId={identity}")


def put(send, upload, number, content):
    answer = send("PUT", f"{upload[0]}?partNumber={number}&uploadId={upload[1]}", {}, content, payload=UNSIGNED)
    assert answer.status == 200, answer
    return answer.headers["ETag"]


def complete(send, upload, parts, headers=None):
    listed = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{etag}</ETag></Part>" for n, etag in parts)
    body = (
        f'<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{listed}</CompleteMultipartUpload>'
    )
    return send("POST", f"{upload[0]}?uploadId={upload[1]}", headers or {}, body.encode())


def test_whole(send, upload):
    parts = [(1, put(send, upload, 1, PART)), (2, put(send, upload, 2, b"end"))]
    answer = complete(send, upload, parts)
    assert answer.status == 200 and answer.xml.tag == "CompleteMultipartUploadResult", answer
    joined = hashlib.md5(hashlib.md5(PART).digest() + hashlib.md5(b"end").digest()).hexdigest()
    assert answer.text("ETag").strip('"') == f"{joined}-2"
    got = send("GET", upload[0])
    assert (
        got.body == PART + b"end" and got.headers["x-amz-meta-a"] == "1" and got.headers["Content-Type"] == "text/x"
    )
    second = send("GET", f"{upload[0]}?partNumber=2")
    assert second.status == 206 and second.body == b"end" and second.headers["x-amz-mp-parts-count"] == "2"
    # A client that lost the first answer gets it again.
    again = complete(send, upload, parts)
    assert again.status == 200 and again.text("ETag") == answer.text("ETag")


def test_gaps_order_and_replaced_parts(send, upload):
    put(send, upload, 7, PART)
    first = put(send, upload, 7, PART[::-1])
    last = put(send, upload, 9, b"9")
    put(send, upload, 8, b"never named")
    assert complete(send, upload, [(7, first), (9, last)]).status == 200
    assert send("GET", upload[0]).body == PART[::-1] + b"9"


def test_refusals_of_complete(send, refused, upload):
    first, second = put(send, upload, 1, PART), put(send, upload, 2, b"small")
    third = put(send, upload, 3, b"last")
    refused(complete(send, upload, [(2, second), (1, first)]), 400, "InvalidPartOrder")
    refused(complete(send, upload, [(1, first), (1, first)]), 400, "InvalidPartOrder")
    refused(complete(send, upload, [(1, first), (4, first)]), 400, "InvalidPart")
    refused(complete(send, upload, [(1, second)]), 400, "InvalidPart")
    refused(complete(send, upload, [(1, first), (2, second), (3, third)]), 400, "EntityTooSmall")
    refused(complete(send, upload, []), 400, "MalformedXML")
    assert send("GET", upload[0]).status == 404
    assert complete(send, upload, [(1, first), (3, third)]).status == 200


@pytest.mark.parametrize("body", [b"<x", b"<Other/>", b"<CompleteMultipartUpload><Part/></CompleteMultipartUpload>"])
def test_malformed_complete(send, refused, upload, body):
    refused(send("POST", f"{upload[0]}?uploadId={upload[1]}", {}, body), 400, "MalformedXML")


def test_conditional_complete(send, refused, upload):
    send("PUT", upload[0], {}, b"there")
    parts = [(1, put(send, upload, 1, b"x"))]
    refused(complete(send, upload, parts, {"If-None-Match": "*"}), 412, "PreconditionFailed")
    assert send("GET", upload[0]).body == b"there"


@pytest.mark.parametrize("identity", ["none", "", "..%2F..%2Fetc", "%00", "x" * 2000])
def test_uploads_that_are_none(send, place, key, identity):
    for method, query, body in [
        ("PUT", "partNumber=1&", b"x"),
        ("POST", "", b"<x/>"),
        ("DELETE", "", b""),
        ("GET", "", b""),
    ]:
        answer = send(method, f"/{place}/{key}?{query}uploadId={identity}", {}, body)
        assert answer.status in (400, 404), (method, answer)
        assert send("GET", f"/{place}/{key}").status == 404


@pytest.mark.parametrize("number", ["0", "10001", "-1", "x", "", "1.5", "99999999999999999999"])
def test_part_numbers_that_are_none(send, refused, upload, number):
    refused(send("PUT", f"{upload[0]}?partNumber={number}&uploadId={upload[1]}", {}, b"x"), 400, "InvalidArgument")


def test_abort(send, refused, upload):
    put(send, upload, 1, b"x")
    answer = send("DELETE", f"{upload[0]}?uploadId={upload[1]}")
    assert (answer.status, answer.body) == (204, b"")
    refused(send("PUT", f"{upload[0]}?partNumber=1&uploadId={upload[1]}", {}, b"x"), 404, "NoSuchUpload")
    refused(send("GET", f"{upload[0]}?uploadId={upload[1]}"), 404, "NoSuchUpload")
    refused(complete(send, upload, [(1, "x")]), 404, "NoSuchUpload")


def test_list_parts(send, upload):
    etags = {number: put(send, upload, number, bytes([number]) * number) for number in [1, 2, 5, 9]}
    seen, marker = [], "0"
    while True:
        answer = send("GET", f"{upload[0]}?uploadId={upload[1]}&max-parts=3&part-number-marker={marker}")
        seen += list(
            zip(map(int, answer.texts("Part/PartNumber")), answer.texts("Part/ETag"), answer.texts("Part/Size"))
        )
        if answer.text("IsTruncated") != "true":
            break
        marker = answer.text("NextPartNumberMarker")
    assert [(n, etag.strip('"'), size) for n, etag, size in seen] == [
        (n, e.strip('"'), str(n)) for n, e in etags.items()
    ]
    assert answer.text("StorageClass") == "STANDARD" and answer.text("Owner/ID") and answer.text("Initiator/ID")


def test_list_uploads(send, bucket):
    made = []
    for name in ["a/1", "a/1", "a/2", "b"]:
        made.append((name, send("POST", f"/{bucket}/{name}?uploads").text("UploadId")))
    for size in [1, 3, 1000]:
        seen, more = [], ""
        while True:
            answer = send("GET", f"/{bucket}?uploads&max-uploads={size}{more}")
            seen += list(zip(answer.texts("Upload/Key"), answer.texts("Upload/UploadId")))
            if answer.text("IsTruncated") != "true":
                break
            more = f"&key-marker={answer.text('NextKeyMarker')}&upload-id-marker={answer.text('NextUploadIdMarker')}"
        assert sorted(seen) == sorted(made) and [name for name, _ in seen] == ["a/1", "a/1", "a/2", "b"]
    answer = send("GET", f"/{bucket}?uploads&delimiter=%2F")
    assert answer.texts("CommonPrefixes/Prefix") == ["a/"] and answer.texts("Upload/Key") == ["b"]


def test_part_copy(send, refused, place, key, upload):
    send("PUT", f"/{place}/{key}-source", {}, PART, payload=UNSIGNED)
    target = f"{upload[0]}?partNumber=1&uploadId={upload[1]}"
    source = {"x-amz-copy-source": f"/{place}/{key}-source"}
    answer = send("PUT", target, source | {"x-amz-copy-source-range": "bytes=10-19"})
    assert answer.status == 200 and answer.xml.tag == "CopyPartResult"
    assert answer.text("ETag").strip('"') == hashlib.md5(PART[10:20]).hexdigest()
    for asked in [
        "bytes=0-",
        "bytes=-5",
        "0-5",
        "bytes=5-1",
        f"bytes=0-{len(PART)}",
        f"bytes={len(PART)}-{len(PART)}",
    ]:
        answer = send("PUT", target, source | {"x-amz-copy-source-range": asked})
        assert answer.status in (400, 416) and answer.code in ("InvalidArgument", "InvalidRange", "InvalidRequest"), (
            asked,
            answer,
        )
    refused(send("PUT", target, {"x-amz-copy-source": f"/{place}/{key}-none"}), 404, "NoSuchKey")
    refused(send("PUT", target, source | {"x-amz-copy-source-if-match": '"00"'}), 412, "PreconditionFailed")
    assert complete(send, upload, [(1, hashlib.md5(PART[10:20]).hexdigest())]).status == 200
    assert send("GET", upload[0]).body == PART[10:20]


PARTS = {1: b"A" * (5 * MIB), 2: b"end"}


def digest(*contents):
    return base64.b64encode(hashlib.sha256(b"".join(contents)).digest()).decode()


@pytest.mark.parametrize("given", ["right", "none", "wrong"])
def test_checksums_of_the_whole(send, refused, place, key, given):
    """The checksum header of CompleteMultipartUpload is of the object, not of the list of its parts."""
    created = send("POST", f"/{place}/{key}?uploads", {"x-amz-checksum-algorithm": "SHA256"})
    assert created.headers["x-amz-checksum-algorithm"] == "SHA256"
    assert created.headers["x-amz-checksum-type"] == "COMPOSITE"
    target, listed = f"/{place}/{key}?uploadId={created.text('UploadId')}", ""
    for number, content in PARTS.items():
        header = {"x-amz-checksum-sha256": digest(content)}
        answer = send("PUT", f"{target}&partNumber={number}", header, content)
        assert answer.status == 200 and answer.headers["x-amz-checksum-sha256"] == digest(content), answer
        listed += (
            f"<Part><PartNumber>{number}</PartNumber><ETag>{answer.headers['ETag']}</ETag>"
            f"<ChecksumSHA256>{digest(content)}</ChecksumSHA256></Part>"
        )
    whole = digest(*[hashlib.sha256(content).digest() for content in PARTS.values()]) + "-2"
    headers = {"right": {"x-amz-checksum-sha256": whole}, "wrong": {"x-amz-checksum-sha256": digest(b"")}, "none": {}}
    body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
    done = send("POST", target, headers[given], body)
    if given == "wrong":
        refused(done, 400, "BadDigest")
        send("DELETE", target)
        return
    assert done.status == 200 and done.text("ChecksumType") == "COMPOSITE", done
    assert done.text("ChecksumSHA256") == whole
    asked = {"x-amz-checksum-mode": "ENABLED"}
    assert send("HEAD", f"/{place}/{key}", asked).headers["x-amz-checksum-sha256"] == whole
    assert "x-amz-checksum-sha256" not in send("HEAD", f"/{place}/{key}").headers
    # With a part goes the part's own checksum, with a range none.
    part = send("GET", f"/{place}/{key}?partNumber=2", asked)
    assert part.body == PARTS[2] and part.headers["x-amz-checksum-sha256"] == digest(PARTS[2])
    assert "x-amz-checksum-sha256" not in send("GET", f"/{place}/{key}", asked | {"Range": "bytes=0-1"}).headers
