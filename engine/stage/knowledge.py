"""What an agent knows of states besides their values: how often met, how doubtful."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np

from engine.stage.archive import Session
from engine.stage.jobs import RequestFailed, Wish, ask

MOST_COUNTED_BYTES = 16 * 2**20
"""Larger collections of states are not sent to the trainer to be counted."""


def doubts(seen: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """``disagreement`` [n]: spread of an ensemble's Q-values, mean over the actions."""
    if "member_q" not in seen:
        return {}
    return {"disagreement": seen["member_q"].std(axis=1).mean(axis=1)}


def familiarity(
    session: Session, observations: np.ndarray
) -> Generator[Wish, Any, dict[str, np.ndarray]]:
    """``visits`` and ``bonus`` [n], where a living run counts its states."""
    if not session.live or observations.nbytes > MOST_COUNTED_BYTES:
        return {}
    try:
        found = yield from ask("trainer", "familiarity", observation=observations)
    except RequestFailed:
        return {}
    return {name: np.asarray(it, np.float32) for name, it in found.items()}
