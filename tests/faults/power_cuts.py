"""P2, P20: the power goes; what was not synced may be missing, torn or out of order.

The shim notes every call of a run with its data. A state of the disk after a power cut
is built from that: what came before a sync of its file is there; of what came later any
part may be, in any order, torn at the borders of sectors or pages. Names in a folder
are kept up to its last sync, and from there on up to any point.
"""

from __future__ import annotations

import os
import random
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import session_samples as samples
from io_faults import (
    COUNT,
    Disk,
    a_fast_folder,
    check_rows,
    shim_command,
    without_readers,
)
from io_workload import CHECKPOINTS, ROWS, quick
from trials import Trials

from engine.sessions import LiveStore, SessionFile, find_sessions

WRITE, SYNC, TRUNCATE, RENAME, UNLINK, CREATE, MKDIR, RMDIR, NOTE = range(1, 10)
_HEAD = struct.Struct("<5q")
BORDERS = (512, 4096)


class Call(NamedTuple):
    """One call; ``name`` is a path, two of them, or a note."""

    what: int
    inode: int
    offset: int
    name: str
    data: bytes


@dataclass
class File:
    """The content of a file, as it was synced, and what was written since."""

    synced: bytearray = field(default_factory=bytearray)
    later: list[Call] = field(default_factory=list)

    def sync(self) -> None:
        for call in self.later:
            apply(self.synced, call, call.data)
        self.later.clear()

    def after_the_cut(self, chance: random.Random) -> bytes:
        """The synced part, and whatever happened to reach the disk of the rest."""
        content = bytearray(self.synced)
        share = chance.choice((0.0, 0.3, 0.7, 1.0))
        for call in self.later:
            if call.what == TRUNCATE:
                if chance.random() < share:
                    apply(content, call, b"")
                continue
            border = chance.choice(BORDERS)
            start = 0
            while start < len(call.data):
                end = (call.offset + start) // border * border + border - call.offset
                piece = call.data[start:end]
                if chance.random() < share:
                    part = call._replace(offset=call.offset + start)
                    apply(content, part, piece)
                start = end
        return bytes(content)


def apply(content: bytearray, call: Call, data: bytes) -> None:
    """A write or a cut."""
    if call.what == TRUNCATE:
        del content[call.offset :]
        content.extend(bytes(call.offset - len(content)))
        return
    content.extend(bytes(max(0, call.offset - len(content))))
    content[call.offset : call.offset + len(data)] = data


class Names:
    """What a tree of folders holds: the names that are synced, and later changes."""

    def __init__(self) -> None:
        self.now: dict[str, File | None] = {}
        self.synced: dict[str, File | None] = {}
        self.later: list[tuple[str, Call, File | None]] = []

    def change(self, call: Call, file: File | None) -> None:
        self._apply(self.now, call, file)
        parent = os.path.dirname(call.name.split("\n")[-1])
        self.later.append((parent, call, file))

    def sync(self, folder: str) -> None:
        """All changes up to the last one in this folder: a journal keeps its order."""
        last = max(
            (i for i, it in enumerate(self.later) if it[0] == folder), default=-1
        )
        for _, call, file in self.later[: last + 1]:
            self._apply(self.synced, call, file)
        del self.later[: last + 1]

    def after_the_cut(self, chance: random.Random) -> dict[str, File | None]:
        kept = dict(self.synced)
        for _, call, file in self.later[: chance.randint(0, len(self.later))]:
            self._apply(kept, call, file)
        return kept

    @staticmethod
    def _apply(names: dict[str, File | None], call: Call, file: File | None) -> None:
        if call.what in (CREATE, MKDIR):
            names[call.name] = file
        elif call.what in (UNLINK, RMDIR):
            names.pop(call.name, None)
        else:
            old, new = call.name.split("\n")
            for path in [it for it in names if it == new or it.startswith(f"{new}/")]:
                del names[path]
            for path in [it for it in names if it == old or it.startswith(f"{old}/")]:
                names[new + path[len(old) :]] = names.pop(path)


class Recording:
    """The disk as the calls of a log change it, one after the other.

    Args:
      lies: Syncs are confirmed and not done.
    """

    def __init__(self, *, lies: bool = False) -> None:
        self.names = Names()
        self._lies = lies
        self.files: dict[int, File] = {}
        self.promised: dict[str, int] = {}

    def take(self, call: Call) -> None:
        if call.what == NOTE:
            what, value = call.name.split()
            self.promised[what] = int(value)
        elif call.what in (WRITE, TRUNCATE):
            self.files.setdefault(call.inode, File()).later.append(call)
        elif call.what == SYNC:
            if self._lies:
                return
            if call.inode in self.files:
                self.files[call.inode].sync()
            self.names.sync(call.name)
        elif call.what == CREATE:
            # The number of a file that is gone may be given to another one.
            self.files[call.inode] = File()
            self.names.change(call, self.files[call.inode])
        else:
            self.names.change(call, None)

    def write(self, folder: Path, chance: random.Random) -> None:
        """The tree as it is found after a power cut now."""
        for path, file in sorted(self.names.after_the_cut(chance).items()):
            target = folder / path.lstrip("/")
            if file is None:
                target.mkdir(parents=True, exist_ok=True)
            elif target.parent.is_dir() and not path.endswith("-shm"):
                target.write_bytes(file.after_the_cut(chance))


def read_log(path: Path) -> Iterator[Call]:
    """The calls in their order."""
    data, at = path.read_bytes(), 0
    while at < len(data):
        what, inode, offset, name, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        text = data[at : at + name].decode()
        yield Call(what, inode, offset, text, data[at + name : at + name + length])
        at += name + length


def run(folder: Path, count: int, seed: int = 0) -> Trials:
    """Record a run, then cut its power ``count`` times."""
    result = Trials("P2", "simulated power cuts: writes dropped, torn, out of order")
    calls = record(folder)
    result.worst = f"{len(calls)} calls in the run"
    if calls:
        cut(result, calls, count, seed)
    else:
        result.worst = "skipped: this needs Linux and a C compiler"
    return result


def record(folder: Path) -> list[Call]:
    """The calls of a run in a folder that is gone; none where there is no shim."""
    command = shim_command(folder, "power_cuts.py")
    if command is None:
        return []
    arguments, environment = command
    log = folder / "calls.log"
    with a_fast_folder() as fast:
        recorded = [*arguments, str(fast / "sessions"), str(log)]
        subprocess.run(recorded, env=environment, check=True)
        home = os.path.relpath(fast / "sessions", "/")
    return [it._replace(name=it.name.replace(f"/{home}", "")) for it in read_log(log)]


def cut(
    result: Trials, calls: list[Call], count: int, seed: int = 0, *, lies: bool = False
) -> None:
    """Cut the power at random calls.

    ``lies``: the disk confirms syncs that it does not do; this must be noticed.
    """
    chance = random.Random(seed)
    cuts = sorted(chance.randrange(1, len(calls)) for _ in range(count))
    recording, at = Recording(lies=lies), 0
    with a_fast_folder() as fast, without_readers():
        for number in cuts:
            while at < number:
                recording.take(calls[at])
                at += 1
            label = f"power cut after call {number} of {len(calls)}"
            result.trial(label, _one, fast, recording, chance)


def _one(fast: Path, recording: Recording, chance: random.Random) -> None:
    found = fast / "found"
    shutil.rmtree(found, ignore_errors=True)
    found.mkdir()
    recording.write(found, chance)
    find_sessions(found)
    promised = {"stored": -1, "checkpoint": -1, "claimed": -1, "saved": -1}
    promised |= recording.promised
    path = found / "run.h5"
    live = (found / "run.live").is_dir()
    assert live or path.is_file() or promised["stored"] < 0, "the session is gone"
    if live:
        with LiveStore.open(path) as store:
            promised |= {"given": ROWS}
            check_rows(store, promised)
            _checkpoints(store, promised["checkpoint"])
    if path.is_file():
        with SessionFile.open(path) as file:
            assert file.verify() == []
            last = file.summary()["steps"] // samples.SLOTS_PER_ROW - 1
        assert last >= promised["saved"], "what was saved is not in the file"
        assert last == ROWS - 1 or promised.get("ended", 0) < 1


def _checkpoints(store: LiveStore, promised: int) -> None:
    steps = {(n + 1) * samples.SLOTS_PER_ROW: n for n in [*CHECKPOINTS, ROWS - 1]}
    rows = store.checkpoints()
    newest = max((row.step for row in rows), default=-1)
    assert newest >= promised, "a confirmed checkpoint is lost"
    if rows:
        point = store.resume_point()
        assert point.step >= promised
        assert point.exact, point.note
        wanted = samples.checkpoint(point.step, steps[point.step])
        samples.same_checkpoint(point.checkpoint, wanted)


def main(shim: str, folder: str, log: str) -> None:
    """Play a run with the shim's log, in the process that it is loaded into."""
    quick()
    disk = Disk(shim, Path(folder))
    disk.library.shim_log(log.encode())
    code, _ = disk.play(
        COUNT, 0, note=lambda text: disk.library.shim_note(text.encode())
    )
    assert code == 0, disk.shared.memory[3000:3500]


if __name__ == "__main__":
    main(*sys.argv[1:4])
