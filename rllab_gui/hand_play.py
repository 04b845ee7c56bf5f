"""Playing on by hand from the step at the cursor, while the agent says its opinion."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from engine.contract.notes import Branch, Rollout
from rllab_gui.action_keys import hint, idle_action
from rllab_gui.cursor import Cursor, Position
from rllab_gui.episode import BY_HAND, ShownEpisode
from rllab_gui.link import Link
from rllab_gui.notes import new_id
from rllab_gui.store import Store
from rllab_gui.views.episode_model import Episode

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
        self._actions: list[int] = []
        self._queued: int | None = None
        self._held: int | None = None
        self._question = -1
        self._from = Position()
        self._root = self._mine = 0
        self._parent: Branch | None = None
        self._start: Episode | None = None
        self._answer: dict[str, Any] = {}
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
        ways = ("terminated", "truncated")
        return next((it for it in ways if self._answer.get(it)), "")

    @property
    def short_hint(self) -> str:
        """The keys of the actions, for under the picture; empty while nobody plays."""
        if not self.playing:
            return ""
        return self.ended or f"You play: {hint(self.names)}"

    @property
    def hint(self) -> str:
        """What all keys do now; empty while nobody plays."""
        if not self.playing:
            return ""
        if self.ended:
            return f"The episode {self.ended}. Enter keeps it, Backspace takes back."
        return (
            f"You play: {hint(self.names)}. Backspace takes a step back, Enter hands "
            "back to the agent, Esc ends it here."
        )

    # ------------------------------------------------------------------- the game

    def begin(self) -> None:
        """Take over at the step of the cursor."""
        data, position = self._episode.data, self._cursor.position
        sentence = self._refusal(position)
        if data is None or sentence:
            self.problem = sentence
            self.changed.emit()
            return
        self._cursor.set_mode("paused")
        self.problem, self.playing = "", True
        self._from, self._start, self._answer = position, data, {}
        self._queued, self._parent = None, self._branches.current
        self._root, self._actions = self._branches.root_and_actions()
        self._mine = len(self._actions)
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
        played = len(self._actions) > self._mine
        if self.playing and played and self._question < 0:
            self._actions.pop()
            self._ask()

    def set_real_time(self, on: bool) -> None:
        """Let the environment go on by itself, or wait for keys."""
        self.real_time = on
        self._run()
        self.changed.emit()

    def hand_back(self) -> None:
        """The agent goes on from here; what was played is kept as a branch."""
        if len(self._actions) <= self._mine or self.ended:
            self.stop()
        elif self.playing:
            actions, human = self._actions, self._human(self._actions)
            self._finish()
            self._branches.hand_back(self._root, actions, human)

    def stop(self) -> None:
        """End it here; what was played is kept as a branch."""
        if not self.playing:
            return
        kept = self._branch() if len(self._actions) > self._mine else None
        self._finish()
        if kept is not None:
            self._branches.keep(kept)

    # -------------------------------------------------------------------- insides

    def _refusal(self, position: Position) -> str:
        if self.playing:
            return "You are playing already."
        return self._branches.refusal

    def _step(self, action: int) -> None:
        if not self.ended:
            self._actions.append(action)
            self._ask()

    def _ask(self) -> None:
        at = self._from
        words = {"kind": at.kind, "episode": at.episode, "t": self._root}
        words |= {"checkpoint": at.checkpoint, "actions": list(self._actions)}
        self._question = self._link.ask(
            "play_by_hand", words, self._on_state, self._on_refused
        )

    def _on_state(self, answer: dict[str, Any]) -> None:
        self._question = -1
        if not self.playing:
            return
        self._answer = answer
        data = self._grown(answer)
        self._episode.play_on(data, np.asarray(answer["frame"]))
        if self._queued is not None:
            action, self._queued = self._queued, None
            self._step(action)
        self._run()
        self.changed.emit()

    def _on_refused(self, sentence: str) -> None:
        self._question = -1
        kept = self._branch() if len(self._actions) > self._mine + 1 else None
        self._finish()
        if kept is not None:
            self._branches.keep(kept)
        self.problem = sentence
        self.changed.emit()

    def _grown(self, answer: dict[str, Any]) -> Episode:
        """The episode up to now: recorded to where somebody took over, then played."""
        start, t, steps = self._start, self._root, len(self._actions)
        assert start is not None
        before = self._episode.data
        if before is None or before.key[2] != BY_HAND:
            before = start
        key = (self._from.session, self._from.checkpoint, BY_HAND, self._from.episode)
        rewards = np.append(start.rewards[:t], answer["rewards"])
        human = np.zeros(t + steps, bool)
        human[[t + it for it in self._human(self._actions)]] = True
        return replace(
            start,
            key=key,
            q=_row(before.q, t, steps, answer["q"]),
            advantage=_row(before.advantage, t, steps, answer["advantage"]),
            liking=_row(before.liking, t, steps, answer["liking"]),
            value=_row(before.value, t, steps, np.max(answer["q"])),
            value_head=_row(before.value_head, t, steps, answer["value_head"]),
            td_error=_row(before.td_error, t, steps - 1, answer["td_error"])
            if steps
            else start.td_error[:t],
            rewards=rewards,
            actions=np.append(start.actions[:t], self._actions).astype(np.int64),
            explored=np.append(start.explored[:t], np.zeros(steps, bool)),
            observations=_observations(before, t, steps, answer.get("observation")),
            human=human,
            ended=self.ended,
            exact=answer["exactness"] == "exact",
            note="" if answer["exactness"] == "exact" else str(answer["why"]),
            judged_by=int(answer["checkpoint_step"]),
        )

    def _branch(self) -> Branch:
        """What was played, beside what was recorded from there on."""
        at, answer, t = self._from, self._answer, self._root
        rewards = [float(it) for it in answer.get("rewards", ())]
        actions = self._actions[: len(rewards)]
        mine = Rollout(
            actions=actions,
            rewards=rewards,
            human=self._human(actions),
            terminated=self.ended == "terminated",
            truncated=self.ended == "truncated",
        )
        return Branch(
            id=new_id(),
            name=f"you@{t + self._mine}",
            kind="evaluation" if at.kind == "evaluation" else "training",
            episode=at.episode,
            t=t,
            action=actions[0] if actions else -1,
            checkpoint=-1,
            discount=self._store.configuration.agent.discount,
            exactness=answer["exactness"],
            why=f"{answer['why']} Played by hand.",
            rollouts=[mine],
            main=[self._rest(len(actions))],
        )

    def _human(self, actions: list[int]) -> list[int]:
        """Numbers of the actions that a person chose, in the parent as well."""
        before = self._parent.rollouts[0].human if self._parent is not None else []
        new = range(self._mine, len(actions))
        return [it for it in before if it < self._mine] + list(new)

    def _rest(self, length: int) -> Rollout:
        """What it is compared with; no longer than a game that did not end."""
        if self._parent is not None and self._mine:
            main = self._parent.main[0]
            if self.ended or length >= len(main.actions):
                return main
            return Rollout(main.actions[:length], main.rewards[:length])
        start, t = self._start, self._root
        assert start is not None
        end = start.steps if self.ended else min(start.steps, t + length)
        whole = end == start.steps
        return Rollout(
            actions=[int(it) for it in start.actions[t:end]],
            rewards=[float(it) for it in start.rewards[t:end]],
            terminated=whole and start.ended == "terminated",
            truncated=whole and start.ended == "truncated",
        )

    def _finish(self) -> None:
        """Nobody plays any more; the cursor is back on the main line."""
        self.playing = False
        self._link.cancel(self._question)
        self._question, self._held, self._queued = -1, None, None
        self._clock.stop()
        if self._cursor.position.branch == BY_HAND:
            self._cursor.place(branch="", t=self._root)
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
        started = self.playing and self._answer
        if started and position.branch != BY_HAND:
            self._finish()

    def _on_process(self, process: Any) -> None:
        if process.role == "stage" and process.state == "ready" and self.playing:
            self._ask()


def _row(before: np.ndarray, t: int, steps: int, value: Any) -> np.ndarray:
    """The rows before the present one, and the present one."""
    return np.concatenate([before[: t + steps], np.asarray(value, np.float64)[None]])


def _observations(before: Episode, t: int, steps: int, value: Any) -> np.ndarray | None:
    if before.observations is None or value is None:
        return None
    return np.concatenate([before.observations[: t + steps], np.asarray(value)[None]])
