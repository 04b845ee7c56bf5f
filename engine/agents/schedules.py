"""How learning rate, ε and β move with the environment steps."""

from __future__ import annotations

import math

from engine.contract.options import Configuration

BUCKET = 32
"""Updates that one point of a learning curve summarises."""
_FALL = 5.0
"""An exponential schedule has come down to e⁻⁵ of its way at its end."""


def epsilon(configuration: Configuration, step: int) -> float:
    """Share of random actions at this step; 1 before learning starts.

    ``linear`` falls evenly, ``exponential`` by the same factor at each step (to
    less than 1 % of the way); after ``decay_steps`` it is ``epsilon_final``. Other
    explorations than ε-greedy have no random actions once learning has started.
    """
    options = configuration.exploration
    if step < configuration.agent.learning_starts:
        return 1.0
    if options.kind != "epsilon_greedy":
        return 0.0
    return _scheduled(configuration, step, options.epsilon, options.epsilon_final)


def temperature(configuration: Configuration, step: int) -> float:
    """Temperature of Boltzmann exploration; it moves as ε does."""
    options = configuration.exploration
    first, last = options.temperature, options.temperature_final
    return _scheduled(configuration, step, first, last)


def exploration(configuration: Configuration, step: int) -> float:
    """ε or temperature of the policy that is followed at this step."""
    if configuration.exploration.kind == "boltzmann":
        return temperature(configuration, step)
    return epsilon(configuration, step)


def _scheduled(
    configuration: Configuration, step: int, first: float, last: float
) -> float:
    options = configuration.exploration
    if options.schedule == "constant":
        return first
    done = step / options.decay_steps
    if done >= 1:
        return last
    left = math.exp(-_FALL * done) if options.schedule == "exponential" else 1 - done
    return last + left * (first - last)


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


def measures_noise(configuration: Configuration, updates: int) -> bool:
    """Whether the update after so many tells how much noise its layers have left.

    One for each point of the curve does: it falls slowly.
    """
    return configuration.exploration.kind == "noisy" and not updates % BUCKET
