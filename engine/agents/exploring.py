"""How an action is chosen from what the network says, while learning and not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from engine.agents.counts import Counter, make_counter
from engine.contract.arrays import State
from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import Configuration
from engine.contract.randomness import (
    derived_seed,
    generator,
    generator_state,
    restore_generator,
)
from engine.equations.exploration import boltzmann_probs, ucb_scores

EXPLORATION, HASHING = 2, 6
"""Purposes of the explorer's seeds (see ``contract.randomness``)."""


LEAST_PSEUDO_COUNT = 1e-3
"""A density model may tell less than one visit; this bounds the bonus."""
_CERTAIN = np.zeros(0, np.float32)


class Choice(NamedTuple):
    """What is done in E environments.

    Attributes:
      actions: int64 [E].
      explored: The action was not the best one, or was drawn at random, bool [E].
      behaviour: How likely each action was, float32 [E]; empty where no correction
        needs it.
    """

    actions: np.ndarray
    explored: np.ndarray
    behaviour: np.ndarray


class Explorer:
    """Chooses actions, and keeps what that takes: random numbers and counts.

    Attributes:
      members: Which member of an ensemble each environment follows, int64 [E].
    """

    def __init__(
        self, configuration: Configuration, card: EnvironmentCard, seed: int
    ) -> None:
        self._card, self._hashing = card, derived_seed(seed, HASHING)
        self._rng = generator(seed, EXPLORATION)
        self.members = np.zeros(configuration.training.environments, np.int64)
        self._tried: Counter | None = None
        self._seen: Counter | None = None
        self.configure(configuration)

    def configure(self, configuration: Configuration) -> None:
        """Take over changed live options; counting begins when it is needed."""
        self.configuration = configuration
        if self.kind == "ucb" and self._tried is None:
            self._tried = self._trials()
        if configuration.exploration.bonus > 0 and self._seen is None:
            self._seen = self._sightings()

    def _trials(self) -> Counter:
        """Of each action in what the network sees."""
        features, actions = math.prod(self._card.shape), self._card.actions
        return make_counter(self.configuration, features, actions, self._hashing)

    def _sightings(self) -> Counter:
        """Of single observations."""
        stack = self.configuration.environment.frame_stack
        features = math.prod(self._card.shape) // stack
        return make_counter(self.configuration, features, 1, self._hashing)

    @property
    def kind(self) -> str:
        """The option."""
        return self.configuration.exploration.kind

    def begin(self, stream: int) -> None:
        """An episode begins: with an ensemble, one member decides what is done.

        Source: Osband et al. (2016), https://arxiv.org/abs/1602.04621, algorithm 1.
        """
        if self.kind == "bootstrapped":
            members = self.configuration.exploration.members
            self.members[stream] = self._rng.integers(members)

    def draws(self, count: int, epsilon: float) -> np.ndarray:
        """Which of so many actions are random ones, bool [E]."""
        drawn: np.ndarray = self._rng.random(count) < epsilon
        return drawn

    def draw(self, epsilon: float) -> bool:
        """Whether the one action of one environment is a random one."""
        return self._rng.random() < epsilon

    def uniform_action(self) -> int:
        """A random one: the only one of :meth:`uniform_actions` of one environment."""
        return int(self._rng.integers(0, self._card.actions))

    def uniform_actions(self, count: int) -> np.ndarray:
        """Random actions, int64 [E]."""
        return self._rng.integers(0, self._card.actions, count)

    def mask(self, members: int) -> np.ndarray:
        """Which members of an ensemble may learn from a transition, bool [K]."""
        share = self.configuration.exploration.mask_probability
        shown: np.ndarray = self._rng.random(members) < share
        return shown

    def epsilon_greedy(
        self, q: np.ndarray, explored: np.ndarray, epsilon: float
    ) -> Choice:
        """The best action but where ``explored``; of equal ones the first."""
        best = q.argmax(1)
        if not np.count_nonzero(explored):
            actions = best
        else:
            actions = np.where(explored, self.uniform_actions(len(q)), best)
        if not self._corrects:
            return Choice(actions, explored, _CERTAIN)
        random = epsilon / self._card.actions
        behaviour = np.where(actions == best, 1 - epsilon + random, random)
        return Choice(actions, explored, behaviour.astype(np.float32))

    @property
    def _corrects(self) -> bool:
        """Whether somebody asks how likely an action was."""
        return self.configuration.agent.n_step_correction == "retrace"

    @property
    def epsilon_greedy_only(self) -> bool:
        """Whether :meth:`epsilon_greedy` of Q-values is all that is done or asked."""
        return self.kind == "epsilon_greedy" and not self._corrects

    def boltzmann(self, q: np.ndarray, temperature: float) -> Choice:
        """Better actions more often."""
        probs = boltzmann_probs(torch.from_numpy(q.astype(np.float64)), temperature)
        cumulative = probs.numpy().cumsum(1)
        draws = self._rng.random((len(q), 1)) * cumulative[:, -1:]
        actions = np.minimum((draws >= cumulative).sum(1), self._card.actions - 1)
        chosen = probs.numpy()[np.arange(len(q)), actions]
        return Choice(actions, actions != q.argmax(1), chosen.astype(np.float32))

    def upper_bounds(self, q: np.ndarray, observations: np.ndarray) -> Choice:
        """Seldom tried actions first; counts what it chooses."""
        assert self._tried is not None
        counts = torch.from_numpy(self._tried.counts(observations))
        scores = ucb_scores(
            torch.from_numpy(q.astype(np.float64)),
            counts,
            counts.sum(1).clamp(min=1),
            self.configuration.exploration.ucb_scale,
        )
        actions = scores.argmax(1).numpy()
        self.count(observations, actions)
        ones = np.ones(len(q), np.float32)
        return Choice(actions, actions != q.argmax(1), ones)

    def count(self, observations: np.ndarray, actions: np.ndarray) -> None:
        """Take note of what was tried; nothing where no rule asks for it."""
        if self._tried is not None:
            for observation, action in zip(observations, actions, strict=True):
                self._tried.visit(observation, int(action))

    def bonus(self, observation: np.ndarray) -> float:
        """Count a state, and the reward for reaching it; 0 without the option."""
        exploration = self.configuration.exploration
        if self._seen is None or exploration.bonus == 0:
            return 0.0
        self._seen.visit(observation, 0)
        return float(self._earned(self._seen.counts(observation[None])[:, 0])[0])

    def familiarity(self, observations: np.ndarray) -> dict[str, np.ndarray]:
        """How often states were met, and what reaching them would earn.

        Args:
          observations: As the network sees them, [n, ...].

        Returns:
          ``visits`` and, with a count bonus, ``bonus``, float64 [n]; empty where
          nothing is counted.
        """
        if self._seen is not None:
            stack = self.configuration.environment.frame_stack
            newest = observations[..., -(observations.shape[-1] // stack) :]
            visits = self._seen.counts(newest)[:, 0]
            scale = self.configuration.exploration.bonus
            return {"visits": visits} | (
                {"bonus": self._earned(visits)} if scale else {}
            )
        if self._tried is not None:
            return {"visits": self._tried.counts(observations).sum(1)}
        return {}

    def _earned(self, visits: np.ndarray) -> np.ndarray:
        """Bonus for reaching states that were met so often."""
        exploration = self.configuration.exploration
        least = LEAST_PSEUDO_COUNT if exploration.counts == "density" else 1.0
        bonus: np.ndarray = exploration.bonus / np.sqrt(np.maximum(visits, least))
        return bonus

    def state(self) -> State:
        """Random numbers, members and counts."""
        state: State = {
            "generator": generator_state(self._rng),
            "members": self.members.copy(),
        }
        for name, counter in (("tried", self._tried), ("seen", self._seen)):
            if counter is not None:
                state[name] = counter.state()
        return state

    def restore(self, state: State) -> None:
        """Inverse of :meth:`state`."""
        if "generator" not in state:  # as versions before exploration had kinds
            restore_generator(self._rng, state)
            return
        restore_generator(self._rng, state["generator"])
        self.members = np.array(state["members"], np.int64)
        # Counts are kept while the bonus is switched off.
        self._tried = self._trials() if "tried" in state else None
        self._seen = self._sightings() if "seen" in state else None
        for name, counter in (("tried", self._tried), ("seen", self._seen)):
            if counter is not None:
                counter.restore(state[name])
        self.configure(self.configuration)


def epsilon_greedy_of_each(
    explorers: Sequence[Explorer], q: np.ndarray, epsilon: float
) -> Choice:
    """What each would do by itself, by draws of its own.

    Args:
      explorers: K of one environment each, ε-greedy or noisy, of which nobody asks how
        likely an action was.
      q: What each of them follows, float [K, A].
      epsilon: Share of random actions.
    """
    explored = np.array([it.draw(epsilon) for it in explorers])
    actions = q.argmax(1)
    for index in explored.nonzero()[0].tolist():
        actions[index] = explorers[index].uniform_action()
    return Choice(actions, explored, _CERTAIN)
