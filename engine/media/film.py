"""Writing films: one interface, one file per format.

A film grows frame by frame under another name and takes its real name only when
it is complete, so that a file of that name is always whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Protocol

import numpy as np

from engine.media.gif import GifEncoder
from engine.media.leftovers import rescue
from engine.media.mp4 import Mp4Encoder
from engine.media.png import PngEncoder
from engine.media.problems import MediaCancelled, MediaProblem, writing_problem


class Encoder(Protocol):
    """What a format must do; errors of the system may pass through as OSError."""

    def add(self, frame: np.ndarray) -> None:
        """Append a picture, uint8 [H, W, 3]; all have the size of the first."""

    def finish(self) -> None:
        """Complete the film and give it its name."""

    def abandon(self) -> None:
        """Remove everything that was written; may be called at any time, twice."""


KINDS: dict[str, Callable[[Path, Fraction], Encoder]] = {
    "mp4": Mp4Encoder,
    "gif": GifEncoder,
    "png": PngEncoder,
}


class Film:
    """A film that is being written; as a context it ends whole or not at all.

    Attributes:
      path: The name that it gets.
      frames: Pictures so far.
    """

    def __init__(self, path: Path, encoder: Encoder) -> None:
        self.path = path
        self.frames = 0
        self._encoder = encoder
        self._shape: tuple[int, ...] = ()
        self._open = True

    def add(self, frame: np.ndarray) -> None:
        """Append a picture.

        Raises:
          MediaProblem: If it has another size than the first, or cannot be
            written; the film is gone then.
        """
        if self._shape and frame.shape != self._shape:
            self.abandon()
            raise MediaProblem(
                f"The film '{self.path.name}' could not go on: the picture changed "
                f"its size from {self._shape[1]} x {self._shape[0]} to "
                f"{frame.shape[1]} x {frame.shape[0]}. Record it in two parts."
            )
        self._shape = frame.shape
        self._guarded(lambda: self._encoder.add(frame))
        self.frames += 1

    def finish(self) -> None:
        """Complete it; raises MediaProblem, also for a film without a picture."""
        if not self.frames:
            self.abandon()
            raise MediaProblem(
                f"The film '{self.path.name}' would be empty: nothing was shown."
            )
        self._guarded(self._encoder.finish)
        self._open = False

    def abandon(self) -> None:
        """Stop and leave nothing behind; does nothing after :meth:`finish`."""
        if self._open:
            self._open = False
            self._encoder.abandon()

    def __enter__(self) -> Film:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.abandon()
        elif self._open:
            self.finish()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except OSError as error:
            self.abandon()
            raise writing_problem(self.path, error) from error
        except BaseException:  # also Ctrl+C must not leave half a film behind
            self.abandon()
            raise


def open_film(path: str | Path, fps: float, kind: str = "") -> Film:
    """Begin a film; without a kind the suffix of the path says it.

    Raises:
      MediaProblem: If there is no such format, no encoder for it, or the folder
        cannot be written to.
    """
    path = Path(path)
    kind = kind or path.suffix.lstrip(".").lower()
    if kind not in KINDS:
        raise MediaProblem(
            f"There is no film format '{kind}'. Choose one of {', '.join(KINDS)}."
        )
    rate = Fraction(fps).limit_denominator(1000)
    if rate <= 0:
        raise MediaProblem(f"A film needs more than {fps} frames per second.")
    try:
        rescue(path)  # of a film whose writer was killed, with all who knew of it
        return Film(path, KINDS[kind](path, rate))
    except OSError as error:
        raise writing_problem(path, error) from error


def encode_video(
    path: str | Path,
    frames: Iterable[np.ndarray],
    fps: float,
    kind: str = "",
    progress: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> int:
    """Write all frames as one film and return how many there were.

    Args:
      path: ``NAME.mp4``, ``NAME.gif``, or the folder of a sequence of pictures.
      frames: Pictures, uint8 [H, W, 3], all of one size.
      fps: Pictures per second.
      kind: ``mp4``, ``gif`` or ``png``; empty takes the suffix of ``path``.
      progress: Called with the number of pictures written so far.
      cancelled: Asked before each picture.

    Raises:
      MediaProblem: If it cannot be written; the sentence says why.
      MediaCancelled: If ``cancelled`` said so; nothing is left on disk.
    """
    with open_film(path, fps, kind) as film:
        for frame in frames:
            if cancelled is not None and cancelled():
                raise MediaCancelled(str(path))
            film.add(frame)
            if progress is not None:
                progress(film.frames)
    return film.frames
