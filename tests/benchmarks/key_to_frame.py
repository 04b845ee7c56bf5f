"""From the key Right to the painted frame and Q bars of that step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.contract.catalogue import find_preset
from engine.contract.messages import EpisodeFinished
from tests.benchmarks.harness import Result, within
from tests.benchmarks.real_lab import RealLab, real_lab

KEYS = 200
BUDGET_S = 0.05
LEARN_S = 300.0
EPISODES = {"cartpole": 500, "gridworld": 6}
"""Presets, and how long the looked-at episode has to be at least."""


def run() -> Iterator[Result]:
    """A run is recorded until there is such an episode; it goes on, then it rests."""
    for preset, length in EPISODES.items():
        with real_lab() as lab:
            kind, number = record(lab, preset, length)
            window = lab.open_window()
            window.do("marks", wanted=["picture"])
            window.do("look_at", kind=kind, episode=number)
            pressed = window.do("press_right", keys=KEYS)
            yield _row(f"key to frame, {preset}, training", pressed)
            window.do("stop")
            window.do("look_at", kind=kind, episode=number)
            pressed = window.do("press_right", keys=KEYS)
            yield _row(f"key to frame, {preset}, at rest", pressed)
            window.leave(keep_training=False)


def record(lab: RealLab, preset: str, length: int) -> tuple[str, int]:
    """Train until an episode was as long, and is on disk."""
    options = {"training.steps": 10**8}
    lab.train(find_preset(preset).configuration.with_options(options), 1)
    found = lab.expect(
        lambda it: isinstance(it, EpisodeFinished) and it.length >= length, LEARN_S
    )
    assert isinstance(found, EpisodeFinished)
    lab.status(lambda it: it.step > found.step + 500)
    return found.kind, found.episode


def _row(name: str, pressed: dict[str, Any]) -> Result:
    cost = f"processor time of the window per key: {1000 * pressed['cpu']:.1f} ms"
    return within(name, pressed["times"], BUDGET_S, cost, p=95)
