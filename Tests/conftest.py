"""Fixtures that the client and conformance tests share: a running server, plain and over TLS, and buckets of one's own.

TIDEGATE_TEST_ENDPOINT, with TIDEGATE_TEST_ACCESS_KEY, TIDEGATE_TEST_SECRET_KEY and, for a private authority,
TIDEGATE_TEST_CA, names a server that is there; otherwise the real binary is started (see Harness/gateway.py).
"""

import concurrent.futures
import os
import uuid

import boto3
import botocore.config
import pytest

from Harness import certificates, gateway

GIVEN = os.environ.get("TIDEGATE_TEST_ENDPOINT")
KINDS = ["tls" if GIVEN.startswith("https:") else "plain"] if GIVEN else ["plain", "tls"]


@pytest.fixture(scope="session")
def tls(tmp_path_factory):
    """A private authority and a certificate for 127.0.0.1 and localhost, made by openssl."""
    return certificates.make(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session", params=KINDS)
def server(request, tmp_path_factory):
    """The endpoint under test."""
    if GIVEN:
        yield gateway.Endpoint(
            GIVEN, os.environ["TIDEGATE_TEST_ACCESS_KEY"], os.environ["TIDEGATE_TEST_SECRET_KEY"],
            os.environ.get("TIDEGATE_TEST_CA"),
        )
        return
    material = request.getfixturevalue("tls") if request.param == "tls" else None
    with gateway.Gateway(tmp_path_factory.mktemp(request.param), tls=material) as running:
        yield running.access


def connect(server, **settings):
    """A boto3 client for an endpoint, with boto3's own defaults but for what is given."""
    settings.setdefault("retries", {"max_attempts": 1})
    return boto3.client(
        "s3", endpoint_url=server.url, aws_access_key_id=server.access_key, aws_secret_access_key=server.secret_key,
        region_name=server.region, verify=server.ca or True, config=botocore.config.Config(**settings),
    )


@pytest.fixture(scope="session")
def s3(server):
    """A boto3 client for arranging and for looking from outside."""
    return connect(server, max_pool_connections=16)


def remove(s3, name):
    """Removes a bucket with all versions and uploads in it."""
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=name):
        for upload in page.get("Uploads", []):
            s3.abort_multipart_upload(Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"])
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        entries = page.get("Versions", []) + page.get("DeleteMarkers", [])
        if entries:
            objects = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in entries]
            answer = s3.delete_objects(Bucket=name, Delete={"Objects": objects, "Quiet": True})
            assert not answer.get("Errors"), answer["Errors"]
    s3.delete_bucket(Bucket=name)


@pytest.fixture
def bucket(s3):
    """An empty bucket of the test's own; that it can be removed afterwards is part of the test."""
    name = f"test-{uuid.uuid4().hex[:16]}"
    s3.create_bucket(Bucket=name)
    yield name
    remove(s3, name)


@pytest.fixture(scope="session")
def many(s3):
    """A bucket of 1,050 small objects, more than a page of a listing, for every client to list."""
    name = f"many-{uuid.uuid4().hex[:16]}"
    s3.create_bucket(Bucket=name)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        keys = [f"many/{number:05}" for number in range(1050)]
        list(pool.map(lambda key: s3.put_object(Bucket=name, Key=key, Body=key.encode()), keys))
    yield name
    remove(s3, name)
