"""PutPublicAccessBlock, GetPublicAccessBlock, DeletePublicAccessBlock, and what each of the four settings keeps out."""

import json
import uuid

import pytest

from Harness import raw

NAMES = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"]
GROUP = "http://acs.amazonaws.com/groups/global/AllUsers"


@pytest.fixture
def name(send):
    name = f"b-{uuid.uuid4().hex[:20]}"
    assert send("PUT", f"/{name}").status == 200
    yield name
    send("DELETE", f"/{name}/k")
    assert send("DELETE", f"/{name}").status == 204


@pytest.fixture
def anonymous(server):
    client = raw.Raw(server)
    yield lambda method, target, headers=None, body=b"": client(method, target, headers, body, sign=False)
    client.close()


def document(*elements):
    inner = "".join(f"<{element}>{value}</{element}>" for element, value in elements)
    namespace = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
    return f"<PublicAccessBlockConfiguration {namespace}>{inner}</PublicAccessBlockConfiguration>".encode()


def policy(name, **condition):
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}).encode()


def test_settings(send, refused, name):
    target = f"/{name}?publicAccessBlock"
    refused(send("GET", target), 404, "NoSuchPublicAccessBlockConfiguration", f"/{name}")
    for one in NAMES:
        answer = send("PUT", target, {}, document((one, "true")))
        assert (answer.status, answer.body) == (200, b"")
        answer = send("GET", target)
        assert answer.status == 200 and answer.xml.tag == "PublicAccessBlockConfiguration"
        # What is not named is not set, and nothing of an earlier configuration stays.
        assert {other: answer.text(other) for other in NAMES} == {other: str(other == one).lower() for other in NAMES}
    assert send("DELETE", target).status == 204
    assert send("DELETE", target).status == 204
    refused(send("GET", target), 404, "NoSuchPublicAccessBlockConfiguration")
    for method in ["GET", "PUT", "DELETE"]:
        refused(send(method, f"/{name}-none?publicAccessBlock", {}, document((NAMES[0], "true"))), 404, "NoSuchBucket")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"<Other/>",
        document(("BlockPublicAcls", "perhaps")),
        document(("BlockPublicAcls", "true"), ("BlockEverything", "true")),
        document(("BlockPublicAcls", "true"), ("BlockPublicAcls", "false")),
    ],
)
def test_documents_that_are_none(send, refused, name, body):
    refused(send("PUT", f"/{name}?publicAccessBlock", {}, body), 400, "MalformedXML")
    assert send("GET", f"/{name}?publicAccessBlock").status == 404


def test_nothing_to_configure(send, refused, name):
    refused(send("PUT", f"/{name}?publicAccessBlock", {}, document()), 400, "InvalidRequest")


def test_strangers_neither_read_nor_change_it(send, refused, anonymous, name):
    send("PUT", f"/{name}?publicAccessBlock", {}, document(("BlockPublicAcls", "true")))
    for method in ["GET", "PUT", "DELETE"]:
        refused(anonymous(method, f"/{name}?publicAccessBlock", {}, document((NAMES[0], "false"))), 403, "AccessDenied")
    assert send("GET", f"/{name}?publicAccessBlock").text("BlockPublicAcls") == "true"


def test_public_policies_are_blocked(send, refused, name):
    send("PUT", f"/{name}?publicAccessBlock", {}, document(("BlockPublicPolicy", "true")))
    wide = [
        policy(name),
        policy(name, IpAddress={"aws:SourceIp": "0.0.0.0/0"}),
        policy(name, StringLike={"aws:SourceVpc": "vpc-*"}),
        policy(name, Bool={"aws:SecureTransport": "true"}),
        policy(name, StringEquals={"aws:Referer": "http://example.org/"}),
    ]
    for body in wide:
        refused(send("PUT", f"/{name}?policy", {}, body), 403, "AccessDenied")
    refused(send("GET", f"/{name}?policy"), 404, "NoSuchBucketPolicy")
    narrow = [
        policy(name, IpAddress={"aws:SourceIp": ["192.0.2.0/24", "2001:db8::/32"]}),
        policy(name, StringEquals={"aws:SourceVpc": "vpc-1"}),
        policy(name, StringEquals={"aws:PrincipalOrgID": "o-1"}),
    ]
    for body in narrow:
        assert send("PUT", f"/{name}?policy", {}, body).status == 204
        assert send("GET", f"/{name}?policyStatus").text("IsPublic") == "FALSE"


def test_public_buckets_are_restricted(send, refused, anonymous, name):
    send("PUT", f"/{name}/k", {}, b"x")
    assert send("PUT", f"/{name}?policy", {}, policy(name)).status == 204
    assert anonymous("GET", f"/{name}/k").body == b"x"
    send("PUT", f"/{name}?publicAccessBlock", {}, document(("RestrictPublicBuckets", "true")))
    refused(anonymous("GET", f"/{name}/k"), 403, "AccessDenied")
    assert send("GET", f"/{name}/k").body == b"x"
    # The status is the policy's.
    assert send("GET", f"/{name}?policyStatus").text("IsPublic") == "TRUE"
    local = policy(name, IpAddress={"aws:SourceIp": ["127.0.0.0/8", "::1/128"]})
    assert send("PUT", f"/{name}?policy", {}, local).status == 204
    assert anonymous("GET", f"/{name}/k").body == b"x"
    assert send("PUT", f"/{name}?policy", {}, policy(name)).status == 204
    refused(anonymous("GET", f"/{name}/k"), 403, "AccessDenied")
    assert send("DELETE", f"/{name}?publicAccessBlock").status == 204
    assert anonymous("GET", f"/{name}/k").body == b"x"


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-acl": "public-read"},
        {"x-amz-acl": "public-read-write"},
        {"x-amz-acl": "authenticated-read"},
        {"x-amz-grant-read": f'uri="{GROUP}"'},
    ],
)
def test_public_lists_are_blocked(send, refused, name, headers):
    send("PUT", f"/{name}/k", {}, b"x")
    calls = [
        ("PUT", f"/{name}?acl"),
        ("PUT", f"/{name}/k?acl"),
        ("PUT", f"/{name}/new"),
        ("POST", f"/{name}/new?uploads"),
    ]
    for method, target in calls:
        refused(send(method, target, headers), 400, "AccessControlListNotSupported")
    send("PUT", f"/{name}?publicAccessBlock", {}, document(("BlockPublicAcls", "true")))
    for method, target in calls:
        refused(send(method, target, headers), 403, "AccessDenied")
    refused(send("PUT", f"/{name}/new", {"x-amz-acl": "aws-exec-read"}), 400, "AccessControlListNotSupported")
    assert send("PUT", f"/{name}/k", {"x-amz-acl": "private"}, b"x").status == 200
    assert send("GET", f"/{name}/new").status == 404


def test_public_lists_in_documents_are_blocked(send, refused, name):
    grant = f"<Grant><Grantee><URI>{GROUP}</URI></Grantee><Permission>READ</Permission></Grant>"
    body = (
        "<AccessControlPolicy><Owner><ID>a</ID></Owner>"
        f"<AccessControlList>{grant}</AccessControlList></AccessControlPolicy>"
    ).encode()
    refused(send("PUT", f"/{name}?acl", {}, body), 400, "AccessControlListNotSupported")
    send("PUT", f"/{name}?publicAccessBlock", {}, document(("BlockPublicAcls", "true")))
    refused(send("PUT", f"/{name}?acl", {}, body), 403, "AccessDenied")
