"""Pictures for environments that do not draw themselves."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

SIDE_PX = 400
_SMALLEST_PX = 160
_PALETTE = np.array(
    [
        (24, 26, 32),
        (86, 180, 233),
        (230, 159, 0),
        (120, 124, 135),
        (0, 158, 115),
        (213, 94, 0),
        (204, 121, 167),
        (240, 228, 66),
        (0, 114, 178),
        (170, 170, 170),
        (255, 255, 255),
    ],
    np.uint8,
)
"""Background, then one colour for each plane (Okabe and Ito's, for all eyes)."""


def planes_picture(planes: np.ndarray, side_px: int = SIDE_PX) -> np.ndarray:
    """Bit planes [H, W, C] as a picture; later planes cover earlier ones."""
    count = planes.shape[2]
    order = np.arange(1, count + 1) * (planes > 0)
    colours = _PALETTE[1 + (order.max(axis=2) - 1) % (len(_PALETTE) - 1)]
    colours[order.max(axis=2) == 0] = _PALETTE[0]
    return enlarged(colours, side_px)


def enlarged(picture: np.ndarray, least_px: int = _SMALLEST_PX) -> np.ndarray:
    """Small pictures by a whole factor, so that their pixels stay square."""
    factor = max(1, least_px // min(picture.shape[:2]))
    if factor == 1:
        return picture
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)


def plain_picture(
    title: str, observation: np.ndarray, why: str = "has no picture of its own"
) -> np.ndarray:
    """An image observation itself, or a vector as one bar for each number."""
    if observation.ndim == 3:
        return enlarged(_as_rgb(observation), SIDE_PX)
    canvas = Image.new("RGB", (SIDE_PX, SIDE_PX), (24, 26, 32))
    draw = ImageDraw.Draw(canvas)
    draw.text((16, 12), f"{title} {why}", fill=(200, 204, 212))
    height = (SIDE_PX - 60) / max(len(observation), 1)
    for index, value in enumerate(np.tanh(observation).tolist()):
        top = 44 + index * height
        left, right = sorted((SIDE_PX / 2, SIDE_PX / 2 * (1 + 0.9 * value)))
        draw.rectangle((left, top, right, top + max(height - 2, 1)), (86, 180, 233))
    return np.asarray(canvas)


def _as_rgb(image: np.ndarray) -> np.ndarray:
    if image.shape[2] >= 3:
        return image[:, :, :3]
    return np.repeat(image[:, :, :1], 3, axis=2)
