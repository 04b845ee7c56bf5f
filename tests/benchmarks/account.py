"""What it costs to know where the time of training goes: less than 1 % of it.

A loop runs in turns with and without steps that are taken apart. Such rounds differ by
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

STEPS, WITHOUT_UPDATES = 300, 2_000
ROUNDS = 41
SLICE_S = 0.02
LIMIT = 0.99
IN_TURNS = 0.98
"""What rounds can tell: half of them differ by more than four in a hundred."""
TRIES = 50_000


def run() -> Iterator[Result]:
    """CartPole, MLP 64-64, batch 64, an update for each step; and without updates."""
    for mode in ("alternate", "synchronized", "asynchronous"):
        yield from _measure(mode, 1.0)
    yield from _measure("alternate", 0.0)


def _measure(mode: str, updates: float) -> Iterator[Result]:
    """A row of rounds in turns, and one of calls; two loops would differ by more."""
    loop = _loop(mode, updates)
    sides = loop.account.acting, loop.account.learning

    def advance(share: float) -> int:
        for side in sides:
            side.most, side.share = (1.0, shares[side]) if share else (0.0, 0.0)
        done = _advance(loop, STEPS if updates else WITHOUT_UPDATES)
        shares.update({side: side.share for side in sides if share})
        return done

    shares = {side: side.share for side in sides}
    name = f"account: {mode}, {updates:g} updates a step"
    advance(1.0)
    rates = side_by_side(lambda: advance(1.0), lambda: advance(0.0), ROUNDS)
    if mode != "asynchronous":
        note = f"one step in {1 / shares[sides[0]]:.1f} is taken apart; {load()}"
        yield Result(name, "steps/s", *rates, limit=IN_TURNS, notes=(note,))
    yield _of_calls(name, shares, 1 / rates[1])
    loop.close()


def _advance(loop: TrainingLoop, steps: int) -> int:
    """As a run in the program does, in slices."""
    first = loop.step
    while loop.step < first + steps:
        loop.advance(seconds=SLICE_S)
    loop.drain()
    return loop.step - first


def _of_calls(name: str, shares: dict[Side, float], step_s: float) -> Result:
    """Thousandths of a step that the calls take, timed by themselves."""
    used = {it: share for it, share in shares.items() if it.spent().steps}
    seconds = sum(_calls_s(it, share) for it, share in used.items())
    share = 1000 * seconds / step_s
    peer = 1000 * (1 - LIMIT)
    return Result(f"{name}, calls", "per mille", share, peer, 1.0, less_is_better=True)


def _calls_s(side: Side, share: float) -> float:
    """Seconds of one step's calls: of most steps, and of those taken apart."""
    fresh = Side()
    fresh.share, laps = share, round(side.laps_of_a_step)
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
