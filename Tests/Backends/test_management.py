"""The management interface of the admin port: who may ask it for what, and what it makes of bad requests."""

import contextlib
import http.client
import json

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

from Backends import cluster
from Harness import gateway, raw

READER = ("TESTREADERACCESSKEY", "testreadersecretkey000000000000000000000")
NOBODY = ("TESTNOBODYACCESSKEY", "testnobodysecretkey000000000000000000000")
CONFIG = {
    "keys": [
        {
            "access-key": READER[0],
            "secret": READER[1],
            "user": "reader",
            "policies": [
                {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Action": "tidegate:ListBackends", "Resource": "*"}],
                }
            ],
        },
        {
            "access-key": NOBODY[0],
            "secret": NOBODY[1],
            "user": "nobody",
            "policies": [
                {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
            ],
        },
    ]
}
ROOT = (gateway.ACCESS_KEY, gateway.SECRET_KEY)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with contextlib.ExitStack() as stack:
        made = cluster.Cluster(
            tmp_path_factory.mktemp("management"), stack, kinds=("rclone",), directories=6, config=CONFIG
        )
        made.attach_all()
        made.gateway.start()
        yield made
        made.finish()


def ask(served, method, path, document=None, keys=ROOT, service="tidegate", region="us-east-1", alter=None):
    """One signed request: status and document."""
    body = json.dumps(document).encode() if document is not None else b""
    request = botocore.awsrequest.AWSRequest(method, f"{served.gateway.admin}{path}", data=body)
    if keys:
        credentials = botocore.credentials.Credentials(*keys)
        # As for S3: the path is signed as it is sent.
        botocore.auth.S3SigV4Auth(credentials, service, region).add_auth(request)
    headers = dict(request.headers)
    if alter:
        body = alter(headers, body) or body
    connection = http.client.HTTPConnection("127.0.0.1", served.gateway.admin_port, timeout=60)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, json.loads(content)


def test_the_root_may_look(served):
    status, backends = ask(served, "GET", "/v1/backends")
    assert status == 200 and [each["name"] for each in backends] == ["rclone-0"]
    status, backend = ask(served, "GET", "/v1/backends/rclone-0")
    assert status == 200 and backend["store"] == 6 or backend["store"] == 0
    event = cluster.events(served, "ListBackends")[-1]
    assert event["userIdentity"]["type"] == "Root" and event["additionalEventData"]["SignatureVersion"] == "SigV4"


def test_a_user_may_do_what_a_policy_says(served):
    assert ask(served, "GET", "/v1/backends", keys=READER)[0] == 200
    assert ask(served, "GET", "/v1/backends", keys=NOBODY)[0] == 403
    for method, path in [
        ("POST", "/v1/backends"),
        ("POST", "/v1/backends/rclone-0/drain"),
        ("POST", "/v1/backends/rclone-0/probe"),
        ("PUT", "/v1/backends/rclone-0/credentials"),
        ("PUT", "/v1/backends/rclone-0/weight"),
        ("PUT", "/v1/backends/rclone-0/capacity"),
        ("GET", "/v1/stores"),
        ("DELETE", "/v1/backends/rclone-0"),
    ]:
        assert ask(served, method, path, {}, keys=READER) == (403, {"code": "AccessDenied", "message": "Access Denied"})
    refused = cluster.events(served, "DrainBackend")[-1]
    assert refused["errorCode"] == "AccessDenied" and refused["userIdentity"]["userName"] == "reader"
    assert served.list()["rclone-0"]["standing"] == "active"


@pytest.mark.parametrize(
    "how, code",
    [
        ({"keys": None}, "AccessDenied"),
        ({"service": "s3"}, "AuthorizationHeaderMalformed"),
        ({"region": "eu-west-1"}, "AuthorizationHeaderMalformed"),
        ({"keys": ("TIDEGATEUNKNOWNKEY01", "x" * 40)}, "InvalidAccessKeyId"),
        ({"keys": (ROOT[0], "x" * 40)}, "SignatureDoesNotMatch"),
    ],
)
def test_who_is_not_known_learns_nothing(served, how, code):
    status, said = ask(served, "GET", "/v1/backends", **how)
    assert status in (400, 403) and said["code"] == code
    assert "rclone" not in json.dumps(said)
    status, said = ask(served, "GET", "/v1/nothing", **how)
    assert said["code"] == code


def test_a_signature_holds_for_its_own_request(served):
    assert ask(served, "GET", "/v1/backends/rclone-0", alter=lambda headers, body: b"x")[0] in (400, 403)

    def longer(headers, body):
        headers["Content-Length"] = str(len(body) + 1)
        return body + b" "

    status, said = ask(served, "PUT", "/v1/backends/rclone-0/credentials", {"accessKey": "a"}, alter=longer)
    assert status in (400, 403), said

    def unsigned(headers, body):
        name = next(name for name in headers if name.lower() == "x-amz-content-sha256")
        headers[name] = "UNSIGNED-PAYLOAD"

    status, said = ask(served, "PUT", "/v1/backends/rclone-0/credentials", {"accessKey": "a"}, alter=unsigned)
    assert status == 403, said


def test_another_name_for_this_machine_is_refused(served):
    """A page in a browser whose own name resolves to the loopback by now (DNS rebinding)."""
    connection = http.client.HTTPConnection("127.0.0.1", served.gateway.admin_port, timeout=60)
    connection.request("GET", "/v1/backends", headers={"Host": "evil.example"})
    assert connection.getresponse().status == 403
    connection.close()


@pytest.mark.parametrize(
    "method, path, document, status, code",
    [
        ("GET", "/v1/", None, 404, "NotFound"),
        ("GET", "/v1/backends/", None, 404, "NotFound"),
        ("GET", "/v1/backends/../backends", None, 404, "NotFound"),
        ("GET", "/v1/backends/rclone-0/drain/now", None, 404, "NotFound"),
        ("GET", "/v1/backends/none", None, 404, "NoSuchBackend"),
        ("POST", "/v1/backends/none/drain", None, 404, "NoSuchBackend"),
        ("PATCH", "/v1/backends", None, 405, "MethodNotAllowed"),
        ("GET", "/v1/backends/rclone-0/drain", None, 405, "MethodNotAllowed"),
        ("GET", "/v1/backends?all", None, 400, "InvalidRequest"),
        ("POST", "/v1/backends", [], 400, "InvalidRequest"),
        ("POST", "/v1/backends", {"name": "x"}, 400, "InvalidRequest"),
        ("DELETE", "/v1/backends/rclone-0", None, 409, "Conflict"),
    ],
)
def test_bad_requests_are_told_what_is_wrong(served, method, path, document, status, code):
    got, said = ask(served, method, path, document)
    assert (got, said["code"]) == (status, code), said
    assert len(said["message"]) > 10


def test_a_path_is_taken_as_it_is_sent(served):
    """Decoded once more behind the signature, it would name what the policy was not asked about."""
    endpoint = gateway.Endpoint(served.gateway.admin, *ROOT, None)
    client = raw.Raw(endpoint, service="tidegate")
    assert client("GET", "/v1/backends/rclone-0").status == 200
    assert client("GET", "/v1/backends/%72clone-0").status == 404
    assert client("GET", "/v1/backends/x/../rclone-0").status == 404
    client.close()


GOOD = {
    "name": "other",
    "url": "http://127.0.0.1:9",
    "bucket": "shards",
    "credentials": {"accessKey": "key", "secretKey": "a-secret-that-nobody-sees"},
}


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Other"},
        {"name": "../other"},
        {"name": ""},
        {"url": "file:///etc/passwd"},
        {"url": "http://user:password@127.0.0.1"},
        {"url": "http://127.0.0.1/path"},
        {"bucket": "../x"},
        {"prefix": "a/../b"},
        {"profile": "gopher"},
        {"addressing": "cookie"},
        {"durability": "eventually"},
        {"pinnedKeys": ["AAAA"]},
        {"authorities": "none"},
        {"zone": "a\nb"},
        {"hosts": ["h"] * 2000},
        {"credentials": {"accessKey": "a\r\nx: y", "secretKey": "secret"}},
        {"credentials": {"accessKey": "", "secretKey": "secret"}},
    ],
)
def test_a_declaration_that_cannot_be_right_is_refused(served, change):
    status, said = ask(served, "POST", "/v1/backends", {**GOOD, **change})
    assert (status, said["code"]) == (400, "InvalidRequest"), said
    assert "a-secret" not in json.dumps(said)


def test_what_does_not_answer_is_refused_by_name(served):
    status, said = ask(served, "POST", "/v1/backends", GOOD)
    assert (status, said["code"]) == (422, "BackendRefused") and "reach:" in said["message"], said
    assert cluster.shows(served.gateway.folder, "a-secret-that-nobody-sees") == []
    assert cluster.events(served, "AttachBackend")[-1]["errorCode"] == "BackendRefused"


def test_a_document_has_a_bound(served):
    for size in (2 << 20, 5 << 20):
        status, said = ask(served, "POST", "/v1/backends", {**GOOD, "authorities": "x" * size})
        assert status == 400, said
    status, said = ask(served, "POST", "/v1/backends", {**GOOD, "hosts": [["x"] * 10] * 10})
    assert status == 400, said


def test_deep_json_ends_nothing(served):
    endpoint = gateway.Endpoint(served.gateway.admin, *ROOT, None)
    client = raw.Raw(endpoint, service="tidegate")
    for body in [b"[" * 200_000, b'{"a":' * 100_000, b'{"name":"' + b"\\u0000" * 100_000]:
        assert client("POST", "/v1/backends", {}, body).status == 400
    client.close()
    assert ask(served, "GET", "/v1/backends")[0] == 200
