"""GIF films, written frame by frame so that memory does not grow with length.

Pillow's own ``save_all`` keeps every frame until the end. Here Pillow encodes one
changed rectangle at a time, with colours of its own, and the few bytes of the
file's frame (header, loop, trailer) are written here.
"""

from __future__ import annotations

import math
import os
import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import GifImagePlugin, Image, ImageChops

from engine.media.frames import checked, fitted, scaled
from engine.media.leftovers import part

FASTEST = 25
"""Pictures per second; viewers slow down GIFs with much shorter delays."""

LONGEST_SIDE = 640
"""Larger pictures are scaled down; a GIF is for a slide or a web page."""


class GifEncoder:
    """An endlessly looping GIF that keeps time: faster films lose pictures."""

    def __init__(self, path: Path, fps: Fraction) -> None:
        self._path = path
        self._part = part(path)
        self._file = self._part.open("wb")
        self._every = max(1, math.ceil(fps / FASTEST))
        self._hundredths = Fraction(100 * self._every) / fps
        self._seen = self._written = 0
        self._previous: Image.Image | None = None
        self._pending: tuple[Image.Image, tuple[int, int]] | None = None
        self._last: np.ndarray | None = None

    def add(self, frame: np.ndarray) -> None:
        """Append a picture; one that comes too fast for a GIF is skipped."""
        self._last = checked(frame)
        if self._seen % self._every == 0:
            self._take(self._last)
            self._last = None
        self._seen += 1

    def _take(self, frame: np.ndarray) -> None:
        size = fitted((frame.shape[0], frame.shape[1]), LONGEST_SIDE)
        image = Image.fromarray(scaled(frame, size))
        if self._previous is None:
            self._file.write(_header(image.size))
            self._pending = (image, (0, 0))
        else:
            box = ImageChops.difference(image, self._previous).getbbox()
            left, top, right, bottom = box or (0, 0, 1, 1)
            self._write_pending()
            self._pending = (image.crop((left, top, right, bottom)), (left, top))
        self._previous = image

    def _write_pending(self) -> None:
        """Write the rectangle whose time on screen is now known."""
        if self._pending is None:
            return
        image, offset = self._pending
        colours = image.quantize(
            256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
        )
        # Delays are whole hundredths; differences of the rounded clock never drift.
        now = round(self._hundredths * self._written)
        self._written += 1
        delay = max(2, round(self._hundredths * self._written) - now)
        for block in GifImagePlugin.getdata(
            colours, offset, duration=10 * delay, disposal=1, include_color_table=True
        ):
            self._file.write(block)

    def finish(self) -> None:
        """Write the last picture (never skipped) and the trailer; take the name."""
        if self._last is not None:
            self._take(self._last)
        self._write_pending()
        self._file.write(b";")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        os.replace(self._part, self._path)

    def abandon(self) -> None:
        """Remove the unfinished file."""
        try:
            self._file.close()
        except OSError:
            # What could not be flushed is thrown away with the file.
            self._pending = None
        self._part.unlink(missing_ok=True)


def _header(size: tuple[int, int]) -> bytes:
    """Signature, canvas without a global palette, and *loop for ever*."""
    screen = b"GIF89a" + struct.pack("<HHBBB", *size, 0x70, 0, 0)
    return screen + b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
