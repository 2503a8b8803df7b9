"""Fixtures of the conformance tests: one plain server, raw signed requests, and what every error must look like."""

import uuid

import pytest

from Harness import endpoints, raw


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """One kind of connection is enough here; the client tests have both."""
    with endpoints.serve(tmp_path_factory.mktemp("conformance")) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def s3(server):
    """A boto3 client for arranging."""
    return endpoints.connect(server)


@pytest.fixture(scope="session")
def send(server):
    """Sends a signed request as it is given: send(method, target, headers, body)."""
    client = raw.Raw(server)
    yield client
    client.close()


@pytest.fixture(scope="module")
def place(s3):
    """A bucket that a module's tests share, each with keys of its own."""
    name = f"conformance-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    yield name
    endpoints.remove(s3, name)


@pytest.fixture
def key():
    """A key that no other test uses."""
    return f"key-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def refused():
    """Checks an error: status, code, resource, request id, and the body's form."""

    def check(answer, status, code, resource=None, head=False):
        assert answer.status == status, answer
        assert answer.request_id, "every answer carries x-amz-request-id"
        if head:
            assert answer.body == b""
            return
        assert answer.headers["Content-Type"] == "application/xml", answer
        error = answer.xml
        assert error.tag == "Error" and error.findtext("Code") == code, answer
        assert error.findtext("Message")
        assert error.findtext("RequestId") == answer.request_id
        if resource is not None:
            assert error.findtext("Resource") == resource, answer

    return check
