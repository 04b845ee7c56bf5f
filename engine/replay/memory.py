"""The replay memory of a value-based agent: none, uniform, prioritized, sequences."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.contract.arrays import State
from engine.contract.catalogue import EnvironmentCard
from engine.contract.costs import keeps_frames_in_file
from engine.contract.options import Configuration
from engine.contract.randomness import (
    generator,
    generator_state,
    restore_generator,
)
from engine.replay.batches import (
    Batch,
    read_sequences,
    read_transitions,
    read_windows,
)
from engine.replay.newest import Newest
from engine.replay.priorities import Priorities
from engine.replay.streams import Streams

SAMPLING = 3
"""Purpose of the generator that draws batches (see ``contract.randomness``)."""
_FOLLOW_AFTER = 10_000
SPARE = 8
"""One slot in so many is drawn in case that others are not sampleable, and so many."""
BACKLOG = 1000
"""Transitions that wait at most without replay: the longest way to an update."""


class Memory:
    """Streams of experience and the way batches are chosen from them.

    ``uniform`` and ``prioritized`` draw with replacement, and can be exchanged
    while training runs; ``sequence`` draws pieces of episodes. ``none`` keeps only
    what n-step windows need and hands out each transition once.

    Args:
      configuration: All options.
      card: What the environment offers.
      seed: Of the run.
      extras: Shape and type of whatever else is kept for each slot, by name.
      folder: For the file of the frames, where ``replay.storage`` asks for one.

    Attributes:
      streams: What happened.
      priorities: How wrong the estimates were.
      options: Of the replay, as they are now.
      follow: Called where much has changed since the last draw.

    Raises:
      ConfigurationError: If that file cannot be made.
    """

    def __init__(
        self,
        configuration: Configuration,
        card: EnvironmentCard,
        seed: int,
        extras: Mapping[str, tuple[tuple[int, ...], str]] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.options = configuration.replay
        self._learning = configuration.agent
        self._n_step = configuration.agent.n_step
        stack = configuration.environment.frame_stack
        count = configuration.training.environments
        self.streams = Streams(
            _slots(configuration),
            count,
            (*card.shape[:-1], card.shape[-1] // stack),
            card.dtype,
            frame_stack=stack,
            extras=extras,
            folder=_file_folder(configuration, folder),
        )
        self.priorities = Priorities(self.streams)
        self.follow: Callable[[], None] = self.priorities.follow
        self._newest = Newest(count, self._n_step, BACKLOG)
        self._rng = generator(seed, SAMPLING)
        self.configure(configuration)

    def __len__(self) -> int:
        """How many transitions may be drawn."""
        return len(self.streams)

    @property
    def parts(self) -> Sequence[Memory]:
        """The memories that this one consists of: itself; see ``side_by_side``."""
        return (self,)

    @property
    def capacity(self) -> int:
        """How many observations are kept."""
        return self.streams.slots

    def configure(self, configuration: Configuration) -> None:
        """Take over changed live options."""
        self.options, self._learning = configuration.replay, configuration.agent
        # SARSA learns from a step when the next action is known.
        self._newest.wait(self._n_step + (self._learning.estimator == "sarsa"))
        if self.options.kind == "prioritized":
            self.priorities.use(self.options.alpha, by_rank=self._by_rank)
        else:
            self.priorities.rest()

    @property
    def _by_rank(self) -> bool:
        return self.options.priority == "rank"

    def begin(self, stream: int, observation: np.ndarray) -> None:
        """An episode begins in this environment; ``observation`` is one frame."""
        self.streams.begin(stream, observation)

    def append(
        self,
        stream: int,
        action: int,
        reward: float,
        terminated: bool,
        truncated: bool,
        next_observation: np.ndarray,
        explored: bool = False,
        extras: Mapping[str, Any] | None = None,
        *,
        goes_on: bool = False,
    ) -> None:
        """A step was taken in this environment; see :meth:`Streams.append`."""
        slot = self.streams.append(
            stream,
            action,
            reward,
            terminated,
            truncated,
            next_observation,
            explored=explored,
            extras=extras,
            goes_on=goes_on,
        )
        self.priorities.welcome(slot)
        if self.options.kind == "none":
            ended = (terminated or truncated) and not goes_on
            self._newest.add(stream, slot, ended=ended)
        if len(self.streams.changed) > _FOLLOW_AFTER:
            self.follow()

    def sample(self, count: int, gamma: float, beta: float) -> Batch | None:
        """A batch, or None where there is nothing (new) to learn from."""
        if self.options.kind == "none":
            slots = self._newest.take(count)
            return self._batch(slots, None, gamma) if len(slots) else None
        if not len(self.streams):
            return None
        if self.options.kind == "sequence":
            return self._sequences(count, gamma)
        return self._batch(*self.draw(count, beta), gamma)

    def draw(self, count: int, beta: float) -> tuple[np.ndarray, np.ndarray | None]:
        """Slots of a uniform or prioritized batch, and importance weights, if any.

        There is something to draw from.
        """
        if self.options.kind == "uniform":
            return self.evenly(count), None
        slots, probabilities = self.priorities.draw(self.numbers(count))
        self.streams.count_sampled(slots)
        return slots, self.priorities.weights(probabilities, beta)

    def learned(self, slots: np.ndarray, td_error: np.ndarray) -> None:
        """Tell the memory how wrong the estimates were, float [B]."""
        if self.options.kind == "prioritized":
            priority = np.abs(td_error.astype(np.float64))
            priority += self.options.priority_epsilon
            self.priorities.update(slots, priority)

    def drain_log(self) -> dict[str, np.ndarray]:
        """Rows of the slots completed since the last call (``Streams.drain_log``)."""
        return self.streams.drain_log()

    def contents(self) -> dict[str, np.ndarray]:
        """Copies of all slots that are remembered, in the columns of the log."""
        return self.streams.contents()

    def state(self) -> State:
        """Everything but the slots, which are in the log."""
        return {
            "streams": self.streams.state(),
            "priorities": self.priorities.state(),
            "newest": self._newest.state(),
            "generator": generator_state(self._rng),
        }

    def restore(self, state: State, log: Mapping[str, np.ndarray]) -> None:
        """Become what :meth:`state` described; see :meth:`Streams.restore`.

        Raises:
          IncompleteReplay: If the log has rows, but not all that are needed.
        """
        self.streams.restore(state["streams"], log)
        self.priorities.restore(state["priorities"])
        self._newest.restore(state["newest"])
        if not len(self.streams):
            self._newest.clear()
        restore_generator(self._rng, state["generator"])

    def steps(self, slots: np.ndarray) -> tuple[np.ndarray, ...]:
        """The single steps that begin in these slots, whatever ``n_step`` is.

        Returns:
          Observations, actions, rewards, whether they terminated (float32), and
          observations afterwards, [B, ...].
        """
        streams = self.streams
        return (
            streams.observations(slots),
            streams.action[slots],
            streams.reward[slots],
            streams.terminated[slots].astype(np.float32),
            streams.observations(streams.successors(slots)),
        )

    def seen(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Remembered observations, each as likely, [count, ...]; draws from ``rng``."""
        return self.streams.observations(self._draw_uniformly(rng, count))

    def numbers(self, count: int) -> np.ndarray:
        """From [0, 1) for a prioritized draw, float64 [count]."""
        return self._rng.random(count)

    def evenly(self, count: int) -> np.ndarray:
        """Slots for a batch, each with the same probability."""
        self.streams.changed.clear()
        slots = self._draw_uniformly(self._rng, count)
        self.streams.count_sampled(slots)
        return slots

    def candidates(self, count: int) -> np.ndarray:
        """Slots for :meth:`evenly`, any of them, with some to spare, int64 [> count].

        The first ``count`` that are sampleable are drawn; see :meth:`fill_up`.
        """
        return self._candidates(self._rng, count)

    def fill_up(self, slots: np.ndarray, count: int) -> np.ndarray:
        """So many sampleable slots, of which these are the first ones."""
        return self._fill_up(self._rng, slots, count)

    def _draw_uniformly(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Each sampleable slot with the same probability, with replacement."""
        drawn = self._candidates(rng, count)
        slots = drawn[self.streams.sampleable[drawn]][:count]
        return slots if len(slots) == count else self._fill_up(rng, slots, count)

    def _fill_up(
        self, rng: np.random.Generator, slots: np.ndarray, count: int
    ) -> np.ndarray:
        while len(slots) < count:
            drawn = self._candidates(rng, count - len(slots))
            fresh = drawn[self.streams.sampleable[drawn]]
            slots = np.concatenate([slots, fresh[: count - len(slots)]])
        return slots

    def _candidates(self, rng: np.random.Generator, count: int) -> np.ndarray:
        streams = self.streams
        assert streams.used, "nothing can be drawn from an empty memory"
        # Whole numbers take the generator four times as long; a product with a number
        # below 1 is always below, and no slot is likelier than another by 1e-9.
        numbers = rng.random(count + count // SPARE + SPARE)
        drawn = (numbers * (streams.used * streams.count)).astype(np.int64)
        if streams.count == 1:
            return drawn
        stream, position = np.divmod(drawn, streams.used)
        return stream * streams.length + position

    def _batch(
        self, slots: np.ndarray, weight: np.ndarray | None, gamma: float
    ) -> Batch:
        correction = self._learning.n_step_correction
        batch = read_transitions(
            self.streams,
            slots,
            self._n_step,
            gamma,
            greedy_only=correction == "greedy",
        )
        if correction == "retrace":
            windows = read_windows(self.streams, slots, self._n_step, gamma)
            batch = batch._replace(windows=windows)
        return batch._replace(weight=weight)

    def _sequences(self, count: int, gamma: float) -> Batch:
        """Pieces of episodes that begin up to their length before a slot drawn evenly.

        None begins before its episode. So of L steps to a piece the first and the
        last of a long episode are in about half as many pieces as those in its
        middle, the L-th in one and a half times as many, and an episode of T < L
        steps, all of them in most of its pieces, in T/L times as many.
        """
        options, slots = self.options, self.evenly(count)
        back = self._rng.integers(0, options.sequence_length, count)
        back = np.minimum(back, self.streams.reach(slots))
        position = slots % self.streams.length
        starts = slots - position + (position - back) % self.streams.length
        return read_sequences(
            self.streams,
            starts,
            self._n_step,
            gamma,
            length=options.sequence_length,
            burn_in=options.burn_in,
            stored_state=options.stored_state,
            greedy_only=self._learning.n_step_correction == "greedy",
        )


def _file_folder(configuration: Configuration, folder: Path | None) -> Path | None:
    """Where the file of the frames goes; None keeps them in memory."""
    if not keeps_frames_in_file(configuration):
        return None
    return folder or Path(tempfile.gettempdir())


def _slots(configuration: Configuration) -> int:
    """How many slots are needed; without replay only some recent ones.

    No option that can change while it runs plays a part: the log names slots.
    """
    if configuration.replay.kind != "none":
        return configuration.replay.capacity
    # An episode of one step takes two slots.
    recent = configuration.agent.n_step + configuration.environment.frame_stack
    return (2 * BACKLOG + recent + 4) * configuration.training.environments
