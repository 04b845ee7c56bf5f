"""Parts of a whole: one stacked bar, and below it a row with its numbers for each."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QHelpEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from rllab_gui.plain import tip
from rllab_gui.plots.parts import Group, Row
from rllab_gui.theme import Theme

ROW, TITLE, STACK, GAP = 16, 16, 10, 5
"""Heights in pixels at normal size."""


class SharesCanvas(QWidget):
    """Paints groups of rows; a row that the pointer rests on explains itself.

    Args:
      theme: Colours and sizes.
      stacked: Whether each group has its rows in one bar too.
    """

    def __init__(self, theme: Theme, *, stacked: bool) -> None:
        super().__init__()
        self._theme, self._stacked = theme, stacked
        self._groups: tuple[Group, ...] = ()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)

    def show_groups(self, groups: tuple[Group, ...]) -> None:
        """Paint these."""
        rows = [len(it.rows) for it in self._groups]
        self._groups = groups
        if rows != [len(it.rows) for it in groups]:
            self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Room for all rows."""
        high = sum(self._height(it) for it in self._groups)
        return QSize(self._theme.px(300), max(high, self._theme.px(60)))

    def minimumSizeHint(self) -> QSize:
        """Narrow, but with all rows."""
        return QSize(self._theme.px(200), self.sizeHint().height())

    def _height(self, group: Group) -> int:
        head = TITLE + (STACK + GAP if self._stacked else 0)
        return self._theme.px(head + ROW * len(group.rows) + GAP)

    def row_rects(self) -> Iterator[tuple[Row, QRectF]]:
        """Each row, and where it is."""
        top, head = 0.0, TITLE + (STACK + GAP if self._stacked else 0)
        for group in self._groups:
            for number, row in enumerate(group.rows):
                at = top + self._theme.px(head) + number * self._theme.px(ROW)
                yield row, QRectF(0, at, self.width(), self._theme.px(ROW))
            top += self._height(group)

    def event(self, event: QEvent) -> bool:
        """The tooltip belongs to the row under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            for row, place in self.row_rects():
                if place.contains(event.pos()):
                    QToolTip.showText(event.globalPos(), tip(row.tip), self)
                    return True
            QToolTip.hideText()
            return True
        return super().event(event)

    # --------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw titles, stacked bars and rows."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.tokens.panel))
        top = 0.0
        for group in self._groups:
            self._paint_title(painter, group, top)
            top += self._height(group)
        names, values, notes = self._columns()
        for row, place in self.row_rects():
            self._paint_row(painter, row, place, (names, values, notes))
        painter.end()

    def _paint_title(self, painter: QPainter, group: Group, top: float) -> None:
        left, theme = self._theme.px(8), self._theme
        painter.setPen(QColor(theme.tokens.text))
        painter.setFont(theme.font(relative=0.9))
        place = QRectF(left, top, self.width() - 2 * left, theme.px(TITLE))
        metrics = QFontMetricsF(painter.font())
        words = metrics.elidedText(
            group.title, Qt.TextElideMode.ElideRight, place.width()
        )
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, words)
        if not self._stacked:
            return
        bar = QRectF(left, place.bottom() + 2, place.width(), theme.px(STACK))
        start = bar.left()
        for row in group.rows:
            part = QRectF(start, bar.top(), row.share * bar.width(), bar.height())
            self._fill(painter, row, part)
            start = part.right()
        painter.setPen(QPen(QColor(theme.tokens.edge), 1))
        painter.drawRect(bar)

    def _fill(self, painter: QPainter, row: Row, part: QRectF) -> None:
        tokens = self._theme.tokens
        quiet = (tokens.muted, tokens.edge, tokens.border)
        tone = quiet[min(-row.colour, len(quiet)) - 1] if row.colour < 0 else ""
        painter.fillRect(part, QColor(tone or self._theme.colour(row.colour)))
        if tone == tokens.border:  # too pale to stand alone
            painter.setPen(QPen(QColor(tokens.edge), 1))
            painter.drawRect(part)

    def _columns(self) -> tuple[float, float, float]:
        """Widths of names, values and notes."""
        rows = [it for group in self._groups for it in group.rows]
        text = QFontMetricsF(self._theme.font(relative=0.9))
        digits = QFontMetricsF(self._theme.mono(relative=0.85))
        gap = self._theme.px(8)
        return (
            max((text.horizontalAdvance(it.name) for it in rows), default=0.0) + gap,
            max((digits.horizontalAdvance(it.value) for it in rows), default=0.0) + gap,
            max((digits.horizontalAdvance(it.note) for it in rows), default=0.0)
            + 1.5 * gap,
        )

    def _longest(self) -> float:
        """The bar that takes all the room."""
        rows = (it for group in self._groups for it in group.rows)
        return max((max(it.share, it.outline) for it in rows), default=0.0) or 1.0

    def _paint_row(
        self,
        painter: QPainter,
        row: Row,
        place: QRectF,
        columns: tuple[float, float, float],
    ) -> None:
        names, values, notes = columns
        left, tokens = self._theme.px(8), self._theme.tokens
        vertical = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(QColor(tokens.text))
        painter.setFont(self._theme.font(relative=0.9))
        painter.drawText(place.translated(left, 0), vertical, row.name)
        right = place.right() - notes - values
        room = max(right - left - names, 0.0)
        room /= self._longest()
        bar = QRectF(left + names, place.top() + 3, 0.0, place.height() - 6)
        if row.outline:
            bar.setWidth(row.outline * room)
            painter.setPen(QPen(QColor(tokens.edge), 1, Qt.PenStyle.DotLine))
            painter.drawRect(bar)
        bar.setWidth(max(row.share * room, 1.0))
        self._fill(painter, row, bar)
        painter.setFont(self._theme.mono(relative=0.85))
        end = vertical | Qt.AlignmentFlag.AlignRight
        painter.setPen(QColor(tokens.text))
        number = QRectF(right, place.top(), values, place.height())
        painter.drawText(number, end, row.value)
        painter.setPen(QColor(tokens.muted))
        note = QRectF(number.right(), place.top(), notes, place.height())
        painter.drawText(note.adjusted(0, 0, -self._theme.px(4), 0), end, row.note)
