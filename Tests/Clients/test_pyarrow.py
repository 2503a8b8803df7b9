"""pyarrow's S3FileSystem: the AWS SDK for C++."""

import urllib.parse

import pyarrow
import pyarrow.dataset
import pyarrow.fs
import pyarrow.parquet
import pytest

from Harness.samples import KEYS, MIB, data


@pytest.fixture
def make(server):
    def filesystem(**more):
        url = urllib.parse.urlsplit(server.url)
        settings = dict(
            access_key=server.access_key,
            secret_key=server.secret_key,
            region=server.region,
            scheme=url.scheme,
            endpoint_override=url.netloc,
            allow_bucket_creation=True,
            allow_bucket_deletion=True,
            retry_strategy=pyarrow.fs.AwsStandardS3RetryStrategy(max_attempts=1),
        )
        if server.ca:
            settings["tls_ca_file_path"] = server.ca
        return pyarrow.fs.S3FileSystem(**(settings | more))

    return filesystem


def test_keys(make, bucket):
    fs = make()
    for number, key in enumerate(KEYS):
        with fs.open_output_stream(f"{bucket}/{key}") as stream:
            stream.write(data(1000, number))
        with fs.open_input_file(f"{bucket}/{key}") as file:
            assert file.read() == data(1000, number)
    infos = fs.get_file_info(pyarrow.fs.FileSelector(bucket, recursive=True))
    assert sorted(info.path for info in infos if info.is_file) == sorted(f"{bucket}/{key}" for key in KEYS)


def test_parts_and_ranges(make, bucket):
    fs, content = make(), data(23 * MIB)
    with fs.open_output_stream(f"{bucket}/large + ü") as stream:
        for start in range(0, len(content), MIB):
            stream.write(content[start : start + MIB])
    with fs.open_input_file(f"{bucket}/large + ü") as file:
        assert file.size() == len(content)
        assert file.read_at(100, 11_000_000) == content[11_000_000:11_000_100]
        assert file.read() == content


def test_parquet_dataset(make, bucket):
    fs = make()
    table = pyarrow.table({"n": list(range(10_000)), "part": [number % 4 for number in range(10_000)]})
    pyarrow.dataset.write_dataset(table, f"{bucket}/set", filesystem=fs, format="parquet", partitioning=["part"])
    back = pyarrow.dataset.dataset(f"{bucket}/set", filesystem=fs, partitioning=["part"]).to_table(columns=["n"])
    assert sorted(back["n"].to_pylist()) == list(range(10_000))


def test_copy_move_delete(make, bucket):
    fs = make()
    with fs.open_output_stream(f"{bucket}/a/from é") as stream:
        stream.write(b"x")
    fs.copy_file(f"{bucket}/a/from é", f"{bucket}/a/to +")
    fs.move(f"{bucket}/a/to +", f"{bucket}/a/moved")
    assert sorted(info.base_name for info in fs.get_file_info(pyarrow.fs.FileSelector(f"{bucket}/a"))) == [
        "from é",
        "moved",
    ]
    fs.delete_dir(f"{bucket}/a")
    assert fs.get_file_info(f"{bucket}/a/moved").type == pyarrow.fs.FileType.NotFound


def test_buckets(make, bucket):
    fs = make()
    fs.create_dir(f"{bucket}-2")
    assert fs.get_file_info(f"{bucket}-2").type == pyarrow.fs.FileType.Directory
    fs.delete_dir(f"{bucket}-2")
    assert fs.get_file_info(f"{bucket}-2").type == pyarrow.fs.FileType.NotFound


def test_lists_past_a_page(make, many):
    assert len(make().get_file_info(pyarrow.fs.FileSelector(f"{many}/many"))) == 1050


def test_errors(make, bucket):
    with pytest.raises(FileNotFoundError):
        make().open_input_file(f"{bucket}/none")
    with pytest.raises(OSError, match="(?i)signature|access denied|forbidden|403"):
        make(secret_key="wrong").get_file_info(pyarrow.fs.FileSelector(bucket))
