"""Options that a run cannot change to, because it has not kept what they need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.contract.options import Configuration, ConfigurationError

_NO_BEHAVIOUR = (
    "Retrace needs to know how likely each action was, and this run has not kept "
    "that: press Train again."
)


def check_kept(old: Configuration, changes: Mapping[str, Any]) -> None:
    """Refuse changes of these options, with their new values, that come too late.

    Raises:
      ConfigurationError: With the sentence.
    """
    kinds = old.replay.kind, changes.get("replay.kind", old.replay.kind)
    if "none" in kinds and len(set(kinds)) > 1:
        sentence = (
            "Learning with and without replay keep different things: changing "
            f"from {kinds[0]} to {kinds[1]} needs a new run."
        )
        raise ConfigurationError({"replay.kind": sentence})
    if changes.get("agent.n_step_correction") == "retrace":
        raise ConfigurationError({"agent.n_step_correction": _NO_BEHAVIOUR})
