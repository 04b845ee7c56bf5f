"""What it costs to know where the time of training goes: less than 1 % of it.

Loops with and without steps that are taken apart run in turns. Such rounds differ by
about as much as what is to be measured, so a second row counts what an account does in
a step, the calls that do nothing included, and times just that. How many updates are
made to a step of asynchronous running depends on the computer: it has that row only.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from engine.contract.account import OTHER
from engine.contract.catalogue import find_preset
from engine.training import TrainingLoop
from engine.training.account import Side
from tests.benchmarks.harness import Result, load, side_by_side

STEPS = 1_000
ROUNDS = 41
SLICE_S = 0.02
LIMIT = 0.99
TRIES = 50_000


def run() -> Iterator[Result]:
    """CartPole, MLP 64-64, batch 64, an update for each step; and without updates."""
    for mode in ("alternate", "synchronized", "asynchronous"):
        yield from _measure(mode, 1.0)
    yield from _measure("alternate", 0.0)


def _measure(mode: str, updates: float) -> Iterator[Result]:
    """A row of rounds in turns, and one of calls."""
    loops = [_loop(mode, updates) for _ in range(2)]
    for side in (loops[1].account.acting, loops[1].account.learning):
        side.share = side.most = 0.0
    name = f"account: {mode}, {updates:g} updates a step"
    ours, peer = (lambda it=it: _advance(it) for it in loops)
    ours(), peer()
    rates = side_by_side(ours, peer, ROUNDS)
    if mode != "asynchronous":
        share = loops[0].account.acting.share
        note = f"one step in {1 / share:.1f} is taken apart; {load()}"
        yield Result(name, "steps/s", *rates, limit=LIMIT, notes=(note,))
    yield _of_calls(name, loops[0], 1 / rates[1])
    for loop in loops:
        loop.close()


def _advance(loop: TrainingLoop) -> int:
    """As a run in the program does, in slices."""
    first = loop.step
    while loop.step < first + STEPS:
        loop.advance(seconds=SLICE_S)
    loop.drain()
    return loop.step - first


def _of_calls(name: str, loop: TrainingLoop, step_s: float) -> Result:
    """Thousandths of a step that the calls take, timed by themselves."""
    seconds = 0.0
    for side in (loop.account.acting, loop.account.learning):
        if side.spent().steps:
            seconds += _calls_s(side)
    share = 1000 * seconds / step_s
    peer = 1000 * (1 - LIMIT)
    return Result(f"{name}, calls", "per mille", share, peer, 1.0, less_is_better=True)


def _calls_s(side: Side) -> float:
    """Seconds of one step's calls: of most steps, and of those taken apart."""
    fresh = Side()
    fresh.share, laps = side.share, round(side.laps_of_a_step)
    fresh.begin()
    begin = time.process_time()
    for _ in range(TRIES):
        watch = fresh.step()
        for _ in range(laps):
            watch.lap(OTHER)
    return (time.process_time() - begin) / TRIES


def _loop(mode: str, updates: float) -> TrainingLoop:
    preset = find_preset("cartpole-plain-dqn").configuration
    return TrainingLoop(
        preset.with_options(
            {
                "agent.learning_starts": 100 if updates else 10**7,
                "agent.updates_per_step": updates or 1.0,
                "recording.level": "scalars",
                "training.device": "cpu",
                "training.mode": mode,
                "training.refresh": 100,
                "training.steps": 10_000_000,
            }
        )
    )
