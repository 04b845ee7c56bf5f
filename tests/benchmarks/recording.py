"""What recording takes of the engine at 2,000 records a second (promise P19).

The trainer's share is the time in which it makes and hands over its rows; the keeper's
is what it takes to understand them and to make them durable, on this disk.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from engine.contract.catalogue import EnvironmentCard
from engine.contract.messages import Rows, Scalars
from engine.contract.options import Configuration
from engine.service.outbox import Outbox
from engine.service.run import ROWS_EVERY_S
from engine.service.transport import unpack
from engine.sessions import LiveStore
from tests.benchmarks.harness import Result, within

RECORDS_PER_S = 2_000
SECONDS = 10
SHARE = 0.05
STALL_S = 0.025
"""Nothing that is recorded may hold a step up for longer."""
SERIES = [f"series_{n}" for n in range(8)]


class Frames:
    """A line that keeps what it is given, as the other process would get it."""

    def __init__(self) -> None:
        self.newest: list[bytes] = []

    def send_frames(self, destination: str, frames: list[bytes]) -> None:
        self.newest = [bytes(it) for it in frames]


def run() -> Iterable[Result]:
    """Ten seconds of a run; the disk is the one of the temporary folder."""
    each = int(RECORDS_PER_S * ROWS_EVERY_S)
    count = int(SECONDS / ROWS_EVERY_S)
    line = Frames()
    outbox = Outbox(line, 0)  # type: ignore[arg-type]
    stalls, handing, storing = [], 0.0, 0.0
    with tempfile.TemporaryDirectory() as folder, _store(Path(folder)) as store:
        for number in range(count):
            rows = _rows(number, each)
            start, used = time.perf_counter(), time.process_time()
            outbox.send_rows(rows)
            stalls.append(time.perf_counter() - start)
            handing += time.process_time() - used
            used = time.process_time()
            _keep(store, line.newest, commit=number % 3 == 2)
            storing += time.process_time() - used
    name = f"recording {RECORDS_PER_S:,}/s"
    yield _share(f"{name}, the trainer's part", handing)
    yield _share(f"{name}, the keeper's part", storing)
    yield within(f"{name}, stall of a step", stalls, STALL_S, p=100)


def _share(name: str, seconds: float) -> Result:
    """Processor time as thousandths of the time that the run would have taken."""
    share = 1000 * seconds / SECONDS
    return Result(name, "per mille", share, 1000 * SHARE, 1.0, less_is_better=True)


def _keep(store: LiveStore, frames: list[bytes], *, commit: bool) -> None:
    """What the keeper does; it commits every 120 ms, where 100 are the most."""
    rows = unpack(frames)
    assert isinstance(rows, Rows)
    store.append(rows)
    if commit:
        store.commit()


def _store(folder: Path) -> LiveStore:
    card = EnvironmentCard(id="CartPole-v1", observation="vector", shape=(4,))
    return LiveStore.create(folder / "run.h5", Configuration().to_json(), card)


def _rows(number: int, count: int) -> Rows:
    """So many steps of a CartPole: a point of a series and a transition for each."""
    rng = np.random.default_rng(number)
    step = np.arange(count) + number * count + 1
    columns = {
        "series": (step % len(SERIES)).astype(np.int16),
        "step": step,
        "value": rng.normal(size=count),
        "wall_time": 1e9 + step / RECORDS_PER_S,
        "update": step,
        "episode": step // 200,
    }
    replay = {
        "slot": step % 100_000,
        "observation": rng.normal(size=(count, 4)).astype(np.float32),
        "action": step % 2,
        "reward": np.ones(count, np.float32),
        "terminated": step % 200 == 0,
    }
    last = int(step[-1])
    scalars = Scalars(SERIES, columns)
    return Rows("trainer", number, last, scalars=scalars, replay=replay)
