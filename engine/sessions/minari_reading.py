"""A Minari data set of a stranger, read by rules of its own; nothing in it is run.

What holds for session files holds here too: hard links only, plain numbers, no
external or virtual storage, every chunk decoded by us with a limit. Other is what
Minari writes: there is no seal, the superblock may be an old one, and beside the
arrays that are read stands much that is never opened (infos, options of a reset).
Which environment it is from is read as text: the declaration that gymnasium would
turn into code is taken apart here, and only its name and plain arguments are kept.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, BinaryIO, ClassVar

from engine.sessions.hdf5 import h5py
from engine.sessions.hdf5_reading import StrictFile
from engine.sessions.minari_layout import OPTIONS_KEY, PER_STEP
from engine.sessions.problems import SessionProblem
from engine.sessions.regular_file import ReadOnly
from engine.sessions.rules import Attribute, Rules, Superblock

DESCRIPTION_BYTES = 32 << 20
"""Of ``metadata.json``: the bounds of large pictures are written out in it."""

MAX_EPISODES = 1_000_000
MAX_STEPS = 10_000_000
SIGNATURE = b"\x89HDF\r\n\x1a\n"
BEGINNING: Rules[bytes] = {
    "signature": lambda it: "" if it == SIGNATURE else "it does not begin as HDF5"
}
_TEXT = 200
_BESIDE = ("explored", "q_values")
_RANKS = {"rewards": 1, "terminations": 1, "truncations": 1, "explored": 1}

Episode = dict[str, Any]


class UnsealedContent(ReadOnly):
    """The bytes of a file without a seal.

    Attributes:
      length: How many.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.length = file.seek(0, os.SEEK_END)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move as in any file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Where the next read starts."""
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes."""
        return self._file.read(size)

    def check(self, what: str = "") -> None:
        """There is no seal that could be broken."""


class MinariFile(StrictFile):
    """The episodes of a data set.

    Args:
      file: ``main_data.hdf5``, open.
      name: What messages call it.
    """

    superblock: ClassVar[Rules[Superblock]] = {}  # whatever version HDF5 wrote

    def __init__(self, file: BinaryIO, name: str) -> None:
        content = UnsealedContent(file)
        self._name = name
        content.seek(0)
        self._obey(BEGINNING, content.read(len(SIGNATURE)))
        super().__init__(content, name)

    def episode_count(self) -> int:
        """How many there are: ``episode_0`` and so on.

        Raises:
          SessionProblem: If there are none, or too many.
        """
        count = sum(name.startswith("episode_") for name in self.names())
        if not 0 < count <= MAX_EPISODES:
            raise self._refuse("", f"it holds {count:,} episodes")
        return count

    def rank(self, number: int) -> int:
        """How many dimensions the observations of an episode have as stored."""
        found = self._open(f"episode_{number}/observations")
        if not isinstance(found, h5py.h5d.DatasetID):
            raise self._refuse(f"episode_{number}", "its observations have parts")
        return int(found.rank)

    def read_episode(self, number: int) -> Episode:
        """``observations`` and what belongs to each step, checked for their lengths.

        ``seed`` is -1 where none is recorded.

        Raises:
          SessionProblem: If something is missing or breaks a rule.
        """
        path = f"episode_{number}"
        names = set(self.names(path))
        found: Episode = {"seed": self._seed(path)}
        for name in ("observations", *PER_STEP):
            if name not in names or self.kind(f"{path}/{name}") != "array":
                raise self._refuse(f"{path}/{name}", "it is no array of numbers")
            found[name] = self.array(f"{path}/{name}")
        for name in _BESIDE:
            if name in names:
                found[name] = self.array(f"{path}/{name}")
        self._check_lengths(path, found)
        return found

    def _check_lengths(self, path: str, found: Episode) -> None:
        steps = len(found["actions"]) if found["actions"].ndim else 0
        for name, array in found.items():
            if name == "seed":
                continue
            wanted = steps + (name in ("observations", "q_values"))
            right = array.ndim and len(array) == wanted and 0 < steps <= MAX_STEPS
            if not right or array.ndim != _RANKS.get(name, array.ndim):
                raise self._refuse(f"{path}/{name}", "its length is not that of others")

    def _seed(self, path: str) -> int:
        group = self._group(path)
        with self._careful(path, "its seed cannot be read"):
            if not h5py.h5a.exists(group, b"seed"):
                return -1
            value = self._value(Attribute(h5py.h5a.open(group, b"seed")), path)
        known = isinstance(value, int) and 0 <= value < 2**63
        return value if known else -1

    def _refuse(self, path: str, reason: str) -> SessionProblem:
        what = f"'{path[:80]}' in it" if path else "it"
        return SessionProblem(
            f"'{self._name}' was not imported: {what} is not what Minari writes "
            f"({reason}). Write the data set again, with Minari's own storage.",
            "foreign",
        )


def description(data: bytes, name: str) -> dict[str, Any]:
    """What ``metadata.json`` says, as plain values of known types.

    Returns:
      ``dataset_id``; ``format``; ``jpeg``; ``observations`` and ``actions`` (spaces:
      ``type`` and, where it has them, ``n``, ``start``, ``shape``, ``dtype``);
      ``prepared`` (the lab's own options of the environment, as JSON text, or
      empty); ``environment``, ``kwargs`` and ``time_limit`` as the data set's own
      declaration has them, empty and 0 where there is none; ``other_arguments``
      names arguments that are no single values.

    Raises:
      SessionProblem: If it is no description of a data set.
    """
    about = _mapping(_json(data, name), name)
    declared = about.get("env_spec")
    spec = _mapping(_json(declared, name), name) if declared else {}
    limit = spec.get("max_episode_steps")
    plain, others = _arguments(spec.get("kwargs"))
    return {
        "dataset_id": _text(about.get("dataset_id")),
        "format": _text(about.get("data_format", "hdf5")),
        "jpeg": bool(about.get("jpeg_encoding", True)),
        "observations": _space(about.get("observation_space"), name),
        "actions": _space(about.get("action_space"), name),
        "prepared": str(about.get(OPTIONS_KEY) or "")[: 1 << 16],
        "environment": _text(spec.get("id")),
        "kwargs": plain,
        "other_arguments": others,
        "time_limit": limit if _is_count(limit) else 0,
    }


def _space(text: Any, name: str) -> dict[str, Any]:
    """A space without its bounds; {} where none is described."""
    if not text:
        return {}
    space = _mapping(_json(text, name) if isinstance(text, str) else text, name)
    found: dict[str, Any] = {"type": _text(space.get("type"))}
    for key in ("n", "start"):
        if isinstance(space.get(key), int):
            found[key] = space[key]
    shape = space.get("shape")
    if isinstance(shape, list) and len(shape) <= 8 and all(map(_is_count, shape)):
        found["shape"] = list(shape)
    found["dtype"] = _text(space.get("dtype"))
    return found


def _arguments(values: Any) -> tuple[dict[str, Any], str]:
    """Arguments that are single values, and the names of the others."""
    given = values if isinstance(values, dict) else {}
    given = {k: v for k, v in given.items() if k != "render_mode" and v is not None}
    plain = {k: v for k, v in given.items() if isinstance(v, (bool, int, float, str))}
    return plain, _text(", ".join(sorted(given.keys() - plain.keys())))


def _json(data: Any, name: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, TypeError, RecursionError) as error:
        raise _no_description(name) from error


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _no_description(name)
    return value


def _no_description(name: str) -> SessionProblem:
    return SessionProblem(
        f"'{name}' was not imported: it is not the description of a Minari data set. "
        "Name the folder of one.",
        "foreign",
    )


def _text(value: Any) -> str:
    return value[:_TEXT] if isinstance(value, str) else ""


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
