"""What a person has played: as an episode that grows, and as a branch to be kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from msgspec import structs

from engine.contract.branches import beginning_of, tried_in
from engine.contract.notes import Branch, Rollout
from rllab_gui.cursor import Position
from rllab_gui.episode import BY_HAND
from rllab_gui.notes import new_id
from rllab_gui.views.episode_model import Episode


@dataclass(eq=False)
class Game:
    """A game from a step of an episode on, or of a branch of it.

    Attributes:
      at: Where somebody took over.
      start: The judged episode of that position.
      root: Step at which the line that is played leaves the main line.
      parent: The branch in which it was, or None.
      given: How many of the actions since the root were there already.
      actions: Since the root.
      answer: What the stage said of the present state; empty before it did.
    """

    at: Position
    start: Episode
    root: int
    parent: Branch | None
    given: int
    actions: list[int]
    answer: Mapping[str, Any] = field(default_factory=dict)

    @property
    def played(self) -> int:
        """Actions of the person."""
        return len(self.actions) - self.given

    @property
    def ended(self) -> str:
        """How it ended, or empty; an answer about other actions does not say."""
        if len(self.answer.get("rewards", ())) != len(self.actions):
            return ""
        ways = ("terminated", "truncated")
        return next((it for it in ways if self.answer.get(it)), "")

    @property
    def beginning(self) -> Rollout:
        """Who chose the actions, in the parent as well; without themselves."""
        before = Rollout([], [])
        if self.parent is not None:
            parent = self.parent.rollouts[0]
            tried = tried_in(self.parent, parent)
            before = beginning_of(parent, tried, self.given)
        new = range(self.given, len(self.actions))
        return structs.replace(before, human=[*before.human, *new])

    @property
    def human(self) -> list[int]:
        """Numbers of the actions that a person chose, in the parent as well."""
        return self.beginning.human

    def question(self) -> dict[str, Any]:
        """What the stage is asked."""
        where = {"kind": self.at.kind, "episode": self.at.episode, "t": self.root}
        return where | {"checkpoint": self.at.checkpoint, "actions": list(self.actions)}

    # -------------------------------------------------------------- as an episode

    def episode(self, before: Episode | None) -> Episode:
        """Up to now: recorded to the root, then played.

        Args:
          before: The same of an earlier moment, or anything else.
        """
        said, start, chosen = self.answer, self.start, self.beginning
        if before is None or before.key[2] != BY_HAND:
            before = start
        exact = said["exactness"] == "exact"
        return replace(
            start,
            key=(self.at.session, self.at.checkpoint, BY_HAND, self.at.episode),
            q=self._row(before.q, said["q"]),
            advantage=self._row(before.advantage, said["advantage"]),
            liking=self._row(before.liking, said["liking"]),
            value=self._row(before.value, np.max(said["q"])),
            value_head=self._row(before.value_head, said["value_head"]),
            td_error=self._td_errors(before),
            rewards=np.append(start.rewards[: self.root], said["rewards"]),
            actions=self._appended(start.actions, self.actions).astype(np.int64),
            explored=self._appended(start.explored, self._marks(chosen.explored)),
            forced=self._appended(np.zeros(self.root, bool), self._marks(chosen.tried)),
            observations=self._observations(before),
            human=self._appended(np.zeros(self.root, bool), self._marks(chosen.human)),
            ended=self.ended,
            exact=exact,
            note="" if exact else str(said["why"]),
            judged_by=int(said["checkpoint_step"]),
        )

    def _appended(self, recorded: np.ndarray, since: Any) -> np.ndarray:
        return np.append(recorded[: self.root], since)

    def _row(self, before: np.ndarray, value: Any) -> np.ndarray:
        """The rows before the present one, and the present one."""
        old = before[: self.root + len(self.actions)]
        return np.concatenate([old, np.asarray(value, np.float64)[None]])

    def _td_errors(self, before: Episode) -> np.ndarray:
        if not self.actions:
            return before.td_error[: self.root]
        old = before.td_error[: self.root + len(self.actions) - 1]
        return np.append(old, self.answer["td_error"])

    def _observations(self, before: Episode) -> np.ndarray | None:
        seen = self.answer.get("observation")
        if before.observations is None or seen is None:
            return None
        return self._row(before.observations, seen)

    def _marks(self, numbers: list[int]) -> np.ndarray:
        """Those of our actions, bool."""
        marks = np.zeros(len(self.actions), bool)
        marks[numbers] = True
        return marks

    # ---------------------------------------------------------------- as a branch

    def branch(self, discount: float) -> Branch:
        """What was played, beside what was there from the root on."""
        rewards = [float(it) for it in self.answer.get("rewards", ())]
        rewards = rewards[: len(self.actions)]  # a step may just be taken back
        mine = Rollout(
            actions=self.actions[: len(rewards)],
            rewards=rewards,
            human=[it for it in self.human if it < len(rewards)],
            tried=self.beginning.tried,
            explored=self.beginning.explored,
            terminated=self.ended == "terminated",
            truncated=self.ended == "truncated",
        )
        return Branch(
            id=new_id(),
            name=f"you@{self.root + self.given}",
            kind="evaluation" if self.at.kind == "evaluation" else "training",
            episode=self.at.episode,
            t=self.root,
            action=self.actions[0],
            checkpoint=-1,
            discount=discount,
            exactness=self.answer["exactness"],
            why=str(self.answer["why"]),
            rollouts=[mine],
            main=[self._compared(len(mine.actions))],
        )

    def _compared(self, length: int) -> Rollout:
        """The other arm; no longer than a game that did not end."""
        other = self.parent.main[0] if self.parent is not None else self._recorded()
        if self.ended or length >= len(other.actions):
            return other
        return Rollout(other.actions[:length], other.rewards[:length])

    def _recorded(self) -> Rollout:
        start = self.start
        return Rollout(
            actions=[int(it) for it in start.actions[self.root :]],
            rewards=[float(it) for it in start.rewards[self.root :]],
            terminated=start.ended == "terminated",
            truncated=start.ended == "truncated",
        )
