"""Small pictures of steps of episodes for the visible rows of a table."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QIcon, QImage, QPixmap

from rllab_gui.link import Link
from rllab_gui.selection import Step

SIZE = 64
"""Longer side of what is asked for, in pixels."""
KEPT = 2_000
REST_MS = 120
"""So long nobody has moved on before pictures are asked for."""


class Thumbnails(QObject):
    """Asks for one at a time, only for rows that are seen, once scrolling rests.

    Signals:
      arrived(): One more is here.
    """

    arrived = Signal()

    def __init__(self, link: Link, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link = link
        self._pictures: OrderedDict[Step, QIcon | None] = OrderedDict()
        self._wanted: list[Step] = []
        self._number = -1
        self._busy = False
        self._timer = QTimer(self, singleShot=True, interval=REST_MS)
        self._timer.timeout.connect(self._ask)

    def picture(self, step: Step) -> QIcon | None:
        """The picture of a step, None where it is not here or there is none."""
        return self._pictures.get(step)

    def want(self, steps: list[Step]) -> None:
        """These are seen now; steps of one episode are asked for in their order."""
        missing = [it for it in steps if it[0] >= 0 and it not in self._pictures]
        self._wanted = sorted(set(missing))
        if self._wanted and not self._busy:
            self._timer.start()

    def forget(self) -> None:
        """Another session is looked at."""
        self._link.cancel(self._number)
        self._busy = False
        self._wanted.clear()
        self._pictures.clear()

    def _ask(self) -> None:
        if not self._wanted or self._busy:
            return
        step = self._wanted.pop(0)
        episode, t = step
        self._busy = True
        self._number = self._link.ask(
            "frames",
            {
                "kind": "training",
                "episode": episode,
                "first": t,
                "last": t,
                "max_size": SIZE,
            },
            lambda answer: self._take(step, answer),
            lambda sentence: self._take(step, {}),
        )

    def _take(self, step: Step, answer: dict[str, Any]) -> None:
        self._busy = False
        frames = answer.get("frames", ())
        found = None
        if len(frames):
            found = _icon(frames[0])
        self._pictures[step] = found
        while len(self._pictures) > KEPT:
            self._pictures.popitem(last=False)
        if found is not None:
            self.arrived.emit()
        self._ask()


def _icon(frame: np.ndarray) -> QIcon:
    """An icon, which tables scale into their rows."""
    pixels = np.ascontiguousarray(frame)
    height, width = pixels.shape[:2]
    kind = QImage.Format.Format_RGB888
    image = QImage(pixels.data, width, height, 3 * width, kind)
    return QIcon(QPixmap.fromImage(image))
