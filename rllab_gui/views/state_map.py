"""The scatter of states: colours by value, symbols by who chose, one pinned point."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QPolygonF

from engine.contract.messages import EmbeddingReport
from rllab_gui.plots.base import PlotView
from rllab_gui.plots.items import Symbols
from rllab_gui.plots.numbers import count, short
from rllab_gui.plots.ranges import Exact
from rllab_gui.theme import Theme
from rllab_gui.views.embedding_points import ColourScale

LEVELS = 64
NEAR_PX = 8


@dataclass(frozen=True, slots=True)
class Shade:
    """What the colour of the points may say.

    Attributes:
      title: In the box that chooses. words: Before the scale.
      log: The scale is one of log(1 + x), for counts from 0 to very many.
      signed: The scale is centred at 0, in colours that diverge from there.
    """

    title: str
    words: str
    log: bool = False
    signed: bool = False

    def written(self, value: float) -> str:
        """A value as a person reads it; counts are whole numbers."""
        return count(round(value)) if self.log else short(value)


SHADES = {
    "value": Shade("V(s)", "V(s) = max Q(s,a)"),
    "visits": Shade("visits", "visits so far", log=True),
    "bonus": Shade("bonus", "bonus β/√n for reaching it"),
    "disagreement": Shade("disagreement", "spread of Q(s,a) between members"),
    "exact": Shade("V*(s), exact", "exact solution V*(s)"),
    "error": Shade("V − V*", "error V(s) − V*(s)", signed=True),
}


@cache
def _shades(name: str = "viridis") -> list[str]:
    table = pg.colormap.get(name).getLookupTable(nPts=LEVELS)
    return [QColor(*row[:3]).name() for row in table.tolist()]


def viridis(share: float) -> str:
    """The colour at this place of a scale, from 0 to 1."""
    return _shades()[round(share * (LEVELS - 1))]


def diverging(share: float) -> str:
    """The same of a scale whose middle is 0."""
    return _shades("CET-D1")[round(share * (LEVELS - 1))]


def scale_html(shade: Shade, scale: ColourScale) -> str:
    """Both ends and the middle of a colour scale, as rich text."""
    paint = diverging if shade.signed else viridis
    ends = (scale.low, (scale.low + scale.high) / 2, scale.high)
    marks = [
        f'<span style="color:{paint(at)}">●</span>'
        f"&nbsp;{shade.written(math.expm1(value) if shade.log else value)}"
        for at, value in zip((0.0, 0.5, 1.0), ends, strict=True)
    ]
    return f"{shade.words} {' '.join(marks)}"


class StateMap(PlotView):
    """A plot without numbers on its axes, for they would mean nothing.

    Attributes:
      shade: What is coloured, a name of :data:`SHADES`.
      colours: Its scale, viridis; frozen until asked.
      positions: Where the points are drawn, float [n, 2].

    Signals:
      lassoed(object): A lasso was drawn round these points, int [k].
    """

    lassoed = Signal(object)

    def __init__(self, title: str, theme: Theme) -> None:
        self.shade = "value"
        self.colours = ColourScale()
        self.positions = np.empty((0, 2))
        self._shades = _shades()
        self._brushes = np.array([pg.mkBrush(it) for it in self._shades], object)
        super().__init__(
            "embedding", title, theme, x=Exact(-1.05, 1.05), y=Exact(-1.05, 1.05)
        )
        for axis in ("left", "bottom"):
            self.item.hideAxis(axis)
        self._greedy = Symbols(size=6, pxMode=True, symbol="o")
        self._explored = Symbols(size=8, pxMode=True, symbol="t")
        self._pin = Symbols(size=14, pxMode=True, symbol="o", brush=None)
        self._chosen = Symbols(size=9, pxMode=True, symbol="o", brush=None)
        for symbols in (self._greedy, self._explored, self._chosen, self._pin):
            self.item.addItem(symbols)
        self._lasso = pg.PlotCurveItem()
        self.item.addItem(self._lasso, ignoreBounds=True)
        self._canvas.box.has_lasso = True
        self._canvas.box.lassoed.connect(self._on_lasso)
        self.restyle()

    def colour_by(self, name: str) -> None:
        """Let the colours say something else, on a scale of its own."""
        if name != self.shade:
            self.shade, self.colours = name, ColourScale()

    def values(self, report: EmbeddingReport) -> np.ndarray:
        """What is coloured, as it is placed on the scale, float [n]."""
        values = report.value if self.shade == "value" else report.extras[self.shade]
        if not SHADES[self.shade].log:
            return np.asarray(values, np.float64)
        placed: np.ndarray = np.log1p(np.asarray(values, np.float64))
        return placed

    def show_points(self, report: EmbeddingReport, positions: np.ndarray) -> None:
        """Draw the points of this report at these positions."""
        self.positions = positions
        shade = np.round(self.colours.take(self.values(report)) * (LEVELS - 1)).astype(
            int
        )
        explored = np.asarray(report.exploring, bool)
        for item, which in ((self._greedy, ~explored), (self._explored, explored)):
            item.setData(
                x=positions[which, 0],
                y=positions[which, 1],
                brush=self._brushes[shade[which]],
                pen=self._rim,
            )
        self.set_model(
            x=positions[:, 0],
            y=positions[:, 1],
            value=np.asarray(report.value),
            **{name: np.asarray(it) for name, it in report.extras.items()},
            point_id=np.asarray(report.point_ids),
            exploring=explored,
        )

    def mark(self, which: np.ndarray) -> None:
        """Draw rings round the selected points, bool [n]; empty takes them away."""
        spots = self.positions[which] if len(which) else np.empty((0, 2))
        self._chosen.setData(x=spots[:, 0], y=spots[:, 1])

    def _on_lasso(self, way: list[QPointF], done: bool) -> None:
        """Show the way of the lasso; when it is let go, what is in it is picked."""
        x, y = [it.x() for it in way], [it.y() for it in way]
        self._lasso.setData([] if done else x, [] if done else y)
        if done:
            polygon = QPolygonF(way)
            rule = Qt.FillRule.OddEvenFill
            inside = [
                index
                for index, (px, py) in enumerate(self.positions.tolist())
                if polygon.containsPoint(QPointF(px, py), rule)
            ]
            self.lassoed.emit(np.array(inside, np.int64))

    def pin(self, index: int) -> None:
        """Draw a ring round this point; -1 takes it away."""
        spot = self.positions[index : index + 1] if index >= 0 else np.empty((0, 2))
        self._pin.setData(x=spot[:, 0], y=spot[:, 1])

    def nearest(self, x: float, y: float) -> int:
        """The point under the pointer; -1 where there is none."""
        if not len(self.positions):
            return -1
        dx, dy = self.item.getViewBox().viewPixelSize()
        away = np.hypot(
            (self.positions[:, 0] - x) / dx, (self.positions[:, 1] - y) / dy
        )
        index = int(np.argmin(away))
        return index if away[index] <= NEAR_PX else -1

    def point_pos(self, index: int) -> QPoint:
        """Where a point is, in pixels of the canvas."""
        x, y = self.positions[index]
        return self.pixel_of(float(x), float(y))

    def scale_html(self) -> str:
        """The colour scale as rich text, with the share of values beyond it."""
        scale = self.colours
        beyond = f" ({100 * scale.clipped:.1f} % beyond)" if scale.clipped else ""
        return f"{scale_html(SHADES[self.shade], scale)}{beyond}"

    def restyle(self) -> None:
        """Take over the colours of the theme; the values keep theirs."""
        super().restyle()
        self._rim = self.pen(self.theme.tokens.muted, opacity=0.35)
        if hasattr(self, "_pin"):
            self._pin.setPen(self.pen(self.theme.tokens.text))
            self._chosen.setPen(self.pen(self.theme.tokens.warning))
            self._lasso.setPen(self.pen(self.theme.tokens.warning))
        self.item.showGrid(x=False, y=False)
