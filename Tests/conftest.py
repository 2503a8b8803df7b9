"""Fixtures that the client and conformance tests share: a running server, plain and over TLS, and buckets."""

import concurrent.futures
import uuid

import pytest

from Harness import certificates, endpoints


@pytest.fixture(scope="session")
def tls(tmp_path_factory):
    """A private authority and a certificate for 127.0.0.1 and localhost, made by openssl."""
    return certificates.make(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session", params=endpoints.KINDS)
def server(request, tmp_path_factory):
    """The endpoint under test."""
    material = request.getfixturevalue("tls") if request.param == "tls" and not endpoints.GIVEN else None
    with endpoints.serve(tmp_path_factory.mktemp(request.param), material) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def s3(server):
    """A boto3 client for arranging and for looking from outside."""
    return endpoints.connect(server, max_pool_connections=16)


@pytest.fixture
def bucket(s3):
    """An empty bucket of the test's own; that it can be removed afterwards is part of the test."""
    name = f"test-{uuid.uuid4().hex[:16]}"
    s3.create_bucket(Bucket=name)
    yield name
    endpoints.remove(s3, name)


@pytest.fixture(scope="session")
def many(s3):
    """A bucket of 1,050 small objects, more than a page of a listing, for every client to list."""
    name = f"many-{uuid.uuid4().hex[:16]}"
    s3.create_bucket(Bucket=name)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        keys = [f"many/{number:05}" for number in range(1050)]
        list(pool.map(lambda key: s3.put_object(Bucket=name, Key=key, Body=key.encode()), keys))
    yield name
    endpoints.remove(s3, name)
