"""The trainer's process second by second, with what the loop says of its part."""

import pytest

from engine.contract.account import LOOP, Spent
from engine.contract.messages import MemoryReport, TimeReport, TrainerStatus
from engine.service.outbox import Outbox
from engine.service.time_ledger import SECONDS, TimeLedger


class Loop:
    step = update = 0
    acting, learning = Spent(), None

    def spent(self):
        return self.acting, self.learning

    def notes(self):
        return ["Updates run as written."]

    def memory(self):
        return MemoryReport(self.step, {"replay": 100, "recording": 5}, {"replay": 50})

    def status(self):
        return TrainerStatus("running", device="cpu")


class Bench:
    """A second of it: 0.6 s in the loop, 0.3 s of recording, 0.1 s of nothing."""

    def __init__(self):
        self.now, self.loop = 0.0, Loop()
        self.outbox = Outbox(None, 0)
        self.ledger = TimeLedger(self.loop, self.outbox, lambda: self.now)

    def second(self, steps=100):
        self.ledger.go(True, "other")
        self.now += 0.6
        self.loop.step += steps
        self.loop.update += steps // 2
        seconds = self.loop.acting.whole + 0.6
        self.loop.acting = Spent(seconds, {}, {"act": seconds, "update": seconds}, 7)
        self.ledger.watch.lap(LOOP)
        self.now += 0.3
        self.ledger.watch.lap("recording")
        self.now += 0.1
        self.ledger.go(True, "other")
        self.ledger.keep()

    def report(self):
        return next(it for it in self.ledger.reports() if isinstance(it, TimeReport))


@pytest.fixture
def bench():
    return Bench()


def test_what_the_loop_did_takes_the_place_of_its_part(bench):
    bench.second()
    report = bench.report()
    assert report.seconds == pytest.approx(1.0)
    found = {"act": 0.3, "update": 0.3, "recording": 0.3, "other": 0.1}
    assert report.acting == pytest.approx(found)
    assert (report.steps, report.updates, report.timed) == (100, 50, 7)
    assert report.notes == ["Updates run as written."]


def test_a_report_is_about_the_newest_seconds(bench):
    for steps in range(100, 3000, 100):
        bench.second(steps)
    report = bench.report()
    assert report.seconds == pytest.approx(SECONDS)
    assert report.steps == sum(range(2500, 3000, 100))


def test_a_pause_is_not_part_of_it_and_its_beginning_is_kept(bench):
    bench.second()
    bench.now += 0.5
    bench.ledger.go(False, "other")
    for _ in range(9):
        bench.now += 100.0
        bench.ledger.go(False, "other")
        bench.ledger.keep()
    assert bench.report().seconds == pytest.approx(1.5)
    bench.second()
    assert bench.report().seconds == pytest.approx(2.5)


def test_the_learner_waits_while_the_process_does_other_things(bench):
    bench.loop.learning = Spent(0.6, {"waiting": 0.2}, {"update": 0.1})
    bench.second()
    bench.loop.learning = Spent(1.2, {"waiting": 0.4}, {"update": 0.2})
    bench.second()
    learning = bench.report().learning
    assert learning == pytest.approx({"waiting": 0.4 + 0.8, "update": 0.8})


def test_what_the_loop_does_not_know_of_is_told_too(bench):
    bench.loop.acting = Spent(-0.2)  # of the first 0.6 s it knows 0.4
    bench.ledger.keep()
    bench.second()
    found = bench.report().acting
    assert found["other"] == pytest.approx(0.1 + 0.2)
    assert sum(found.values()) == pytest.approx(1.0)


def test_without_a_step_there_is_no_time_of_a_step(bench):
    bench.second(0)
    assert len(bench.ledger.reports()) == 1


def test_what_waits_for_the_disk_is_memory_of_the_recording(bench):
    (memory,) = bench.ledger.reports()
    assert memory.allocated == {"replay": 100, "recording": 5}
    bench.outbox.bytes = 1000
    (memory,) = bench.ledger.reports()
    assert memory.allocated["recording"] == 1005
    assert memory.used["recording"] == 1000


def test_memory_that_takes_long_to_count_is_counted_seldom(bench):
    counted = []

    def memory():
        counted.append(bench.now)
        bench.now += 0.05
        return MemoryReport(0, {}, {})

    bench.loop.memory = memory
    for _ in range(30):
        bench.now += 1.0
        bench.ledger.reports()
    assert len(counted) == 3
