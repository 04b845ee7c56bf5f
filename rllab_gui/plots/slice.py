"""A picture over two numbers of a state: colours, iso-lines, where the agent was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtWidgets import QWidget

from rllab_gui.plots.base import PlotView
from rllab_gui.plots.canvas import DecadeAxis
from rllab_gui.plots.cells import Cells
from rllab_gui.plots.items import Symbols
from rllab_gui.plots.maps import MapsCanvas
from rllab_gui.plots.ranges import Exact
from rllab_gui.theme import Theme

LEVELS = 6
"""Iso-lines between the smallest and the largest value."""
HATCH = 8
"""Pixels of the hatching for each point of the grid."""
EVERY = 4
"""Of which every so many-th diagonal is drawn."""


@dataclass(frozen=True, eq=False)
class Slice:
    """What is painted.

    Attributes:
      x, y: Values along the axes, float [n].
      shades: Colours of the grid, uint8 [n, n, 3] by (y, x).
      heights: Values between which iso-lines run, float [n, n]; None for none.
      visited: States seen at each point, int [n, n].
      path: The way of the episode, float [T+1, 2].
      here: The step at the cursor, float [2].
    """

    x: np.ndarray
    y: np.ndarray
    shades: np.ndarray
    heights: np.ndarray | None
    visited: np.ndarray
    path: np.ndarray
    here: np.ndarray


class SlicePlot(PlotView):
    """Colours over two axes; what nobody visited is hatched, for it is a guess.

    Attributes:
      maps: In the place of the axes for a world that is a grid: all its cells.
    """

    def __init__(self, plot_id: str, title: str, theme: Theme) -> None:
        bottom = DecadeAxis("bottom")
        bottom.logarithmic = False
        super().__init__(plot_id, title, theme, x=Exact(), y=Exact(), bottom=bottom)
        self._image, self._hatch = (pg.ImageItem(axisOrder="row-major") for _ in "12")
        self._lines = [pg.PlotCurveItem() for _ in range(LEVELS)]
        self._path = pg.PlotCurveItem()
        self._here = Symbols(size=11, pxMode=True, symbol="o")
        items = (self._image, *self._lines, self._hatch, self._path, self._here)
        for depth, item in enumerate(items):
            item.setZValue(depth - len(items))
            self.item.addItem(item, ignoreBounds=True)
        self.maps = MapsCanvas(theme)
        self.maps.setObjectName(f"plot.{plot_id}.maps")
        self.maps.setAccessibleName(title)
        self.maps.hide()
        self._layout.insertWidget(1, self.maps, 1)
        self.restyle()

    def show_maps(self, maps: Sequence[tuple[str, Cells]]) -> None:
        """Paint all cells of a world, once for each of these."""
        self._put(self.maps)
        self.maps.show_maps(maps)

    def _put(self, canvas: QWidget) -> None:
        """Let one of the two be what is seen and exported."""
        if self.canvas is not canvas:
            self.canvas.hide()
            self.canvas = canvas
            canvas.show()

    def show_slice(self, shown: Slice) -> None:
        """Paint this."""
        self._put(self._canvas)
        place = _rect(shown.x, shown.y)
        self._image.setImage(shown.shades, autoLevels=False, levels=(0, 255))
        self._image.setRect(place)
        self._hatch.setImage(self._hatching(shown.visited == 0), autoLevels=False)
        self._hatch.setRect(place)
        self._draw_lines(shown)
        self._path.setData(shown.path[:, 0], shown.path[:, 1])
        self._here.setData([shown.here[0]], [shown.here[1]])
        ends = (place.left(), place.right()), (place.top(), place.bottom())
        self.include(*ends)

    def _draw_lines(self, shown: Slice) -> None:
        levels = np.full(LEVELS, np.nan)
        if shown.heights is not None and np.ptp(shown.heights) > 0:
            low, high = float(shown.heights.min()), float(shown.heights.max())
            levels = np.linspace(low, high, LEVELS + 2)[1:-1]
        for line, level in zip(self._lines, levels.tolist(), strict=True):
            line.setVisible(bool(np.isfinite(level)))
            if np.isfinite(level) and shown.heights is not None:
                x, y = _iso_line(shown, level)
                line.setData(x, y, connect="finite")

    def _hatching(self, where: np.ndarray) -> np.ndarray:
        """Diagonal lines over these points, uint8 [n·HATCH, n·HATCH, 4]."""
        wide = np.kron(where, np.ones((HATCH, HATCH), bool))
        rows, columns = np.indices(wide.shape)
        line = wide & ((rows + columns) % (HATCH * EVERY // 2) < 2)
        shade = 255 if self.theme.is_dark else 0
        found = np.zeros((*wide.shape, 4), np.uint8)
        found[line] = (shade, shade, shade, 120)
        return found

    def restyle(self) -> None:
        """Take over the colours of the theme."""
        super().restyle()
        if not hasattr(self, "_here"):
            return
        self.maps.update()
        tokens = self.theme.tokens
        for line in self._lines:
            line.setPen(self.pen("#ffffff", opacity=0.6))
        self._path.setPen(self.pen("#ffffff"))
        self._here.setPen(pg.mkPen("#000000", width=1))
        self._here.setBrush(pg.mkBrush(tokens.warning))


def _rect(x: np.ndarray, y: np.ndarray) -> QRectF:
    """The grid with half a step round it."""
    half_x, half_y = (x[1] - x[0]) / 2, (y[1] - y[0]) / 2
    wide, high = x[-1] - x[0] + 2 * half_x, y[-1] - y[0] + 2 * half_y
    return QRectF(x[0] - half_x, y[0] - half_y, wide, high)


def _iso_line(shown: Slice, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Places of one height as lines, NaN between them."""
    parts = pg.functions.isocurve(shown.heights, level, connected=True)
    rows: list[tuple[float, float]] = []
    for part in parts:
        rows += [*part, (np.nan, np.nan)]
    at = np.array(rows, np.float64).reshape(-1, 2) - 0.5
    step_x, step_y = shown.x[1] - shown.x[0], shown.y[1] - shown.y[0]
    return shown.x[0] + at[:, 1] * step_x, shown.y[0] + at[:, 0] * step_y
