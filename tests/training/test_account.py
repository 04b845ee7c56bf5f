"""Steps that are taken apart: which, how many, and that the run is the same."""

from types import SimpleNamespace

import numpy as np
import pytest

from engine.contract.account import COMPILED, UNWATCHED
from engine.contract.arrays import state_hash
from engine.contract.options import configuration_from_flat
from engine.training import TrainingLoop
from engine.training.account import BUDGET, LEAST_SHARE, Account, Side

MODES = ("alternate", "synchronized", "asynchronous")


class Clock:
    """Each look at it takes a little."""

    def __init__(self, look=0.0):
        self.now, self.look = 0.0, look

    def __call__(self):
        self.now += self.look
        return self.now


def tiny(**options):
    flat = {
        "agent.learning_starts": 16,
        "agent.batch_size": 8,
        "agent.updates_per_step": 1.0,
        "network.hidden": "8",
        "replay.capacity": 500,
        "training.refresh": 20,
        "training.steps": 10_000,
    }
    return configuration_from_flat(flat | options)


def take_apart(loop, share):
    """Such a share of the steps, whatever it takes."""
    for side in (loop.account.acting, loop.account.learning):
        side.share = side.most = share
        side._lap_s = 1e-12


@pytest.mark.parametrize("period", [2, 3, 4, 8, 16])
def test_steps_of_every_kind_are_taken_apart_equally_often(period):
    side = Side()
    chosen = [at for at in range(16_000) if side.step() is not UNWATCHED]
    assert len(chosen) == pytest.approx(1000, abs=2)
    kinds = np.bincount(np.array(chosen) % period, minlength=period)
    assert kinds.max() - kinds.min() <= 8


def test_stages_of_a_step_by_hand():
    clock = Clock()
    side = Side(clock=clock, processor=clock)
    side.share = 1.0
    side.begin()
    for _ in range(3):
        watch = side.step()
        clock.now += 2.0
        watch.lap("act")
        clock.now += 3.0
        watch.lap("update")
        clock.now += 1.0
    around = side.around()
    clock.now += 10.0
    around.rest("waiting")
    side.end()
    spent = side.spent()
    assert spent.whole == 28.0
    assert spent.sampled == {"act": 6.0, "update": 9.0, "other": 3.0}
    assert spent.exact == {"waiting": 10.0}
    assert spent.stages()["update"] == 9.0


@pytest.mark.parametrize(
    ("step_s", "share"), [(1.0, 1.0), (1e-3, 0.1), (1e-6, LEAST_SHARE)]
)
def test_as_many_steps_are_taken_apart_as_the_budget_allows(step_s, share):
    clock = Clock(look=1e-6)
    side = Side(clock=clock, processor=clock)
    laps = 4
    for _ in range(200):
        side.begin()
        for _ in range(10):
            watch = side.step()
            for _ in range(laps):
                clock.now += step_s / laps
                watch.lap("act")
        side.end()
    cost = (laps + 1) * 1e-6 * side.share
    assert side.share == pytest.approx(min(1.0, share), rel=0.5)
    assert side.share in (1.0, LEAST_SHARE) or cost <= 1.1 * BUDGET * step_s


def test_what_the_thread_waits_for_makes_its_steps_no_shorter():
    clock, busy = Clock(look=1e-6), Clock()
    side = Side(clock=clock, processor=busy)
    for _ in range(100):
        side.begin()
        for _ in range(10):
            watch = side.step()
            clock.now += 1e-2
            busy.now += 1e-2
            watch.lap("act")
        around = side.around()
        clock.now += 10.0  # and no processor is needed for it
        around.rest("waiting")
        side.end()
    assert side.share == 1.0


def test_what_a_device_has_still_to_do_is_waited_for_in_steps_taken_apart():
    waited = []
    side = Side(most=0.5, settle=lambda: waited.append(1))
    side.begin()
    for _ in range(100):
        side.step().lap("act")
    side.end()
    assert side.share <= 0.5
    assert 5 <= len(waited) <= 20  # two laps to each of 100 / 16 steps


def test_where_the_learner_has_no_thread_there_is_no_account_of_it():
    assert Account().spent()[1] is None


@pytest.mark.parametrize("mode", MODES)
def test_the_stages_of_each_mode_are_told(mode):
    loop = TrainingLoop(tiny(**{"training.mode": mode}), device="cpu")
    take_apart(loop, 1.0)
    loop.advance(steps=200)
    acting, learning = loop.spent()
    learner = acting if learning is None else learning
    assert {"act", "environment", "store", "recording"} <= acting.sampled.keys()
    assert {"sample", "update"} <= learner.sampled.keys()
    assert sum(acting.stages().values()) == pytest.approx(acting.whole)
    if learning is not None:
        assert acting.exact["waiting"] > 0
        assert sum(learning.stages().values()) == pytest.approx(acting.whole)
    loop.close()


@pytest.mark.parametrize("mode", ["alternate", "synchronized"])
def test_a_run_is_the_same_however_many_steps_are_taken_apart(mode):
    states = []
    for share in (0.0, 1.0):
        loop = TrainingLoop(tiny(**{"training.mode": mode}), device="cpu")
        take_apart(loop, share)
        loop.advance(steps=300)
        loop.drain()
        states.append(state_hash(loop.state()))
        loop.close()
    assert states[0] == states[1]


def test_whoever_reads_the_notes_knows_compiled_updates():
    loop = TrainingLoop(tiny(), device="cpu")
    assert loop.notes() == ["Updates run as written."]
    loop.agent.learner.compiled = SimpleNamespace()
    assert loop.notes() == [COMPILED]
    loop.agent.learner.compiled = None
    loop.close()
