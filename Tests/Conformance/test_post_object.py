"""POST Object, the browser's form: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html"""

import base64
import datetime
import hmac
import json

import pytest
import requests


@pytest.fixture
def post(server, place):
    """Posts a form: fields that are signed by a policy with these conditions."""

    def send(fields, conditions, content=b"posted", expires=600, secret=None, to=None, sign=True, more=()):
        now = datetime.datetime.now(datetime.timezone.utc)
        date, stamp = now.strftime("%Y%m%d"), now.strftime("%Y%m%dT%H%M%SZ")
        scope = f"{date}/{server.region}/s3/aws4_request"
        signing = {
            "x-amz-algorithm": "AWS4-HMAC-SHA256",
            "x-amz-credential": f"{server.access_key}/{scope}",
            "x-amz-date": stamp,
        }
        policy = {
            "expiration": (now + datetime.timedelta(seconds=expires)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "conditions": [*conditions, *({name: value} for name, value in signing.items())],
        }
        encoded = base64.b64encode(json.dumps(policy).encode()).decode()
        key = f"AWS4{secret or server.secret_key}".encode()
        for part in [date, server.region, "s3", "aws4_request"]:
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.new(key, encoded.encode(), "sha256").hexdigest()
        fields = dict(fields)
        if sign:
            fields |= signing | {"policy": encoded, "x-amz-signature": signature}
        form = [(name, (None, value)) for name, value in fields.items()]
        form += [*more, ("file", ("name.txt", content))]
        return requests.post(f"{server.url}/{to or place}", files=form, verify=server.ca or True, timeout=30)

    return send


def test_post(post, send, place, key):
    conditions = [{"bucket": place}, {"key": key}, ["starts-with", "$x-amz-meta-a", ""], {"Content-Type": "text/x"}]
    answer = post({"key": key, "x-amz-meta-a": "1", "Content-Type": "text/x"}, conditions)
    assert answer.status_code == 204, answer.text
    got = send("GET", f"/{place}/{key}")
    assert (got.body, got.headers["x-amz-meta-a"], got.headers["Content-Type"]) == (b"posted", "1", "text/x")


def test_status_and_redirect(post, place, key):
    base = [{"bucket": place}, {"key": key}]
    answer = post({"key": key, "success_action_status": "201"}, [*base, {"success_action_status": "201"}])
    assert answer.status_code == 201 and f"<Key>{key}</Key>" in answer.text


@pytest.mark.parametrize("change", ["condition", "unnamed", "expired", "secret", "large", "small", "bucket"])
def test_refused(post, send, place, key, change):
    """CVE-2023-43040, CVE-2023-28434, CVE-2026-27607, SeaweedFS bfea14320."""
    fields, conditions, more = {"key": key}, [{"bucket": place}, {"key": key}], {}
    if change == "condition":
        conditions[1] = {"key": "another"}
    elif change == "unnamed":
        fields["x-amz-meta-unnamed"] = "1"
    elif change == "expired":
        more["expires"] = -60
    elif change == "secret":
        more["secret"] = "wrong"
    elif change == "large":
        conditions.append(["content-length-range", 0, 3])
    elif change == "small":
        conditions.append(["content-length-range", 100, 300])
    elif change == "bucket":
        conditions[0] = {"bucket": "another-bucket"}
    answer = post(fields, conditions, **more)
    assert answer.status_code in (400, 403), answer.text
    assert send("GET", f"/{place}/{key}").status == 404


def test_bucket_field_never_overrides_the_target(post, send, place, key):
    other = f"{place}-other"
    send("PUT", f"/{other}")
    answer = post({"key": key, "bucket": other}, [{"bucket": other}, {"key": key}])
    assert send("GET", f"/{other}/{key}").status == 404
    assert answer.status_code in (400, 403, 204), answer.text
    send("DELETE", f"/{other}")


def test_anonymous(post, send, place, key):
    assert post({"key": key}, [], sign=False).status_code == 403
    assert send("GET", f"/{place}/{key}").status == 404


@pytest.mark.parametrize(
    "body,kind",
    [
        (b"", "multipart/form-data; boundary=x"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"x", "multipart/form-data"),
        (b"--x\r\n\r\n\r\n--x--", "multipart/form-data; boundary=x"),
        (b"a=b", "application/x-www-form-urlencoded"),
        (
            b'--x\r\nContent-Disposition: form-data; name="key"\r\n\r\n' + b"k" * 100_000 + b"\r\n--x--",
            "multipart/form-data; boundary=x",
        ),
        (b"--x\r\nContent-Disposition: form-data; name=key\r\n" * 5000, "multipart/form-data; boundary=x"),
    ],
)
def test_malformed_forms(send, place, body, kind):
    """CVE-2016-8626: a malformed POST ended the process."""
    answer = send("POST", f"/{place}", {"Content-Type": kind}, body, sign=False)
    assert answer.status in (400, 403, 405, 411, 412, 413), answer
    assert send("HEAD", f"/{place}").status == 200
