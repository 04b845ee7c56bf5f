"""Checking and scaling of pictures; a picture is uint8 [H, W, 3]."""

from __future__ import annotations

import numpy as np
from PIL import Image

from engine.media.problems import MediaProblem


def checked(frame: np.ndarray) -> np.ndarray:
    """The same picture, contiguous.

    Raises:
      MediaProblem: If it is not uint8 [H, W, 3] with at least one pixel.
    """
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
        raise MediaProblem(
            f"A picture must be uint8 [H, W, 3], not {frame.dtype} "
            f"{list(frame.shape)}: the environment renders something else."
        )
    if 0 in frame.shape:
        raise MediaProblem("A picture without pixels cannot be filmed.")
    return np.ascontiguousarray(frame)


def fitted(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """(height, width) scaled so that the longer side is at most ``longest``."""
    factor = min(1.0, longest / max(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def scaled(frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The picture at (height, width).

    Enlarging by whole numbers keeps hard pixel edges, as small grid worlds need
    them; everything else is averaged over areas.
    """
    height, width = size
    if frame.shape[:2] == (height, width):
        return frame
    whole = height % frame.shape[0] == 0 and width % frame.shape[1] == 0
    method = Image.Resampling.NEAREST if whole else Image.Resampling.BOX
    image = Image.fromarray(np.ascontiguousarray(frame))
    return np.asarray(image.resize((width, height), method))


def even(frame: np.ndarray) -> np.ndarray:
    """The picture with even height and width; the last row or column is doubled."""
    extra_rows, extra_columns = frame.shape[0] % 2, frame.shape[1] % 2
    if not extra_rows and not extra_columns:
        return frame
    return np.pad(frame, ((0, extra_rows), (0, extra_columns), (0, 0)), mode="edge")
