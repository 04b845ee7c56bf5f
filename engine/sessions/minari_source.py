"""A Minari data set, read by a process under limits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from engine.sessions.minari_layout import DATA_FOLDER, MAIN_FILE, METADATA_FILE
from engine.sessions.problems import SessionProblem
from engine.sessions.reader import ANSWER_S, Reader

_MODULE = "engine.sessions.minari_process"


class MinariSource:
    """The episodes of a data set; close it, or use it as a context.

    Attributes:
      about: What it says of itself; see
        :func:`engine.sessions.minari_reading.description`. ``episodes`` counts them,
        ``rank`` is that of the stored observations, 0 where they have parts.
    """

    def __init__(self, reader: Reader, about: dict[str, Any]) -> None:
        self._reader, self.about = reader, about

    @classmethod
    def open(cls, path: Path) -> MinariSource:
        """Open a data set: its folder, the ``data`` in it, or the file in that.

        Raises:
          SessionProblem: If there is none, or it is refused.
        """
        folder = find_data(path)
        files = [folder / MAIN_FILE, folder / METADATA_FILE]
        words = [str(it.absolute()) for it in files]
        reader = Reader(MAIN_FILE, words, _MODULE)
        with ExitStack() as unless_opened:
            unless_opened.callback(reader.close)
            reader.receive(0, ANSWER_S)
            about = reader.ask("about", ANSWER_S)
            unless_opened.pop_all()
        return cls(reader, dict(about))

    def close(self) -> None:
        """End the process."""
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def episodes(self) -> Iterator[dict[str, Any]]:
        """The episodes in turn, as they are stored.

        Raises:
          SessionProblem: At the first that cannot be read.
        """
        for number in range(int(self.about["episodes"])):
            yield dict(self._reader.ask("episode", ANSWER_S, number=number))


def find_data(path: Path) -> Path:
    """The folder that holds a data set's two files.

    Raises:
      SessionProblem: If there is none.
    """
    folder = path.parent if path.name == MAIN_FILE else path
    for it in (folder, folder / DATA_FOLDER):
        if (it / MAIN_FILE).exists() and (it / METADATA_FILE).exists():
            return it
    if (folder / METADATA_FILE).exists() or (folder / DATA_FOLDER).is_dir():
        raise SessionProblem(
            f"'{path.name}' holds no {MAIN_FILE}: only Minari data sets with "
            "data_format 'hdf5' can be imported. Write it again in that format."
        )
    raise SessionProblem(
        f"There is no Minari data set '{path.name}'. Name the folder that holds "
        f"'{DATA_FOLDER}/{MAIN_FILE}'."
    )
