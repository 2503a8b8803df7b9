"""minio-py."""

import io
import urllib.parse

import minio
import minio.commonconfig
import minio.deleteobjects
import minio.versioningconfig
import pytest
import urllib3

from Harness.samples import KEYS, MIB, data


@pytest.fixture
def client(server):
    url = urllib.parse.urlsplit(server.url)
    pool = urllib3.PoolManager(ca_certs=server.ca, retries=False) if server.ca else urllib3.PoolManager(retries=False)
    return minio.Minio(
        url.netloc,
        access_key=server.access_key,
        secret_key=server.secret_key,
        secure=url.scheme == "https",
        region=server.region,
        http_client=pool,
    )


def read(client, bucket, key, **more):
    answer = client.get_object(bucket_name=bucket, object_name=key, **more)
    try:
        return answer.read()
    finally:
        answer.close()
        answer.release_conn()


def test_buckets(client, bucket):
    client.make_bucket(bucket_name=f"{bucket}-2")
    assert client.bucket_exists(bucket_name=f"{bucket}-2")
    assert f"{bucket}-2" in [each.name for each in client.list_buckets()]
    client.remove_bucket(bucket_name=f"{bucket}-2")
    assert not client.bucket_exists(bucket_name=f"{bucket}-2")


def test_keys(client, bucket):
    for number, key in enumerate(KEYS):
        content = data(100 + number)
        client.put_object(
            bucket_name=bucket, object_name=key, data=io.BytesIO(content), length=len(content), metadata={"a": "b"}
        )
        assert read(client, bucket, key) == content
        assert client.stat_object(bucket_name=bucket, object_name=key).size == len(content)
    listed = [each.object_name for each in client.list_objects(bucket_name=bucket, recursive=True)]
    assert listed == sorted(KEYS, key=str.encode)
    errors = client.remove_objects(
        bucket_name=bucket, delete_object_list=[minio.deleteobjects.DeleteObject(key) for key in KEYS]
    )
    assert list(errors) == []
    assert list(client.list_objects(bucket_name=bucket)) == []


def test_parts_of_unknown_length_ranges_and_compose(client, bucket):
    content = data(12 * MIB)
    client.put_object(bucket_name=bucket, object_name="large", data=io.BytesIO(content), length=-1, part_size=5 * MIB)
    assert read(client, bucket, "large", offset=6_000_000, length=77) == content[6_000_000:6_000_077]
    client.copy_object(
        bucket_name=bucket,
        object_name="copy +",
        source=minio.commonconfig.CopySource(bucket_name=bucket, object_name="large"),
    )
    assert read(client, bucket, "copy +") == content
    source = minio.commonconfig.ComposeSource
    client.compose_object(
        bucket_name=bucket,
        object_name="both",
        sources=[source(bucket_name=bucket, object_name="large"), source(bucket_name=bucket, object_name="copy +")],
    )
    assert read(client, bucket, "both") == content * 2


def test_tags_and_versions(client, bucket):
    client.set_bucket_versioning(
        bucket_name=bucket, config=minio.versioningconfig.VersioningConfig(minio.commonconfig.ENABLED)
    )
    first = client.put_object(bucket_name=bucket, object_name="k", data=io.BytesIO(b"1"), length=1)
    client.put_object(bucket_name=bucket, object_name="k", data=io.BytesIO(b"2"), length=1)
    assert read(client, bucket, "k", version_id=first.version_id) == b"1"
    tags = minio.commonconfig.Tags.new_object_tags()
    tags["name"] = "value ü"
    client.set_object_tags(bucket_name=bucket, object_name="k", tags=tags)
    assert client.get_object_tags(bucket_name=bucket, object_name="k") == tags


def test_lists_past_a_page(client, many):
    assert len(list(client.list_objects(bucket_name=many, recursive=True))) == 1050
    assert [each.object_name for each in client.list_objects(bucket_name=many)] == ["many/"]


def test_errors(client, bucket):
    with pytest.raises(minio.error.S3Error) as error:
        read(client, bucket, "none")
    assert error.value.code == "NoSuchKey" and error.value.response.status == 404
    with pytest.raises(minio.error.S3Error) as error:
        client.remove_bucket(bucket_name=bucket + "-none")
    assert error.value.code == "NoSuchBucket"
