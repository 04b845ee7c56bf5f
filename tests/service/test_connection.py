"""The connection file, the lock, and what stands in them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from engine.service.connection import (
    Connection,
    EngineProblem,
    Lock,
    await_end,
    process_lives,
    read_connection,
    write_connection,
)
from engine.service.home import find_home


def connection(pid: int = 1) -> Connection:
    return Connection("tcp://127.0.0.1:1", "s", "c", "x", pid, "logs", "sessions")


def test_the_file_is_for_this_user_only(tmp_path: Path) -> None:
    path = tmp_path / "engine.json"
    write_connection(path, connection())
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_connection(path) == connection()
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_others_can_read_is_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "engine.json"
    write_connection(path, connection())
    path.chmod(0o644)
    with pytest.raises(EngineProblem, match="open to other users"):
        read_connection(path)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"endpoint": 3}'])
def test_a_file_of_something_else_is_no_connection(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "engine.json"
    path.write_bytes(content)
    path.chmod(0o600)
    assert read_connection(path) is None


def test_another_version_that_runs_is_named(tmp_path: Path) -> None:
    path = tmp_path / "engine.json"
    other = msgspec.structs.replace(connection(os.getpid()), protocol=99)
    write_connection(path, other)
    with pytest.raises(EngineProblem, match=r"another version.*protocol 99"):
        read_connection(path)


def test_the_lock_is_for_one_and_ends_with_it(tmp_path: Path) -> None:
    first, second = Lock(tmp_path / "lock"), Lock(tmp_path / "lock")
    assert first.take()
    assert not second.take()
    first.close()
    assert second.take()
    second.close()


def test_a_process_that_waits_to_be_reaped_does_not_live() -> None:
    assert process_lives(os.getpid())
    process = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not process_lives(process.pid)
    process.stdout.close()
    process.wait()
    assert not process_lives(process.pid)


def test_the_end_of_a_process_is_awaited() -> None:
    command = [sys.executable, "-c", "input()"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    assert process.stdin is not None
    assert not await_end(process.pid, 0.0)
    process.stdin.write(b"\n")
    process.stdin.close()
    assert await_end(process.pid, 10.0)
    assert await_end(process.pid, 0.0)
    process.wait()


def test_the_home_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RLLAB_HOME", str(tmp_path / "a"))
    assert find_home().connection_file == tmp_path / "a" / "engine.json"
    home = find_home(tmp_path / "b")
    home.prepare()
    assert home.runtime.stat().st_mode & 0o077 == 0
    assert home.logs.is_dir()
