"""Targets of an update beside each other: as configured, and with parts switched."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from rllab_gui.plots.updates import UpdateRow, fine, signed
from rllab_gui.theme import Theme

ROW, LEAST_ROW = 20, 14
"""Height of a row where there is room, and where there is little."""
NUMBER = 54
FEWEST_ROWS = 4
LEAST_ROWS = 3
"""In less room than so many take the panel is clipped; the other rows follow."""
STEPS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
GHOST = 0.62
"""Opacity of a line of what would be with something switched."""


class UpdateChart(QWidget):
    """One row for each variant: its target on a line with the estimate.

    Signals:
      chosen(int): Somebody wants to see the equation of this row.
    """

    chosen = Signal(int)
    own_keys = frozenset(STEPS)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.rows: tuple[UpdateRow, ...] = ()
        self.row = 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setObjectName("plot.stepBellman.rows")
        self.setAccessibleName("Targets as configured and with parts switched")
        self.setToolTip(
            "● target, ┆ estimate Q(s,a). Faint rows: what would be learned with this "
            "part switched. Click a row for its equation; Up and Down go through them."
        )

    def sizeHint(self) -> QSize:
        """All rows."""
        return QSize(self._theme.px(320), self._head() + self._theme.px(ROW) * 7)

    def minimumSizeHint(self) -> QSize:
        """Some rows."""
        rows = self._theme.px(LEAST_ROW) * LEAST_ROWS
        return QSize(self._theme.px(200), self._head() + rows)

    def show_rows(self, rows: tuple[UpdateRow, ...], row: int) -> None:
        """Draw these, this one as chosen."""
        self.rows, self.row = rows, row
        self.update()

    def shown(self) -> range:
        """The rows that fit, the chosen one among them."""
        room = self.height() - self._head()
        count = min(len(self.rows), max(1, room // self._theme.px(LEAST_ROW)))
        first = max(0, self.row - count + 1)
        return range(first, first + count)

    def row_rect(self, row: int) -> QRectF:
        """Where a row is that is shown."""
        height = self._row_px()
        top = self._head() + (row - self.shown().start) * height
        return QRectF(0, top, self.width(), height)

    def _head(self) -> int:
        return self._theme.px(16)

    def _row_px(self) -> float:
        room, shown = self.height() - self._head(), len(self.shown())
        rows = shown if shown < len(self.rows) else max(shown, FEWEST_ROWS)
        return min(float(self._theme.px(ROW)), room / rows)

    def _columns(self) -> tuple[float, float, float]:
        """End of the names and of the line, and of the targets."""
        metrics = QFontMetricsF(self._theme.font(relative=0.88, bold=True))
        words = [metrics.horizontalAdvance(it.title) for it in self.rows]
        names = min(max(words, default=0.0) + self._theme.px(16), self.width() * 0.42)
        number = self._number_px()
        return names, self.width() - 2 * number, self.width() - number

    def _number_px(self) -> float:
        """Width of a column of numbers, of which none is cut."""
        metrics = QFontMetricsF(self._theme.mono(relative=0.85))
        words = [fine(it.target) for it in self.rows]
        words += [signed(it.td_error) for it in self.rows]
        widest = max(map(metrics.horizontalAdvance, words), default=0.0)
        return max(self._theme.px(NUMBER), widest + 2 * self._theme.px(4))

    def _x(self, value: float) -> float:
        left, right, _ = self._columns()
        margin = self._theme.px(8)
        shown = [it.target for it in self.rows] + [it.estimate for it in self.rows]
        low, high = min(shown), max(shown)
        share = (value - low) / (high - low) if high > low else 0.5
        return left + margin + share * (right - left - 2 * margin)

    # --------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw heads and rows."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.tokens.panel))
        if self.rows:
            self._paint_head(painter)
            for number in self.shown():
                self._paint_row(painter, number, self.rows[number])
        painter.end()

    def _paint_head(self, painter: QPainter) -> None:
        painter.setFont(self._theme.font(relative=0.8))
        painter.setPen(QColor(self._theme.tokens.muted))
        names, line, target = self._columns()
        number, head = self._number_px(), self._head()
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        gap = self._theme.px(4)
        painter.drawText(QRectF(line, 0, number - gap, head), right, "target y")
        painter.drawText(QRectF(target, 0, number - gap, head), right, "δ")
        middle = Qt.AlignmentFlag.AlignCenter
        place = QRectF(names, 0, line - names, head)
        metrics = QFontMetricsF(painter.font())
        painter.drawText(place, middle, self.estimate_words(metrics, place.width()))
        left = self._theme.px(6)
        place = QRectF(left, 0, names - left, head)
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, self.hidden_words())

    def hidden_words(self) -> str:
        """How many rows do not fit, and where they are."""
        shown = self.shown()
        above, below = shown.start, len(self.rows) - shown.stop
        words = f"{above} ↑" * (above > 0), f"{below} ↓" * (below > 0)
        return "  ".join(it for it in words if it)

    def estimate_words(self, metrics: QFontMetricsF, room: float) -> str:
        """What the dashed line is; in little room its name is left to the equation."""
        number = fine(self.rows[0].estimate)
        words = f"┆ Q(s,a) {number}"
        told = (words, f"┆ {number}")
        return next((it for it in told if metrics.horizontalAdvance(it) <= room), "┆")

    def _paint_row(self, painter: QPainter, number: int, row: UpdateRow) -> None:
        place, tokens = self.row_rect(number), self._theme.tokens
        if number == self.row:
            painter.fillRect(place, QColor(tokens.selection))
        names, line, target = self._columns()
        ink = QColor(tokens.muted if number else tokens.text)
        painter.setPen(ink)
        painter.setFont(self._theme.font(relative=0.88, bold=not number))
        left = self._theme.px(6)
        title = QFontMetricsF(painter.font()).elidedText(
            row.title, Qt.TextElideMode.ElideRight, names - left
        )
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(place.adjusted(left, 0, 0, 0), middle, title)
        painter.setOpacity(GHOST if number else 1.0)
        self._paint_line(painter, place, row)
        painter.setOpacity(1.0)
        painter.setFont(self._theme.mono(relative=0.85))
        right = middle | Qt.AlignmentFlag.AlignRight
        wide, gap = self._number_px(), self._theme.px(4)
        for at, words in ((line, fine(row.target)), (target, signed(row.td_error))):
            painter.setPen(ink)
            spot = QRectF(at, place.top(), wide - gap, place.height())
            painter.drawText(spot, right, words)

    def _paint_line(self, painter: QPainter, place: QRectF, row: UpdateRow) -> None:
        """From the estimate to the target, whose side says which way it goes."""
        tokens, y = self._theme.tokens, place.center().y()
        estimate, target = self._x(row.estimate), self._x(row.target)
        colour = QColor(tokens.good if row.td_error >= 0 else tokens.bad)
        painter.setPen(QPen(colour, self._theme.px(2)))
        painter.drawLine(QPointF(estimate, y), QPointF(target, y))
        painter.setPen(QPen(QColor(tokens.text), 1, Qt.PenStyle.DashLine))
        painter.drawLine(
            QPointF(estimate, place.top()), QPointF(estimate, place.bottom())
        )
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        radius = self._theme.px(4)
        painter.drawEllipse(QPointF(target, y), radius, radius)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)

    # ------------------------------------------------------------- the person

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the row under the pointer."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        for number in self.shown():
            if self.row_rect(number).contains(event.position()):
                self.chosen.emit(number)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and Down choose."""
        by = STEPS.get(Qt.Key(event.key()), 0)
        if by and self.rows:
            self.chosen.emit(min(max(self.row + by, 0), len(self.rows) - 1))
        else:
            super().keyPressEvent(event)


class UpdatePanel(QWidget):
    """The equation of the chosen row over the chart of all rows."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._lines: tuple[str, ...] = ()
        self.equation = QLabel(self)
        self.equation.setObjectName("plot.stepBellman.equation")
        self.equation.setTextFormat(Qt.TextFormat.RichText)
        self.equation.setWordWrap(True)
        self.equation.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
        )
        self.equation.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.chart = UpdateChart(theme)
        self.setFocusProxy(self.chart)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.px(2))
        layout.addWidget(self.equation)
        layout.addWidget(self.chart, 1)
        self.restyle()

    def restyle(self) -> None:
        """Take over font and colours."""
        theme = self._theme
        self.equation.setFont(theme.font(relative=0.95))
        style = f"color: {theme.tokens.text}; padding: 0px {theme.px(6)}px;"
        self.equation.setStyleSheet(style)
        self._fit()
        self.chart.update()

    def show_rows(
        self, rows: tuple[UpdateRow, ...], row: int, lines: Sequence[str]
    ) -> None:
        """Draw these rows, and the equation of one of them, as lines of HTML."""
        self._lines = tuple(lines)
        self.equation.setAccessibleName("Equation of the update")
        self._fit()
        self.chart.show_rows(rows, row)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More of the equation fits, or less."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Whole lines, the last ones first; what does not fit is in the tooltip."""
        room, left_out = self.height() - self.chart.minimumSizeHint().height(), 0
        for left_out in range(len(self._lines)):
            self.equation.setText("<br>".join(self._lines[left_out:]))
            if self.equation.heightForWidth(self.width()) <= room:
                break
        self.equation.setToolTip("<br>".join(self._lines) if left_out else "")
