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
    observation_crcs,
    play_again,
    replay_episode,
)
from engine.environments.observations import Unsuitable, Unusable
from engine.environments.remote import InProcesses
from engine.environments.restoring import Restoring, prove
from engine.environments.stepping_forms import (
    OneByOne,
    SteppedEnvironment,
    SteppingForm,
    Vectorised,
    has_vector,
    one_by_one,
)

__all__ = [
    "CheckReport",
    "EnvironmentEnded",
    "EnvironmentRow",
    "FrameStacker",
    "InProcesses",
    "LabEnvironment",
    "OneByOne",
    "ReplayMismatch",
    "Restoring",
    "SteppedEnvironment",
    "SteppingForm",
    "UnknownEnvironment",
    "Unsuitable",
    "UnsuitableEnvironment",
    "Unusable",
    "Vectorised",
    "check",
    "describe",
    "has_vector",
    "make",
    "observation_crc",
    "observation_crcs",
    "one_by_one",
    "play_again",
    "prove",
    "registered",
    "replay_episode",
    "stacked_shape",
]
