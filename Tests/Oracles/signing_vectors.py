#!/usr/bin/env python3
"""Writes signing.json: requests signed by botocore and awscrt, chunks signed with botocore's key derivation, and
requests of signature version 2.

Usage: python3 -m venv VENV && VENV/bin/pip install botocore awscrt && VENV/bin/python signing_vectors.py > signing.json

The clients sign with a fixed clock, so that running it again changes nothing but what the clients themselves changed.
"""

import base64
import datetime
import email.utils
import hashlib
import hmac
import io
import json
import os
import sys
import urllib.parse

os.environ["BOTO_DISABLE_CRT"] = "true"  # botocore would otherwise sign with awscrt, which is the other oracle

import awscrt.auth
import awscrt.http
import awscrt.io
import botocore
import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials
import botocore.session
import botocore.signers

ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
REGION = "eu-central-1"
NOW = datetime.datetime(2026, 3, 14, 15, 9, 26, tzinfo=datetime.timezone.utc)
BASIC = NOW.strftime("%Y%m%dT%H%M%SZ")
KEYS = ["plain.txt", "a b+c/d=e&f.txt", "Grüße/日本語/\U0001f600.bin", "~-._!*'();:@,$/?#[]%25", "//double//slash/../x"]
vectors = []
version2 = []


def record(oracle, name, method, url, headers, body=b"", to=vectors, **more):
    parts = urllib.parse.urlsplit(url)
    fields = [[key.lower(), value] for key, value in headers if key.lower() != "host"]
    target = parts.path + ("?" + parts.query if parts.query else "")
    if parts.netloc.startswith("bucket."):
        more["bucketOfHost"] = "bucket"
    to.append({
        "name": f"{oracle}: {name}", "method": method, "target": target or "/",
        "headers": [["host", parts.netloc]] + fields, "body": base64.b64encode(body).decode(), **more})


class Captured(Exception):
    pass


def text(value):
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def client(scheme, token=None, style="path", version=None, **config):
    session = botocore.session.Session()
    made = session.create_client(
        "s3", region_name=REGION, endpoint_url=f"{scheme}://storage.example.com:9000", aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY, aws_session_token=token,
        config=botocore.config.Config(
            s3={"addressing_style": style, **config}, signature_version=version, retries={"total_max_attempts": 1},
            user_agent="oracle"))

    def capture(request, **_):
        body = request.body or b""
        body = body.read() if hasattr(body, "read") else body
        headers = [(key, text(value)) for key, value in request.headers.items()]
        headers = [field for field in headers if not field[0].lower().startswith("amz-sdk-")]
        made.captured = (request.method, request.url, headers, body.encode() if isinstance(body, str) else body)
        raise Captured()

    made.meta.events.register("before-send.s3", capture)
    return made


def call(made, name, operation, record_more={}, **arguments):
    try:
        getattr(made, operation)(**arguments)
    except Captured:
        method, url, headers, body = made.captured
        record("botocore", name, method, url, headers, body, **record_more)


def botocore_vectors():
    botocore.auth.get_current_datetime = lambda *_, **__: NOW.replace(tzinfo=None)
    botocore.signers.get_current_datetime = botocore.auth.get_current_datetime
    for scheme in ("http", "https"):
        made = client(scheme)
        for index, key in enumerate(KEYS):
            call(made, f"{scheme} put {index}", "put_object", Bucket="bucket", Key=key, Body=b"x" * 1000,
                 Metadata={"a": "two  spaces", "b": " x "}, ContentType="text/plain; charset=utf-8")
            call(made, f"{scheme} get {index}", "get_object", Bucket="bucket", Key=key, Range="bytes=0-9")
        call(made, f"{scheme} stream", "put_object", Bucket="bucket", Key="stream", Body=io.BytesIO(b"y" * 2_000),
             ChecksumAlgorithm="SHA256")
        call(made, f"{scheme} empty", "put_object", Bucket="bucket", Key="empty", Body=b"")
        call(made, f"{scheme} list", "list_objects_v2", Bucket="bucket", Prefix="a b+c=d&é/", Delimiter="/",
             StartAfter="~*'()", EncodingType="url")
        call(made, f"{scheme} copy", "copy_object", Bucket="bucket", Key="copy", MetadataDirective="REPLACE",
             CopySource={"Bucket": "other", "Key": KEYS[2]}, Metadata={"k": "v"})
        call(made, f"{scheme} delete", "delete_objects", Bucket="bucket", Delete={"Objects": [{"Key": "a"}]})
        call(made, f"{scheme} acl", "get_bucket_acl", Bucket="bucket")
        call(made, f"{scheme} buckets", "list_buckets")
    call(client("https", payload_signing_enabled=True), "signed payload", "put_object", Bucket="bucket", Key="k",
         Body=b"z" * 10)
    call(client("http", token="token/+=="), "session token", "get_object", Bucket="bucket", Key="k")
    for token in (None, "token/+=="):
        made = client("https", token=token)
        for index, key in enumerate(KEYS):
            url = made.generate_presigned_url(
                "get_object", ExpiresIn=900, Params={
                    "Bucket": "bucket", "Key": key, "ResponseContentDisposition": "attachment; filename=\"a b.txt\""})
            record("botocore", f"presigned get {index} {token or ''}", "GET", url, [])
            url = made.generate_presigned_url("put_object", ExpiresIn=900, Params={
                "Bucket": "bucket", "Key": key, "ContentType": "text/plain", "Metadata": {"m": "v"}})
            record("botocore", f"presigned put {index} {token or ''}", "PUT", url,
                   [("content-type", "text/plain"), ("x-amz-meta-m", "v")], b"payload")


def version2_vectors():
    """Signature version 2, by botocore's HmacV1Auth and HmacV1QueryAuth."""
    botocore.auth.formatdate = lambda usegmt: email.utils.formatdate(NOW.timestamp(), usegmt=usegmt)
    botocore.auth.HmacV1QueryAuth._get_date = lambda auth: str(int(NOW.timestamp()) + int(auth._expires))
    for style, token in (("path", None), ("virtual", None), ("path", "token/+==")):
        made = client("http", token=token, style=style, version="s3")
        more = {"to": version2}
        name = f"{style} {token or ''}"
        signed = [("x-amz-security-token", token)] if token else []
        for index, key in enumerate(KEYS[:1] if token else KEYS):
            call(made, f"{name} put {index}", "put_object", more, Bucket="bucket", Key=key, Body=b"x" * 10,
                 Metadata={"a": "two  spaces", "b": " x "}, ContentType="text/plain; charset=utf-8")
            call(made, f"{name} get {index}", "get_object", more, Bucket="bucket", Key=key, Range="bytes=0-9",
                 VersionId="a+/=b", ResponseContentType="a b+c")
            url = made.generate_presigned_url(
                "get_object", ExpiresIn=900, Params={
                    "Bucket": "bucket", "Key": key,
                    "ResponseContentDisposition": "attachment; filename=\"a & ü.txt\""})
            record("botocore", f"{name} presigned get {index}", "GET", url, signed, **more)
            url = made.generate_presigned_url("put_object", ExpiresIn=900, Params={
                "Bucket": "bucket", "Key": key, "ContentType": "text/plain", "Metadata": {"m": " v  w "}})
            record("botocore", f"{name} presigned put {index}", "PUT", url,
                   [("content-type", "text/plain"), ("x-amz-meta-m", "v  w")] + signed, **more)
            record("botocore", f"{name} presigned put {index}, metadata in the query", "PUT", url,
                   [("content-type", "text/plain")], **more)
        call(made, f"{name} list", "list_objects_v2", more, Bucket="bucket", Prefix="a b+c=d&é/", Delimiter="/")
        call(made, f"{name} copy", "copy_object", more, Bucket="bucket", Key="copy", MetadataDirective="REPLACE",
             CopySource={"Bucket": "other", "Key": KEYS[2]}, Metadata={"k": "v"})
        call(made, f"{name} delete", "delete_objects", more, Bucket="bucket", Delete={"Objects": [{"Key": "a"}]})
        call(made, f"{name} upload", "create_multipart_upload", more, Bucket="bucket", Key="k")
        call(made, f"{name} part", "upload_part", more, Bucket="bucket", Key="k", UploadId="a+b/=", PartNumber=7,
             Body=b"x")
        call(made, f"{name} tags", "get_object_tagging", more, Bucket="bucket", Key="k", VersionId="v")
        for operation in ("get_bucket_acl", "get_bucket_versioning", "get_bucket_location", "get_bucket_policy",
                          "list_object_versions", "list_multipart_uploads", "get_object_lock_configuration",
                          "get_bucket_replication", "get_bucket_request_payment", "head_bucket", "create_bucket"):
            call(made, f"{name} {operation}", operation, more, Bucket="bucket")
        for operation in ("list_objects", "get_bucket_acl"):
            url = made.generate_presigned_url(operation, ExpiresIn=900, Params={"Bucket": "bucket"})
            record("botocore", f"{name} presigned {operation}", "GET", url, signed, **more)
    call(client("http", version="s3"), "buckets", "list_buckets", {"to": version2})


def post_vectors(version=None):
    made = client("http", version=version)
    posted = made.generate_presigned_post(
        "bucket", "user/${filename}", Fields={"acl": "private", "Content-Type": "image/png"},
        Conditions=[{"acl": "private"}, ["starts-with", "$Content-Type", "image/"], ["content-length-range", 1, 1024]],
        ExpiresIn=600)
    return posted["fields"]


def awscrt_vectors():
    provider = awscrt.auth.AwsCredentialsProvider.new_static(ACCESS_KEY, SECRET_KEY)
    types = awscrt.auth.AwsSignatureType
    body_headers = awscrt.auth.AwsSignedBodyHeaderType
    paths = ["/bucket/" + urllib.parse.quote(key, safe="/~") for key in KEYS]
    queries = ["", "?uploads=", "?list-type=2&prefix=a%20b%2Bc&delimiter=%2F", "?b=2&a=1&a=0&a-b=3"]
    values = [None, "UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"]
    for kind in (types.HTTP_REQUEST_HEADERS, types.HTTP_REQUEST_QUERY_PARAMS):
        for path in paths:
            for query in queries:
                for value in values if kind == types.HTTP_REQUEST_HEADERS else ["UNSIGNED-PAYLOAD"]:
                    headers = awscrt.http.HttpHeaders([
                        ("Host", "storage.example.com:9000"), ("X-Amz-Meta-Spaces", "  a   b  c "),
                        ("X-Amz-Meta-Many", "1"), ("X-Amz-Meta-Many", "2"), ("Content-Type", "text/plain")])
                    request = awscrt.http.HttpRequest("PUT", path + query, headers)
                    config = awscrt.auth.AwsSigningConfig(
                        algorithm=awscrt.auth.AwsSigningAlgorithm.V4, signature_type=kind,
                        credentials_provider=provider, region=REGION, service="s3", date=NOW,
                        use_double_uri_encode=False, should_normalize_uri_path=False, signed_body_value=value,
                        signed_body_header_type=body_headers.X_AMZ_CONTENT_SHA_256
                        if kind == types.HTTP_REQUEST_HEADERS else body_headers.NONE,
                        expiration_in_seconds=900 if kind == types.HTTP_REQUEST_QUERY_PARAMS else None)
                    signed = awscrt.auth.aws_sign_request(request, config).result(10)
                    record("awscrt", f"{kind.name} {path}{query} {value}", "PUT",
                           "http://storage.example.com:9000" + signed.path, list(signed.headers), headOnly=True)


def chunk_vectors():
    """Signs chunks with botocore's key derivation, by the string to sign that AWS documents."""
    signer = botocore.auth.S3SigV4Auth(botocore.credentials.Credentials(ACCESS_KEY, SECRET_KEY), "s3", REGION)
    scope = f"{BASIC[:8]}/{REGION}/s3/aws4_request"
    empty = hashlib.sha256(b"").hexdigest()
    found = []
    for mode, trailer in (("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", None),
                          ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", ("x-amz-checksum-crc32", "AAAAAA=="))):
        for sizes in ([], [1], [8192, 8192, 5], [65536, 65536, 1024]):
            key = b"AWS4" + SECRET_KEY.encode()
            for part in scope.split("/"):
                key = signer._sign(key, part)
            seed = previous = hashlib.sha256(f"{mode}{sizes}".encode()).hexdigest()
            body = b""
            for index, size in enumerate(sizes + [0]):
                data = bytes((index + place) % 251 for place in range(size))
                to_sign = "\n".join([
                    "AWS4-HMAC-SHA256-PAYLOAD", BASIC, scope, previous, empty, hashlib.sha256(data).hexdigest()])
                previous = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
                body += f"{size:x};chunk-signature={previous}\r\n".encode() + (data + b"\r\n" if size else b"")
            if trailer:
                line = f"{trailer[0]}:{trailer[1]}\n"
                to_sign = "\n".join([
                    "AWS4-HMAC-SHA256-TRAILER", BASIC, scope, previous, hashlib.sha256(line.encode()).hexdigest()])
                previous = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
                body += f"{trailer[0]}:{trailer[1]}\r\nx-amz-trailer-signature:{previous}\r\n".encode()
            body += b"\r\n"
            found.append({
                "mode": mode, "trailer": trailer[0] if trailer else None, "seed": seed, "length": sum(sizes),
                "framedSHA256": hashlib.sha256(body).hexdigest(), "sizes": sizes})
    return found


def main():
    botocore_vectors()
    awscrt_vectors()
    version2_vectors()
    json.dump({
        "accessKeyID": ACCESS_KEY, "secretKey": SECRET_KEY, "region": REGION, "date": BASIC,
        "versions": {"botocore": botocore.__version__, "awscrt": awscrt.__version__}, "requests": vectors,
        "chunks": chunk_vectors(), "post": post_vectors(),
        "version2": {"requests": version2, "post": post_vectors(version="s3")}},
        sys.stdout, indent=1, ensure_ascii=True)
    print()


main()
