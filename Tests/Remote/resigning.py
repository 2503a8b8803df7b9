"""Signs a request of version 4 anew, so that a server whose clock is right takes what was signed for another time."""

import datetime
import hashlib
import hmac
import re


def stamp(time):
    return time.strftime("%Y%m%dT%H%M%SZ")


def claimed_time(request):
    """When a request says that it was signed; None where it says nothing that is read here."""
    text = request.fields.get("x-amz-date", "")
    if not re.fullmatch(r"\d{8}T\d{6}Z", text):
        return None
    return datetime.datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)


def resign(request, secret_key, time):
    """Replaces the time of a request and its signature. Who signed, for which region and over which fields stays.

    :return: whether the request has a signature in its head
    """
    claim = re.fullmatch(
        r"AWS4-HMAC-SHA256\s+Credential=([^/]+)/\d{8}/([^/]+)/s3/aws4_request,\s*SignedHeaders=([^,]+),\s*"
        r"Signature=\w+",
        request.fields.get("authorization", ""),
    )
    if claim is None:
        return False
    access_key, region, signed = claim.groups()
    request.fields.set("x-amz-date", stamp(time))
    names = signed.split(";")
    fields = "".join(f"{name}:{' '.join(request.fields.get(name, '').split())}\n" for name in names)
    items = sorted(item if "=" in item else f"{item}=" for item in request.raw_query.split("&") if item)
    payload = request.fields.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
    canonical = "\n".join([request.method, request.path, "&".join(items), fields, signed, payload])
    day = stamp(time)[:8]
    scope = f"{day}/{region}/s3/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, "s3", "aws4_request", f"AWS4-HMAC-SHA256\n{stamp(time)}\n{scope}\n{digest}"):
        key = hmac.digest(key, part.encode(), "sha256")
    request.fields.set(
        "Authorization",
        f"AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={signed}, Signature={key.hex()}",
    )
    return True
