"""The session file: everything of a live store as one sealed HDF5 file.

It is built through a :class:`Sink` into a temporary file, at most some tens of MB
in memory at a time, then sealed, synced, checked, and put in place.
"""

from __future__ import annotations

import math
import re
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from getpass import getuser
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np

from engine.contract.costs import EXACT_LIMIT_BYTES
from engine.contract.messages import Event
from engine.sessions import recorded
from engine.sessions.atomic import replacing
from engine.sessions.checkpoint_files import (
    checkpoint_path,
    open_sealed,
    row_attributes,
)
from engine.sessions.hdf5 import LIBVER, MAJOR, MINOR, SESSION, h5py
from engine.sessions.hdf5_writing import (
    empty_array,
    span_lines,
    write_array,
    write_attributes,
    write_json,
    write_state,
)
from engine.sessions.parts import whole
from engine.sessions.problems import SessionProblem, from_os_error
from engine.sessions.seal import SealedReader, seal_file
from engine.sessions.sink import Sink
from engine.sessions.source import CheckpointRow
from engine.sessions.store_reader import StoreReader

SPAN_BYTES = 1 << 20
"""So much is handed to HDF5 at once, which lets nobody else run meanwhile."""

MINARI = ("observations", "actions", "rewards", "terminations", "truncations")

Progress = Callable[[float, str], None]


def write_session(
    reader: StoreReader, target: Path, progress: Progress | None = None
) -> None:
    """Write ``target`` from what the reader sees; old or new at every instant.

    Raises:
      SessionProblem: If something cannot be read or written; nothing is replaced.
    """
    what = f"The session file '{target.name}' could not be written"
    tell = progress or (lambda fraction, text: None)
    try:
        with replacing(target) as temporary:
            with open(temporary, "w+b", buffering=0) as file:
                _build(reader, file, what, tell)
                tell(0.9, "Sealing")
                seal_file(file)
            _check(temporary, target.name)
    except OSError as error:
        raise from_os_error(what, error) from error
    tell(1.0, "Saved")


def _build(reader: StoreReader, file: BinaryIO, what: str, tell: Progress) -> None:
    sink = Sink(file, what)
    try:
        with h5py.File(sink, "w", libver=LIBVER, rdcc_nbytes=8 << 20) as target:
            for fraction, text in SessionWriter(reader, target).steps():
                sink.check()
                tell(0.9 * fraction, text)
    except (RuntimeError, ValueError, SystemError) as error:
        # An error of the disk shows up as anything once HDF5 reads it back.
        sink.check()
        if isinstance(error, SessionProblem):
            raise
        raise SessionProblem(f"{what}: {error}.", "io") from error
    sink.check()


def _check(path: Path, name: str) -> None:
    with open_sealed(path) as file:
        reader = SealedReader(file, name)
        reader.verify()
        reader.check()


@dataclass
class SessionWriter:
    """Copies one session into an open HDF5 file, in steps."""

    reader: StoreReader
    target: Any

    def steps(self) -> Iterator[tuple[float, str]]:
        """Do it; yields how far it is (0 to 1) and what it does."""
        self.head()
        yield 0.02, "Curves"
        self.metrics()
        yield 0.1, "Episodes"
        for share in self.episodes():
            yield 0.1 + 0.5 * share, "Episodes"
        for share in self.checkpoints():
            yield 0.6 + 0.3 * share, "Checkpoints"
        for share in self.replay():
            yield 0.9 + 0.1 * share, "Replay memory"

    def head(self) -> None:
        """Attributes of the root and the JSON parts."""
        summary = self.reader.summary()
        own = {"format": SESSION, "format_major": MAJOR, "format_minor": MINOR}
        texts = ("writer", "uuid", "parent_uuid")
        numbers = ("steps", "updates", "episodes", "created")
        write_attributes(self.target, own | {n: summary[n] for n in texts + numbers})
        more = {"sealed": time.time(), "complete": int(summary["complete"])}
        write_attributes(self.target, more)
        write_json(self.target, "config_json", self.reader.configuration())
        write_json(self.target, "env_json", self.reader.card())
        write_json(self.target, "views_json", self.reader.views())
        write_json(self.target, "progress_json", self.reader.progress())
        write_json(self.target, "events_json", self._events())

    def metrics(self) -> None:
        """Every series, the table of finished episodes, and the evaluations."""
        group = self.target.create_group("metrics")
        for order, name in enumerate(self.reader.series()):
            lines = self.reader.series_lines(name)
            del lines["series"]
            _write_columns(group.create_group(name), lines)
            write_attributes(group[name], {"order": order})
        done = self.reader.finished_lines()
        _write_columns(self.target.create_group("finished"), done)
        _write_columns(self.target.create_group("evaluations"), self._evaluations())

    def episodes(self) -> Iterator[float]:
        """Every recorded episode as Minari lays it out, and a table of them."""
        keys = recorded.recorded_keys(self.reader.connection)
        group = self.target.create_group("episodes")
        table: list[tuple[bool, int]] = []
        for count, (kind, number) in enumerate(keys):
            try:
                stored = self.reader.stored_episode(kind, number)
                self._episode(group, len(table), stored)
            except SessionProblem as problem:
                self._leave_out(group, f"episode_{len(table)}", problem)
                continue
            table.append((kind == "evaluation", number))
            yield count / len(keys)
        index = np.array(table, np.int64).reshape(-1, 2)
        columns = {"evaluation": index[:, 0].astype(bool), "episode": index[:, 1]}
        _write_columns(self.target.create_group("recorded"), columns)

    def checkpoints(self) -> Iterator[float]:
        """Every kept checkpoint; of the passing ones only the newest and the best."""
        rows = self._kept()
        group = self.target.create_group("checkpoints")
        for count, row in enumerate(rows):
            try:
                self._checkpoint(group, row)
            except SessionProblem as problem:
                self._leave_out(group, f"ck_{row.number}", problem)
            yield (count + 1) / len(rows)

    def replay(self) -> Iterator[float]:
        """The replay memory of the newest checkpoint, if it is to be kept."""
        rows = self._kept()
        name = f"ck_{rows[-1].number}" if rows else ""
        if not rows or not rows[-1].replay_slots or not self._wants_replay():
            return
        if name not in self.target["checkpoints"]:
            return
        group = self.target.create_group(f"checkpoints/{name}/replay_slots")
        at = 0
        for lines in _gathered(self.reader.replay_lines(rows[-1])):
            if at == 0:
                for column, it in lines.items():
                    shape = (rows[-1].replay_slots, *it.shape[1:])
                    empty_array(group, column, shape, it.dtype)
            end = at + len(lines["slot"])
            for column, it in lines.items():
                group[column][at:end] = it
            at = end
            yield at / rows[-1].replay_slots
        write_attributes(group, {"count": at})

    # ------------------------------------------------------------- insides

    def _leave_out(self, group: Any, name: str, problem: SessionProblem) -> None:
        """What is damaged in the live store does not keep the rest from being saved."""
        self.reader.tell(str(problem).rstrip("."))
        if name in group:
            del group[name]

    def _kept(self) -> list[CheckpointRow]:
        rows = self.reader.checkpoints()
        newest = rows[-1:]
        return [r for r in rows if r.reason != "recovery" or r.best or r in newest]

    def _wants_replay(self) -> bool:
        wish = self.reader.options().recording.exact_resume
        if wish == "auto":
            return bool(self.reader.summary()["replay_bytes"] < EXACT_LIMIT_BYTES)
        return wish == "yes"

    def _events(self) -> Any:
        rows = [
            {"row": row, "event": msgspec.to_builtins(without_places(event))}
            for row, event in self.reader.numbered_events()
        ]
        return rows

    def _evaluations(self) -> dict[str, np.ndarray]:
        done = self.reader.evaluations()
        counts = [len(it.returns) for it in done]
        columns = {
            "step": np.array([it.step for it in done], np.int64),
            "update": np.array([it.update for it in done], np.int64),
            "best": np.array([it.best for it in done], bool),
            "wall_time": np.array([it.wall_time for it in done], np.float64),
            "count": np.array(counts, np.int64),
        }
        returns = [np.empty(0), *(it.returns for it in done)]
        lengths = [np.empty(0, np.int64), *(it.lengths for it in done)]
        columns["returns"] = np.concatenate(returns).astype(np.float64)
        columns["lengths"] = np.concatenate(lengths).astype(np.int64)
        return columns

    def _episode(
        self, parent: Any, number: int, stored: recorded.StoredEpisode
    ) -> None:
        group = parent.create_group(f"episode_{number}")
        values = stored.values
        names = ("kind", "episode", "step0", "environment", "checkpoint_step")
        known = {name: values[name] for name in names if name in values}
        total = stored.shapes["actions"][1][0]
        head = {"id": number, "seed": int(values.get("seed", -1)), "total_steps": total}
        write_attributes(group, head | known | {"row": stored.row})
        rest = {name: it for name, it in values.items() if name not in {*names, "seed"}}
        if rest:
            write_json(group, "values_json", rest)
        for name in stored.shapes:
            self._episode_array(group, name, stored)

    def _episode_array(
        self, group: Any, name: str, stored: recorded.StoredEpisode
    ) -> None:
        dtype, shape = stored.shapes[name]
        if not shape or dtype.itemsize * math.prod(shape) <= SPAN_BYTES:
            write_array(group, name, stored.array(name))
            return
        target = empty_array(group, name, shape, dtype)
        lines = span_lines(shape, dtype, SPAN_BYTES)
        for first in range(0, shape[0], lines):
            target[first : first + lines] = stored.array(name, first, first + lines)

    def _checkpoint(self, parent: Any, row: CheckpointRow) -> None:
        if not self.reader.files.is_own(row.number):
            checkpoint, _ = self.reader.files.checkpoint(row.number)
            group = parent.create_group(f"ck_{row.number}")
            write_attributes(group, row_attributes(row))
            whole(write_state(group, checkpoint.arrays, checkpoint.values))
            return
        path = checkpoint_path(self.reader.folder, row.number)
        with open_sealed(path) as file:
            source = SealedReader(file, path.name)
            source.verify()
            source.check()
            with h5py.File(source, "r") as h5:
                h5.copy("state", parent, f"ck_{row.number}")


def _write_columns(group: Any, columns: dict[str, np.ndarray]) -> None:
    for name, column in columns.items():
        write_array(group, name, column)


def _gathered(
    pieces: Iterator[dict[str, np.ndarray]],
) -> Iterator[dict[str, np.ndarray]]:
    """Small pieces put together to some MB."""
    waiting: list[dict[str, np.ndarray]] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += sum(it.nbytes for it in piece.values())
        if size >= SPAN_BYTES:
            yield {n: np.concatenate([it[n] for it in waiting]) for n in piece}
            waiting, size = [], 0
    if waiting:
        yield {n: np.concatenate([it[n] for it in waiting]) for n in waiting[0]}


_PLACES = re.compile(r"(?:[A-Za-z]:)?(?:[\\/][^\\/\s\"'<>|:,;()]+){2,}")


def without_places(event: Event) -> Event:
    """An event as it may be shared: without folders, user and machine."""
    return msgspec.convert(_redacted_value(msgspec.to_builtins(event)), Event)


def _redacted_value(value: Any) -> Any:
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, dict):
        return {_redacted_value(k): _redacted_value(v) for k, v in value.items()}
    return [_redacted_value(it) for it in value] if isinstance(value, list) else value


def redacted(text: str) -> str:
    """The text with folders cut off from file names, and names of people hidden."""
    text = _PLACES.sub(lambda it: re.split(r"[\\/]", it.group())[-1], text)
    for name, mark in (
        (_name(getuser), "<user>"),
        (_name(socket.gethostname), "<host>"),
    ):
        if len(name) > 2:
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", mark, text)
    return text


def _name(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except (OSError, KeyError, ImportError):
        return ""


__all__ = ["MINARI", "write_session"]
