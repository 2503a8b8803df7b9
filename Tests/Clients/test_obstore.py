"""obstore: the object_store crate of the Rust world."""

import obstore
import obstore.exceptions
import obstore.store
import pytest

from Harness.samples import KEYS, MIB, data


@pytest.fixture
def open_store(server, monkeypatch):
    if server.ca:
        monkeypatch.setenv("SSL_CERT_FILE", server.ca)

    def make(bucket, **more):
        settings = dict(
            endpoint=server.url,
            access_key_id=server.access_key,
            secret_access_key=server.secret_key,
            region=server.region,
            virtual_hosted_style_request=False,
            client_options={"allow_http": True},
            retry_config={"max_retries": 0},
        )
        return obstore.store.S3Store(bucket, **(settings | more))

    return make


def test_keys(open_store, bucket):
    store = open_store(bucket)
    for number, key in enumerate(KEYS):
        obstore.put(store, key, data(100, number))
        assert bytes(obstore.get(store, key).bytes()) == data(100, number)
    listed = [each["path"] for page in obstore.list(store) for each in page]
    assert sorted(listed) == sorted(KEYS)
    obstore.delete(store, KEYS)
    assert [each for page in obstore.list(store) for each in page] == []


def test_parts_and_ranges(open_store, bucket):
    store, content = open_store(bucket), data(16 * MIB)
    obstore.put(store, "large", content, use_multipart=True, chunk_size=5 * MIB)
    assert obstore.head(store, "large")["size"] == len(content)
    assert (
        bytes(obstore.get_range(store, "large", start=5 * MIB - 3, length=10)) == content[5 * MIB - 3 : 5 * MIB + 7]
    )
    pieces = obstore.get_ranges(store, "large", starts=[1, 9 * MIB], lengths=[5, 5])
    assert [bytes(piece) for piece in pieces] == [content[1:6], content[9 * MIB : 9 * MIB + 5]]
    assert bytes(obstore.get(store, "large").bytes()) == content


def test_copies(open_store, bucket):
    store = open_store(bucket)
    obstore.put(store, "from é", b"x")
    obstore.copy(store, "from é", "to +")
    obstore.rename(store, "to +", "renamed")
    assert bytes(obstore.get(store, "renamed").bytes()) == b"x"
    assert sorted(each["path"] for page in obstore.list(store) for each in page) == ["from é", "renamed"]


def test_conditional_writes(open_store, bucket):
    store = open_store(bucket, conditional_put="etag")
    first = obstore.put(store, "k", b"1", mode="create")
    with pytest.raises(obstore.exceptions.AlreadyExistsError):
        obstore.put(store, "k", b"2", mode="create")
    second = obstore.put(store, "k", b"2", mode={"e_tag": first["e_tag"]})
    with pytest.raises(obstore.exceptions.PreconditionError):
        obstore.put(store, "k", b"3", mode={"e_tag": first["e_tag"]})
    assert obstore.head(store, "k")["e_tag"] == second["e_tag"]


def test_lists_past_a_page(open_store, many):
    store = open_store(many)
    assert sum(len(page) for page in obstore.list(store)) == 1050
    assert obstore.list_with_delimiter(store)["common_prefixes"] == ["many"]
    after = [each["path"] for page in obstore.list(store, offset="many/01047") for each in page]
    assert after == ["many/01048", "many/01049"]


def test_errors(open_store, bucket):
    with pytest.raises(FileNotFoundError):
        obstore.get(open_store(bucket), "none")
    with pytest.raises(Exception, match="SignatureDoesNotMatch|PermissionDenied|Forbidden|403"):
        obstore.get(open_store(bucket, secret_access_key="wrong"), "none")
