"""A session made of episodes that were recorded elsewhere; it has no checkpoint."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from engine.contract.messages import EpisodeFinished, Event, Rows, Scalars
from engine.sessions.atomic import TEMPORARY, sync_folder
from engine.sessions.live_store import LiveStore
from engine.sessions.problems import from_os_error
from engine.sessions.regular_file import check_name

SOURCE = "trainer"
COMMIT_BYTES = 4 << 20
"""So much waits in memory for one commit."""

_SERIES = ["return", "length"]

Record = dict[str, Any]


class Imported(NamedTuple):
    """What came of it."""

    episodes: int
    steps: int


def write_imported(
    target: Path,
    configuration: str,
    card: dict[str, Any],
    records: Iterable[Record],
    note: str,
    *,
    overwrite: bool = False,
) -> Imported:
    """Make a session of recorded episodes; it appears when it is whole.

    Args:
      target: ``NAME.h5``.
      configuration: ``Configuration.to_json()``.
      card: The environment.
      records: Training episodes in their order, as the trainer would record them.
      note: Where they are from, for the list of events.
      overwrite: Replace a session of this name.

    Raises:
      SessionProblem: If ``target`` exists (and not ``overwrite``), cannot be written,
        or an episode cannot be read.
    """
    check_name(target, overwrite=overwrite)
    # A name by which an orphan is found and swept.
    folder = target.with_name(f".{target.name}.{os.getpid()}{TEMPORARY}")
    try:
        folder.mkdir()
        place = folder / target.name
        made = _fill(place, configuration, card, records, note)
        os.replace(place, target)
        sync_folder(target.parent)
    except OSError as error:
        what = f"The session '{target.name}' could not be written"
        raise from_os_error(what, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return made


def _fill(
    place: Path,
    configuration: str,
    card: dict[str, Any],
    records: Iterable[Record],
    note: str,
) -> Imported:
    episodes = steps = 0
    with LiveStore.create(place, configuration, card) as store:
        waiting = 0
        for rows in _rows(records, note):
            store.append(rows)
            waiting += sum(it.nbytes for it in _arrays(rows))
            if waiting > COMMIT_BYTES:
                store.commit()
                waiting = 0
            episodes, steps = rows.number + 1, rows.step
        store.close(fold=True)
    return Imported(episodes, steps)


def _arrays(rows: Rows) -> Iterator[np.ndarray]:
    for record in rows.episodes:
        yield from (it for it in record.values() if isinstance(it, np.ndarray))


def _rows(records: Iterable[Record], note: str) -> Iterator[Rows]:
    """One row for each episode; times are those of the import."""
    now, step = time.time(), 0
    for number, record in enumerate(records):
        first, step = step, step + len(record["actions"])
        own = {"kind": "training", "episode": number, "environment": 0, "step0": first}
        done = _finished(number, step, record, now)
        yield Rows(
            source=SOURCE,
            number=number,
            step=step,
            scalars=_scalars(done),
            finished=[done],
            episodes=[record | own],
            events=[Event("state", 0, note, now, {})] if number == 0 else [],
        )


def _finished(number: int, step: int, record: Record, now: float) -> EpisodeFinished:
    return EpisodeFinished(
        kind="training",
        episode=number,
        step=step,
        update=0,
        length=len(record["actions"]),
        episode_return=float(np.sum(record["rewards"])),
        terminated=bool(record["terminations"][-1]),
        seed=int(record["seed"]),
        wall_time=now,
    )


def _scalars(done: EpisodeFinished) -> Scalars:
    values = [done.episode_return, float(done.length)]
    count = len(values)
    columns = {
        "series": np.arange(count, dtype=np.int16),
        "step": np.full(count, done.step),
        "value": np.array(values),
        "wall_time": np.full(count, done.wall_time),
        "update": np.zeros(count, np.int64),
        "episode": np.full(count, done.episode),
    }
    return Scalars(names=list(_SERIES), columns=columns)
