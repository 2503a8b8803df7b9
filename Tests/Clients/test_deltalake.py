"""deltalake: a table whose commits are conditional writes."""

import concurrent.futures

import deltalake
import pyarrow
import pytest


@pytest.fixture
def options(server, monkeypatch):
    if server.ca:
        monkeypatch.setenv("SSL_CERT_FILE", server.ca)
    return {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": server.access_key,
        "AWS_SECRET_ACCESS_KEY": server.secret_key,
        "AWS_REGION": server.region,
        "AWS_ALLOW_HTTP": "true",
        "conditional_put": "etag",
    }


def rows(start, count=100):
    return pyarrow.table(
        {"n": list(range(start, start + count)), "text": [f"ü {n}" for n in range(start, start + count)]}
    )


def numbers(table):
    return sorted(table.to_pyarrow_table()["n"].to_pylist())


def test_table(options, bucket):
    uri = f"s3://{bucket}/a table"
    deltalake.write_deltalake(uri, rows(0), storage_options=options)
    deltalake.write_deltalake(uri, rows(100), storage_options=options, mode="append")
    table = deltalake.DeltaTable(uri, storage_options=options)
    assert table.version() == 1 and numbers(table) == list(range(200))
    table.delete("n < 50")
    assert numbers(deltalake.DeltaTable(uri, storage_options=options)) == list(range(50, 200))
    assert numbers(deltalake.DeltaTable(uri, version=0, storage_options=options)) == list(range(100))
    table.optimize.compact()
    table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    table.create_checkpoint()
    assert numbers(deltalake.DeltaTable(uri, storage_options=options)) == list(range(50, 200))


def test_concurrent_writers_lose_nothing(options, bucket):
    uri = f"s3://{bucket}/concurrent"
    deltalake.write_deltalake(uri, rows(0, 10), storage_options=options)

    def append(number):
        deltalake.write_deltalake(uri, rows(number * 10, 10), storage_options=options, mode="append")

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(append, range(1, 9)))
    table = deltalake.DeltaTable(uri, storage_options=options)
    assert numbers(table) == list(range(90)) and table.version() == 8


def test_error(options, bucket):
    with pytest.raises(deltalake.exceptions.TableNotFoundError):
        deltalake.DeltaTable(f"s3://{bucket}/none", storage_options=options)
