"""Drawing of DeepSea."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.contract.grid_layouts import Layout
from engine.environments.worlds import canvas
from engine.environments.worlds.canvas import Canvas, tint
from engine.environments.worlds.grid_drawing import (
    GridPainter,
    Tile,
    square,
)

_SAND = (226, 208, 170)


class SeaPainter:
    """The sea with the way of the dive so far."""

    def __init__(self, layout: Layout) -> None:
        self._grid = GridPainter(layout, _TILES)

    def paint(self, trail: Sequence[int], *, found: bool) -> np.ndarray:
        """``trail`` has the cells of the dive down to the present one."""
        side = self._grid.cell_px
        corners = [self._grid.corner(cell) for cell in trail]
        picture = self._grid.ground()
        sheet = Canvas(*picture.get_size())
        centres = [(x + side / 2, y + side / 2) for x, y in corners]
        sheet.line(centres, tint(canvas.AGENT, 0.45), max(2, 0.1 * side))
        if found:
            sheet.disc(centres[-1], 0.46 * side, canvas.GOAL)
        sheet.agent(centres[-1], 0.34 * side, (0.0, 1.0))
        picture.blit(sheet.finished(), (0, 0))
        return canvas.pixels(picture)


def _plain(colour: canvas.Colour) -> Tile:
    return lambda sheet, side: square(sheet, side, 0.02, colour)


_TILES: dict[str, Tile] = {
    "w": _plain((233, 243, 250)),
    "-": _plain((190, 208, 224)),
    "f": _plain(_SAND),
}
