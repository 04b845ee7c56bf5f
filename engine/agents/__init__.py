"""Agents: they act, remember and learn; they know no loop and no screen."""

from engine.agents.devices import choose_device
from engine.agents.reports import Decision, NotFinite, Reported, Update
from engine.agents.value_based import ValueBasedAgent, build_agent

__all__ = [
    "Decision",
    "NotFinite",
    "Reported",
    "Update",
    "ValueBasedAgent",
    "build_agent",
    "choose_device",
]
