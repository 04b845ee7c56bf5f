"""The reader shuts itself in; each wall is tried from inside."""

import json
import subprocess
import sys

import pytest

from engine.sessions.sandbox import WALLS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="walls of Linux")

TRIES = """
import json, os, resource, socket, sys
kept = open(sys.argv[1], "rb")
from engine.sessions.sandbox import confine
walls = confine()
tries = {
    "open": lambda: os.open("/etc/passwd", os.O_RDONLY),
    "write": lambda: os.open("/tmp/owned", os.O_WRONLY | os.O_CREAT),
    "list": lambda: os.listdir("/"),
    "remove": lambda: os.unlink(sys.argv[1]),
    "rename": lambda: os.rename(sys.argv[1], sys.argv[1] + ".new"),
    "link": lambda: os.symlink("/etc/passwd", sys.argv[1] + ".link"),
    "connect": lambda: socket.socket(),
    "fork": lambda: os._exit(1) if os.fork() == 0 else os.wait(),
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "signal": lambda: os.kill(os.getppid(), 0),
    "memory": lambda: bytearray(3 << 30),
}
done = []
for name, attempt in tries.items():
    try:
        attempt()
        done.append(name)
    except (OSError, MemoryError):
        continue
names = ("AS", "FSIZE", "CORE", "NPROC", "NOFILE", "CPU")
limits = {it: resource.getrlimit(getattr(resource, f"RLIMIT_{it}"))[0] for it in names}
print(json.dumps([walls, done, limits, kept.read().decode()]))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    path = tmp_path_factory.mktemp("sandbox") / "kept"
    path.write_text("what is open stays readable")
    command = [sys.executable, "-c", TRIES, path]
    found = subprocess.run(command, capture_output=True, check=True, timeout=60)
    return json.loads(found.stdout)


def test_every_wall_stands_that_this_kernel_knows(told):
    walls = told[0]
    assert set(walls) == set(WALLS)
    assert walls["limits"]
    assert walls["no new privileges"]


def test_nothing_can_be_reached(told):
    walls, done, _, kept = told
    root_without = {"fork", "exec", "signal"}
    allowed = set() if all(walls.values()) else root_without
    assert set(done) <= allowed
    assert kept == "what is open stays readable"


def test_the_limits_are_those_that_are_promised(told):
    limits = told[2]
    assert limits["FSIZE"] == limits["CORE"] == limits["NPROC"] == 0
    assert 1 << 30 < limits["AS"] < 8 << 30
    assert limits["CPU"] <= 10
    assert limits["NOFILE"] < 4096
