"""GetObjectAttributes and the tagging of objects."""

import json

import pytest

from Harness import raw

from Harness.samples import data


def test_attributes(send, place, key):
    put = send(
        "PUT", f"/{place}/{key}", {"x-amz-checksum-sha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}, b""
    )
    asked = {"x-amz-object-attributes": "ETag,Checksum,ObjectParts,StorageClass,ObjectSize"}
    answer = send("GET", f"/{place}/{key}?attributes", asked)
    assert answer.status == 200 and answer.xml.tag == "GetObjectAttributesResponse", answer
    assert (
        answer.text("ETag") == put.etag
        and answer.text("ObjectSize") == "0"
        and answer.text("StorageClass") == "STANDARD"
    )
    assert answer.text("Checksum/ChecksumSHA256") == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    assert answer.headers["Last-Modified"]
    only = send("GET", f"/{place}/{key}?attributes", {"x-amz-object-attributes": "ObjectSize"})
    assert [each.tag for each in only.xml] == ["ObjectSize"]


def test_attributes_refused(send, refused, place, key):
    send("PUT", f"/{place}/{key}", {}, data(10))
    refused(send("GET", f"/{place}/{key}?attributes"), 400, "InvalidRequest")
    refused(send("GET", f"/{place}/{key}?attributes", {"x-amz-object-attributes": ""}), 400, "InvalidRequest")
    refused(send("GET", f"/{place}/{key}?attributes", {"x-amz-object-attributes": "Nope"}), 400, "InvalidArgument")
    refused(send("GET", f"/{place}/{key}-none?attributes", {"x-amz-object-attributes": "ETag"}), 404, "NoSuchKey")


def tagging(pairs):
    tags = "".join(f"<Tag><Key>{key}</Key><Value>{value}</Value></Tag>" for key, value in pairs)
    return f"<Tagging><TagSet>{tags}</TagSet></Tagging>".encode()


def test_tags(send, refused, place, key):
    target = f"/{place}/{key}"
    send("PUT", target, {}, b"x")
    assert send("GET", f"{target}?tagging").texts("TagSet/Tag/Key") == []
    assert send("PUT", f"{target}?tagging", {}, tagging([("ü", "v v"), ("a", "1")])).status == 200
    answer = send("GET", f"{target}?tagging")
    assert list(zip(answer.texts("TagSet/Tag/Key"), answer.texts("TagSet/Tag/Value"))) == [("a", "1"), ("ü", "v v")]
    assert send("GET", target).headers["x-amz-tagging-count"] == "2"
    answer = send("DELETE", f"{target}?tagging")
    assert (answer.status, answer.body) == (204, b"")
    assert send("GET", f"{target}?tagging").texts("TagSet/Tag/Key") == [] and send("GET", target).body == b"x"


@pytest.mark.parametrize(
    "pairs,codes",
    [
        ([(f"k{n}", "v") for n in range(11)], ["BadRequest", "InvalidTag"]),
        ([("k" * 129, "v")], ["InvalidTag"]),
        ([("k", "v" * 257)], ["InvalidTag"]),
        ([("a", "1"), ("a", "2")], ["InvalidTag"]),
        ([("", "v")], ["InvalidTag", "MalformedXML"]),
        ([("aws:x", "v")], ["InvalidTag"]),
        ([("a!b", "v")], ["InvalidTag"]),
        ([("k", "a,b")], ["InvalidTag"]),
        ([("k", "(x)")], ["InvalidTag"]),
    ],
)
def test_tags_refused(send, place, key, pairs, codes):
    target = f"/{place}/{key}"
    send("PUT", target, {}, b"x")
    answer = send("PUT", f"{target}?tagging", {}, tagging(pairs))
    assert answer.status == 400 and answer.code in codes, answer
    assert send("GET", f"{target}?tagging").texts("TagSet/Tag/Key") == []


def test_the_count_of_tags_is_for_those_who_may_read_them(server, send, bucket):
    send("PUT", f"/{bucket}/k", {"x-amz-tagging": "a=1"}, b"x")
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    anonymous = raw.Raw(server)
    for actions, shown in [("s3:GetObject", None), (["s3:GetObject", "s3:GetObjectTagging"], "1")]:
        policy = {"Version": "2012-10-17", "Statement": [statement | {"Action": actions}]}
        assert send("PUT", f"/{bucket}?policy", {}, json.dumps(policy).encode()).status == 204
        for method in ["GET", "HEAD"]:
            answer = anonymous(method, f"/{bucket}/k", sign=False)
            assert (answer.status, answer.headers["x-amz-tagging-count"]) == (200, shown), answer


def test_tags_of_nothing(send, refused, place, key):
    refused(send("GET", f"/{place}/{key}?tagging"), 404, "NoSuchKey")
    refused(send("PUT", f"/{place}/{key}?tagging", {}, tagging([("a", "1")])), 404, "NoSuchKey")
    refused(send("PUT", f"/{place}/{key}?tagging", {}, b"<x"), 400, "MalformedXML")
