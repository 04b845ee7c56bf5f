"""A picture of an environment, sharp where it is enlarged."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from rllab_gui.plots.glyphs import paint_dice
from rllab_gui.theme import Theme

GHOSTLY = 0.35
"""Opacity of what shines through."""
OPAQUE = 0.85
"""Of the largest number of an overlay."""
SEEN_THROUGH = 0.6
"""Of the ground of the die, where it has to lie over the picture."""
FOR, AGAINST = 0, 1
"""Line colours of what speaks for an action, and against it."""
FILLS = 0.6
"""Share of the room that a whole-numbered enlargement has to fill to be taken."""


class PictureBox(QWidget):
    """Shows one uint8 [H, W, 3] frame, enlarged by whole factors where they fit.

    Signals:
      shown(int): The frame with this number has been painted.
    """

    shown = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._frame: np.ndarray | None = None
        self._ghost: np.ndarray | None = None
        self._overlay: np.ndarray | None = None
        self._image = QImage()
        self._number = -1
        self._fresh = False
        self._words = ""
        self._dice = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(96, 72)

    def sizeHint(self) -> QSize:
        """Room for a picture of 600 by 400."""
        return QSize(480, 320)

    @property
    def number(self) -> int:
        """Number of the frame that is shown; -1 where there is none."""
        return self._number

    def frame(self) -> np.ndarray | None:
        """The frame that is shown."""
        return self._frame

    def set_frame(
        self,
        frame: np.ndarray | None,
        number: int,
        words: str = "",
        *,
        explored: bool = False,
    ) -> None:
        """Show this frame with ``words`` across it; without one, in its place.

        A die in the corner marks a step at which chance chose the action.
        """
        self._dice = explored
        self._image, self._frame = QImage(), None
        if frame is not None and frame.size:
            pixels = np.ascontiguousarray(frame)
            height, width = pixels.shape[:2]
            self._image = QImage(
                pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888
            )
            self._frame = pixels  # QImage borrows its memory
        self._number, self._words, self._fresh = number, words, True
        self.update()

    @property
    def ghost(self) -> np.ndarray | None:
        """The frame that shines through, if one does."""
        return self._ghost

    def set_ghost(self, frame: np.ndarray | None) -> None:
        """Have another frame shine through; one of another size cannot."""
        fits = frame is not None and self._frame is not None
        if fits and frame is not None and self._frame is not None:
            fits = frame.shape == self._frame.shape
        self._ghost = np.ascontiguousarray(frame) if fits else None
        self.update()

    @property
    def overlay(self) -> np.ndarray | None:
        """What lies over the picture, if anything does."""
        return self._overlay

    def set_overlay(self, values: np.ndarray | None) -> None:
        """Lay numbers [h, w] over the picture: colour by sign, strength by size."""
        self._overlay = values
        self.update()

    def target(self) -> QRectF:
        """Where the picture lies, in the pixels of this widget."""
        ratio = self.devicePixelRatioF()
        room_w, room_h = self.width() * ratio, self.height() * ratio
        width, height = self._image.width(), self._image.height()
        if not width or not height:
            return QRectF()
        factor = enlargement(width, height, room_w, room_h)
        w, h = width * factor / ratio, height * factor / ratio
        left = round((self.width() - w) / 2 * ratio) / ratio
        top = round((self.height() - h) / 2 * ratio) / ratio
        return QRectF(left, top, w, h)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the frame and say that it was shown."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.tokens.sunken))
        if self._image.isNull():
            self._paint_words(painter)
        else:
            place = self.target()
            whole = place.width() * self.devicePixelRatioF() / self._image.width()
            painter.setRenderHint(
                QPainter.RenderHint.SmoothPixmapTransform, not whole.is_integer()
            )
            painter.drawImage(place, self._image)
            self._paint_ghost(painter, place)
            self._paint_overlay(painter, place)
            if self._words:
                self._paint_strip(painter)
        if self._dice:
            self._paint_dice(painter)
        painter.end()
        if self._fresh:
            self._fresh = False
            self.shown.emit(self._number)

    def _paint_ghost(self, painter: QPainter, place: QRectF) -> None:
        if self._ghost is None:
            return
        height, width = self._ghost.shape[:2]
        pixels = self._ghost.data
        kind = QImage.Format.Format_RGB888
        painter.setOpacity(GHOSTLY)
        painter.drawImage(place, QImage(pixels, width, height, 3 * width, kind))
        painter.setOpacity(1.0)

    def _paint_overlay(self, painter: QPainter, place: QRectF) -> None:
        if self._overlay is None:
            return
        veil = tinted(self._overlay, self._theme)
        height, width = veil.shape[:2]
        kind = QImage.Format.Format_RGBA8888
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, on=False)
        painter.drawImage(place, QImage(veil.data, width, height, 4 * width, kind))

    def _paint_dice(self, painter: QPainter) -> None:
        place = self.target()
        # A small picture stays to be seen beside it.
        size = min(self._theme.px(18), min(place.width(), place.height()) / 3)
        gap = size / 3
        ground = QRectF(0.0, 0.0, size + gap, size + gap)
        margin = ground.width() + gap
        if place.left() >= margin:  # beside the picture it hides nothing
            ground.moveTopRight(place.topLeft() - QPointF(gap / 2, 0))
        elif place.top() >= margin:
            ground.moveBottomLeft(place.topLeft() - QPointF(0, gap / 2))
        else:
            ground.moveTopLeft(place.topLeft() + QPointF(gap, gap))
            painter.setOpacity(SEEN_THROUGH)
        painter.fillRect(ground, QColor(self._theme.tokens.panel))
        painter.setOpacity(1.0)
        inside = ground.adjusted(gap / 2, gap / 2, -gap / 2, -gap / 2)
        paint_dice(painter, inside, QColor(self._theme.tokens.warning))

    def _paint_strip(self, painter: QPainter) -> None:
        """Words in a strip along the lower edge, over the picture."""
        painter.setFont(self._theme.font(relative=0.9))
        height = painter.fontMetrics().height() + self._theme.px(6)
        strip = self.rect().adjusted(0, self.height() - height, 0, 0)
        painter.fillRect(strip, QColor(self._theme.tokens.panel))
        painter.setPen(QColor(self._theme.tokens.warning))
        painter.drawText(strip, int(Qt.AlignmentFlag.AlignCenter), self._words)

    def _paint_words(self, painter: QPainter) -> None:
        painter.setPen(QColor(self._theme.tokens.muted))
        painter.setFont(self._theme.font())
        margin = self._theme.px(12)
        inside = self.rect().adjusted(margin, margin, -margin, -margin)
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(inside, int(flags), self._words)


def tinted(values: np.ndarray, theme: Theme) -> np.ndarray:
    """Numbers as a veil, uint8 [h, w, 4].

    What is above 0 has one colour, what is below another; the largest is most opaque.
    """
    largest = float(np.abs(values).max(initial=0.0))
    share = np.abs(values) / largest if largest > 0 else np.zeros(values.shape)
    veil = np.zeros((*values.shape, 4), np.uint8)
    for index, where in ((FOR, values > 0), (AGAINST, values < 0)):
        colour = QColor(theme.colour(index))
        veil[where, :3] = (colour.red(), colour.green(), colour.blue())
    veil[..., 3] = np.round(255 * OPAQUE * share)
    return veil


def enlargement(width: int, height: int, room_w: float, room_h: float) -> float:
    """Factor of a picture in this room: whole if that fills it well, else to fit."""
    fit = min(room_w / width, room_h / height)
    whole = int(fit)
    return float(whole) if whole >= 1 and whole >= FILLS * fit else fit
