"""What an environment is at a step, copied, where all of it is plain numbers.

To stand at a step again by putting a copy back takes microseconds, while playing up to
it takes as long as the episode. Only families are copied that are known to keep all
they are in attributes; for others there is no snapshot, and they are played again.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

_KNOWN = (
    "engine.environments.worlds.",
    "gymnasium.envs.classic_control.",
    "gymnasium.envs.toy_text.",
    "minatar.",
)
_ATARI = "ale_py."
"""Games whose emulator copies what it is, but for the picture on its screen."""
_NOT_STATE = frozenset({"render_mode"})
"""Plain, but of the copy's owner: another one may draw or not."""
_ATOMS = (bool, int, float, str, bytes, type(None), np.generic)


class _Chance(NamedTuple):
    """The state of a generator; the object itself may be shared, so it stays."""

    state: Any


class Snapshot(NamedTuple):
    """Attributes of each part of an environment, and what it last returned.

    Attributes:
      seed, steps, lives: Of the episode.
      picture: What it showed, where it would not show that again at once.
    """

    parts: tuple[dict[str, Any], ...]
    seed: int
    steps: int
    latest: np.ndarray
    lives: int = 0
    picture: np.ndarray | None = None


def has_snapshots(world: Any) -> bool:
    """Whether :func:`taken` copies all that such a world is."""
    if _is_atari(world):
        # An action that may be repeated at random is not in the emulator's copy.
        return bool(world.ale.getFloat("repeat_action_probability") == 0)
    return type(world).__module__.startswith(_KNOWN)


def taken(world: Any) -> tuple[dict[str, Any], ...]:
    """Copies of what each part of this world is now."""
    if _is_atari(world):
        # How many frames are skipped may be drawn outside of the emulator.
        chance = {"chance": world.np_random.bit_generator.state}
        return ({"state": world.ale.cloneState(include_rng=True)} | chance,)
    return tuple(_plain_attributes(part) for part in _parts(world))


def picture(world: Any) -> np.ndarray | None:
    """What it shows; None where it shows that again once it is put back."""
    return np.asarray(world.ale.getScreenRGB()) if _is_atari(world) else None


def _is_atari(world: Any) -> bool:
    return type(world).__module__.startswith(_ATARI)


def put_back(world: Any, copies: tuple[dict[str, Any], ...]) -> None:
    """Be what the copied world was; this one has been reset before."""
    if _is_atari(world):
        world.ale.restoreState(copies[0]["state"])
        world.np_random.bit_generator.state = copies[0]["chance"]
        return
    for part, copy in zip(_parts(world), copies, strict=True):
        for name, value in copy.items():
            if isinstance(value, _Chance):
                _set_chance(getattr(part, name), value.state)
            else:
                setattr(part, name, _copied(value))


def _parts(world: Any) -> list[Any]:
    """The world, and inside of MinAtar's its game and that game's state."""
    found = [world]
    if type(world).__module__.startswith("minatar."):
        found += [world.game, world.game.env]
    return found


def _plain_attributes(part: Any) -> dict[str, Any]:
    found = {}
    for name, value in vars(part).items():
        if isinstance(value, np.random.Generator):
            found[name] = _Chance(value.bit_generator.state)
        elif isinstance(value, np.random.RandomState):
            found[name] = _Chance(value.get_state(legacy=False))
        elif name not in _NOT_STATE and _is_plain(value):
            found[name] = _copied(value)
    return found


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return type(value) in (list, tuple) and all(map(_is_plain, value))
    return isinstance(value, (*_ATOMS, np.ndarray))


def _copied(value: Any) -> Any:
    """A copy of what is not changed in place by whoever has the original."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, list):
        return [_copied(it) for it in value]
    return tuple(map(_copied, value)) if isinstance(value, tuple) else value


def _set_chance(generator: Any, state: Any) -> None:
    if isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state
    else:
        generator.set_state(state)
