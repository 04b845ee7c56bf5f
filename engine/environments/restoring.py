"""Standing at a step of a recorded episode again, and what chance does from there on.

A step is restored by playing its episode again from its seed, with the actions of
the recording. That needs nothing of an environment but what the lab asks of every
one, and each step on the way can be compared with what was recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from engine.contract.options import EnvironmentOptions
from engine.environments.lab_environment import LabEnvironment, make

Chance = Literal["none", "drawn anew", "kept", "cannot be told"]

CHANCE_WORDS: dict[Chance, str] = {
    "none": "Nothing that followed depended on chance: all rollouts are equal.",
    "drawn anew": "Chance is drawn anew after it, so rollouts differ.",
    "kept": "Chance after it cannot be drawn anew: there is one rollout.",
    "cannot be told": (
        "As far as can be seen nothing that followed depended on chance, but this "
        "environment may draw it out of sight: there is one rollout."
    ),
}
_KNOWN = (
    "engine.environments.worlds.",
    "gymnasium.envs.classic_control.",
    "gymnasium.envs.toy_text.",
    "gymnasium.envs.box2d.",
    "minatar.",
)
"""Modules whose environments have all of their chance from one generator."""
_FIRST_SEED = 11
_MOST_EPISODES = 60
_STEPS = 500
_DRAWS = 3
"""How often chance is drawn anew in each episode, with other numbers each time."""

_Step = tuple[bytes, float, bool, bool]


def chance_state(environment: LabEnvironment) -> Any:
    """What tells the random numbers to come; None where it is not known."""
    generator = _generator(environment.unwrapped)
    if isinstance(generator, np.random.Generator):
        return repr(generator.bit_generator.state)
    if isinstance(generator, np.random.RandomState):
        return repr(generator.get_state(legacy=False))
    return None


def shows_chance(environment: LabEnvironment) -> bool:
    """Whether all of its chance is known to come from what ``chance_state`` tells.

    Others may draw in compiled code, or from a generator of their own.
    """
    return type(environment.unwrapped).__module__.startswith(_KNOWN)


def draw_anew(environment: LabEnvironment, number: int) -> bool:
    """Let chance go another way from here on; False where that is not possible.

    Environments that were given the same number get the same random numbers.
    """
    generator = _generator(environment.unwrapped)
    if isinstance(generator, np.random.Generator):
        fresh = type(generator.bit_generator)(number)
        generator.bit_generator.state = fresh.state
        return True
    if isinstance(generator, np.random.RandomState):
        generator.seed(number)
        return True
    return False


def _generator(world: Any) -> Any:
    """Where an environment has its chance from: gymnasium's place, or MinAtar's."""
    game = getattr(world, "game", None)
    found = getattr(game, "random", None)
    return found if found is not None else getattr(world, "_np_random", None)


@dataclass(frozen=True, slots=True)
class Restoring:
    """What was found out by trying about restoring steps of an environment.

    Attributes:
      exact: Each step was the recorded one, before the branch and after it.
      steps: How many were compared.
      chance: What random numbers do after the branch.
    """

    exact: bool
    steps: int
    chance: Chance

    def sentence(self) -> str:
        """For a report."""
        if not self.exact:
            return "A step cannot be restored exactly: branches from it are refused."
        return (
            "A branch restores its step by playing the episode again from its seed, "
            f"verified at each step (tested over {self.steps:,} steps). "
            f"{CHANCE_WORDS[self.chance]}"
        )


def prove(options: EnvironmentOptions, steps: int = _STEPS) -> Restoring:
    """Branch with the recorded actions, which has to give the recorded trajectory.

    Episodes of random actions are cut in the middle, restored there in another
    environment, and continued with the actions that were taken.

    Args:
      options: The environment.
      steps: How many to compare, at least where episodes are not very short.
    """
    first, other = make(options), make(options)
    try:
        exact, changed, compared, known = True, False, 0, False
        shown = shows_chance(other)
        for seed in range(_FIRST_SEED, _FIRST_SEED + _MOST_EPISODES):
            if compared >= steps:
                break
            actions, trace = _record(first, seed, max(1, steps // 5))
            cut = len(actions) // 2
            again, spends = _branch(other, seed, actions, cut, 0)
            exact &= again == trace
            compared += len(trace)
            known |= chance_state(other) is not None
            others = range(_DRAWS * seed, _DRAWS * (seed + 1))
            for number in others if exact and known and spends else ():
                changed |= _branch(other, seed, actions, cut, number)[0] != trace
    finally:
        first.close()
        other.close()
    return Restoring(exact, compared, _chance(known, changed, shown))


def _chance(known: bool, changed: bool, shown: bool) -> Chance:
    if not known:
        return "kept"
    if changed:
        return "drawn anew"
    return "none" if shown else "cannot be told"


def _record(
    environment: LabEnvironment, seed: int, steps: int
) -> tuple[list[int], list[_Step]]:
    rng = np.random.default_rng(seed)
    trace: list[_Step] = [(environment.reset(seed).tobytes(), 0.0, False, False)]
    actions: list[int] = []
    for action in rng.integers(environment.card.actions, size=steps).tolist():
        actions.append(action)
        trace.append(_step(environment, action))
        if trace[-1][2] or trace[-1][3]:
            break
    return actions, trace


def _branch(
    environment: LabEnvironment, seed: int, actions: list[int], cut: int, number: int
) -> tuple[list[_Step], bool]:
    """What follows the same actions, and whether chance was asked after the cut."""
    trace: list[_Step] = [(environment.reset(seed).tobytes(), 0.0, False, False)]
    before: Any = None
    for t, action in enumerate(actions):
        if t == cut:
            if number:
                draw_anew(environment, number)
            before = chance_state(environment)
        trace.append(_step(environment, action))
        if trace[-1][2] or trace[-1][3]:
            break
    return trace, chance_state(environment) != before


def _step(environment: LabEnvironment, action: int) -> _Step:
    observation, _, terminated, truncated, reward = environment.step(action)
    return observation.tobytes(), reward, terminated, truncated
