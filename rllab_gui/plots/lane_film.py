"""The film strip: small pictures of some steps, where these steps are."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from rllab_gui.plots.lanes import Lane, TimeScale
from rllab_gui.theme import Theme

MOST_PICTURES = 24
USUAL_ASPECT = 1.5


class FilmLane(Lane):
    """Pictures that do not overlap, each beginning at its step.

    Attributes:
      sentence: Why there are no pictures, or empty.
    """

    weight = 1
    fixed = 40
    least = 0
    seen_from = 16

    def __init__(self, theme: Theme, scale: TimeScale) -> None:
        super().__init__("film", "film strip", theme, scale)
        self.sentence = ""
        self._pictures: dict[int, QImage] = {}
        self._aspect = USUAL_ASPECT

    @property
    def steps(self) -> list[int]:
        """The steps of which there are pictures."""
        return sorted(self._pictures)

    def clear(self) -> None:
        """Another episode: these pictures are not of it."""
        self._pictures, self.sentence = {}, ""
        self.redraw()

    def wanted(self, last: int) -> dict[str, int]:
        """Which steps of an episode the strip has room for, as ``frames`` has them."""
        scale, high = self.scale, max(self._high(), 8.0)
        wide = max(scale.right - scale.left, 1.0)
        count = int(min(max(wide // (high * self._aspect + 2), 1), MOST_PICTURES))
        first, end = max(int(scale.first), 0), min(int(scale.last), last)
        every = max(1, -(-(end - first + 1) // count))
        size = round(high * max(self._aspect, 1.0) * self.devicePixelRatioF())
        return {"first": first, "last": end, "every": every, "max_size": size}

    def take(self, first: int, every: int, frames: np.ndarray) -> None:
        """Show these: uint8 [n, H, W, 3] of every so many-th step."""
        self.sentence = ""
        steps = range(first, first + every * len(frames), every)
        self._pictures = {
            t: _image(frame) for t, frame in zip(steps, frames, strict=True)
        }
        if len(frames):
            self._aspect = frames.shape[2] / frames.shape[1]
        self.redraw()

    def refuse(self, sentence: str) -> None:
        """There are none, and this is why."""
        self._pictures, self.sentence = {}, sentence
        self.redraw()

    def _high(self) -> float:
        return self.height() - 4.0

    def paint_values(self, painter: QPainter) -> None:
        """As many as have room, from the left; or the reason why there are none."""
        high, free = self._high(), self.scale.left - 1
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for t in self.steps:
            place = QRectF(self.scale.x(t), 2, high * self._aspect, high)
            if place.left() >= free:
                painter.drawImage(place, self._pictures[t])
                free = place.right() + 1
        if not self._pictures and self.sentence:
            painter.setPen(QColor(self.theme.tokens.muted))
            painter.setFont(self.theme.font(relative=0.8))
            wrap = int(Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap)
            painter.drawText(self.inside(), wrap, self.sentence)


def _image(frame: np.ndarray) -> QImage:
    """A picture of its own memory."""
    frame = np.ascontiguousarray(frame, np.uint8)
    high, wide = frame.shape[:2]
    shown = QImage(frame.data, wide, high, 3 * wide, QImage.Format.Format_RGB888)
    return shown.copy()
