"""The slider of the training axis: as recorded, then every kept checkpoint."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QAbstractSlider, QSizePolicy

from rllab_gui.theme import Theme

RECORDED_PX = 26
"""Room at the left for the place *as recorded*, which is no training step."""


class CheckpointSlider(QAbstractSlider):
    """Its value counts: 0 is as recorded, 1 the first checkpoint, and so on.

    Checkpoints stand where their steps are, so that gaps between them are seen.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._steps: tuple[int, ...] = ()
        self._best = -1
        self._shown: tuple[tuple[int, ...], int, int] = ((), -1, -2)
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setPageStep(5)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)

    def sizeHint(self) -> QSize:
        """One line high."""
        return QSize(self._theme.px(160), self._theme.px(24))

    def show_steps(self, steps: Sequence[int], best: int, chosen: int) -> None:
        """Offer these checkpoints; what is chosen stays so, wherever it stands now."""
        shown = (tuple(steps), best, chosen)
        if shown == self._shown:
            return
        self._shown = shown
        self._steps, self._best = tuple(steps), best
        at = self._steps.index(chosen) + 1 if chosen in self._steps else 0
        self.blockSignals(True)
        self.setRange(0, len(self._steps))
        self.setValue(at)
        self.blockSignals(False)
        self.setEnabled(bool(self._steps))
        self.update()

    def step_of(self, value: int) -> int:
        """The training step of a value; -1 as recorded."""
        return self._steps[value - 1] if 0 < value <= len(self._steps) else -1

    def place_of(self, value: int) -> QPointF:
        """Where a value stands, in pixels; a click there chooses it."""
        middle, side = self.height() / 2, self._theme.px(8)
        if value <= 0 or not self._steps:
            return QPointF(side, middle)
        left, right = side + self._theme.px(RECORDED_PX), self.width() - side
        share = self._steps[value - 1] / max(self._steps[-1], 1)
        return QPointF(left + share * (right - left), middle)

    def nearest(self, x: float) -> int:
        """The value whose place is nearest to these pixels."""
        values = range(self.maximum() + 1)
        return min(values, key=lambda it: abs(self.place_of(it).x() - x))

    # --------------------------------------------------------------- events

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the nearest."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self.setValue(self.nearest(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """A drag chooses, the pointer alone tells what stands here."""
        at = self.nearest(event.position().x())
        if self.isSliderDown():
            self.setValue(at)
        else:
            self.setToolTip(self.words(at))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The drag has ended."""
        self.setSliderDown(False)

    def words(self, value: int) -> str:
        """What choosing a value means."""
        step = self.step_of(value)
        if step < 0:
            return "As recorded: what the agent thought when it played"
        best = ", which evaluated best" if step == self._best else ""
        return f"Let the weights of step {step:,} judge{best}"

    def paintEvent(self, event: QPaintEvent) -> None:
        """A line with a tick for each checkpoint, a star for the best, the handle."""
        tokens, small = self._theme.tokens, self._theme.px(4)
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(tokens.axis), 1))
            middle = self.height() / 2
            if self._steps:
                start = self.place_of(0).x() + self._theme.px(RECORDED_PX)
                end = self.place_of(len(self._steps)).x()
                painter.drawLine(QLineF(start, middle, end, middle))
            for value in range(1, len(self._steps) + 1):
                x = self.place_of(value).x()
                painter.drawLine(QLineF(x, middle - small, x, middle + small))
            self._paint_recorded(painter)
            if self._best in self._steps:
                at = self.place_of(self._steps.index(self._best) + 1)
                self._paint_best(painter, at - QPointF(0, self._theme.px(8)))
            self._paint_handle(painter)

    def _paint_recorded(self, painter: QPainter) -> None:
        size = self._theme.px(5)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(self.place_of(0), size, size)

    def _paint_best(self, painter: QPainter, at: QPointF) -> None:
        """A small triangle that points down at the tick."""
        size = self._theme.px(4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.tokens.good))
        corners = [QPointF(-size, -size), QPointF(size, -size), QPointF(0, size)]
        painter.drawPolygon(QPolygonF([at + it for it in corners]))

    def _paint_handle(self, painter: QPainter) -> None:
        tokens, size = self._theme.tokens, self._theme.px(6)
        colour = tokens.accent if self.isEnabled() else tokens.muted
        at = self.place_of(self.value())
        painter.setPen(QPen(QColor(tokens.panel), 1))
        painter.setBrush(QColor(colour))
        painter.drawRoundedRect(
            QRectF(at.x() - size / 2, at.y() - size, size, 2 * size), 2, 2
        )
        if self.hasFocus():
            painter.setPen(QPen(QColor(tokens.accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 3, 3)
