"""States out of the replay memory, and when they were met."""

from __future__ import annotations

import numpy as np

from engine.replay import NO_ACTION, Streams
from engine.replay.batches import previous_actions


def sample_states(
    streams: Streams, rng: np.random.Generator, step: int, count: int
) -> dict[str, np.ndarray]:
    """Up to ``count`` different states; see :meth:`TrainingLoop.sample_states`.

    Args:
      streams: Where they are remembered.
      rng: Draws them.
      step: Environment steps so far, summed over the environments.
      count: How many; fewer where the memory holds fewer.
    """
    slots = np.flatnonzero(streams.sampleable)
    if len(slots) > count:
        slots = np.sort(rng.choice(slots, count, replace=False))
    elapsed = streams.elapsed[slots].astype(np.int64)
    remembered = {}
    if "state" in streams.extras:
        remembered["state"] = streams.extras["state"][slots]
        remembered["previous"] = previous_actions(streams, slots[:, None])[:, 0]
    return remembered | {
        "observation": streams.observations(slots),
        "slot": slots,
        "explored": streams.explored[slots],
        "environment": slots // streams.length,
        "t": elapsed,
        "begun": _steps_made(streams, step)[slots] - elapsed,
    }


def _steps_made(streams: Streams, step: int) -> np.ndarray:
    """Steps that its environment had made when each slot was filled, int64 [N]."""
    made = np.zeros(streams.slots, np.int64)
    for stream in range(streams.count):
        first = stream * streams.length
        ring = np.arange(first, first + streams.length)
        oldest_first = np.roll(ring, first - streams.head(stream) - 1)
        taken = streams.action[oldest_first] != NO_ACTION
        later = taken[::-1].cumsum()[::-1]
        made[oldest_first] = step // streams.count - later
    return made
