"""A judged episode and one moment of it: all that is shown comes from one object.

Without Qt. The stage's answer to ``judge_episode`` becomes an :class:`Episode`; the
views draw from a :class:`Moment`, so that frame, label and Q-values cannot belong
to different steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from rllab_gui.plots.numbers import short
from rllab_gui.views.limits import Limits, Values, limits_of

Key = tuple[str, int, str, int]
"""Session, checkpoint, kind, episode."""


@dataclass(frozen=True, eq=False)
class Episode:
    """What is known of each step; T actions, T + 1 observations.

    Attributes:
      key: Which episode, judged by which checkpoint.
      q, advantage: float [T+1, A]; value = max_a Q, value_head: float [T+1].
      td_error: float [T], target - estimate. rewards: float [T].
      actions: int [T]. explored: bool [T].
      explored_known: Whether it was recorded which actions chance chose.
      observations: float [T+1, n] of a vector environment, else None.
      ended: ``terminated``, ``truncated`` or empty.
      exact: What was seen was verified against the recording.
      note: A sentence about what is not as recorded, or empty.
      action_names, observation_names: Words of its environment.
      judged_by: Training step of the weights, -1 where the answer does not say.
      liking: What actions are chosen by: q, or CVaR, float [T+1, A].
      options_step: The options that judge are those of this training step.
      human: Which actions a person chose, bool [T]; empty where none.
      forced: Actions that a branch begins with, bool [T]; empty where none does.
      life_lost: Steps that cost a life, bool [T]; empty where lives do not count.
      limits: From where on steps are marked; None for those of this episode alone.
    """

    key: Key
    q: np.ndarray
    advantage: np.ndarray
    value: np.ndarray
    value_head: np.ndarray
    td_error: np.ndarray
    rewards: np.ndarray
    actions: np.ndarray
    explored: np.ndarray
    observations: np.ndarray | None
    ended: str
    exact: bool
    note: str
    judged_by: int
    liking: np.ndarray
    action_names: tuple[str, ...] = ()
    observation_names: tuple[str, ...] = ()
    explored_known: bool = True
    human: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    forced: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    life_lost: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    limits: Limits | None = None
    options_step: int | None = None

    def word(self, action: int) -> str:
        """What an action is called."""
        return action_word(self.action_names, action)

    def why(self, t: int) -> str:
        """What chose the action: ``explored``, ``greedy``, or what nobody knows.

        The first action of a branch is that which was asked for.

        Who judges may prefer another action than the agent that took it then.
        """
        if self.by_person(t):
            return "by hand"
        if t < len(self.forced) and self.forced[t]:
            return "tried instead"
        if not self.explored_known:
            return "as recorded"
        if self.explored[t]:
            return "explored"
        return "greedy" if self.key[1] < 0 else "greedy then"

    def by_person(self, t: int) -> bool:
        """Whether a person chose the action of this step."""
        return t < len(self.human) and bool(self.human[t])

    @property
    def steps(self) -> int:
        """T, the number of actions."""
        return len(self.actions)

    @property
    def dueling(self) -> bool:
        """Whether the network has a value head of its own."""
        return bool(np.isfinite(self.value_head).any())

    @cached_property
    def importance(self) -> np.ndarray:
        """Importance: max Q - min Q at each observation, float [T+1]."""
        if self.q.shape[1] == 0:
            return np.full(len(self.value), np.nan)
        return np.asarray(self.q.max(axis=1) - self.q.min(axis=1))

    @cached_property
    def reward_sum(self) -> np.ndarray:
        """Undiscounted sum of the rewards before each observation, float [T+1]."""
        return np.concatenate([[0.0], np.cumsum(self.rewards)])

    @cached_property
    def marks(self) -> list[str]:
        """A glyph for each action, or an empty string; the telling one wins."""
        marks, limits = [""] * self.steps, self.limits or limits_of(self.judged)
        gap, importance, _ = self.judged
        _set(marks, gap <= limits.gap, "=")
        _set(marks, importance > limits.importance, "!")
        _set(marks, self.td_error > limits.high, "^")
        _set(marks, self.td_error < limits.low, "??")
        _set(marks, self.explored, "?")
        _set(marks, self.human, "P")
        _set(marks, self.life_lost, "†")
        if marks and self.ended:
            marks[-1] = "X" if self.ended == "terminated" else "T"
        return marks

    @property
    def judged(self) -> Values:
        """What the marks are computed from, for each action."""
        steps = self.steps
        return Values(self.gaps[:steps], self.importance[:steps], self.td_error)

    def mark_words(self, t: int) -> str:
        """What the glyph of a step means, with the numbers behind it; or nothing."""
        limits = self.limits or limits_of(self.judged)
        return limits.words(self.marks[t]) if t < self.steps else ""

    @cached_property
    def gaps(self) -> np.ndarray:
        """Best minus second best Q at each observation, float [T+1]."""
        if self.q.shape[1] < 2:
            return np.full(len(self.value), np.nan)
        ordered = np.sort(self.q, axis=1)
        return np.asarray(ordered[:, -1] - ordered[:, -2])


@dataclass(frozen=True, eq=False)
class Moment:
    """One observation of an episode with its picture.

    Attributes:
      frame: uint8 [H, W, 3]; None where it cannot be shown or is not here yet.
      missing: Why there is no frame, or empty.
      last_picture: Another step and its frame, to be shown meanwhile with its number.
      note: Why the frame is not exactly what was seen, or empty.
    """

    episode: Episode
    t: int
    frame: np.ndarray | None
    missing: str = ""
    last_picture: tuple[int, np.ndarray] | None = None
    note: str = ""

    @property
    def is_last(self) -> bool:
        """At the last observation no action is taken any more."""
        return self.t >= self.episode.steps

    @property
    def q(self) -> np.ndarray:
        """Q(s, .), float [A]."""
        return np.asarray(self.episode.q[self.t])

    @property
    def action(self) -> int:
        """The action that was taken; -1 at the last observation."""
        return -1 if self.is_last else int(self.episode.actions[self.t])

    @property
    def explored(self) -> bool:
        """Whether chance chose the action."""
        return not self.is_last and bool(self.episode.explored[self.t])

    @property
    def reward(self) -> float:
        """Reward that followed; NaN at the last observation."""
        return np.nan if self.is_last else float(self.episode.rewards[self.t])

    @property
    def reward_sum(self) -> float:
        """Undiscounted sum of the rewards before this observation."""
        return float(self.episode.reward_sum[self.t])

    @property
    def td_error(self) -> float:
        """TD error of the action taken; NaN at the last observation."""
        return np.nan if self.is_last else float(self.episode.td_error[self.t])


def episode_from(key: Key, answer: Mapping[str, Any]) -> Episode:
    """The stage's answer, put into its forms; what it lacks is NaN or zero."""
    actions = np.asarray(answer["actions"], np.int64)
    steps = len(actions)
    q = np.asarray(answer.get("q", np.empty((steps + 1, 0))), np.float64)
    q = q.reshape(steps + 1, -1)
    value = q.max(axis=1) if q.shape[1] else np.full(steps + 1, np.nan)
    observations = answer.get("observations")
    return Episode(
        key=key,
        q=q,
        advantage=_shaped(answer, "advantage", q - value[:, None]),
        value=_shaped(answer, "value", value),
        value_head=_shaped(answer, "value_head", np.full(steps + 1, np.nan)),
        td_error=_shaped(answer, "td_error", np.full(steps, np.nan)),
        rewards=_shaped(answer, "rewards", np.zeros(steps)),
        actions=actions,
        explored=_shaped(answer, "explored", np.zeros(steps)).astype(bool),
        explored_known=bool(answer.get("explored_known", True)),
        human=np.asarray(answer.get("human", ()), bool),
        forced=np.asarray(answer.get("forced", ()), bool),
        life_lost=np.asarray(answer.get("life_lost", ()), bool),
        observations=_vectors(observations),
        ended=_ended(answer),
        exact=bool(answer.get("exact", True)),
        note=str(answer.get("note", "")),
        judged_by=int(answer.get("checkpoint_step", key[1])),
        liking=_shaped(answer, "liking", q),
        action_names=tuple(map(str, answer.get("action_names", ()))),
        observation_names=tuple(map(str, answer.get("observation_names", ()))),
        options_step=answer.get("options_step"),
    )


def action_word(names: tuple[str, ...] | list[str], action: int) -> str:
    """What an action is called: the environment's word, or its number."""
    if action < 0:
        return "none"
    return names[action] if action < len(names) else f"action {action}"


def action_phrase(names: tuple[str, ...] | list[str], action: int) -> str:
    """The same after the word: "action left", "action 0"."""
    word = action_word(names, action)
    return word if word == f"action {action}" else f"action {word}"


def preference(
    q: np.ndarray, names: tuple[str, ...], action: int = -1, why: str = ""
) -> str:
    """One sentence: which action looks best, by how much, and what was done."""
    if len(q) == 0 or not np.isfinite(q).all():
        return "There are no Q-values here."
    best = int(np.argmax(q))
    word = action_word(names, best)
    if len(q) == 1:
        return f"Only {word} is possible: Q = {short(q[0])}."
    second = float(np.sort(q)[-2])
    said = f"{word} looks best: Q = {short(q[best])}, {short(q[best] - second)} ahead"
    if action < 0:
        return f"{said}."
    if action == best:
        return f"{said}; taken ({why})."
    return f"{said}; taken was {action_word(names, action)} ({why})."


def _shaped(answer: Mapping[str, Any], name: str, otherwise: np.ndarray) -> np.ndarray:
    given = answer.get(name)
    if given is None or np.size(given) != otherwise.size:
        return otherwise
    return np.asarray(given, np.float64).reshape(otherwise.shape)


def _vectors(observations: Any) -> np.ndarray | None:
    if observations is None:
        return None
    array = np.asarray(observations)
    return array if array.ndim == 2 and array.dtype.kind == "f" else None


def _ended(answer: Mapping[str, Any]) -> str:
    for word, names in (
        ("terminated", ("terminated", "terminations")),
        ("truncated", ("truncated", "truncations")),
    ):
        for name in names:
            given = answer.get(name)
            if given is not None and bool(np.any(given)):
                return word
    return ""


def _set(marks: list[str], where: np.ndarray, glyph: str) -> None:
    for index in np.flatnonzero(where):
        marks[index] = glyph
