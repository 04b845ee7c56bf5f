"""What the views of the Why panel share: predict mode, and what lies on the frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, Signal

from rllab_gui.cursor import Cursor
from rllab_gui.episode import ShownEpisode
from rllab_gui.trail import Trail
from rllab_gui.views.episode_model import Moment

Place = tuple[str, str, int, int]
"""Session, kind, episode, step: whoever judges it."""


def place_of(moment: Moment) -> Place:
    """Where a moment is."""
    session, _, kind, episode = moment.episode.key
    return session, kind, episode, moment.t


def greedy_of(moment: Moment) -> int:
    """The action that the agent prefers there."""
    return int(np.argmax(moment.episode.liking[moment.t]))


class Predict(QObject):
    """Hides what the agent thinks until a person has said what it would do.

    Attributes:
      on: Answers are hidden at each step anew.
      agreed, asked: How often the person said what the agent prefers, of how often.
      said: What was said of the step that is shown; -1 for nothing.

    Signals:
      changed(): Something is hidden or shown, or the score is another one.
    """

    changed = Signal()

    def __init__(self, episode: ShownEpisode, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._episode = episode
        self.on = False
        self.agreed = self.asked = 0
        self.said = -1
        self._open: Place | None = None
        self._was_hidden = False
        # While another episode is on its way there is nothing that could be hidden.
        episode.changed.connect(self._on_moment)
        episode.momentChanged.connect(self._on_moment)

    @property
    def hidden(self) -> bool:
        """Whether answers are to be hidden now."""
        moment = self._episode.moment
        if not self.on or moment is None:
            return False
        # Behind the last step the agent does nothing that could be predicted.
        return not moment.is_last and place_of(moment) != self._open

    @property
    def score(self) -> str:
        """How well it went so far."""
        if not self.asked:
            return ""
        return f"agreed {self.agreed} of {self.asked}"

    def set_on(self, on: bool) -> None:
        """Begin anew, or show everything again."""
        self.on, self._open, self.said = on, None, -1
        self.agreed = self.asked = 0
        self._tell()

    def choose(self, action: int) -> None:
        """The person says that the agent prefers this action."""
        moment = self._episode.moment
        if not self.hidden or moment is None:
            return
        self.asked += 1
        self.agreed += action == greedy_of(moment)
        self._show(moment, action)

    def reveal(self) -> None:
        """Show the answer without having said anything."""
        moment = self._episode.moment
        if self.hidden and moment is not None:
            self._show(moment, -1)

    def _show(self, moment: Moment, said: int) -> None:
        self._open, self.said = place_of(moment), said
        self._tell()

    def _tell(self) -> None:
        self._was_hidden = self.hidden
        self.changed.emit()

    def _on_moment(self) -> None:
        moment = self._episode.moment
        moved = moment is not None and place_of(moment) != self._open
        if moved and self._open is not None:
            self._open, self.said = None, -1
        if self.hidden != self._was_hidden:
            self._tell()


@dataclass(frozen=True, eq=False)
class Overlay:
    """What an agent seems to look at, for the frame of one step.

    Attributes:
      place: The step it is of.
      map: float [h, w]; above 0 speaks for the action, below 0 against it.
      words: What it is, in a few words.
    """

    place: Place
    map: np.ndarray
    words: str


class Why(QObject):
    """Shared by the views that say why.

    Attributes:
      predict: Predict mode.
      trail: The way back from where one of them led.
      laid: Whether the overlay is wanted on the frame.
      overlay: The newest one, whichever step it is of.
      other: The action of *why not?*, which is compared with the best; -1 for none.

    Signals:
      changed(): The overlay is another one, or is wanted or not.
      compared(): Another action is compared, or none.
    """

    changed = Signal()
    compared = Signal()

    def __init__(
        self, episode: ShownEpisode, cursor: Cursor, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._episode = episode
        self.predict = Predict(episode, self)
        self.trail = Trail(cursor, episode.branch_numbers, self)
        self.laid = False
        self.overlay: Overlay | None = None
        self.other = -1
        episode.changed.connect(self._on_episode)

    def compare(self, action: int) -> None:
        """Why not this action? Once more, and it is no longer asked."""
        self.other = -1 if action == self.other else action
        self.compared.emit()

    def _on_episode(self) -> None:
        if self.other >= 0 and self._episode.data is None:
            self.compare(-1)

    def lay(self, laid: bool) -> None:
        """Show the overlay on the frame, or take it off."""
        self.laid = laid
        self.changed.emit()

    def set_overlay(self, overlay: Overlay | None) -> None:
        """There is a newer one."""
        self.overlay = overlay
        self.changed.emit()

    def on_frame(self, moment: Moment) -> Overlay | None:
        """What lies on the frame of this moment; nothing while answers are hidden."""
        overlay = self.overlay
        if not self.laid or overlay is None or self.predict.hidden:
            return None
        return overlay if overlay.place == place_of(moment) else None
