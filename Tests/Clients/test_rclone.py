"""rclone: Debian's and the current one."""

import json

import pytest

from Harness.command import Command, find
from Harness.samples import KEYS, MIB, data, read_tree, tree


@pytest.fixture(params=["current", "Debian's"])
def rclone(request, server, tmp_path):
    environment = {
        "RCLONE_CONFIG": "",
        "RCLONE_CONFIG_T_TYPE": "s3",
        "RCLONE_CONFIG_T_PROVIDER": "Other",
        "RCLONE_CONFIG_T_ENDPOINT": server.url,
        "RCLONE_CONFIG_T_ACCESS_KEY_ID": server.access_key,
        "RCLONE_CONFIG_T_SECRET_ACCESS_KEY": server.secret_key,
        "RCLONE_CONFIG_T_REGION": server.region,
        "RCLONE_S3_CHUNK_SIZE": "5Mi",
        "RCLONE_S3_UPLOAD_CUTOFF": "5Mi",
        "RCLONE_RETRIES": "1",
        "RCLONE_LOW_LEVEL_RETRIES": "1",
    }
    if server.ca:
        environment["RCLONE_CA_CERT"] = server.ca
    program = find("rclone", system=request.param != "current")
    return Command(program, environment=environment, folder=tmp_path)


def test_tree(rclone, bucket, tmp_path):
    contents = tree(tmp_path / "up", 60)
    for number, key in enumerate(KEYS):
        place = tmp_path / "up" / key
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data(50 + number))
    rclone("copy", "up", f"t:{bucket}/tree")
    rclone("check", "--download", "up", f"t:{bucket}/tree")
    rclone("sync", f"t:{bucket}/tree", "down")
    assert read_tree(tmp_path / "down") == read_tree(tmp_path / "up")
    assert len(read_tree(tmp_path / "down")) == len(contents) + len(KEYS)
    rclone("purge", f"t:{bucket}/tree")
    assert rclone("lsf", "-R", f"t:{bucket}").stdout == ""


def test_parts_ranges_and_copies(rclone, bucket, tmp_path):
    content = data(13 * MIB)
    (tmp_path / "large").write_bytes(content)
    rclone("copyto", "large", f"t:{bucket}/large file+")
    rclone("copyto", f"t:{bucket}/large file+", f"t:{bucket}/copy")
    piece = rclone("cat", "--offset", "7000000", "--count", "100", f"t:{bucket}/copy", text=False).stdout
    assert piece == content[7_000_000:7_000_100]
    assert rclone("cat", f"t:{bucket}/copy", text=False).stdout == content
    rclone("moveto", f"t:{bucket}/copy", f"t:{bucket}/moved")
    listed = json.loads(rclone("lsjson", f"t:{bucket}").stdout)
    assert sorted(each["Name"] for each in listed) == ["large file+", "moved"]


def test_stream_and_bucket(rclone, bucket):
    rclone("mkdir", f"t:{bucket}-2")
    rclone("rcat", f"t:{bucket}-2/streamed", input=data(6 * MIB), text=False)
    assert rclone("cat", f"t:{bucket}-2/streamed", text=False).stdout == data(6 * MIB)
    rclone("deletefile", f"t:{bucket}-2/streamed")
    rclone("rmdir", f"t:{bucket}-2")


def test_lists_past_a_page(rclone, many):
    assert len(rclone("lsf", "-R", "--files-only", f"t:{many}").stdout.splitlines()) == 1050


def test_error_exits(rclone, bucket):
    rclone("lsf", f"t:{bucket}-none", expect=3)
    # For a bucket a missing name may be a prefix, which rclone reads as an empty directory: only naming a file tells.
    rclone("deletefile", f"t:{bucket}/none", expect=None)
    rclone.environment["RCLONE_CONFIG_T_SECRET_ACCESS_KEY"] = "wrong"
    assert "SignatureDoesNotMatch" in rclone("lsf", f"t:{bucket}", expect=None).stderr
