"""What a client asks of a new engine, by what it knew of the old one's run."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from engine.contract.messages import (
    CloseSession,
    Message,
    OpenSession,
    Pause,
    Problem,
    Resume,
    ResumeTraining,
    SessionStatus,
    SetOption,
    Shutdown,
    StartTraining,
    Stop,
    TrainerStatus,
)
from engine.contract.options import Configuration
from engine.service.problems import lost_engine
from engine.service.run_memory import RunMemory

OPEN = SessionStatus(path="/run.h5", live=True)


@pytest.fixture
def memory() -> RunMemory:
    """Of a run that is under way."""
    memory = RunMemory()
    memory.sent(StartTraining("{}"))
    memory.heard(OPEN)
    memory.heard(TrainerStatus("running", step=70))
    return memory


def resume(*, paused: bool) -> ResumeTraining:
    return ResumeTraining("/run.h5", paused=paused, reached=70)


def test_a_run_goes_on(memory: RunMemory) -> None:
    assert memory.going_on() == [resume(paused=False)]


@pytest.mark.parametrize("state", ["pausing", "paused"])
def test_a_pause_stays_one(memory: RunMemory, state: str) -> None:
    memory.heard(TrainerStatus(state, step=70))  # type: ignore[arg-type]
    assert memory.goes_on
    assert memory.going_on() == [resume(paused=True)]


def test_a_file_that_was_looked_at_is_open_again(memory: RunMemory) -> None:
    """That of a run that was stopped, and any other."""
    memory.sent(Stop())
    memory.heard(TrainerStatus("stopping", step=80))
    memory.heard(TrainerStatus("idle", step=80))
    memory.heard(replace(OPEN, live=False))
    assert memory.going_on() == [OpenSession("/run.h5")]
    memory.heard(SessionStatus(path="/other.h5"))
    assert memory.going_on() == [OpenSession("/other.h5")]


@pytest.mark.parametrize(
    "session", [SessionStatus(), SessionStatus(path="/a.h5", unwritten=True)]
)
def test_what_is_no_file_is_not_opened(session: SessionStatus) -> None:
    memory = RunMemory()
    memory.heard(session)
    assert memory.going_on() == []


def test_a_file_that_was_to_be_closed_is_not_opened_again() -> None:
    memory = RunMemory()
    memory.heard(SessionStatus(path="/other.h5"))
    memory.sent(CloseSession())
    assert memory.going_on() == []


def test_a_run_that_was_being_stopped_is_stopped(memory: RunMemory) -> None:
    memory.heard(TrainerStatus("stopping", step=70))
    assert not memory.goes_on
    assert memory.going_on() == [resume(paused=True), Stop()]


@pytest.mark.parametrize(
    ("wish", "asked"),
    [
        (Pause(), [resume(paused=True)]),
        (Stop(), [resume(paused=True), Stop()]),
        (CloseSession(), [resume(paused=True), Stop()]),
        (Resume(), [resume(paused=False)]),
    ],
)
def test_a_wish_that_an_engine_never_heard_counts(
    memory: RunMemory, wish: Message, asked: list[Message]
) -> None:
    memory.sent(wish)
    assert memory.going_on() == asked


def test_a_run_that_starts_paused_is_so_before_its_first_word() -> None:
    memory = RunMemory()
    memory.sent(StartTraining("{}", paused=True))
    for state in ("idle", "starting"):
        memory.heard(TrainerStatus(state))  # type: ignore[arg-type]
    memory.heard(OPEN)
    assert memory.going_on() == [ResumeTraining("/run.h5", paused=True)]


def test_what_ends_because_the_engine_is_restarted_goes_on(memory: RunMemory) -> None:
    memory.sent(Shutdown())
    memory.heard(TrainerStatus("stopping", step=70))
    memory.heard(SessionStatus(path="/run.h5"))
    assert memory.going_on() == [resume(paused=False)]


def test_a_run_that_ends_by_itself_goes_on_to_its_end(memory: RunMemory) -> None:
    memory.heard(TrainerStatus("stopping", step=70, steps_budget=70))
    assert memory.going_on() == [resume(paused=False)]
    memory.sent(Stop())
    memory.heard(TrainerStatus("stopping", step=70, steps_budget=70))
    assert memory.going_on() == [resume(paused=True), Stop()]


def test_a_stop_is_not_remembered_beyond_its_run(memory: RunMemory) -> None:
    memory.sent(Stop())
    memory.heard(TrainerStatus("idle", step=70))
    memory.heard(OPEN)  # another window goes on with it
    assert memory.going_on() == [resume(paused=False)]


def test_where_no_run_was_none_goes_on(memory: RunMemory) -> None:
    memory.heard(SessionStatus(path="/run.h5"))
    assert not memory.goes_on
    assert memory.going_on() == [OpenSession("/run.h5")]


def test_what_is_told_of_a_lost_engine_is_what_follows() -> None:
    told = lost_engine(silent=False, goes_on=True).sentence()
    assert "from there, and the steps since are trained again" in told
    assert "durable" not in told
    told = lost_engine(silent=True, goes_on=False).sentence()
    assert "run" not in told


START = Configuration()


def opened(**options: object) -> SessionStatus:
    now = START.with_options(
        {key.replace("__", "."): it for key, it in options.items()}
    )
    return replace(OPEN, configuration=START.to_json(), options=now.to_json())


def changes(memory: RunMemory) -> dict[str, str]:
    (resumed,) = memory.going_on()
    assert isinstance(resumed, ResumeTraining)
    return resumed.changes


def test_options_that_were_changed_while_it_ran_are_those_of_the_next(
    memory: RunMemory,
) -> None:
    """All live ones: one that was set back differs from its checkpoint too."""
    memory.heard(opened(agent__learning_rate=0.0005, training__steps=900))
    told = changes(memory)
    assert told["agent.learning_rate"] == "0.0005"
    assert told["training.steps"] == "900"
    assert told["agent.discount"] == "0.99"
    assert "network.hidden" not in told


def test_an_option_that_an_engine_never_heard_of_counts(memory: RunMemory) -> None:
    key = "agent.learning_rate"
    memory.heard(opened(agent__learning_rate=0.0005))
    memory.sent(SetOption(key, "0.0002"))
    memory.heard(opened(agent__learning_rate=0.0005))
    assert changes(memory)[key] == "0.0002"
    memory.heard(opened(agent__learning_rate=0.0002))
    memory.heard(opened(agent__learning_rate=0.0007))  # another window's
    assert changes(memory)[key] == "0.0007"
    memory.sent(SetOption(key, "0.0001"))
    memory.heard(Problem("engine.option", "No."))
    assert changes(memory)[key] == "0.0007"
    memory.sent(SetOption(key, "0.0001"))
    memory.heard(replace(opened(), uuid="another"))  # a run of another window
    assert changes(memory)[key] == "0.001"


def test_options_that_cannot_be_read_are_left_to_the_file(memory: RunMemory) -> None:
    memory.heard(replace(opened(), options='{"agent": 1}'))
    assert changes(memory) == {}
