"""P5: every way to save, killed or failing at each call that writes.

A file of that name is there before (an export that is a folder finds none). Afterwards
it is that file or the new one, a failure was told, and nothing else is left.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from signal import SIGKILL

import numpy as np
import session_samples as samples
from io_faults import (
    EIO,
    FULL_STICKY,
    KILL,
    Disk,
    a_fast_folder,
    through_the_shim,
    without_readers,
)
from trials import Trials

from engine.contract.exports import EXPORTS
from engine.media import MediaProblem, open_film
from engine.sessions import LiveStore, SessionFile, SessionProblem, find_sessions
from engine.sessions.exporters import EXPORTERS, export
from engine.sessions.forking import fork
from engine.sessions.session_writer import write_session
from engine.sessions.store_reader import StoreReader
from rllab_gui import settings as window_settings
from rllab_gui.saving import save, sweep

FOLDERS = ("tensorboard", "minari", "film.png")
GROWING = ".saved.mp4.growing.mp4"
"""Can be played where its writer was killed; so it stays."""
MODES = {"killed": KILL, "EIO": EIO, "ENOSPC": FULL_STICKY}
TOLD = 5
Saver = Callable[[Path], None]


def run(folder: Path, stride: int = 1) -> Trials:
    """Every ``stride``-th call of each saver."""
    result = Trials("P5", "each way to save, killed or failing at each call")
    return through_the_shim(result, folder, "saver_faults.py", stride)


class Savers:
    """A session, and what can be made of it in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._source = folder.parent / "source" / "run.h5"
        self._source.parent.mkdir()
        path, text = self._source, samples.configuration()
        with LiveStore.create(path, text, samples.CARD) as store:
            samples.run(store, last_row=12, checkpoint_rows=(9,))
            self._live = shutil.copytree(store.folder, path.with_name("other.live"))
            store.close(fold=True)
        self.old = self._source.with_name("old.h5")
        with LiveStore.create(self.old, text, samples.CARD) as store:
            samples.run(store, last_row=3, checkpoint_rows=())
            store.close(fold=True)

    def all(self) -> dict[str, tuple[str, Saver]]:
        """By name: what the file is called, and how it is saved."""
        savers: dict[str, tuple[str, Saver]] = {
            "session": ("saved.h5", self._save),
            "fork": ("saved.h5", self._fork),
        }
        for name in EXPORTERS:
            if not EXPORTS[name].missing:
                savers[name] = (f"saved{EXPORTS[name].ending}", self._export(name))
        for kind in ("gif", "png", "mp4"):
            savers[f"film.{kind}"] = (f"saved.{kind}", self._film(kind))
        savers["settings"] = (window_settings.NAME, _settings)
        savers["preset"] = ("own.toml", _preset)
        return savers

    def _save(self, target: Path) -> None:
        reader = StoreReader.snapshot(self._live)
        write_session(reader, target)
        reader.close()

    def _fork(self, target: Path) -> None:
        fork(self._source, target, overwrite=True)

    def _export(self, name: str) -> Saver:
        def saver(target: Path) -> None:
            with SessionFile.open(self._source) as file:
                export(file, name, target, {"kind": "training", "episode": 1})

        return saver

    def _film(self, kind: str) -> Saver:
        def saver(target: Path) -> None:
            pictures = np.arange(4 * 16 * 16 * 3, dtype=np.uint8)
            with open_film(target, 10, kind) as film:
                for picture in pictures.reshape(4, 16, 16, 3):
                    film.add(picture)

        return saver


def _settings(target: Path) -> None:
    settings = window_settings.Settings(target.parent)
    for number in range(40):
        settings.set(f"place/{number}", "new" * 20)
    if not settings.flush():
        raise SessionProblem("The settings are not kept.")


def _preset(target: Path) -> None:
    try:
        save(target, b"title = 'new'\n" * 1000)
    except OSError as error:
        raise SessionProblem(f"It was not saved: {error.strerror}.") from error


def prepare(savers: Savers, name: str, target: Path) -> str:
    """The file that is there before; its hash."""
    shutil.rmtree(savers.folder, ignore_errors=True)
    savers.folder.mkdir()
    if name not in FOLDERS:
        shutil.copyfile(savers.old, target)
    if name == "settings":
        target.write_text("[General]\nplace=old\n")
    return fingerprint(target)


def fingerprint(path: Path) -> str:
    """Of a file, or of all files in a folder; empty where there is nothing."""
    if path.is_dir():
        files = sorted(it for it in path.rglob("*") if it.is_file())
        return "".join(f"{it.relative_to(path)} {fingerprint(it)} " for it in files)
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def clear_up(target: Path) -> list[str]:
    """What is left beside a file after those have looked who sweep there."""
    find_sessions(target.parent)
    sweep(target)
    for path in target.parent.iterdir():
        os.utime(path, (0, 0))  # the window leaves alone what may be being written
    window_settings.Settings(target.parent)
    return [it.name for it in target.parent.iterdir() if it != target]


def attempt(disk: Disk, saver: Saver, target: Path, mode: int, at: int) -> int:
    """Save in a fork, where a SessionProblem counts as told; how it ended."""

    def deed() -> None:
        try:
            saver(target)
        except (SessionProblem, MediaProblem) as problem:
            disk.shared["told"] = TOLD if str(problem).endswith(".") else 0

    disk.shared.reset()
    code, _ = disk.attempt(deed, mode, at)
    disk.disarm()
    return code


def check(
    disk: Disk, target: Path, before: str, whole: str, killed: bool, code: int
) -> None:
    """The old file or a whole new one, and nothing beside it."""
    error = disk.shared.memory[3000:4000].rstrip(b"\0").decode()
    assert code in ((-SIGKILL, 0) if killed else (0,)), f"it ended with {code} {error}"
    told = disk.shared["told"] == TOLD
    left = [it for it in clear_up(target) if not (killed and it == GROWING)]
    assert not left, f"{left} were left behind"
    changed = fingerprint(target) != before
    assert killed or changed or told, "a failure was not told"
    # Told and changed: only that the new name will survive a power cut is not sure.
    if changed and target.suffix == ".h5":
        with SessionFile.open(target) as file:
            assert file.verify() == []
    elif changed:
        assert fingerprint(target) == whole, "half a file"


def main(shim: str, report: str, stride: str) -> None:
    """Run in the process that the shim is loaded into; writes a report."""
    result = Trials("P5", "")
    counted = []
    with a_fast_folder() as folder, without_readers():
        disk = Disk(shim, folder / "saved")
        savers = Savers(disk.folder)
        for name, (file, saver) in savers.all().items():
            target = disk.folder / file
            prepare(savers, name, target)
            _, calls = disk.attempt(lambda s=saver, t=target: s(t), 1, 0)
            counted.append(f"{calls} calls of {name}")
            whole = fingerprint(target)
            for kind, mode in MODES.items():
                for at in range(1, calls + 1, min(int(stride), max(1, calls // 3))):
                    before = prepare(savers, name, target)
                    code = attempt(disk, saver, target, mode, at)
                    place = (disk, target, before, whole, kind == "killed", code)
                    result.trial(f"{name}, {kind} at call {at}", check, *place)
    lines = [str(result.count), ", ".join(counted), *result.failures]
    Path(report).write_text("\n".join(it.replace("\n", " ") for it in lines))


if __name__ == "__main__":
    main(*sys.argv[1:4])
