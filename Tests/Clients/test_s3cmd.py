"""s3cmd, as Debian ships it."""

import urllib.parse

import pytest
import requests

from Harness.command import Command, find
from Harness.samples import MIB, data, read_tree, tree

KEYS = ["plain.txt", "with space.txt", "plus+sign.txt", "ünïcödé/日本語.txt", "percent%20.txt"]


@pytest.fixture(params=[False, True], ids=["v4", "v2"])
def s3cmd(request, server, tmp_path):
    host = urllib.parse.urlsplit(server.url).netloc
    (tmp_path / "s3cfg").write_text(
        f"[default]\naccess_key = {server.access_key}\nsecret_key = {server.secret_key}\nhost_base = {host}\n"
        f"host_bucket = {host}\nuse_https = {server.url.startswith('https')}\nbucket_location = {server.region}\n"
        f"signature_v2 = {request.param}\nmax_retries = 1\n" + (f"ca_certs_file = {server.ca}\n" if server.ca else "")
    )
    return Command(find("s3cmd"), "-c", str(tmp_path / "s3cfg"), "--no-progress", environment={}, folder=tmp_path)


def test_buckets(s3cmd, bucket):
    s3cmd("mb", f"s3://{bucket}-2")
    assert f"s3://{bucket}-2" in s3cmd("ls").stdout
    s3cmd("info", f"s3://{bucket}-2")
    s3cmd("rb", f"s3://{bucket}-2")


@pytest.mark.parametrize("key", KEYS)
def test_keys(s3cmd, s3, bucket, tmp_path, key):
    (tmp_path / "up").write_bytes(data(3000))
    s3cmd("put", "up", f"s3://{bucket}/{key}")
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    s3cmd("get", f"s3://{bucket}/{key}", "down")
    assert (tmp_path / "down").read_bytes() == data(3000)
    s3cmd("cp", f"s3://{bucket}/{key}", f"s3://{bucket}/copy of {key}")
    s3cmd("del", f"s3://{bucket}/{key}")
    assert s3cmd("ls", "--recursive", f"s3://{bucket}").stdout.rstrip().endswith(f"copy of {key}")


def test_parts_and_continued_get(s3cmd, bucket, tmp_path):
    content = data(11 * MIB)
    (tmp_path / "up").write_bytes(content)
    s3cmd("put", "--multipart-chunk-size-mb=5", "up", f"s3://{bucket}/large")
    # Continues by a range request from where a file stops.
    (tmp_path / "down").write_bytes(content[:4_000_000])
    s3cmd("get", "--continue", f"s3://{bucket}/large", "down")
    assert (tmp_path / "down").read_bytes() == content


def test_sync(s3cmd, bucket, tmp_path):
    contents = tree(tmp_path / "up", 40)
    s3cmd("sync", "up/", f"s3://{bucket}/tree/")
    s3cmd("sync", f"s3://{bucket}/tree/", "down/")
    assert read_tree(tmp_path / "down") == contents
    s3cmd("del", "--recursive", "--force", f"s3://{bucket}/tree/")
    assert s3cmd("ls", f"s3://{bucket}").stdout == ""


def test_signed_url(s3cmd, server, s3, bucket):
    """Always of signature version 2, whatever the other requests are."""
    s3.put_object(Bucket=bucket, Key="a b+ü", Body=b"content")
    url = s3cmd("signurl", f"s3://{bucket}/a b+ü", "+60").stdout.strip()
    url = url.replace("http://", "https://") if server.url.startswith("https") else url
    answer = requests.get(url, verify=server.ca or True, timeout=30)
    assert (answer.status_code, answer.content) == (200, b"content")


def test_lists_past_a_page(s3cmd, many):
    assert len(s3cmd("ls", f"s3://{many}/many/").stdout.splitlines()) == 1050


def test_error_exits(s3cmd, bucket, tmp_path):
    assert "NoSuchBucket" in s3cmd("ls", f"s3://{bucket}-none", expect=12).stderr
    assert s3cmd("get", f"s3://{bucket}/none", "x", expect=None).stderr
    s3cmd.program += ["--secret_key", "wrong"]
    assert "SignatureDoesNotMatch" in s3cmd("ls", expect=77).stderr
