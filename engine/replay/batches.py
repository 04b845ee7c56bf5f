"""What is drawn from a memory: transitions, windows of steps, pieces of episodes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from engine.replay.kernels import NO_ACTION
from engine.replay.streams import Streams


class Sequences(NamedTuple):
    """How the transitions of a batch lie in pieces of episodes.

    ``B`` pieces of ``S`` observations; ``L`` transitions of each count. A batch has
    them one after the other: its first L transitions belong to the first piece.

    Attributes:
      current: Position of each observation in its piece, int64 [B, L].
      following: Position of the observation after the window, int64 [B, L].
      valid: Whether there is such a transition, bool [B, L].
      previous: The action before each observation, int64 [B, S]; -1 for none.
      state: Recurrent memory before the first observation, float32 [B, W].
    """

    current: np.ndarray
    following: np.ndarray
    valid: np.ndarray
    previous: np.ndarray
    state: np.ndarray


class Windows(NamedTuple):
    """The single steps of each n-step window, ``n`` of them, padded at its end.

    Attributes:
      observation: After each step, [B, n, ...].
      action: Of each step, int64 [B, n].
      reward, discount: Of each step; both 0 behind the end, float32 [B, n].
      behaviour: How likely the action was when it was taken, float32 [B, n].
      last: The window ends with this step, bool [B, n].
    """

    observation: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    discount: np.ndarray
    behaviour: np.ndarray
    last: np.ndarray


class Batch(NamedTuple):
    """Transitions to learn from; ``B`` of them.

    Attributes:
      slots: Where they are stored, int64 [B]; -1 for what a model made up.
      observation, next_observation: As the agent sees them, [B, ...]; of pieces of
        episodes all observations, [B, S, ...], and the latter is empty.
      action: int64 [B].
      reward: Discounted sum of the rewards of the window, float32 [B].
      discount: γ to the number of rewards, or 0 where it terminated, float32 [B].
      next_action: The action taken after the window, int64 [B]; -1 where unknown.
      weight: Importance weights, float32 [B], or None where all are 1.
      extras: Whatever else is kept for each slot, by name.
      windows: Only where Retrace needs them.
      sequences: Only where pieces of episodes are drawn.
    """

    slots: np.ndarray
    observation: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    discount: np.ndarray
    next_observation: np.ndarray
    next_action: np.ndarray
    weight: np.ndarray | None = None
    extras: dict[str, np.ndarray] = {}  # noqa: RUF012 - read only
    windows: Windows | None = None
    sequences: Sequences | None = None


def read_transitions(
    streams: Streams, slots: np.ndarray, n: int, gamma: float, *, greedy_only: bool
) -> Batch:
    """The transitions that begin in these slots."""
    reward, discount, following = streams.windows(
        slots, n, gamma, greedy_only=greedy_only
    )
    return Batch(
        slots=slots,
        observation=streams.observations(slots),
        action=streams.action[slots],
        reward=reward,
        discount=discount,
        next_observation=streams.observations(following),
        next_action=streams.action[following],
        extras={name: column[slots] for name, column in streams.extras.items()},
    )


def read_windows(streams: Streams, slots: np.ndarray, n: int, gamma: float) -> Windows:
    """The single steps of the windows that begin in these slots."""
    path = _path(streams, slots, n + 1)
    steps, after = path[:, :-1], path[:, 1:]
    ends = streams.terminated[steps] | (streams.action[after] == NO_ACTION)
    ended = np.logical_or.accumulate(ends, 1)
    inside = np.concatenate([np.ones_like(ended[:, :1]), ~ended[:, :-1]], 1)
    last = inside & ended
    last[:, -1] |= inside[:, -1]
    discount = np.where(streams.terminated[steps], 0.0, gamma) * inside
    observation = streams.observations(after.reshape(-1))
    return Windows(
        observation=observation.reshape(*after.shape, *observation.shape[1:]),
        action=np.maximum(streams.action[steps], 0),
        reward=(streams.reward[steps] * inside).astype(np.float32),
        discount=discount.astype(np.float32),
        behaviour=streams.extras["behaviour"][steps],
        last=last,
    )


def read_sequences(
    streams: Streams,
    starts: np.ndarray,
    n: int,
    gamma: float,
    *,
    length: int,
    burn_in: int,
    stored_state: bool,
    greedy_only: bool,
) -> Batch:
    """Pieces of episodes whose transitions count from these slots on."""
    before = np.minimum(burn_in, streams.reach(starts))
    position = starts % streams.length
    first = starts - position + (position - before) % streams.length
    path = _path(streams, first, burn_in + length + n)
    steps = np.arange(length)
    current = before[:, None] + steps
    slots = np.take_along_axis(path, current, 1)
    valid = np.logical_and.accumulate(streams.action[slots] != NO_ACTION, 1)
    reward, discount, following = streams.windows(
        slots.reshape(-1), n, gamma, greedy_only=greedy_only
    )
    ahead = (following - slots.reshape(-1)) % streams.length
    observation = streams.observations(path.reshape(-1))
    flat = valid.reshape(-1)
    return Batch(
        slots=slots.reshape(-1),
        observation=observation.reshape(*path.shape, *observation.shape[1:]),
        action=np.where(flat, streams.action[slots.reshape(-1)], 0),
        reward=np.where(flat, reward, 0.0).astype(np.float32),
        discount=np.where(flat, discount, 0.0).astype(np.float32),
        next_observation=observation[:0],
        next_action=np.where(flat, streams.action[following], NO_ACTION),
        weight=flat.astype(np.float32),
        sequences=Sequences(
            current=current,
            following=np.where(valid, current + ahead.reshape(current.shape), current),
            valid=valid,
            previous=previous_actions(streams, path),
            state=_states(streams, first, stored=stored_state),
        ),
    )


def _states(streams: Streams, first: np.ndarray, *, stored: bool) -> np.ndarray:
    """Recurrent memory before these slots, float32 [B, W]; empty if not stored."""
    if "state" not in streams.extras:
        return np.zeros((len(first), 0), np.float32)
    states: np.ndarray = streams.extras["state"][first]
    return states if stored else np.zeros_like(states)


def _path(streams: Streams, first: np.ndarray, count: int) -> np.ndarray:
    """So many slots of a ring from these on, int64 [B, count]."""
    position = first % streams.length
    start = first - position
    ahead = (position[:, None] + np.arange(count)) % streams.length
    path: np.ndarray = start[:, None] + ahead
    return path


def previous_actions(streams: Streams, path: np.ndarray) -> np.ndarray:
    """The action before each slot of paths; -1 at the beginning of an episode."""
    position = path % streams.length
    before = path - position + (position - 1) % streams.length
    previous = np.where(streams.elapsed[path] > 0, streams.action[before], NO_ACTION)
    oldest = streams.reach(path[:, 0]) == 0
    previous[oldest, 0] = NO_ACTION
    return previous
