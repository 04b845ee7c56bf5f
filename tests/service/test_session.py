"""The session's state: legal commands, what follows from them, any order of events."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.contract.foreign_call import MAKE, STEP, ForeignCall
from engine.contract.messages import (
    Advance,
    Answer,
    Ask,
    CheckpointStored,
    CloseSession,
    EndTrainer,
    Event,
    Message,
    OpenSession,
    Pause,
    Problem,
    ProcessState,
    Resume,
    ResumeTraining,
    RunTraining,
    SaveSession,
    SessionStatus,
    SetOption,
    ShowAgent,
    Solved,
    StartTraining,
    Stop,
    TrainerStatus,
)
from engine.contract.options import Configuration, configuration_from_json
from engine.service.session import Session
from engine.service.session_core import Actions, Kill, Send, Trace
from engine.service.states import FOLLOWS, STATES

CONFIGURATION = Configuration().to_json()
WINDOW = "window-1"


class World:
    """The processes as the session knows them, each obedient but slow.

    Messages to trainer and keeper wait in their queues until :meth:`work` takes one.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.calls: dict[str, ForeignCall] = {}
        self.session = Session(lambda _: "/new.h5", lambda: self.now, self.calls.get)
        self.told: list[Message] = []
        self.queues: dict[str, deque[Message]] = {"trainer": deque(), "keeper": deque()}
        self.stage: list[Message] = []
        self.traced: list[str] = []
        self.run = "none"
        self.open = ""
        self.unsealed = False
        self.states = ["idle"]
        for role in ("trainer", "keeper", "stage"):
            self.do(self.session.on_ready(role))
        self.work_all()

    def do(self, actions: Actions) -> None:
        for action in actions:
            if isinstance(action, Kill):
                self.die(action.role)
            elif isinstance(action, Trace):
                self.traced.append(action.role)
            elif action.destination in self.queues:
                self.queues[action.destination].append(action.message)
            elif action.destination == "stage":
                self.stage.append(action.message)
            else:
                self.hear(action)

    def hear(self, action: Send) -> None:
        assert action.destination in ("windows", WINDOW)
        self.told.append(action.message)
        if isinstance(action.message, TrainerStatus):
            self.states.append(action.message.state)

    def command(self, message: Message) -> None:
        self.do(self.session.command(WINDOW, message))

    def work(self, role: str) -> None:
        """The process takes its next message."""
        if self.queues[role] and role in self.session.ready:
            message = self.queues[role].popleft()
            {"trainer": self.train, "keeper": self.keep}[role](message)

    def work_all(self) -> None:
        while any(self.queues.values()):
            for role in self.queues:
                self.work(role)

    def train(self, message: Message) -> None:
        match message:
            case Ask():
                self.do(self.session.on_answer(Answer(message.id, {"card": {}})))
            case RunTraining():
                self.run = "paused" if message.paused else "running"
            case Pause() if self.run == "running":
                self.run = "paused"
                self.store("pause")
            case Resume() if self.run == "paused":
                self.run = "running"
            case SaveSession() if self.run in ("running", "paused"):
                self.store("save")
            case Stop() if self.run in ("running", "paused"):
                self.run = "stopping"
                self.store("stop")
        if self.run != "none":
            self.report(self.run)

    def report(self, state: str) -> None:
        self.do(self.session.on_status(TrainerStatus(state, step=10)))  # type: ignore[arg-type]

    def store(self, reason: str) -> None:
        self.queues["keeper"].append(CheckpointStored(10, reason))

    def finish(self) -> None:
        """The budget is used up."""
        if self.run == "running":
            self.run = "finished"
            self.store("stop")
            self.report("finished")

    def keep(self, message: Message) -> None:
        if isinstance(message, CheckpointStored):
            self.do(self.session.on_checkpoint(message))
        if not isinstance(message, Ask):
            return
        if message.question in ("create", "resume", "recover"):
            ready = "trainer" in self.session.ready  # else the hub drops it
            if message.arguments.get("run", True):
                self.session.on_run_sent(reached=ready)
            if ready and message.arguments.get("run", True):
                paused = bool(message.arguments["paused"])
                run = RunTraining(CONFIGURATION, "u", paused=paused)
                self.queues["trainer"].append(run)
            self.open = str(message.arguments.get("path", self.open))
            self.unsealed = True
        if message.question == "open":
            self.open = str(message.arguments["path"])
        if message.question == "seal" and message.arguments["final"]:
            self.unsealed = False
        result = {"path": self.open, "uuid": "u", "configuration": CONFIGURATION}
        result["live"] = self.unsealed
        self.do(self.session.on_answer(Answer(message.id, {**result, "step": 5})))

    def die(self, role: str) -> None:
        if role in self.session.ready:
            self.queues.get(role, deque()).clear()
            if role == "trainer":
                self.run = "none"
            self.do(self.session.on_died(role))

    def back(self, role: str) -> None:
        if role not in self.session.ready:
            self.do(self.session.on_ready(role))

    def asked(self, question: str) -> bool:
        return any(
            isinstance(it, Ask) and it.question == question
            for it in self.queues["keeper"]
        )

    def problems(self) -> list[Problem]:
        return [it for it in self.told if isinstance(it, Problem)]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def running(world: World) -> World:
    world.command(StartTraining(CONFIGURATION))
    world.work_all()
    assert world.session.state == "running"
    return world


def test_a_start_is_said_at_once_and_shows_the_agent(world: World) -> None:
    world.command(StartTraining(CONFIGURATION))
    assert world.session.state == "starting"
    assert isinstance(world.told[-1], TrainerStatus)
    world.work_all()
    assert world.session.state == "running"
    assert any(isinstance(it, ShowAgent) for it in world.stage)


def test_a_refused_start_says_why_and_is_idle_again(world: World) -> None:
    world.command(StartTraining(CONFIGURATION))
    ask = world.queues["trainer"].popleft()
    assert isinstance(ask, Ask)
    world.do(world.session.on_answer(Answer(ask.id, error="No such world.")))
    assert world.session.state == "idle"
    assert world.problems()[-1].what == "No such world."


def test_a_bad_configuration_is_refused_before_anything_starts(world: World) -> None:
    world.command(StartTraining('{"agent": {"discount": 7}}'))
    assert "agent.discount" in world.problems()[-1].what
    assert set(world.states) == {"idle"}


def test_a_stop_is_acknowledged_by_the_checkpoint_and_sealed_behind(
    running: World,
) -> None:
    running.command(Stop())
    running.work("trainer")
    assert running.session.state == "stopping"
    running.work("keeper")
    assert running.session.state == "idle"
    assert running.asked("seal")
    assert not running.session.resting
    running.work_all()
    assert running.session.resting


def test_a_finished_run_waits_for_its_evaluations_before_it_is_sealed(
    running: World,
) -> None:
    running.session.on_evaluation_asked(10)
    running.finish()
    running.work_all()
    assert running.session.state == "finished"
    assert not running.asked("seal")
    running.do(running.session.on_evaluation_finished(10))
    assert running.asked("seal")


def test_a_lost_evaluation_does_not_keep_the_file_waiting_for_ever(
    running: World,
) -> None:
    running.session.on_evaluation_asked(10)
    running.finish()
    running.work_all()
    running.now += 61.0
    running.do(running.session.tick())
    assert running.asked("seal")


def test_pause_save_and_resume(running: World) -> None:
    running.command(Pause())
    assert running.session.state == "pausing"
    running.work_all()
    assert running.session.state == "paused"
    running.command(SaveSession("/copy.h5"))
    running.work("trainer")
    running.work("keeper")
    assert running.asked("seal")
    running.command(Resume())
    assert running.session.state == "running"


def test_a_running_session_is_saved_every_ten_minutes(running: World) -> None:
    running.now += 601.0
    running.do(running.session.tick())
    assert isinstance(running.queues["trainer"][-1], SaveSession)


def test_an_illegal_command_changes_nothing_and_says_why(world: World) -> None:
    for message in (Pause(), Resume(), Stop(), Advance(), SetOption("a.b", "1")):
        world.command(message)
        problem = world.problems()[-1]
        assert problem.what
        assert problem.severity == "warning"
        assert world.session.state == "idle"
        assert isinstance(world.told[-1], TrainerStatus)


def test_an_option_reaches_trainer_and_stage_when_it_is_live(running: World) -> None:
    running.command(SetOption("agent.learning_rate", "0.01"))
    assert isinstance(running.queues["trainer"][-1], SetOption)
    assert isinstance(running.stage[-1], SetOption)
    running.command(SetOption("network.hidden", '"8,8"'))
    assert "new run" in running.problems()[-1].what


def test_a_dead_trainer_goes_on_from_the_durable_step(running: World) -> None:
    running.report("running")
    running.die("trainer")
    assert running.session.state == "running"
    running.back("trainer")
    assert running.asked("recover")
    running.work_all()
    assert running.run == "running"
    assert "back at step 5: 5 steps" in running.problems()[-1].what


def test_a_run_that_goes_on_keeps_its_budget_when_the_trainer_dies(
    world: World,
) -> None:
    world.command(ResumeTraining("/old.h5", 300))
    resume = world.queues["keeper"].popleft()
    assert isinstance(resume, Ask)
    world.session.on_run_sent(reached=True)
    result = {"path": "/old.h5", "configuration": CONFIGURATION, "until": 800}
    world.do(world.session.on_answer(Answer(resume.id, result)))
    world.die("trainer")
    world.back("trainer")
    recover = world.queues["keeper"][-1]
    assert isinstance(recover, Ask)
    assert recover.arguments["until"] == 800


def test_a_paused_run_of_a_lost_engine_is_paused_in_the_next(world: World) -> None:
    world.command(ResumeTraining("/old.h5", paused=True, reached=40))
    world.work_all()
    assert world.session.state == "paused"
    assert "running" not in world.states
    (told,) = world.problems()
    assert told.what == (
        "The engine was started again and is back at step 5: 35 steps are trained "
        "again."
    )


def test_a_run_that_was_being_stopped_when_its_engine_was_lost_is_sealed(
    world: World,
) -> None:
    world.command(ResumeTraining("/old.h5", paused=True, reached=40))
    world.command(Stop())
    world.work_all()
    assert world.session.state == "idle"
    assert "running" not in world.states
    assert not world.unsealed
    assert "the run ends at 5, 35 steps earlier" in world.problems()[-1].what


@pytest.mark.parametrize(
    "order",
    [StartTraining(CONFIGURATION, paused=True), ResumeTraining("/old.h5", paused=True)],
)
def test_a_run_that_is_to_begin_paused_does_so_without_its_first_trainer(
    world: World, order: Message
) -> None:
    world.command(order)
    while not any(world.asked(it) for it in ("create", "resume")):
        world.work("trainer")
    world.die("trainer")
    world.work("keeper")
    world.back("trainer")
    world.work_all()
    assert world.session.state == "paused"
    assert "running" not in world.states


def test_a_lost_engine_is_told_of_even_where_the_trainer_comes_later(
    world: World,
) -> None:
    world.die("trainer")
    world.command(ResumeTraining("/old.h5", reached=40))
    world.work_all()
    world.back("trainer")
    world.work_all()
    (told,) = world.problems()
    assert "The engine was started again and is back at step 5: 35 steps" in told.what


def test_a_silent_trainer_is_told_once_and_again_when_it_speaks(running: World) -> None:
    running.now = 9.9
    running.do(running.session.tick())
    assert running.problems() == []
    running.now = 10.0
    for _ in range(3):
        running.do(running.session.tick())
    (problem,) = running.problems()
    assert problem.id == "training.stalled"
    assert "not answered for 10 s" in problem.what
    assert running.traced == ["trainer"]
    assert running.session.state == "running"
    running.report("running")
    assert Solved("training.stalled") in running.told
    running.now = 25.0
    running.do(running.session.tick())
    assert len(running.problems()) == 2


def test_an_environment_that_is_never_made_is_told_and_can_be_stopped(
    world: World,
) -> None:
    world.command(StartTraining(CONFIGURATION))
    world.now = 10.0
    for _ in range(2):
        world.do(world.session.tick())
    (problem,) = world.problems()
    assert problem.id == "training.stalled"
    world.command(Stop())
    world.now = 20.1
    world.do(world.session.tick())
    assert world.session.state == "idle"
    assert "trainer ended while it worked on this" in world.problems()[-1].what


def test_a_stage_that_hangs_in_an_environment_is_told_and_replaced(
    running: World,
) -> None:
    running.calls["stage"] = ForeignCall("Walk-v0", STEP, 3, 5, number=1)
    for now in (0.0, 9.9):
        running.now = now
        running.report("running")
        running.do(running.session.tick())
    assert running.problems() == []
    running.now = 10.0
    running.report("running")
    running.do(running.session.tick())
    (problem,) = running.problems()
    assert "'Walk-v0' has not come back from its step() (step 3" in problem.what
    assert running.traced == ["stage"]
    assert "stage" in running.session.ready
    running.do(running.session.tick())
    assert "stage" not in running.session.ready
    assert running.session.state == "running"


def test_a_stage_that_only_plays_on_is_left_alone(running: World) -> None:
    for second in range(40):
        running.now = float(second)
        call = ForeignCall("Walk-v0", STEP, 3, 5, number=second)
        running.calls["stage"] = call
        running.report("running")
        running.do(running.session.tick())
    assert running.problems() == []


def test_an_environment_may_take_long_to_be_made(running: World) -> None:
    running.calls["stage"] = ForeignCall("Walk-v0", MAKE, 0, 0)
    for now, told in ((0.0, 0), (59.0, 0), (60.0, 1)):
        running.now = now
        running.report("running")
        running.do(running.session.tick())
        assert len(running.problems()) == told


def test_a_trainer_that_is_not_there_yet_is_not_said_to_hang(world: World) -> None:
    world.die("trainer")
    world.command(StartTraining(CONFIGURATION))
    world.now = 30.0
    world.do(world.session.tick())
    assert world.problems() == []
    world.do(world.session.on_ready("trainer"))
    world.now = 39.0
    world.do(world.session.tick())
    assert world.problems() == []


def test_a_trainer_that_hangs_is_ended_when_a_person_says_so(running: World) -> None:
    running.now = 11.0
    running.do(running.session.tick())
    running.command(EndTrainer())
    assert Solved("training.stalled") in running.told
    running.now = 40.0  # it takes a while until another one is there
    running.do(running.session.tick())
    running.back("trainer")
    running.work_all()
    running.do(running.session.tick())
    assert running.run == "running"
    assert [it.id for it in running.problems()][1:] == ["engine.trainer.recovered"]


def test_a_run_that_begins_anew_is_said_to_be_another_before_the_loss(
    running: World,
) -> None:
    """What is told of the last session goes when windows hear of another one."""
    running.die("trainer")
    running.back("trainer")
    ask = running.queues["keeper"].popleft()
    assert isinstance(ask, Ask)
    running.told.clear()
    anew = Answer(ask.id, {"step": 0, "uuid": "another"})
    running.session.on_run_sent(reached=True)
    running.do(running.session.on_answer(anew))
    kinds = [it for it in running.told if isinstance(it, (SessionStatus, Problem))]
    opened, loss = kinds
    assert isinstance(opened, SessionStatus)
    assert opened.uuid == "another"
    assert isinstance(loss, Problem)


def test_a_resumed_run_begins_with_other_options(world: World) -> None:
    key = "agent.learning_rate"
    world.command(ResumeTraining("/old.h5", changes={key: "0.0001"}))
    world.work("keeper")
    for queue in (world.queues["trainer"], world.stage):
        assert SetOption(key, "0.0001") in queue
    assert world.session.configuration is not None
    assert world.session.configuration.agent.learning_rate == 0.0001
    opened = world.session.opened
    assert configuration_from_json(opened.options).agent.learning_rate == 0.001
    data = {"key": key, "old": 0.001, "new": 0.0001}
    world.session.on_event(Event("option", 5, "", 0.0, data))  # now it is in force
    opened = world.session.opened
    assert configuration_from_json(opened.options).agent.learning_rate == 0.0001
    assert opened.configuration == CONFIGURATION
    status = SessionStatus("old", opened.path, live=True, durable_step=9)
    world.do(world.session.on_session(status))
    assert world.session.opened.options == opened.options


def test_changes_are_taken_in_an_order_that_goes_and_what_is_refused_is_told(
    world: World,
) -> None:
    """Nothing is lost with what is refused, and what is no change is left out."""
    changes = {
        "agent.double": "true",
        "agent.n_step": "9",
        "agent.loss": "no JSON",
        "target_network.kind": '"periodic"',
        "agent.discount": "0.5",
        "agent.conservative": "0.0",
    }
    alone = {"target_network.kind": "none", "agent.double": False}
    options = configuration_from_json(CONFIGURATION).with_options(alone).to_json()
    world.command(ResumeTraining("/old.h5", changes=changes, reached=9))
    resume = world.queues["keeper"].popleft()
    assert isinstance(resume, Ask)
    assert resume.arguments["lost"] is True
    world.session.on_run_sent(reached=True)
    result = {"path": "/old.h5", "configuration": CONFIGURATION, "options": options}
    world.do(world.session.on_answer(Answer(resume.id, result)))
    sent = [it for it in world.queues["trainer"] if isinstance(it, SetOption)]
    keys = [it.key for it in sent]
    assert keys == ["target_network.kind", "agent.discount", "agent.double"]
    told = [it.what for it in world.problems() if it.id == "engine.option"]
    assert len(told) == 2
    assert "new run" in " ".join(told)


def test_a_budget_that_was_changed_counts_when_its_engine_or_trainer_is_lost(
    world: World,
) -> None:
    changes = {"training.steps": "800"}
    world.command(ResumeTraining("/old.h5", changes=changes, reached=9))
    resume = world.queues["keeper"].popleft()
    assert isinstance(resume, Ask)
    assert resume.arguments["until"] == 800
    world.session.on_run_sent(reached=True)
    result = {"path": "/old.h5", "configuration": CONFIGURATION, "until": 800}
    world.do(world.session.on_answer(Answer(resume.id, result)))
    assert SetOption("training.steps", "800") in world.queues["trainer"]
    world.command(SetOption("training.steps", "90000"))
    world.die("trainer")
    world.back("trainer")
    recover = world.queues["keeper"][-1]
    assert isinstance(recover, Ask)
    assert recover.arguments["until"] == 90_000


def test_a_trainer_that_is_not_there_yet_has_not_died(world: World) -> None:
    world.die("trainer")
    world.command(ResumeTraining("/old.h5"))
    world.work("keeper")
    world.back("trainer")
    world.work_all()
    assert world.session.state == "running"
    assert world.problems() == []


def test_options_changed_since_the_checkpoint_are_set_again(running: World) -> None:
    running.command(SetOption("agent.learning_rate", "0.01"))
    running.die("trainer")
    running.back("trainer")
    running.work("keeper")
    assert SetOption("agent.learning_rate", "0.01") in running.queues["trainer"]


def test_whoever_goes_back_says_that_what_was_known_is_no_more(world: World) -> None:
    world.command(ResumeTraining("/old.h5"))
    world.work_all()
    resumed = world.session.opened.cuts
    world.die("trainer")
    world.back("trainer")
    world.work_all()
    told = [it for it in world.told if isinstance(it, SessionStatus)]
    assert told[-1].cuts == resumed + 1
    assert world.stage[-1] == told[-1]
    world.do(world.session.on_session(SessionStatus("old", "/old.h5", live=True)))
    assert world.session.opened.cuts == resumed + 1


def test_a_paused_run_is_paused_after_a_death(running: World) -> None:
    running.command(Pause())
    running.work_all()
    running.die("trainer")
    running.back("trainer")
    recover = running.queues["keeper"][-1]
    assert isinstance(recover, Ask)
    assert recover.arguments["paused"]


def test_a_trainer_that_dies_while_stopping_needs_no_new_one(running: World) -> None:
    running.command(Stop())
    running.die("trainer")
    running.work_all()
    assert running.session.state == "idle"
    assert "the run ends at 5" in running.problems()[-1].what


def test_a_trainer_that_does_not_stop_is_ended(running: World) -> None:
    running.command(Stop())
    running.queues["trainer"].clear()  # it hangs
    running.now += 11.0
    running.do(running.session.tick())
    running.work_all()
    assert running.session.state == "idle"


def test_a_restarted_keeper_opens_the_store_and_gets_the_rows_again(
    running: World,
) -> None:
    running.die("keeper")
    running.back("keeper")
    assert running.asked("attach")
    running.work("keeper")
    assert ProcessState("keeper", "ready") in running.queues["trainer"]
    assert ProcessState("keeper", "ready") in running.stage


def test_a_keeper_that_dies_while_sealing_is_asked_again(running: World) -> None:
    running.command(Stop())
    running.work("trainer")
    running.work("keeper")
    running.die("keeper")
    running.back("keeper")
    attach = running.queues["keeper"][-1]
    assert isinstance(attach, Ask)
    assert attach.arguments["live"]
    running.work("keeper")
    assert running.asked("seal")


def test_a_role_that_is_given_up_ends_the_run_as_failed(running: World) -> None:
    running.die("trainer")
    running.do(running.session.on_gave_up("trainer"))
    running.work_all()
    assert running.session.state == "failed"
    assert running.session.resting


def test_a_failed_run_is_sealed(running: World) -> None:
    running.report("failed")
    assert running.session.state == "failed"
    assert running.asked("seal")


def test_closing_stops_seals_and_forgets(running: World) -> None:
    running.command(CloseSession())
    running.work_all()
    assert running.session.state == "idle"
    assert not running.session.is_open()


def test_a_session_that_is_not_ours_is_not_passed_on(running: World) -> None:
    told = len(running.told)
    running.do(running.session.on_session(SessionStatus("x", "/other.h5")))
    assert len(running.told) == told
    status = SessionStatus("new", "/new.h5", live=True, durable_step=9)
    running.do(running.session.on_session(status))
    known = running.session.opened
    assert running.told[-1] == replace(
        status, live=True, cuts=known.cuts, options=known.options
    )


def test_a_run_that_has_ended_is_unwritten_until_its_file_is_there(
    running: World,
) -> None:
    status = SessionStatus("new", "/new.h5", live=True)
    running.command(Stop())
    running.work_all()
    running.do(running.session.on_session(status))
    assert (running.told[-1].live, running.told[-1].unwritten) == (False, True)
    running.do(running.session.on_session(replace(status, live=False)))
    assert (running.told[-1].live, running.told[-1].unwritten) == (False, False)


def test_the_stage_hears_of_a_session_when_its_file_is_there(running: World) -> None:
    status = SessionStatus("new", "/new.h5", live=True)
    running.do(running.session.on_session(status))
    known = len(running.stage)
    for step in (1, 2):
        running.do(running.session.on_session(replace(status, durable_step=step)))
    running.command(Stop())
    running.work_all()
    running.do(running.session.on_session(status))
    heard = [it for it in running.stage[known:] if isinstance(it, SessionStatus)]
    assert heard == []
    sealed = replace(status, live=False, sealed_at=5.0)
    for step in (2, 3):
        running.do(running.session.on_session(replace(sealed, durable_step=step)))
    heard = [it for it in running.stage[known:] if isinstance(it, SessionStatus)]
    assert [(it.live, it.sealed_at) for it in heard] == [(False, 5.0)]


def test_who_greets_when_a_run_has_just_ended_hears_that_it_is_unwritten(
    running: World,
) -> None:
    assert (running.session.opened.live, running.session.opened.unwritten) == (
        True,
        False,
    )
    running.command(Stop())
    running.work("trainer")
    running.work("keeper")
    assert (running.session.opened.live, running.session.opened.unwritten) == (
        False,
        True,
    )


def test_a_refused_start_leaves_a_written_session_written(world: World) -> None:
    world.command(OpenSession("/old.h5"))
    world.work_all()
    world.command(StartTraining(CONFIGURATION))
    ask = world.queues["trainer"].popleft()
    assert isinstance(ask, Ask)
    world.do(world.session.on_answer(Answer(ask.id, error="No such world.")))
    assert world.session.opened.path == "/old.h5"
    assert not world.session.opened.unwritten


COMMANDS = (
    StartTraining(CONFIGURATION),
    ResumeTraining("/old.h5"),
    OpenSession("/old.h5"),
    CloseSession(),
    SaveSession(),
    Pause(),
    Resume(),
    Advance(),
    Stop(),
    SetOption("agent.learning_rate", "0.01"),
    SetOption("agent.learning_rate", "nonsense"),
)

WORK = st.sampled_from(("trainer", "keeper")).map(lambda it: ("work", it))
STEPS = st.one_of(
    WORK,
    WORK,
    st.sampled_from(COMMANDS).map(lambda it: ("command", it)),
    st.sampled_from(("trainer", "keeper", "stage")).flatmap(
        lambda it: st.sampled_from((("die", it), ("back", it)))
    ),
    st.sampled_from(("finish", "time", "fail")).map(lambda it: (it, "")),
)


def perform(world: World, what: str, which: Message | str) -> None:
    if what == "command":
        world.command(which)  # type: ignore[arg-type]
    elif what in ("work", "die", "back"):
        getattr(world, what)(which)
    elif what == "finish":
        world.finish()
    elif what == "fail" and world.run == "running":
        world.run = "none"
        world.report("failed")
    else:
        world.now += 7.0
        world.do(world.session.tick())


def settle(world: World) -> None:
    """All processes come back and do what they were asked, and time passes."""
    for _ in range(12):
        for role in ("keeper", "trainer", "stage"):
            world.back(role)
        world.work_all()
        if world.run != "none":
            world.report(world.run)
        world.now += 11.0
        world.do(world.session.tick())


@settings(max_examples=200, deadline=None)
@given(st.lists(STEPS, max_size=40), st.booleans())
def test_any_order_of_events_ends_in_a_legal_state(
    steps: list[tuple[str, str]], begun: bool
) -> None:
    world = World()
    if begun:
        world.command(StartTraining(CONFIGURATION))
        world.work_all()
    for what, which in steps:
        perform(world, what, which)
        assert world.session.state in STATES
    settle(world)
    for old, new in zip(world.states, world.states[1:], strict=False):
        assert old == new or new in FOLLOWS[old] or new == "idle"
    # Nothing is left half done: the run goes on, holds, or has ended and is sealed.
    session = world.session
    assert session.state in ("running", "paused") or session.resting
    world.do(session.finish_quickly())
    settle(world)
    assert session.resting
    assert not world.unsealed
    assert world.run not in ("running", "paused")
