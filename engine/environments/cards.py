"""What an environment offers, as a card; and the list of all of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from typing import Any

from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import EnvironmentOptions
from engine.environments import atari
from engine.environments.catalogue import find_spec, known_ids, package_of
from engine.environments.frame_stack import stacked_shape
from engine.environments.making import (
    GymEnv,
    Missing,
    discrete_actions,
    open_world,
    time_limit,
    usable_spec,
)
from engine.environments.names import action_names, state_names, vector_names
from engine.environments.observations import (
    ObservationForm,
    Unsuitable,
    observation_form,
)

MINATAR_FRAME_RATE = 12


@dataclass(frozen=True, slots=True)
class EnvironmentRow:
    """A line in the list of environments.

    Attributes:
      suits: False where no agent of the lab can learn it.
      reason: Why not, as a sentence; empty where it suits.
      install: The line that installs what is missing; empty where nothing is.
    """

    id: str
    suits: bool
    reason: str = ""
    install: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for a message or JSON."""
        return asdict(self)


def describe(options: EnvironmentOptions) -> EnvironmentCard:
    """The card of an environment after the lab's preprocessing.

    An environment that does not suit gets a card that says why.

    Raises:
      UnknownEnvironment: If there is none of this name.
    """
    return _describe(options.model_dump_json())


def registered() -> list[EnvironmentRow]:
    """Every environment that the lab knows, suitable or not, sorted by id."""
    return [verdict(id) for id in known_ids()]


@cache
def verdict(id: str) -> EnvironmentRow:
    """Whether a known one suits, from its declaration alone where that suffices."""
    package = package_of(id)
    if package is not None and package.installed:
        # All games of MinAtar and Atari suit: none has to be made to know it.
        return EnvironmentRow(id, suits=True)
    try:
        usable_spec(id)
    except Unsuitable as problem:
        return EnvironmentRow(id, False, f"{id}: {problem}", _install(problem))
    card = describe(EnvironmentOptions(id=id))
    return EnvironmentRow(id, card.suits, card.reason, card.install)


def _install(problem: Unsuitable) -> str:
    return problem.install if isinstance(problem, Missing) else ""


@lru_cache(maxsize=4096)
def _describe(json: str) -> EnvironmentCard:
    options = EnvironmentOptions.model_validate_json(json)
    try:
        env = open_world(options, render=False)
        try:
            form = observation_form(env.observation_space, options)
            return card_of(options, env, form)
        finally:
            env.close()
    except Unsuitable as problem:
        return EnvironmentCard(
            id=options.id,
            suits=False,
            reason=f"{options.id}: {problem}",
            install=_install(problem),
        )


def card_of(
    options: EnvironmentOptions, env: GymEnv, form: ObservationForm
) -> EnvironmentCard:
    """The card of an environment that has been made.

    Raises:
      Unsuitable: If its actions are not discrete, or its observations cannot be
        prepared as asked.
    """
    if options.frame_max and form.kind != "image":
        raise Unsuitable(
            "its observations are no images, so none of two frames is brighter: set "
            "environment.frame_max to false."
        )
    actions = int(discrete_actions(env).n)
    frames = options.frame_stack
    spec = find_spec(options.id)
    return EnvironmentCard(
        id=options.id,
        observation=form.kind,
        shape=stacked_shape(form.shape, frames),
        dtype=form.dtype,
        low=form.low * frames,
        high=form.high * frames,
        observation_names=_stacked_names(_names(options.id, env, form), frames),
        actions=actions,
        action_names=action_names(options.id, env, actions),
        max_episode_steps=time_limit(options),
        reward_threshold=spec.reward_threshold if spec is not None else None,
        frame_rate=_frame_rate(options, env),
    )


def _names(id: str, env: GymEnv, form: ObservationForm) -> tuple[str, ...]:
    if form.kind == "image":
        return ()
    if form.kind == "onehot":
        return state_names(id, env, form.shape[0])
    return vector_names(id, env, form.shape[0])


def _stacked_names(names: tuple[str, ...], frames: int) -> tuple[str, ...]:
    """Names of a stack: ``position (2 ago)``, ``position (1 ago)``, ``position``."""
    stacked = []
    for ago in range(frames - 1, -1, -1):
        stacked += [f"{name} ({ago} ago)" if ago else name for name in names]
    return tuple(stacked)


def _frame_rate(options: EnvironmentOptions, env: GymEnv) -> int:
    """Steps per second at normal speed."""
    spec = find_spec(options.id)
    if spec is not None and atari.is_atari(options.id):
        return atari.frame_rate(options, spec)
    if options.id.startswith("MinAtar/"):
        return MINATAR_FRAME_RATE
    own = int(env.metadata.get("render_fps") or 30)
    return max(1, own // max(1, options.frame_skip))
