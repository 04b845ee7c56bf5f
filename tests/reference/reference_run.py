"""Trains a preset as the lab does, and judges it as the references ask.

The judged checkpoint is the best by periodic evaluation: greedy episodes with the
seeds of ``evaluation.seed`` after each ``evaluation.period`` steps, the highest mean
return, of equal ones the later. It then plays 100 episodes with seeds that neither
training nor evaluation has seen.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from engine.contract.options import Configuration
from engine.environments import describe, make
from engine.stage.evaluation import evaluate
from engine.stage.minds import Mind
from engine.training import TrainingLoop

FRESH_SEED, FRESH_EPISODES = 5_000_000, 100


@dataclass(frozen=True, slots=True)
class ReferenceRun:
    """What a run came to.

    Attributes:
      curve: (step, mean return) of each evaluation.
      best_step: Where the judged checkpoint is from.
      returns: Of the fresh episodes, float64 [100].
      cpu_s: Processor seconds of training and evaluations, without the last one.
      mind: The judged checkpoint.
    """

    seed: int
    curve: list[tuple[int, float]]
    best_step: int
    returns: np.ndarray
    cpu_s: float
    mind: Mind

    @property
    def mean(self) -> float:
        """Mean return over the fresh episodes."""
        return float(self.returns.mean())

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.mean:.2f} (worst {self.returns.min():g}), best "
            f"checkpoint at {self.best_step}, {self.cpu_s:.1f} CPU s"
        )


def reference_run(configuration: Configuration, seed: int) -> ReferenceRun:
    """Train to the end of the budget with this seed and judge the best checkpoint."""
    configuration = configuration.with_options(
        {"training.seed": seed, "recording.level": "scalars", "training.device": "cpu"}
    )
    options, evaluation = configuration.environment, configuration.evaluation
    start = time.process_time()
    loop = TrainingLoop(configuration)
    mind = Mind(configuration, describe(options))
    curve: list[tuple[int, float]] = []
    best, best_step, best_weights = -np.inf, 0, loop.weights()
    while not loop.finished:
        loop.advance(steps=evaluation.period)
        loop.drain()
        weights = loop.weights()
        mind.load(loop.step, weights)
        mean = evaluate(mind, options, evaluation.episodes, evaluation.seed).mean
        curve.append((loop.step, mean))
        if mean >= best:
            best, best_step, best_weights = mean, loop.step, weights
    cpu_s = time.process_time() - start
    mind.load(best_step, best_weights)
    first = FRESH_SEED + FRESH_EPISODES * seed
    fresh = evaluate(mind, options, FRESH_EPISODES, first)
    return ReferenceRun(seed, curve, best_step, fresh.returns, cpu_s, mind)


def exact_optimum(configuration: Configuration) -> float:
    """The largest return that GridWorld allows from its only start."""
    world = make(configuration.environment).unwrapped
    (start,) = world.layout.cells("S")
    return float(world.solve(discount=1.0).values[start])
