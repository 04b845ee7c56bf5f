"""Making gymnasium environments without the layers that the lab does not need."""

from __future__ import annotations

import copy
from typing import Any

import gymnasium
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec, load_env_creator

from engine.contract.options import EnvironmentOptions
from engine.environments import atari
from engine.environments.catalogue import PACKAGES, find_spec, needs
from engine.environments.observations import Unsuitable
from engine.environments.quiet import hushed

GymEnv = gymnasium.Env[Any, Any]


class Missing(Unsuitable):
    """A package is not installed.

    Attributes:
      install: The line that installs it.
    """

    def __init__(self, module: str, install: str) -> None:
        super().__init__(f"it needs the package '{module}', which is not installed.")
        self.install = install


class _FreshStickyAction(gymnasium.Wrapper[Any, Any, Any, Any]):
    """MinAtar repeats the last action now and then, even that of the last episode.

    Forgetting it on reset makes an episode depend on its seed and actions alone.
    """

    def reset(self, **kwargs: Any) -> Any:
        game: Any = self.env.unwrapped
        game.game.last_action = 0
        return super().reset(**kwargs)


def open_world(options: EnvironmentOptions, *, render: bool) -> GymEnv:
    """The environment itself, without time limit, checker and order enforcer.

    Raises:
      UnknownEnvironment: If there is none of this name.
      Unsuitable: If it cannot be made; :class:`Missing` if for want of a package.
    """
    spec = usable_spec(options.id)
    arguments: dict[str, Any] = dict(options.kwargs)
    if atari.is_atari(options.id):
        arguments = atari.arguments(options)
    try:
        with hushed():
            if render and _draws_itself(spec):
                arguments["render_mode"] = "rgb_array"
            env = gymnasium.make(_bare(spec), **arguments)
    except (Exception, SystemExit) as error:
        raise Unsuitable(_why(error, options)) from error
    return _FreshStickyAction(env) if options.id.startswith("MinAtar/") else env


def discrete_actions(env: GymEnv) -> spaces.Discrete[Any]:
    """The action space of an environment whose actions can be counted.

    Raises:
      Unsuitable: If they cannot.
    """
    space = env.action_space
    if isinstance(space, spaces.Discrete):
        return space
    if isinstance(space, spaces.Box):
        raise Unsuitable(CONTINUOUS)
    raise Unsuitable(
        f"an action has several parts ({type(space).__name__}); the lab's agents "
        "choose one of a list of actions."
    )


CONTINUOUS = (
    "its actions are continuous; the lab's agents choose one of a list of actions."
)


def _draws_itself(spec: EnvSpec) -> bool:
    """Whether an environment offers pictures; MinAtar's would need matplotlib."""
    if spec.id.startswith("MinAtar/"):
        return False
    creator: Any = spec.entry_point
    if isinstance(creator, str):
        creator = load_env_creator(creator)
    metadata = getattr(creator, "metadata", None)
    return metadata is None or "rgb_array" in metadata.get("render_modes", ())


def time_limit(options: EnvironmentOptions) -> int:
    """Steps after which an episode is truncated, 0 for never."""
    spec = find_spec(options.id)
    own = spec.max_episode_steps if spec is not None else 0
    if spec is not None and atari.is_atari(options.id):
        own = atari.time_limit(options, spec)
    return options.time_limit or own or 0


def usable_spec(id: str) -> EnvSpec:
    """The declaration of an environment, unless it alone shows that it is no use.

    Raises:
      UnknownEnvironment: If there is none of this name.
      Unsuitable: If a package is missing or all actions of the family are
        continuous.
    """
    spec = find_spec(id)
    if spec is None:
        package = PACKAGES[id.partition("/")[0]]
        raise Missing(package.module, package.install)
    if str(spec.entry_point).startswith("gymnasium.envs.mujoco"):
        raise Unsuitable(CONTINUOUS)
    module, install = needs(spec)
    if module:
        raise Missing(module, install)
    return spec


def _bare(spec: EnvSpec) -> EnvSpec:
    bare = copy.copy(spec)
    bare.order_enforce = False
    bare.disable_env_checker = True
    bare.max_episode_steps = None
    return bare


def _why(error: BaseException, options: EnvironmentOptions) -> str:
    """A sentence for an environment whose constructor raised."""
    if isinstance(error, TypeError) and "keyword argument" in str(error):
        names = ", ".join(sorted(options.kwargs))
        return f"it does not take these arguments ({names}): change environment.kwargs."
    lines = str(error).strip().splitlines()
    text = lines[0] if lines else type(error).__name__
    return f"it could not be made: {text.rstrip('.')}."
