"""Environments: making, describing, checking and playing them again."""

from engine.environments.cards import EnvironmentRow, describe, registered
from engine.environments.catalogue import UnknownEnvironment
from engine.environments.check import CheckReport, check
from engine.environments.frame_stack import FrameStacker, stacked_shape
from engine.environments.lab_environment import (
    EnvironmentEnded,
    LabEnvironment,
    ReplayMismatch,
    UnsuitableEnvironment,
    make,
    observation_crc,
    play_again,
    replay_episode,
)
from engine.environments.observations import Unusable
from engine.environments.restoring import Restoring, prove

__all__ = [
    "CheckReport",
    "EnvironmentEnded",
    "EnvironmentRow",
    "FrameStacker",
    "LabEnvironment",
    "ReplayMismatch",
    "Restoring",
    "UnknownEnvironment",
    "UnsuitableEnvironment",
    "Unusable",
    "check",
    "describe",
    "make",
    "observation_crc",
    "play_again",
    "prove",
    "registered",
    "replay_episode",
    "stacked_shape",
]
