"""The endpoint under test, and how to arrange and clear away on it.

TIDEGATE_TEST_ENDPOINT, with TIDEGATE_TEST_ACCESS_KEY, TIDEGATE_TEST_SECRET_KEY and, for a private authority,
TIDEGATE_TEST_CA, names a server that is there; otherwise the real binary is started (see gateway.py).
"""

import contextlib
import os
import urllib.parse

import boto3
import botocore.config

from Harness import gateway

GIVEN = os.environ.get("TIDEGATE_TEST_ENDPOINT")
KINDS = ["tls" if GIVEN.startswith("https:") else "plain"] if GIVEN else ["plain", "tls"]


@contextlib.contextmanager
def serve(folder, tls=None):
    """The endpoint that is given, or a gateway of its own for as long as the context lasts."""
    if GIVEN:
        yield gateway.Endpoint(
            GIVEN,
            os.environ["TIDEGATE_TEST_ACCESS_KEY"],
            os.environ["TIDEGATE_TEST_SECRET_KEY"],
            os.environ.get("TIDEGATE_TEST_CA"),
        )
        return
    with gateway.Gateway(folder, tls=tls) as running:
        yield running.access


def connect(server, **settings):
    """A boto3 client for an endpoint, with boto3's own defaults but for what is given."""
    settings.setdefault("retries", {"max_attempts": 1})
    return boto3.client(
        "s3",
        endpoint_url=server.url,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        region_name=server.region,
        verify=server.ca or True,
        config=botocore.config.Config(**settings),
    )


def remove(s3, name):
    """Removes a bucket with all versions and uploads in it."""
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=name, EncodingType="url"):
        for upload in page.get("Uploads", []):
            key = urllib.parse.unquote_plus(upload["Key"])
            s3.abort_multipart_upload(Bucket=name, Key=key, UploadId=upload["UploadId"])
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        entries = page.get("Versions", []) + page.get("DeleteMarkers", [])
        objects = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in entries]
        # XML cannot carry a control character, so that DeleteObjects cannot name such a key.
        for each in [each for each in objects if any(ord(character) < 32 for character in each["Key"])]:
            s3.delete_object(Bucket=name, **each)
            objects.remove(each)
        if objects:
            answer = s3.delete_objects(Bucket=name, Delete={"Objects": objects, "Quiet": True})
            assert not answer.get("Errors"), answer["Errors"]
    s3.delete_bucket(Bucket=name)
