"""All measured series as an event file that TensorBoard opens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from engine.sessions.source import SessionSource

VERSION = "brain.Event:2"
"""First record of every event file; TensorBoard looks for it."""


class Point(NamedTuple):
    """One value of a series."""

    tag: str
    step: int
    wall_time: float
    value: float


def write_events(
    source: SessionSource, folder: Path, arguments: Mapping[str, Any]
) -> None:
    """One event file; TensorBoard keeps 32-bit floats, at most.

    Series have their own names; evaluations are ``evaluation/return_mean`` and
    ``evaluation/length_mean``. Name and content follow from the session alone.
    """
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    about = source.summary()
    created, uuid = float(about["created"]), str(about["uuid"])
    with (folder / f"events.out.tfevents.{created:.0f}.{uuid}").open("wb") as file:
        writer = RecordWriter(file)
        writer.write(Event(wall_time=created, file_version=VERSION).SerializeToString())
        for it in [*_series(source), *_evaluations(source)]:
            value = Summary.Value(tag=it.tag, simple_value=it.value)
            event = Event(
                wall_time=it.wall_time, step=it.step, summary=Summary(value=[value])
            )
            writer.write(event.SerializeToString())
        writer.flush()


def _series(source: SessionSource) -> Iterator[Point]:
    for name in source.series():
        history = source.history(name)
        columns = (history[it].tolist() for it in ("step", "wall_time", "value"))
        for line in zip(*columns, strict=True):
            yield Point(name, *line)


def _evaluations(source: SessionSource) -> Iterator[Point]:
    for it in source.evaluations():
        if len(it.returns):
            for name, values in (("return", it.returns), ("length", it.lengths)):
                tag, mean = f"evaluation/{name}_mean", float(np.mean(values))
                yield Point(tag, it.step, it.wall_time, mean)
