"""Everything that S3 defines and the gateway does not serve: 501, and never the bare operation.

The list is the published service model of the installed botocore.
"""

import json
import pathlib
import urllib.parse

import botocore
import pytest

MODEL = pathlib.Path(botocore.__file__).parent / "data/s3/2006-03-01"

# What a bucket answers that has no such setting, as AWS does: these are read by every client.
UNSET = {
    "NoSuchLifecycleConfiguration",
    "NoSuchCORSConfiguration",
    "NoSuchBucketPolicy",
    "NoSuchTagSet",
    "ServerSideEncryptionConfigurationNotFoundError",
    "ObjectLockConfigurationNotFoundError",
    "OwnershipControlsNotFoundError",
    "NoSuchWebsiteConfiguration",
    "ReplicationConfigurationNotFoundError",
    "NoSuchConfiguration",
    "NoSuchObjectLockConfiguration",
    "NoSuchAccessGrantsResourcePolicyError",
    "MetadataConfigurationNotFound",
}
# Operations whose empty answer is what AWS says of a bucket that never had the setting.
EMPTY = {
    "GetBucketAccelerateConfiguration",
    "GetBucketLogging",
    "GetBucketNotificationConfiguration",
    "GetBucketNotification",
    "GetBucketRequestPayment",
    "GetBucketVersioning",
    "GetBucketLocation",
    "GetBucketAcl",
    "GetObjectAcl",
    "GetBucketEncryption",
    "GetBucketOwnershipControls",
    "GetBucketPolicyStatus",
    "ListBucketAnalyticsConfigurations",
    "ListBucketInventoryConfigurations",
    "ListBucketMetricsConfigurations",
    "ListBucketIntelligentTieringConfigurations",
}
# Operations that remove a setting, which succeeds where there is none.
REMOVED = {
    "DeleteBucketCors",
    "DeleteBucketEncryption",
    "DeleteBucketLifecycle",
    "DeleteBucketReplication",
    "DeleteBucketWebsite",
}
# What AWS answers in a bucket without Object Lock, and, to locking it, without versions.
LOCKS = {
    "GetObjectLegalHold": (400, "InvalidRequest"),
    "GetObjectRetention": (400, "InvalidRequest"),
    "PutObjectLegalHold": (400, "InvalidRequest"),
    "PutObjectRetention": (400, "InvalidRequest"),
    "PutObjectLockConfiguration": (409, "InvalidBucketState"),
}
SERVED = {
    "ListBuckets",
    "CreateBucket",
    "HeadBucket",
    "DeleteBucket",
    "GetBucketLocation",
    "PutObject",
    "GetObject",
    "HeadObject",
    "DeleteObject",
    "DeleteObjects",
    "CopyObject",
    "GetObjectAttributes",
    "ListObjects",
    "ListObjectsV2",
    "ListObjectVersions",
    "CreateMultipartUpload",
    "UploadPart",
    "UploadPartCopy",
    "CompleteMultipartUpload",
    "AbortMultipartUpload",
    "ListParts",
    "ListMultipartUploads",
    "GetObjectTagging",
    "PutObjectTagging",
    "DeleteObjectTagging",
    "GetBucketTagging",
    "PutBucketTagging",
    "DeleteBucketTagging",
    "GetBucketVersioning",
    "PutBucketVersioning",
    "GetBucketPolicy",
    "PutBucketPolicy",
    "DeleteBucketPolicy",
    "GetBucketAcl",
    "GetObjectAcl",
    "PutBucketAcl",
    "PutObjectAcl",
    "GetBucketPolicyStatus",
    "GetPublicAccessBlock",
    "PutPublicAccessBlock",
    "DeletePublicAccessBlock",
}


def model():
    """Operation, method and path with query of all S3 operations at S3's own endpoint."""
    files = [MODEL / "service-2.json", MODEL / "service-2.json.gz"]
    path = next(path for path in files if path.exists())
    if path.suffix == ".gz":
        import gzip

        text = gzip.decompress(path.read_bytes())
    else:
        text = path.read_bytes()
    for name, operation in json.loads(text)["operations"].items():
        uri = operation["http"]["requestUri"]
        if "endpoint" in operation or "{Bucket}" not in uri or name in SERVED or name == "WriteGetObjectResponse":
            continue
        yield pytest.param(name, operation["http"]["method"], uri, id=name)


@pytest.mark.parametrize("name,method,uri", list(model()))
def test_is_not_served_as_something_else(send, place, key, name, method, uri):
    assert send("PUT", f"/{place}/{key}", {}, b"content").status == 200
    target = uri.replace("{Bucket}", place).replace("{Key+}", key)
    if "id" in uri or any(word in uri for word in ["analytics", "inventory", "metrics", "intelligent"]):
        target += "&id=one"
    answer = send(method, target, {}, b"<X/>" if method in ("PUT", "POST") else b"")
    if name in REMOVED:
        assert (answer.status, answer.body) == (204, b""), answer
    elif name in LOCKS:
        assert (answer.status, answer.code) == LOCKS[name], answer
    elif answer.status == 200:
        assert name in EMPTY and b"<Contents>" not in answer.body and answer.body != b"content", answer
    elif answer.status == 404:
        assert method == "GET" and answer.code in UNSET, answer
    else:
        assert (answer.status, answer.code) == (501, "NotImplemented"), answer
    # Whatever was answered, nothing was done.
    assert send("GET", f"/{place}/{key}").body == b"content"
    assert send("HEAD", f"/{place}").status == 200
    assert "Location" not in answer.headers and "x-amz-copy-source-version-id" not in answer.headers


SUBRESOURCES = [
    "abac",
    "accelerate",
    "analytics",
    "cors",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "lifecycle",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "replication",
    "requestPayment",
    "website",
    "metadataConfiguration",
    "metadataTable",
    "metadataAnnotationTable",
    "metadataInventoryTable",
    "metadataJournalTable",
    "policyStatus",
]


REMOVABLE = {"cors", "encryption", "lifecycle", "replication", "website"}


@pytest.mark.parametrize("subresource", SUBRESOURCES)
@pytest.mark.parametrize("form", ["{}", "{}=", "{}&id=x", "x-id=DeleteBucket&{}"])
def test_delete_of_a_sub_resource_never_deletes_the_bucket(send, place, key, subresource, form):
    """One server answered DELETE /bucket?website by deleting the bucket with its objects."""
    answer = send("DELETE", f"/{place}?{form.format(subresource)}")
    if answer.status != 204 or subresource not in REMOVABLE:
        assert answer.status == 501 and answer.code == "NotImplemented", answer
    assert send("HEAD", f"/{place}").status == 200


@pytest.mark.parametrize("subresource", SUBRESOURCES)
def test_put_of_a_sub_resource_never_creates_a_bucket(send, place, subresource):
    name = f"{place}-{urllib.parse.quote(subresource.lower())}"
    answer = send("PUT", f"/{name}?{subresource}", {}, b"<X/>")
    assert answer.status in (404, 501), answer
    assert send("HEAD", f"/{name}").status == 404


@pytest.mark.parametrize(
    "subresource",
    ["legal-hold", "retention", "torrent", "renameObject", "encryption", "restore", "select", "annotation"],
)
@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST"])
def test_sub_resources_of_an_object_never_touch_it(send, place, key, subresource, method):
    send("PUT", f"/{place}/{key}", {}, b"content")
    answer = send(method, f"/{place}/{key}?{subresource}", {}, b"<X/>" if method != "DELETE" else b"")
    assert answer.status in (400, 405, 501), answer
    assert send("GET", f"/{place}/{key}").body == b"content"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
def test_several_sub_resources_are_none(send, place, key, method):
    send("PUT", f"/{place}/{key}", {}, b"content")
    for target in [f"/{place}?website&policy", f"/{place}/{key}?acl&tagging", f"/{place}/{key}?uploads&uploadId=x"]:
        answer = send(method, target, {}, b"<X/>" if method in ("PUT", "POST") else b"")
        assert (answer.status, answer.code) == (501, "NotImplemented"), answer
    assert send("GET", f"/{place}/{key}").body == b"content"


def test_a_copy_source_is_never_ignored(send, refused, place, key):
    send("PUT", f"/{place}/{key}", {}, b"content")
    source = {"x-amz-copy-source": f"/{place}/{key}"}
    for method, target in [
        ("GET", f"/{place}/{key}"),
        ("DELETE", f"/{place}/{key}"),
        ("POST", f"/{place}/{key}?uploads"),
        ("PUT", f"/{place}/{key}?tagging"),
        ("DELETE", f"/{place}"),
    ]:
        refused(send(method, target, source), 400, "InvalidArgument")
    refused(send("HEAD", f"/{place}/{key}", source), 400, None, head=True)
    assert send("GET", f"/{place}/{key}").body == b"content"


def test_a_part_without_an_upload_is_no_object(send, refused, place, key):
    refused(send("PUT", f"/{place}/{key}?partNumber=1", {}, b"part"), 400, "InvalidArgument")
    assert send("GET", f"/{place}/{key}").status == 404


@pytest.mark.parametrize("query", ["unknown", "unknown=1", "x-id=PutObject", "x-id=GetBucketWebsite", "foo&bar=%20"])
def test_names_outside_the_table_change_nothing(send, place, key, query):
    assert send("PUT", f"/{place}/{key}?{query}", {}, b"content").status == 200
    assert send("GET", f"/{place}/{key}?{query}").body == b"content"
    assert send("DELETE", f"/{place}/{key}?{query}").status == 204
    assert send("GET", f"/{place}/{key}").status == 404


@pytest.mark.parametrize("method", ["PATCH", "TRACE", "PROPFIND", "LOCK", "get"])
def test_methods_that_s3_has_not(send, refused, place, method):
    answer = send(method, f"/{place}")
    assert answer.status in (400, 405, 501), answer
    if answer.status == 405:
        assert answer.code == "MethodNotAllowed" and "GET" in answer.headers["Allow"].split(", ")
