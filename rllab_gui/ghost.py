"""The other arm of the branch that is looked at: its values, and its frames."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from rllab_gui.episode import BRANCH, ShownEpisode
from rllab_gui.episode_frames import EpisodeFrames
from rllab_gui.link import Link

if TYPE_CHECKING:
    from rllab_gui.branches import Branches


class Ghost(QObject):
    """Fetched while a branch is looked at and the ghost is wanted.

    Attributes:
      wanted: Whether a person wants to see it.
      value: V(s) of each of its states, float [T+1]; None while there is none.

    Signals:
      changed(): Another arm, or more of its frames.
    """

    changed = Signal()

    def __init__(
        self,
        link: Link,
        episode: ShownEpisode,
        branches: Branches,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._link, self._episode, self._branches = link, episode, branches
        self.wanted = True
        self.value: np.ndarray | None = None
        self._place = ""
        self._steps = -1
        self._frames = EpisodeFrames(link, self, looked_at_first=False)
        self._frames.arrived.connect(lambda steps: self.changed.emit())
        episode.changed.connect(self._on_episode)
        episode.momentChanged.connect(self._on_moment)

    def show(self, wanted: bool) -> None:
        """Show it, or not."""
        self.wanted = wanted
        self._place = ""
        self._on_episode()

    def frame(self, t: int) -> np.ndarray | None:
        """Its frame of this step; of its last one where it has ended before."""
        if self.value is None:
            return None
        return self._frames.frame(min(t, self._steps))

    def words(self, t: int) -> str:
        """What shines through at this step, where that needs saying."""
        if self.value is None or t <= self._steps:
            return ""
        return f"The other arm, shining through, ended at t {self._steps:,}."

    def _on_episode(self) -> None:
        branch = self._branches.current if self.wanted else None
        data = self._episode.data
        if branch is None or data is None or data.key[2] != BRANCH:
            if branch is None:
                self._forget("")
            return
        place = f"{data.key[1]}/{branch.id}/{self._branches.rollout}"
        if place != self._place:
            self._forget(place)
            number = self._branches.rollout
            if number < len(branch.main):
                then = partial(self._on_held, place, data.key[:2])
                self._branches.hold(branch, branch.main[number], number, then)

    def _forget(self, place: str) -> None:
        changes = self.value is not None
        self._place, self.value, self._steps = place, None, -1
        self._frames.begin(None)
        if changes:
            self.changed.emit()

    def _on_held(self, place: str, by: tuple[str, int], answer: dict[str, Any]) -> None:
        if place == self._place:
            number = int(answer["episode"])
            asked = {"kind": BRANCH, "episode": number, "checkpoint_step": by[1]}
            self._link.ask(
                "judge_episode",
                asked,
                partial(self._on_judged, place, (*by, BRANCH, number)),
            )

    def _on_judged(
        self, place: str, key: tuple[str, int, str, int], answer: dict[str, Any]
    ) -> None:
        if place != self._place:
            return
        self._steps = len(answer["actions"])
        self.value = np.asarray(answer["value"], np.float64)
        self._frames.begin(key, self._steps)
        self._on_moment()
        self.changed.emit()

    def _on_moment(self) -> None:
        moment = self._episode.moment
        if self.value is not None and moment is not None:
            self._frames.want(min(moment.t, self._steps), forward=True)
