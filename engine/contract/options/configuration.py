"""The whole configuration of a run, and how text becomes one."""

from __future__ import annotations

import difflib
import json
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Literal

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from engine.contract.options.agent import AgentOptions
from engine.contract.options.declaration import OptionGroup, OptionSpec, option
from engine.contract.options.environment import EnvironmentOptions
from engine.contract.options.exploration import ExplorationOptions
from engine.contract.options.memory import ReplayOptions, TargetNetworkOptions
from engine.contract.options.network import HeadOptions, NetworkOptions
from engine.contract.options.planning import PlanningOptions
from engine.contract.options.training import (
    EvaluationOptions,
    RecordingOptions,
    TrainingOptions,
)


class ConfigurationError(ValueError):
    """A configuration was refused.

    Attributes:
      complaints: One sentence for each thing that is wrong, by dotted key; the
        empty key holds complaints about a combination of options.
    """

    def __init__(self, complaints: Mapping[str, str]) -> None:
        self.complaints = dict(complaints)
        super().__init__(" ".join(self.complaints.values()))


class Configuration(OptionGroup):
    """Every option of a run; frozen and complete."""

    environment: EnvironmentOptions = EnvironmentOptions()
    agent: AgentOptions = AgentOptions()
    network: NetworkOptions = NetworkOptions()
    head: HeadOptions = HeadOptions()
    replay: ReplayOptions = ReplayOptions()
    target_network: TargetNetworkOptions = TargetNetworkOptions()
    exploration: ExplorationOptions = ExplorationOptions()
    planning: PlanningOptions = PlanningOptions()
    training: TrainingOptions = TrainingOptions()
    evaluation: EvaluationOptions = EvaluationOptions()
    recording: RecordingOptions = RecordingOptions()

    def get(self, key: str) -> Any:
        """Value of the option ``group.name``.

        Raises:
          ConfigurationError: If there is no such option.
        """
        spec(key)
        group, name = key.split(".")
        return getattr(getattr(self, group), name)

    def with_options(self, changes: Mapping[str, Any]) -> Configuration:
        """A new configuration with these dotted keys changed.

        Raises:
          ConfigurationError: If a key is unknown or a value is refused; all
            complaints at once.
        """
        return configuration_from_flat({**self.flat(), **changes})

    def flat(self) -> dict[str, Any]:
        """All options as ``{"group.name": value}``, in the order of declaration."""
        return {key: self.get(key) for key in specs()}

    def to_json(self) -> str:
        """All options as JSON text, the form that session files keep."""
        return json.dumps(self.model_dump(mode="json"), allow_nan=False)


def configuration_from_json(text: str) -> Configuration:
    """Inverse of :meth:`Configuration.to_json`; raises ConfigurationError."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise ConfigurationError(
            {"": f"The configuration is not JSON: {error}."}
        ) from error
    if not isinstance(data, dict) or not all(
        isinstance(g, dict) for g in data.values()
    ):
        raise ConfigurationError({"": "The configuration is not a table of groups."})
    flat = {
        f"{g}.{name}": v for g, options in data.items() for name, v in options.items()
    }
    return configuration_from_flat(flat)


def configuration_from_flat(flat: Mapping[str, Any]) -> Configuration:
    """A configuration from dotted keys; what is not named keeps its default.

    Raises:
      ConfigurationError: With a sentence for each unknown key and refused value.
    """
    complaints = {key: _unknown(key) for key in flat if key not in specs()}
    nested: dict[str, dict[str, Any]] = {}
    for key, value in flat.items():
        if key not in complaints:
            group, name = key.split(".")
            nested.setdefault(group, {})[name] = value
    try:
        configuration = Configuration.model_validate(nested)
    except ValidationError as error:
        for item in error.errors():
            key = ".".join(str(part) for part in item["loc"][:2])
            complaints[key] = _refused(key, item["input"], item["msg"])
        raise ConfigurationError(complaints) from error
    if complaints:
        raise ConfigurationError(complaints)
    return configuration


def parse_assignment(text: str) -> tuple[str, Any]:
    """``"agent.learning_rate=1e-3"`` as a key and a value of the right type.

    Raises:
      ConfigurationError: If there is no ``=``, no such option, or the text does
        not read as a value of its kind.
    """
    key, equals, value = text.partition("=")
    key = key.strip()
    if not equals:
        raise ConfigurationError(
            {
                text: f"'{text}' sets nothing: write KEY=VALUE, for example "
                "agent.discount=0.99."
            }
        )
    return key, parse_value(spec(key), value.strip())


def parse_value(of: OptionSpec, text: str) -> Any:
    """Text as typed by a person, as a value for this option.

    Range and choices are checked by the configuration, not here.

    Raises:
      ConfigurationError: If the text does not read as a value of this kind.
    """
    try:
        return _READERS[of.kind](text)
    except ValueError as error:
        raise ConfigurationError(
            {of.key: f"{of.key} cannot be '{text}': it takes {describe_range(of)}."}
        ) from error


def _read_bool(text: str) -> bool:
    words = {"true": True, "yes": True, "on": True, "1": True}
    words |= {"false": False, "no": False, "off": False, "0": False}
    if text.lower() not in words:
        raise ValueError(text)
    return words[text.lower()]


def _read_int(text: str) -> int:
    number = float(text.replace("_", ""))
    if not number.is_integer():
        raise ValueError(text)
    return int(number)


def _read_mapping(text: str) -> dict[str, Any]:
    value = json.loads(text or "{}")
    if not isinstance(value, dict):
        raise ValueError(text)
    return value


_READERS: dict[str, Any] = {
    "bool": _read_bool,
    "int": _read_int,
    "float": float,
    "str": str,
    "choice": str,
    "integers": str,
    "mapping": _read_mapping,
}


def _listed(numbers: Any) -> str:
    return ",".join(map(str, numbers)) if isinstance(numbers, tuple) else "64,64"


def describe_range(of: OptionSpec) -> str:
    """What the option takes, in words: ``a number from 0 to 1``."""
    if of.choices:
        return "one of " + ", ".join(of.choices)
    noun = {
        "bool": "true or false",
        "int": "a whole number",
        "float": "a number",
        "integers": f"whole numbers with commas, for example {_listed(of.default)}",
        "mapping": 'a JSON object, for example {"is_slippery": true}',
    }.get(of.kind, "text")
    if of.minimum is None or of.maximum is None:
        return noun
    form = ",.0f" if of.kind == "int" else "g"
    return f"{noun} from {of.minimum:{form}} to {of.maximum:{form}}"


def has_effect(key: str, configuration: Configuration) -> bool:
    """Whether an option does anything beside the others (see ``OptionSpec.when``)."""
    when = spec(key).when
    return all(configuration.get(other) in values for other, values in when.items())


@cache
def specs() -> dict[str, OptionSpec]:
    """Every option by its dotted key, in the order in which forms show them."""
    found = {}
    for group_name, group in Configuration.model_fields.items():
        options = typing.cast(type[OptionGroup], group.annotation).model_fields
        for name, field in options.items():
            found[f"{group_name}.{name}"] = _spec(f"{group_name}.{name}", field)
    return found


def spec(key: str) -> OptionSpec:
    """The declaration of one option.

    Raises:
      ConfigurationError: If there is none of this name; the sentence names the
        nearest ones.
    """
    if key not in specs():
        raise ConfigurationError({key: _unknown(key)})
    return specs()[key]


def live_changes(old: Configuration, new: Configuration) -> dict[str, Any]:
    """The live options that differ, with their new values.

    Raises:
      ConfigurationError: If an option differs that needs a new run.
    """
    changed = {k: v for k, v in new.flat().items() if v != old.flat()[k]}
    refused = [key for key in changed if specs()[key].applies == "restart"]
    if refused:
        raise ConfigurationError(
            {
                key: f"{specs()[key].title} needs a new run: press Train again."
                for key in refused
            }
        )
    return changed


def _spec(key: str, field: FieldInfo) -> OptionSpec:
    extra = typing.cast(dict[str, Any], field.json_schema_extra)
    kind, choices = _kind(field.annotation)
    return OptionSpec(
        key=key,
        title=field.title or key,
        kind=kind,
        default=field.default,
        choices=choices,
        help=field.description or "",
        symbol=extra["symbol"],
        unit=extra["unit"],
        minimum=extra["minimum"],
        maximum=extra["maximum"],
        scale=extra["scale"],
        applies=extra["applies"],
        effect=extra["effect"],
        advanced=extra["advanced"],
        when=extra["when"],
    )


def _kind(annotation: Any) -> tuple[str, tuple[str, ...]]:
    """Kind and choices of a type annotation."""
    if typing.get_origin(annotation) is Literal:
        return "choice", typing.get_args(annotation)
    origin = typing.get_origin(annotation) or annotation
    if origin is types.UnionType:
        raise TypeError(f"an option has one kind, not {annotation}")
    names = {bool: "bool", int: "int", float: "float", str: "str"}
    names |= {tuple: "integers", dict: "mapping"}
    return names[origin], ()


def _nearest(word: str, known: Iterable[str]) -> list[str]:
    """Known names that look or end like this one, best first."""
    known = list(known)
    tail = word.rsplit(".", 1)[-1]
    same_tail = [name for name in known if name.rsplit(".", 1)[-1] == tail]
    close = difflib.get_close_matches(word, known, n=3, cutoff=0.5)
    tails = {name.rsplit(".", 1)[-1]: name for name in known}
    close += [
        tails[it] for it in difflib.get_close_matches(tail, tails, n=2, cutoff=0.6)
    ]
    return list(dict.fromkeys(same_tail + close))[:3]


def _unknown(key: str) -> str:
    near = _nearest(key, specs())
    hint = (
        f" Did you mean {', '.join(near)}?"
        if near
        else " 'rllab algorithms' lists them."
    )
    return f"There is no option '{key}'.{hint}"


def _refused(key: str, value: Any, message: str) -> str:
    reason = message.removeprefix("Value error, ")
    if reason == message:
        reason = f"it takes {describe_range(spec(key))}"
    return f"{key} cannot be {_shown(value)}: {reason}."


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return f"'{text}'" if len(text) <= 60 else f"'{text[:57]}...'"


def flat_from_toml(text: str) -> dict[str, Any]:
    """Dotted keys of the ``[options]`` table of a preset; raises ConfigurationError."""
    try:
        table = tomllib.loads(text).get("options", {})
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(
            {"": f"The preset is not valid TOML: {error}."}
        ) from error
    if not isinstance(table, dict):
        raise ConfigurationError({"": "The preset's 'options' are not a table."})
    flat: dict[str, Any] = {}
    for group, options in table.items():
        if isinstance(options, dict) and "." not in group:
            flat |= {f"{group}.{name}": value for name, value in options.items()}
        else:
            flat[group] = options
    return flat


__all__ = [
    "Configuration",
    "ConfigurationError",
    "OptionSpec",
    "configuration_from_flat",
    "configuration_from_json",
    "describe_range",
    "flat_from_toml",
    "has_effect",
    "live_changes",
    "option",
    "parse_assignment",
    "parse_value",
    "spec",
    "specs",
]
