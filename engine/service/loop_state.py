"""The state of a training loop as checkpoints carry it, there and back."""

from __future__ import annotations

import json

import numpy as np

from engine.contract.arrays import State, join, split, state_hash
from engine.contract.messages import Checkpoint
from engine.service.loop import Loop


def checkpoint_of(loop: Loop, reason: str, rows: int) -> Checkpoint:
    """The state of a loop whose rows up to this number have been sent."""
    state = loop.state()
    arrays, values = split(state)
    return Checkpoint(
        step=loop.step,
        update=loop.update,
        episode=loop.episode,
        reason=reason,
        rows=rows,
        # The loop goes on in these arrays while they are on their way.
        arrays={path: np.array(array) for path, array in arrays.items()},
        values=json.dumps(values),
        sha256=state_hash(state),
    )


def restored_state(arrays: dict[str, np.ndarray], values: str) -> State:
    """The state that a ``RunTraining`` carries."""
    return join(arrays, json.loads(values))
