"""pyqtgraph's canvas with our manners: wheel, keys, clicks, ticks."""

from __future__ import annotations

import math
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGraphicsItem, QWidget

from rllab_gui.plots.numbers import tick

pg.setConfigOptions(antialias=False, useOpenGL=False)


class CalmViewBox(pg.ViewBox):  # type: ignore[misc]
    """Zooms by wheel only while its plot has the focus, or with Ctrl.

    Signals:
      picked(QPointF): A click at this place, in units of the axes.
      doublePicked(): A double click.
      lassoed(list of QPointF, bool): The way of the pointer with Shift, so far, and
        whether the button was let go; only where ``has_lasso``.
    """

    picked = Signal(QPointF)
    doublePicked = Signal()
    lassoed = Signal(list, bool)

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.disableAutoRange()
        self.has_lasso = False
        self._lasso: list[QPointF] = []

    def wheelEvent(self, event: Any, axis: int | None = None) -> None:
        """Pass the wheel on to what scrolls around the plot, unless it is meant."""
        view = self.getViewWidget()
        control = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if control or (view is not None and view.hasFocus()):
            super().wheelEvent(event, axis)
        else:
            event.ignore()

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:
        """With Shift draw a lasso round points; else move or zoom."""
        shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if not self.has_lasso or not (shift or self._lasso):
            super().mouseDragEvent(event, axis)
            return
        event.accept()
        if event.isStart():
            self._lasso = [QPointF(self.mapToView(event.buttonDownPos()))]
        self._lasso.append(QPointF(self.mapToView(event.pos())))
        way, done = list(self._lasso), bool(event.isFinish())
        if done:
            self._lasso = []
        self.lassoed.emit(way, done)

    def mouseClickEvent(self, event: Any) -> None:
        """Tell a click from a double click."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        event.accept()
        if event.double():
            self.doublePicked.emit()
        else:
            self.picked.emit(QPointF(self.mapToView(event.pos())))


class Canvas(pg.PlotWidget):  # type: ignore[misc]
    """The drawing area of one plot.

    Signals:
      autoAsked(): The key A: automatic axes, please.
      pointerLeft(): The pointer is elsewhere.
    """

    autoAsked = Signal()
    pointerLeft = Signal()

    def __init__(self, axes: dict[str, pg.AxisItem]) -> None:
        self.box = CalmViewBox()
        super().__init__(viewBox=self.box, axisItems=axes, enableMenu=False)
        item = self.getPlotItem()
        item.hideButtons()
        for axis in axes.values():
            # Curves move under the axes thirty times a second, axes seldom change.
            axis.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        item.setDownsampling(auto=True, mode="peak")
        item.setClipToView(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """A returns to automatic axes, where no command has that key."""
        if event.key() == Qt.Key.Key_A and not event.modifiers():
            self.autoAsked.emit()
        else:
            QWidget.keyPressEvent(self, event)

    def leaveEvent(self, event: QEvent) -> None:
        """Say that the pointer has gone."""
        super().leaveEvent(event)
        self.pointerLeft.emit()


class CountAxis(pg.AxisItem):  # type: ignore[misc]
    """Ticks as 500, 20k, 1.5M."""

    def tickStrings(
        self, values: list[float], scale: float, spacing: float
    ) -> list[str]:
        """Labels of these ticks."""
        return [tick(float(f"{value * scale:.6g}")) for value in values]


class DecadeAxis(pg.AxisItem):  # type: ignore[misc]
    """Ticks of a log10 axis at whole decades; what lies at the floor is called 0.

    Attributes:
      logarithmic: False makes it a plain axis.
      floor: Where zeros are drawn, in log10 units; None where there are none.
    """

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation)
        self.logarithmic = True
        self.floor: float | None = None

    def set_floor(self, floor: float | None) -> None:
        """Zeros are drawn here from now on."""
        if floor != self.floor:
            self.floor = floor
            self.redraw()

    def redraw(self) -> None:
        """Make the ticks anew although the range is the same."""
        self.picture = None
        self.update()

    def boundingRect(self) -> QRectF:
        """With room for half a label beyond either end of an upright axis."""
        bounds = QRectF(super().boundingRect())
        upright = self.orientation in ("left", "right")
        return bounds.adjusted(0, -16, 0, 16) if upright else bounds

    def tickValues(
        self, low: float, high: float, size: float
    ) -> list[tuple[float, list[float]]]:
        """Whole decades, thinned to what has room."""
        if not self.logarithmic:
            return list(super().tickValues(low, high, size))
        if high - low < 1.0 and self.floor is None:
            return list(super().tickValues(low, high, size))
        first = math.ceil(low - 1e-9)
        if self.floor is not None:
            first = max(first, math.floor(self.floor) + 1)
        room = 26.0 if self.orientation in ("left", "right") else 44.0
        every = max(1, math.ceil((high - low) * room / max(size, 1.0)))
        values = [float(v) for v in range(first, math.floor(high + 1e-9) + 1, every)]
        if self.floor is not None and low <= self.floor <= high:
            near = self.floor + 0.7 * room * (high - low) / max(size, 1.0)
            values = [self.floor, *(value for value in values if value > near)]
        return [(float(every), values)]

    def tickStrings(
        self, values: list[float], scale: float, spacing: float
    ) -> list[str]:
        """0.001, 0.01, ... or 10⁻⁶ where that would be long."""
        if not self.logarithmic:
            return [tick(float(f"{value * scale:.6g}")) for value in values]
        return [self._word(value) for value in values]

    def _word(self, value: float) -> str:
        if self.floor is not None and value <= self.floor + 1e-9:
            return "0"
        if abs(value - round(value)) > 1e-6:
            return f"{10.0**value:.3g}"
        decade = round(value)
        if -3 <= decade <= 4:
            return f"{10.0**decade:g}"
        return "10" + str(decade).translate(_RAISED)


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
