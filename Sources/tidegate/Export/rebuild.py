#!/usr/bin/env python3
"""Rebuilds objects from their shards without Tidegate, by what `tidegate export-manifest` wrote.

Python 3.8 is all that it takes. The page Formats of Tidegate says what a manifest and a shard look like. Nothing of a
shard is believed but what its checksums vouch for, and nothing gets the name of an object that was not rebuilt whole.
"""
import argparse
import datetime
import errno
import functools
import hashlib
import hmac
import http.client
import json
import os
import re
import ssl
import struct
import sys
import tempfile
import zlib
from urllib.parse import quote, urlsplit

try:
    import lzma
except ImportError:  # Some builds of Python have none: checksums are then computed a byte at a time.
    lzma = None


class Lost(Exception):
    """An object, or a shard of one, that cannot be had. The text says why."""


# Checksums: CRC-64/XZ. The .xz format has it too, and a stream of chunks that are stored as they are costs no
# compression: so liblzma compares the checksum, a hundred times as fast as Python could.
def with_crc32(data):
    return data + struct.pack("<I", zlib.crc32(data))


XZ_HEAD = b"\xfd7zXZ\0" + with_crc32(b"\0\4") + with_crc32(bytes([2, 0, 33, 1, 0, 0, 0, 0]))


@functools.lru_cache(None)
def crc64_step(byte):
    for _ in range(8):
        byte = byte >> 1 ^ (0xC96C5795D7870F42 if byte & 1 else 0)
    return byte


def has_checksum(data, checksum):
    if lzma is None:
        crc = 2**64 - 1
        for byte in data:
            crc = crc64_step((crc ^ byte) & 255) ^ crc >> 8
        return crc ^ (2**64 - 1) == checksum
    chunks = [data[at : at + 65536] for at in range(0, len(data), 65536)]
    packed = b"\1" + b"\2".join(struct.pack(">H", len(chunk) - 1) + chunk for chunk in chunks) + b"\0"
    try:
        stream = XZ_HEAD + packed + bytes(-len(packed) % 4) + struct.pack("<Q", checksum)
        return len(lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(stream)) == len(data)
    except lzma.LZMAError:
        return False


# Reed–Solomon over GF(2^8) with the polynomial 0x11d and a Cauchy matrix.
EXP = [1]
while len(EXP) < 255:
    EXP.append(EXP[-1] << 1 ^ (0x11D if EXP[-1] & 128 else 0))
LOG = {value: power for power, value in enumerate(EXP)}


def times(a, b):
    return EXP[(LOG[a] + LOG[b]) % 255] if a and b else 0


def inverse(a):
    return EXP[-LOG[a] % 255]


@functools.lru_cache(None)
def products(factor):
    return bytes(times(factor, value) for value in range(256))


@functools.lru_cache(4096)
def solution(k, present):
    """The matrix that gives the data cells from those of k present shards (Gauss and Jordan)."""
    rows = []
    for at, shard in enumerate(present):
        row = [int(column == shard) if shard < k else inverse(shard ^ column) for column in range(k)]
        rows.append((row if k > 1 else [1]) + [int(column == at) for column in range(k)])
    for column in range(k):
        pivot = next(at for at in range(column, k) if rows[at][column])
        rows[column], rows[pivot] = rows[pivot], rows[column]
        scale = inverse(rows[column][column])
        rows[column] = [times(scale, value) for value in rows[column]]
        for at in range(k):
            factor = rows[at][column] if at != column else 0
            rows[at] = [value ^ times(factor, other) for value, other in zip(rows[at], rows[column])]
    return [row[k:] for row in rows]


def decoded(k, cells):
    """The data of a stripe, from the cells of any k shards, by shard."""
    present, found = tuple(sorted(cells)[:k]), [cells.get(shard) for shard in range(k)]
    for wanted in (shard for shard in range(k) if found[shard] is None):
        total = 0
        for factor, shard in zip(solution(k, present)[wanted], present):
            total ^= int.from_bytes(cells[shard].translate(products(factor)), "little") if factor else 0
        found[wanted] = total.to_bytes(len(cells[present[0]]), "little")
    return b"".join(found)


class Directory:
    """A directory store, or a folder with what a bucket holds below its prefix."""

    def __init__(self, path):
        self.path, self.packed = path, None

    def read(self, name, offset, length):
        for place in (f"files/{name[:23]}/{name}", f"blobs/{name}"):
            if os.path.isfile(os.path.join(self.path, place)):
                return self.slice(os.path.join(self.path, place), offset, length)
        if self.packed is None:
            self.packed = dict(self.slots())
        raw = bytes.fromhex(name)
        high, low = raw[0] << 32 | int.from_bytes(raw[1:5], "big"), int.from_bytes(raw[13:17], "big") << 17
        slot = struct.pack(">Q8sQ", high, raw[5:13], low | 1 << 16 | raw[17] << 8 | raw[18])
        if slot not in self.packed:
            raise Lost("it is not there")
        path, start, size = self.packed[slot]
        return self.slice(path, start + offset, max(0, min(length, size - offset)))

    @staticmethod
    def slice(path, offset, length):
        with open(path, "rb") as file:
            file.seek(offset)
            return file.read(length)

    def slots(self):
        """The small blobs, which share files: where each one is. Of two of one name the later one counts."""
        folder = os.path.join(self.path, "segments")
        for path in sorted(os.listdir(folder) if os.path.isdir(folder) else []):
            path = os.path.join(folder, path)
            with open(path, "rb") as file:
                magic, count = struct.unpack(">4s8xI48x", file.read(64).ljust(64, b"\0"))
                slots = file.read(64 * (min(count, 1 << 20) - 1)) if magic == b"TGSH" and count else b""
            for magic, name, start, size, state in struct.iter_unpack(">4s20x24sII4x4s", slots[: len(slots) & -64]):
                if magic == b"TGSG" and state != b"dead":
                    yield name, (path, start, size)


class Bucket:
    """A bucket of an S3 service, read by GETs that are signed with signature version 4."""

    def __init__(self, store, keys):
        self.store, self.keys, self.connection, self.failures = store, keys, None, 0
        url, bucket = urlsplit(store["url"]), store["bucket"]
        if url.scheme not in ("http", "https") or not all(keys[:2]):
            raise Lost(f"{store['url']}: a URL with http or https is wanted, and credentials")
        self.is_plain, is_path = url.scheme == "http", store["addressing"] == "path"
        self.host, self.folder = (url.netloc, f"/{bucket}/") if is_path else (f"{bucket}.{url.netloc}", "/")

    def read(self, name, offset, length):
        if self.failures > 2:
            raise Lost(f"{self.host} does not answer")
        path = quote(f"{self.folder}{self.store['prefix']}blobs/{name}", safe="/~")
        # A connection that was kept may have been closed meanwhile: then once more, over a new one.
        for is_last in (self.connection is None, True):
            try:
                self.connection = self.connection or self.connect()
                wanted = f"bytes={offset}-{offset + length - 1}"
                self.connection.request("GET", path, headers=self.headers(path, wanted))
                answer = self.connection.getresponse()
                body, self.failures = answer.read(length), 0
                if not answer.isclosed():
                    self.connection = self.connection.close()
                break
            except (OSError, http.client.HTTPException) as error:
                self.connection = self.connection and self.connection.close()
                if is_last:
                    self.failures += 1
                    raise Lost(f"{self.host}: {error or type(error).__name__}") from None
        # Some services say 200 where they give a range.
        if answer.status // 100 != 2 or not answer.headers.get("content-range", "").startswith(f"bytes {offset}-"):
            raise Lost("it is not there" if answer.status == 404 else f"{self.host} answered {answer.status}")
        return body

    def connect(self):
        if self.is_plain:
            return http.client.HTTPConnection(self.host, timeout=30)
        context = ssl.create_default_context(cadata=self.store.get("authorities"))
        return http.client.HTTPSConnection(self.host, timeout=30, context=context)

    def headers(self, path, wanted):
        access, secret, token = self.keys
        time = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        empty = hashlib.sha256().hexdigest()
        signed = {"host": self.host, "x-amz-content-sha256": empty, "x-amz-date": time}
        signed.update({"x-amz-security-token": token} if token else {})
        names, fields = ";".join(signed), "".join(f"{name}:{value}\n" for name, value in signed.items())
        digest = hashlib.sha256(f"GET\n{path}\n\n{fields}\n{names}\n{empty}".encode()).hexdigest()
        scope, key = [time[:8], self.store["region"], "s3", "aws4_request"], b"AWS4" + secret.encode()
        for text in [*scope, f"AWS4-HMAC-SHA256\n{time}\n{'/'.join(scope)}\n{digest}"]:
            key = hmac.new(key, text.encode(), "sha256").digest()
        credential = f"AWS4-HMAC-SHA256 Credential={access}/{'/'.join(scope)}, SignedHeaders={names}"
        return {**signed, "range": wanted, "authorization": f"{credential}, Signature={key.hex()}"}


class Manifest:
    def __init__(self, path, fetched, credentials):
        self.fetched, self.credentials, self.open, self.faults = fetched, credentials, {}, set()
        self.lines = open(path, "rb")
        self.head = json.loads(next(self.lines))
        if self.head.get("format") != "tidegate-manifest" or self.head.get("version") != 1:
            raise Lost(f"{path} is no manifest of version 1")
        self.stores = {store["position"]: store for store in self.head["stores"]}

    def store(self, position):
        if position not in self.open:
            store = self.stores[position]
            copies = [os.path.join(self.fetched or "", name) for name in (store.get("name", ""), str(position)) if name]
            copy = next((each for each in copies if self.fetched and os.path.isdir(each)), None)
            if copy or store["kind"] == "directory":
                self.open[position] = Directory(copy or store["directory"])
            else:
                self.open[position] = Bucket(store, self.credentials(store["name"]))
        return self.open[position]

    def pieces(self, segment):
        """The bytes of a segment, some stripes at a time."""
        k, size, total = segment["dataShards"], segment["cellSize"], segment["blobLength"]
        start, end = segment["offset"], segment["offset"] + segment["length"]
        if not (0 < k <= 32 and 0 < size <= 4 << 20 and 0 <= start <= end <= total <= 1 << 52):
            raise ValueError("a geometry or length that cannot be")
        width, at_once = k * size, max(1, (4 << 20) // size)
        for begin in range(start // width, -(-end // width), at_once):
            sizes = {}
            for stripe in range(begin, min(-(-end // width), begin + at_once)):
                share = -(-min(width, total - stripe * width) // k)
                sizes[stripe] = min(size, -(-share // 64) * 64)
            held = self.gather(segment, k, 72 + begin * (size + 8), sizes)
            for stripe in sizes:
                yield decoded(k, held[stripe])[max(0, start - stripe * width) : min(width, end - stripe * width)]

    def gather(self, segment, k, offset, sizes):
        """For each stripe the sound cells of k shards, read at an offset of each shard."""
        held, faults, blob = {stripe: {} for stripe in sizes}, [], bytes.fromhex(segment["blob"])
        for shard in segment["shards"]:
            index, name = shard["index"], (shard.get("key") or shard["path"]).rpartition("/")[2]
            if all(len(cells) >= k for cells in held.values()):
                break
            if not re.fullmatch(f"{segment['blob']}{index:02x}[0-9a-f]{{2}}", name) or len(blob) != 17:
                raise ValueError(f"{name} is no shard of this blob")
            try:
                block, at = self.store(shard["store"]).read(name, offset, sum(sizes.values()) + 8 * len(sizes)), 0
            except (Lost, OSError) as error:
                faults.append(f"{self.what(shard)}: {error}")
                continue
            seed, sound = bytes.fromhex(self.head["deployment"]) + blob + bytes([index]), 0
            for stripe, size in sizes.items():
                cell, checksum = block[at : at + size], block[at + size : at + size + 8]
                at += size + 8
                guarded = seed + struct.pack(">Q", stripe) + cell
                if len(checksum) == 8 and has_checksum(guarded, int.from_bytes(checksum, "big")):
                    held[stripe][index], sound = cell, sound + 1
            if sound < len(sizes):
                faults.append(f"{self.what(shard)}: it is damaged")
        if any(len(cells) < k for cells in held.values()):
            raise Lost("; ".join(faults + [f"{k} of the {len(segment['shards'])} shards that are known are wanted"]))
        self.faults.update(faults)
        return held

    def what(self, shard):
        store = self.stores[shard["store"]]
        return f"shard {shard['index']} on store {shard['store']} ({store.get('name') or store.get('directory')})"

    def rebuild(self, line, output):
        """Writes an object to a file, which takes its name only when size and ETag are right."""
        size, etag = line["size"], line["etag"]
        for adopted in (segment["adopted"] for segment in line["segments"] if "adopted" in segment):
            raise Lost(f"it was adopted and is where it was: {adopted['url']}/{adopted['bucket']}, {adopted['key']!r}")
        # Of an adopted object that was uploaded in parts nobody knows which.
        has_parts, is_known = "-" in etag and line.get("parts"), "-" not in etag or line.get("parts")
        sizes = [part["size"] for part in line["parts"]] if has_parts else [size]
        if sum(sizes) != size or min(sizes) < 0 or sum(segment["length"] for segment in line["segments"]) != size:
            raise ValueError("lengths that do not fit one another")
        digests, number, left = [hashlib.md5() for _ in sizes], 0, sizes[0]
        with tempfile.NamedTemporaryFile(dir=os.path.dirname(output) or ".", prefix="%", delete=False) as file:
            try:
                for segment in line["segments"]:
                    for data in self.pieces(segment):
                        file.write(data)
                        while data:
                            while left == 0:
                                number, left = number + 1, sizes[number + 1]
                            piece, data = data[:left], data[left:]
                            digests[number].update(piece)
                            left -= len(piece)
                found = digests[0].hexdigest()
                if has_parts:
                    found = hashlib.md5(b"".join(each.digest() for each in digests)).hexdigest() + f"-{len(sizes)}"
                if is_known and found != etag:
                    raise Lost(f"what the shards give has the ETag {found}, not {etag}")
                file.flush()
                os.fsync(file.fileno())
                os.replace(file.name, output)
            except BaseException:
                os.unlink(file.name)
                raise
        return size


MALFORMED = (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError, OverflowError, struct.error)


def place(folder, line, with_versions):
    """Where an object goes below a folder: its key, in which whatever a path could misunderstand is escaped."""

    def safe(part):
        escaped = re.sub(r"[%\\\x00-\x1f\x7f]", lambda found: f"%{ord(found[0]):02X}", part)
        return {"": "%2F", ".": "%2E", "..": "%2E%2E"}.get(escaped, escaped)

    bucket = os.path.join(folder, safe(line["bucket"].replace("/", "%")))
    names = [safe(part) for part in line["key"].split("/")]
    if with_versions:
        names += [safe(line["versionId"].replace("/", "%"))]
    path = os.path.join(bucket, *names)
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        if os.path.isdir(path) or max(len(os.fsencode(name)) for name in names) > 255:
            raise IsADirectoryError(errno.EISDIR, path)
    except OSError as error:
        # A file cannot be a folder too, nor have a name of any length, as keys may.
        if error.errno not in (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG):
            raise
        path = os.path.join(bucket, "%" + hashlib.sha256("/".join(names).encode()).hexdigest())
    return path


def keys(files, name):
    """The credentials of a backend: from its file, in the form of `tidegate backend attach`, or the environment."""
    if name not in files:
        return [os.environ.get(f"AWS_{key}") for key in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")]
    with open(files[name], encoding="utf-8") as file:
        fields = dict(line.strip().split(": ", 1) for line in file if line.strip())
    return [fields.get(key) for key in ("access-key", "secret-key", "session-token")]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--manifest", required=True, help="what `tidegate export-manifest` wrote")
    parser.add_argument("--bucket", help="the bucket of the object, or the only one of --all")
    parser.add_argument("--key", help="the object")
    parser.add_argument("--version", help="one version of it, rather than the current one")
    parser.add_argument("--output", help="the file that it is written to")
    parser.add_argument("--all", metavar="DIR", help="rebuild every current object, below a folder, as BUCKET/KEY")
    parser.add_argument("--prefix", default="", help="of --all, only keys that begin so")
    parser.add_argument("--versions", action="store_true", help="of --all, every version, as BUCKET/KEY/VERSION")
    parser.add_argument("--fetched", metavar="DIR", help="stores, or copies of them, as DIR/NAME or DIR/POSITION")
    parser.add_argument("--credentials", metavar="NAME=FILE", action="append", default=[], help="of one backend")
    options = parser.parse_args()
    if bool(options.all) == bool(options.bucket and options.key and options.output):
        parser.error("give --bucket, --key and --output, or --all")

    def wanted(line):
        if line["deleteMarker"] or options.bucket not in (None, line["bucket"]):
            return False
        if options.all:
            return line["key"].startswith(options.prefix) and (options.versions or line["current"])
        is_version = line["current"] if options.version is None else line["versionId"] == options.version
        return line["key"] == options.key and is_version

    files = dict(each.split("=", 1) for each in options.credentials)
    manifest = Manifest(options.manifest, options.fetched, functools.partial(keys, files))
    rebuilt = size = lost = 0
    for line in filter(wanted, map(json.loads, manifest.lines)):
        manifest.faults.clear()
        try:
            output = place(options.all, line, options.versions) if options.all else options.output
            size, rebuilt = size + manifest.rebuild(line, output), rebuilt + 1
        except (Lost, OSError, *MALFORMED) as error:
            lost += 1
            manifest.faults.add(f"LOST: {error or type(error).__name__}")
        for fault in sorted(manifest.faults):
            print(f"{line['bucket']}/{line['key']!r} ({line['versionId']}): {fault}", file=sys.stderr)
    print(f"{rebuilt} rebuilt, {size} bytes; {lost} lost")
    return 1 if lost or not (rebuilt or options.all) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Lost, OSError, StopIteration, *MALFORMED) as error:
        sys.exit(f"{type(error).__name__}: {error}")
