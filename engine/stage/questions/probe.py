"""What recording would cost, measured before a run."""

from __future__ import annotations

import time
import zlib
from collections.abc import Generator
from dataclasses import asdict
from typing import Any

import numpy as np

from engine.contract.catalogue import EnvironmentCard
from engine.contract.costs import Probe
from engine.contract.options import Configuration, configuration_from_json
from engine.environments import describe
from engine.media import scaled
from engine.stage.context import Arguments, Asker, Context, Question
from engine.stage.jobs import Job, Priority, Wish
from engine.stage.sitting import MOST_FRAMES, frame_size
from engine.stage.world import World

PICTURES = 40
WITHIN_S = 0.6
SEED = 0


class ProbeArguments(Arguments, frozen=True):
    """``configuration`` as ``Configuration.to_json()``."""

    configuration: str


def _answer(context: Context, arguments: ProbeArguments, asker: Asker) -> Job:
    """Fields of ``contract.costs.Probe``."""
    configuration = configuration_from_json(arguments.configuration)
    card = describe(configuration.environment)
    yield None
    mind = yield from context.minds.mind(configuration, card)
    weights = [
        it.nbytes
        for name, it in mind.agent.weights().items()
        if name.startswith("online/")
    ]
    yield None
    measured = yield from _pictures(configuration, card)
    return asdict(Probe(weights_bytes=sum(weights), **measured))


def _pictures(
    configuration: Configuration, card: EnvironmentCard
) -> Generator[Wish, Any, dict[str, float]]:
    """Random actions, each drawn and compressed as a recorded one would be."""
    world = World(configuration.environment, render=True)
    rng = np.random.default_rng(SEED)
    steps, ended, seconds, size, small = 0, [], 0.0, 0, 0
    pictures = 0
    limit = card.max_episode_steps
    try:
        world.reset(SEED)
        while pictures < PICTURES and seconds < WITHIN_S:
            begin = time.perf_counter()
            frame = world.render()
            size += len(zlib.compress(frame.tobytes(), 1))
            seconds += time.perf_counter() - begin
            small += film_bytes(frame, limit)
            pictures += 1
            outcome = world.step(int(rng.integers(card.actions)))
            steps += 1
            if outcome.terminated or outcome.truncated:
                ended.append(steps)
                steps = 0
                world.reset(SEED + len(ended))
            yield None
    finally:
        world.close()
    return {
        "frame_bytes": size / pictures,
        "film_bytes": small / pictures,
        "frame_s": seconds / pictures,
        "episode_steps": float(limit or max([*ended, steps])),
        "picture_bytes": float(frame.nbytes),
    }


def film_bytes(frame: np.ndarray, steps: int) -> int:
    """Of a picture in the film of an evaluation of so many steps (0: short ones)."""
    if steps + 1 > MOST_FRAMES:
        return 0
    shown = scaled(frame, frame_size(frame, steps + 1))
    return len(zlib.compress(np.ascontiguousarray(shown).tobytes(), 1))


PROBE = Question("probe", ProbeArguments, _answer, Priority.FILM)
