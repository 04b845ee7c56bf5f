"""What trainer, stage and keeper hand to each other, and how they stand."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import field

from engine.contract.messages.base import Message
from engine.contract.messages.telemetry import (
    EpisodeFinished,
    EvaluationFinished,
    Event,
    Scalars,
)


class Rows(Message, frozen=True):
    """Trainer or stage to keeper: numbered rows, kept by the sender until acked.

    Attributes:
      source: Who numbers: ``trainer`` or ``stage``.
      number: Counts up by one for each message of this source and run.
      scalars: As in :class:`Scalars`, or None.
      episodes: One dictionary per recorded episode (see ``EpisodeRecord``).
      replay: Slots appended to the replay since the last message (arrays), or {}.
      events: New events.
    """

    source: str
    number: int
    step: int
    scalars: Scalars | None = None
    finished: list[EpisodeFinished] = field(default_factory=list)
    episodes: list[dict[str, Any]] = field(default_factory=list)
    replay: dict[str, np.ndarray] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    evaluation: EvaluationFinished | None = None


class RowsStored(Message, frozen=True):
    """Keeper: all rows up to this number of this source are durable."""

    source: str
    number: int
    step: int


class Checkpoint(Message, frozen=True):
    """Trainer to keeper: a complete state, to be sealed and kept.

    Attributes:
      reason: ``periodic``, ``recovery`` (replaced by the next), ``stop``,
        ``pause``, ``save``, ``start``.
      arrays: Leaves of the state by path (``engine.contract.arrays.split``).
      values: The other leaves as JSON text.
      rows: Number of the last row that belongs before this state.
    """

    step: int
    update: int
    episode: int
    reason: str
    rows: int
    arrays: dict[str, np.ndarray]
    values: str
    sha256: str


class CheckpointStored(Message, frozen=True):
    """Keeper: the checkpoint of this step is sealed on disk.

    ``kept`` are the training steps of all that are on disk now, ascending; empty where
    recording has stopped and nothing was stored.
    """

    step: int
    reason: str
    kept: list[int] = field(default_factory=list)


class Weights(Message, frozen=True):
    """Trainer to stage: the newest networks; newest wins.

    ``arrays`` holds ``online/...`` and ``target/...`` by parameter name.
    ``evaluate`` asks for an evaluation of just these weights.
    """

    step: int
    update: int
    arrays: dict[str, np.ndarray]
    evaluate: bool = False


class RunTraining(Message, frozen=True):
    """Supervisor to trainer: run this; ``checkpoint`` is to be restored first.

    Attributes:
      arrays, values: State to restore, empty for a fresh run.
      replay: Slots of the replay to load back, or {}.
      replay_files: Those of its columns that are too large for a message: where they
        lie as numpy files, which are to be removed once they are loaded.
      folder: Of the session while it is written, for what the run puts beside it.
      first_row: Number that the next row gets.
      offline_source: The session to learn from, where ``training.offline`` names one.
    """

    configuration: str
    uuid: str
    paused: bool = False
    until_step: int = 0
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    values: str = ""
    replay: dict[str, np.ndarray] = field(default_factory=dict)
    replay_files: dict[str, str] = field(default_factory=dict)
    folder: str = ""
    first_row: int = 0
    offline_source: str = ""


class ProcessState(Message, frozen=True):
    """Supervisor: how a process is: ``starting``, ``ready``, ``died``, ``gone``."""

    role: str
    state: str
    pid: int = 0
