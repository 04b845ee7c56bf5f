"""A plot as a file: picture, drawing, or the data behind it; old or new, never half."""

from __future__ import annotations

import csv
import io
from typing import Any

from PySide6.QtCore import (
    QBuffer,
    QIODevice,
    QPoint,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QFont, QImage, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QGraphicsView, QWidget

from rllab_gui.plots.numbers import as_columns
from rllab_gui.saving import save
from rllab_gui.theme import Theme

DPI = 300
_SCREEN_DPI = 96
_MARGIN = 8


class ExportProblem(OSError):
    """The file could not be written; one sentence says why."""


def png_bytes(canvas: QWidget, title: str, caption: str, theme: Theme) -> bytes:
    """The canvas with its title and caption as a PNG of 300 dpi."""
    ratio = DPI / _SCREEN_DPI
    size = _sheet(canvas, theme)
    image = QImage(size * ratio, QImage.Format.Format_ARGB32)
    image.setDevicePixelRatio(ratio)
    with QPainter(image) as painter:
        _compose(painter, canvas, size, title, caption, theme)
    image.setDotsPerMeterX(round(DPI / 0.0254))
    image.setDotsPerMeterY(round(DPI / 0.0254))
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(buffer.data().data())


def svg_bytes(canvas: QWidget, title: str, caption: str, theme: Theme) -> bytes:
    """The same as an SVG drawing."""
    size = _sheet(canvas, theme)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setResolution(canvas.logicalDpiX())  # or axes are drawn at 72 dpi
    generator.setSize(size)
    generator.setViewBox(QRectF(0, 0, size.width(), size.height()))
    generator.setTitle(title)
    generator.setDescription(caption)
    with QPainter(generator) as painter:
        _compose(painter, canvas, size, title, caption, theme)
    return bytes(buffer.data().data())


def csv_bytes(model: dict[str, Any], caption: str) -> bytes:
    """The arrays of the model as columns; numbers as computers write them."""
    columns = as_columns(model)
    rows = max((len(values) for _, values in columns), default=0)
    text = io.StringIO()
    text.write(f"# {caption}\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([name for name, _ in columns])
    for row in range(rows):
        writer.writerow([repr(v[row]) if row < len(v) else "" for _, v in columns])
    return text.getvalue().encode("utf-8")


def write(path: str, content: bytes) -> None:
    """Put the content in place of the file, whole or not at all.

    Raises:
      ExportProblem: If the folder cannot be written to.
    """
    try:
        save(path, content)
    except OSError as error:
        reason = error.strerror or error
        raise ExportProblem(f"The export could not be written: {reason}.") from error


def _sheet(canvas: QWidget, theme: Theme) -> QSize:
    line = theme.px(18)
    return QSize(canvas.width() + 2 * _MARGIN, canvas.height() + 4 * line)


def _compose(
    painter: QPainter, canvas: QWidget, size: QSize, title: str, text: str, theme: Theme
) -> None:
    line = theme.px(18)
    sheet = QRectF(0, 0, size.width(), size.height())
    painter.fillRect(sheet, QColor(theme.tokens.panel))
    painter.setPen(QColor(theme.tokens.text))
    _write(
        painter, title, theme.font(bold=True), QRectF(_MARGIN, 2, sheet.width(), line)
    )
    _paint(painter, canvas, QPoint(_MARGIN, line + 4))
    below = canvas.height() + line + 8
    foot = QRectF(_MARGIN, below, canvas.width(), size.height() - below)
    painter.setPen(QColor(theme.tokens.muted))
    _write(painter, text, theme.font(relative=0.8), foot)


def _paint(painter: QPainter, canvas: QWidget, at: QPoint) -> None:
    """Draw the canvas here; a graphics view as lines and text, not as pixels."""
    if isinstance(canvas, QGraphicsView):
        inside = canvas.viewport().rect()
        canvas.render(painter, QRectF(inside).translated(at), inside)
        return
    painter.save()
    painter.translate(at)
    canvas.render(painter, QPoint(0, 0))
    painter.restore()


def _write(painter: QPainter, text: str, font: QFont, box: QRectF) -> None:
    painter.setFont(font)
    top_left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
    painter.drawText(box, int(top_left | Qt.TextFlag.TextWordWrap), text)
