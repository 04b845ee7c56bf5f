"""Words for actions and for the elements of observations."""

from __future__ import annotations

import re
from typing import Any

import gymnasium

from engine.environments.atari import action_word

_ACTIONS: dict[str, tuple[str, ...]] = {
    "CartPole": ("left", "right"),
    "Acrobot": ("torque -1", "no torque", "torque +1"),
    "MountainCar": ("left", "coast", "right"),
    "LunarLander": ("nothing", "left engine", "main engine", "right engine"),
    "FrozenLake": ("left", "down", "right", "up"),
    "FrozenLake8x8": ("left", "down", "right", "up"),
    "CliffWalking": ("up", "right", "down", "left"),
    "CliffWalkingSlippery": ("up", "right", "down", "left"),
    "Taxi": ("south", "north", "east", "west", "pick up", "drop off"),
    "Blackjack": ("stick", "hit"),
    "CarRacing": ("nothing", "steer right", "steer left", "gas", "brake"),
}

_OBSERVATIONS: dict[str, tuple[str, ...]] = {
    "CartPole": ("cart position", "cart velocity", "pole angle", "pole velocity"),
    "Acrobot": (
        "cos θ₁",
        "sin θ₁",
        "cos θ₂",
        "sin θ₂",
        "θ₁ velocity",
        "θ₂ velocity",
    ),
    "MountainCar": ("position", "velocity"),
    "LunarLander": (
        "x",
        "y",
        "x velocity",
        "y velocity",
        "angle",
        "angular velocity",
        "left leg contact",
        "right leg contact",
    ),
    "Blackjack": ("player's sum", "dealer's card", "usable ace"),
}

_GRIDS = {"FrozenLake": 4, "FrozenLake8x8": 8, "CliffWalking": 12}
_MINATAR_ACTIONS = ("no-op", "left", "up", "right", "down", "fire")
_TAXI_PLACES = ("red", "green", "yellow", "blue", "taxi")


def action_names(id: str, env: gymnasium.Env[Any, Any], count: int) -> tuple[str, ...]:
    """A word for each action; numbered where nothing is known."""
    bare = env.unwrapped
    if id.startswith("MinAtar/"):
        return tuple(_MINATAR_ACTIONS[index] for index in _minatar_actions(bare))
    found = getattr(bare, "action_names", None) or _ACTIONS.get(_stem(id))
    if not found and hasattr(bare, "get_action_meanings"):
        found = tuple(action_word(str(it)) for it in bare.get_action_meanings())
    if found and len(found) == count:
        return tuple(found)
    return tuple(f"action {index}" for index in range(count))


def _minatar_actions(bare: Any) -> list[int]:
    return [int(index) for index in bare.action_set]


def vector_names(id: str, env: gymnasium.Env[Any, Any], count: int) -> tuple[str, ...]:
    """A name for each number of a vector observation."""
    own = getattr(env.unwrapped, "observation_names", None)
    found = own or _OBSERVATIONS.get(_stem(id), ())
    if len(found) == count:
        return tuple(found)
    return tuple(f"x{index}" for index in range(count))


def state_names(id: str, env: gymnasium.Env[Any, Any], count: int) -> tuple[str, ...]:
    """A name for each state of a discrete observation."""
    found = getattr(env.unwrapped, "state_names", None)
    if found and len(found) == count:
        return tuple(found)
    stem = _stem(id).removesuffix("Slippery")
    if stem == "Taxi" and count == 500:
        return tuple(_taxi_state(state) for state in range(count))
    width = getattr(env.unwrapped, "ncol", 0) or _GRIDS.get(stem, 0)
    if width:
        cells = (divmod(state, width) for state in range(count))
        return tuple(f"row {row}, column {column}" for row, column in cells)
    return tuple(f"state {state}" for state in range(count))


def _taxi_state(state: int) -> str:
    """Taxi's number written out: ((row · 5 + column) · 5 + passenger) · 4 + goal."""
    rest, goal = divmod(state, 4)
    rest, passenger = divmod(rest, 5)
    row, column = divmod(rest, 5)
    return (
        f"taxi at row {row}, column {column}, passenger at {_TAXI_PLACES[passenger]}, "
        f"to {_TAXI_PLACES[goal]}"
    )


def _stem(id: str) -> str:
    """``phys2d/CartPole-v1`` becomes ``CartPole``."""
    return re.sub(r"-v\d+$", "", id).rpartition("/")[2]
