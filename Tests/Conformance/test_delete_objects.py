"""DeleteObject and DeleteObjects: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html"""

import base64
import hashlib
import json

import pytest

from Harness import raw


def delete(send, place, keys, quiet=False, headers=None):
    objects = "".join(f"<Object><Key>{key}</Key></Object>" for key in keys)
    body = f"<Delete><Quiet>{str(quiet).lower()}</Quiet>{objects}</Delete>".encode()
    checked = {"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()}
    return send("POST", f"/{place}?delete", checked if headers is None else headers, body)


def test_delete_is_idempotent(send, place, key):
    send("PUT", f"/{place}/{key}", {}, b"x")
    for _ in range(2):
        answer = send("DELETE", f"/{place}/{key}")
        assert (answer.status, answer.body) == (204, b"")
    assert send("GET", f"/{place}/{key}").status == 404


def test_delete_in_no_bucket(send, refused, place):
    refused(send("DELETE", f"/{place}-none/k"), 404, "NoSuchBucket")
    refused(delete(send, f"{place}-none", ["k"]), 404, "NoSuchBucket")


def test_conditional_delete(send, refused, place, key):
    etag = send("PUT", f"/{place}/{key}", {}, b"x").headers["ETag"]
    refused(send("DELETE", f"/{place}/{key}", {"If-Match": '"00"'}), 412, "PreconditionFailed")
    assert send("GET", f"/{place}/{key}").status == 200
    assert send("DELETE", f"/{place}/{key}", {"If-Match": etag}).status == 204


def test_conditional_delete_of_what_is_not_there(send, s3, refused, bucket):
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html"""
    for etag in ["*", '"00"']:
        refused(send("DELETE", f"/{bucket}/none", {"If-Match": etag}), 404, "NoSuchKey")
    assert send("DELETE", f"/{bucket}/none", {"x-amz-if-match-size": "1"}).status == 204
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    send("PUT", f"/{bucket}/k", {}, b"x")
    assert send("DELETE", f"/{bucket}/k", {"If-Match": "*"}).headers["x-amz-delete-marker"] == "true"
    refused(send("DELETE", f"/{bucket}/k", {"If-Match": "*"}), 412, "PreconditionFailed")


def test_conditions_are_no_oracle(server, send, refused, bucket):
    """Whoever may write or delete but not read must not learn an ETag by guessing it."""
    etag = send("PUT", f"/{bucket}/k", {}, b"x").headers["ETag"]
    actions = ["s3:PutObject", "s3:DeleteObject"]
    statement = {"Effect": "Allow", "Principal": "*", "Action": actions, "Resource": f"arn:aws:s3:::{bucket}/*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    assert send("PUT", f"/{bucket}?policy", {}, json.dumps(policy).encode()).status == 204
    anonymous = raw.Raw(server)
    for value in [etag, '"00"']:
        refused(anonymous("PUT", f"/{bucket}/k", {"If-Match": value}, b"y", sign=False), 403, "AccessDenied")
        refused(anonymous("DELETE", f"/{bucket}/k", {"If-Match": value}, sign=False), 403, "AccessDenied")
    refused(anonymous("DELETE", f"/{bucket}/k", {"x-amz-if-match-size": "1"}, sign=False), 403, "AccessDenied")
    refused(anonymous("PUT", f"/{bucket}/k", {"If-None-Match": "*"}, b"y", sign=False), 412, "PreconditionFailed")
    assert anonymous("DELETE", f"/{bucket}/k", {"If-Match": "*"}, sign=False).status == 204


def test_a_header_without_effect_satisfies_no_policy(server, send, bucket):
    """A policy that wants conditional deletes is not content with an If-Match that DeleteObjects does not look at."""
    send("PUT", f"/{bucket}/k", {}, b"x")
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:DeleteObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"Null": {"s3:if-match": "false"}},
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    assert send("PUT", f"/{bucket}?policy", {}, json.dumps(policy).encode()).status == 204
    anonymous = raw.Raw(server)
    for etag, outcome in [("", "Error/Code"), ("<ETag>*</ETag>", "Deleted/Key")]:
        body = f"<Delete><Object><Key>k</Key>{etag}</Object></Delete>".encode()
        headers = {"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode(), "If-Match": "*"}
        answer = anonymous("POST", f"/{bucket}?delete", headers, body, sign=False)
        assert answer.status == 200 and answer.text(outcome), answer


@pytest.mark.parametrize(
    "name,value", [("x-amz-if-match-size", "one"), ("x-amz-if-match-last-modified-time", "yesterday")]
)
def test_conditions_that_are_none_delete_nothing(send, refused, place, key, name, value):
    send("PUT", f"/{place}/{key}", {}, b"x")
    refused(send("DELETE", f"/{place}/{key}", {name: value}), 400, "InvalidArgument")
    element = "Size" if name.endswith("size") else "LastModifiedTime"
    body = f"<Delete><Object><Key>{key}</Key><{element}>{value}</{element}></Object></Delete>".encode()
    headers = {"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()}
    refused(send("POST", f"/{place}?delete", headers, body), 400, "InvalidArgument")
    assert send("GET", f"/{place}/{key}").body == b"x"


def test_many(send, place, key):
    names = [f"{key}-{n}" for n in range(3)]
    for name in names:
        send("PUT", f"/{place}/{name}", {}, b"x")
    answer = delete(send, place, [*names, f"{key}-none"])
    assert answer.status == 200 and answer.xml.tag == "DeleteResult"
    assert sorted(answer.texts("Deleted/Key")) == sorted([*names, f"{key}-none"])
    assert delete(send, place, names, quiet=True).texts("Deleted/Key") == []


def test_needs_a_checksum(send, refused, place, key):
    refused(delete(send, place, [key], headers={}), 400, "InvalidRequest")
    refused(delete(send, place, [key], headers={"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="}), 400, "BadDigest")


def test_limits(send, refused, place):
    assert delete(send, place, [f"k{n}" for n in range(1000)]).status == 200
    refused(delete(send, place, [f"k{n}" for n in range(1001)]), 400, "MalformedXML")
    refused(delete(send, place, []), 400, "MalformedXML")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<",
        b"<Delete>",
        b"<Other/>",
        b"<Delete><Object/></Delete>",
        b'<!DOCTYPE d [<!ENTITY a "b">]><Delete><Object><Key>&a;</Key></Object></Delete>',
        b'<!DOCTYPE d SYSTEM "http://127.0.0.1:1/x"><Delete><Object><Key>a</Key></Object></Delete>',
        b"<Delete>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</Delete>",
        b'<?xml version="1.0" encoding="UTF-16"?><Delete><Object><Key>a</Key></Object></Delete>',
    ],
)
def test_malformed(send, refused, place, body):
    headers = {"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()}
    answer = send("POST", f"/{place}?delete", headers, body)
    assert answer.status == 400 and answer.code in ("MalformedXML", "MissingRequestBodyError"), answer


def test_too_large(send, place):
    body = b"<Delete>" + b" " * (5 << 20) + b"</Delete>"
    headers = {"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()}
    answer = send("POST", f"/{place}?delete", headers, body, payload=raw.UNSIGNED)
    assert answer.status in (400, 413) and answer.code in (
        "MalformedXML",
        "EntityTooLarge",
        "MaxMessageLengthExceeded",
    ), answer


def test_keys_that_climb_stay_keys(send, place, key):
    """CVE-2026-58372: `..` in the body of DeleteObjects reached another bucket."""
    send("PUT", f"/{place}/{key}", {}, b"x")
    for name in [f"../{place}/{key}", f"a/../{key}", f"/{key}", f"./{key}", f"..\\{key}"]:
        delete(send, place, [name])
        assert send("GET", f"/{place}/{key}").status == 200, name
