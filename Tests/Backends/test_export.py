"""Leaving without us: objects are rebuilt from a manifest and what is left of the shards, with Python alone."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys

import pytest

from Backends import cluster
from Harness import endpoints, gateway, samples

MIB = samples.MIB
# What the program may use: this Python without any installed package, and the credentials of the buckets.
PYTHON = [os.path.realpath(sys.executable), "-I", "-S"]
KEYS = {"AWS_ACCESS_KEY_ID": cluster.servers.ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": cluster.SECRET_KEY}
# Keys that no folder may take literally: out of it, the same twice, a file that is a folder too, a name too long.
ODD = ["../../outside", "/absolute", "a//b", "a", "a/b", "folder/", "tab\tkey", "percent%2F", "x" * 900, *samples.KEYS]


class Left:
    """What a deployment left behind: its stores, a manifest, the program, and what the objects were."""

    def __init__(self, made):
        self.cluster, self.folder = made, made.folder
        self.program, self.manifest = self.folder / "rebuild.py", self.folder / "manifest"
        self.versions = {}
        self.s3 = endpoints.connect(made.gateway.access)

    def put(self, bucket, key, content, **options):
        answer = self.s3.put_object(Bucket=bucket, Key=key, Body=content, **options)
        self.versions[bucket, key, answer.get("VersionId", "null")] = content

    def put_parts(self, bucket, key, parts, **options):
        upload = self.s3.create_multipart_upload(Bucket=bucket, Key=key, **options)["UploadId"]
        where, tags = {"Bucket": bucket, "Key": key, "UploadId": upload}, []
        for number, part in enumerate(parts, 1):
            etag = self.s3.upload_part(**where, PartNumber=number, Body=part)["ETag"]
            tags.append({"PartNumber": number, "ETag": etag})
        self.s3.complete_multipart_upload(**where, MultipartUpload={"Parts": tags})
        self.versions[bucket, key, "null"] = b"".join(parts)

    def fill(self):
        self.s3.create_bucket(Bucket="plain")
        self.s3.create_bucket(Bucket="versioned")
        self.s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
        for key in ODD:
            self.put("plain", key, key.encode())
        for size in [0, 1, 4096, 150_000, MIB, 20 * MIB]:
            self.put("plain", f"sizes/{size}", samples.data(size))
        self.put_parts("plain", "parts", [samples.data(5 * MIB, 1), b"the last"])
        self.put(
            "plain",
            "told",
            b"of",
            ContentType="text/x-test",
            CacheControl="no-cache",
            Metadata={"colour": "blue"},
            Tagging="team=a%20b&size=1",
        )
        for number in range(3):
            self.put("versioned", "object", samples.data(300_000, number))
        self.put("versioned", "gone", b"still there as a version")
        self.s3.delete_object(Bucket="versioned", Key="gone")

    def export(self, *options, **how):
        return self.cluster.tool("export-manifest", "--output", self.manifest, *options, **how)

    def lines(self):
        with open(self.manifest, "rb") as file:
            return [json.loads(line) for line in file]

    def rebuild(self, *options, manifest=None, keys=None, before=()):
        command = [*PYTHON, *before, self.program, "--manifest", manifest or self.manifest, *map(str, options)]
        environment = {**(KEYS if keys is None else keys), "PYTHONUTF8": "1"}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)

    def altered(self, alter):
        """A manifest of which something was changed."""
        lines = self.lines()
        alter(lines)
        path = self.folder / "altered"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return path

    def without(self, *backends):
        """The manifest, as if the servers of these backends were gone: nobody listens where they were."""

        def alter(lines):
            for store in lines[0]["stores"]:
                if store.get("name") in backends:
                    store["url"] = f"http://127.0.0.1:{gateway.free_ports(1)[0]}"

        return self.altered(alter)

    @contextlib.contextmanager
    def away(self, *numbers):
        """Directories that are not there for a while."""
        folders = [self.folder / f"directory-{number}" for number in numbers]
        for folder in folders:
            folder.rename(folder.with_suffix(".away"))
        try:
            yield
        finally:
            for folder in folders:
                folder.with_suffix(".away").rename(folder)

    def check(self, result, folder, lost=""):
        assert result.returncode == 0 and lost in result.stderr, result.stderr[-2000:]
        assert f"{len(self.versions)} rebuilt" in result.stdout
        contents = sorted(path.read_bytes() for path in folder.rglob("*") if path.is_file())
        assert contents == sorted(self.versions.values())


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """Objects over two rclones, a SeaweedFS and three directories; the gateway has ended for good."""
    with contextlib.ExitStack() as stack:
        # One shard a store, though three of the stores are on one host.
        made = cluster.Cluster(
            tmp_path_factory.mktemp("left"),
            stack,
            kinds=("rclone", "rclone", "seaweedfs"),
            directories=3,
            config={"pool": {"spread": "store"}},
        )
        made.attach_all()
        made.gateway.start()
        left = Left(made)
        left.fill()
        left.export()
        live = left.lines()
        made.stop()
        left.export("--script", left.program)
        assert left.lines()[1:] == live[1:], "a running gateway's manifest is another one"
        made.gateway.data.rename(made.gateway.data.with_suffix(".away"))
        yield left
        # SeaweedFS takes its time to end, and nobody needs it any more.
        made.backends[2].signal(signal.SIGKILL)


def test_the_manifest_tells_everything_and_no_secret(left):
    head, *lines = left.lines()
    assert (head["format"], head["version"], len(head["stores"])) == ("tidegate-manifest", 1, 6)
    assert left.manifest.stat().st_mode & 0o777 == 0o600
    assert cluster.SECRET_KEY.encode() not in left.manifest.read_bytes()
    assert cluster.servers.ACCESS_KEY.encode() not in left.manifest.read_bytes()
    told = {(line["bucket"], line["key"], line["versionId"]): line for line in lines if not line["deleteMarker"]}
    assert {name: line["size"] for name, line in told.items()} == {k: len(v) for k, v in left.versions.items()}
    markers = [line for line in lines if line["deleteMarker"]]
    assert [(line["key"], line["current"]) for line in markers] == [("gone", True)]
    line = told["plain", "told", "null"]
    assert line["headers"] == {"content-type": "text/x-test", "cache-control": "no-cache"}
    assert line["metadata"] == {"colour": "blue"} and line["tags"] == {"team": "a b", "size": "1"}
    assert [part["size"] for part in told["plain", "parts", "null"]["parts"]] == [5 * MIB, 8]
    current = [line["current"] for line in told.values() if line["key"] == "object"]
    assert sorted(current) == [False, False, True]


def test_every_version_is_rebuilt_while_two_stores_are_gone(left, tmp_path):
    with left.away(0):
        result = left.rebuild("--all", tmp_path / "all", "--versions", manifest=left.without("rclone-0"))
    left.check(result, tmp_path / "all", lost="Connection refused")
    assert list(tmp_path.iterdir()) == [tmp_path / "all"], "something was written beside the folder"


def test_one_object_and_one_version(left, tmp_path):
    output = tmp_path / "object"
    for (bucket, key, version), content in left.versions.items():
        if bucket == "versioned":
            options = ["--bucket", bucket, "--key", key, "--version", version, "--output", output]
            assert left.rebuild(*options).returncode == 0
            assert output.read_bytes() == content
    newest = list(left.versions)[-2]
    assert left.rebuild("--bucket", "versioned", "--key", "object", "--output", output).returncode == 0
    assert output.read_bytes() == left.versions[newest]
    output.unlink()
    # What is deleted, or never was, is not there.
    for key in ("gone", "never"):
        assert left.rebuild("--bucket", "versioned", "--key", key, "--output", output).returncode == 1
    assert not output.exists()


def test_a_selection_of_objects(left, tmp_path):
    result = left.rebuild("--all", tmp_path, "--bucket", "plain", "--prefix", "sizes/")
    assert result.returncode == 0 and "6 rebuilt" in result.stdout, result.stderr
    assert (tmp_path / "plain/sizes/4096").read_bytes() == samples.data(4096)
    # Current objects alone: also those whose keys are a file and a folder at once, or too long for a file.
    result = left.rebuild("--all", tmp_path / "all")
    current = [line for line in left.lines()[1:] if line["current"] and not line["deleteMarker"]]
    assert result.returncode == 0 and f"{len(current)} rebuilt" in result.stdout, result.stderr
    written = sorted(path.read_bytes() for path in cluster.files(tmp_path / "all"))
    assert written == sorted(left.versions[line["bucket"], line["key"], line["versionId"]] for line in current)


def test_damage_is_passed_over(left, tmp_path):
    """Two stores of six give damaged shards: files with a bit turned, small ones too."""
    copies = tmp_path / "copies"
    for number, store in enumerate(store for store in left.lines()[0]["stores"] if store["kind"] == "directory"):
        copy = copies / str(store["position"])
        shutil.copytree(store["directory"], copy)
        if number < 2:
            for path in cluster.files(copy / "files"):
                damaged = bytearray(path.read_bytes())
                damaged[100] ^= 1
                path.write_bytes(damaged)
            for path in cluster.files(copy / "segments"):
                # Behind the slots, which are a sixteenth of the file.
                content = path.read_bytes()
                path.write_bytes(content[: 1 << 20] + content[1 << 20 :].translate(bytes(range(256))[::-1]))
    result = left.rebuild("--all", tmp_path / "all", "--versions", "--fetched", copies)
    left.check(result, tmp_path / "all", lost="it is damaged")


def test_what_an_operator_fetched_is_read_instead(left, tmp_path):
    """Buckets that were fetched by another tool, under the names of their backends: nobody is asked."""
    for backend in left.cluster.backends:
        (tmp_path / backend.name / "blobs").mkdir(parents=True)
        client = endpoints.connect(gateway.Endpoint(backend.url, *KEYS.values(), None))
        for key in cluster.objects(backend, "blobs/"):
            client.download_file(cluster.servers.BUCKET, key, str(tmp_path / backend.name / key))
    gone = left.without(*(backend.name for backend in left.cluster.backends))
    with left.away(1, 2):
        result = left.rebuild("--all", tmp_path / "all", "--versions", "--fetched", tmp_path, manifest=gone, keys={})
    left.check(result, tmp_path / "all")


def test_with_three_lost_it_says_which_and_writes_nothing(left, tmp_path):
    output = tmp_path / "object"
    options = ["--bucket", "plain", "--key", f"sizes/{MIB}", "--output", output]
    with left.away(0, 2):
        result = left.rebuild(*options, manifest=left.without("seaweedfs-2"))
    assert result.returncode == 1 and list(tmp_path.iterdir()) == []
    for place in (f"{left.folder}/directory-0", f"{left.folder}/directory-2", "seaweedfs-2"):
        assert f"({place})" in result.stderr, result.stderr
    assert "4 of the 6 shards that are known are wanted" in result.stderr
    assert left.rebuild(*options).returncode == 0 and output.read_bytes() == samples.data(MIB)


def test_credentials_come_from_files_too(left, tmp_path):
    files = [f"--credentials={backend.name}={left.cluster.credentials}" for backend in left.cluster.backends]
    options = ["--bucket", "plain", "--key", f"sizes/{MIB}", "--output", tmp_path / "object"]
    assert left.rebuild(*options, *files, keys={}).returncode == 0
    # Without any, four of the six stores would be wanted, and three are directories.
    result = left.rebuild(*options, keys={})
    assert result.returncode == 1 and "credentials" in result.stderr


def test_a_bucket_behind_tls_is_trusted_as_its_store_says(left, tls, tmp_path):
    options = ["--bucket", "plain", "--key", f"sizes/{MIB}", "--output", tmp_path / "object"]
    with cluster.servers.front(tmp_path / "nginx", left.cluster.backends[2].side, tls) as front, left.away(0, 1):
        for authorities, code in [(tls.ca.read_text(), 0), (None, 1)]:

            def alter(lines):
                store = next(each for each in lines[0]["stores"] if each.get("name") == "seaweedfs-2")
                store.update(url=f"https://127.0.0.1:{front.port}", authorities=authorities)

            result = left.rebuild(*options, manifest=left.altered(alter))
            assert result.returncode == code, result.stderr
    assert "CERTIFICATE_VERIFY_FAILED" in result.stderr
    assert (tmp_path / "object").read_bytes() == samples.data(MIB)


def test_a_python_without_lzma_will_do(left, tmp_path):
    (tmp_path / "run.py").write_text(
        "import runpy, sys\nsys.modules['lzma'] = None\nsys.argv.pop(0)\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    options = ["--bucket", "plain", "--key", "sizes/150000", "--output", tmp_path / "object"]
    with left.away(0, 1):
        result = left.rebuild(*options, before=[tmp_path / "run.py"])
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "object").read_bytes() == samples.data(150_000)


HOSTILE = {
    "a shard out of its store": lambda lines: each_shard(lines, "path", "../../../etc/passwd"),
    "a shard of another blob": lambda lines: each_shard(lines, "path", "files/x/" + "0" * 38),
    "a bucket out of the folder": lambda lines: [line.update(bucket="../../out") for line in lines[1:]],
    "a version out of the folder": lambda lines: [line.update(versionId="../../../../out") for line in lines[1:]],
    "a URL of a file": lambda lines: [store.update(url="file:///etc") for store in lines[0]["stores"]],
    "a header in a region": lambda lines: [store.update(region="a\r\nx-a: b") for store in lines[0]["stores"]],
    "a store that is not there": lambda lines: each_shard(lines, "store", 99),
    "no data shards": lambda lines: each_segment(lines, "dataShards", 0),
    "a cell of many bytes": lambda lines: each_segment(lines, "cellSize", 1 << 60),
    "a long blob": lambda lines: each_segment(lines, "length", 1 << 60),
    "a negative offset": lambda lines: each_segment(lines, "offset", -1),
    "segments that are none": lambda lines: [line.update(segments=[7]) for line in lines[1:]],
    "a part of less than nothing": lambda lines: [
        line.update(etag=line["etag"] + "-2", parts=[{"size": -5}, {"size": line["size"] + 5}]) for line in lines[1:]
    ],
    "more segments than bytes": lambda lines: [line["segments"].extend(line["segments"]) for line in lines[1:]],
    "another size": lambda lines: [line.update(size=7) for line in lines[1:]],
    "another ETag": lambda lines: [line.update(etag="0" * 32) for line in lines[1:]],
    "another format": lambda lines: lines[0].update(version=2),
}


def each_segment(lines, name, value):
    for line in lines[1:]:
        for segment in line["segments"]:
            segment[name] = value


def each_shard(lines, name, value):
    for line in lines[1:]:
        for segment in line["segments"]:
            for shard in segment["shards"]:
                shard.pop("key", None)
                shard[name] = value


@pytest.mark.parametrize("how", HOSTILE)
def test_a_hostile_manifest_writes_nothing_outside(left, tmp_path, how):
    folder = tmp_path / "deep/er/all"

    def alter(lines):
        # An object that cannot be rebuilt from the directories alone.
        lines[1:] = [line for line in lines[1:] if line["size"] == MIB]
        HOSTILE[how](lines)

    result = left.rebuild("--all", folder, "--versions", manifest=left.altered(alter))
    assert "Traceback" not in result.stderr, result.stderr
    written = cluster.files(tmp_path)
    is_harmless = "out of the folder" in how
    assert (result.returncode, len(written)) == ((0, 1) if is_harmless else (1, 0)), result.stderr
    assert all(folder in each.parents for each in written), written


def test_a_manifest_is_whole_or_not_there(left, tmp_path):
    """Beside the data that was moved away: each refusal is a sentence, and leaves what was there before."""
    data = left.cluster.gateway.data.with_suffix(".away")
    before = left.manifest.read_bytes()

    def export(*options):
        where = ["--data", data, "--config", left.cluster.gateway.config]
        return left.cluster.gateway.tool("export-manifest", *where, *options, check=False)

    for options, said in [
        (["--output", left.manifest, "--bucket", "never"], "There is no bucket `never`."),
        (["--output", tmp_path / "no/folder"], "cannot be made"),
        (["--output", left.manifest, "--data", tmp_path], "`tidegate recover` brings it back"),
        ([], "Give --output FILE"),
    ]:
        result = export(*options)
        assert result.returncode != 0 and said in result.stderr, result.stderr
    assert left.manifest.read_bytes() == before and list(tmp_path.iterdir()) == []
    assert not left.manifest.with_name("manifest.new").exists()
    part = tmp_path / "part"
    assert export("--output", part, "--bucket", "plain", "--prefix", "sizes/").returncode == 0
    assert [json.loads(line)["bucket"] for line in part.read_bytes().splitlines()[1:]] == ["plain"] * 6
