"""s3fs-fuse: a bucket as a folder, where FUSE works."""

import os
import pathlib
import shutil
import subprocess
import time

import pytest

from Harness.command import find
from Harness.samples import KEYS, MIB, data, read_tree, tree


@pytest.fixture
def mounted(server, bucket, tmp_path):
    program = find("s3fs")
    if not pathlib.Path("/dev/fuse").exists():
        pytest.skip("this machine has no /dev/fuse")
    password = tmp_path / "password"
    password.write_text(f"{server.access_key}:{server.secret_key}\n")
    password.chmod(0o600)
    place, log = tmp_path / "mounted", tmp_path / "log"
    place.mkdir()
    environment = os.environ | ({"CURL_CA_BUNDLE": server.ca} if server.ca else {})
    options = (
        f"url={server.url},use_path_request_style,passwd_file={password},endpoint={server.region},multipart_size=5"
    )
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [program, bucket, str(place), "-f", "-o", options],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    end = time.monotonic() + 20
    while not place.is_mount() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    if not place.is_mount():
        if process.poll() is None:
            process.kill()
        text = log.read_text(errors="replace")
        if "fuse: mount failed" in text or "fuse: device" in text or "Operation not permitted" in text:
            pytest.skip(f"FUSE does not work here: {text.strip().splitlines()[-1]}")
        pytest.fail(f"s3fs did not mount the bucket:\n{text[-2000:]}")
    yield place
    subprocess.run(["fusermount", "-u", str(place)], check=True)
    process.wait(30)


def test_files(mounted, s3, bucket):
    contents = tree(mounted / "tree", 20)
    assert read_tree(mounted / "tree") == contents
    for number, key in enumerate(KEYS):
        (mounted / key).parent.mkdir(parents=True, exist_ok=True)
        (mounted / key).write_bytes(data(10 + number))
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == data(10 + number)


def test_large_file_rename_and_remove(mounted, s3, bucket):
    content = data(12 * MIB)
    (mounted / "large").write_bytes(content)
    (mounted / "large").rename(mounted / "renamed +")
    assert s3.get_object(Bucket=bucket, Key="renamed +")["Body"].read() == content
    with open(mounted / "renamed +", "rb") as file:
        file.seek(6_000_000)
        assert file.read(100) == content[6_000_000:6_000_100]
    shutil.copy(mounted / "renamed +", mounted / "copy")
    (mounted / "renamed +").unlink()
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["copy"]


def test_missing(mounted):
    with pytest.raises(FileNotFoundError):
        (mounted / "none").read_bytes()
