"""The one cursor: which session, checkpoint, episode, step and branch is looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from PySide6.QtCore import QObject, Signal

Mode = Literal["paused", "playing", "following"]
Loop = Literal["off", "all", "selection"]
SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True, slots=True)
class Position:
    """What every view shows.

    Attributes:
      session: uuid of the session; empty where none is open.
      checkpoint: Training step of the weights that judge; -1 as recorded.
      kind: Kind of the episode: ``training`` or ``evaluation``.
      episode: Number of the episode of that kind; -1 where there is none.
      t: Step within the episode, 0 to ``Cursor.last``.
      branch: Id of the counterfactual branch, with a slash and the number of the
        rollout after the first; empty on the main line.
    """

    session: str = ""
    checkpoint: int = -1
    kind: str = "training"
    episode: int = -1
    t: int = 0
    branch: str = ""


class Cursor(QObject):
    """Holds the position and the mode of play.

    Signals:
      changed(Position): The position is another one.
      modeChanged(str): ``paused``, ``playing`` or ``following``.
      lengthChanged(int): The shown episode has this last step.
      hovered(int): Ghost cursor at this step; -1 when the pointer has left.
      playChanged(): Speed or loop is another one.
    """

    changed = Signal(object)
    modeChanged = Signal(str)
    lengthChanged = Signal(int)
    hovered = Signal(int)
    playChanged = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._position = Position()
        self._mode: Mode = "following"
        self._last = 0
        self._speed = 1.0
        self._loop: Loop = "off"
        self._range: tuple[int, int] | None = None

    @property
    def position(self) -> Position:
        """Where the cursor is."""
        return self._position

    @property
    def t(self) -> int:
        """Step within the shown episode."""
        return self._position.t

    @property
    def last(self) -> int:
        """Last step of the shown episode; 0 where none is shown."""
        return self._last

    @property
    def mode(self) -> Mode:
        """How the cursor moves by itself."""
        return self._mode

    @property
    def speed(self) -> float:
        """Times the environment's own frame rate."""
        return self._speed

    @property
    def loop(self) -> Loop:
        """What playing does at the end."""
        return self._loop

    @property
    def selection(self) -> tuple[int, int] | None:
        """Selected range of steps, first and last."""
        return self._range

    # ------------------------------------------------------- moved by a person

    def seek(self, t: int) -> None:
        """Go to a step of the shown episode, clamped; leaves *following*."""
        if self._mode == "following":
            self.set_mode("paused")
        self._move(t=min(max(t, 0), self._last))

    def step(self, by: int) -> None:
        """Some steps on or back; holds playing."""
        self.set_mode("paused")
        self.seek(self._position.t + by)

    def show_episode(
        self, kind: str, episode: int, *, t: int = 0, checkpoint: int | None = None
    ) -> None:
        """Look at another episode; leaves *following*.

        Args:
          kind: ``training`` or ``evaluation``.
          episode: Its number.
          t: At this step.
          checkpoint: Judged by these weights; None for those that judge now.
        """
        if self._mode == "following":
            self.set_mode("paused")
        judge = {} if checkpoint is None else {"checkpoint": checkpoint}
        self.place(kind=kind, episode=episode, t=t, branch="", **judge)

    def show_checkpoint(self, step: int) -> None:
        """Let the weights of this training step judge what is shown."""
        self._move(checkpoint=step)

    def set_mode(self, mode: Mode) -> None:
        """Pause, play or follow; playing at the end starts again."""
        if mode == "playing" and self._position.t >= self.play_range()[1]:
            self._move(t=self.play_range()[0])
        if mode != self._mode:
            self._mode = mode
            self.modeChanged.emit(mode)

    def set_speed(self, speed: float) -> None:
        """Set how fast playing goes."""
        self._speed = speed
        self.playChanged.emit()

    def set_loop(self, loop: Loop) -> None:
        """Set what playing does at the end."""
        self._loop = loop
        self.playChanged.emit()

    def next_loop(self) -> None:
        """From once to all to the selection (if there is one), round again."""
        order: list[Loop] = ["off", "all"]
        order += ["selection"] if self._range is not None else []
        at = order.index(self._loop) if self._loop in order else -1
        self.set_loop(order[(at + 1) % len(order)])

    def select(self, selection: tuple[int, int] | None) -> None:
        """Select a range of steps (Shift+drag), or none."""
        self._range = selection
        self.playChanged.emit()

    def hover(self, t: int) -> None:
        """Show the ghost cursor at this step everywhere; -1 takes it away."""
        self.hovered.emit(t)

    # ------------------------------------------------------ moved by the program

    def place(self, **changes: Any) -> None:
        """Set fields of the position without leaving *following*."""
        self._move(**changes)

    def set_last(self, last: int) -> None:
        """The shown episode has arrived and ends at this step."""
        self._last = last
        self.lengthChanged.emit(last)
        if self._position.t > last:
            self._move(t=last)

    def play_range(self) -> tuple[int, int]:
        """First and last step that playing goes through."""
        if self._loop == "selection" and self._range is not None:
            return self._range
        return 0, self._last

    def play_on(self) -> None:
        """One step of playing: on, round again, or hold at the end."""
        first, last = self.play_range()
        if self._position.t < last:
            self._move(t=self._position.t + 1)
        elif self._loop == "off":
            self.set_mode("paused")
        else:
            self._move(t=first)

    def _move(self, **changes: Any) -> None:
        position = replace(self._position, **changes)
        if position != self._position:
            self._position = position
            self.changed.emit(position)
