"""What is measured while training, in buckets that the update counter determines.

A bucket never depends on the clock, so a resumed run measures the same numbers.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np

from engine.agents import Reported
from engine.contract.arrays import State
from engine.contract.messages import EpisodeFinished, Event, Scalars

SERIES = (
    "return",
    "length",
    "loss",
    "td_error",
    "td_error_max",
    "gradient_norm",
    "epsilon",
    "learning_rate",
    "beta",
    "q_mean",
    "q_max",
    "replay_size",
)
"""Series that every run may have. An update may bring others (``Update.extras``): they
travel by their names, after these."""
_FOLDED = ("td_error", "td_error_max", "q_mean", "q_max")


@dataclass(frozen=True, slots=True)
class Drained:
    """What has happened since the last :meth:`TrainingLoop.drain`.

    Attributes:
      scalars: Rows of the measured series, or None.
      finished: Episodes that ended.
      episodes: Their records, where records are kept.
      replay: Rows of the replay log (``Memory.drain_log``).
      events: Changed options and other things to remember.
    """

    scalars: Scalars | None = None
    finished: list[EpisodeFinished] = field(default_factory=list)
    episodes: list[dict[str, Any]] = field(default_factory=list)
    replay: dict[str, np.ndarray] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)


class Clocks:
    """The three counters of a run."""

    def __init__(self) -> None:
        self.step = 0
        self.update = 0
        self.episode = 0


class Speed:
    """Steps and updates per second over the last second."""

    def __init__(self) -> None:
        self._stamps: deque[tuple[float, int, int]] = deque(maxlen=600)

    def stamp(self, step: int, update: int) -> None:
        """So far it has come now."""
        self._stamps.append((time.perf_counter(), step, update))

    def seconds_for(self, steps: int) -> float:
        """How long so many will take; 0 where that is not known yet."""
        steps_per_s = self.rates()[0]
        return max(0, steps) / steps_per_s if steps_per_s else 0.0

    def rates(self) -> tuple[float, float]:
        """Both; 0 where nothing is known yet."""
        if len(self._stamps) < 2:
            return 0.0, 0.0
        newest = self._stamps[-1]
        recent = [it for it in self._stamps if newest[0] - it[0] <= 1.0]
        oldest = recent[0] if len(recent) > 1 else self._stamps[-2]
        elapsed = max(newest[0] - oldest[0], 1e-9)
        return (newest[1] - oldest[1]) / elapsed, (newest[2] - oldest[2]) / elapsed


class Rows:
    """Rows of measured series since the last :meth:`drain`."""

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks
        self._numbers = {name: index for index, name in enumerate(SERIES)}
        self._rows: list[tuple[int, int, float, float, int, int]] = []

    def add(
        self,
        values: Mapping[str, float],
        step: int | None = None,
        episode: int | None = None,
    ) -> None:
        """One value of each of these series, now; unknown ones are new series.

        Step and episode are those of the run where none are given.
        """
        clocks, now = self._clocks, time.time()
        step = clocks.step if step is None else step
        episode = clocks.episode if episode is None else episode
        for name, value in values.items():
            number = self._numbers.setdefault(name, len(self._numbers))
            self._rows.append((number, step, value, now, clocks.update, episode))

    def drain(self) -> Scalars | None:
        """All rows as columns, or None where there are none."""
        if not self._rows:
            return None
        series, step, value, wall_time, update, episode = zip(*self._rows, strict=True)
        self._rows.clear()
        columns: dict[str, np.ndarray] = {
            "series": np.array(series, np.int16),
            "step": np.array(step, np.int64),
            "value": np.array(value, np.float64),
            "wall_time": np.array(wall_time, np.float64),
            "update": np.array(update, np.int64),
            "episode": np.array(episode, np.int64),
        }
        return Scalars(names=list(self._numbers), columns=columns)


class UpdateBucket:
    """Gradient steps since the last full bucket.

    ``td_error`` is the mean of |TD error|, ``td_error_max`` its maximum; ``q_mean``
    and ``q_max`` are mean and maximum of V(s) = max_a Q(s, a) over the batches.
    ``loss`` and ``gradient_norm`` are means over the bucket. Whatever else an update
    measured is a mean over those updates of the bucket that measured it.
    """

    def __init__(self) -> None:
        self._losses: list[float] = []
        self._norms: list[float] = []
        self._folded: dict[str, list[float]] = {name: [] for name in _FOLDED}
        self._extras: dict[str, list[float]] = {}
        self._pending: list[Reported] = []

    def __len__(self) -> int:
        """Updates in the bucket."""
        return len(self._losses) + len(self._pending)

    def add(self, update: Reported) -> None:
        """One more gradient step."""
        self._pending.append(update)

    def close(self) -> dict[str, float]:
        """The series of this bucket; it is empty afterwards."""
        self._fold()
        folded = self._folded
        values = {
            "loss": _mean(self._losses),
            "td_error": _mean(folded["td_error"]),
            "td_error_max": max(folded["td_error_max"]),
            "gradient_norm": _mean(self._norms),
            "q_mean": _mean(folded["q_mean"]),
            "q_max": max(folded["q_max"]),
        }
        values |= {name: _mean(it) for name, it in sorted(self._extras.items())}
        self._extras.clear()
        for it in (self._losses, self._norms, *folded.values()):
            it.clear()
        return values

    def _fold(self) -> None:
        """Reduce pending updates to numbers; doing many at once is cheap."""
        for update in self._pending:
            self._losses.append(update.loss)
            self._norms.append(update.gradient_norm)
            for name, value in update.extras.items():
                self._extras.setdefault(series_name(name), []).append(value)
        for _, alike in groupby(self._pending, lambda it: it.q.shape):
            self._fold_batches(list(alike))
        self._pending.clear()

    def _fold_batches(self, updates: list[Reported]) -> None:
        """Each row is reduced by itself, so it does not matter when this happens."""
        errors = np.abs(np.stack([it.td_error for it in updates]))
        values = np.stack([it.q for it in updates]).max(2)
        reduced = (errors.mean(1), errors.max(1), values.mean(1), values.max(1))
        for name, numbers in zip(_FOLDED, reduced, strict=True):
            self._folded[name] += numbers.tolist()

    def state(self) -> State:
        """Numbers of the updates so far."""
        self._fold()
        state: State = {name: np.array(it) for name, it in self._folded.items()}
        if self._extras:
            state["extras"] = {name: np.array(it) for name, it in self._extras.items()}
        return {"loss": np.array(self._losses), "norm": np.array(self._norms), **state}

    def restore(self, state: State) -> None:
        """Inverse of :meth:`state`."""
        self._pending.clear()
        self._losses = state["loss"].tolist()
        self._norms = state["norm"].tolist()
        self._folded = {name: state[name].tolist() for name in _FOLDED}
        extras = state.get("extras", {})
        self._extras = {name: it.tolist() for name, it in extras.items()}


def series_name(name: str) -> str:
    """A name as session files and tables can hold it: ``noise/head`` as ``noise.head``.

    A slash would be a group within a group there.
    """
    return name.replace("/", ".")


def _mean(numbers: list[float]) -> float:
    return sum(numbers) / len(numbers)
