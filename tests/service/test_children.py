"""How the engine's processes are started."""

import platform
import sys

import pytest

from engine.service import children
from engine.service.children import Children

THREADS = """
import ctypes, threading
libc = ctypes.CDLL("libc.so.6")
libc.malloc.restype = libc.fdopen.restype = ctypes.c_void_p
libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
libc.fflush.argtypes = [ctypes.c_void_p]
all_there = threading.Barrier(4)

def work():
    libc.malloc(1000)
    all_there.wait()

threads = [threading.Thread(target=work) for _ in range(4)]
for it in threads:
    it.start()
for it in threads:
    it.join()
out = libc.fdopen(1, b"w")
libc.malloc_info(0, out)
libc.fflush(out)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="others have no arenas")
@pytest.mark.parametrize(("role", "several"), [("keeper", False), ("trainer", True)])
def test_threads_of_the_keeper_share_one_heap(tmp_path, monkeypatch, role, several):
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    monkeypatch.setattr(
        children, "python_command", lambda *_: [sys.executable, "-c", THREADS]
    )
    family = Children(tmp_path / "processes.json", tmp_path)
    child = family.start(role)
    assert child.process.wait(30) == 0
    heaps = child.log.read_text().count("<heap nr=")
    assert (heaps > 1) == several
    family.ended()
