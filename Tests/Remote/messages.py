"""HTTP/1.1 as far as a proxy on the loopback interface needs it: heads whole, bodies piece by piece."""

import asyncio
import collections.abc
import dataclasses
import urllib.parse

PIECE = 64 << 10
# What concerns one connection alone; whoever sends a message on says these anew. `expect` is answered at once.
OF_THE_CONNECTION = frozenset(
    ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "content-length", "te", "trailer"]
    + ["upgrade", "expect"]
)
REASONS = {200: "OK", 204: "No Content", 206: "Partial Content", 403: "Forbidden", 404: "Not Found"}
REASONS.update({416: "Range Not Satisfiable", 500: "Internal Server Error", 503: "Service Unavailable"})

OPERATIONS_OF_UPLOADS = {
    "PUT": "UploadPart",
    "POST": "CompleteMultipartUpload",
    "DELETE": "AbortMultipartUpload",
    "GET": "ListParts",
}
OPERATIONS_OF_OBJECTS = {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject"}


class Broken(Exception):
    """A peer that ended within a message, or sent what is none."""


class Fields(list):
    """Names and values in the order in which they came."""

    def get(self, name, default=None):
        return next((value for each, value in self if each.lower() == name), default)

    def set(self, name, value):
        self[:] = [each for each in self if each[0].lower() != name.lower()] + [(name, value)]

    def drop(self, names):
        self[:] = [each for each in self if each[0].lower() not in names]

    @property
    def is_chunked(self):
        return "chunked" in self.get("transfer-encoding", "").lower()

    @property
    def length(self):
        """What the message says of its length; None where it does not."""
        value = self.get("content-length")
        return None if value is None or self.is_chunked else int(value)

    @property
    def closes(self):
        return "close" in self.get("connection", "").lower()


@dataclasses.dataclass
class Request:
    method: str
    target: str
    fields: Fields

    def __post_init__(self):
        path, _, self.raw_query = self.target.partition("?")
        self.path = path
        self.query = dict(urllib.parse.parse_qsl(self.raw_query, keep_blank_values=True))
        self.bucket, _, self.key = urllib.parse.unquote(path.lstrip("/")).partition("/")

    @property
    def operation(self):
        """What S3 calls it."""
        if not self.key:
            return "ListObjectsV2" if self.method == "GET" and "list-type" in self.query else f"{self.method} bucket"
        if "uploads" in self.query:
            return "CreateMultipartUpload"
        if "uploadId" in self.query:
            return OPERATIONS_OF_UPLOADS.get(self.method, self.method)
        return OPERATIONS_OF_OBJECTS.get(self.method, self.method)

    @property
    def subject(self):
        """The key; of a listing its prefix."""
        return self.key or self.query.get("prefix", "")

    @property
    def has_body(self):
        return self.fields.is_chunked or bool(self.fields.length)

    def head(self):
        """As it is sent on: `Host` and all that is signed as it came."""
        fields = Fields(self.fields)
        fields.drop(OF_THE_CONNECTION)
        if self.fields.is_chunked:
            fields.append(("Transfer-Encoding", "chunked"))
        elif self.fields.length is not None:
            fields.append(("Content-Length", str(self.fields.length)))
        return _head(f"{self.method} {self.target} HTTP/1.1", fields)


@dataclasses.dataclass
class Answer:
    status: int
    reason: str
    fields: Fields
    # Pieces, as they come.
    body: collections.abc.AsyncIterator
    # The bytes that the body has; None where that is not known.
    length: int | None
    # What the answer says of its length; None for chunks.
    announced: int | None
    # An answer of which no body is sent, whatever it says of its length: to HEAD, and 204.
    is_bare: bool = False
    # Whether the connection ends with it.
    closes: bool = False

    def head(self):
        fields = Fields(self.fields)
        fields.drop(OF_THE_CONNECTION)
        if self.announced is not None:
            fields.append(("Content-Length", str(self.announced)))
        elif not self.is_bare:
            fields.append(("Transfer-Encoding", "chunked"))
        if self.closes:
            fields.append(("Connection", "close"))
        return _head(f"HTTP/1.1 {self.status} {self.reason}", fields)

    async def whole(self, limit=4 << 20):
        """All bytes of the body; None where it has more than the limit."""
        pieces, count = [], 0
        async for piece in self.body:
            pieces.append(piece)
            count += len(piece)
            if count > limit:
                return None
        return b"".join(pieces)

    def replace_body(self, body):
        self.body, self.length, self.announced = pieces_of(body), len(body), len(body)


def made_up(status, body=b"", *fields, method="GET"):
    """An answer of the proxy's own."""
    answer = Answer(status, REASONS.get(status, "Unknown"), Fields(fields), pieces_of(body), len(body), len(body))
    answer.is_bare = method == "HEAD" or status == 204
    if status == 204:
        answer.announced = None
    return answer


async def pieces_of(body):
    for start in range(0, len(body), PIECE):
        yield body[start : start + PIECE]


def _head(line, fields):
    return "\r\n".join([line, *(f"{name}: {value}" for name, value in fields), "", ""]).encode("latin-1")


async def _lines(reader):
    """The lines of a head; None where the connection ends before one."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise Broken("a head without its end") from error
        return None
    except (asyncio.LimitOverrunError, ConnectionError) as error:
        raise Broken(str(error)) from error
    return head.decode("latin-1").split("\r\n")[:-2]


def _fields(lines):
    split = [line.partition(":") for line in lines]
    return Fields((name, value.strip()) for name, _, value in split)


async def read_request(reader):
    """The next request's head; None where the client wants no more."""
    lines = await _lines(reader)
    if lines is None:
        return None
    words = lines[0].split(" ")
    if len(words) != 3:
        raise Broken(f"no request: {lines[0]}")
    return Request(words[0], words[1], _fields(lines[1:]))


async def read_answer(reader, method):
    """The next answer that is not an interim one, with a body that is still to be read."""
    while True:
        lines = await _lines(reader)
        if lines is None:
            raise Broken("no answer")
        _, status, reason = (lines[0] + "  ").split(" ", 2)
        if not status.startswith("1"):
            break
    fields = _fields(lines[1:])
    is_bare = method == "HEAD" or status in ("204", "304")
    length = 0 if is_bare else fields.length
    body = pieces_of(b"") if is_bare else read_body(reader, fields, to_the_end=True)
    answer = Answer(int(status), reason.strip(), fields, body, length, fields.length, is_bare)
    answer.closes = fields.closes
    return answer


async def read_body(reader, fields, to_the_end=False):
    """Pieces of a body.

    :param to_the_end: whether a body of which nothing is said goes on until the connection ends
    """
    if fields.is_chunked:
        while size := int((await reader.readline()).partition(b";")[0] or b"0", 16):
            async for piece in _exactly(reader, size):
                yield piece
            await reader.readline()
        while (await reader.readline()).strip():
            pass
    elif fields.length is not None:
        async for piece in _exactly(reader, fields.length):
            yield piece
    elif to_the_end:
        while piece := await reader.read(PIECE):
            yield piece


async def _exactly(reader, count):
    while count:
        piece = await reader.read(min(PIECE, count))
        if not piece:
            raise Broken(f"{count} bytes of a body are missing")
        count -= len(piece)
        yield piece


async def write_body(writer, body, is_chunked):
    """Sends pieces no faster than they are taken."""
    async for piece in body:
        if piece:
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece)
            await writer.drain()
    if is_chunked:
        writer.write(b"0\r\n\r\n")
    await writer.drain()
