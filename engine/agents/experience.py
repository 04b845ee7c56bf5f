"""What happens to an agent, between acting and remembering."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from engine.contract.arrays import State

BEGINS = -1
"""The action of an episode's first observation: none was taken yet."""


class Experience(NamedTuple):
    """One step of one environment, or the beginning of an episode.

    Attributes:
      stream: Number of the environment.
      observation: The single frame after the step, or the first of an episode.
      version: How many updates the network had seen that chose the action.
      action: ``BEGINS`` at the beginning of an episode.
      reward: Without the bonus.
      terminated, truncated: How the step ended the episode.
      explored: The action was a random one.
      bonus: Added to the reward for a seldom seen state.
      extras: What else is kept for the step.
      life_lost: The return ends with this step, and the episode goes on.
    """

    stream: int
    observation: np.ndarray
    version: int
    action: int = BEGINS
    reward: float = 0.0
    terminated: bool = False
    truncated: bool = False
    explored: bool = False
    bonus: float = 0.0
    extras: Mapping[str, Any] = {}
    life_lost: bool = False


_NUMBERS = {
    "stream": "int64",
    "version": "int64",
    "action": "int64",
    "reward": "float64",
    "terminated": "bool",
    "truncated": "bool",
    "explored": "bool",
    "bonus": "float64",
    "life_lost": "bool",
}


def to_columns(held: Sequence[Experience]) -> State:
    """Experiences as a state."""
    columns: State = {
        name: np.array([getattr(it, name) for it in held], dtype)
        for name, dtype in _NUMBERS.items()
    }
    columns["observation"] = np.array([it.observation for it in held])
    steps = [it.extras for it in held if it.action != BEGINS]
    names = steps[0] if steps else ()
    return columns | {
        "extras": {name: np.array([it[name] for it in steps]) for name in names}
    }


def from_columns(columns: State) -> Iterator[Experience]:
    """Inverse of :func:`to_columns`."""
    # Sessions of the first weeks knew no lives.
    known = [name for name in _NUMBERS if name in columns]
    numbers = [np.asarray(columns[name]).tolist() for name in known]
    frames = np.array(columns["observation"])
    extras, at = columns.get("extras", {}), 0
    for frame, *values in zip(frames, *numbers, strict=True):
        found = Experience(observation=frame, **dict(zip(known, values, strict=True)))
        if found.action != BEGINS:
            own = {name: column[at] for name, column in extras.items()}
            found, at = found._replace(extras=own), at + 1
        yield found
