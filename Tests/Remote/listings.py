"""Lies about a listing: each takes the document of ListObjectsV2 and gives another, or None where it cannot."""

import re
import urllib.parse

ENTRY = re.compile(rb"<Contents>.*?</Contents>", re.S)
TOKEN = "fault-proxy-goes-on-at-"


def _with(document, entries):
    """The document with other entries."""
    first, last = _span(document)
    return document[:first] + b"".join(entries) + document[last:]


def _span(document):
    found = list(ENTRY.finditer(document))
    return found[0].start(), found[-1].end()


def reordered(document, _request):
    entries = ENTRY.findall(document)
    if len(entries) < 2:
        return None
    return _with(document, [entries[-1], *entries[1:-1], entries[0]])


def missing(document, _request):
    """Without every other entry, the first among them."""
    entries = ENTRY.findall(document)
    return _with(document, entries[1::2]) if entries else None


def duplicated(document, _request):
    entries = ENTRY.findall(document)
    return _with(document, [each for entry in entries for each in (entry, entry)]) if entries else None


def outside(document, request):
    """With a key before all others that does not have the prefix."""
    entries = ENTRY.findall(document)
    if not entries or not request.query.get("prefix"):
        return None
    key = re.sub(rb"<Key>.*?</Key>", b"<Key>0/of/somebody/else</Key>", entries[0])
    return _with(document, [key, *entries])


def endless(document, _request):
    """Goes on, by a token that does not."""
    if not ENTRY.search(document):
        return None
    without = re.sub(rb"<NextContinuationToken>.*?</NextContinuationToken>", b"", document)
    more = b"<IsTruncated>true</IsTruncated><NextContinuationToken>" + TOKEN.encode() + b"0</NextContinuationToken>"
    return re.sub(rb"<IsTruncated>\w*</IsTruncated>", more, without)


def goes_on(request):
    """Whether a request has a token of ours, and where it goes on."""
    token = request.query.get("continuation-token", "")
    return int(token[len(TOKEN) :]) if token.startswith(TOKEN) else None


def onward(request):
    """A page of keys below the prefix that are nobody's names, behind those of the page before, and never the last."""
    prefix, count = request.query.get("prefix", ""), min(int(request.query.get("max-keys", 1000)), 1000)
    start = goes_on(request) or 0
    entries = "".join(
        f"<Contents><Key>{urllib.parse.quote(f'{prefix}zz{number:020}', safe='')}</Key><Size>7</Size></Contents>"
        for number in range(start, start + count)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult><EncodingType>url</EncodingType>'
        f"<IsTruncated>true</IsTruncated><NextContinuationToken>{TOKEN}{start + count}</NextContinuationToken>"
        f"{entries}</ListBucketResult>"
    ).encode()


LIES = {each.__name__: each for each in (reordered, missing, duplicated, outside, endless)}
