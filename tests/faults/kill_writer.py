"""P1: the writer of a live store is killed at a random moment."""

import mmap
import os
import random
import signal
import struct
import time
from pathlib import Path

import numpy as np
import session_samples as samples
from trials import Trials

from engine.sessions import LiveStore

ROWS_PER_S = 150
LIMIT_S = 0.25
CHECKPOINT_PERIOD = 20
_WORD = struct.Struct("<q")


class Shared:
    """Memory of both processes: what was acknowledged, and when rows were given."""

    def __init__(self) -> None:
        self.memory = mmap.mmap(-1, 1 << 20)
        self.acknowledge(-1)

    def acknowledge(self, number: int) -> None:
        _WORD.pack_into(self.memory, 0, number)

    @property
    def acknowledged(self) -> int:
        return _WORD.unpack_from(self.memory)[0]

    @property
    def times(self) -> np.ndarray:
        return np.frombuffer(self.memory, np.float64, 100_000, 64)


def write_until_killed(path: Path, shared: Shared, batches: list) -> None:
    """What the keeper does: append as rows come, commit when it is due."""
    store = LiveStore.create(path, samples.configuration(), samples.CARD)
    start = time.monotonic()
    for number, rows in enumerate(batches):
        while time.monotonic() < start + number / ROWS_PER_S:
            _tell(store.commit_if_due(), shared)
            time.sleep(0.001)  # as long as a keeper waits for rows
        shared.times[number] = time.monotonic()
        store.append(rows)
        _tell(store.commit_if_due(), shared)
        if number % CHECKPOINT_PERIOD == CHECKPOINT_PERIOD - 1:
            kind = "periodic" if number % 3 else "recovery"
            store.write_checkpoint(samples.checkpoint(rows.step, number, kind))
            shared.acknowledge(number)
    time.sleep(60)  # until it is killed


def _tell(stored: dict, shared: Shared) -> None:
    if "trainer" in stored:
        shared.acknowledge(stored["trainer"][0])


def check_store(path: Path, acknowledged: int, deep: bool = True) -> int:
    """The store opens, and holds exactly the first rows; returns the last one."""
    with LiveStore.open(path) as store:
        last = store.progress().get("trainer", (-1, 0))[0]
        assert last >= acknowledged, f"row {acknowledged} was confirmed, {last} is left"
        assert store.problems() == []
        for series, name in enumerate(["loss", "q_mean"]):
            wanted = [samples.scalars(n).columns for n in range(last + 1)]
            values = [it["value"][it["series"] == series] for it in wanted]
            stored = store.history(name)["value"]
            assert np.array_equal(stored, np.concatenate([np.empty(0), *values]))
        table = store.episodes()
        assert table["episode"].tolist() == list(range((last + 1) // 3))
        for number in table["episode"][-3:].tolist():
            samples.same_record(
                store.episode("training", number), samples.record(number)
            )
        if deep and store.checkpoints():
            point = store.resume_point()
            assert point.exact, point.note
            assert point.checkpoint.rows >= acknowledged - 2 * CHECKPOINT_PERIOD
            samples.same_ring(point.replay, samples.ring_after(point.checkpoint.rows))
    return last


def run(folder: Path, count: int, seed: int = 0) -> Trials:
    """Fork, write, kill, open; ``count`` times."""
    result = Trials("P1", "kill -9 of the writer at a random moment")
    chance = random.Random(seed)
    batches = [samples.rows(number) for number in range(400)]
    lost = []
    for index in range(count):
        path = folder / f"killed-{index}.h5"
        delay = chance.uniform(0.05, 1.5)
        lost.append(result.trial(f"{delay:.3f} s", one, path, delay, batches) or 0.0)
    result.worst = f"{max(lost, default=0.0):.3f} s of rows lost at most"
    return result


def one(path: Path, delay_s: float, batches: list) -> float:
    """One kill; returns how many seconds of rows were lost."""
    shared = Shared()
    child = os.fork()
    if child == 0:
        try:
            write_until_killed(path, shared, batches)
        finally:
            os._exit(1)
    _wait_for_first_row(shared)
    time.sleep(delay_s)  # the moment of death is what is tried out
    os.kill(child, signal.SIGKILL)
    killed = time.monotonic()
    os.waitpid(child, 0)
    last = check_store(path, shared.acknowledged)
    missing = shared.times[last + 1]
    lost = killed - missing if missing else 0.0
    assert lost <= LIMIT_S, f"{lost:.3f} s of rows were lost"
    return lost


def _wait_for_first_row(shared: Shared) -> None:
    end = time.monotonic() + 20
    while not shared.times[0]:
        assert time.monotonic() < end, "the writer did not start"
        time.sleep(0.005)
