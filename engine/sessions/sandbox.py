"""A process that shuts itself in: nothing to open, to write, to start or to call.

Walls behind each other: limits of the system (memory, processor time, no file, no
process, no further descriptor); on Linux also Landlock (from 5.13), which denies every
path and, where the kernel knows them, TCP and signals to others, and a filter of
system calls, which denies children to the administrator as well. What a system does
not know is left out, and :func:`confine` says so.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys

if sys.platform != "win32":
    import resource

MEMORY_BYTES = 1 << 30
FIRST_ANSWER_S, CPU_S = 5, 30
"""Processor time to look into a file, and for each question after that."""
WALLS = ("limits", "no new privileges", "landlock", "no children")

_CREATE, _RESTRICT = 444, 446  # system calls of Landlock, alike on all machines
_VERSION = 1
_NO_NEW_PRIVILEGES = 38
_PATHS = {1: 13, 2: 14, 3: 15, 5: 16}
"""How many kinds of access to paths a version of Landlock knows, from then on."""
_NETWORK_FROM, _SCOPES_FROM = 4, 6

_SET_SECCOMP, _FILTER = 22, 2
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _DENY = 0x7FFF0000, 0x00050001  # the latter is EPERM
_OTHER_CALLS = 0x40000000  # a second table of calls that x86 has
_CHILDREN = {
    "x86_64": (0xC000003E, (56, 57, 58, 59, 322, 435)),
    "aarch64": (0xC00000B7, (220, 221, 281, 435)),
}
"""Of each machine its name in the kernel, and the calls clone, fork, vfork, execve."""


def confine() -> dict[str, bool]:
    """Shut this process in; what is open stays open, nothing else can be opened.

    Returns:
      For each wall whether it stands.
    """
    walls = dict.fromkeys(WALLS, False)
    if sys.platform == "win32":
        return walls
    memory, descriptors = MEMORY_BYTES + _own_bytes(), _fill_descriptors()
    if sys.platform == "linux":
        walls["no new privileges"] = _libc().prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
        walls["landlock"] = _landlock()
        walls["no children"] = _no_children()
    _limit(memory, descriptors)
    limit_cpu(FIRST_ANSWER_S)
    return walls | {"limits": True}


def limit_cpu(seconds: int = CPU_S) -> None:
    """From now on so much processor time; then the system ends this process."""
    if sys.platform == "win32":
        return
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(used) + 1 + seconds, hard))


def _limit(memory: int, descriptors: int) -> None:
    if sys.platform == "win32":
        return
    wanted = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_NOFILE: descriptors,
    }
    for what, value in wanted.items():
        hard = resource.getrlimit(what)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (value, value))


def _own_bytes() -> int:
    """Address space that the interpreter and its libraries take already."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 1 << 30


def _fill_descriptors() -> int:
    """How many descriptors are open when there is no gap between them."""
    highest = _highest_open()
    while (handle := os.dup(0)) <= highest:
        continue
    os.close(handle)
    return handle


def _highest_open() -> int:
    for place in ("/proc/self/fd", "/dev/fd"):
        if os.path.isdir(place):
            return max(int(name) for name in os.listdir(place))
    return 2


def _landlock() -> bool:
    """Deny every path, and what else this kernel can deny; False where it cannot."""
    libc = _libc()
    version = libc.syscall(_CREATE, None, 0, _VERSION)
    if version < 1:
        return False
    paths = (1 << max(bits for since, bits in _PATHS.items() if version >= since)) - 1
    network = 0b11 if version >= _NETWORK_FROM else 0
    scopes = 0b11 if version >= _SCOPES_FROM else 0
    rules = struct.pack("<3Q", paths, network, scopes)
    size = 24 if version >= _SCOPES_FROM else 16 if version >= _NETWORK_FROM else 8
    handle = libc.syscall(_CREATE, rules, size, 0)
    if handle < 0:
        return False
    try:
        return bool(libc.syscall(_RESTRICT, handle, 0) == 0)
    finally:
        os.close(handle)


def _no_children() -> bool:
    """Deny the calls that start a process or a program; False where it cannot."""
    machine, calls = _CHILDREN.get(os.uname().machine, (0, ()))
    if not machine:
        return False
    steps = [(_LOAD, 0, 0, 4), (_EQUAL, 0, len(calls) + 3, machine), (_LOAD, 0, 0, 0)]
    steps.append((_AT_LEAST, len(calls) + 1, 0, _OTHER_CALLS))
    steps += [(_EQUAL, len(calls) - at, 0, call) for at, call in enumerate(calls)]
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _DENY)]
    code = ctypes.create_string_buffer(
        b"".join(struct.pack("<HBBI", *step) for step in steps)
    )
    program = struct.pack("@HxxxxxxP", len(steps), ctypes.addressof(code))
    return bool(_libc().prctl(_SET_SECCOMP, _FILTER, program, 0, 0) == 0)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
