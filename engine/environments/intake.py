"""Episodes that were recorded elsewhere, in the form in which the lab records them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import EnvironmentOptions
from engine.environments.cards import describe
from engine.environments.making import CONTINUOUS, discrete_actions, open_world
from engine.environments.observations import (
    Unsuitable,
    Unusable,
    describe_value,
    observation_form,
)

MOST_BYTES = 512 << 20
"""Of the observations of one episode."""

_PARTS = {
    "Dict": "a dictionary of several parts",
    "Tuple": "a tuple of several parts",
    "Text": "text",
}

Episode = Mapping[str, Any]


class NotTaken(ValueError):
    """A recording cannot be used here; the sentence says why."""


def check_spaces(observations: Mapping[str, Any], actions: Mapping[str, Any]) -> None:
    """Judge what a recording says of its spaces, whatever environment it is from.

    Args:
      observations: ``type`` of its space and more; empty where nothing is said.
      actions: The same of its actions.

    Raises:
      NotTaken: If no agent of the lab could learn from it.
    """
    if actions.get("type") == "Box":
        raise NotTaken(CONTINUOUS)
    if actions.get("type", "Discrete") != "Discrete":
        raise NotTaken(
            f"an action has several parts ({actions['type']}); the lab's agents "
            "choose one of a list of actions."
        )
    if what := _PARTS.get(observations.get("type", "")):
        raise NotTaken(
            f"its observation is {what}; the lab's networks read vectors and images."
        )


class Intake:
    """Takes in episodes of one environment, which is looked up among ours.

    Args:
      options: The environment.
      prepared: The observations are those of the lab already, but for discrete
        states, which are numbers.

    Attributes:
      card: What the environment offers.

    Raises:
      UnknownEnvironment: If there is none of this name.
      NotTaken: If it does not suit.
    """

    def __init__(self, options: EnvironmentOptions, *, prepared: bool) -> None:
        self.card: EnvironmentCard = describe(options)
        if not self.card.suits:
            advice = self.card.install and f" Install it with: {self.card.install}"
            raise NotTaken(self.card.reason + advice)
        try:
            env = open_world(options, render=False)
        except Unsuitable as problem:
            raise NotTaken(f"{options.id}: {problem}") from problem
        try:
            space, actions = env.observation_space, discrete_actions(env)
        finally:
            env.close()
        self._form = observation_form(space, options)
        self._shape: tuple[int, ...] = tuple(space.shape or ())
        self._prepared = prepared
        self._first = 0 if prepared else int(actions.start)
        self._count = int(actions.n)

    def record(self, episode: Episode) -> dict[str, Any]:
        """An episode as the trainer would have recorded it.

        Raises:
          NotTaken: If it is not one of this environment.
        """
        actions = self._actions(episode["actions"])
        seen = self._observations(episode["observations"])
        found: dict[str, Any] = {
            "seed": int(episode["seed"]),
            "actions": actions,
            "observations": seen,
            "rewards": _finite(episode["rewards"], "a reward"),
            **_ends(episode),
        }
        known = self._prepared and "explored" in episode
        flags = episode["explored"] if known else np.zeros(len(actions))
        found |= {"explored": np.asarray(flags, bool), "explored_known": known}
        q = episode.get("q_values") if self._prepared else None
        if q is not None and q.shape == (len(seen), self._count):
            found["q_values"] = np.asarray(q, np.float32)
        return found

    def _actions(self, stored: np.ndarray) -> np.ndarray:
        if stored.ndim != 1 or stored.dtype.kind not in "iu":
            what = describe_value(stored)
            raise NotTaken(f"its actions are {what}, not the numbers of actions.")
        actions = stored.astype(np.int64) - self._first
        if actions.min() < 0 or actions.max() >= self._count:
            raise NotTaken(
                f"it has actions from {stored.min()} to {stored.max()}, and "
                f"{self.card.id} has {self._count}."
            )
        return actions

    def _observations(self, stored: np.ndarray) -> np.ndarray:
        size = len(stored) * int(np.prod(self._form.shape)) * 4
        if size > MOST_BYTES:
            raise NotTaken(f"an episode takes {size / 1e9:.1f} GB, which is too much.")
        one_hot = self._form.kind == "onehot"
        wanted = self._form.shape if self._prepared and not one_hot else self._shape
        if stored.shape[1:] != wanted:
            raise NotTaken(
                f"the shape of an observation is {stored.shape[1:]}, in {self.card.id} "
                f"it is {wanted}."
            )
        try:
            if self._prepared and not one_hot:
                seen = stored.astype(self._form.dtype)
            else:
                seen = np.stack([self._form.encode(it) for it in stored])
        except Unusable as problem:
            raise NotTaken(f"{str(problem)[0].lower()}{str(problem)[1:]}") from problem
        return seen if seen.dtype.kind != "f" else _finite(seen, "an observation")


def _finite(values: np.ndarray, what: str) -> np.ndarray:
    """The values, as they are for float32 and else as float64."""
    if values.dtype.kind not in "fiub":
        raise NotTaken(f"{what} is {describe_value(values)}, not a number.")
    kept = values if values.dtype == np.float32 and values.ndim > 1 else None
    found = np.asarray(values, np.float64) if kept is None else kept
    if not np.isfinite(found).all():
        raise NotTaken(f"{what} is NaN or infinite.")
    return found


def _ends(episode: Episode) -> dict[str, np.ndarray]:
    """How it ended; one that just stops was cut off, which is a truncation."""
    terminations = np.array(episode["terminations"], bool)
    truncations = np.array(episode["truncations"], bool)
    if (terminations | truncations)[:-1].any():
        raise NotTaken("an episode goes on after its end.")
    truncations[-1] = not terminations[-1]
    return {"terminations": terminations, "truncations": truncations}
