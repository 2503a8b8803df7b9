"""CreateBucket, HeadBucket, DeleteBucket, ListBuckets, GetBucketLocation, versioning, ACL and policy of buckets."""

import json
import uuid

import pytest

from Harness import raw


@pytest.fixture
def name(send):
    name = f"b-{uuid.uuid4().hex[:20]}"
    yield name
    send("DELETE", f"/{name}")


def test_create_and_delete(send, refused, name):
    answer = send("PUT", f"/{name}")
    assert (answer.status, answer.headers["Location"]) == (200, f"/{name}")
    assert send("HEAD", f"/{name}").headers["x-amz-bucket-region"] == "us-east-1"
    assert name in send("GET", "/").texts("Buckets/Bucket/Name")
    location = send("GET", f"/{name}?location")
    assert location.xml.tag == "LocationConstraint" and not location.xml.text
    answer = send("DELETE", f"/{name}")
    assert (answer.status, answer.body) == (204, b"")
    refused(send("HEAD", f"/{name}"), 404, None, head=True)
    refused(send("DELETE", f"/{name}"), 404, "NoSuchBucket", f"/{name}")


def test_create_again(send, refused, name):
    send("PUT", f"/{name}")
    answer = send("PUT", f"/{name}")
    # In us-east-1 AWS answers the owner's second try as the first.
    assert answer.status == 200 or answer.code == "BucketAlreadyOwnedByYou"


@pytest.mark.parametrize(
    "bad",
    [
        "ab",
        "a" * 64,
        "Upper-case",
        "under_score",
        "-start",
        "end-",
        "a..b",
        "192.168.5.4",
        "xn--punycode",
        "a.-b",
        "a-.b",
        "name-s3alias",
        "name--ol-s3",
        "sthree-name",
        "sp%20ace",
        # The path is decoded before it is taken apart: this is a key in the bucket "a".
        "a%2Fb",
        "%2e%2e",
        "..",
    ],
)
def test_names_that_are_none(send, refused, bad):
    for method in ["PUT", "GET", "DELETE"]:
        refused(send(method, f"/{bad}"), 400, "InvalidBucketName")
    refused(send("HEAD", f"/{bad}"), 400, None, head=True)


def test_bodies(send, refused, name):
    space = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
    refused(send("PUT", f"/{name}", {}, b"<nonsense"), 400, "MalformedXML")
    place = "<LocationConstraint>mars-1</LocationConstraint>"
    body = f"<CreateBucketConfiguration {space}>{place}</CreateBucketConfiguration>"
    answer = send("PUT", f"/{name}", {}, body.encode())
    assert answer.status == 400 and answer.code in (
        "InvalidLocationConstraint",
        "IllegalLocationConstraintException",
    ), answer
    assert send("HEAD", f"/{name}").status == 404


def test_not_empty(send, refused, name):
    send("PUT", f"/{name}")
    send("PUT", f"/{name}/k", {}, b"x")
    refused(send("DELETE", f"/{name}"), 409, "BucketNotEmpty", f"/{name}")
    send("DELETE", f"/{name}/k")


def test_list_buckets_in_pages(send):
    names = sorted(f"list-{uuid.uuid4().hex[:12]}" for _ in range(5))
    for each in names:
        send("PUT", f"/{each}")
    seen, more = [], ""
    while True:
        answer = send("GET", f"/?max-buckets=2&prefix=list-{more}")
        seen += answer.texts("Buckets/Bucket/Name")
        if not answer.text("ContinuationToken"):
            break
        more = f"&continuation-token={answer.text('ContinuationToken')}"
        assert "<Prefix>list-</Prefix>" in answer.body.decode()
    assert [each for each in seen if each in names] == names and seen == sorted(seen)
    assert send("GET", "/").text("Owner/ID")
    for each in names:
        send("DELETE", f"/{each}")


@pytest.mark.parametrize(
    "query", ["max-buckets=0", "max-buckets=10001", "max-buckets=-1", "max-buckets=x", "continuation-token=nonsense"]
)
def test_list_buckets_refuses(send, refused, query):
    refused(send("GET", f"/?{query}"), 400, "InvalidArgument")


def test_head_names_the_region(server, send, refused, name):
    """By this header an SDK that signed for another region learns the right one: an answer to HEAD has no body."""
    send("PUT", f"/{name}")
    for target in [f"/{name}", f"/{name}/k"]:
        answer = raw.Raw(server, region="eu-mars-1")("HEAD", target)
        refused(answer, 400, None, head=True)
        assert answer.headers["x-amz-bucket-region"] == server.region
        answer = raw.Raw(server)("HEAD", target, sign=False)
        refused(answer, 403, None, head=True)
        assert answer.headers["x-amz-bucket-region"] == server.region


def test_versioning_states(send, refused, name):
    send("PUT", f"/{name}")
    assert send("GET", f"/{name}?versioning").text("Status") is None
    for status in ["Enabled", "Suspended"]:
        body = f"<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>".encode()
        assert send("PUT", f"/{name}?versioning", {}, body).status == 200
        assert send("GET", f"/{name}?versioning").text("Status") == status
    for body in [b"", b"<x", b"<VersioningConfiguration><Status>Perhaps</Status></VersioningConfiguration>"]:
        answer = send("PUT", f"/{name}?versioning", {}, body)
        assert answer.status == 400 and answer.code in (
            "MalformedXML",
            "IllegalVersioningConfigurationException",
            "MissingRequestBodyError",
        ), answer


def test_null_versions(send, name):
    def state(status):
        body = f"<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>".encode()
        assert send("PUT", f"/{name}?versioning", {}, body).status == 200

    send("PUT", f"/{name}")
    assert "x-amz-version-id" not in send("PUT", f"/{name}/k", {}, b"0").headers
    state("Enabled")
    first = send("PUT", f"/{name}/k", {}, b"1").headers["x-amz-version-id"]
    state("Suspended")
    assert send("PUT", f"/{name}/k", {}, b"2").headers.get("x-amz-version-id") in (None, "null")
    assert (
        send("GET", f"/{name}/k?versionId=null").body == b"2"
        and send("GET", f"/{name}/k?versionId={first}").body == b"1"
    )
    marker = send("DELETE", f"/{name}/k")
    assert marker.headers["x-amz-delete-marker"] == "true" and marker.headers["x-amz-version-id"] == "null"
    gone = send("GET", f"/{name}/k")
    assert gone.status == 404 and gone.headers["x-amz-delete-marker"] == "true"
    assert send("GET", f"/{name}/k?versionId=null").status == 405
    for identity in ["null", first]:
        assert send("DELETE", f"/{name}/k?versionId={identity}").status == 204


def test_acl(send, refused, name):
    send("PUT", f"/{name}")
    answer = send("GET", f"/{name}?acl")
    assert answer.texts("AccessControlList/Grant/Permission") == ["FULL_CONTROL"] and answer.text("Owner/ID")
    assert send("PUT", f"/{name}?acl", {"x-amz-acl": "private"}).status == 200
    refused(send("PUT", f"/{name}?acl", {"x-amz-acl": "public-read"}), 400, "AccessControlListNotSupported")


def test_policy(server, send, refused, name):
    send("PUT", f"/{name}")
    send("PUT", f"/{name}/open/k", {}, b"x")
    send("PUT", f"/{name}/closed/k", {}, b"x")
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/open/*"}
        ],
    }
    refused(send("GET", f"/{name}?policy"), 404, "NoSuchBucketPolicy")
    assert send("PUT", f"/{name}?policy", {}, json.dumps(policy).encode()).status == 204
    assert json.loads(send("GET", f"/{name}?policy").body) == policy
    anonymous = raw.Raw(server)
    assert anonymous("GET", f"/{name}/open/k", sign=False).body == b"x"
    refused(anonymous("GET", f"/{name}/closed/k", sign=False), 403, "AccessDenied")
    refused(anonymous("PUT", f"/{name}/open/k", {}, b"y", sign=False), 403, "AccessDenied")
    refused(anonymous("GET", f"/{name}", sign=False), 403, "AccessDenied")
    # The key is decided upon as it is decoded, once.
    send("PUT", f"/{name}/open/..%2Fclosed/k", {}, b"z")
    assert anonymous("GET", f"/{name}/open/..%2Fclosed/k", sign=False).body == b"z"
    # Who may not list is not told that a key is missing.
    refused(anonymous("GET", f"/{name}/open/none", sign=False), 403, "AccessDenied")
    refused(anonymous("GET", f"/{name}/open%252F../closed/k", sign=False), 403, "AccessDenied")
    # An Allow of reading gives no version of it.
    assert send("DELETE", f"/{name}?policy").status == 204
    refused(anonymous("GET", f"/{name}/open/k", sign=False), 403, "AccessDenied")
    for key in ["open/k", "closed/k", "open/../closed/k"]:
        send("DELETE", f"/{name}/{key}")


@pytest.mark.parametrize(
    "policy",
    [
        "",
        "nonsense",
        "{}",
        '{"Version":"2012-10-17","Statement":[]}',
        '{"Version":"2012-10-17","Statement":[{"Effect":"Perhaps","Principal":"*","Action":"s3:*","Resource":"*"}]}',
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"ARN"}]}',
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*",'
        '"Resource":"arn:aws:s3:::o"}]}',
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"ARN",'
        '"Condition":{"NoSuchOperator":{"aws:SourceIp":"1.2.3.4"}}}]}',
        '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:PutObjekt",'
        '"Resource":"ARN"}]}',
        '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"ARN",'
        '"Condition":{"IpAddress":{"aws:SourceIPx":"1.2.3.4"}}}]}',
        "[" * 10_000,
    ],
)
def test_policies_that_are_none(send, name, policy):
    send("PUT", f"/{name}")
    answer = send("PUT", f"/{name}?policy", {}, policy.replace("ARN", f"arn:aws:s3:::{name}").encode())
    assert answer.status == 400 and answer.code in ("MalformedPolicy", "MissingRequestBodyError"), answer
    assert send("GET", f"/{name}?policy").status == 404


def test_bucket_tagging(send, refused, name):
    send("PUT", f"/{name}")
    refused(send("GET", f"/{name}?tagging"), 404, "NoSuchTagSet")
    body = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
    assert send("PUT", f"/{name}?tagging", {}, body).status in (200, 204)
    assert send("GET", f"/{name}?tagging").texts("TagSet/Tag/Key") == ["a"]
    assert send("DELETE", f"/{name}?tagging").status == 204
    refused(send("GET", f"/{name}?tagging"), 404, "NoSuchTagSet")
