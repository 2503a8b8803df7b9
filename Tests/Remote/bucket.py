"""A bucket in memory, behind as much of S3 as the fault proxy's tests need."""

import datetime
import email.utils
import hashlib
import http.server
import re
import threading
import urllib.parse

from Remote import memory, messages, resigning


def in_chunks(body):
    pieces = [body[start : start + 7] for start in range(0, len(body), 7)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])


class Bucket:
    """Serves from its making to `close`. It knows every request that came, and refuses one signed for another time.

    With `chunks` it answers in chunks; `sent` counts the bytes of long objects that it could send.
    """

    def __init__(self):
        self.objects, self.requests, self.chunks, self.sent = {}, [], False, 0
        bucket = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body are two writes; the second would wait for the client's acknowledgement of the first.
            disable_nagle_algorithm = True

            def respond(self):
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length)
                if len(body) < length:
                    self.close_connection = True
                    return
                request = messages.Request(self.command, self.path, messages.Fields(self.headers.items()))
                bucket.requests.append((request, body))
                status, fields, answer = bucket.answer(request, body)
                self.send_response_only(status)
                for name, value in [("Date", email.utils.formatdate(usegmt=True)), *fields]:
                    self.send_header(name, value)
                if bucket.chunks and request.method == "GET":
                    self.send_header("Transfer-Encoding", "chunked")
                    answer = in_chunks(answer)
                elif status != 204:
                    self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                for start in range(0, len(answer) if request.method != "HEAD" else 0, 1 << 20):
                    self.wfile.write(answer[start : start + (1 << 20)])
                    # Of objects that are long; small ones are nobody's measure.
                    bucket.sent += 1 << 20 if len(answer) > 1 << 20 else 0

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = respond

            def log_message(self, *_):
                """Its requests are kept instead."""

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                """A connection that the proxy broke off is what is wanted here."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True)
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()

    def asked(self, operation):
        """How many requests of an operation came."""
        return sum(request.operation == operation for request, _ in self.requests)

    def answer(self, request, body):
        """Status, fields and body."""
        claimed = resigning.claimed_time(request)
        now = datetime.datetime.now(datetime.timezone.utc)
        if claimed and abs((now - claimed).total_seconds()) > 900:
            return 403, [], memory.error("RequestTimeTooSkewed")
        operation, key = request.operation, request.key
        if operation == "PutObject":
            self.objects[key] = body
            return 200, [("ETag", f'"{hashlib.md5(body).hexdigest()}"')], b""
        if operation == "DeleteObject":
            self.objects.pop(key, None)
            return 204, [], b""
        if operation == "ListObjectsV2":
            return 200, [], self.listing(request)
        if operation == "CompleteMultipartUpload":
            return 200, [], b"<CompleteMultipartUploadResult/>"
        if key not in self.objects:
            return 404, [], memory.error("NoSuchKey")
        whole = self.objects[key]
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", request.fields.get("range", ""))
        if not asked:
            return 200, [], whole
        part = whole[int(asked[1]) : int(asked[2]) + 1]
        return 206, [("Content-Range", f"bytes {asked[1]}-{int(asked[1]) + len(part) - 1}/{len(whole)}")], part

    def listing(self, request):
        prefix = request.query.get("prefix", "")
        entries = "".join(
            f"<Contents><Key>{urllib.parse.quote(key)}</Key><Size>{len(body)}</Size></Contents>"
            for key, body in sorted(self.objects.items())
            if key.startswith(prefix)
        )
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>".encode()
