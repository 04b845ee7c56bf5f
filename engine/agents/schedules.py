"""How learning rate, ε and β move with the environment steps."""

from __future__ import annotations

import math

from engine.contract.options import Configuration

_FALL = 5.0
"""An exponential schedule has come down to e⁻⁵ of its way at its end."""


def epsilon(configuration: Configuration, step: int) -> float:
    """Share of random actions at this step; 1 before learning starts.

    ``linear`` falls evenly, ``exponential`` by the same factor at each step (to
    less than 1 % of the way); after ``decay_steps`` it is ``epsilon_final``.
    """
    options = configuration.exploration
    if step < configuration.agent.learning_starts:
        return 1.0
    if options.schedule == "constant":
        return options.epsilon
    done = step / options.decay_steps
    if done >= 1:
        return options.epsilon_final
    left = math.exp(-_FALL * done) if options.schedule == "exponential" else 1 - done
    return options.epsilon_final + left * (options.epsilon - options.epsilon_final)


def learning_rate(configuration: Configuration, step: int) -> float:
    """α at this step: linear to its final share at the end of the step budget."""
    options = configuration.agent
    done = min(1.0, step / configuration.training.steps)
    return options.learning_rate * (1 - done * (1 - options.learning_rate_final))


def beta(configuration: Configuration, step: int) -> float:
    """Importance correction: linear to its final value at the end of the budget."""
    options = configuration.replay
    done = min(1.0, step / configuration.training.steps)
    return options.beta + done * (options.beta_final - options.beta)
