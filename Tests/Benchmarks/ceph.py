"""Ceph's RADOS Gateway on one machine, for as long as it is measured.

A monitor, a manager, three OSDs that keep their data in files, and the gateway; everything listens on the loopback
interface.
"""

import base64
import concurrent.futures
import contextlib
import os
import pathlib
import struct
import subprocess
import sys
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import sides  # noqa: E402
from Harness import gateway  # noqa: E402

OSDS = 3
COPIES = 2
# A range for the OSDs and the manager, which take several ports each.
PORTS_OF_DAEMONS = (7300, 7800)


def configuration(folder, monitor, front):
    return f"""
[global]
fsid = {uuid.uuid4()}
mon initial members = a
mon host = [v2:127.0.0.1:{monitor}/0]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
keyring = {folder}/keyring
ms bind msgr1 = false
ms bind ipv6 = false
ms bind port min = {PORTS_OF_DAEMONS[0]}
ms bind port max = {PORTS_OF_DAEMONS[1]}
run dir = {folder}/run
admin socket =
pid file =
crash dir = {folder}/run
log file = {folder}/$name.log
mon cluster log file = {folder}/cluster.log
mon data = {folder}/mon
mon data avail warn = 2
mon data avail crit = 1
mgr data = {folder}/mgr
mgr initial modules =
osd data = {folder}/osd$id
osd objectstore = bluestore
bluestore block size = {10 << 30}
bluestore block create = true
bluestore cache autotune = false
osd crush chooseleaf type = 0
osd class load list = *
osd class default list = *
osd pool default size = {COPIES}
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
mon max pg per osd = 1000
[client.rgw.a]
rgw data = {folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:{front}
rgw crypt require ssl = false
"""


def keyring():
    """A key for each daemon, with what it may do, in the one file that all of them read."""
    may = {
        "mon.": {"mon": "allow *"},
        "client.admin": {"mon": "allow *", "osd": "allow *", "mgr": "allow *"},
        "mgr.x": {"mon": "allow profile mgr", "osd": "allow *"},
        "client.rgw.a": {"mon": "allow rw", "osd": "allow rwx", "mgr": "allow rw"},
    }
    for number in range(OSDS):
        may[f"osd.{number}"] = {"mon": "allow profile osd", "mgr": "allow profile osd", "osd": "allow *"}
    lines = []
    for name, capabilities in may.items():
        # Type (AES), when it was made (seconds, nanoseconds), length, key.
        key = struct.pack("<HIIH", 1, int(time.time()), 0, 16) + os.urandom(16)
        lines += [f"[{name}]", f"\tkey = {base64.b64encode(key).decode()}"]
        lines += [f'\tcaps {service} = "{what}"' for service, what in capabilities.items()]
    return "\n".join(lines) + "\n"


@contextlib.contextmanager
def rgw(folder):
    """A cluster and its S3 gateway, each object on two of three OSDs, synced there before it is acknowledged."""
    folder = pathlib.Path(folder)
    for name in ["run", "mon", "mgr", "rgw", *[f"osd{number}" for number in range(OSDS)]]:
        (folder / name).mkdir(parents=True)
    monitor, front = gateway.free_ports(2)
    text = configuration(folder, monitor, front)
    conf = folder / "ceph.conf"
    conf.write_text(text)
    (folder / "keyring").write_text(keyring())
    (folder / "keyring").chmod(0o600)
    fsid = text.split("fsid = ", 1)[1].split("\n", 1)[0]

    def run(*command, deadline=120):
        outcome = subprocess.run(
            [*command, "-c", str(conf)], capture_output=True, text=True, timeout=deadline, env=environment()
        )
        if outcome.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {outcome.stderr[-2000:]}")
        return outcome.stdout

    def make_osd(number):
        identity = str(uuid.uuid4())
        run("ceph", "osd", "new", identity, str(number))
        run("ceph-osd", "--id", str(number), "--mkfs", "--osd-uuid", identity)

    with contextlib.ExitStack() as daemons:

        def start(name, *command):
            log = folder / f"{name}.out"
            return daemons.enter_context(
                sides.running([*command, "-f", "-c", str(conf)], log, env=environment(), cwd=folder)
            )

        addresses = f"[v2:127.0.0.1:{monitor}/0]"
        run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", addresses, str(folder / "monmap"))
        run("ceph-mon", "--id", "a", "--mkfs", "--monmap", str(folder / "monmap"), "--keyring", str(folder / "keyring"))
        start("mon", "ceph-mon", "--id", "a")
        manager = start("mgr", "ceph-mgr", "--id", "x")
        with concurrent.futures.ThreadPoolExecutor(OSDS) as threads:
            list(threads.map(make_osd, range(OSDS)))
        osds = [start(f"osd{number}", "ceph-osd", "--id", str(number)) for number in range(OSDS)]
        wait_for_osds(run, manager)
        keys = ["--access-key", sides.ACCESS_KEY, "--secret-key", sides.SECRET_KEY]
        run("radosgw-admin", "user", "create", "--uid", "bench", "--display-name", "bench", *keys, deadline=300)
        process = start("rgw", "radosgw", "-n", "client.rgw.a")
        side = sides.Side("Ceph RGW", front, folder, lambda: [process.pid, *[osd.pid for osd in osds]])
        sides.wait_until_served(side)
        yield side


def environment():
    return {name: value for name, value in os.environ.items() if not name.startswith("CEPH_")}


def wait_for_osds(run, manager, deadline=180):
    end = time.monotonic() + deadline
    while f"{OSDS} up" not in run("ceph", "osd", "stat"):
        if time.monotonic() > end or manager.poll() is not None:
            raise RuntimeError("the OSDs of Ceph did not come up")
        time.sleep(0.5)
