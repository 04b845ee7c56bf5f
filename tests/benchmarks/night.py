"""What a night of training leaves in the window: eight hours of messages, at once.

Nobody looks at episodes meanwhile, who then does. Memory is what the process has; times
are those of the window alone, without an engine.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from engine.contract.catalogue import find_preset
from engine.contract.messages import (
    Answer,
    EpisodeFinished,
    EvaluationFinished,
    Message,
    Scalars,
    SessionStatus,
    TrainerStatus,
)
from tests.benchmarks.harness import Result, load, within

EPISODES = 340_000
STEPS = 280
"""Of each episode: 95 million in all, 3,300 a second for eight hours."""
HOURS = 8.0
EVALUATED_EVERY = 9
MEASURED_EVERY, ROWS = 16, 24
BATCH = 64
MOST_PER_HOUR = 60.0
"""MB, as in ``soak``."""
SERIES = ("loss", "td_error", "td_error_max", "gradient_norm", "epsilon", "beta")
SERIES += ("learning_rate", "q_mean", "q_max", "replay_size", "return", "length")
NOTHING_BEFORE: dict[str, dict[str, Any]] = {
    "history": {},
    "episodes": {},
    "evaluations": {},
    "events": {"events": []},
}
QUICK_S, SHOWN_S = 0.05, 0.3
"""Budgets of a key and of a heavy panel."""


class Night:
    """An engine that has only this to say."""

    def __init__(self) -> None:
        self._inbox: list[Message] = []
        self._next = 0

    def send(self, message: Message) -> None:
        """Nothing is done."""

    def ask(self, question: str, arguments: dict[str, Any]) -> int:
        """Nothing was before; of all else nothing is said."""
        self._next += 1
        if question in NOTHING_BEFORE:
            self.play(Answer(self._next, NOTHING_BEFORE[question]))
        return self._next

    def hand_over(self, number: int, seconds: float) -> bool:
        """Every answer is there."""
        return True

    def poll(self) -> list[Message]:
        """What has been said since."""
        messages, self._inbox = self._inbox, []
        return messages

    def close(self) -> None:
        """There is nothing to let go."""

    def play(self, *messages: Message) -> None:
        """Say these next."""
        self._inbox.extend(messages)


def run() -> Iterator[Result]:
    """Its growth, and what a person waits for afterwards."""
    if sys.platform != "linux":
        yield Result("night: growth of the window", "MB/hour", skipped="Linux only")
        return
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    from rllab_gui.app import make_application, make_window

    with tempfile.TemporaryDirectory(prefix="rllab-bench-") as home:
        os.environ["RLLAB_HOME"] = home
        make_application()
        client = Night()
        window = make_window(client)
        window.resize(1366, 768)
        window.show()
        lab = window.lab

        def timed(action: Callable[[], object]) -> float:
            began = time.perf_counter()
            action()
            lab.pulse.beat()
            QApplication.sendPostedEvents()
            window.repaint()
            return time.perf_counter() - began

        preset = find_preset("cartpole").configuration.to_json()
        client.play(SessionStatus("a", "a.h5", "u", True, configuration=preset))
        timed(lab.pulse.beat)
        before = _resident()
        for messages in _night():
            client.play(*messages)
            lab.link.poll()
        timed(lab.pulse.beat)
        grown = _resident() - before
        yield Result(
            "night: growth of the window in eight hours",
            "MB/hour",
            grown / HOURS,
            MOST_PER_HOUR,
            limit=1.0,
            less_is_better=True,
            notes=(
                f"{before:.0f} MB and then {before + grown:.0f}; {EPISODES:,} "
                f"episodes, {EPISODES * STEPS:,} steps; {load()}",
            ),
        )
        shown = [timed(lambda: window.show_workspace("step"))]
        yield within("night: the step workspace is shown", shown, SHOWN_S)
        keys = [timed(lambda: lab.playback.go(-1)) for _ in range(20)]
        yield within("night: to the episode before", keys, QUICK_S)
        spots = np.linspace(0, EPISODES * STEPS, 20)
        found = [timed(lambda at=at: lab.playback.nearest(at)) for at in spots]
        yield within("night: the episode at a click on a curve", found, QUICK_S)
        window.leave(keep_training=True)


def _night() -> Iterator[list[Message]]:
    """What the engine says, a second or so at a time."""
    rng = np.random.default_rng(0)
    messages: list[Message] = []
    for number in range(EPISODES):
        messages.extend(_episode(number, rng))
        if number % BATCH == BATCH - 1:
            yield messages
            messages = []
    yield messages


def _episode(number: int, rng: np.random.Generator) -> Iterator[Message]:
    step, wall = (number + 1) * STEPS, 0.085 * number
    when = {"step": step, "update": step // 2, "wall_time": wall}
    how = {"length": STEPS, "terminated": True, "seed": 7}
    score = float(rng.integers(100, 500))
    yield EpisodeFinished("training", number, episode_return=score, **when, **how)
    if number % EVALUATED_EVERY == 0:
        returns, lengths = rng.normal(400, 20, 10), np.full(10, 400)
        yield EvaluationFinished(returns=returns, lengths=lengths, **when)
    if number % MEASURED_EVERY == 0:
        shape = (len(SERIES), ROWS)
        back = np.linspace(MEASURED_EVERY * STEPS, 1, ROWS).astype(np.int64)
        columns = {
            "series": np.repeat(np.arange(len(SERIES)), ROWS),
            "step": np.broadcast_to(step + MEASURED_EVERY * STEPS - back, shape),
            "value": rng.normal(size=shape),
            "wall_time": np.full(shape, wall),
            "update": np.full(shape, step // 2),
            "episode": np.full(shape, number),
        }
        columns = {name: it.reshape(-1) for name, it in columns.items()}
        yield Scalars(list(SERIES), columns)
        yield TrainerStatus("running", step=step, steps_budget=10**8)


def _resident() -> float:
    """MB that this process has."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
