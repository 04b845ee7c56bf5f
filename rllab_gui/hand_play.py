"""Playing on by hand from the step at the cursor, while the agent says its opinion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from rllab_gui.action_keys import hint, idle_action
from rllab_gui.cursor import Cursor, Position
from rllab_gui.episode import BY_HAND, ShownEpisode
from rllab_gui.hand_game import Game
from rllab_gui.link import Link
from rllab_gui.store import Store

if TYPE_CHECKING:
    from rllab_gui.branches import Branches

DEFAULT_RATE = 30


class HandPlay(QObject):
    """One game at a time; each key is one step of the stage's own environment.

    Attributes:
      playing: A person has taken over.
      real_time: The environment goes on at its own rate, with an action that does
        nothing while no key is held.
      problem: Why it cannot go on, or empty.

    Signals:
      changed(): Somebody has taken over, made a step or handed back.
    """

    changed = Signal()

    def __init__(
        self,
        link: Link,
        store: Store,
        cursor: Cursor,
        episode: ShownEpisode,
        branches: Branches,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._link, self._store, self._cursor = link, store, cursor
        self._episode, self._branches = episode, branches
        self.playing = self.real_time = False
        self.problem = ""
        self._game: Game | None = None
        self._queued: int | None = None
        self._held: int | None = None
        self._question = -1
        self._clock = QTimer(self)
        self._clock.timeout.connect(self._on_beat)
        cursor.changed.connect(self._on_cursor)
        link.processChanged.connect(self._on_process)

    @property
    def names(self) -> tuple[str, ...]:
        """Words of the actions."""
        data = self._episode.data
        words = tuple(data.word(it) for it in range(data.q.shape[1])) if data else ()
        return words

    @property
    def ended(self) -> str:
        """How the game ended, or empty."""
        return self._game.ended if self._game is not None else ""

    @property
    def keys(self) -> str:
        """Which key is which action."""
        return hint(self.names)

    @property
    def hint(self) -> str:
        """What all keys do now; empty while nobody plays."""
        if not self.playing:
            return ""
        if self.ended:
            return f"The episode {self.ended}. Enter keeps it, Backspace takes back."
        return (
            f"You play: {self.keys}. Backspace takes a step back, Enter hands "
            "back to the agent, Esc ends it here."
        )

    # ------------------------------------------------------------------- the game

    def begin(self) -> None:
        """Take over at the step of the cursor."""
        data, position = self._episode.data, self._cursor.position
        sentence = self._refusal()
        if data is None or sentence:
            self.problem = sentence
            self.changed.emit()
            return
        self._cursor.set_mode("paused")
        self.problem, self.playing, self._queued = "", True, None
        root, actions = self._branches.root_and_actions()
        parent = self._branches.current
        self._game = Game(position, data, root, parent, len(actions), actions)
        self._ask()
        self.changed.emit()

    def press(self, action: int) -> None:
        """One step with this action; while one is under way, the next one."""
        self._held = action
        if not self.playing or self.real_time:
            return
        if self._question >= 0:
            self._queued = action
        else:
            self._step(action)

    def release(self, action: int) -> None:
        """In real time an action lasts as long as its key."""
        if self._held == action:
            self._held = None

    def take_back(self) -> None:
        """Undo the last step."""
        game = self._game
        if game is not None and game.played and self._question < 0:
            game.actions.pop()
            self._ask()

    def set_real_time(self, on: bool) -> None:
        """Let the environment go on by itself, or wait for keys."""
        self.real_time = on
        self._run()
        self.changed.emit()

    def hand_back(self) -> None:
        """The agent goes on from here; what was played is kept as a branch."""
        game = self._game
        if game is None or not game.played or game.ended:
            self.stop()
            return
        self._finish()
        self._branches.hand_back(game.root, game.actions, game.beginning, game.given)

    def stop(self, *, look: bool = True) -> None:
        """End it here; what was played is kept as a branch, and looked at."""
        game = self._game
        if game is None:
            return
        if not game.played or len(game.answer.get("rewards", ())) <= game.given:
            self._finish()
            return
        kept = game.branch(self._episode.options(self._store).agent.discount)
        self._finish()
        self._branches.keep(kept, look=look)

    # -------------------------------------------------------------------- insides

    def _refusal(self) -> str:
        branch = self._branches.current
        if self.playing:
            return "You are playing already."
        if branch is not None and self._cursor.t < branch.t:
            return "This step is on the main line: leave the branch first (Esc)."
        return self._branches.refusal

    def _step(self, action: int) -> None:
        if self._game is not None and not self._game.ended:
            self._game.actions.append(action)
            self._ask()

    def _ask(self) -> None:
        assert self._game is not None
        self._question = self._link.ask(
            "play_by_hand", self._game.question(), self._on_state, self._on_refused
        )

    def _on_state(self, answer: dict[str, Any]) -> None:
        self._question = -1
        game = self._game
        if game is None:
            return
        game.answer = answer
        data = game.episode(self._episode.data)
        self._episode.play_on(data, np.asarray(answer["frame"]))
        if self._queued is not None:
            action, self._queued = self._queued, None
            self._step(action)
        self._run()
        self.changed.emit()

    def _on_refused(self, sentence: str) -> None:
        self._question = -1
        self.stop()
        self.problem = sentence
        self.changed.emit()

    def _finish(self) -> None:
        """Nobody plays any more; the cursor is back on the main line."""
        game, self._game = self._game, None
        self.playing = False
        self._link.cancel(self._question)
        self._question, self._held, self._queued = -1, None, None
        self._clock.stop()
        if self._cursor.position.branch == BY_HAND and game is not None:
            self._cursor.place(branch="", t=game.root)
        self.changed.emit()

    def _run(self) -> None:
        if not (self.playing and self.real_time) or self.ended:
            self._clock.stop()
        elif not self._clock.isActive():
            card = self._store.card
            self._clock.start(round(1000 / (card.frame_rate if card else DEFAULT_RATE)))

    def _on_beat(self) -> None:
        """A late answer drops a beat rather than making up for it."""
        if self._question < 0:
            idle = idle_action(self.names)
            self._step(idle if self._held is None else self._held)

    def _on_cursor(self, position: Position) -> None:
        """Whoever chooses something else to look at has stopped playing."""
        game = self._game
        if game is None:
            return
        moved = _judged(position) != _judged(game.at)
        if not moved and (position.branch == BY_HAND or not game.answer):
            return
        if game.answer and position.session == game.at.session:
            self.stop(look=False)
        else:
            self._finish()

    def _on_process(self, process: Any) -> None:
        if process.role == "stage" and process.state == "ready" and self.playing:
            self._ask()


def _judged(position: Position) -> tuple[str, int, str, int]:
    """The recorded episode of a position, and whose opinion of it is shown."""
    whose = (position.session, position.checkpoint)
    return (*whose, position.kind, position.episode)
