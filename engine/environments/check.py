"""Does this environment suit the lab, which agents, and what can be restored."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from engine.contract.catalogue import EnvironmentCard
from engine.contract.costs import size_text
from engine.contract.options import EnvironmentOptions
from engine.environments import atari
from engine.environments.cards import describe
from engine.environments.lab_environment import LabEnvironment, make
from engine.environments.restoring import prove

LARGE_IMAGE = 84 * 84
"""Bytes of an image beyond which it is said how to make it smaller."""
_TRIAL_STEPS = 300
_DRAW_PERIOD = 25
_TRIAL_SEEDS = (11, 12, 11)
"""The first episode is played again at the end, to see what is carried over."""

_Trace = list[tuple[bytes, float, bool, bool]]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was found out about an environment.

    Attributes:
      suits: Whether an agent of the lab can learn in it.
      exact: Whether seed and actions reproduce an episode exactly; tested.
      step_us: Microseconds for one step, 0 where it was not run.
      lines: The findings, one sentence each.
    """

    id: str
    suits: bool
    exact: bool
    step_us: float
    lines: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for a message or JSON."""
        return asdict(self)


def check(id: str) -> CheckReport:
    """Try an environment out.

    Raises:
      UnknownEnvironment: If there is none of this name.
    """
    options = EnvironmentOptions(id=id)
    card = describe(options)
    if not card.suits:
        lines = [f"It does not suit. {card.reason}"]
        lines += [f"Install it with: {card.install}"] if card.install else []
        return CheckReport(id, False, False, 0.0, tuple(lines))
    try:
        exact, exact_drawn, step_us = _try_out(options)
        restored = prove(options)
    except Exception as error:
        text = f"It fails when it is played: {type(error).__name__}: {error}"
        return CheckReport(id, False, False, 0.0, (text,))
    lines = [
        "It suits: discrete actions and an observation that a network can read.",
        *_observation_lines(card),
        f"{card.actions} actions: {_some(card.action_names)}.",
        _episode_line(card),
        "Agents: every value-based one; 'rllab algorithms' lists what it is made of.",
        _exactness_line(exact, exact_drawn),
        restored.sentence(),
        f"One step takes about {step_us:.3g} µs.",
    ]
    return CheckReport(id, True, exact and exact_drawn, step_us, tuple(lines))


def _try_out(options: EnvironmentOptions) -> tuple[bool, bool, float]:
    """Exact when repeated, exact when drawn as well, microseconds per step."""
    environment = make(options)
    drawn = make(options, render=True)
    try:
        first, seconds, steps = _run(environment)
        again, _, _ = _run(environment)
        shown, _, _ = _run(drawn)
        exact = first == again and first[0] == first[-1]
        return exact, first == shown, 1e6 * seconds / max(steps, 1)
    finally:
        environment.close()
        drawn.close()


def _run(environment: LabEnvironment) -> tuple[list[_Trace], float, int]:
    """A trace for each trial episode, seconds spent in steps, and their number."""
    traces, steps, seconds = [], 0, 0.0
    for seed in _TRIAL_SEEDS:
        rng = np.random.default_rng(seed)
        trace: _Trace = [(environment.reset(seed).tobytes(), 0.0, False, False)]
        for action in rng.integers(environment.card.actions, size=_TRIAL_STEPS):
            start = time.perf_counter()
            observation, _, terminated, truncated, reward = environment.step(action)
            seconds += time.perf_counter() - start
            trace.append((observation.tobytes(), reward, terminated, truncated))
            if environment.renders and len(trace) % _DRAW_PERIOD == 0:
                environment.render()
            if terminated or truncated:
                break
        steps += len(trace) - 1
        traces.append(trace)
    return traces, seconds, steps


def _observation_lines(card: EnvironmentCard) -> list[str]:
    size = " x ".join(str(side) for side in card.shape)
    if card.observation == "image":
        return [f"Observation: an image of {size} bytes.", *_advice(card)]
    if card.observation == "onehot":
        return [f"Observation: one of {size} states, shown as {size} inputs."]
    return [f"Observation: {size} numbers: {_some(card.observation_names)}."]


def _advice(card: EnvironmentCard) -> list[str]:
    """How images are made smaller than the environment gives them."""
    if atari.is_atari(card.id):
        return [
            "Prepared as published: the presets atari-dqn, atari-rainbow and atari-qr "
            f"with --set environment.id={card.id}; they see 84 x 84 shades of gray."
        ]
    size = math.prod(card.shape)
    if size <= LARGE_IMAGE:
        return []
    return [
        f"A replay of 100,000 of them takes {size_text(100_000 * size)}: "
        "environment.image_size and environment.grayscale make them smaller."
    ]


def _episode_line(card: EnvironmentCard) -> str:
    if not card.max_episode_steps:
        return "An episode has no time limit; environment.time_limit sets one."
    line = f"An episode is truncated after {card.max_episode_steps:,} steps"
    if card.reward_threshold is None:
        return f"{line}."
    return f"{line}; a mean return of {card.reward_threshold:g} counts as solved."


def _exactness_line(exact: bool, exact_drawn: bool) -> str:
    if not exact:
        return (
            "Seed and actions do not reproduce an episode exactly: frames are "
            "stored while it is recorded, and a resumed run starts a new episode."
        )
    if not exact_drawn:
        return (
            "Seed and actions reproduce an episode exactly, but not while it is "
            "drawn: frames are stored while it is recorded."
        )
    return "Seed and actions reproduce an episode exactly, drawn or not (tested)."


def _some(names: tuple[str, ...], most: int = 8) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown}, ..."
