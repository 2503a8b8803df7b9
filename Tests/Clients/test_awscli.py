"""The AWS command line: s3 and s3api, with its own defaults."""

import json
import os

import pytest

from Harness.command import Command, find
from Harness.samples import KEYS, MIB, data, read_tree, tree


@pytest.fixture
def aws(server, tmp_path):
    environment = {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": server.access_key,
        "AWS_SECRET_ACCESS_KEY": server.secret_key,
        "AWS_DEFAULT_REGION": server.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
    }
    if server.ca:
        environment["AWS_CA_BUNDLE"] = server.ca
    return Command(find("aws"), environment=environment, folder=tmp_path)


def test_make_and_remove_bucket(aws, bucket):
    aws("s3", "mb", f"s3://{bucket}-2")
    assert f"{bucket}-2" in aws("s3", "ls").stdout
    aws("s3", "rb", f"s3://{bucket}-2")
    assert f"{bucket}-2" not in aws("s3", "ls").stdout


def test_sync_up_and_down_compares_equal(aws, bucket, tmp_path):
    # A few thousand by hand: TIDEGATE_TREE_FILES=3000.
    contents = tree(tmp_path / "up", int(os.environ.get("TIDEGATE_TREE_FILES", "150")))
    aws("s3", "sync", "up", f"s3://{bucket}/tree", "--only-show-errors", timeout=1200)
    aws("s3", "sync", f"s3://{bucket}/tree", "down", "--only-show-errors", timeout=1200)
    assert read_tree(tmp_path / "down") == contents
    (tmp_path / "up" / next(iter(contents))).unlink()
    again = aws("s3", "sync", "up", f"s3://{bucket}/tree", "--delete", "--no-progress").stdout.splitlines()
    assert [line.split(":")[0] for line in again] == ["delete"]


def test_keys(aws, bucket, tmp_path):
    for number, key in enumerate(KEYS[:6]):
        (tmp_path / "file").write_bytes(data(100, number))
        aws("s3", "cp", "file", f"s3://{bucket}/{key}", "--only-show-errors")
        aws("s3", "cp", f"s3://{bucket}/{key}", "back", "--only-show-errors")
        assert (tmp_path / "back").read_bytes() == data(100, number)
    listing = json.loads(aws("s3api", "list-objects-v2", "--bucket", bucket).stdout)
    assert sorted(each["Key"] for each in listing["Contents"]) == sorted(KEYS[:6])
    aws("s3", "rm", f"s3://{bucket}", "--recursive", "--only-show-errors")
    count = aws("s3api", "list-objects-v2", "--bucket", bucket, "--no-paginate", "--query", "KeyCount")
    assert count.stdout.strip() == "0"


def test_parts_ranges_and_copies(aws, bucket, tmp_path):
    content = data(18 * MIB)
    (tmp_path / "large").write_bytes(content)
    aws("s3", "cp", "large", f"s3://{bucket}/large", "--only-show-errors")
    aws("s3", "cp", f"s3://{bucket}/large", f"s3://{bucket}/copy of large", "--only-show-errors")
    aws("s3", "cp", f"s3://{bucket}/copy of large", "back", "--only-show-errors")
    assert (tmp_path / "back").read_bytes() == content
    aws("s3api", "get-object", "--bucket", bucket, "--key", "large", "--range", "bytes=9000000-9000999", "piece")
    assert (tmp_path / "piece").read_bytes() == content[9_000_000:9_001_000]
    aws("s3", "mv", f"s3://{bucket}/large", f"s3://{bucket}/moved", "--only-show-errors")
    aws("s3", "ls", f"s3://{bucket}/large", expect=1)
    aws("s3api", "head-object", "--bucket", bucket, "--key", "moved")


def test_streams(aws, bucket):
    content = data(9 * MIB)
    aws("s3", "cp", "-", f"s3://{bucket}/stream", input=content, text=False)
    assert aws("s3", "cp", f"s3://{bucket}/stream", "-", text=False).stdout == content


def test_lists_past_a_page(aws, many):
    assert len(aws("s3", "ls", f"s3://{many}/many/").stdout.splitlines()) == 1050
    assert len(json.loads(aws("s3api", "list-objects", "--bucket", many).stdout)["Contents"]) == 1050


def test_error_exits(aws, server, bucket):
    missing = aws("s3api", "get-object", "--bucket", bucket, "--key", "none", "x", expect=255)
    assert "NoSuchKey" in missing.stderr
    assert "NoSuchBucket" in aws("s3", "ls", f"s3://{bucket}-none", expect=None).stderr
    aws.environment["AWS_SECRET_ACCESS_KEY"] = "wrong"
    assert "SignatureDoesNotMatch" in aws("s3", "ls", expect=None).stderr
