"""Keys are bytes without meaning: one corpus through every entrance.

CVE-2026-54917, CVE-2026-55874, CVE-2026-58372, CVE-2026-26187, GHSA-8r6f: three entrances, three advisories.
"""

import base64
import hashlib
import re
import urllib.parse
from xml.sax.saxutils import escape

import pytest

from Harness.raw import quote

CORPUS = [
    "..",
    ".",
    "../x",
    "../../../../etc/passwd",
    "a/../b",
    "a/./b",
    "/leading",
    "//double",
    "a//b",
    "trailing/",
    "/",
    "a/..",
    "..\\..\\x",
    "C:\\x",
    "%2e%2e/x",
    "%2F",
    "%",
    "%00",
    "+",
    " ",
    " leading",
    "trailing ",
    "a b+c",
    "?",
    "a?b=c",
    "#",
    "a&b",
    "<x>",
    "\"'",
    "é",
    "e\u0301",
    "\u202e",
    "\U0001f9a2",
    "\ufffd",
    "\u200b",
    "nul\u0001x",
    "~",
    "*",
    "store-0/x",
    ".tidegate",
    "-rf",
]


@pytest.fixture(scope="module")
def neighbour(send, place):
    """An object that no key of the corpus names."""
    send("PUT", f"/{place}/neighbour", {}, b"untouched")
    yield
    assert send("GET", f"/{place}/neighbour").body == b"untouched"


@pytest.mark.parametrize("name", CORPUS)
def test_every_entrance(send, s3, bucket, neighbour, name):
    target = f"/{bucket}/{quote(name)}"
    put = send("PUT", target, {}, name.encode())
    if put.status == 400:
        # A key may be refused; then it is refused everywhere.
        assert send("GET", target).status in (400, 404) and "Contents" not in s3.list_objects_v2(Bucket=bucket)
        return
    assert put.status == 200, put
    # Through a fully escaped target the key is the same.
    escaped = f"/{bucket}/" + "".join(f"%{byte:02X}" for byte in name.encode())
    assert send("GET", escaped).body == name.encode()
    listed = send("GET", f"/{bucket}?list-type=2&encoding-type=url").texts("Contents/Key")
    assert [urllib.parse.unquote_plus(each) for each in listed] == [name]
    prefixed = send("GET", f"/{bucket}?list-type=2&encoding-type=url&prefix={urllib.parse.quote(name, safe='')}")
    assert len(prefixed.texts("Contents/Key")) == 1
    assert send("PUT", f"/{bucket}/copied", {"x-amz-copy-source": f"/{bucket}/{quote(name)}"}).status == 200
    assert send("GET", f"/{bucket}/copied").body == name.encode()
    # Not parsed: the answer names the key, and as AWS writes it a control character is no XML.
    upload = re.search(rb"<UploadId>(.+)</UploadId>", send("POST", f"{target}?uploads").body)[1].decode()
    assert send("DELETE", f"{target}?uploadId={upload}").status == 204
    if all(ord(character) >= 32 for character in name):
        body = f"<Delete><Object><Key>{escape(name)}</Key></Object></Delete>".encode()
        headers = {"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()}
        assert send("POST", f"/{bucket}?delete", headers, body).status == 200
        assert send("GET", target).status == 404


@pytest.mark.parametrize("target", ["/%ff", "/PLACE/%ff", "/PLACE/%c0%ae%c0%ae/x", "/PLACE/%ed%a0%80"])
def test_targets_that_are_no_utf_8(send, place, target):
    for method in ["GET", "PUT", "DELETE"]:
        answer = send(method, target.replace("PLACE", place), {}, b"x" if method == "PUT" else b"")
        assert answer.status == 400 or (answer.status in (403, 404) and method != "PUT"), answer


@pytest.mark.parametrize(
    "target", ["/../PLACE/neighbour", "/PLACE/../PLACE/neighbour", "/./PLACE/neighbour", "//PLACE/neighbour"]
)
def test_targets_are_not_normalised(send, place, neighbour, target):
    answer = send("GET", target.replace("PLACE", place))
    assert answer.status in (400, 403, 404) and b"untouched" not in answer.body, answer
