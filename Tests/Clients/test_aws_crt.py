"""The AWS common runtime (awscrt) through s3transfer: its own HTTP stack, parts in parallel, its own checksums."""

import io
import time

import botocore.session
import pytest
import s3transfer.crt

from Harness.samples import MIB, data


@pytest.fixture(scope="module")
def manager(server):
    session = botocore.session.Session()
    session.set_credentials(server.access_key, server.secret_key)
    serializer = s3transfer.crt.BotocoreCRTRequestSerializer(
        session, {"region_name": server.region, "endpoint_url": server.url}
    )
    wrapper = s3transfer.crt.BotocoreCRTCredentialsWrapper(session.get_credentials())
    client = s3transfer.crt.create_s3_crt_client(
        server.region,
        crt_credentials_provider=wrapper.to_crt_credentials_provider(),
        use_ssl=server.url.startswith("https"),
        verify=server.ca,
        part_size=5 * MIB,
    )
    with s3transfer.crt.CRTTransferManager(client, serializer) as manager:
        yield manager


@pytest.mark.parametrize("size", [0, 1, 1000, 8 * MIB, 23 * MIB + 1])
def test_up_and_down(manager, s3, bucket, tmp_path, size):
    (tmp_path / "up").write_bytes(data(size))
    manager.upload(str(tmp_path / "up"), bucket, "folder/größe +1").result(120)
    manager.download(bucket, "folder/größe +1", str(tmp_path / "down")).result(120)
    # s3transfer moves the file to its name just after it reports the result.
    end = time.monotonic() + 10
    while not (tmp_path / "down").exists() and time.monotonic() < end:
        time.sleep(0.01)
    assert (tmp_path / "down").read_bytes() == data(size)
    assert s3.head_object(Bucket=bucket, Key="folder/größe +1")["ContentLength"] == size


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_checksums(manager, s3, bucket, algorithm):
    content = data(12 * MIB)
    manager.upload(io.BytesIO(content), bucket, "k", {"ChecksumAlgorithm": algorithm}).result(120)
    assert f"Checksum{algorithm}" in s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    back = io.BytesIO()
    manager.download(bucket, "k", back, {"ChecksumMode": "ENABLED"}).result(120)
    assert back.getvalue() == content


def test_delete(manager, s3, bucket):
    s3.put_object(Bucket=bucket, Key="a b+", Body=b"x")
    manager.delete(bucket, "a b+").result(60)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_error(manager, bucket, tmp_path):
    with pytest.raises(Exception, match="404|NoSuchKey|Not Found"):
        manager.download(bucket, "none", str(tmp_path / "none")).result(60)
