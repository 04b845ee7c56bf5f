"""A run in the trainer, with a loop that costs nothing and a clock that is moved."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from engine.contract.account import Spent
from engine.contract.arrays import join, state_hash
from engine.contract.codec import decode
from engine.contract.messages import (
    Advance,
    Checkpoint,
    EpisodeFinished,
    Event,
    MemoryReport,
    Message,
    PriorityReport,
    Problem,
    Rows,
    RowsStored,
    Scalars,
    Solved,
    TimeReport,
    TrainerStatus,
    Weights,
)
from engine.contract.options import Configuration, configuration_from_flat
from engine.service import outbox as outbox_module
from engine.service.run import Run
from engine.training.problems import TrainingProblem


class Drained:
    def __init__(self, step: int, episode: int) -> None:
        self.scalars = Scalars(["loss"], {"step": np.array([step])}) if step else None
        self.finished = [EpisodeFinished("training", episode, step, 0, 9, 9.0, True, 1)]
        self.episodes: list[dict[str, Any]] = []
        self.replay: dict[str, np.ndarray] = {}
        self.events: list[Event] = []


class FakeLoop:
    """Trains 70 steps a slice."""

    def __init__(self, **options: Any) -> None:
        self.configuration: Configuration = configuration_from_flat(options)
        self.step = self.update = self.episode = 0
        self.fails_at = 10**9
        self.compiled_from = 10**9
        self.ready = True
        self.weight = np.zeros(3)
        self._drained_at = 0
        self.events: list[Event] = []

    @property
    def finished(self) -> bool:
        return self.step >= self.configuration.training.steps

    @property
    def compiled(self) -> bool:
        return self.step >= self.compiled_from

    def is_ready(self) -> bool:
        return self.ready

    def advance(
        self,
        steps: int | None = None,
        seconds: float | None = None,
        until_episode_end: bool = False,
    ) -> None:
        budget = self.configuration.training.steps - self.step
        self.step += min(70, steps or 70, budget)
        self.weight += 1.0
        if self.step > self.fails_at:
            raise RuntimeError("the environment exploded")

    def drain(self) -> Any:
        new, self._drained_at = self.step > self._drained_at, self.step
        drained = Drained(self.step, self.episode)
        if not new:
            drained.scalars, drained.finished = None, []
        drained.events, self.events = self.events, []
        return drained

    def status(self) -> TrainerStatus:
        return TrainerStatus("running", step=self.step, steps_per_s=99.0)

    def weights(self) -> dict[str, np.ndarray]:
        return {"online/w": self.weight.copy()}

    def state(self) -> dict[str, Any]:
        return {"agent": {"w": self.weight}, "step": self.step}

    def set_option(self, key: str, value: Any) -> None:
        self.configuration = self.configuration.with_options({key: value})

    def priorities(self) -> PriorityReport:
        none = np.zeros(0)
        rows = (none, none, 0, none, none, none, none)
        return PriorityReport("uniform", self.step, 0, 1, 0.0, 0.0, *rows)

    def spent(self) -> tuple[Spent, Spent | None]:
        return Spent(), None

    def notes(self) -> list[str]:
        return []

    def memory(self) -> MemoryReport:
        return MemoryReport(self.step, {"replay": 100}, {"replay": 50})


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Line:
    def __init__(self) -> None:
        self.sent: list[tuple[str, Message]] = []

    def send(self, destination: str, message: Message) -> None:
        self.sent.append((destination, message))

    def send_frames(self, destination: str, frames: list[Any]) -> None:
        self.sent.append((destination, decode(frames)))

    def all(self, kind: type[Message], to: str) -> list[Any]:
        return [it for who, it in self.sent if who == to and isinstance(it, kind)]


class Bench:
    def __init__(self, **options: Any) -> None:
        self.clock, self.line = Clock(), Line()
        self.loop = FakeLoop(**options)
        self.run = Run(  # type: ignore[arg-type]
            self.line, self.loop, uuid="u1", clock=self.clock
        )

    def cycles(self, count: int, seconds: float = 0.02) -> None:
        for _ in range(count):
            self.clock.now += seconds
            self.run.cycle(priorities_wanted=False)

    def checkpoints(self) -> list[tuple[int, str]]:
        found = self.line.all(Checkpoint, "keeper")
        return [(it.step, it.reason) for it in found]

    def statuses(self) -> list[str]:
        return [it.state for it in self.line.all(TrainerStatus, "supervisor")]


@pytest.fixture
def bench() -> Bench:
    return Bench(**{"evaluation.period": 100, "recording.checkpoint_period": 150})


def test_checkpoints_and_evaluations_come_exactly_at_their_steps(bench: Bench) -> None:
    bench.cycles(7)
    assert [step for step, _ in bench.checkpoints()] == [100, 150, 200, 300]
    evaluated = [it for it in bench.line.all(Weights, "stage") if it.evaluate]
    assert [it.step for it in evaluated] == [100, 200, 300]


def test_rows_are_numbered_without_a_gap_and_sent_20_times_a_second(
    bench: Bench,
) -> None:
    bench.cycles(50)
    rows = bench.line.all(Rows, "keeper")
    assert [it.number for it in rows] == list(range(len(rows)))
    assert len(rows) >= 20
    assert rows[-1].step > bench.loop.step - 300


def test_a_checkpoint_holds_the_state_and_the_rows_before_it(bench: Bench) -> None:
    bench.cycles(2)
    found = bench.line.all(Checkpoint, "keeper")[0]
    before = [
        it for _, it in bench.line.sent[: bench.line.sent.index(("keeper", found))]
    ]
    rows = [it for it in before if isinstance(it, Rows)]
    assert found.rows == rows[-1].number
    assert rows[-1].step == found.step
    state = join(found.arrays, json.loads(found.values))
    assert state_hash(state) == found.sha256
    bench.cycles(3)
    assert state_hash(join(found.arrays, json.loads(found.values))) == found.sha256


def test_windows_hear_of_scalars_and_at_most_30_statuses_a_second(
    bench: Bench,
) -> None:
    bench.cycles(100, seconds=0.01)
    assert bench.line.all(Scalars, "windows")
    assert bench.line.all(EpisodeFinished, "windows")
    assert 20 <= len(bench.statuses()) <= 35


def test_weights_go_to_the_stage_once_a_second() -> None:
    bench = Bench(**{"evaluation.period": 0})
    bench.cycles(150)
    assert len(bench.line.all(Weights, "stage")) in (3, 4)


def test_a_recovery_checkpoint_every_ten_seconds() -> None:
    bench = Bench(
        **{"evaluation.period": 0, "recording.checkpoint_period": 10**7}
        | {"training.steps": 10**7}
    )
    bench.cycles(210, seconds=0.1)
    assert [reason for _, reason in bench.checkpoints()] == ["recovery"] * 2


def test_a_checkpoint_marks_where_updates_change_their_form() -> None:
    options = {"evaluation.period": 0, "recording.checkpoint_period": 1_000_000}
    bench = Bench(**options)
    bench.loop.compiled_from = 3 * 70
    bench.cycles(5)
    assert bench.checkpoints() == [(3 * 70, "recovery")]


def test_pause_holds_with_a_checkpoint_and_single_steps_go_on(bench: Bench) -> None:
    bench.cycles(1)
    bench.run.pause()
    bench.cycles(5)
    assert bench.loop.step == 70
    assert bench.checkpoints()[-1] == (70, "pause")
    assert bench.statuses()[-1] == "paused"
    bench.run.advance(Advance("step"))
    assert bench.loop.step == 71
    bench.run.resume()
    bench.cycles(1)
    assert bench.loop.step == 100


def test_who_waits_for_the_compiler_is_told_so_until_it_goes_on(bench: Bench) -> None:
    bench.loop.ready = False
    bench.cycles(3)
    told = bench.line.all(Problem, "windows")
    assert [it.id for it in told] == ["training.compiling"]
    bench.loop.ready = True
    bench.cycles(2)
    assert [it.id for it in bench.line.all(Solved, "windows")] == ["training.compiling"]


def test_a_single_step_that_has_to_wait_blocks_nobody(bench: Bench) -> None:
    bench.run.pause()
    bench.loop.ready = False
    bench.run.advance(Advance("step"))
    assert bench.loop.step == 0
    bench.loop.ready = True
    bench.run.advance(Advance("step"))
    assert bench.loop.step == 1


def test_a_stop_ends_with_a_checkpoint_and_says_so_in_the_events(
    bench: Bench,
) -> None:
    bench.cycles(1)
    bench.run.stop()
    bench.cycles(3)
    assert bench.loop.step == 70
    assert bench.checkpoints()[-1] == (70, "stop")
    assert bench.statuses()[-1] == "stopping"
    events = [e.text for it in bench.line.all(Rows, "keeper") for e in it.events]
    assert events == ["Stopped at step 70."]


def test_a_changed_option_is_told_to_all_who_have_to_know(bench: Bench) -> None:
    change = Event("option", 70, "", 1.0, {"key": "agent.double", "new": False})
    bench.loop.events = [change, Event("state", 70, "Compiled.", 1.0)]
    bench.cycles(3)
    for who in ("stage", "supervisor"):
        assert bench.line.all(Event, who) == [change]
    assert len(bench.line.all(Event, "windows")) == 2


def test_at_the_budget_it_finishes_with_a_last_evaluation() -> None:
    bench = Bench(**{"training.steps": 120, "evaluation.period": 100})
    bench.cycles(5)
    assert bench.checkpoints() == [(100, "periodic"), (120, "stop")]
    assert bench.statuses()[-1] == "finished"
    evaluated = [it.step for it in bench.line.all(Weights, "stage") if it.evaluate]
    assert evaluated == [100, 120]


def test_an_error_ends_the_run_with_a_message_and_nothing_lost(bench: Bench) -> None:
    bench.loop.fails_at = 250
    bench.cycles(10)
    (problem,) = bench.line.all(Problem, "windows")
    assert "the environment exploded" in problem.what
    assert "Traceback" in problem.details
    assert bench.statuses()[-1] == "failed"
    assert bench.checkpoints()[-1] == (200, "periodic")
    assert bench.line.all(Rows, "keeper")[-1].step == bench.loop.step


@pytest.mark.parametrize("when", ["stop", "finish", "recover"])
def test_an_update_that_turns_out_to_be_none_ends_the_run_too(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """Those under way on a GPU tell only when the state is asked for."""

    def none() -> dict[str, Any]:
        raise TrainingProblem(Problem("training.diverged", "The loss is not finite."))

    bench.cycles(1)
    monkeypatch.setattr(bench.loop, "state", none)
    if when == "stop":
        bench.run.stop()
    elif when == "recover":
        bench.clock.now += 60
        bench.cycles(1)
    else:
        bench.cycles(10)
    (problem,) = bench.line.all(Problem, "windows")
    assert "The loss is not finite." in problem.what
    assert bench.statuses()[-1] == "failed"
    assert bench.line.all(Rows, "keeper")[-1].step == bench.loop.step


def test_a_restarted_stage_gets_the_weights_that_it_was_to_evaluate(
    bench: Bench,
) -> None:
    bench.cycles(5)
    bench.run.on_evaluated(100)
    bench.line.sent.clear()
    bench.run.on_stage_back()
    sent = [(it.step, it.evaluate) for it in bench.line.all(Weights, "stage")]
    assert sent == [(bench.loop.step, False), (200, True)]


def test_it_waits_for_a_keeper_that_is_far_behind_and_goes_on_by_itself(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "MOST_MESSAGES", 6)
    bench.cycles(40)
    held = bench.loop.step
    bench.cycles(5)
    assert bench.loop.step == held
    (problem,) = bench.line.all(Problem, "windows")
    assert "waits for the disk" in problem.what
    bench.run.outbox.settle(RowsStored("trainer", 10**6, held))
    for found in bench.line.all(Checkpoint, "keeper"):
        bench.run.outbox.settle(
            outbox_module.CheckpointStored(found.step, found.reason)
        )
    bench.cycles(2)
    assert bench.loop.step > held


def test_time_and_memory_are_told_every_second_while_somebody_looks(bench):
    bench.cycles(60)
    assert not bench.line.all(TimeReport, "windows")
    for _ in range(150):
        bench.clock.now += 0.02
        bench.run.cycle(priorities_wanted=False, account_wanted=True)
    times = bench.line.all(TimeReport, "windows")
    assert 2 <= len(times) == len(bench.line.all(MemoryReport, "windows")) <= 4
    assert sum(times[-1].acting.values()) == pytest.approx(times[-1].seconds)
    assert times[-1].recorded_bytes > 0
    # The run may have ended long before somebody looks at its session.
    bench.run.stop()
    bench.clock.now += 5.0
    bench.line.sent.clear()
    bench.run.cycle(priorities_wanted=True, account_wanted=True)
    kinds = (TimeReport, MemoryReport, PriorityReport)
    last = [bench.line.all(kind, "windows")[-1] for kind in kinds]
    assert [it.run for it in last] == ["u1"] * len(kinds)
    assert last[0].step == bench.loop.step
