"""Faults by HTTP, for tests in other languages: one server for some proxies, by their number."""

import http.server
import json
import threading

from Remote.faults import Fault


class Control:
    """Serves from its making to `close`.

    `POST /N/fault` with the members of a `Fault` as JSON, `POST /N/clear`, `POST /N/release`, `GET /N/counts`; and
    `POST /server/NAME` for each of `deeds`.
    """

    def __init__(self, proxies, deeds=None):
        self.proxies, self.deeds = proxies, deeds or {}
        control = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body are two writes; the second would wait for the client's acknowledgement of the first.
            disable_nagle_algorithm = True

            def do_GET(self):  # noqa: N802
                self.respond(control.asked, b"")

            def do_POST(self):  # noqa: N802
                self.respond(control.told, self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def respond(self, work, body):
                try:
                    status, answer = 200, work(self.path.strip("/").split("/"), body)
                except (ValueError, TypeError, KeyError, IndexError) as error:
                    status, answer = 400, {"error": f"{type(error).__name__}: {error}"}
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                """What went well is nobody's news."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()

    def asked(self, path, _):
        number, what = path
        if what != "counts":
            raise ValueError(f"there is no {what} to be asked for")
        return self.proxies[int(number)].counts()

    def told(self, path, body):
        whom, what = path
        if whom == "server":
            self.deeds[what]()
            return {}
        proxy = self.proxies[int(whom)]
        if what == "fault":
            proxy.set(Fault(**json.loads(body)))
        elif what == "clear":
            proxy.clear()
        elif what == "release":
            proxy.release()
        else:
            raise ValueError(f"there is nothing named {what} to be done")
        return {}
