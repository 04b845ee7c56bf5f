"""P5: a save fails or is killed at each write; the file is the old or the new one.

And to places that are special: folders that may not be written, and other disks.
"""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest
import session_samples as samples
from trials import Trials

from engine.sessions import LiveStore, SessionFile, SessionProblem, find_sessions
from engine.sessions.exporters import export

CALLS = ("write", "fsync", "replace")
SPARSE = 5
"""A data set is written in many small pieces, of which so few are tried."""


class Fault:
    """Fails, or ends the process, at the n-th call that writes, syncs or replaces."""

    def __init__(self, at: int, error: int | None) -> None:
        self.at, self.error, self.count, self.hit = at, error, 0, False

    def pass_through(self, call):
        def counted(*arguments, **keywords):
            self.count += 1
            if self.count == self.at:
                self.hit = True
                if self.error is None:
                    os._exit(9)
                raise OSError(self.error, os.strerror(self.error))
            return call(*arguments, **keywords)

        return counted

    def __enter__(self) -> "Fault":
        self._patches = [
            mock.patch("os.fsync", self.pass_through(os.fsync)),
            mock.patch("os.replace", self.pass_through(os.replace)),
            mock.patch(
                "engine.sessions.sink.write_some",
                self.pass_through(lambda file, data: file.write(data)),
            ),
        ]
        for patch in self._patches:
            patch.start()
        return self

    def __exit__(self, *error: object) -> None:
        for patch in self._patches:
            patch.stop()


def run(folder: Path, stride: int = 1) -> Trials:
    """Every ``stride``-th call of a save and of an export, failing and killed."""
    result = Trials("P5", "saves and exports that fail or are killed at each write")
    path = folder / "run.h5"
    with LiveStore.create(path, samples.configuration(), samples.CARD) as store:
        samples.run(store)
        store.seal()
        before = path.read_bytes()
        store.append(samples.rows(41))
        store.commit()
        for saver in (_seal, _export, _export_folder):
            place = (saver, store, folder, before)
            step = stride * SPARSE if saver is _export_folder else stride
            calls = _calls(saver, store, folder)
            for at in range(1, calls + 1, step):
                label = f"{saver.__name__} call {at}"
                for error in (errno.ENOSPC, errno.EIO):
                    name = errno.errorcode[error]
                    fault = (at, error, at == calls)
                    result.trial(f"{label} {name}", _failing, *place, *fault)
                result.trial(f"{label} killed", _killed, *place, at)
    return result


NOBODY = 65534
"""The administrator may write anywhere, so a trial takes place as somebody else."""
OTHER_DISK = Path("/dev/shm")


def places(folder: Path) -> Trials:
    """Every saver into a folder that may not be written, and onto another disk."""
    result = Trials("P5", "saves into a read-only folder, and onto another disk")
    path = folder / "run.h5"
    with LiveStore.create(path, samples.configuration(), samples.CARD) as store:
        samples.run(store)
        store.seal()
        targets = {"session": "x.h5", "scalars": "x.csv", "minari": "x"}
        targets |= {"safetensors": "x.safetensors", "tensorboard": "x"}
        for name, target in targets.items():
            closed = folder / f"closed-{name}"
            closed.mkdir()
            (closed / "x.h5").write_bytes(b"before")
            closed.chmod(0o555)
            result.trial(f"{name}, read-only", _refused, store, name, closed / target)
            closed.chmod(0o755)
            result.trial(f"{name}, other disk", _elsewhere, store, name, target)
    result.worst = "" if _is_other(folder) else "there is one disk only"
    return result


def _save_as(store: LiveStore, name: str, target: Path) -> None:
    if name == "session":
        store.seal(target)
    else:
        export(store, name, target)


def _refused(store: LiveStore, name: str, target: Path) -> None:
    """Told in a sentence; what was there is as it was, and nothing is beside it."""

    def ask() -> None:
        if os.getuid() == 0:
            os.seteuid(NOBODY)
        with pytest.raises(SessionProblem) as told:
            _save_as(store, name, target)
        assert str(told.value).endswith(".")

    _in_a_fork(ask)
    assert [it.name for it in target.parent.iterdir()] == ["x.h5"]
    assert (target.parent / "x.h5").read_bytes() == b"before"


def _in_a_fork(ask: Callable[[], None]) -> None:
    child = os.fork()
    if child == 0:
        try:
            ask()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, "it was not told"


def _is_other(folder: Path) -> bool:
    there = OTHER_DISK.is_dir() and os.access(OTHER_DISK, os.W_OK)
    return there and OTHER_DISK.stat().st_dev != folder.stat().st_dev


def _elsewhere(store: LiveStore, name: str, target: str) -> None:
    """Saved there as it is here."""
    parent = OTHER_DISK if _is_other(store.folder) else None
    with tempfile.TemporaryDirectory(dir=parent) as there:
        _save_as(store, name, Path(there) / target)
        assert [it.name for it in Path(there).iterdir()] == [target]
        if name == "session":
            with SessionFile.open(Path(there) / target) as file:
                assert file.verify() == []


def _seal(store: LiveStore, folder: Path) -> Path:
    from engine.sessions.session_writer import write_session

    write_session(store, store.path)
    return store.path


def _export(store: LiveStore, folder: Path) -> Path:
    return export(store, "scalars", folder / "out.csv")


def _export_folder(store: LiveStore, folder: Path) -> Path:
    """A folder appears whole, or not at all."""
    shutil.rmtree(folder / "set", ignore_errors=True)
    return export(store, "minari", folder / "set") / "data" / "main_data.hdf5"


def _calls(saver, store: LiveStore, folder: Path) -> int:
    target = folder / "counting"
    target.mkdir(exist_ok=True)
    with Fault(0, None) as fault:
        path = saver(store, target)
    path.with_suffix(path.suffix + ".new").write_bytes(path.read_bytes())
    return fault.count


def _restore(store: LiveStore, folder: Path, before: bytes) -> None:
    store.path.write_bytes(before)
    (folder / "out.csv").write_text("before")


def _failing(
    saver, store, folder: Path, before: bytes, at: int, error: int, last: bool
) -> None:
    """The last call makes the name durable: after it the new file stands there."""
    _restore(store, folder, before)
    with pytest.raises(SessionProblem) as told, Fault(at, error):
        saver(store, folder)
    assert told.value.kind in ("disk-full", "io")
    assert str(told.value).endswith(".")
    _check(saver, store, folder, before, may_be_new=last)


def _killed(saver, store, folder: Path, before: bytes, at: int) -> None:
    _restore(store, folder, before)
    child = os.fork()
    if child == 0:
        try:
            with Fault(at, None):
                saver(store, folder)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    _check(saver, store, folder, before, may_be_new=True)


def _check(saver, store, folder: Path, before: bytes, may_be_new: bool) -> None:
    find_sessions(folder)
    left = [it.name for it in folder.glob(".*.part")]
    assert not left, f"{left} were left behind"
    if saver is _export_folder:
        parts = [it.name for it in folder.glob("set/data/*")]
        whole = sorted(parts) == ["main_data.hdf5", "metadata.json"]
        assert not parts or (may_be_new and whole)
        return
    if saver is _export:
        text = (folder / "out.csv").read_text()
        assert text == "before" or (may_be_new and text.startswith("series,"))
        return
    data = store.path.read_bytes()
    if data != before:
        assert may_be_new, "a failed save changed the file"
    with SessionFile.open(store.path) as file:
        assert file.verify() == []
