"""S3 requests as they are on the wire: sent by http.client as given, signed by botocore's signer, answers unparsed."""

import hashlib
import http.client
import socket
import ssl
import time
import urllib.parse
import xml.etree.ElementTree

import botocore.auth
import botocore.awsrequest
import botocore.credentials

NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
UNSIGNED = "UNSIGNED-PAYLOAD"
# What a request meets that gets no answer.
LOST = (OSError, http.client.HTTPException)
# Seconds after which a kept connection is not used again: a gateway closes idle ones.
IDLE = 30


def quote(key):
    """A key as a path, percent-encoded as S3's signature wants it."""
    return urllib.parse.quote(key, safe="/-_.~")


def canonical(target):
    """A target as S3 signs it: path and query decoded once and encoded once, empty parts of the query left out.

    botocore signs what it is given, since it never gives itself anything else.
    """
    path, mark, query = target.partition("?")
    parts = [part.replace("+", " ").partition("=") for part in query.split("&") if part]
    items = [recode(name, "") + equals + recode(value, "") for name, equals, value in parts]
    return recode(path, "/") + mark + "&".join(items)


def recode(text, safe):
    return urllib.parse.quote(urllib.parse.unquote_to_bytes(text), safe=safe + "-_.~")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def __repr__(self):
        return f"<{self.status} {dict(self.headers)} {self.body[:300]!r}>"

    @property
    def request_id(self):
        return self.headers.get("x-amz-request-id")

    @property
    def etag(self):
        return (self.headers.get("ETag") or "").strip('"')

    @property
    def xml(self):
        """The root element, with the namespace taken off every name."""
        root = xml.etree.ElementTree.fromstring(self.body)
        for element in root.iter():
            element.tag = element.tag.removeprefix(NAMESPACE)
        return root

    def text(self, path):
        """The text of one element, or None."""
        return self.xml.findtext(path)

    def texts(self, path):
        return [element.text or "" for element in self.xml.findall(path)]

    @property
    def code(self):
        """The error's code, or None where there is no error body."""
        return self.text("Code") if self.body else None


class SignerWithPayload(botocore.auth.S3SigV4Auth):
    """Signs a payload hash that the caller gives, right or wrong."""

    def __init__(self, credentials, service, region, payload):
        super().__init__(credentials, service, region)
        self.given = payload

    def payload(self, request):
        return self.given

    def _should_sha256_sign_payload(self, request):
        return True


class Raw:
    """One connection to an endpoint. Not for several threads at once."""

    def __init__(self, server, timeout=60, region=None, service="s3"):
        self.server = server
        self.url = urllib.parse.urlsplit(server.url)
        self.credentials = botocore.credentials.Credentials(server.access_key, server.secret_key)
        self.timeout, self.region, self.service = timeout, region or server.region, service
        self.connection = None
        self.used = 0.0

    def connect(self):
        if self.url.scheme == "https":
            context = ssl.create_default_context(cafile=self.server.ca)
            return http.client.HTTPSConnection(
                self.url.hostname, self.url.port, timeout=self.timeout, context=context
            )
        return http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=self.timeout)

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def signed(self, method, target, headers=None, body=b"", payload=None):
        """The headers of a signed request; `payload` is the hash to sign, by default that of the body."""
        headers = dict(headers or {})
        headers.setdefault("Host", self.url.netloc)
        request = botocore.awsrequest.AWSRequest(
            method, f"{self.url.scheme}://{self.url.netloc}{canonical(target)}", headers, body
        )
        payload = payload or hashlib.sha256(body).hexdigest()
        SignerWithPayload(self.credentials, self.service, self.region, payload).add_auth(request)
        return dict(request.headers.items())

    def __call__(self, method, target, headers=None, body=b"", payload=None, sign=True):
        """Sends `target` (path and query, encoded by the caller) and reads the whole answer."""
        headers = self.signed(method, target, headers, body, payload) if sign else dict(headers or {})
        headers.setdefault("Host", self.url.netloc)
        if "Content-Length" not in headers and (body or method in ("PUT", "POST")):
            headers["Content-Length"] = str(len(body))
        fresh = self.connection is None
        try:
            return self.send(method, target, headers, body)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self.close()
            # A kept connection may have been closed meanwhile; only what cannot change anything is sent again.
            if fresh or method not in ("GET", "HEAD"):
                raise
            return self.send(method, target, headers, body)
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def send(self, method, target, headers, body):
        if time.monotonic() - self.used > IDLE:
            self.close()
        self.used = time.monotonic()
        if self.connection is None:
            self.connection = self.connect()
            self.connection.connect()
            self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            self.connection.putheader(name, value.encode("utf-8") if isinstance(value, str) else value)
        self.connection.endheaders(body or None)
        response = self.connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        if response.will_close:
            self.close()
        return answer
