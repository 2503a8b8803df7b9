"""boto3 with its current defaults: CRC64NVME, trailers over TLS, transfers in parts."""

import base64
import concurrent.futures
import io
import urllib.parse

import boto3.s3.transfer
import botocore.exceptions
import pytest
import requests

from Harness.endpoints import connect
from Harness.samples import KEYS, MIB, data


def code(error):
    return error.value.response["Error"]["Code"]


@pytest.mark.parametrize("key", KEYS)
def test_object_comes_back(s3, bucket, key):
    content = data(1000, key)
    put = s3.put_object(
        Bucket=bucket,
        Key=key,
        Body=content,
        ContentType="text/plain",
        CacheControl="no-cache",
        Metadata={"a-b": "c d"},
    )
    got = s3.get_object(Bucket=bucket, Key=key)
    assert got["Body"].read() == content
    assert (got["ContentType"], got["CacheControl"], got["Metadata"]) == ("text/plain", "no-cache", {"a-b": "c d"})
    assert got["ETag"] == put["ETag"] and got["ContentLength"] == 1000
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]


@pytest.mark.parametrize(
    "calculation, name, check",
    [
        # What boto3 sends by itself, and what S3 computes where nothing is sent: the published check values.
        ("when_supported", "ChecksumCRC32", 0xCBF43926.to_bytes(4, "big")),
        ("when_required", "ChecksumCRC64NVME", 0xAE8B14860A799888.to_bytes(8, "big")),
    ],
)
def test_default_checksum_is_stored(server, bucket, calculation, name, check):
    s3 = connect(server, request_checksum_calculation=calculation)
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"123456789")
    expected = base64.b64encode(check).decode()
    assert put[name] == expected
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert head[name] == expected and head["ChecksumType"] == "FULL_OBJECT"


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_checksums(s3, bucket, algorithm):
    put = s3.put_object(Bucket=bucket, Key="k", Body=data(70_000), ChecksumAlgorithm=algorithm)
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert put[f"Checksum{algorithm}"] == got[f"Checksum{algorithm}"]
    assert got["Body"].read() == data(70_000)
    attributes = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["Checksum", "ObjectSize"])
    assert attributes["Checksum"][f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"]
    with pytest.raises(botocore.exceptions.ClientError) as error:
        s3.put_object(Bucket=bucket, Key="k", Body=b"other", **{f"Checksum{algorithm}": put[f"Checksum{algorithm}"]})
    assert code(error) == "BadDigest"


def test_streamed_body_with_trailer(s3, bucket):
    class Unseekable(io.RawIOBase):
        def __init__(self, content):
            self.stream = io.BytesIO(content)

        def read(self, count=-1):
            return self.stream.read(count)

        def readable(self):
            return True

    content = data(3 * MIB + 17)
    s3.upload_fileobj(Unseekable(content), bucket, "streamed")
    assert s3.get_object(Bucket=bucket, Key="streamed")["Body"].read() == content


def test_transfer_in_parts(s3, bucket):
    content = data(12 * MIB + 5)
    config = boto3.s3.transfer.TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    s3.upload_fileobj(io.BytesIO(content), bucket, "große Datei+1", Config=config)
    head = s3.head_object(Bucket=bucket, Key="große Datei+1")
    assert head["ETag"].endswith('-3"') and head["ContentLength"] == len(content)
    back = io.BytesIO()
    s3.download_fileobj(bucket, "große Datei+1", back, Config=config)
    assert back.getvalue() == content
    second = s3.get_object(Bucket=bucket, Key="große Datei+1", PartNumber=2)
    assert second["PartsCount"] == 3 and second["Body"].read() == content[5 * MIB : 10 * MIB]


def test_abandoned_upload(s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"x")
    assert [each["UploadId"] for each in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [upload]
    s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=upload)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    with pytest.raises(botocore.exceptions.ClientError) as error:
        s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"x")
    assert code(error) == "NoSuchUpload"


@pytest.mark.parametrize(
    "asked,start,end",
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-299", 100, 300),
        ("bytes=2000000-", 2_000_000, None),
        ("bytes=-7", -7, None),
        ("bytes=1048570-1048590", 1_048_570, 1_048_591),
        ("bytes=2999999-9999999", 2_999_999, None),
    ],
)
def test_ranges(s3, bucket, asked, start, end):
    content = data(3_000_000)
    s3.put_object(Bucket=bucket, Key="k", Body=content)
    got = s3.get_object(Bucket=bucket, Key="k", Range=asked)
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert got["Body"].read() == content[start:end]


def test_lists_past_a_page(s3, many):
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=many))
    assert [len(page["Contents"]) for page in pages] == [1000, 50]
    keys = [each["Key"] for page in pages for each in page["Contents"]]
    assert keys == [f"many/{number:05}" for number in range(1050)]
    first = s3.get_paginator("list_objects").paginate(Bucket=many, PaginationConfig={"PageSize": 400})
    assert [each["Key"] for page in first for each in page["Contents"]] == keys


def test_copies(s3, bucket):
    s3.put_object(Bucket=bucket, Key="from + ü", Body=data(5000), Metadata={"x": "1"}, Tagging="t=1")
    s3.copy({"Bucket": bucket, "Key": "from + ü"}, bucket, "to & here")
    got = s3.get_object(Bucket=bucket, Key="to & here")
    assert got["Body"].read() == data(5000) and got["Metadata"] == {"x": "1"}
    assert s3.get_object_tagging(Bucket=bucket, Key="to & here")["TagSet"] == [{"Key": "t", "Value": "1"}]
    s3.copy_object(
        Bucket=bucket,
        Key="to & here",
        CopySource={"Bucket": bucket, "Key": "from + ü"},
        MetadataDirective="REPLACE",
        Metadata={"x": "2"},
    )
    assert s3.head_object(Bucket=bucket, Key="to & here")["Metadata"] == {"x": "2"}


def test_deletes_many(s3, bucket):
    for key in KEYS:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in KEYS]})
    assert sorted(each["Key"] for each in answer["Deleted"]) == sorted(KEYS)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_versions(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    second = s3.put_object(Bucket=bucket, Key="k", Body=b"2")["VersionId"]
    marker = s3.delete_object(Bucket=bucket, Key="k")
    assert marker["DeleteMarker"]
    with pytest.raises(botocore.exceptions.ClientError) as error:
        s3.get_object(Bucket=bucket, Key="k")
    assert code(error) == "NoSuchKey"
    assert s3.get_object(Bucket=bucket, Key="k", VersionId=first)["Body"].read() == b"1"
    s3.delete_object(Bucket=bucket, Key="k", VersionId=marker["VersionId"])
    assert s3.get_object(Bucket=bucket, Key="k")["VersionId"] == second


def test_conditional_writes_have_one_winner(server, s3, bucket):
    def write(number):
        try:
            connect(server).put_object(Bucket=bucket, Key="one", Body=str(number).encode(), IfNoneMatch="*")
            return number
        except botocore.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict")
            return None

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        winners = [number for number in pool.map(write, range(8)) if number is not None]
    assert len(winners) == 1
    got = s3.get_object(Bucket=bucket, Key="one")
    assert got["Body"].read() == str(winners[0]).encode()
    s3.put_object(Bucket=bucket, Key="one", Body=b"next", IfMatch=got["ETag"])
    with pytest.raises(botocore.exceptions.ClientError) as error:
        s3.put_object(Bucket=bucket, Key="one", Body=b"lost", IfMatch=got["ETag"])
    assert code(error) == "PreconditionFailed"


def test_tags(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging=urllib.parse.urlencode({"a": "b c", "d+": "é"}))
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "team", "Value": "x"}]})
    tags = s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"]
    assert sorted((tag["Key"], tag["Value"]) for tag in tags) == [("a", "b c"), ("d+", "é")]
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "team", "Value": "x"}]


@pytest.mark.parametrize("version", [None, "s3", "s3v4"])
def test_presigned(server, s3, bucket, version):
    """URLs and forms by default, which is still signature version 2, and in each version by its name."""
    verify = server.ca or True
    signer = connect(server, signature_version=version)
    put = signer.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "a b+ü"}, ExpiresIn=60)
    assert requests.put(put, data=b"content", verify=verify, timeout=30).status_code == 200
    get = signer.generate_presigned_url(
        "get_object", {"Bucket": bucket, "Key": "a b+ü", "ResponseContentType": "text/x"}, ExpiresIn=60
    )
    answer = requests.get(get, verify=verify, timeout=30)
    assert (answer.status_code, answer.content, answer.headers["Content-Type"]) == (200, b"content", "text/x")
    marker, longer = ("X-Amz-Expires=60", "X-Amz-Expires=61") if version == "s3v4" else ("Expires=", "Expires=9")
    assert marker in get
    assert requests.get(get.replace(marker, longer), verify=verify, timeout=30).status_code == 403
    listing = signer.generate_presigned_url("list_objects_v2", {"Bucket": bucket}, ExpiresIn=60)
    assert requests.get(listing, verify=verify, timeout=30).status_code == 200
    described = signer.generate_presigned_url(
        "put_object", {"Bucket": bucket, "Key": "described", "ContentType": "text/x", "Metadata": {"a": "b c"}}
    )
    headers = {"Content-Type": "text/x", "x-amz-meta-a": "b c"}
    assert requests.put(described, data=b"x", headers=headers, verify=verify, timeout=30).status_code == 200
    assert s3.head_object(Bucket=bucket, Key="described")["Metadata"] == {"a": "b c"}
    post = signer.generate_presigned_post(bucket, "form/${filename}", Conditions=[["starts-with", "$key", "form/"]])
    assert ("AWSAccessKeyId" in post["fields"]) == (version != "s3v4")
    answer = requests.post(
        post["url"], data=post["fields"], files={"file": ("f.txt", b"posted")}, verify=verify, timeout=30
    )
    assert answer.status_code == 204, answer.text
    assert s3.get_object(Bucket=bucket, Key="form/f.txt")["Body"].read() == b"posted"


def test_signature_v2(server, bucket):
    s3 = connect(server, signature_version="s3")
    content = data(12 * MIB + 5)
    config = boto3.s3.transfer.TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    s3.upload_fileobj(io.BytesIO(content), bucket, "große Datei+1", Config=config, ExtraArgs={"Metadata": {"a": "b"}})
    back = io.BytesIO()
    s3.download_fileobj(bucket, "große Datei+1", back, Config=config)
    assert back.getvalue() == content
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "große Datei+1"})
    s3.put_object_tagging(Bucket=bucket, Key="copy", Tagging={"TagSet": [{"Key": "t", "Value": "1"}]})
    assert s3.get_object_tagging(Bucket=bucket, Key="copy")["TagSet"] == [{"Key": "t", "Value": "1"}]
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=bucket, Key="copy", Body=b"x")["VersionId"]
    assert s3.get_object(Bucket=bucket, Key="copy", VersionId=version)["Body"].read() == b"x"
    listed = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert listed == ["copy", "große Datei+1"]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in listed]})
    assert len(answer["Deleted"]) == 2


def test_errors(server, s3, bucket):
    for call, expected in [
        (lambda: s3.get_object(Bucket=bucket, Key="none"), "NoSuchKey"),
        (lambda: s3.get_object(Bucket=bucket + "-none", Key="k"), "NoSuchBucket"),
        (lambda: s3.head_object(Bucket=bucket, Key="none"), "404"),
        (lambda: s3.get_bucket_policy(Bucket=bucket), "NoSuchBucketPolicy"),
        (lambda: s3.get_bucket_lifecycle_configuration(Bucket=bucket), "NoSuchLifecycleConfiguration"),
        (lambda: connect(server._replace(secret_key="wrong")).list_buckets(), "SignatureDoesNotMatch"),
        (lambda: connect(server._replace(access_key="NOSUCHKEY0000000")).list_buckets(), "InvalidAccessKeyId"),
    ]:
        with pytest.raises(botocore.exceptions.ClientError) as error:
            call()
        assert code(error) == expected
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    with pytest.raises(botocore.exceptions.ClientError) as error:
        s3.delete_bucket(Bucket=bucket)
    assert code(error) == "BucketNotEmpty"
    assert error.value.response["ResponseMetadata"]["RequestId"]
