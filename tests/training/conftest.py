"""Worlds of known value, and short ways to make configurations and loops."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import tiny_worlds

from engine.contract.options import Configuration, configuration_from_flat
from engine.training import TrainingLoop

tiny_worlds.register()

SMALL = {
    "training.steps": 600,
    "agent.learning_starts": 50,
    "agent.batch_size": 16,
    "replay.capacity": 300,
    "network.hidden": "16",
    "target_network.period": 20,
}


def configure(**options: Any) -> Configuration:
    """A small, fast configuration; ``group__name`` stands for ``group.name``."""
    flat = {key.replace("__", "."): value for key, value in options.items()}
    return configuration_from_flat({**SMALL, **flat})


@pytest.fixture
def make() -> Iterator[Any]:
    """Makes loops, and closes them."""
    loops: list[TrainingLoop] = []

    def make(**options: Any) -> TrainingLoop:
        loops.append(TrainingLoop(configure(**options)))
        return loops[-1]

    yield make
    for loop in loops:
        loop.close()
