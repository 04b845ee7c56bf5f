"""The lanes of an episode under one pointer: click seeks, drag scrubs, hover tells."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QVBoxLayout

from rllab_gui.plots.lane_kinds import Overview
from rllab_gui.plots.lanes import Lane, TimeScale
from rllab_gui.plots.zoomed import ZoomedCanvas
from rllab_gui.theme import Theme

GUTTER = 118
"""Room for the names of the lanes, at normal size."""
FOLDED_FIRST = ("reward", "importance", "notes", "surprise")
"""Lanes that go where there is no room for all, in this order."""
GRIP = 5
"""So near to an end of the loop a press takes hold of it, at normal size."""


class TimelineCanvas(ZoomedCanvas):
    """Holds lanes, and turns the pointer into steps.

    Signals:
      seekAsked(int): A click or a drag on this step.
      selected(object): (first, last) of a drag with Shift or of an end; or None.
      selectionEnded(): That drag is over.
      rangeShown(): Other steps are seen.
      hovered(int): The pointer is over this step; -1 when it has left.
    """

    seekAsked = Signal(int)
    selected = Signal(object)
    selectionEnded = Signal()
    rangeShown = Signal()
    hovered = Signal(int)

    def __init__(self, theme: Theme, lanes: Sequence[Lane], scale: TimeScale) -> None:
        super().__init__(theme)
        self.lanes = tuple(lanes)
        self.scale = scale
        self.overview = Overview(theme, scale)
        self.last = 0
        self._from: int | None = None
        self._held: int | None = None
        self.setMouseTracking(True)
        layout = QVBoxLayout(self)
        layout.setSizeConstraint(QVBoxLayout.SizeConstraint.SetNoConstraint)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for lane in (*self.lanes, self.overview):
            layout.addWidget(lane, 0 if lane.fixed else lane.weight)
        self.restyle()

    def restyle(self) -> None:
        """Take over sizes and colours."""
        for lane in (*self.lanes, self.overview):
            lane.fold(lane.folded)
            lane.updateGeometry()
        self._fold()
        self._lay_out()

    def minimumSizeHint(self) -> QSize:
        """Room for the lanes that are never folded."""
        kept = (it for it in self.lanes if it.name not in FOLDED_FIRST)
        return QSize(0, self._least((*kept, self.overview)))

    def _least(self, lanes: Sequence[Lane]) -> int:
        return sum(self._theme.px(it.least) for it in lanes if not it.isHidden())

    def _fold(self) -> None:
        """As many lanes as there is room for, each as high as it can be read."""
        lanes = [*self.lanes, self.overview]
        folded: list[Lane] = []
        for name in FOLDED_FIRST:
            if self._least(lanes) <= self.height():
                break
            folded += [it for it in lanes if it.name == name]
            lanes = [it for it in lanes if it.name != name]
        spare = self.height() - self._least(lanes)
        px = self._theme.px
        folded += [it for it in lanes if it.seen_from and spare < px(it.seen_from)]
        for lane in self.lanes:
            if lane.folded != (lane in folded):
                lane.fold(lane in folded)

    def event(self, event: QEvent) -> bool:
        """A lane has been shown or hidden: another one may have room, or none."""
        if event.type() == QEvent.Type.LayoutRequest:
            self._fold()
        return super().event(event)

    def set_last(self, last: int) -> None:
        """The episode ends at this step; all of it comes into view."""
        self.last = last
        self.show_range(0, last)

    def show_range(self, first: float, last: float) -> None:
        """Show these steps."""
        self.scale.first, self.scale.last = first, max(last, first + 1)
        self.overview.scale.first, self.overview.scale.last = 0, max(self.last, 1)
        self.redraw()
        self.rangeShown.emit()

    def set_loop(self, loop: tuple[int, int] | None) -> None:
        """Show the steps that playing goes round in."""
        if loop != self.scale.loop:
            self.scale.loop = self.overview.scale.loop = loop
            for lane in (*self.lanes, self.overview):
                lane.update()

    def redraw(self) -> None:
        """Values, range or colours are others."""
        for lane in (*self.lanes, self.overview):
            lane.redraw()

    def set_cursors(self, cursor: float, ghost: float = math.nan) -> None:
        """Move the cursor lines through all lanes; NaN hides one."""
        for lane in (*self.lanes, self.overview):
            lane.set_cursors(cursor, ghost)

    def posOf(self, t: int) -> QPoint:
        """Where step ``t`` is, in pixels of this widget; a click there seeks it."""
        shown = (it for it in self.lanes if not it.isHidden() and not it.folded)
        lane = next(shown, self.overview)
        y = lane.geometry().center().y()
        return QPoint(round(self.scale.x(t)), y)

    def step_at(self, place: QPointF) -> int:
        """The step under the pointer, within the episode."""
        scale = self._scale_at(place)
        for lane in self.lanes:
            if lane.isVisible() and lane.geometry().contains(place.toPoint()):
                meant = lane.snap(place.x())
                if meant is not None:
                    return min(max(meant, 0), self.last)
        return min(max(round(scale.t(place.x())), 0), self.last)

    def _scale_at(self, place: QPointF) -> TimeScale:
        over = self.overview.geometry().contains(place.toPoint())
        return self.overview.scale if over else self.scale

    def _end_at(self, place: QPointF) -> int | None:
        """The end of the loop that the pointer is at."""
        scale, near = self._scale_at(place), self._theme.px(GRIP)
        ends = [it for it in scale.loop or () if scale.first <= it <= scale.last]
        ends.sort(key=lambda it: abs(scale.x(it) - place.x()))
        at = ends[0] if ends else None
        return at if at is not None and abs(scale.x(at) - place.x()) <= near else None

    # --------------------------------------------------------------- events

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Spread the steps over the new width."""
        super().resizeEvent(event)
        self._fold()
        self._lay_out()

    def _lay_out(self) -> None:
        for scale in (self.scale, self.overview.scale):
            scale.left = self._theme.px(GUTTER)
            scale.right = max(self.width() - self._theme.px(10), scale.left + 10)
        self.redraw()
        self.rangeShown.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Seek, begin to select with Shift, or take hold of an end of the loop."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        t, self._from = self.step_at(event.position()), None
        self._held = self._end_at(event.position())
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._held, self._from = None, t
        elif self._held is None:
            self.seekAsked.emit(t)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Scrub while the button is down, else tell what is here."""
        t = self.step_at(event.position())
        if not event.buttons() & Qt.MouseButton.LeftButton:
            self._show_grip(self._end_at(event.position()) is not None)
            self.hovered.emit(t)
        elif self._held is not None:
            self._drag_end(t)
        elif self._from is not None:
            self.selected.emit((min(self._from, t), max(self._from, t)))
        else:
            self.seekAsked.emit(t)

    def _show_grip(self, here: bool) -> None:
        self.setCursor(
            Qt.CursorShape.SizeHorCursor if here else Qt.CursorShape.ArrowCursor
        )

    def _drag_end(self, t: int) -> None:
        """The end that is held goes to this step; past the other one it is that."""
        if self._from is None and self.scale.loop is not None:
            first, last = self.scale.loop
            self._from = last if self._held == first else first
        other = self._from
        if other is not None and t != other:
            self.selected.emit((min(t, other), max(t, other)))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Shift and a click without a drag selects nothing."""
        t = self.step_at(event.position())
        if self._held is not None and self._from is None:
            self.seekAsked.emit(self._held)  # it was a click
        elif self._held is None and self._from == t:
            self.selected.emit(None)
        if self._from is not None:
            self.selectionEnded.emit()
        self._from = self._held = None

    def can_zoom(self) -> bool:
        """Whether there is more than a step."""
        return self.last >= 2

    def zoom(self, factor: float, x: float) -> None:
        """Zoom round the pointer."""
        centre = self.scale.t(x)
        span = (self.scale.last - self.scale.first) * factor
        span = min(max(span, 4.0), float(self.last))
        share = (centre - self.scale.first) / (self.scale.last - self.scale.first)
        first = min(max(centre - share * span, 0.0), self.last - span)
        self.show_range(first, first + span)

    def leaveEvent(self, event: QEvent) -> None:
        """The pointer is elsewhere."""
        super().leaveEvent(event)
        self.hovered.emit(-1)
