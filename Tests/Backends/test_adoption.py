"""The objects of an existing bucket of another service are shown as they are, and moved into the pool if asked."""

import contextlib
import hashlib
import json
import random
import types

import boto3
import botocore.config
import botocore.exceptions
import pytest

from Backends.cluster import events, wait
from Harness import gateway

MIB = 1 << 20
# Of the service that has the objects: a key that may read them, beside its root's.
READER = {
    "access-key": "TESTREADERACCESSKEY",
    "secret": "testreadersecretkey000000000000000000000",
    "user": "reader",
    "policies": [
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "*"}],
        }
    ],
}
KEYS = ["plain", "a/b/c", "a//b", "ü/ß €", "with space+plus%25", "a/./b", "quote'\"&<>", "z" * 1000]
HEADERS = {
    "ContentType": "text/x-adopted",
    "CacheControl": "max-age=7",
    "ContentDisposition": 'attachment; filename="a.txt"',
    "ContentLanguage": "de",
    "Metadata": {"colour": "green", "two-words": "a b"},
}


def content(seed, length):
    return random.Random(seed).randbytes(length)


def client(endpoint):
    return boto3.client(
        "s3",
        endpoint_url=endpoint.url,
        aws_access_key_id=endpoint.access_key,
        aws_secret_access_key=endpoint.secret_key,
        region_name="us-east-1",
        config=botocore.config.Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
    )


class Adopting:
    """A gateway, and another service with a bucket of objects: a gateway too, which says of each all that S3 does."""

    def __init__(self, folder, stack):
        self.folder = folder
        self.source = stack.enter_context(gateway.Gateway(folder / "source", config={"keys": [READER]}))
        config = {"pool": {"directories": [str(folder / f"directory-{number}") for number in range(6)]}}
        self.gateway = gateway.Gateway(folder / "gateway", config=config)
        self.gateway.start()
        stack.callback(self.gateway.kill)
        self.there, self.here = client(self.source.access), client(self.gateway.access)
        self.credentials = folder / "credentials"
        self.credentials.write_text(f"access-key: {gateway.ACCESS_KEY}\nsecret-key: {gateway.SECRET_KEY}\n")
        self.credentials.chmod(0o600)

    def fill(self):
        self.there.create_bucket(Bucket="old")
        for number, key in enumerate(KEYS):
            self.there.put_object(Bucket="old", Key=key, Body=content(number, 1000 + number), **HEADERS)
        for number in range(40):
            self.there.put_object(Bucket="old", Key=f"many/{number:03}", Body=content(number, number * 37))
        self.there.put_object(Bucket="old", Key="tagged", Body=b"x", Tagging="kind=old&of=two%20words")
        self.there.put_object(Bucket="old", Key="empty", Body=b"")
        self.there.put_object(Bucket="old", Key="large", Body=content(1, 3 * MIB + 1))
        upload = self.there.create_multipart_upload(Bucket="old", Key="parts", Metadata={"in": "parts"})["UploadId"]
        parts = [
            self.there.upload_part(Bucket="old", Key="parts", UploadId=upload, PartNumber=number, Body=content)["ETag"]
            for number, content in [(1, content(5, 5 * MIB)), (2, b"the end")]
        ]
        listed = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(parts, 1)]
        self.there.complete_multipart_upload(
            Bucket="old", Key="parts", UploadId=upload, MultipartUpload={"Parts": listed}
        )

    def tool(self, *arguments, **options):
        where = ["--data", self.gateway.data, "--config", self.gateway.config]
        return self.gateway.tool(*arguments, *where, "--admin", f"127.0.0.1:{self.gateway.admin_port}", **options)

    def attach(self, name, *options, **how):
        place = ["--url", self.source.endpoint, "--credentials", self.credentials]
        return self.tool("backend", "attach", name, *place, *options, **how)

    def state(self, name):
        listed = json.loads(self.tool("backend", "list", "--json").stdout)
        return next(each for each in listed if each["name"] == name)

    def await_standing(self, name, standing):
        wait(lambda: self.state(name)["standing"] == standing, f"{name} was not {standing}", deadline=60)
        return self.state(name)


def everything(s3, bucket):
    """What a service tells of each object of a bucket, and its bytes."""
    found = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 13}):
        for entry in page.get("Contents", []):
            key = entry["Key"]
            answer = s3.get_object(Bucket=bucket, Key=key)
            tags = s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
            told = ["ETag", "ContentLength", "LastModified", "Metadata", "ContentType"]
            told += ["CacheControl", "ContentDisposition", "ContentLanguage", "TagCount"]
            found[key] = {
                **{name: answer.get(name) for name in told},
                "listed": (entry["Size"], entry["ETag"], entry["LastModified"].replace(microsecond=0)),
                "tags": sorted((tag["Key"], tag["Value"]) for tag in tags),
                "bytes": hashlib.sha256(answer["Body"].read()).hexdigest(),
            }
    return found


@pytest.fixture(scope="module")
def adopting(tmp_path_factory):
    with contextlib.ExitStack() as stack:
        made = Adopting(tmp_path_factory.mktemp("adopting"), stack)
        made.fill()
        yield made


def test_a_bucket_is_shown_as_it_is(adopting):
    answer = adopting.attach("older", "--adopt", "old").stdout
    assert "are shown in the bucket old" in answer, answer
    state = adopting.await_standing("older", "shown")
    there = everything(adopting.there, "old")
    assert state["objects"] == len(there) == len(KEYS) + 44 and state["passedOver"] == 0
    assert everything(adopting.here, "old") == there
    assert len(events(adopting, "AdoptObject")) == len(there)


def test_ranges_and_conditions(adopting):
    for first, last in [(0, 0), (1000, 2 * MIB), (3 * MIB, 3 * MIB)]:
        read = adopting.here.get_object(Bucket="old", Key="large", Range=f"bytes={first}-{last}")["Body"].read()
        assert read == content(1, 3 * MIB + 1)[first : last + 1]
    etag = adopting.here.head_object(Bucket="old", Key="large")["ETag"]
    assert adopting.here.get_object(Bucket="old", Key="large", IfMatch=etag)["ETag"] == etag
    with pytest.raises(botocore.exceptions.ClientError, match="PreconditionFailed|412"):
        adopting.here.get_object(Bucket="old", Key="large", IfMatch='"0"')


def test_what_is_done_here_is_done_here_alone(adopting):
    """Objects are replaced, copied, tagged and deleted; the bucket that they came from stays as it is."""
    before = everything(adopting.there, "old")
    here = adopting.here
    here.put_object(Bucket="old", Key="many/000", Body=b"new")
    here.copy_object(Bucket="old", Key="copied", CopySource={"Bucket": "old", "Key": "large"})
    here.put_object_tagging(Bucket="old", Key="many/001", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    here.delete_object(Bucket="old", Key="many/002")
    assert here.get_object(Bucket="old", Key="many/000")["Body"].read() == b"new"
    assert here.get_object(Bucket="old", Key="copied")["Body"].read() == content(1, 3 * MIB + 1)
    assert here.get_object(Bucket="old", Key="many/001")["Body"].read() == content(1, 37)
    with pytest.raises(botocore.exceptions.ClientError, match="NoSuchKey"):
        here.get_object(Bucket="old", Key="many/002")
    assert everything(adopting.there, "old") == before


def test_what_is_changed_there_is_not_served_for_what_it_was(adopting):
    adopting.there.put_object(Bucket="old", Key="many/003", Body=b"another object")
    adopting.there.delete_object(Bucket="old", Key="many/004")
    for key in ["many/003", "many/004"]:
        with pytest.raises(botocore.exceptions.ClientError, match="ServiceUnavailable|SlowDown|503"):
            adopting.here.get_object(Bucket="old", Key=key)
        adopting.here.delete_object(Bucket="old", Key=key)
    assert adopting.here.get_object(Bucket="old", Key="many/005")["Body"].read() == content(5, 5 * 37)


def test_it_is_still_shown_after_a_restart(adopting):
    before = everything(adopting.here, "old")
    adopting.gateway.kill()
    adopting.gateway.start()
    assert everything(adopting.here, "old") == before


def test_other_credentials_are_tried_and_then_used(adopting):
    reader = adopting.folder / "reader"
    reader.write_text(f"access-key: {READER['access-key']}\nsecret-key: not-the-secret-of-the-reader-but-another-one\n")
    reader.chmod(0o600)
    change = ("backend", "credentials", "older", "--credentials", reader)
    refused = adopting.tool(*change, check=False)
    assert refused.returncode == 1 and "not taken" in refused.stderr, refused
    assert adopting.here.get_object(Bucket="old", Key="many/006")["Body"].read() == content(6, 6 * 37)
    reader.write_text(f"access-key: {READER['access-key']}\nsecret-key: {READER['secret']}\n")
    adopting.tool(*change)

    def is_read_by_reader():
        assert adopting.here.get_object(Bucket="old", Key="many/007")["Body"].read() == content(7, 7 * 37)
        events_there = events(types.SimpleNamespace(gateway=adopting.source), "GetObject")
        return events_there and events_there[-1]["userIdentity"].get("userName") == "reader"

    wait(is_read_by_reader, "the old credentials were used")
    # A restart has them too.
    adopting.gateway.kill()
    adopting.gateway.start()
    assert adopting.here.get_object(Bucket="old", Key="many/008")["Body"].read() == content(8, 8 * 37)
    rotated = events(adopting, "RotateBackendCredentials")[-1]
    assert rotated["requestParameters"]["accessKey"] == READER["access-key"] and "errorCode" not in rotated


def test_what_is_there_already_stays(adopting):
    """A bucket that has objects of its own takes what has no key among them."""
    adopting.here.create_bucket(Bucket="mixed")
    adopting.here.put_object(Bucket="mixed", Key="plain", Body=b"ours")
    refused = adopting.attach("twice", "--adopt", "old", "--as", "mixed", check=False)
    assert refused.returncode == 1 and "in the same place" in refused.stderr, refused
    adopting.there.create_bucket(Bucket="second")
    for key in ["plain", "theirs"]:
        adopting.there.put_object(Bucket="second", Key=key, Body=b"theirs")
    adopting.attach("second", "--adopt", "second", "--as", "mixed")
    state = adopting.await_standing("second", "shown")
    assert (state["objects"], state["passedOver"]) == (1, 1)
    bodies = {key: adopting.here.get_object(Bucket="mixed", Key=key)["Body"].read() for key in ["plain", "theirs"]}
    assert bodies == {"plain": b"ours", "theirs": b"theirs"}
    missing = adopting.attach("missing", "--adopt", "no-such-bucket", check=False)
    assert missing.returncode == 1 and "cannot be listed" in missing.stderr, missing


def test_it_moves_into_the_pool(adopting):
    before = everything(adopting.here, "old")
    kept = adopting.tool("backend", "detach", "older", check=False)
    assert kept.returncode == 1 and "still served from" in kept.stderr, kept
    for name in ["older", "second"]:
        adopting.tool("backend", "drain", name)
        wait(lambda: adopting.state(name).get("left") == 0, f"{name} was not moved")
        assert "is detached" in adopting.tool("backend", "detach", name).stdout
    adopting.source.kill()
    assert everything(adopting.here, "old") == before
    adopting.gateway.stop()
    adopting.gateway.tool("audit", "verify", adopting.gateway.data / "audit")
    scrub = adopting.tool("scrub", check=False)
    assert scrub.returncode == 0, scrub.stdout + scrub.stderr
    adopting.gateway.start()
    assert everything(adopting.here, "old") == before
    assert adopting.here.get_object(Bucket="mixed", Key="theirs")["Body"].read() == b"theirs"
