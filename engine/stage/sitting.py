"""Recording an episode that was played: it is played again, with pictures."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.contract.costs import LARGEST_OBSERVATION
from engine.contract.options import Configuration
from engine.environments import observation_crc
from engine.media import fitted, scaled
from engine.stage.evaluation import Played
from engine.stage.world import World

MOST_FRAME_BYTES = 48 * 2**20
MOST_FRAMES = 1001
"""Longer episodes are recorded without pictures; seed and actions suffice."""
LEAST_SIDE = 48


@dataclass(frozen=True, slots=True)
class Sitting:
    """An episode that is to be recorded, with pictures or without."""

    configuration: Configuration
    played: Played
    checkpoint_step: int
    with_frames: bool = True


def sitting_job(sitting: Sitting) -> Generator[None, None, dict[str, Any]]:
    """The EpisodeRecord of an evaluation episode, in slices of one step."""
    played, options = sitting.played, sitting.configuration.environment
    world = World(options, render=sitting.with_frames)
    pictures = sitting.with_frames and len(played.actions) < MOST_FRAMES
    frames: list[np.ndarray] = []
    singles: list[np.ndarray] = []
    lost: list[bool] = []
    size: tuple[int, int] | None = None
    try:
        world.reset(played.seed)
        for action in [*played.actions, None]:
            singles.append(world.single)
            if pictures:
                frame = world.render()
                size = size or frame_size(frame, len(played.actions) + 1)
                frames.append(scaled(frame, size))
            if action is not None:
                world.step(action)
                lost.append(world.life_lost)
            yield
    finally:
        world.close()
    record = _record(sitting, singles)
    if any(lost):
        record["life_lost"] = np.array(lost, bool)
    if pictures:
        record["frames"] = np.stack(frames)
    return record


def frame_size(frame: np.ndarray, count: int) -> tuple[int, int]:
    """Height and width at which so many frames stay within the memory for them."""
    pixels = MOST_FRAME_BYTES / (3 * count)
    height, width = frame.shape[:2]
    factor = min(1.0, math.sqrt(pixels / (height * width)))
    return fitted((height, width), max(LEAST_SIDE, int(factor * max(height, width))))


def _record(sitting: Sitting, singles: list[np.ndarray]) -> dict[str, Any]:
    played = sitting.played
    length = len(played.actions)
    ends = np.zeros((2, length), bool)
    ends[:, -1] = played.terminated, played.truncated
    record: dict[str, Any] = {
        "kind": "evaluation",
        "episode": sitting.checkpoint_step,
        "environment": 0,
        "seed": played.seed,
        "step0": sitting.checkpoint_step,
        "checkpoint_step": sitting.checkpoint_step,
        "actions": np.array(played.actions, np.int64),
        "rewards": np.array(played.rewards, np.float64),
        "terminations": ends[0],
        "truncations": ends[1],
        "explored": np.zeros(length, bool),
        "q_values": np.array(played.q, np.float32),
        "observation_crc": np.array([observation_crc(it) for it in singles], np.uint32),
    }
    if singles[0].nbytes <= LARGEST_OBSERVATION:
        record["observations"] = np.stack(singles)
    return record
