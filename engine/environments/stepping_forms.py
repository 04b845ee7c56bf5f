"""Several environments that step together: one after another, or as one vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from gymnasium.envs.registration import load_env_creator

from engine.contract.options import EnvironmentOptions
from engine.environments.lab_environment import LabEnvironment, Step, make
from engine.environments.making import usable_spec
from engine.environments.observations import Unsuitable

_PLACEABLE = "gymnasium.envs.classic_control."
"""Vectors from here keep all they are in ``state`` [n, E], ``steps`` and ``prev_done``,
in float64 as the single environment has it."""
_NEVER = np.iinfo(np.int32).max


class SteppedEnvironment(Protocol):
    """What a training lane asks of its environment; see :class:`LabEnvironment`."""

    frame_shape: tuple[int, ...]
    frame_dtype: str
    life_lost: bool

    @property
    def steps(self) -> int:
        """Of the running episode, with the one that is under way or has failed."""

    def reset(self, seed: int) -> np.ndarray:
        """Begin the episode of this seed; its first observation."""

    def step(self, action: int) -> Step:
        """Act once."""

    def render(self) -> np.ndarray:
        """The present state as a picture."""

    def close(self) -> None:
        """Let go of what the environment holds."""


class SteppingForm(Protocol):
    """How several environments step; each form gives the same numbers.

    Attributes:
      environments: One for each lane. Once :meth:`begin` was told all actions, each
        of them takes its own with ``step``, in any order.
    """

    @property
    def environments(self) -> Sequence[SteppedEnvironment]:
        """One for each lane."""

    def begin(self, actions: np.ndarray) -> None:
        """What all of them do next, int64 [E]."""

    def close(self) -> None:
        """Let go of all environments."""


class OneByOne:
    """Each steps when it is asked to; see :class:`SteppingForm`."""

    def __init__(self, environments: Sequence[LabEnvironment]) -> None:
        self.environments = environments

    def begin(self, actions: np.ndarray) -> None:
        """See :class:`SteppingForm`."""

    def close(self) -> None:
        """See :class:`SteppingForm`."""
        for it in self.environments:
            it.close()


def one_by_one(
    options: EnvironmentOptions, count: int, *, render: bool = False
) -> OneByOne:
    """So many environments in this process."""
    return OneByOne([make(options, render=render) for _ in range(count)])


def has_vector(options: EnvironmentOptions) -> bool:
    """Whether gymnasium has a vectorised form that can be put where episodes begin."""
    entry = usable_spec(options.id).vector_entry_point
    known = isinstance(entry, str) and entry.startswith(_PLACEABLE)
    return known and options.frame_skip <= 1


class Vectorised:
    """Gymnasium's vectorised form of an environment; see :class:`SteppingForm`.

    Left alone, such a vector begins all its episodes from one generator, so that none
    could be played again by itself. Here each episode begins in an environment of its
    own, from its own seed, and is put into the vector before the next step.

    Raises:
      Unsuitable: If it cannot be made with these options.
    """

    def __init__(
        self, options: EnvironmentOptions, count: int, *, render: bool = False
    ) -> None:
        self._vector = _make_vector(options, count)
        self._members = [_Member(options, self, it, render) for it in range(count)]
        self._answers: list[tuple[Any, ...]] = []

    @property
    def environments(self) -> Sequence[LabEnvironment]:
        """See :class:`SteppingForm`."""
        return self._members

    def begin(self, actions: np.ndarray) -> None:
        """See :class:`SteppingForm`."""
        for index, it in enumerate(self._members):
            if it.is_ahead:
                self._vector.state[:, index] = it.unwrapped.state
                self._vector.steps[index] = 0
            it.is_ahead, it.has_begun = False, True
        # Episodes that are over have begun anew above, and from their own seeds.
        self._vector.prev_done[:] = False
        observations, *others, _ = self._vector.step(actions)
        numbers = (it.tolist() for it in others)
        self._answers = list(zip(observations, *numbers, strict=True))

    def answer(self, index: int) -> tuple[Any, ...]:
        """What gymnasium's ``step`` would have returned for one of them."""
        return *self._answers[index], {}

    def state(self, index: int) -> np.ndarray:
        """Where one of them is in the vector."""
        return np.array(self._vector.state[:, index])

    def close(self) -> None:
        """See :class:`SteppingForm`."""
        for it in self._members:
            it.close()
        self._vector.close()


class _Member(LabEnvironment):
    """One environment of a vector.

    Attributes:
      is_ahead: This one has moved, and its place in the vector has not.
      has_begun: The vector has made the step that this one is about to be asked for.
    """

    def __init__(
        self, options: EnvironmentOptions, vector: Vectorised, index: int, render: bool
    ) -> None:
        super().__init__(options, render=render)
        self._vector, self._index = vector, index
        self.is_ahead = self.has_begun = False

    def reset(self, seed: int) -> np.ndarray:
        """See :class:`LabEnvironment`."""
        self.is_ahead, self.has_begun = True, False
        return super().reset(seed)

    def step(self, action: int) -> Step:
        """See :class:`LabEnvironment`."""
        if self.has_begun:
            self.has_begun = False
            return self.accept(self._vector.answer(self._index))
        self._catch_up()
        self.is_ahead = True
        return super().step(action)

    def render(self) -> np.ndarray:
        """See :class:`LabEnvironment`."""
        self._catch_up()
        return super().render()

    def _catch_up(self) -> None:
        """Be where the vector has come to."""
        if not self.is_ahead:
            self.unwrapped.state = self._vector.state(self._index)


def _make_vector(options: EnvironmentOptions, count: int) -> Any:
    if not has_vector(options):
        raise Unsuitable(f"gymnasium has no vectorised form of {options.id}.")
    creator: Any = load_env_creator(str(usable_spec(options.id).vector_entry_point))
    arguments: dict[str, Any] = dict(options.kwargs)
    try:
        vector = creator(num_envs=count, max_episode_steps=_NEVER, **arguments)
        vector.reset(seed=0)
    except Exception as error:
        raise Unsuitable(f"its vectorised form could not be made: {error}.") from error
    return vector
