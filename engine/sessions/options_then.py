"""The options that a session had at a step: live ones change while it is trained."""

from __future__ import annotations

from engine.contract.options import (
    Configuration,
    OptionHistory,
    configuration_from_json,
)
from engine.sessions.problems import SessionProblem
from engine.sessions.source import SessionSource


def options_at(source: SessionSource, step: int | None = None) -> Configuration:
    """Those in force after this training step; without: those that it ended with.

    Where its events cannot be read these are the options of its start; whoever asks
    for the events is told.
    """
    start = configuration_from_json(source.configuration())
    try:
        events = source.events()
    except SessionProblem:
        return start
    return OptionHistory(start, events).at(step)
