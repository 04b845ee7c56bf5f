"""A session file that is open, and access to its parts under the rules."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np

from engine.sessions.hdf5 import MAJOR, MINOR
from engine.sessions.hdf5_reading import StrictFile
from engine.sessions.problems import SessionProblem
from engine.sessions.regular_file import open_regular
from engine.sessions.rules import Rules
from engine.sessions.seal import SealedReader
from engine.sessions.session_rules import HEAD, TABLES, Table, foreign, obey

EAGER_BYTES = 256 << 20
"""A file up to this size is verified as a whole when it is opened."""

KNOWN = {
    "config_json",
    "env_json",
    "views_json",
    "progress_json",
    "events_json",
    "metrics",
    "finished",
    "evaluations",
    "episodes",
    "recorded",
    "checkpoints",
}


class SessionParts:
    """What every question about a session file needs.

    Attributes:
      path: The file.
      skipped: Top-level parts that this version does not know (a newer minor
        version wrote them).
    """

    def __init__(self, path: Path, file: BinaryIO, reader: SealedReader) -> None:
        self.path, self._file, self._reader = path, file, reader
        self._strict = StrictFile(reader, path.name)
        self._problems: list[str] = []
        self._root = self._strict.attributes()
        self._check_version()
        self.skipped = sorted(set(self._strict.names()) - KNOWN)

    @classmethod
    def open(cls, path: Path | str, *, verify: bool | None = None) -> Self:
        """Open a session file; only what RL Lab wrote passes.

        Args:
          path: ``NAME.h5``.
          verify: Check every block now. By default files up to 256 MB; of larger
            ones each block is checked before its data are used.

        Raises:
          SessionProblem: If it is missing, damaged, foreign, or of a newer version.
        """
        path = Path(path)
        return cls.of(path, open_regular(path), verify=verify)

    @classmethod
    def of(cls, path: Path, file: BinaryIO, *, verify: bool | None = None) -> Self:
        """As :meth:`open`, of a file that is open already."""
        with ExitStack() as unless_opened:
            unless_opened.callback(file.close)
            reader = SealedReader(file, path.name)
            if verify or (verify is None and reader.length <= EAGER_BYTES):
                reader.verify()
                reader.check()
            found = cls(path, file, reader)
            unless_opened.pop_all()
        return found

    def close(self) -> None:
        """Let go of the file."""
        self._strict.close()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def name(self) -> str:
        """The session's name, without folder and ending."""
        return self.path.stem

    @property
    def is_newer(self) -> bool:
        """Whether a later version of the lab wrote it; it is only read then."""
        return int(self._root.get("format_minor", 0)) > MINOR

    @property
    def steps(self) -> int:
        """Training steps, from the file's head."""
        return int(self._root.get("steps", 0))

    def _columns(
        self,
        path: str,
        names: tuple[str, ...],
        types: dict[str, str],
        equal: int | None = None,
    ) -> dict[str, np.ndarray]:
        found = {name: self._strict.array(f"{path}/{name}") for name in names}
        kinds = {name: np.dtype(it).kind for name, it in types.items()}
        self._obey(TABLES, Table(path, found, kinds, equal))
        return found

    def _mapping(self, path: str) -> dict[str, Any]:
        found = self._strict.json(path)
        if not isinstance(found, dict):
            raise self._foreign(f"'{path}' is not a table of values")
        return found

    def _obey(self, which: Rules[Any], subject: Any) -> None:
        obey(which, subject, self.path.name)

    def _check_version(self) -> None:
        self._obey(HEAD, self._root)
        major, minor = (self._root.get(f"format_{it}", 0) for it in ("major", "minor"))
        if major > MAJOR:
            raise SessionProblem(
                f"'{self.path.name}' was written by a newer RL Lab (format {major}."
                f"{minor}; this one reads up to {MAJOR}.{MINOR}). Update RL Lab.",
                "newer",
            )

    def _foreign(self, reason: str) -> SessionProblem:
        return foreign(self.path.name, reason)
