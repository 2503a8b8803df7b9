"""ListObjects, ListObjectsV2 and ListObjectVersions.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""

import urllib.parse

import pytest

from Harness.raw import quote

KEYS = ["a", "a/1", "a/2", "a/b/1", "a0", "b/", "b/1", "b+c", "c d", "z", "é", "\uffee", "\U0001f9a2"]


@pytest.fixture(scope="module", autouse=True)
def filled(send, place):
    for name in KEYS:
        send("PUT", f"/{place}/{quote(name)}", {}, name.encode())


def pages(send, place, query, version=2):
    """Keys and prefixes of all pages, in the order in which they came."""
    keys, prefixes, token, count = [], [], "", 0
    while True:
        answer = send("GET", f"/{place}?{'list-type=2&' if version == 2 else ''}{query}{token}")
        assert answer.status == 200, answer
        keys += answer.texts("Contents/Key")
        prefixes += answer.texts("CommonPrefixes/Prefix")
        count += 1
        assert count < 50
        if answer.text("IsTruncated") != "true":
            return keys, prefixes, count
        name, element = ("continuation-token", "NextContinuationToken") if version == 2 else ("marker", "NextMarker")
        value = answer.text(element) or (answer.texts("Contents/Key") or [None])[-1]
        token = f"&{name}={urllib.parse.quote(value, safe='')}"


def test_order_is_of_bytes(send, place):
    assert pages(send, place, "")[0] == sorted(KEYS, key=str.encode)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_pages(send, place, version, size):
    keys, prefixes, count = pages(send, place, f"max-keys={size}&delimiter=%2F", version)
    assert keys == ["a", "a0", "b+c", "c d", "z", "é", "\uffee", "\U0001f9a2"]
    assert prefixes == ["a/", "b/"] and count == -(-10 // size)


@pytest.mark.parametrize(
    "query,keys,prefixes",
    [
        ("prefix=a", ["a", "a/1", "a/2", "a/b/1", "a0"], []),
        ("prefix=a%2F&delimiter=%2F", ["a/1", "a/2"], ["a/b/"]),
        ("prefix=b%2F&delimiter=%2F", ["b/", "b/1"], []),
        ("prefix=none", [], []),
        ("delimiter=1", None, ["a/1", "a/b/1", "b/1"]),
        ("prefix=%C3%A9", ["é"], []),
        ("start-after=c%20d", ["z", "é", "\uffee", "\U0001f9a2"], []),
        # A common prefix is listed only where it sorts after the marker itself.
        ("start-after=a&delimiter=%2F&prefix=a", ["a0"], ["a/"]),
        ("start-after=a%2F&delimiter=%2F&prefix=a", ["a0"], []),
        ("start-after=a%2F1&delimiter=%2F&prefix=a", ["a0"], []),
        ("start-after=a%2Fb&delimiter=%2F&prefix=a%2F", [], ["a/b/"]),
        ("max-keys=0", [], []),
    ],
)
def test_selection(send, place, query, keys, prefixes):
    found = pages(send, place, query)
    assert found[1] == prefixes
    if keys is not None:
        assert found[0] == keys


def test_elements(send, place):
    answer = send("GET", f"/{place}?list-type=2&prefix=a0")
    assert answer.xml.tag == "ListBucketResult" and answer.text("Name") == place and answer.text("Prefix") == "a0"
    assert (
        answer.text("KeyCount") == "1" and answer.text("MaxKeys") == "1000" and answer.text("IsTruncated") == "false"
    )
    assert answer.text("Contents/Size") == "2" and answer.text("Contents/StorageClass") == "STANDARD"
    assert answer.text("Contents/Owner/ID") is None and answer.text("Contents/LastModified").endswith("Z")
    assert send("GET", f"/{place}?list-type=2&fetch-owner=true").text("Contents/Owner/ID")
    assert send("GET", f"/{place}").text("Contents/Owner/ID")
    assert answer.body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')


def test_url_encoding(send, place):
    answer = send("GET", f"/{place}?list-type=2&encoding-type=url&prefix=b%2Bc&delimiter=%26")
    assert answer.texts("Contents/Key") == ["b%2Bc"] and answer.text("Prefix") == "b%2Bc"
    assert answer.text("Delimiter") == "%26" and answer.text("EncodingType") == "url"


@pytest.mark.parametrize(
    "query",
    [
        "max-keys=-1",
        "max-keys=x",
        "max-keys=99999999999999999999",
        "max-keys=2147483648",
        "encoding-type=x",
        "list-type=2&continuation-token=",
        "list-type=2&continuation-token=nonsense",
        "list-type=2&continuation-token=YQ",
        "list-type=3",
    ],
)
def test_arguments_that_are_none(send, refused, place, query):
    refused(send("GET", f"/{place}?{query}"), 400, "InvalidArgument")


def test_more_than_a_page_is_never_asked(send, place):
    """CVE-2018-16846: a huge max-keys."""
    assert send("GET", f"/{place}?max-keys=2000000000").text("MaxKeys") in ("1000", "2000000000")


def test_missing_bucket(send, refused, place):
    for query in ["", "?list-type=2", "?versions", "?uploads"]:
        refused(send("GET", f"/{place}-none{query}"), 404, "NoSuchBucket")


def test_versions(send, s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    expected = []
    for name in ["k1", "k2"]:
        for number in range(3):
            answer = send("PUT", f"/{bucket}/{name}", {}, str(number).encode())
            expected.append((name, answer.headers["x-amz-version-id"]))
        expected.append((name, send("DELETE", f"/{bucket}/{name}").headers["x-amz-version-id"]))
    for size in [1, 2, 3, 1000]:
        seen, more = [], ""
        while True:
            page = send("GET", f"/{bucket}?versions&max-keys={size}{more}")
            entries = [e for e in page.xml if e.tag in ("Version", "DeleteMarker")]
            assert len(entries) <= size
            seen += [(e.findtext("Key"), e.findtext("VersionId"), e.tag, e.findtext("IsLatest")) for e in entries]
            if page.text("IsTruncated") != "true":
                break
            more = f"&key-marker={page.text('NextKeyMarker')}&version-id-marker={page.text('NextVersionIdMarker')}"
        # Newest first within a key.
        ordered = [entry for name in ["k1", "k2"] for entry in reversed([e for e in expected if e[0] == name])]
        assert [entry[:2] for entry in seen] == ordered
        assert [entry[3] for entry in seen] == ["true", "false", "false", "false"] * 2
        assert [entry[2] for entry in seen] == ["DeleteMarker", "Version", "Version", "Version"] * 2


def test_version_marker_needs_a_key(send, refused, place):
    refused(send("GET", f"/{place}?versions&version-id-marker=x"), 400, "InvalidArgument")
