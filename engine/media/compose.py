"""One picture from the frame and what belongs to that very step."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from engine.media import panels as draw_panel
from engine.media.frames import checked, fitted, scaled
from engine.media.panels import Box
from engine.media.scene import Panels, Scene
from engine.media.themes import THEMES

TITLE_HEIGHT = 40
COLUMN_WIDTH = 300
LEAST_HEIGHT = 320
LONGEST_SIDE = 960
MARGIN = 8


def compose(
    frame: np.ndarray,
    scene: Scene,
    panels: Panels | None = None,
    theme: str = "light",
) -> np.ndarray:
    """The frame with its panels, uint8 [H, W, 3].

    The size depends on the frame's size and the panels only, so that all pictures
    of a film have one size.

    Raises:
      MediaProblem: If the frame is not a picture.
    """
    panels = Panels() if panels is None else panels
    picture = scaled(checked(frame), _frame_size(frame, panels))
    if panels == Panels(title=False, q=False, value=False):
        return picture
    top = TITLE_HEIGHT if panels.title else 0
    width = picture.shape[1] + (COLUMN_WIDTH if panels.column else 0)
    colours = THEMES[theme]
    canvas = Image.new("RGB", (width, picture.shape[0] + top), colours.ground)
    canvas.paste(Image.fromarray(picture), (0, top))
    pen = draw_panel.Pen(ImageDraw.Draw(canvas), colours)
    if panels.title:
        draw_panel.title_bar(pen, Box(0, 0, width, top), scene.title, scene.caption)
    _column(pen, Box(picture.shape[1], top, width, canvas.height), scene, panels)
    return np.asarray(canvas)


def _column(pen: draw_panel.Pen, column: Box, scene: Scene, panels: Panels) -> None:
    q_box, value_box = column.split(0.5) if panels.q and panels.value else (column,) * 2
    if panels.q:
        draw_panel.q_bars(pen, q_box.inset(MARGIN), scene)
    if panels.value:
        draw_panel.value_graph(pen, value_box.inset(MARGIN), scene)


def _frame_size(frame: np.ndarray, panels: Panels) -> tuple[int, int]:
    """Large enough to read the panels beside it, and no larger than a screen."""
    height, width = frame.shape[:2]
    if panels.column and height < LEAST_HEIGHT:
        times = -(-LEAST_HEIGHT // height)
        height, width = height * times, width * times
    return fitted((height, width), LONGEST_SIDE)
