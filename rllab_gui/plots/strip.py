"""The strip below the Q bars: each action's value over the last steps."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from rllab_gui.plots.numbers import short
from rllab_gui.plots.polygons import polygon
from rllab_gui.theme import Theme

HISTORY = 120
"""Steps that the strip has room for."""
_STYLES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)


def paint_strip(
    painter: QPainter, strip: QRectF, history: np.ndarray, theme: Theme
) -> None:
    """Draw ``history`` [k, A], the newest step at the right, with its own scale."""
    painter.fillRect(strip, QColor(theme.tokens.raised))
    known = history[np.isfinite(history)]
    if not len(known):
        return
    low, high = float(known.min()), float(known.max())
    span = max(high - low, 1e-9)
    ago = len(history) - 1 - np.arange(len(history))
    x = strip.right() - ago * strip.width() / (HISTORY - 1)
    for action in range(history.shape[1]):
        style = _STYLES[action // len(theme.tokens.categorical) % len(_STYLES)]
        painter.setPen(QPen(QColor(theme.colour(action)), 1, style))
        share = (history[:, action] - low) / span
        y = strip.bottom() - 3 - share * (strip.height() - 6)
        seen = np.isfinite(y)
        painter.drawPolyline(polygon(x[seen], y[seen]))
    _write(painter, strip, (low, high), theme)


def _write(
    painter: QPainter, strip: QRectF, ends: tuple[float, float], theme: Theme
) -> None:
    """The ends of the scale, and what the strip is."""
    painter.setPen(QColor(theme.tokens.muted))
    painter.setFont(theme.font(relative=0.75))
    place = QRectF(0, strip.top(), strip.left() - theme.px(4), strip.height())
    right = Qt.AlignmentFlag.AlignRight
    painter.drawText(place, right | Qt.AlignmentFlag.AlignTop, short(ends[1]))
    painter.drawText(place, right | Qt.AlignmentFlag.AlignBottom, short(ends[0]))
    place.setLeft(theme.px(6))
    middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
    painter.drawText(place, middle, f"Q, last\n{HISTORY} steps")
