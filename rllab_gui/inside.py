"""What went on inside the network at the steps round the cursor, asked when shown."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from rllab_gui.episode import ShownEpisode
from rllab_gui.link import Link
from rllab_gui.views.episode_model import Key


class Inside(QObject):
    """A window of steps of the shown episode; nothing is asked before :meth:`want`.

    Attributes:
      first: Step of the first row.
      arrays: What the stage answered, [k, ...] each; empty while there is nothing.
      checkpoint_step: Whose weights these are; -1 while there is nothing.
      problem: Why there is nothing, or empty.

    Signals:
      changed(): Other rows are here, or it is known that none come.
    """

    changed = Signal()

    def __init__(
        self,
        link: Link,
        episode: ShownEpisode,
        what: str,
        reach: int,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._link, self._episode = link, episode
        self._what, self._reach = what, reach
        self._question, self._coming = -1, range(0)
        self._key: Key | None = None
        self.arrays: dict[str, np.ndarray] = {}
        self._forget(None)
        episode.changed.connect(self._on_episode)

    @property
    def steps(self) -> range:
        """Which steps are here."""
        rows = next((len(it) for it in self.arrays.values()), 0)
        return range(self.first, self.first + rows)

    def want(self, t: int) -> int | None:
        """The row of this step, or None: it is asked for, with those round it."""
        if self._episode.data is None or self._episode.key != self._key:
            return None
        here = t in self.steps
        if not (self.problem or t in self._coming):
            margin = self._reach // 2
            wanted = {max(t - margin, 0), min(t + margin, self._episode.steps)}
            if not here or not wanted <= set(self.steps):
                self._ask(t)
        return t - self.first if here else None

    def _ask(self, t: int) -> None:
        key = self._key
        assert key is not None
        self._link.cancel(self._question)
        first = max(t - self._reach, 0)
        last = min(t + self._reach, self._episode.steps)
        if self.steps and self.steps[0] <= first and last <= self.steps[-1]:
            return
        self._coming = range(first, last + 1)
        self._question = self._link.ask(
            "inside_episode",
            {
                "kind": key[2],
                "episode": key[3],
                "checkpoint_step": key[1],
                "what": self._what,
                "first": first,
                "last": last,
            },
            lambda answer: self._on_answer(key, answer),
            lambda sentence: self._on_problem(key, sentence),
        )

    def _on_answer(self, key: Key, answer: dict[str, Any]) -> None:
        if key != self._key:
            return
        self._coming = range(0)
        self.first = int(answer.pop("first"))
        self.checkpoint_step = int(answer.pop("checkpoint_step"))
        self.arrays = {name: np.asarray(it) for name, it in answer.items()}
        self.changed.emit()

    def _on_problem(self, key: Key, sentence: str) -> None:
        if key == self._key:
            self._coming, self.problem = range(0), sentence
            self.changed.emit()

    def _on_episode(self) -> None:
        if self._episode.key != self._key:
            self._link.cancel(self._question)
            self._forget(self._episode.key)
            self.changed.emit()

    def _forget(self, key: Key | None) -> None:
        self._key = key
        self._coming = range(0)
        self.first, self.checkpoint_step, self.problem = 0, -1, ""
        self.arrays = {}
