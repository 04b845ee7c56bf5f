"""P1, P4, P5: the process is killed, or its disk fails, at each call that writes."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import session_samples as samples
from io_workload import CHECKPOINTS, ROWS, Shared, Workload, quick
from trials import Trials

from engine.contract.messages import Checkpoint
from engine.sessions import (
    LiveStore,
    SessionFile,
    checkpoint_reading,
    find_sessions,
    opening,
)

HERE = Path(__file__).resolve().parent
OFF, COUNT, KILL, EIO, FULL_ONCE, FULL_STICKY, SHORT, SYNC_EIO = range(8)
MODES = {
    "killed": KILL,
    "EIO": EIO,
    "ENOSPC once": FULL_ONCE,
    "ENOSPC sticky": FULL_STICKY,
    "ENOSPC with ballast": FULL_STICKY,
    "short write": SHORT,
    "fsync EIO": SYNC_EIO,
}
FAST_DISK = Path("/dev/shm")


def build_shim(folder: Path) -> Path | None:
    """The library that fails on command; None where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or sys.platform != "linux":
        return None
    target = folder / "io_shim.so"
    command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(target)]
    source = HERE / "io_shim.c"
    subprocess.run([*command, str(source), "-ldl", "-lpthread"], check=True)
    return target


def run(folder: Path, promise: str, stride: int = 1) -> Trials:
    """Every ``stride``-th call, in a process that the shim is loaded into."""
    result = Trials(promise, "the process is killed, or its disk fails, at each call")
    return through_the_shim(result, folder, "io_faults.py", stride, promise)


def through_the_shim(
    result: Trials, folder: Path, script: str, stride: int, *more: str
) -> Trials:
    """Run a script of this folder with the shim; what it reports goes into result."""
    command = shim_command(folder, script)
    if command is None:
        result.worst = "skipped: this needs Linux and a C compiler"
        return result
    report = folder / "report.txt"
    arguments, environment = command
    arguments += [str(report), str(stride), *more]
    subprocess.run(arguments, env=environment, check=True)
    count, worst, *failures = report.read_text().splitlines()
    result.count, result.worst, result.failures = int(count), worst, failures
    return result


def shim_command(folder: Path, script: str) -> tuple[list[str], dict[str, str]] | None:
    """How to run a script of this folder with the shim; None where there is none."""
    shim = build_shim(folder)
    if shim is None:
        return None
    places = [HERE, HERE.parent / "sessions", HERE.parents[1]]
    environment = os.environ | {
        "LD_PRELOAD": str(shim),
        "PYTHONPATH": os.pathsep.join(str(it) for it in places),
    }
    return [sys.executable, str(HERE / script), str(shim)], environment


class Disk:
    """The shim in this process, and the folder that it watches."""

    def __init__(self, shim: str, folder: Path) -> None:
        self.library = ctypes.CDLL(shim)
        self.folder = folder
        self.shared = Shared()

    def arm(self, mode: int, at: int = 0, *, ballast: bool = False) -> None:
        where = str(self.folder).encode()
        self.library.shim_arm(where, mode, ctypes.c_long(at), int(ballast))

    def disarm(self) -> None:
        self.arm(OFF)

    def play(
        self,
        mode: int,
        at: int,
        *,
        ballast: bool = False,
        note: Callable[[str], None] = lambda text: None,
        kind: type[Workload] = Workload,
    ) -> tuple[int, int]:
        """One run in a fork: how it ended, and how many calls were counted."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self.shared.reset()
        room = self.library.shim_room
        work = kind(self.folder, self.shared, make_room=room, note=note)
        return self.attempt(work.run, mode, at, ballast=ballast)

    def attempt(
        self, deed: Callable[[], None], mode: int, at: int, *, ballast: bool = False
    ) -> tuple[int, int]:
        """Something in a fork: how it ended, and how many calls were counted."""
        counted = self.shared.memory
        child = os.fork()
        if child == 0:
            self.arm(mode, at, ballast=ballast)
            self._do_and_end(deed)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return code, int.from_bytes(counted[2048:2056], "little")

    def _do_and_end(self, deed: Callable[[], None]) -> None:
        code = 1
        try:
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 2)
            deed()
            code = 0
        except Exception as error:
            text = f"{type(error).__name__}: {error}".encode()[:1000]
            self.shared.memory[3000:4000] = text.ljust(1000, b"\0")
            code = 3
        finally:
            seen = self.library.shim_seen
            seen.restype = ctypes.c_long
            self.shared.memory[2048:2056] = int(seen()).to_bytes(8, "little")
            hit = self.library.shim_first_hit
            hit.restype = ctypes.c_int64
            self.shared["failed_at"] = hit()
            os._exit(code)


@contextmanager
def a_fast_folder() -> Iterator[Path]:
    """Where syncing costs nothing; what a sync means is checked by power_cuts."""
    parent = FAST_DISK if os.access(FAST_DISK, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        yield Path(folder)


@contextmanager
def without_readers() -> Iterator[None]:
    """What a child of this process wrote is no stranger's.

    A process for each of thousands of trials takes longer than they do; that others'
    files are read in one is the business of P13 and P16.
    """
    with (
        mock.patch.object(checkpoint_reading, "is_own", return_value=True),
        mock.patch.object(opening, "read_heads", lambda it: dict.fromkeys(it, 0)),
    ):
        yield


def check(disk: Disk, name: str, code: int) -> None:
    """What must hold after a run that ended like this."""
    shared = disk.shared
    killed = name == "killed"
    if killed:
        assert code in (-signal.SIGKILL, 0), f"it ended with {code}"
    else:
        error = shared.memory[3000:4000].rstrip(b"\0").decode()
        assert code == 0, f"it ended with {code} {error}"
    find_sessions(disk.folder)
    path = disk.folder / "run.h5"
    if (disk.folder / "run.live").is_dir():
        assert shared["ended"] < 1 or not killed, "an ended run is live again"
        with LiveStore.open(path) as store:
            check_rows(store, shared)
            _checkpoints(store, shared)
    else:
        lost = shared["stored"] >= 0 and not path.is_file()
        assert not lost, "the session is gone"
    if path.is_file():
        with SessionFile.open(path) as file:
            assert file.verify() == []
            last = file.summary()["steps"] // samples.SLOTS_PER_ROW - 1
            assert last >= shared["saved"], "what was saved is not in the file"
            if shared["ended"] == 1:
                assert last == ROWS - 1, "the last rows are not in the file"
    assert shared["waited"] < 0 or shared["told"] >= 0, "it waits and does not say so"
    if not killed:
        assert path.is_file(), "nothing was saved in the end"
    left = [it.name for it in disk.folder.iterdir() if it.name.endswith(".part")]
    assert not left, f"{left} were left behind"


def check_rows(store: LiveStore, shared: Shared | Mapping[str, int]) -> None:
    """Exactly the first rows, all that were confirmed, and none that never came."""
    last, step = store.progress().get("trainer", (-1, 0))
    assert last >= shared["stored"], "a confirmed row is lost"
    assert last <= shared["given"], "a row that never came"
    assert step >= shared["claimed"], "more was said to be durable than was"
    assert store.problems() == []
    for series, name in enumerate(["loss", "q_mean"]):
        wanted = [samples.scalars(n).columns for n in range(last + 1)]
        values = [v for it in wanted for v in it["value"][it["series"] == series]]
        assert store.history(name)["value"].tolist() == values
    table = store.episodes()
    assert table["episode"].tolist() == list(range((last + 1) // 3))
    for number in range((last + 1) // 3):
        record = store.episode("training", number)
        samples.same_record(record, samples.record(number))


def _checkpoints(store: LiveStore, shared: Shared) -> None:
    """Each is as it was written, and the last confirmed one is there."""
    steps = {(n + 1) * samples.SLOTS_PER_ROW: n for n in [*CHECKPOINTS, ROWS - 1]}
    newest = -1
    for row in store.checkpoints():
        found: Checkpoint = store.checkpoint(row.step)
        samples.same_checkpoint(found, samples.checkpoint(row.step, steps[row.step]))
        newest = row.step
    assert newest >= shared["checkpoint"], "a confirmed checkpoint is lost"
    if newest >= 0:
        point = store.resume_point()
        assert point.exact, point.note
        samples.same_ring(point.replay, samples.ring_after(point.checkpoint.rows))


def main(shim: str, report: str, stride: str, promise: str) -> None:
    """Run in the process that the shim is loaded into; writes a report."""
    result = Trials(promise, "")
    quick()
    modes = {
        "P1": ["killed"],
        "P4": [name for name in MODES if name != "killed"],
    }[promise]
    with a_fast_folder() as folder, without_readers():
        disk = Disk(shim, folder / "sessions")
        kinds = []
        for name in modes:
            ballast = name.endswith("ballast")
            code, calls = disk.play(MODES[name], 0, ballast=ballast)
            assert code == 0, disk.shared.memory[3000:3500]
            kinds.append(f"{calls} calls {name}")
            for at in range(1, calls + 1, int(stride)):
                code, _ = disk.play(MODES[name], at, ballast=ballast)
                disk.disarm()
                result.trial(f"{name} at call {at}", check, disk, name, code)
    lines = [str(result.count), ", ".join(kinds), *result.failures]
    Path(report).write_text("\n".join(it.replace("\n", " ") for it in lines))


if __name__ == "__main__":
    main(*sys.argv[1:5])
