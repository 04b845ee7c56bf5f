"""Small drawn signs that no font is trusted with."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap


def paint_dice(painter: QPainter, place: QRectF, colour: QColor) -> None:
    """A die with five pips: chance chose."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour, 1.2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(place, place.width() / 5, place.width() / 5)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    pip = place.width() / 10
    for x, y in ((0.26, 0.26), (0.74, 0.26), (0.5, 0.5), (0.26, 0.74), (0.74, 0.74)):
        at = QPointF(place.left() + x * place.width(), place.top() + y * place.height())
        painter.drawEllipse(at, pip, pip)
    painter.restore()


def dice_pixmap(size: float, colour: QColor, ratio: float) -> QPixmap:
    """The same die, to be painted many times."""
    pixmap = QPixmap(round(size * ratio) + 2, round(size * ratio) + 2)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    with QPainter(pixmap) as painter:
        paint_dice(painter, QRectF(0.7, 0.7, size - 0.7, size - 0.7), colour)
    return pixmap
