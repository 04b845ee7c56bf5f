"""What the contents of a session must be like: named rules, as :mod:`rules` has them.

A file can obey every rule of HDF5 and still lie: columns of different lengths, counts
below zero, a checkpoint under another number. What passes here can be shown, stored
and continued without a further look at types and lengths.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.contract.messages import Event
from engine.sessions.hdf5 import SESSION
from engine.sessions.problems import SessionProblem
from engine.sessions.recorded import KINDS
from engine.sessions.rules import Rules, broken

LARGEST = 2**53
"""Counts and steps are whole in a float too."""
LONGEST_TEXT = 4096
LATEST = 253_402_300_799
"""The last second of the year 9999; dates end there."""

_HEAD: dict[str, tuple[type, ...]] = {
    "format": (str,),
    "format_major": (int,),
    "format_minor": (int,),
    "writer": (str,),
    "uuid": (str,),
    "parent_uuid": (str,),
    "steps": (int,),
    "updates": (int,),
    "episodes": (int,),
    "complete": (int,),
    "created": (int, float),
    "sealed": (int, float),
}
_ROW = {"step", "update", "episode", "number", "replay_slots"}
_EPISODE = (
    "actions",
    "rewards",
    "terminations",
    "truncations",
    "explored",
    "life_lost",
)
_EPISODE_AND_END = ("observations", "observation_crc", "q_values", "frames")


def obey(which: Rules[Any], subject: Any, name: str) -> None:
    """Refuse what breaks a rule.

    Raises:
      SessionProblem: If it does; ``name`` is that of the file.
    """
    if reason := broken(which, subject):
        raise foreign(name, reason)


def foreign(name: str, reason: str) -> SessionProblem:
    """The sentence for a file whose contents are not those of a session."""
    return SessionProblem(
        f"'{name}' is not a session that can be opened: {reason}. Only files that "
        "RL Lab wrote can be opened.",
        "foreign",
    )


def _types(head: dict[str, Any]) -> str:
    wrong = [
        name
        for name, types in _HEAD.items()
        if name in head and not isinstance(head[name], types)
    ]
    return f"its '{wrong[0]}' is of another type" if wrong else ""


def _counts(values: dict[str, Any]) -> str:
    numbers = ((name, it) for name, it in values.items() if isinstance(it, int))
    wrong = [name for name, it in numbers if not 0 <= it <= LARGEST]
    return f"its '{wrong[0]}' is no count" if wrong else ""


def _times(head: dict[str, Any]) -> str:
    wrong = [n for n in ("created", "sealed") if not 0 <= head.get(n, 0) <= LATEST]
    return f"its '{wrong[0]}' is no time" if wrong else ""


def _texts(values: dict[str, Any]) -> str:
    texts = ((name, it) for name, it in values.items() if isinstance(it, str))
    wrong = [name for name, it in texts if len(it) > LONGEST_TEXT]
    return f"its '{wrong[0]}' is too long" if wrong else ""


HEAD: Rules[dict[str, Any]] = {
    "format": lambda it: (
        "" if it.get("format") == SESSION.decode() else "it is another kind of file"
    ),
    "types of the head": _types,
    "version": lambda it: (
        "" if {"format_major", "format_minor"} <= set(it) else "it has no version"
    ),
    "counts of the head": _counts,
    "times of the head": _times,
    "texts of the head": _texts,
}


@dataclass(frozen=True, slots=True)
class Row:
    """The attributes of a checkpoint, and the name of its group."""

    name: str
    attributes: dict[str, Any]


def _row_types(row: Row) -> str:
    texts = {"reason", "sha256_state"}
    numbers = _ROW | {"rows", "replay_row"}
    wrong = [
        name
        for name, it in row.attributes.items()
        if (name in numbers and not isinstance(it, int))
        or (name in texts and not isinstance(it, str))
    ]
    return f"'{wrong[0]}' of a checkpoint is of another type" if wrong else ""


def _row_counts(row: Row) -> str:
    wrong = [
        name
        for name, it in row.attributes.items()
        if name in _ROW and not 0 <= it <= LARGEST
    ]
    return f"'{wrong[0]}' of a checkpoint is no count" if wrong else ""


ROWS: Rules[Row] = {
    "types of a checkpoint": _row_types,
    "counts of a checkpoint": _row_counts,
    "texts of a checkpoint": lambda it: _texts(it.attributes),
    "number of a checkpoint": lambda it: (
        ""
        if it.name == f"ck_{it.attributes.get('number', 0)}"
        else "a checkpoint has another number than its name"
    ),
}


@dataclass(frozen=True, slots=True)
class Table:
    """Columns; the first ``equal`` of them have equal lengths (all, if None)."""

    path: str
    columns: dict[str, np.ndarray]
    kinds: Mapping[str, str]
    equal: int | None = None


def _one_dimension(table: Table) -> str:
    wrong = [name for name, it in table.columns.items() if it.ndim != 1]
    return f"'{table.path}/{wrong[0]}' is not a column" if wrong else ""


def _equal_lengths(table: Table) -> str:
    lengths = {len(it) for it in list(table.columns.values())[: table.equal]}
    return f"the columns of '{table.path}' differ in length" if len(lengths) > 1 else ""


def _kinds(table: Table) -> str:
    wrong = [
        name
        for name, it in table.columns.items()
        if it.dtype.kind not in table.kinds.get(name, "biuf")
    ]
    return f"'{table.path}/{wrong[0]}' is of another type" if wrong else ""


TABLES: Rules[Table] = {
    "columns": _one_dimension,
    "types of columns": _kinds,
    "lengths of columns": _equal_lengths,
}


def _shares(table: Table) -> str:
    counts = table.columns["count"]
    share = [len(table.columns[name]) for name in ("returns", "lengths")]
    right = (counts > 0).all() and share == [int(counts.sum())] * 2
    return "" if right else "the returns of its evaluations are not those counted"


EVALUATION = {
    "step": "i8",
    "update": "i8",
    "best": "b1",
    "wall_time": "f8",
    "count": "i8",
    "returns": "f8",
    "lengths": "i8",
}
"""Columns of the evaluations; the last two hold all their returns and lengths."""

EVALUATIONS: Rules[Table] = {"shares of evaluations": _shares}


def _episode_lengths(record: dict[str, Any]) -> str:
    length = len(np.atleast_1d(record.get("actions", [])))
    wrong = [
        name
        for names, allowed in (
            (_EPISODE, (length,)),
            (_EPISODE_AND_END, (length, length + 1)),
        )
        for name in names
        if name in record and len(np.atleast_1d(record[name])) not in allowed
    ]
    return f"'{wrong[0]}' of an episode has another length" if wrong else ""


def _episode_numbers(record: dict[str, Any]) -> str:
    numbers = ("episode", "step0", "environment", "seed", "checkpoint_step")
    wrong = [n for n in numbers if n in record and not isinstance(record[n], int)]
    return f"'{wrong[0]}' of an episode is no whole number" if wrong else ""


def _pictures(frames: np.ndarray, dimensions: tuple[int, ...]) -> str:
    coloured = frames.ndim == 3 or frames.shape[-1:] == (3,)
    drawn = frames.dtype == np.uint8 and frames.ndim in dimensions and coloured
    return "" if drawn else "the frames of an episode are no pictures"


PICTURES: Rules[np.ndarray] = {"pictures": lambda it: _pictures(it, (4,))}
"""Of frames that are read by themselves, to be shown."""


def _episode_arrays(record: dict[str, Any]) -> str:
    names = (*_EPISODE, *_EPISODE_AND_END)
    wrong = [n for n in names if n in record and not isinstance(record[n], np.ndarray)]
    return f"'{wrong[0]}' of an episode is no array" if wrong else ""


EPISODES: Rules[dict[str, Any]] = {
    "actions": lambda it: (
        ""
        if getattr(it.get("actions"), "ndim", 0) == 1
        else "an episode has no actions"
    ),
    "arrays of an episode": _episode_arrays,
    "numbers of an episode": _episode_numbers,
    "kind of an episode": lambda it: (
        "" if it.get("kind") in KINDS else "an episode is of no known kind"
    ),
    "lengths of an episode": _episode_lengths,
    "pictures of an episode": lambda it: (
        _pictures(it["frames"], (3, 4)) if "frames" in it else ""
    ),
}


def _within(numbers: Iterable[Any]) -> bool:
    return all(isinstance(it, int) and abs(it) <= LARGEST for it in numbers)


def _pairs(progress: dict[str, Any]) -> str:
    right = all(
        isinstance(it, list) and len(it) == 2 and _within(it) and min(it) >= -1
        for it in progress.values()
    )
    return "" if right else "its progress is not told in pairs of counts"


PROGRESS: Rules[dict[str, Any]] = {"pairs of progress": _pairs}
EVENTS: Rules[tuple[int, Event]] = {
    "numbers of an event": lambda it: (
        "" if _within((it[0], it[1].step)) else "an event is of no step"
    ),
    "time of an event": lambda it: (
        "" if 0 <= it[1].wall_time <= LATEST else "an event is of no time"
    ),
}


@dataclass(frozen=True, slots=True)
class Slots:
    """A stored replay memory, and how many slots there can be."""

    lines: dict[str, np.ndarray]
    most: int

    @property
    def slots(self) -> np.ndarray:
        """Where each line goes."""
        return self.lines.get("slot", np.empty(0))


def _slot_range(it: Slots) -> str:
    inside = not it.slots.size or (it.slots.min() >= 0 and it.slots.max() < it.most)
    return "" if inside else "its replay memory has slots that cannot be"


def _slot_lengths(it: Slots) -> str:
    lengths = {len(column) for column in it.lines.values() if column.ndim}
    return "the columns of its replay differ in length" if len(lengths) > 1 else ""


SLOTS: Rules[Slots] = {
    "slots are numbers": lambda it: (
        "" if it.slots.dtype.kind in "iu" else "the slots of its replay are no numbers"
    ),
    "range of slots": _slot_range,
    "lengths of the replay": _slot_lengths,
}
ORDERS: Rules[list[Any]] = {
    "order of series": lambda it: (
        "" if _within(it) else "the order of its series is not told in numbers"
    )
}
