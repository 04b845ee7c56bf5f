"""Every option of the lab, declared once."""

from engine.contract.options.configuration import (
    Configuration,
    ConfigurationError,
    OptionSpec,
    configuration_from_flat,
    configuration_from_json,
    describe_range,
    flat_from_toml,
    has_effect,
    live_changes,
    parse_assignment,
    parse_value,
    spec,
    specs,
)
from engine.contract.options.environment import EnvironmentOptions
from engine.contract.options.history import OptionHistory

__all__ = [
    "Configuration",
    "ConfigurationError",
    "EnvironmentOptions",
    "OptionHistory",
    "OptionSpec",
    "configuration_from_flat",
    "configuration_from_json",
    "describe_range",
    "flat_from_toml",
    "has_effect",
    "live_changes",
    "parse_assignment",
    "parse_value",
    "spec",
    "specs",
]
