"""Which environments there are: gymnasium's registry, ours, and optional packages."""

from __future__ import annotations

import difflib
import importlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec as find_module

import gymnasium
from gymnasium.envs.registration import EnvSpec

from engine.environments.quiet import hushed
from engine.environments.worlds import registration


class UnknownEnvironment(ValueError):
    """There is no environment of this name; the sentence names the nearest ones."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package that registers environments once it has been asked to.

    Attributes:
      module: What must be importable.
      install: The line that installs it.
      ids: What it offers, as far as the lab lists it without importing it.
      register: Adds its environments to gymnasium's registry.
    """

    module: str
    install: str
    ids: tuple[str, ...]
    register: Callable[[], None]

    @property
    def installed(self) -> bool:
        """Whether it can be imported."""
        return find_module(self.module) is not None


def _register_minatar() -> None:
    importlib.import_module("minatar.gym").register_envs()


def _register_atari() -> None:
    ale = importlib.import_module("ale_py")
    # Else each game prints a banner when it is made.
    ale.ALEInterface.setLoggerMode(ale.LoggerMode.Error)
    gymnasium.register_envs(ale)


_MINATAR_GAMES = ("Asterix", "Breakout", "Freeway", "Seaquest", "SpaceInvaders")
PACKAGES = {
    "MinAtar": Package(
        module="minatar",
        install='python -m pip install --no-deps "minatar>=1.0.15,<2"',
        ids=tuple(f"MinAtar/{game}-v{v}" for game in _MINATAR_GAMES for v in (0, 1)),
        register=_register_minatar,
    ),
    "ALE": Package(
        module="ale_py",
        install='python -m pip install "ale-py>=0.11,<0.13"',
        ids=("ALE/Breakout-v5", "ALE/Pong-v5"),
        register=_register_atari,
    ),
}
"""Optional packages by the part of an id before the slash."""

_FAMILIES = (
    ("gymnasium.envs.mujoco", "mujoco", "mujoco"),
    ("gymnasium.envs.phys2d", "jax", "jax"),
    ("gymnasium.envs.tabular", "jax", "jax"),
    ("gymnasium.envs.box2d", "Box2D", "box2d"),
    ("gymnasium.envs.toy_text", "pygame", "toy-text"),
    ("gymnasium.envs.classic_control", "pygame", "classic-control"),
)
"""Entry point, module that it needs, gymnasium's extra that brings the module."""

OWN_MODULES = "RLLAB_IMPORT"
"""Names, with commas, of Python modules that the user asked to import for this run."""

registration.register()


@cache
def _import_own_modules() -> None:
    """Make the user's own environments known; no file can name such a module."""
    for name in os.environ.get(OWN_MODULES, "").split(","):
        if name:
            importlib.import_module(name)


def package_of(id: str) -> Package | None:
    """The optional package that this id belongs to, or None."""
    return PACKAGES.get(id.partition("/")[0]) if "/" in id else None


@cache
def _loaded(namespace: str) -> bool:
    """Have a package register its environments, once."""
    package = PACKAGES[namespace]
    if not package.installed:
        return False
    known = any(id.startswith(f"{namespace}/") for id in gymnasium.registry)
    if not known:
        with hushed():
            package.register()
    return True


def needs(spec: EnvSpec) -> tuple[str, str]:
    """Module that is missing for this environment and the line that installs it.

    Both are empty where nothing is known to be missing.
    """
    entry = spec.entry_point if isinstance(spec.entry_point, str) else ""
    for prefix, module, extra in _FAMILIES:
        if entry.startswith(prefix) and find_module(module) is None:
            return module, f'python -m pip install "gymnasium[{extra}]"'
    return "", ""


def known_ids() -> list[str]:
    """Every id that the lab knows, sorted; optional packages included."""
    _import_own_modules()
    for namespace in PACKAGES:
        if namespace == "ALE":
            # One that is broken is told to whoever plays it, and to nobody else.
            with suppress(ImportError, OSError):
                _loaded(namespace)
    listed = {id for package in PACKAGES.values() for id in package.ids}
    return sorted(listed | {it for it in gymnasium.registry if not _is_old_name(it)})


def _is_old_name(id: str) -> bool:
    """Atari games have hundreds of older names beside those of their namespace."""
    entry = gymnasium.registry[id].entry_point
    return str(entry).startswith("ale_py") and "/" not in id


def find_spec(id: str) -> EnvSpec | None:
    """Gymnasium's declaration of an environment.

    Returns:
      None where the id belongs to an optional package that is not installed.

    Raises:
      UnknownEnvironment: If no environment has exactly this name, or the name
        asks for a module to be imported.
    """
    _import_own_modules()
    if ":" in id:
        raise UnknownEnvironment(
            f"'{id}' names a Python module to import, which the lab does not do: "
            "give the registered name alone, for example CartPole-v1."
        )
    namespace = id.partition("/")[0]
    if package_of(id) is not None and not _loaded(namespace):
        return None
    spec = gymnasium.registry.get(id)
    if spec is None:
        raise UnknownEnvironment(f"There is no environment '{id}'. {_hint(id)}")
    return spec


def _hint(id: str) -> str:
    """A sentence that names the suitable ids nearest to this one."""
    by_lower = {known.lower(): known for known in known_ids()}
    by_stem = {_stem(known): known for known in reversed(known_ids())}
    near = [by_stem[_stem(id)]] if _stem(id) in by_stem else []
    for match in difflib.get_close_matches(id.lower(), by_lower, n=6, cutoff=0.5):
        near.append(by_lower[match])
    near = [it for it in dict.fromkeys(near) if _can_suit(it)][:3]
    if not near:
        return "'rllab environments' lists them."
    return f"Did you mean {' or '.join(near)}?"


def _can_suit(id: str) -> bool:
    """It can be learned in, now or once one of the lab's packages is installed."""
    from engine.environments.cards import verdict  # it builds on this module

    return package_of(id) is not None or verdict(id).suits


def _stem(id: str) -> str:
    """An id without namespace and version, in small letters."""
    return id.rpartition("/")[2].rpartition("-v")[0].lower() or id.lower()
