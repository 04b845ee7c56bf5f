"""What the lab knows of Atari games (the Arcade Learning Environment)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gymnasium.envs.registration import EnvSpec

from engine.contract.options import EnvironmentOptions

NAMESPACE = "ALE/"
FRAMES_PER_S = 60
"""Of the console."""
_WORDS = re.compile("NOOP|UP|DOWN|LEFT|RIGHT|FIRE")
_SAID = {"NOOP": "no-op"}


def is_atari(id: str) -> bool:
    """Whether this is the id of an Atari game."""
    return id.startswith(NAMESPACE)


def arguments(options: EnvironmentOptions) -> dict[str, Any]:
    """Arguments of the game: where the lab skips frames, the game does not."""
    own = {"frameskip": 1} if options.frame_skip else {}
    return own | dict(options.kwargs)


def frames_per_step(options: EnvironmentOptions, spec: EnvSpec) -> int:
    """Frames that pass between two actions; with skips of random length the least."""
    found = (dict(spec.kwargs) | arguments(options)).get("frameskip", 4)
    frames = found if isinstance(found, int) else 1
    return max(1, frames) * max(1, options.frame_skip)


def time_limit(options: EnvironmentOptions, spec: EnvSpec) -> int:
    """Steps after which the game itself truncates an episode, 0 for never."""
    limits: Mapping[str, Any] = dict(spec.kwargs) | dict(options.kwargs)
    frames = limits.get("max_num_frames_per_episode") or 0
    return -(-int(frames) // frames_per_step(options, spec))


def frame_rate(options: EnvironmentOptions, spec: EnvSpec) -> int:
    """Steps per second at the speed of the console."""
    return max(1, FRAMES_PER_S // frames_per_step(options, spec))


def action_word(meaning: str) -> str:
    """``UPRIGHTFIRE`` as ``up right fire``."""
    words = _WORDS.findall(meaning)
    return " ".join(_SAID.get(it, it.lower()) for it in words) or meaning.lower()
