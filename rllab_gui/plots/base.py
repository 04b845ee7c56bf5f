"""The base of all plots with axes: calm ranges, thin lines, one cursor, one theme."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QPen, QResizeEvent

from rllab_gui.plots.canvas import Canvas, CountAxis, DecadeAxis
from rllab_gui.plots.frame import PlotFrame
from rllab_gui.plots.items import Marker, MarkerTicks
from rllab_gui.plots.numbers import extent, log_extent, log_with_zero
from rllab_gui.plots.ranges import AxisRange, GrowingDecades
from rllab_gui.theme import Theme

LABEL_FROM = 200
"""Height in pixels from which there is room for the name of the x axis."""
LEAST_CANVAS = 44
"""Pixels in which an axis and a strip above it have room."""
ZERO_BELOW = 0.7
"""How far below the lowest decade the bin of zeros lies, in decades."""


class PlotView(PlotFrame):
    """One plot with an x axis and a y axis.

    The axes are in one of two modes. *Auto*: ``include`` makes room for new data,
    seldom and only outwards. *Manual*, after any zoom of the person's: nothing but
    the person moves them, until A, a double click or the chip says Auto.

    Args:
      x, y: How the axes grow.
      log: Whether y starts logarithmic; None if that makes no sense here.
      smoothing: Factor that the moving average starts with; None for no smoothing.
      bottom: An axis of its own kind for x.

    Signals:
      picked(float x, float y): A click, in units of the data.
      pointed(float x, float y): The pointer is there.
      pointerLeft(): The pointer has left.
      rangeMoved(): The shown range is another one.
    """

    picked = Signal(float, float)
    pointed = Signal(float, float)
    pointerLeft = Signal()
    rangeMoved = Signal()

    def __init__(
        self,
        plot_id: str,
        title: str,
        theme: Theme,
        *,
        x: AxisRange,
        y: AxisRange,
        log: bool | None = None,
        smoothing: float | None = None,
        bottom: pg.AxisItem | None = None,
        **more: Any,
    ) -> None:
        super().__init__(plot_id, title, theme, log=log, smoothing=smoothing, **more)
        self._ranges = {"x": x, "y": y, "log": GrowingDecades()}
        self.log = bool(log)
        self._zeros = False
        self._right_axes: list[Any] = []
        self._named = False, False
        self.left = DecadeAxis("left")
        self.left.logarithmic = self.log
        self.bottom = bottom if bottom is not None else CountAxis("bottom")
        self._canvas = Canvas({"left": self.left, "bottom": self.bottom})
        self.item = self._canvas.getPlotItem()
        self.markers = MarkerTicks()
        self._cursor = pg.InfiniteLine(angle=90)
        self._ghost = pg.InfiniteLine(angle=90)
        self._furnish()
        self.set_canvas(self._canvas)
        self._connect_canvas()
        self.fit()

    def _furnish(self) -> None:
        self.item.addItem(self.markers, ignoreBounds=True)
        for line in (self._cursor, self._ghost):
            line.setZValue(10)
            line.hide()
            self.item.addItem(line, ignoreBounds=True)
        for axis in (self.left, self.bottom):
            axis.enableAutoSIPrefix(False)
            # The third level would be lines that nobody sees, and they cost the most.
            axis.setStyle(tickLength=-4, hideOverlappingLabels=40, maxTickLevel=1)

    def _connect_canvas(self) -> None:
        box = self._canvas.box
        box.sigRangeChangedManually.connect(lambda *_: self.set_auto(False))
        box.sigRangeChanged.connect(lambda *_: self._on_range())
        box.picked.connect(lambda at: self.picked.emit(at.x(), at.y()))
        box.doublePicked.connect(lambda: self.set_auto(True))
        self._canvas.autoAsked.connect(lambda: self.set_auto(True))
        self._canvas.pointerLeft.connect(self.pointerLeft)
        self._canvas.scene().sigMouseMoved.connect(self._on_pointer)
        box.sigResized.connect(lambda *_: self._space_labels())

    # ---------------------------------------------------------------- ranges

    def include(self, x: Any, y: Any) -> None:
        """Make room for these data; the picture moves only in the mode *Auto*."""
        wide, tall = extent(x), extent(y)
        moved = wide is not None and self._ranges["x"].include(*wide)
        moved = (tall is not None and self._ranges["y"].include(*tall)) or moved
        lows = log_extent(y)
        moved = (lows is not None and self._ranges["log"].include(*lows)) or moved
        zeros = self.log and bool(np.any(np.asarray(y) <= 0.0))
        moved = moved or (zeros and not self._zeros)
        self._zeros = self._zeros or zeros
        if moved and self._auto:
            self.fit()

    def fit(self) -> None:
        """Bring the automatic ranges into view."""
        if not hasattr(self, "item"):
            return
        left, right = self._ranges["x"].range
        low, high = self._ranges["log" if self.log else "y"].range
        self.left.set_floor(self.floor if self.log and self._zeros else None)
        if self.left.floor is not None:
            low = self.left.floor - 0.2
        self.item.getViewBox().setRange(
            xRange=(left, right), yRange=(low, high), padding=0.0
        )

    @property
    def floor(self) -> float:
        """Where zeros lie on the logarithmic axis, in log10 units."""
        return self._ranges["log"].range[0] - ZERO_BELOW

    def heights(self, values: Any) -> np.ndarray:
        """Values as places on the y axis, whichever form it has."""
        if self.log:
            return log_with_zero(values, self.floor)
        return np.asarray(values, dtype=np.float64)

    def start_again(
        self, *, x: AxisRange | None = None, y: AxisRange | None = None
    ) -> None:
        """Forget the ranges, because the data are others; maybe grow differently."""
        self._ranges["x"] = x or self._ranges["x"]
        self._ranges["y"] = y or self._ranges["y"]
        for growing in self._ranges.values():
            growing.reset()
        self._zeros = False
        self.set_auto(True)

    def shown_range(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """What can be seen: (left, right), (low, high)."""
        (left, right), (low, high) = self.item.getViewBox().viewRange()
        return (float(left), float(right)), (float(low), float(high))

    def pixels(self, wide: float) -> float:
        """How many pixels so much of the horizontal axis takes."""
        (left, right), _ = self.shown_range()
        return float(self._canvas.width()) * wide / max(right - left, 1e-12)

    def zoom_to(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        """Show just this, as a person does who zooms."""
        self.set_auto(False)
        self.item.getViewBox().setRange(xRange=x, yRange=y, padding=0.0)

    def _on_range(self) -> None:
        self.rangeMoved.emit()

    def _on_log(self, log: bool) -> None:
        self.log = log
        self.left.logarithmic = log
        self._zeros = False
        self.left.redraw()
        super()._on_log(log)
        self.set_auto(True)

    # ---------------------------------------------------------------- drawing

    def line(self, colour: str, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> Any:
        """A curve of one pixel; give it data with ``setData(x, y)``."""
        curve = self.item.plot(pen=self.pen(colour, style))
        curve.setSkipFiniteCheck(False)
        return curve

    def add_right_axis(self, text: str = "") -> tuple[Any, Any]:
        """A second scale, 0 to 1, for shares: its view box and its axis."""
        box, axis = pg.ViewBox(enableMenu=False), pg.AxisItem("right")
        self.item.layout.addItem(axis, 2, 3)
        self.item.scene().addItem(box)
        axis.linkToView(box)
        axis.setTicks([[(share, f"{share:g}") for share in (0.0, 0.5, 1.0)]])
        axis.setLabel(text)
        axis.showLabel(bool(text))
        main = self.item.getViewBox()
        box.setXLink(main)
        box.setMouseEnabled(x=False, y=False)
        box.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        box.setYRange(0.0, 1.05, padding=0.0)
        box.setZValue(1)
        main.sigResized.connect(lambda *_: box.setGeometry(main.sceneBoundingRect()))
        self._right_axes.append(axis)
        self.restyle()
        return box, axis

    @staticmethod
    def pen(
        colour: str, style: Qt.PenStyle = Qt.PenStyle.SolidLine, opacity: float = 1.0
    ) -> QPen:
        """A cosmetic pen of one pixel: wider ones cost ten times as much to draw."""
        shade = QColor(colour)
        shade.setAlphaF(opacity)
        pen = QPen(shade, 1, style)
        pen.setCosmetic(True)
        return pen

    def set_labels(self, x: str = "", y: str = "") -> None:
        """Name the axes, with their units."""
        for axis, text in ((self.bottom, x), (self.left, y)):
            axis.setLabel(text)
        self._named = bool(x), bool(y)
        self._space_labels()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In little room the axes go without their names."""
        super().resizeEvent(event)
        self._space_labels()

    def _space_labels(self) -> None:
        """Axis text close to the axis, and room for a label at the right end."""
        below, beside = self._named
        labelled = below and self.height() >= self.theme.px(LABEL_FROM)
        self.bottom.showLabel(labelled)
        # It stands in the middle of the axis and may reach over its upper margin.
        long, axis = self.left.label.boundingRect().width(), self.left.size().height()
        self.left.showLabel(beside and long <= axis + 2 * self.theme.px(7))
        height = self.theme.px(34 if labelled else 18)
        moved = self.bottom.height() != height
        self.bottom.setHeight(height)
        self.item.layout.setContentsMargins(0, self.theme.px(7), self.theme.px(16), 0)
        if moved:
            # By itself it waits for the next turn of the loop: painted once before,
            # the name of the axis would lie on its numbers.
            self.item.layout.activate()

    def set_markers(self, markers: Sequence[Marker]) -> None:
        """Show what happened as vertical ticks with a tooltip."""
        self.markers.set_markers(markers)

    def set_cursor(self, x: float | None) -> None:
        """Put the cursor line here, or take it away; ranges do not move."""
        _place(self._cursor, x)

    def set_ghost(self, x: float | None) -> None:
        """Put the ghost cursor here, or take it away."""
        _place(self._ghost, x)

    def cursor_x(self) -> float | None:
        """Where the cursor line is, None where it is hidden."""
        return float(self._cursor.value()) if self._cursor.isVisible() else None

    def pixel_of(self, x: float, y: float) -> QPoint:
        """Where this place of the axes is on the canvas, for tests and tooltips."""
        scene = self.item.getViewBox().mapViewToScene(QPointF(x, y))
        at: QPoint = self._canvas.mapFromScene(scene)
        return at

    def _on_pointer(self, place: QPointF) -> None:
        box = self.item.getViewBox()
        if box.sceneBoundingRect().contains(place):
            at = box.mapSceneToView(place)
            self.pointed.emit(at.x(), at.y())
        else:
            self.pointerLeft.emit()

    # ------------------------------------------------------------------ looks

    def restyle(self) -> None:
        """Take over the colours and sizes of the theme."""
        super().restyle()
        tokens = self.theme.tokens
        self._canvas.setBackground(tokens.panel)
        for axis in (self.left, self.bottom, *self._right_axes):
            axis.setPen(self.pen(tokens.axis))
            axis.setTextPen(QColor(tokens.muted))
            axis.setTickFont(self.theme.font(relative=0.82))
            axis.label.setFont(self.theme.font(relative=0.82))
        self.left.setWidth(self.theme.px(52))
        self._canvas.setMinimumHeight(self.theme.px(LEAST_CANVAS))
        self._space_labels()
        self.item.showGrid(x=False, y=True, alpha=0.12)
        self.markers.set_colour(tokens.warning)
        self._cursor.setPen(self.pen(tokens.accent))
        self._ghost.setPen(self.pen(tokens.muted, Qt.PenStyle.DotLine))


def _place(line: Any, x: float | None) -> None:
    if x is None:
        line.hide()
    else:
        line.setValue(x)
        line.show()
