"""CopyObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html"""

import pytest

from Harness.raw import quote


@pytest.fixture
def source(send, place, key):
    send(
        "PUT", f"/{place}/{key}", {"x-amz-meta-a": "1", "Content-Type": "text/x", "x-amz-tagging": "t=1"}, b"content"
    )
    return f"/{place}/{key}"


def copy(send, source, target, **headers):
    return send(
        "PUT", target, {"x-amz-copy-source": source} | {f"x-amz-{n.replace('_', '-')}": v for n, v in headers.items()}
    )


def test_answer(send, source):
    answer = copy(send, source, f"{source}-copy")
    assert answer.status == 200 and answer.xml.tag == "CopyObjectResult"
    assert answer.text("ETag").strip('"') == send("HEAD", source).etag and answer.text("LastModified").endswith("Z")
    got = send("GET", f"{source}-copy")
    assert (got.body, got.headers["x-amz-meta-a"], got.headers["Content-Type"]) == (b"content", "1", "text/x")


def test_source_forms(send, source):
    for form in [source, source[1:], source.replace("key", "%6bey"), source.replace("/key", "%2Fkey")]:
        assert copy(send, form, f"{source}-copy").status == 200, form


def test_special_keys(send, place):
    for name in ["a b", "plus+", "per%cent", "ü", "q?x=1", "amp&"]:
        send("PUT", f"/{place}/{quote(name)}", {}, name.encode())
        assert copy(send, f"/{place}/{quote(name)}", f"/{place}/target").status == 200, name
        assert send("GET", f"/{place}/target").body == name.encode()


def test_replace(send, source):
    answer = copy(
        send,
        source,
        f"{source}-copy",
        metadata_directive="REPLACE",
        meta_b="2",
        tagging_directive="REPLACE",
        tagging="u=2",
    )
    assert answer.status == 200
    head = send("HEAD", f"{source}-copy")
    assert "x-amz-meta-a" not in head.headers and head.headers["x-amz-meta-b"] == "2"
    assert send("GET", f"{source}-copy?tagging").texts("TagSet/Tag/Key") == ["u"]


def test_onto_itself(send, refused, source):
    refused(copy(send, source, source), 400, "InvalidRequest")
    assert copy(send, source, source, metadata_directive="REPLACE", meta_c="3").status == 200
    head = send("HEAD", source)
    assert head.headers["x-amz-meta-c"] == "3" and send("GET", source).body == b"content"


def test_directives_that_are_none(send, refused, source):
    refused(copy(send, source, f"{source}-copy", metadata_directive="NOPE"), 400, "InvalidArgument")
    refused(copy(send, source, f"{source}-copy", tagging_directive="NOPE"), 400, "InvalidArgument")


def test_conditions(send, refused, source):
    etag = send("HEAD", source).headers["ETag"]
    past = "Sat, 01 Jan 2000 00:00:00 GMT"
    assert copy(send, source, f"{source}-copy", copy_source_if_match=etag).status == 200
    for condition in [
        {"copy_source_if_match": '"00"'},
        {"copy_source_if_none_match": etag},
        {"copy_source_if_unmodified_since": past},
    ]:
        refused(copy(send, source, f"{source}-other", **condition), 412, "PreconditionFailed")
    assert send("GET", f"{source}-other").status == 404


def test_missing(send, refused, place, source):
    refused(copy(send, f"{source}-none", f"{source}-copy"), 404, "NoSuchKey")
    refused(copy(send, f"/{place}-none/k", f"{source}-copy"), 404, "NoSuchBucket")
    refused(copy(send, source, f"/{place}-none/k"), 404, "NoSuchBucket")


@pytest.mark.parametrize(
    "form", ["", "/", "x", "/bucket", "//", "?versionId=1", "/bucket/", "%ff/%ff", "http://127.0.0.1/b/k"]
)
def test_sources_that_are_none(send, place, form):
    """versitygw 67aaa80d: the copy source parsed in one way by the policy and in another by the copy."""
    answer = copy(send, form, f"/{place}/target-of-nothing")
    assert answer.status in (400, 403, 404), answer
    assert send("GET", f"/{place}/target-of-nothing").status == 404


def test_climbing_sources(send, place, source):
    """CVE-2026-55874: `..` in the copy source."""
    name = source.rsplit("/", 1)[1]
    for form in [
        f"/{place}/../{place}/{name}",
        f"/{place}-none/../{place}/{name}",
        f"/{place}/a/../{name}",
        f"/{place}/%2e%2e/{place}/{name}",
    ]:
        assert copy(send, form, f"{source}-climbed").status in (400, 404), form
