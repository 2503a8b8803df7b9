"""Answers fit the published service model: status, header fields and elements, and nothing that it does not name.

The model is that of the installed botocore, whose parser passes over what it does not know.
"""

import datetime
import email.utils
import hashlib
import base64

import botocore.session
import pytest

MODEL = botocore.session.get_session().get_service_model("s3")

# What every answer may have: HTTP's own fields, and those of S3's common response headers.
COMMON = {
    "server",
    "date",
    "connection",
    "content-length",
    "content-type",
    "transfer-encoding",
    "etag",
    "last-modified",
    "x-amz-request-id",
    "x-amz-id-2",
    "x-amz-version-id",
}


def check(answer, operation):
    """Holds an answer against the output shape of an operation."""
    model = MODEL.operation_model(operation)
    assert answer.status == model.http.get("responseCode", 200), answer
    assert answer.request_id and answer.headers["x-amz-id-2"]
    shape = model.output_shape
    members = shape.members if shape else {}
    prefixes = tuple(
        member.serialization["name"].lower()
        for member in members.values()
        if member.serialization.get("location") == "headers"
    )
    fields = {
        member.serialization.get("name", name).lower()
        for name, member in members.items()
        if member.serialization.get("location") == "header"
    }
    for name, value in answer.headers.items():
        name = name.lower()
        assert name in COMMON | fields or (prefixes and name.startswith(prefixes)), (operation, name)
        if name == "etag":
            assert value.startswith('"') and value.endswith('"') and len(value) > 2
        if name in ("last-modified", "date"):
            assert value.endswith(" GMT") and email.utils.parsedate_to_datetime(value)
    payload = shape.serialization.get("payload") if shape else None
    body = {name: m for name, m in members.items() if "location" not in m.serialization}
    if payload and members[payload].type_name in ("blob", "string"):
        return
    if not answer.body:
        assert not [name for name, m in body.items() if name in shape.required_members] if shape else True
        return
    assert answer.headers["Content-Type"] == "application/xml", answer
    assert answer.body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n')
    assert b'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"' in answer.body
    if operation == "GetBucketLocation":
        # Its one member is the text of the root.
        return
    if payload:
        fit(answer.xml, members[payload], operation)
    else:
        elements(answer.xml, body, operation)


def elements(element, members, path):
    """Every child must be a member, and none but the lists come twice."""
    known = {}
    for name, member in members.items():
        wire = member.serialization.get("name", name)
        if member.type_name == "list" and member.serialization.get("flattened"):
            wire = member.serialization.get("name") or member.member.serialization.get("name", name)
        known[wire] = member
    for child in element:
        place = f"{path}/{child.tag}"
        assert child.tag in known, place
        member = known[child.tag]
        if member.type_name == "list" and member.serialization.get("flattened"):
            fit(child, member.member, place)
        else:
            assert len(element.findall(child.tag)) == 1, place
            fit(child, member, place)


def fit(element, shape, path):
    if shape.type_name == "structure":
        elements(element, shape.members, path)
    elif shape.type_name == "list":
        wire = shape.member.serialization.get("name", "member")
        for child in element:
            assert child.tag == wire, f"{path}/{child.tag}"
            fit(child, shape.member, f"{path}/{child.tag}")
    elif shape.type_name == "timestamp":
        datetime.datetime.strptime(element.text, "%Y-%m-%dT%H:%M:%S.%fZ")
    elif shape.type_name in ("integer", "long"):
        assert str(int(element.text)) == element.text, path
    elif shape.type_name == "boolean":
        assert element.text.lower() in ("true", "false"), path
    elif shape.enum and element.text:
        assert element.text in shape.enum, (path, element.text)


@pytest.fixture(scope="module")
def filled(send, s3, place):
    """A versioned bucket with an object sent at once, one sent in parts, one deleted, and an upload in progress."""
    s3.put_bucket_versioning(Bucket=place, VersioningConfiguration={"Status": "Enabled"})
    send("PUT", f"/{place}/dir/whole", {"x-amz-tagging": "a=1", "x-amz-meta-b": "c"}, b"whole")
    created = send("POST", f"/{place}/parts?uploads", {"x-amz-checksum-algorithm": "SHA256"}).text("UploadId")
    digest = base64.b64encode(hashlib.sha256(b"part").digest()).decode()
    part = send(
        "PUT", f"/{place}/parts?partNumber=1&uploadId={created}", {"x-amz-checksum-sha256": digest}, b"part"
    )
    body = (
        f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{part.headers['ETag']}</ETag>"
        f"<ChecksumSHA256>{digest}</ChecksumSHA256></Part></CompleteMultipartUpload>"
    )
    assert send("POST", f"/{place}/parts?uploadId={created}", {}, body.encode()).status == 200
    send("PUT", f"/{place}/gone", {}, b"gone")
    send("DELETE", f"/{place}/gone")
    upload = send("POST", f"/{place}/upload?uploads", {"x-amz-checksum-algorithm": "CRC32"}).text("UploadId")
    send("PUT", f"/{place}/upload?partNumber=1&uploadId={upload}", {}, b"part")
    send("PUT", f"/{place}?tagging", {}, b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>")
    return upload


ASKED = {"x-amz-object-attributes": "ETag,Checksum,ObjectParts,StorageClass,ObjectSize"}

READS = [
    ("ListBuckets", "GET", "/?max-buckets=1", {}),
    ("HeadBucket", "HEAD", "/PLACE", {}),
    ("ListObjects", "GET", "/PLACE?delimiter=%2F&max-keys=1", {}),
    ("ListObjectsV2", "GET", "/PLACE?list-type=2&delimiter=%2F&fetch-owner=true&start-after=a&encoding-type=url", {}),
    ("ListObjectsV2", "GET", "/PLACE?list-type=2&max-keys=1", {}),
    ("ListObjectVersions", "GET", "/PLACE?versions", {}),
    ("ListObjectVersions", "GET", "/PLACE?versions&delimiter=%2F&max-keys=1&encoding-type=url", {}),
    ("ListMultipartUploads", "GET", "/PLACE?uploads", {}),
    ("ListMultipartUploads", "GET", "/PLACE?uploads&delimiter=%2F&max-uploads=0&encoding-type=url", {}),
    ("ListParts", "GET", "/PLACE/upload?uploadId=UPLOAD", {}),
    ("GetObject", "GET", "/PLACE/dir/whole", {"x-amz-checksum-mode": "ENABLED"}),
    ("HeadObject", "HEAD", "/PLACE/parts", {"x-amz-checksum-mode": "ENABLED"}),
    ("GetObjectAttributes", "GET", "/PLACE/dir/whole?attributes", ASKED),
    ("GetObjectAttributes", "GET", "/PLACE/parts?attributes", ASKED),
    ("GetObjectTagging", "GET", "/PLACE/dir/whole?tagging", {}),
    ("GetObjectAcl", "GET", "/PLACE/dir/whole?acl", {}),
    ("GetBucketAcl", "GET", "/PLACE?acl", {}),
    ("GetBucketLocation", "GET", "/PLACE?location", {}),
    ("GetBucketVersioning", "GET", "/PLACE?versioning", {}),
    ("GetBucketTagging", "GET", "/PLACE?tagging", {}),
    ("GetBucketAccelerateConfiguration", "GET", "/PLACE?accelerate", {}),
    ("GetBucketLogging", "GET", "/PLACE?logging", {}),
    ("GetBucketNotificationConfiguration", "GET", "/PLACE?notification", {}),
    ("GetBucketRequestPayment", "GET", "/PLACE?requestPayment", {}),
    ("GetBucketOwnershipControls", "GET", "/PLACE?ownershipControls", {}),
]


@pytest.mark.parametrize("operation,method,target,headers", READS)
def test_reads(send, place, filled, operation, method, target, headers):
    check(send(method, target.replace("PLACE", place).replace("UPLOAD", filled), headers), operation)


def test_parts_are_counted(send, place, filled):
    answer = send("GET", f"/{place}/parts?attributes", ASKED)
    assert answer.text("ObjectParts/PartsCount") == "1" and answer.text("ObjectParts/Part/ChecksumSHA256")
    assert answer.text("ETag") and '"' not in answer.text("ETag")


def test_writes(send, place, filled):
    target = f"/{place}/written"
    check(send("PUT", target, {}, b"x"), "PutObject")
    check(send("PUT", f"{target}-copy", {"x-amz-copy-source": target}), "CopyObject")
    tags = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
    check(send("PUT", f"{target}?tagging", {}, tags), "PutObjectTagging")
    check(send("DELETE", f"{target}?tagging"), "DeleteObjectTagging")
    check(send("PUT", f"{target}?acl", {"x-amz-acl": "private"}), "PutObjectAcl")
    body = b"<Delete><Object><Key>written-copy</Key></Object></Delete>"
    md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
    check(send("POST", f"/{place}?delete", {"Content-MD5": md5}, body), "DeleteObjects")
    check(send("DELETE", target), "DeleteObject")


def test_uploads(send, place, filled):
    target = f"/{place}/sent"
    created = send("POST", f"{target}?uploads")
    check(created, "CreateMultipartUpload")
    upload = created.text("UploadId")
    part = send("PUT", f"{target}?partNumber=1&uploadId={upload}", {}, b"x")
    check(part, "UploadPart")
    copy = send("PUT", f"{target}?partNumber=2&uploadId={upload}", {"x-amz-copy-source": f"/{place}/dir/whole"})
    check(copy, "UploadPartCopy")
    body = (
        f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{part.headers['ETag']}</ETag></Part>"
        "</CompleteMultipartUpload>"
    )
    check(send("POST", f"{target}?uploadId={upload}", {}, body.encode()), "CompleteMultipartUpload")
    upload = send("POST", f"{target}?uploads").text("UploadId")
    check(send("DELETE", f"{target}?uploadId={upload}"), "AbortMultipartUpload")


def test_buckets(send, place):
    target = f"/{place}-made"
    check(send("PUT", target), "CreateBucket")
    check(send("DELETE", f"{target}?policy"), "DeleteBucketPolicy")
    check(send("DELETE", f"{target}?tagging"), "DeleteBucketTagging")
    block = b"<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>"
    check(send("PUT", f"{target}?publicAccessBlock", {}, block), "PutPublicAccessBlock")
    check(send("GET", f"{target}?publicAccessBlock"), "GetPublicAccessBlock")
    check(send("DELETE", f"{target}?publicAccessBlock"), "DeletePublicAccessBlock")
    versioning = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    check(send("PUT", f"{target}?versioning", {}, versioning), "PutBucketVersioning")
    check(send("PUT", f"{target}?acl", {"x-amz-acl": "private"}), "PutBucketAcl")
    check(send("DELETE", target), "DeleteBucket")
