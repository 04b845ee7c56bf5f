"""Presets, algorithms and environments: what there is and what goes with what."""

from __future__ import annotations

import re
import tomllib
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from engine.contract.combinations import check_combination
from engine.contract.options import (
    Configuration,
    ConfigurationError,
    configuration_from_flat,
    flat_from_toml,
)

YOUR_OWN = "Your own"
GROUPS = (
    "First steps",
    "Deep Q-learning",
    "Rainbow",
    "Return distributions",
    "Atari games",
    "Exploration",
    "Memory",
    "Planning and offline",
    "Small worlds",
    YOUR_OWN,
)
"""Groups of the gallery, in their order."""
GRID_SHARE = 0.8
"""So many states have to be cells for a world to be a grid."""
_CELL = re.compile(r"row (\d+), column (\d+)")
RESOURCES = Path(__file__).resolve().parents[2] / "resources"


@dataclass(frozen=True, slots=True)
class EnvironmentCard:
    """What an environment offers, after the lab's preprocessing.

    Attributes:
      id: Registered name.
      observation: ``vector`` (float32 [n]), ``image`` (uint8 [H, W, C]) or
        ``onehot`` (a discrete observation shown to the agent as float32 [n]).
      shape: Shape of one observation as the agent gets it, frame stack included.
      dtype: numpy name of its type.
      low, high: Bounds per element of a vector, infinite where unknown; 0 and 1
        for images of bit planes (MinAtar), empty for images of bytes.
      observation_names: A name for each element of a vector.
      actions: Number of discrete actions.
      action_names: A word for each action.
      max_episode_steps: Time limit, 0 for none.
      reward_threshold: Where gymnasium calls it solved, or None.
      frame_rate: Frames per second at normal speed.
      suits: False where no agent of the lab can learn it.
      reason: Why not, as a sentence; empty where it suits.
      install: The line that installs what is missing; empty where nothing is.
    """

    id: str
    observation: str = ""
    shape: tuple[int, ...] = ()
    dtype: str = "float32"
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    observation_names: tuple[str, ...] = ()
    actions: int = 0
    action_names: tuple[str, ...] = ()
    max_episode_steps: int = 0
    reward_threshold: float | None = None
    frame_rate: int = 30
    suits: bool = True
    reason: str = ""
    install: str = ""

    def cells(self) -> dict[int, tuple[int, int]]:
        """Row and column of each state of a world that is a grid; else nothing.

        States beside the grid, as one in which the episode has ended, are left out.
        """
        if self.observation != "onehot":
            return {}
        found = {}
        for state, name in enumerate(self.observation_names):
            place = _CELL.fullmatch(name)
            if place is not None:
                found[state] = (int(place[1]), int(place[2]))
        return found if len(found) > GRID_SHARE * len(self.observation_names) else {}

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for a message or a file."""
        return asdict(self)

    @staticmethod
    def from_dict(values: dict[str, Any]) -> EnvironmentCard:
        """Inverse of :meth:`to_dict`."""
        pairs: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
        }
        return EnvironmentCard(**pairs)


@dataclass(frozen=True, slots=True)
class Preset:
    """A named configuration that learns.

    Attributes:
      name: What the command line calls it.
      title: What the gallery writes on the card.
      story: One sentence: what it shows.
      flat: The options that it sets, by dotted key.
      needs: Python module that must be importable, or empty.
      install: The line that installs it, or empty.
      target: Mean return over 100 episodes that the best checkpoint reaches.
      order: Place within its group.
      own: True for a preset of the user's.
      group: One of :data:`GROUPS`.
    """

    name: str
    title: str
    story: str
    flat: dict[str, Any] = field(default_factory=dict)
    needs: str = ""
    install: str = ""
    target: float | None = None
    order: int = 100
    own: bool = False
    group: str = GROUPS[0]

    @property
    def configuration(self) -> Configuration:
        """The complete configuration; raises ConfigurationError."""
        return configuration_from_flat(self.flat)


class UnknownPreset(ValueError):
    """There is no preset of this name and no such file."""


def read_preset(path: Path, *, own: bool = False) -> Preset:
    """A preset from a TOML file.

    Raises:
      ConfigurationError: If the file is not TOML or an option is refused.
      OSError: If the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            {"": f"The preset '{path.name}' is not text in UTF-8."}
        ) from error
    flat = flat_from_toml(text)
    head = tomllib.loads(text)
    configuration_from_flat(flat)
    for name in ("order", "target"):
        if not isinstance(head.get(name, 0), (int, float)):
            raise ConfigurationError(
                {"": f"The preset's {name} is not a number: {head[name]!r}."}
            )
    group = YOUR_OWN if own else head.get("group", GROUPS[0])
    if group not in GROUPS:
        known = ", ".join(GROUPS)
        raise ConfigurationError(
            {"": f"The gallery has no group {group!r}: it has {known}."}
        )
    return Preset(
        name=path.stem,
        title=str(head.get("title", path.stem)),
        story=str(head.get("story", "")),
        flat=flat,
        needs=str(head.get("needs", "")),
        install=str(head.get("install", "")),
        target=head.get("target"),
        order=int(head.get("order", 100)),
        own=own,
        group=group,
    )


@cache
def shipped_presets() -> tuple[Preset, ...]:
    """The presets that come with the lab, in the order of the gallery."""
    found = [read_preset(path) for path in (RESOURCES / "presets").glob("*.toml")]
    return tuple(sorted(found, key=_place))


def _place(preset: Preset) -> tuple[int, int, str]:
    return GROUPS.index(preset.group), preset.order, preset.name


def find_preset(name_or_path: str) -> Preset:
    """A shipped preset by its name, or one from a TOML file.

    Raises:
      UnknownPreset: If it is neither; the sentence names the nearest ones.
      ConfigurationError: If the file says something that is refused.
    """
    import difflib

    known = {preset.name: preset for preset in shipped_presets()}
    if name_or_path in known:
        return known[name_or_path]
    path = Path(name_or_path)
    if path.suffix == ".toml":
        try:
            return read_preset(path)
        except OSError as error:
            raise UnknownPreset(
                f"The preset file '{path.name}' cannot be read: {error.strerror}."
            ) from error
    near = difflib.get_close_matches(name_or_path, known, n=3, cutoff=0.4)
    hint = (
        f"Did you mean {' or '.join(near)}?" if near else "'rllab presets' lists them."
    )
    raise UnknownPreset(f"There is no preset '{name_or_path}'. {hint}")


def preset_toml(preset: Preset) -> str:
    """The text of a preset file; only options that differ from the defaults."""
    import json

    default = Configuration().flat()
    lines = [
        f"title = {json.dumps(preset.title)}",
        f"story = {json.dumps(preset.story)}",
    ]
    lines += ["", "[options]"]
    for key, value in preset.configuration.flat().items():
        if value == default[key] and key != "environment.id":
            continue
        lines.append(f"{key} = {_toml(value)}")
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    import json

    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(value)


__all__ = [
    "GROUPS",
    "YOUR_OWN",
    "EnvironmentCard",
    "Preset",
    "UnknownPreset",
    "check_combination",
    "find_preset",
    "preset_toml",
    "read_preset",
    "shipped_presets",
]
