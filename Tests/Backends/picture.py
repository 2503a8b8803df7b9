"""All that can be seen of a gateway's buckets, to be compared with what is seen later."""

import hashlib
import urllib.parse

from Backends.crowd import Crowd
from Harness import raw

# What differs from one answer to the next.
FLEETING = {"date", "x-amz-request-id", "x-amz-id-2", "connection"}
# Each listing, the elements that continue it, and the parameters that these go to.
LISTINGS = {
    "versions": (["NextKeyMarker", "NextVersionIdMarker"], ["key-marker", "version-id-marker"]),
    "list-type=2&fetch-owner=true": (["NextContinuationToken"], ["continuation-token"]),
    "uploads": (["NextKeyMarker", "NextUploadIdMarker"], ["key-marker", "upload-id-marker"]),
}


def quoted(text):
    return urllib.parse.quote(text or "", safe="")


def pages(client, bucket, query):
    elements, parameters = LISTINGS[query]
    more = ""
    while True:
        answer = client("GET", f"/{bucket}?{query}{more}")
        if answer.status != 200:
            raise RuntimeError(f"{bucket}?{query}{more}: {answer}")
        yield answer
        if answer.text("IsTruncated") != "true":
            return
        more = "".join(f"&{p}={quoted(answer.text(e))}" for e, p in zip(elements, parameters))


def seen(client, target):
    """Everything that the answer to a GET says, and the tags where it tells of some."""
    answer = client("GET", target)
    fields = sorted((name.lower(), value) for name, value in answer.headers.items() if name.lower() not in FLEETING)
    told = [answer.status, fields, hashlib.sha256(answer.body).hexdigest()]
    if answer.headers.get("x-amz-tagging-count"):
        tags = client("GET", f"{target}&tagging")
        told += [tags.status, tags.body]
    if answer.status != 200:
        raise RuntimeError(f"{target}: {answer}")
    return repr(told)


def targets(client, bucket, picture):
    """What can be read of a bucket; the pages of its listings go into the picture."""
    found = []
    for query in LISTINGS:
        for number, page in enumerate(pages(client, bucket, query)):
            # The token of the next page may be another one, and what it leads to is compared.
            text = page.body.replace((page.text("NextContinuationToken") or "\0").encode(), b"")
            text = text.replace((page.text("ContinuationToken") or "\0").encode(), b"")
            picture[f"{bucket}?{query} page {number}"] = hashlib.sha256(text).hexdigest()
            for entry in page.xml.findall("Version"):
                key, version = entry.findtext("Key"), entry.findtext("VersionId")
                found.append(f"/{bucket}/{raw.quote(key)}?versionId={quoted(version)}")
            for entry in page.xml.findall("Upload"):
                key, identity = entry.findtext("Key"), entry.findtext("UploadId")
                found.append(f"/{bucket}/{raw.quote(key)}?uploadId={quoted(identity)}")
    return found


def take(access, buckets):
    """Target to what its answer says; of listings, the page."""
    picture, client = {}, raw.Raw(access, timeout=120)
    found = [target for bucket in buckets for target in targets(client, bucket, picture)]
    client.close()
    with Crowd(access) as crowd:
        picture.update(zip(found, crowd.each(seen, found)))
    return picture


def differences(before, after, most=5):
    """The first differences, each with both sides."""
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    shown = [f"{name}\n  before {before.get(name)}\n  after  {after.get(name)}" for name in names[:most]]
    return len(names), "\n".join(shown)
