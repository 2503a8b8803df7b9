"""What the gateway writes and tells its operator holds nothing that a request could be signed with."""

import json
import os
import re
import urllib.error
import urllib.parse
import urllib.request

import pytest

from Harness import endpoints, gateway, raw

if os.environ.get("TIDEGATE_TEST_ENDPOINT"):
    pytest.skip("the files of a gateway that the test starts itself are read", allow_module_level=True)

# CVE-2023-28432 (environment), GHSA-jqmc (profiles), and what else an operator's port has had.
NOT_THERE = ["/", "/env", "/environment", "/config", "/debug/pprof/", "/debug/vars", "/profile"]
NOT_THERE += ["/minio/bootstrap/v1/verify"]


def signatures_of(running):
    """Sends requests signed in every way, right and wrong, and returns the signatures and the token that they had."""
    client = raw.Raw(running.access)
    assert client("PUT", "/bucket").status == 200
    used = []

    def send(method, target, headers, status):
        assert client(method, target, headers, sign=False).status == status, (method, target)
        used.extend(re.findall(r"Signature=([0-9a-zA-Z%/+=]+)", target + headers.get("Authorization", "")))

    headers = client.signed("PUT", "/bucket/key", {"x-amz-meta-a": "b"})
    send("PUT", "/bucket/key", headers, 200)
    send("PUT", "/bucket/other", headers, 403)
    token = client.signed("GET", "/bucket/key", {"x-amz-security-token": "a-session-token-of-somebody"})
    send("GET", "/bucket/key", token, 400)
    for version in ["s3v4", "s3"]:
        s3 = endpoints.connect(running.access, signature_version=version)
        url = s3.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "key"}, ExpiresIn=60)
        target = url.removeprefix(running.endpoint)
        send("GET", target, {}, 200)
        send("GET", target.replace("/bucket/key", "/bucket/none"), {}, 403)
        s3.close()
    client.close()
    return [urllib.parse.unquote(each) for each in used] + ["a-session-token-of-somebody"]


def files(folder):
    """All but the stores' files, in which the objects are."""
    stores = [store for store in folder.rglob("store-*") if store.is_dir()]
    return [path for path in folder.rglob("*") if path.is_file() and not any(path.is_relative_to(s) for s in stores)]


def test_secrets_and_signatures_are_written_nowhere(tmp_path):
    """CVE-2018-16889, GHSA-r54g, GHSA-8cm2, GHSA-333v, GHSA-4rgc, GHSA-3495: secrets in logs."""
    with gateway.Gateway(tmp_path, settings=["log.level=debug"]) as running:
        secrets = [gateway.SECRET_KEY, *signatures_of(running)]
        assert len(secrets) >= 9, secrets
        with urllib.request.urlopen(f"{running.admin}/metrics", timeout=10) as answer:
            told = answer.read()
    texts = {"metrics": told} | {str(path): path.read_bytes() for path in files(tmp_path)}
    assert any(b"PutObject" in text for text in texts.values()), "the log of what was done is not among the files"
    for name, text in texts.items():
        for secret in secrets:
            assert secret.encode() not in text, (name, secret)


def test_the_admin_port_has_metrics_and_health_alone(tmp_path):
    with gateway.Gateway(tmp_path) as running:
        for path in NOT_THERE:
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(running.admin + path, timeout=10)
            assert refused.value.code == 404, path
            assert gateway.ACCESS_KEY not in refused.value.read().decode()
        for method in ["POST", "PUT", "DELETE"]:
            request = urllib.request.Request(f"{running.admin}/metrics", method=method, data=json.dumps({}).encode())
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=10)
            assert refused.value.code in (404, 405), method
