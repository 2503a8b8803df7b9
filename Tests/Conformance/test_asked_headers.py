"""Headers that ask for what is not served, encryption above all: who may, what S3 would refuse, and 501 for the rest;
and what policies may ask of a request's headers."""

import base64
import hashlib
import json
import uuid

import pytest

from Harness import raw

METHOD = "x-amz-server-side-encryption"
KMS_KEY = f"{METHOD}-aws-kms-key-id"
CUSTOMER = f"{METHOD}-customer-"
KEY = bytes(range(32))


def customer(algorithm="AES256", key=KEY, md5=KEY):
    headers = {}
    if algorithm is not None:
        headers[CUSTOMER + "algorithm"] = algorithm
    if key is not None:
        headers[CUSTOMER + "key"] = base64.b64encode(key).decode()
    if md5 is not None:
        headers[CUSTOMER + "key-md5"] = base64.b64encode(hashlib.md5(md5).digest()).decode()
    return headers


BAD_KEYS = [
    (customer(algorithm=None), "InvalidArgument"),
    (customer(key=None), "InvalidArgument"),
    (customer(md5=None), "InvalidArgument"),
    (customer(algorithm="AES128"), "InvalidEncryptionAlgorithmError"),
    (customer(key=b"short", md5=b"short"), "InvalidArgument"),
    (customer(md5=b"another"), "InvalidArgument"),
    ({**customer(), CUSTOMER + "key": "no base 64"}, "InvalidArgument"),
]
BAD_WRITES = [
    ({METHOD: "aes:kms"}, "InvalidArgument"),
    ({METHOD: "AES192"}, "InvalidArgument"),
    ({KMS_KEY: "key"}, "InvalidArgument"),
    ({METHOD: "AES256", KMS_KEY: "key"}, "InvalidArgument"),
    ({METHOD: "AES256", **customer()}, "InvalidArgument"),
    ({METHOD: "aws:kms", **customer()}, "InvalidArgument"),
]
GOOD = [{METHOD: "AES256"}, {METHOD: "aws:kms"}, {METHOD: "aws:kms", KMS_KEY: "key"}, customer()]


@pytest.fixture
def name(send):
    """A bucket with an object `k`."""
    name = f"b-{uuid.uuid4().hex[:20]}"
    assert send("PUT", f"/{name}").status == 200
    assert send("PUT", f"/{name}/k", {}, b"x").status == 200
    yield name
    send("DELETE", f"/{name}?policy")
    for key in send("GET", f"/{name}").texts("Contents/Key"):
        send("DELETE", f"/{name}/{raw.quote(key)}")
    assert send("DELETE", f"/{name}").status == 204


@pytest.fixture
def anonymous(server):
    client = raw.Raw(server)
    yield lambda method, target, headers=None, body=b"": client(method, target, headers, body, sign=False)
    client.close()


def allow(send, name, action, condition, effect="Allow", *more):
    """Gives the bucket a policy for everybody."""
    resource = [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
    statement = {"Effect": effect, "Principal": "*", "Action": action, "Resource": resource, "Condition": condition}
    policy = {"Version": "2012-10-17", "Statement": [statement, *more]}
    answer = send("PUT", f"/{name}?policy", {}, json.dumps(policy).encode())
    assert answer.status == 204, answer


@pytest.mark.parametrize("headers,code", BAD_KEYS + BAD_WRITES)
def test_encryption_that_s3_refuses(send, refused, name, headers, code):
    for method, target, more in [
        ("PUT", f"/{name}/new", {}),
        ("POST", f"/{name}/new?uploads", {}),
        ("PUT", f"/{name}/new", {"x-amz-copy-source": f"/{name}/k"}),
    ]:
        refused(send(method, target, {**headers, **more}), 400, code)
    assert send("GET", f"/{name}/new").status == 404


@pytest.mark.parametrize("headers", GOOD)
def test_encryption_that_s3_would_do(send, refused, name, headers):
    refused(send("PUT", f"/{name}/new", headers, b"x"), 501, "NotImplemented")
    refused(send("POST", f"/{name}/new?uploads", headers), 501, "NotImplemented")
    assert send("GET", f"/{name}/new").status == 404


@pytest.mark.parametrize(
    "headers,code", BAD_KEYS + [({METHOD: "AES256"}, "InvalidArgument"), ({KMS_KEY: "key"}, "InvalidArgument")]
)
def test_encryption_on_reads_and_parts(send, refused, name, headers, code):
    refused(send("GET", f"/{name}/k", headers), 400, code)
    refused(send("HEAD", f"/{name}/k", headers), 400, None, head=True)
    upload = send("POST", f"/{name}/k?uploads").text("UploadId")
    refused(send("PUT", f"/{name}/k?partNumber=1&uploadId={upload}", headers, b"x"), 400, code)
    assert send("DELETE", f"/{name}/k?uploadId={upload}").status == 204


@pytest.mark.parametrize("headers", [*GOOD, *[headers for headers, _ in BAD_WRITES], {"x-amz-acl": "nonsense"}])
def test_strangers_are_denied_first(anonymous, refused, name, headers):
    refused(anonymous("PUT", f"/{name}/k", headers, b"y"), 403, "AccessDenied")
    refused(anonymous("GET", f"/{name}/k", headers), 403, "AccessDenied")


def test_a_policy_on_encryption_decides_first(send, refused, name):
    """Also over the owner, and over what S3 would refuse afterwards."""
    key = f"s3:{METHOD}"
    null = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{name}/*",
        "Condition": {"Null": {key: "true"}},
    }
    allow(send, name, "s3:PutObject", {"StringNotEquals": {key: "AES256"}}, "Deny", null)
    refused(send("PUT", f"/{name}/new", {}, b"x"), 403, "AccessDenied")
    for method in ["aws:kms", "AES192", ""]:
        refused(send("PUT", f"/{name}/new", {METHOD: method}, b"x"), 403, "AccessDenied")
    refused(send("PUT", f"/{name}/new", customer(), b"x"), 403, "AccessDenied")
    refused(send("PUT", f"/{name}/new", {METHOD: "AES256"}, b"x"), 501, "NotImplemented")


@pytest.mark.parametrize(
    "header,value,other,status",
    [
        (METHOD, "AES256", "aws:kms", 501),
        (KMS_KEY, "a", "b", 400),
        (CUSTOMER + "algorithm", "AES256", "AES192", 400),
        ("x-amz-storage-class", "STANDARD", "GLACIER", 200),
        ("x-amz-acl", "private", "bucket-owner-full-control", 200),
        ("x-amz-grant-read", "id=a", "id=b", 400),
        ("x-amz-website-redirect-location", "/a", "/b", 200),
    ],
)
def test_policies_ask_for_headers_of_writes(send, refused, anonymous, name, header, value, other, status):
    allow(send, name, "s3:PutObject", {"StringEquals": {f"s3:{header}": value}})
    assert anonymous("PUT", f"/{name}/new", {header: value}, b"x").status == status
    refused(anonymous("PUT", f"/{name}/new", {header: other}, b"x"), 403, "AccessDenied")
    refused(anonymous("PUT", f"/{name}/new", {}, b"x"), 403, "AccessDenied")


def test_policies_ask_for_the_source_of_a_copy(send, refused, anonymous, name):
    for key in ["public/a%20b", "private/a"]:
        send("PUT", f"/{name}/{key}", {}, b"x")
    read = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}
    condition = {"StringLike": {"s3:x-amz-copy-source": f"{name}/public/*"}}
    allow(send, name, "s3:PutObject", condition, "Allow", read)
    for source in [f"{name}/public/a%20b", f"/{name}/public/a+b", f"{name}%2Fpublic%2Fa%20b"]:
        answer = anonymous("PUT", f"/{name}/new", {"x-amz-copy-source": source})
        assert answer.status == 200, answer
    for source in [f"{name}/private/a", f"/{name}/%70rivate/a"]:
        refused(anonymous("PUT", f"/{name}/new", {"x-amz-copy-source": source}), 403, "AccessDenied")
    condition = {"StringEquals": {"s3:x-amz-metadata-directive": "COPY"}}
    allow(send, name, "s3:PutObject", condition, "Allow", read)
    source = {"x-amz-copy-source": f"{name}/private/a"}
    directive = "x-amz-metadata-directive"
    assert anonymous("PUT", f"/{name}/new", {**source, directive: "COPY"}).status == 200
    refused(anonymous("PUT", f"/{name}/new", {**source, directive: "REPLACE"}), 403, "AccessDenied")
    refused(anonymous("PUT", f"/{name}/new", source), 403, "AccessDenied")
    # On what copies nothing the header has no effect, and satisfies nobody.
    refused(anonymous("PUT", f"/{name}/new", {directive: "COPY"}, b"x"), 403, "AccessDenied")


def test_policies_ask_for_tags_of_writes(send, refused, anonymous, name):
    condition = {"StringEquals": {"s3:RequestObjectTag/security": "public"}}
    allow(send, name, ["s3:PutObject", "s3:PutObjectTagging"], condition)
    assert anonymous("PUT", f"/{name}/new", {"x-amz-tagging": "security=%70ublic&a=b"}, b"x").status == 200
    for headers in [{}, {"x-amz-tagging": "security=private"}, {"x-amz-tagging": "a=public"}]:
        refused(anonymous("PUT", f"/{name}/new", headers, b"x"), 403, "AccessDenied")


def test_a_header_twice_is_refused(server, name):
    client = raw.Raw(server)
    for header in ["x-amz-acl", METHOD, "x-amz-storage-class", "x-amz-tagging"]:
        connection = client.connect()
        connection.putrequest("PUT", f"/{name}/new", skip_accept_encoding=True)
        for value in ["private", "public-read"]:
            connection.putheader(header, value)
        connection.putheader("Content-Length", "0")
        connection.endheaders()
        answer = connection.getresponse()
        assert answer.status == 400 and b"<Code>InvalidArgument</Code>" in answer.read()
        connection.close()


def test_an_absent_key_is_told_to_whoever_may_list_it(send, refused, anonymous, name):
    allow(send, name, "s3:ListBucket", {"StringLike": {"s3:prefix": "public/*"}})
    send("PUT", f"/{name}/public/there", {}, b"x")
    refused(anonymous("HEAD", f"/{name}/public/none"), 404, None, head=True)
    refused(anonymous("GET", f"/{name}/public/none"), 404, "NoSuchKey")
    refused(anonymous("GET", f"/{name}/public/there"), 403, "AccessDenied")
    refused(anonymous("HEAD", f"/{name}/private/none"), 403, None, head=True)
    refused(anonymous("GET", f"/{name}/k"), 403, "AccessDenied")
