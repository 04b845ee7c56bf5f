"""Things drawn in a plot that pyqtgraph does not have, or not cheaply enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QToolTip

from rllab_gui.plots.polygons import polygon

DOTS_SHOWN = 4_000
"""More dots than this are thinned: smallest, largest and two others of each group."""
_GROUP = 8


class Dots(pg.GraphicsObject):  # type: ignore[misc]
    """Many small square dots of one colour; far cheaper than a scatter of symbols."""

    def __init__(self, size: int = 3) -> None:
        super().__init__()
        self._size = size
        self._pen = QPen()
        self._bounds = QRectF()
        self._points = QPolygonF()

    def set_colour(self, colour: str, opacity: float = 1.0) -> None:
        """Draw in this colour."""
        shade = QColor(colour)
        shade.setAlphaF(opacity)
        self._pen = QPen(shade, self._size)
        self._pen.setCosmetic(True)
        self.update()

    def set_data(self, x: np.ndarray, y: np.ndarray) -> None:
        """Show these points; those that are not finite are left out."""
        x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        known = np.isfinite(x) & np.isfinite(y)
        if not known.all():
            x, y = x[known], y[known]
        bounds = QRectF()
        if len(x):
            left, low = float(x.min()), float(y.min())
            bounds = QRectF(left, low, float(x.max()) - left, float(y.max()) - low)
        if len(x) > DOTS_SHOWN:
            shown = thinned(y)
            x, y = x[shown], y[shown]
        self.prepareGeometryChange()
        self._bounds = bounds
        self._points = polygon(x, y)
        self.update()

    def boundingRect(self) -> QRectF:
        """Extent in units of the axes, with room for the dots at the rim."""
        wide, high = self.pixelSize()
        dx, dy = self._size * abs(wide or 0.0), self._size * abs(high or 0.0)
        return self._bounds.adjusted(-dx, -dy, dx, dy)

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Draw all dots at once."""
        # Qt draws a point as a line of 1/63 unit: do it in pixels, not in units.
        places = painter.worldTransform().map(self._points)
        painter.save()
        painter.resetTransform()
        painter.setPen(self._pen)
        painter.drawPoints(places)
        painter.restore()


class Symbols(pg.ScatterPlotItem):  # type: ignore[misc]
    """Symbols that leave a click to the plot, which knows what is near."""

    def mouseClickEvent(self, event: Any) -> None:
        """Not mine."""
        event.ignore()


def thinned(values: np.ndarray) -> np.ndarray:
    """Indices of at most about ``DOTS_SHOWN`` values; extremes of groups stay."""
    per = max(_GROUP, -(-len(values) * 4 // DOTS_SHOWN))
    groups = len(values) // per
    block = values[: groups * per].reshape(groups, per)
    base = per * np.arange(groups)
    shown = np.zeros(len(values), bool)
    for picked in (block.argmin(axis=1), block.argmax(axis=1), 0, per // 2):
        shown[base + picked] = True
    shown[groups * per :] = True
    return np.flatnonzero(shown)


@dataclass(frozen=True, slots=True)
class Marker:
    """Something that happened at a place of the x axis."""

    x: float
    text: str


class MarkerTicks(pg.GraphicsObject):  # type: ignore[misc]
    """Vertical ticks for what happened, over the whole height; hovering tells what."""

    NEAR_PX = 5

    def __init__(self) -> None:
        super().__init__()
        self.markers: tuple[Marker, ...] = ()
        self._pen = QPen()
        self.setAcceptHoverEvents(True)
        self.setZValue(5)

    def set_colour(self, colour: str) -> None:
        """Draw in this colour."""
        self._pen = QPen(QColor(colour), 1, Qt.PenStyle.DashLine)
        self._pen.setCosmetic(True)
        self.update()

    def set_markers(self, markers: Sequence[Marker]) -> None:
        """Show these, in place of what was."""
        if tuple(markers) != self.markers:
            self.markers = tuple(markers)
            self.update()

    def boundingRect(self) -> QRectF:
        """All that can be seen."""
        return QRectF(self.viewRect())

    def viewRangeChanged(self) -> None:
        """The view has moved: so has the extent of the ticks."""
        self.prepareGeometryChange()

    def paint(self, painter: QPainter, *_: Any) -> None:
        """One line and one small flag at the top for each."""
        view = self.boundingRect()
        painter.setPen(self._pen)
        dx, dy = self.pixelSize()
        for marker in self.markers:
            if view.left() <= marker.x <= view.right():
                # y grows upwards in a plot: the top of the picture is "bottom"
                top = QPointF(marker.x, view.bottom())
                painter.drawLine(QPointF(marker.x, view.top()), top)
                flag = [top, top + QPointF(6 * dx, 0), top + QPointF(0, -9 * dy)]
                painter.setBrush(self._pen.color())
                painter.drawPolygon(QPolygonF(flag))

    def at(self, x: float) -> list[Marker]:
        """Those within a few pixels of this place."""
        box = self.getViewBox()
        near = self.NEAR_PX * abs(box.viewPixelSize()[0])
        return [marker for marker in self.markers if abs(marker.x - x) <= near]

    def hoverEvent(self, event: Any) -> None:
        """Tell what happened where the pointer is."""
        if event.isExit():
            return
        here = self.at(event.pos().x())
        if here:
            text = "\n".join(marker.text for marker in here[:6])
            QToolTip.showText(event.screenPos().toPoint(), text)
