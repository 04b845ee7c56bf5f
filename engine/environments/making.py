"""Making gymnasium environments without the layers that the lab does not need."""

from __future__ import annotations

import copy
from typing import Any

import gymnasium
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec

from engine.contract.options import EnvironmentOptions
from engine.environments.catalogue import find_spec, needs, package_of
from engine.environments.observations import Unsuitable
from engine.environments.quiet import hushed

GymEnv = gymnasium.Env[Any, Any]


class Missing(Unsuitable):
    """A package is not installed.

    Attributes:
      install: The line that installs it.
    """

    def __init__(self, id: str, module: str, install: str) -> None:
        super().__init__(f"it needs the package '{module}', which is not installed.")
        self.id, self.install = id, install


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
    spec = _usable_spec(options.id)
    arguments: dict[str, Any] = dict(options.kwargs)
    if render and draws_itself(options.id):
        arguments["render_mode"] = "rgb_array"
    try:
        with hushed():
            env = gymnasium.make(_bare(spec), **arguments)
    except Exception as error:
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


def draws_itself(id: str) -> bool:
    """Whether the environment's own drawing is used; MinAtar's needs matplotlib."""
    return not id.startswith("MinAtar/")


def time_limit(options: EnvironmentOptions) -> int:
    """Steps after which an episode is truncated, 0 for never."""
    spec = find_spec(options.id)
    own = spec.max_episode_steps if spec is not None else 0
    return options.time_limit or own or 0


def _usable_spec(id: str) -> EnvSpec:
    spec = find_spec(id)
    package = package_of(id)
    if spec is None and package is not None:
        raise Missing(id, package.module, package.install)
    assert spec is not None
    module, install = needs(spec)
    if module:
        raise Missing(id, module, install)
    return spec


def _bare(spec: EnvSpec) -> EnvSpec:
    bare = copy.copy(spec)
    bare.order_enforce = False
    bare.disable_env_checker = True
    bare.max_episode_steps = None
    return bare


def _why(error: Exception, options: EnvironmentOptions) -> str:
    """A sentence for an environment whose constructor raised."""
    if isinstance(error, TypeError) and "keyword argument" in str(error):
        names = ", ".join(sorted(options.kwargs))
        return f"it does not take these arguments ({names}): change environment.kwargs."
    lines = str(error).strip().splitlines()
    text = lines[0] if lines else type(error).__name__
    return f"it could not be made: {text.rstrip('.')}."
