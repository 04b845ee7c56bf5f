"""The one selection of steps: in the replay table, the histogram and the map."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PySide6.QtCore import QObject, Signal

Step = tuple[int, int]
"""Number of a training episode, and a step of it."""


class Selection(QObject):
    """Steps of training episodes that somebody has picked out.

    Attributes:
      steps: All of them; empty where nothing is selected.
      words: What is selected, to be shown: "34 steps of the map".
      source: Which view selected them; empty where nothing is.

    Signals:
      changed(): Other steps are selected, or none.
      rangeAsked(float low, float high): The steps with priorities from low to high
        are wanted; whoever knows the priorities selects them.
    """

    changed = Signal()
    rangeAsked = Signal(float, float)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.steps: frozenset[Step] = frozenset()
        self.words = self.source = ""

    def choose(self, steps: Iterable[Step], words: str, source: str) -> None:
        """Select these steps; none takes the selection away."""
        found = frozenset(steps)
        said = (words, source) if found else ("", "")
        if (found, *said) != (self.steps, self.words, self.source):
            self.steps = found
            self.words, self.source = said
            self.changed.emit()

    def clear(self) -> None:
        """Select nothing."""
        self.choose((), "", "")

    def mask(self, steps: np.ndarray) -> np.ndarray:
        """Which of these are selected, bool [n].

        Args:
          steps: Episode and step, int64 [n, 2].
        """
        pairs = map(tuple, np.asarray(steps).tolist())
        return np.array([it in self.steps for it in pairs], bool)
