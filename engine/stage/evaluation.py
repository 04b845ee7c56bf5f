"""Greedy episodes on environments and seeds of their own.

One forward pass chooses the actions of all episodes that are under way. The
command line, the reference tests and the stage all evaluate with this.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Protocol

import numpy as np

from engine.contract.options import EnvironmentOptions
from engine.stage.jobs import finish
from engine.stage.world import World

if TYPE_CHECKING:
    from engine.agents.recollection import Recollection

AT_ONCE = 32
"""Environments side by side; more would only cost memory."""


class Greedy(Protocol):
    """Whoever can choose; a ``Mind`` does."""

    def recollection(self, count: int) -> Recollection | None:
        """What is remembered of so many episodes side by side; None if nothing is."""

    def greedy(
        self, observations: np.ndarray, recollection: Recollection | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Best action [n] and Q-values [n, A] of each observation."""


@dataclass(slots=True)
class Played:
    """One episode that was played.

    Attributes:
      actions, rewards: One for each step; the environment's own rewards.
      q: Q-values of each state, the last one included, [A] each; of the first
        episode of an evaluation only.
    """

    seed: int
    actions: list[int] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    q: list[np.ndarray] = field(default_factory=list)
    terminated: bool = False
    truncated: bool = False

    @property
    def episode_return(self) -> float:
        """Undiscounted, of the environment's own rewards."""
        return float(sum(self.rewards))


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """All episodes of one evaluation, in the order of their seeds.

    Attributes:
      returns: Undiscounted, float64 [n].
      lengths: Steps, int64 [n].
      terminated: False where the time limit ended it, bool [n].
      seeds: int64 [n].
      first: The first episode, step by step.
    """

    returns: np.ndarray
    lengths: np.ndarray
    terminated: np.ndarray
    seeds: np.ndarray
    first: Played

    @property
    def mean(self) -> float:
        """Mean return."""
        return float(self.returns.mean())


def evaluate(
    agent: Greedy, options: EnvironmentOptions, episodes: int, seed: int
) -> EvaluationResult:
    """Play greedy episodes with the seeds ``seed``, ``seed + 1``, and so on.

    Args:
      agent: Who chooses; its weights are not touched.
      options: The environment.
      episodes: How many.
      seed: Of the first one.

    Raises:
      WorldProblem: If the environment fails.
    """
    result: EvaluationResult = finish(evaluation_job(agent, options, episodes, seed))
    return result


def evaluation_job(
    agent: Greedy, options: EnvironmentOptions, episodes: int, seed: int
) -> Generator[None, None, EvaluationResult]:
    """:func:`evaluate` in slices: one batch of steps each."""
    played = [Played(seed + index) for index in range(episodes)]
    waiting = iter(played)
    seats: list[_Seat] = []
    try:
        for episode in islice(waiting, AT_ONCE):
            seats.append(_Seat(World(options)))
            seats[-1].begin(episode)
            yield
        busy, memory = seats, agent.recollection(len(seats))
        while busy:
            seen = np.stack([it.observation for it in busy])
            actions, q = agent.greedy(seen, memory)
            for index, seat in enumerate(busy):
                recorded = seat.episode is played[0]
                if recorded:
                    played[0].q.append(q[index].copy())
                if seat.act(int(actions[index])):
                    if recorded:
                        played[0].q.append(_last_values(agent, seat, memory, index))
                    seat.begin(next(waiting, None))
                    if memory is not None:
                        memory.begin(index)
            staying = [i for i, it in enumerate(busy) if it.episode is not None]
            if memory is not None and len(staying) < len(busy):
                memory = memory.picked(staying)
            busy = [busy[i] for i in staying]
            yield
    finally:
        for seat in seats:
            seat.world.close()
    return _result(played)


def _last_values(
    agent: Greedy, seat: _Seat, memory: Recollection | None, index: int
) -> np.ndarray:
    """Q-values [A] of the state in which the episode of this seat has ended."""
    mine = None if memory is None else memory.picked([index])
    values: np.ndarray = agent.greedy(seat.observation[None], mine)[1][0]
    return values


class _Seat:
    """An environment and the episode that is played in it now."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.episode: Played | None = None
        self.observation = np.zeros(0)

    def begin(self, episode: Played | None) -> None:
        """Start this episode; None leaves the seat empty."""
        self.episode = episode
        if episode is not None:
            self.observation = self.world.reset(episode.seed)

    def act(self, action: int) -> bool:
        """One step; True where the episode ended with it."""
        assert self.episode is not None
        outcome = self.world.step(action)
        self.observation = outcome.observation
        self.episode.actions.append(action)
        self.episode.rewards.append(outcome.reward)
        self.episode.terminated = outcome.terminated
        self.episode.truncated = outcome.truncated
        return outcome.terminated or outcome.truncated


def _result(played: list[Played]) -> EvaluationResult:
    return EvaluationResult(
        returns=np.array([it.episode_return for it in played], np.float64),
        lengths=np.array([len(it.actions) for it in played], np.int64),
        terminated=np.array([it.terminated for it in played], bool),
        seeds=np.array([it.seed for it in played], np.int64),
        first=played[0],
    )
