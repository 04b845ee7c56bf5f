"""Planning: after each real update, updates on steps that a model makes up.

Dyna (Sutton 1990, https://doi.org/10.1016/B978-1-55860-141-3.50030-4) and
prioritized sweeping (Moore & Atkeson 1993, https://doi.org/10.1007/BF00993104) as
Sutton & Barto (2018, sections 8.2 and 8.4) give them. What differs here: an update is
a gradient step on a batch of made-up steps, as large as a real one; sweeping takes
the expectation over all outcomes, and a pair whose error is still above the threshold
stays in the queue, because a gradient step does not go all the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
import torch

from engine.agents import schedules
from engine.agents.models import Steps, TableModel
from engine.agents.network_model import NetworkModel
from engine.agents.sweeping import SweepQueue
from engine.contract.arrays import State
from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import Configuration
from engine.contract.randomness import (
    derived_seed,
    generator,
    generator_state,
    restore_generator,
)
from engine.equations.exploration import boltzmann_probs, epsilon_greedy_probs
from engine.replay import Batch, Memory

PLANNING = 8
"""Purpose of the planner's seeds (see ``contract.randomness``)."""

Values = Callable[[np.ndarray], np.ndarray]
"""Q-values [n, A] of observations [n, ...], as they are now."""


class Planner(Protocol):
    """Watches real steps and makes up others to learn from."""

    def configure(self, configuration: Configuration) -> None:
        """Take over changed live options."""
        ...

    def observe(self, real: Steps) -> float:
        """One real step; how wrong the model was about it."""
        ...

    def batches(self, memory: Memory, slots: np.ndarray, step: int) -> Iterator[Batch]:
        """Made-up batches to learn from after an update on these slots.

        Each is learned from before the next one is asked for.
        """
        ...

    def state(self) -> State:
        """Everything that is needed to go on exactly."""
        ...

    def restore(self, state: State) -> None:
        """Inverse of :meth:`state`."""
        ...


class Planning:
    """A planner, the steps that it watches, and how wrong its model was."""

    def __init__(self, planner: Planner, streams: int) -> None:
        self._planner = planner
        self._current: list[np.ndarray | None] = [None] * streams
        self._error, self._observed = 0.0, 0
        self.configure = planner.configure
        self.batches = planner.batches

    def begin(self, stream: int, observation: np.ndarray) -> None:
        """An episode begins in this environment."""
        self._current[stream] = observation.copy()

    def observe(
        self,
        stream: int,
        action: int,
        reward: float,
        terminated: bool,
        next_observation: np.ndarray,
    ) -> None:
        """A step was taken in this environment."""
        current = self._current[stream]
        assert current is not None, "begin() comes first"
        real = Steps(
            current[None],
            np.array([action], np.int64),
            np.array([reward], np.float32),
            np.array([terminated], np.float32),
            next_observation[None],
        )
        self._error += self._planner.observe(real)
        self._observed += 1
        self._current[stream] = next_observation.copy()

    def measured(self) -> dict[str, float]:
        """Mean error of the model about the real steps since the last call."""
        if not self._observed:
            return {}
        mean = self._error / self._observed
        self._error, self._observed = 0.0, 0
        return {"model_error": mean}

    def state(self) -> State:
        """Everything that is needed to go on exactly."""
        begun = [it for it in self._current if it is not None]
        return {
            "planner": self._planner.state(),
            "current": np.array(begun, np.float32),
            "begun": np.array([it is not None for it in self._current], np.bool_),
            "error": self._error,
            "observed": self._observed,
        }

    def restore(self, state: State) -> None:
        """Inverse of :meth:`state`."""
        self._planner.restore(state["planner"])
        rows = iter(np.array(state["current"], np.float32))
        self._current = [next(rows) if it else None for it in state["begun"].tolist()]
        self._error, self._observed = float(state["error"]), int(state["observed"])


def make_planning(
    configuration: Configuration,
    card: EnvironmentCard,
    seed: int,
    device: torch.device,
    values: Values,
) -> Planning | None:
    """What the options ask for; None without planning."""
    options = configuration.planning
    if options.kind == "none":
        return None
    planner: Planner
    if options.kind == "sweeping":
        planner = Sweeping(configuration, card, values)
    elif options.model == "table":
        planner = TableDyna(configuration, card, seed)
    else:
        planner = NetworkDyna(configuration, card, seed, device, values)
    return Planning(planner, configuration.training.environments)


class TableDyna:
    """Dyna-Q: steps that were seen before, each as likely; see :class:`Planner`."""

    def __init__(
        self, configuration: Configuration, card: EnvironmentCard, seed: int
    ) -> None:
        self._rng = generator(seed, PLANNING)
        self._table = _table(configuration, card)
        self.configure(configuration)

    def configure(self, configuration: Configuration) -> None:
        """See :class:`Planner`."""
        self._configuration = configuration

    def observe(self, real: Steps) -> float:
        """See :class:`Planner`: 1 where the table expected something else, else 0."""
        return float(not _enter(self._table, real)[1])

    def batches(self, memory: Memory, slots: np.ndarray, step: int) -> Iterator[Batch]:
        """See :class:`Planner`."""
        options = self._configuration
        for _ in range(options.planning.updates if self._table.pairs else 0):
            steps = self._table.imagine(self._rng, options.agent.batch_size)
            yield made_up(steps, options.agent.discount)

    def state(self) -> State:
        """See :class:`Planner`."""
        return {"table": self._table.state(), "generator": generator_state(self._rng)}

    def restore(self, state: State) -> None:
        """See :class:`Planner`."""
        self._table.restore(state["table"])
        restore_generator(self._rng, state["generator"])


class Sweeping:
    """Prioritized sweeping over a table; see :class:`Planner`."""

    def __init__(
        self, configuration: Configuration, card: EnvironmentCard, values: Values
    ) -> None:
        self._values, self._actions = values, card.actions
        self._table, self._queue = _table(configuration, card), SweepQueue()
        self._fresh: dict[int, None] = {}
        self.configure(configuration)

    def configure(self, configuration: Configuration) -> None:
        """See :class:`Planner`."""
        self._configuration = configuration

    def observe(self, real: Steps) -> float:
        """See :class:`Planner`: 1 where the table expected something else, else 0."""
        pair, expected = _enter(self._table, real)
        self._fresh[pair] = None
        return float(not expected)

    def batches(self, memory: Memory, slots: np.ndarray, step: int) -> Iterator[Batch]:
        """See :class:`Planner`."""
        options = self._configuration
        self._judge(list(self._fresh))
        self._fresh.clear()
        for _ in range(options.planning.updates):
            pairs = self._queue.take(options.agent.batch_size)
            if not pairs:
                return
            steps, chances, _ = self._table.everything(pairs)
            # The loss is a mean over rows; it has to be one over pairs.
            weight = (chances * (len(chances) / len(pairs))).astype(np.float32)
            yield made_up(steps, options.agent.discount)._replace(weight=weight)
            states = dict.fromkeys(pair // self._actions for pair in pairs)
            before = [pair for it in states for pair in self._table.leading_to(it)]
            self._judge(list(dict.fromkeys(pairs + before)))

    def _judge(self, pairs: list[int]) -> None:
        """Queue the pairs whose value is further off than the threshold."""
        if not pairs:
            return
        steps, chances, owner = self._table.everything(pairs)
        following = self._values(steps.next_observation).max(1).astype(np.float64)
        discount = self._configuration.agent.discount
        target = steps.reward + discount * (1 - steps.ends) * following
        expected = np.bincount(owner, chances * target, len(pairs))
        first = np.searchsorted(owner, np.arange(len(pairs)))
        q = self._values(steps.observation[first])
        error = np.abs(expected - q[np.arange(len(pairs)), steps.action[first]])
        threshold = self._configuration.planning.threshold
        for pair, it in zip(pairs, error.tolist(), strict=True):
            if it > threshold:
                self._queue.put(pair, it)
            else:
                self._queue.remove(pair)

    def state(self) -> State:
        """See :class:`Planner`."""
        return {
            "table": self._table.state(),
            "queue": self._queue.state(),
            "fresh": np.array(list(self._fresh), np.int64),
        }

    def restore(self, state: State) -> None:
        """See :class:`Planner`."""
        self._table.restore(state["table"])
        self._queue.restore(state["queue"])
        self._fresh = dict.fromkeys(np.asarray(state["fresh"]).tolist())


class NetworkDyna:
    """Dyna with a network that predicts; see :class:`Planner`.

    It learns once from the real steps of each real batch. Made-up steps begin where
    real ones began.
    """

    def __init__(
        self,
        configuration: Configuration,
        card: EnvironmentCard,
        seed: int,
        device: torch.device,
        values: Values,
    ) -> None:
        self._values, self._actions = values, card.actions
        self._rng = generator(seed, PLANNING)
        width, weights = configuration.planning.width, derived_seed(seed, PLANNING)
        features = int(np.prod(card.shape))
        self._model = NetworkModel(features, card.actions, width, weights, device)
        self.configure(configuration)

    def configure(self, configuration: Configuration) -> None:
        """See :class:`Planner`."""
        self._configuration = configuration

    def observe(self, real: Steps) -> float:
        """See :class:`Planner` and :meth:`NetworkModel.observe`."""
        return self._model.observe(real)

    def batches(self, memory: Memory, slots: np.ndarray, step: int) -> Iterator[Batch]:
        """See :class:`Planner`."""
        options = self._configuration
        self._model.learn(Steps(*memory.steps(slots)), options.planning.learning_rate)
        for _ in range(options.planning.updates):
            seen = memory.seen(self._rng, options.agent.batch_size)
            steps = self._model.imagine(seen, self._choose(seen, step))
            yield made_up(steps, options.agent.discount)

    def _choose(self, observations: np.ndarray, step: int) -> np.ndarray:
        """What is tried, int64 [B]."""
        count = len(observations)
        if self._configuration.planning.actions == "random":
            return self._rng.integers(0, self._actions, count)
        q = torch.from_numpy(self._values(observations).astype(np.float64))
        cumulative = self._policy(q, step).numpy().cumsum(1)
        draws = self._rng.random((count, 1)) * cumulative[:, -1:]
        chosen: np.ndarray = np.minimum((draws >= cumulative).sum(1), self._actions - 1)
        return chosen

    def _policy(self, q: torch.Tensor, step: int) -> torch.Tensor:
        if self._configuration.exploration.kind == "boltzmann":
            temperature = schedules.temperature(self._configuration, step)
            return boltzmann_probs(q, temperature)
        return epsilon_greedy_probs(q, schedules.epsilon(self._configuration, step))

    def state(self) -> State:
        """See :class:`Planner`."""
        return {"model": self._model.state(), "generator": generator_state(self._rng)}

    def restore(self, state: State) -> None:
        """See :class:`Planner`."""
        self._model.restore(state["model"])
        restore_generator(self._rng, state["generator"])


def made_up(steps: Steps, discount: float) -> Batch:
    """A batch of made-up steps; it has no slots in the memory."""
    unknown = np.full(len(steps.action), -1, np.int64)
    return Batch(
        slots=unknown,
        observation=steps.observation,
        action=steps.action,
        reward=steps.reward,
        discount=(discount * (1 - steps.ends)).astype(np.float32),
        next_observation=steps.next_observation,
        next_action=unknown,
    )


def _table(configuration: Configuration, card: EnvironmentCard) -> TableModel:
    remembers = configuration.planning.remembers
    return TableModel(card.shape[0], card.actions, remembers)


def _enter(table: TableModel, real: Steps) -> tuple[int, bool]:
    """Put one real step into a table; see :meth:`TableModel.observe`."""
    return table.observe(
        int(real.observation[0].argmax()),
        int(real.action[0]),
        float(real.reward[0]),
        bool(real.ends[0]),
        int(real.next_observation[0].argmax()),
    )
