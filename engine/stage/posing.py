"""Putting known worlds into the state that an observation shows, for one picture.

States from the replay memory have no seed and no actions to be played again. What is
posed is drawn and thrown away, so nothing depends on hidden parts of a state.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.contract.options import EnvironmentOptions
from engine.environments import LabEnvironment, describe, make
from engine.environments.pictures import SIDE_PX, plain_picture, planes_picture

Pose = Callable[[Any, np.ndarray], None]


def picture_of(
    options: EnvironmentOptions, observation: np.ndarray
) -> np.ndarray | None:
    """The picture of an observation [...] as the agent sees it; None if impossible."""
    poser = Poser(options)
    try:
        return poser.picture_of(observation)
    finally:
        poser.close()


class Poser:
    """Draws many observations in one world, which is made when it is needed."""

    def __init__(self, options: EnvironmentOptions) -> None:
        self.options, self._card = options, describe(options)
        self._world: LabEnvironment | None = None
        ours = options.id.startswith("RLLab/")
        self._pose = _own_pose if ours else _POSES.get(options.id.rpartition("-v")[0])
        if options.scale_observations and self._card.observation == "vector":
            self._pose = None

    def picture_of(
        self, observation: np.ndarray, side_px: int = SIDE_PX
    ) -> np.ndarray | None:
        """The picture of an observation as the agent sees it; None if impossible.

        What has no size of its own is drawn as large as ``side_px``, if it can be.
        """
        stack, card = self.options.frame_stack, self._card
        newest = observation[..., -(observation.shape[-1] // stack) :]
        if card.observation == "image":
            if self._has_planes:
                return planes_picture(newest, side_px)
            return plain_picture(card.id, newest)
        return self._posed(newest)

    @property
    def is_sure(self) -> bool:
        """Whether observations hold all that these worlds draw."""
        return self._has_planes or self._pose in _SURE

    def recorded_picture(self, single: np.ndarray) -> np.ndarray:
        """The picture of a step, of what was seen there, where this ``is_sure``.

        Args:
          single: The observation without its stack, as it was recorded.
        """
        if self._has_planes:
            return planes_picture(single)
        picture = self._posed(single)
        assert picture is not None
        return picture

    @property
    def _has_planes(self) -> bool:
        return self.options.id.startswith("MinAtar/")

    def _posed(self, newest: np.ndarray) -> np.ndarray | None:
        if self._pose is None:
            return None
        if self._world is None:
            self._world = make(self.options, render=True)
        world = self._world
        if self._pose is _own_pose and not hasattr(world.unwrapped, "pose"):
            return None
        world.reset(0)
        self._pose(world.unwrapped, newest.astype(np.float64))
        return world.render()

    def close(self) -> None:
        """Let go of the world."""
        if self._world is not None:
            self._world.close()
            self._world = None


def _vector(world: Any, observation: np.ndarray) -> None:
    world.state = observation


def _acrobot(world: Any, observation: np.ndarray) -> None:
    angles = np.arctan2(observation[1:4:2], observation[0:4:2])
    world.state = np.concatenate([angles, observation[4:6]])


def _cell(world: Any, observation: np.ndarray) -> None:
    world.s = int(observation.argmax())


def _own_pose(world: Any, observation: np.ndarray) -> None:
    world.pose(observation)


_POSES: dict[str, Pose] = {
    "CartPole": _vector,
    "MountainCar": _vector,
    "Acrobot": _acrobot,
    "FrozenLake": _cell,
    "FrozenLake8x8": _cell,
    "CliffWalking": _cell,
    "CliffWalkingSlippery": _cell,
    "Taxi": _cell,
}
_SURE = (_vector, _acrobot)
"""The others draw also how a state was come to: which way somebody looks, say."""
