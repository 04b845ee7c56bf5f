"""Numbered rows from the stage to the keeper, kept until they are durable."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from engine.contract.messages import EpisodeFinished, EvaluationFinished, Rows
from engine.stage.jobs import Send

MOST_BYTES = 256 * 2**20
"""Beyond this the frames of what the keeper has not taken yet are let go."""


class RowLog:
    """What the stage has to tell the keeper; told again to a restarted keeper."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._next = 0
        self._kept: OrderedDict[int, Rows] = OrderedDict()

    def add(
        self,
        step: int,
        *,
        evaluation: EvaluationFinished | None = None,
        finished: EpisodeFinished | None = None,
        record: dict[str, Any] | None = None,
    ) -> None:
        """Number and send a row, and keep it."""
        rows = Rows(
            source="stage",
            number=self._next,
            step=step,
            finished=[] if finished is None else [finished],
            episodes=[] if record is None else [record],
            evaluation=evaluation,
        )
        self._next += 1
        self._kept[rows.number] = rows
        self._bound_memory()
        self._send(rows, "keeper")

    def on_stored(self, number: int) -> None:
        """All rows up to this number are durable."""
        for kept in [it for it in self._kept if it <= number]:
            del self._kept[kept]

    def send_again(self) -> None:
        """A restarted keeper has lost what it had not stored."""
        for rows in self._kept.values():
            self._send(rows, "keeper")

    def clear(self) -> None:
        """A new run: numbers start again at 0."""
        self._next = 0
        self._kept.clear()

    def _bound_memory(self) -> None:
        sizes = {number: _frame_bytes(rows) for number, rows in self._kept.items()}
        excess = sum(sizes.values()) - MOST_BYTES
        for number, size in sizes.items():
            if excess <= 0:
                return
            if size:
                for record in self._kept[number].episodes:
                    record.pop("frames", None)
                excess -= size


def _frame_bytes(rows: Rows) -> int:
    return sum(it["frames"].nbytes for it in rows.episodes if "frames" in it)
