"""What can be asked of a session, whether it is live or a sealed file."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np

from engine.contract.messages import Checkpoint, EvaluationFinished, Event

NEWEST = -1
"""Step that means the newest checkpoint."""


class CheckpointRow(NamedTuple):
    """What the list of checkpoints shows.

    Attributes:
      rows: Number of the last row that belongs before it.
      replay_slots: Slots of the replay memory that were filled then.
      replay_row: The last row up to then that brought slots of the replay.
      best: Its evaluation has the highest mean return of all that are kept.
    """

    number: int
    step: int
    update: int
    episode: int
    reason: str
    rows: int
    replay_slots: int
    replay_row: int
    sha256: str
    best: bool = False


class ResumePoint(NamedTuple):
    """Where a run goes on.

    Attributes:
      replay: Slots of the replay memory to load back, {} for none.
      first_row: Number that the next row of the trainer gets.
      exact: False where something of the state is missing; ``note`` says what.
    """

    checkpoint: Checkpoint
    replay: dict[str, np.ndarray]
    first_row: int
    step: int
    exact: bool = True
    note: str = ""


class SessionSource(Protocol):
    """The questions; :class:`LiveStore` and :class:`SessionFile` answer them."""

    def summary(self) -> dict[str, Any]:
        """Plain values: name, uuid, steps, updates, episodes, checkpoints, ..."""

    def configuration(self) -> str:
        """The configuration, as ``Configuration.to_json()``."""

    def card(self) -> dict[str, Any]:
        """The environment, as ``EnvironmentCard.to_dict()``."""

    def series(self) -> list[str]:
        """Names of the measured series."""

    def history(self, series: str, max_points: int = 0) -> dict[str, np.ndarray]:
        """``step``, ``value``, ``wall_time``, ``update``, ``episode`` of a series.

        At most ``max_points`` points with the same extremes; 0 gives all. An
        unknown series is empty.
        """

    def episodes(self) -> dict[str, Any]:
        """All finished episodes, in columns of equal length.

        ``kind`` (list of ``training`` and ``evaluation``), ``episode``, ``step``
        (at its end), ``step0``, ``update``, ``length``, ``return``,
        ``terminated``, ``seed``, ``environment``, ``wall_time``, ``recorded``.
        """

    def episode(self, kind: str, index: int, *, frames: bool = True) -> dict[str, Any]:
        """The record of one episode (EpisodeRecord); SessionProblem if none.

        Without its stored pictures, which may be most of it, where nobody wants them.
        """

    def frames(self, kind: str, index: int, first: int, end: int) -> np.ndarray:
        """Stored pictures of an episode, uint8 [n, H, W, 3]; empty if none."""

    def events(self) -> list[Event]:
        """Everything that happened, in order."""

    def checkpoints(self) -> list[CheckpointRow]:
        """Kept checkpoints by ascending step."""

    def checkpoint(self, step: int = NEWEST) -> Checkpoint:
        """The verified checkpoint of this step; SessionProblem if there is none."""

    def evaluations(self) -> list[EvaluationFinished]:
        """Evaluations by ascending step."""

    def resume_point(self) -> ResumePoint:
        """Where the run goes on; SessionProblem if nothing can be restored."""

    def views(self) -> dict[str, Any]:
        """What the window keeps with the session: cursor, bookmarks, layout."""

    def problems(self) -> list[str]:
        """Damage that was met so far, one sentence each."""

    def close(self) -> None:
        """Let go of the files."""


def mark_best(
    rows: list[CheckpointRow], evaluations: list[EvaluationFinished]
) -> list[CheckpointRow]:
    """The rows by ascending step; the best is marked, of equals the last."""
    measured = [it for it in evaluations if len(it.returns)]
    means = {it.step: float(np.nan_to_num(np.mean(it.returns))) for it in measured}
    rows = sorted(rows, key=lambda row: (row.step, row.number))
    rated = [row for row in rows if row.step in means]
    best = max(rated, key=lambda row: (means[row.step], row.step), default=None)
    return [row._replace(best=row is best) for row in rows]


def episode_table(
    columns: dict[str, np.ndarray], recorded: set[tuple[str, int]], environments: int
) -> dict[str, Any]:
    """The columns of ``finished`` as :meth:`SessionSource.episodes` gives them.

    Of several lines for one episode the last counts: an evaluation that a
    restarted process repeats has the same number.
    """
    keys = np.stack([columns["evaluation"].astype(np.int64), columns["episode"]], 1)
    last = len(keys) - 1 - np.unique(keys[::-1], axis=0, return_index=True)[1]
    table: dict[str, Any] = {name: it[np.sort(last)] for name, it in columns.items()}
    evaluation = table.pop("evaluation")
    del table["row"]
    table["kind"] = np.where(evaluation, "evaluation", "training").tolist()
    lengths = np.where(evaluation, 0, table["length"] * environments)
    table["step0"] = np.maximum(0, table["step"] - lengths)
    pairs = zip(table["kind"], table["episode"].tolist(), strict=True)
    table["recorded"] = np.fromiter((it in recorded for it in pairs), bool)
    return table
