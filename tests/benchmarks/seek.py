"""From any step of a very long session to any other: frame and Q bars are painted."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.harness import Result, percentile, within
from tests.benchmarks.key_to_frame import record
from tests.benchmarks.long_session import write_long_session
from tests.benchmarks.real_lab import real_lab

SIZES = (10_000, 1_000_000)
SEEKS = 200
READ_AHEAD_S = 30.0
"""By then the stage has brought the episodes of a file in which somebody jumps."""
LENGTH = 500
"""Of the longest episode before somebody jumps about in a run."""
BUDGET_S = 0.03


def run() -> Iterator[Result]:
    """Random episodes and steps, in the real window: of files, then beside a run."""
    with tempfile.TemporaryDirectory(prefix="rllab-seek-") as folder:
        for steps in SIZES:
            path = Path(folder) / f"steps{steps}.h5"
            write_long_session(path, steps)
            with real_lab() as lab:
                window = lab.open_window(str(path))
                window.do("marks", wanted=["picture"])
                found = window.do(
                    "seek_anywhere", seeks=SEEKS, read_ahead_s=READ_AHEAD_S
                )
                window.leave(keep_training=False)
            across, inside = found["across"], found["inside"]
            first = ", ".join(f"{1000 * it:.0f}" for it in found["first"][::2])
            apart = f"the first jumps after the file was opened: {first} ms"
            ahead = "none while episodes were read ahead"
            if found["early"]:
                early = [1000 * percentile(found["early"], it) for it in (50, 99)]
                ahead = f"in the {READ_AHEAD_S:.0f} s after them, while episodes are "
                ahead += f"read ahead: p50 {early[0]:.0f} ms, p99 {early[1]:.0f} ms"
            yield _row(f"seek in the episode, {steps:,} steps", inside)
            to_another = f"seek to another episode, {steps:,} steps"
            yield _row(to_another, across, apart, ahead)
    yield from _beside_a_run()


def _beside_a_run() -> Iterator[Result]:
    """The same in a run that goes on, of whose episodes nothing is read ahead."""
    with real_lab() as lab:
        record(lab, "cartpole", LENGTH)
        window = lab.open_window()
        window.do("marks", wanted=["picture"])
        found = window.do("seek_anywhere", seeks=SEEKS, read_ahead_s=0.0)
        window.leave(keep_training=False)
    yield _row("seek in the episode, training", found["inside"])
    yield _row("seek to another episode, training", found["across"])


def _row(name: str, times: list[float], *notes: str) -> Result:
    middle = f"p50 {1000 * percentile(times, 50):.0f} ms"
    return within(name, times, BUDGET_S, middle, *notes, p=99)
