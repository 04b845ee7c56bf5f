"""A folder of numbered PNG pictures: lossless, and every program can read it."""

from __future__ import annotations

import errno
import os
import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from engine.media.frames import checked
from engine.media.leftovers import part
from engine.media.problems import MediaProblem


class PngEncoder:
    """``NAME/000000.png`` and so on; the folder appears when it is complete."""

    def __init__(self, path: Path, fps: Fraction) -> None:
        self._path = path
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise MediaProblem(
                f"The pictures could not be written: '{path.name}' exists and is "
                "not an empty folder. Choose another name."
            )
        self._part = part(path)
        shutil.rmtree(self._part, ignore_errors=True)
        self._part.mkdir()
        self._count = 0

    def add(self, frame: np.ndarray) -> None:
        """Write the next picture."""
        image = Image.fromarray(checked(frame))
        with (self._part / f"{self._count:06d}.png").open("wb") as file:
            image.save(file, "PNG", compress_level=3)
        self._count += 1

    def finish(self) -> None:
        """Give the folder its name."""
        if self._path.is_dir():
            self._path.rmdir()
        elif self._path.exists():
            raise FileExistsError(errno.EEXIST, "it exists", str(self._path))
        os.replace(self._part, self._path)

    def abandon(self) -> None:
        """Remove the unfinished folder."""
        shutil.rmtree(self._part, ignore_errors=True)
