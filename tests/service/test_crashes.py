"""kill -9 of every process, at any time: told, back, and nothing recorded is lost."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.contract.messages import (
    Answer,
    EndTrainer,
    Event,
    Message,
    Pause,
    Problem,
    ProcessState,
    Resume,
    SessionStatus,
    SetOption,
    Shutdown,
    Solved,
    Stop,
    TrainerStatus,
    Weights,
)
from engine.contract.options import configuration_from_json
from engine.service.connection import EngineProblem
from service.engine_lab import Lab, end, expect, kill, order, sealed, status

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(300)]


def problem(name: str) -> Callable[[Message], bool]:
    return lambda it: isinstance(it, Problem) and it.id == name


def hang(pid: int) -> None:
    """The process does nothing more, until it is woken."""
    os.kill(pid, signal.SIGSTOP)


def wake(pid: int) -> None:
    os.kill(pid, signal.SIGCONT)


def sealed_meanwhile(message: Message) -> bool:
    """The file of a run that is paused has been written."""
    return isinstance(message, SessionStatus) and message.live and message.sealed_at > 0


def test_a_killed_trainer_is_back_at_the_last_durable_step(lab: Lab) -> None:
    client = lab.attach()
    pid = lab.pid(client, "trainer")
    lab.start(client)
    expect(client, status("running", 1_200))
    began = time.monotonic()
    kill(pid)
    told = expect(client, problem("engine.trainer.died"), 2)
    assert time.monotonic() - began < 1.0
    assert isinstance(told, Problem)
    assert "SIGKILL" in told.what
    event = expect(
        client, lambda it: isinstance(it, Event) and it.kind == "recovery", 40
    )
    assert isinstance(event, Event)
    assert event.step >= 1_000
    assert f"back at step {event.step:,}" in event.text
    client.poll()
    expect(client, status("running", event.step + 200))
    order(client, Stop())
    expect(client, sealed)
    steps = client.request("history", {"series": "epsilon"})["step"]
    assert (np.diff(steps) > 0).all()
    texts = [it["text"] for it in client.request("events")["events"]]
    assert any("back at step" in text for text in texts)
    end(lab, client)


def test_a_killed_keeper_loses_no_row(lab: Lab) -> None:
    client = lab.attach()
    pid = lab.pid(client, "keeper")
    lab.start(client)
    reached = expect(client, status("running", 1_000))
    assert isinstance(reached, TrainerStatus)
    kill(pid)
    expect(client, problem("engine.keeper.died"), 2)
    assert lab.pid(client, "keeper") != pid

    def durable(message: Message) -> bool:
        later = isinstance(message, SessionStatus) and message.live
        return later and message.durable_step > reached.step + 200

    expect(client, durable)
    order(client, Stop())
    stopped = expect(client, status("idle"))
    assert isinstance(stopped, TrainerStatus)
    expect(client, sealed)
    table = client.request("episodes")
    episodes = [
        number
        for kind, number in zip(table["kind"], table["episode"], strict=True)
        if kind == "training"
    ]
    assert episodes == list(range(len(episodes)))
    assert client.request("summary")["steps"] == stopped.step
    end(lab, client)


def test_a_killed_stage_leaves_training_alone(lab: Lab) -> None:
    client = lab.attach()
    pid = lab.pid(client, "stage")
    lab.start(client)
    reached = expect(client, status("running", 300))
    assert isinstance(reached, TrainerStatus)
    number = client.ask("environments", {})
    kill(pid)
    expect(client, lambda it: getattr(it, "id", None) == number)
    expect(client, problem("engine.stage.died"), 2)
    assert lab.pid(client, "stage") != pid
    expect(client, status("running", reached.step + 200))
    end(lab, client)


def test_a_killed_supervisor_ends_everything_and_the_run_can_go_on(lab: Lab) -> None:
    client = lab.attach()
    lab.start(client)
    reached = expect(client, status("running", 1_500))
    assert isinstance(reached, TrainerStatus)
    kill(client.connection.pid)
    expect(client, problem("engine.supervisor.died"), 3)
    assert lab.wait_for_end(5) == []
    path = lab.home / "sessions" / "run.h5"
    client.poll()
    client._end_thread()
    client.send(Shutdown())  # as after a restart that failed: nobody has posted it
    client.restart()
    again = expect(client, status("running"), 120)
    assert isinstance(again, TrainerStatus)
    assert again.step >= 1_000
    other = lab.attach()
    assert other.connection.pid == client.connection.pid, "the new one goes on"
    other.close()
    end(lab, client)
    assert Path(path).is_file()


def test_a_paused_run_is_paused_in_the_next_engine_too(lab: Lab) -> None:
    client = lab.attach()
    lab.start(client)
    expect(client, status("running", 1_500))
    order(client, Pause())
    paused = expect(client, status("paused"))
    assert isinstance(paused, TrainerStatus)
    expect(client, sealed_meanwhile)  # so its checkpoint is durable
    kill(client.connection.pid)
    told = expect(client, problem("engine.supervisor.died"), 3)
    assert isinstance(told, Problem)
    assert "the steps since are trained again" in told.fix
    client.poll()
    client.restart()
    again = expect(client, status("paused"), 120)
    assert isinstance(again, TrainerStatus)
    back = expect(client, problem("engine.trainer.recovered"))
    assert isinstance(back, Problem)
    assert back.what == (
        f"The engine was started again and is back at step {paused.step:,}; no step "
        "is lost."
    )
    heard = [it for it in client.poll() if isinstance(it, TrainerStatus)]
    assert not [it for it in heard if it.state == "running"]
    order(client, Resume())
    expect(client, status("running", paused.step + 200))
    end(lab, client)


def test_a_run_that_a_lost_engine_was_to_stop_is_sealed_by_the_next(lab: Lab) -> None:
    client = lab.attach()
    lab.start(client)
    expect(client, status("running", 1_500))
    hang(client.connection.pid)
    order(client, Stop())
    client.hand_over()
    kill(client.connection.pid)
    expect(client, problem("engine.supervisor.died"), 3)
    client.poll()
    client.restart()
    file = expect(client, sealed, 120)
    assert isinstance(file, SessionStatus)
    assert not (lab.home / "sessions" / "run.live").exists()
    assert client.request("summary")["steps"] == file.durable_step >= 1_000
    end(lab, client)


def test_an_engine_that_hangs_for_good_is_ended_and_its_options_stay(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first *Start again* leaves it time, for it may be writing."""
    monkeypatch.setattr("engine.service.client.SILENT_S", 2.0)
    client = lab.attach()
    lab.start(client)
    expect(client, status("running", 1_200))
    for key, value in (("agent.learning_rate", "0.0002"), ("training.steps", "70000")):
        order(client, SetOption(key, value))
        expect(client, lambda it, key=key: getattr(it, "data", {}).get("key") == key)

    def known(message: Message) -> bool:
        told = message.options if isinstance(message, SessionStatus) else ""
        return bool(told) and option_in(told, "agent.learning_rate") == 0.0002

    expect(client, known)
    old = client.connection.pid
    hang(old)
    order(client, SetOption("agent.discount", "0.5"))  # never heard by anybody
    expect(client, problem("engine.supervisor.died"), 10)
    monkeypatch.setattr("engine.service.starting.END_WITHIN_S", 0.5)
    with pytest.raises(EngineProblem, match="ends it by force"):
        client.restart()
    monkeypatch.setattr("engine.service.starting.END_WITHIN_S", 30.0)
    client.restart()
    assert client.connection.pid != old
    opened = expect(client, lambda it: isinstance(it, SessionStatus) and it.live, 120)
    assert isinstance(opened, SessionStatus)
    assert option_in(opened.configuration, "agent.discount") == 0.99
    again = expect(client, status("running"), 120)
    assert isinstance(again, TrainerStatus)
    expect(client, status("running", again.step + 100))
    rows = client.request("events")["events"]
    new = {
        it["data"]["key"]: it["data"]["new"] for it in rows if it["kind"] == "option"
    }
    assert new == CHANGED

    def all_in_force(message: Message) -> bool:
        told = message.options if isinstance(message, SessionStatus) else ""
        return bool(told) and {it: option_in(told, it) for it in CHANGED} == CHANGED

    expect(client, all_in_force, 10)
    end(lab, client)


CHANGED = {
    "agent.learning_rate": 0.0002,
    "training.steps": 70_000,
    "agent.discount": 0.5,
}


def option_in(text: str, key: str) -> object:
    return configuration_from_json(text).get(key)


def test_an_engine_that_was_only_busy_is_found_again(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.service.client.SILENT_S", 3.0)
    client = lab.attach()
    hang(client.connection.pid)
    told = expect(client, problem("engine.supervisor.died"), 10)
    assert isinstance(told, Problem)
    assert "does not answer" in told.what
    wake(client.connection.pid)
    expect(client, lambda it: it == Solved("engine.supervisor.died"), 10)
    end(lab, client)


def test_a_role_that_dies_again_and_again_is_given_up(lab: Lab) -> None:
    client = lab.attach()
    for _ in range(4):
        kill(lab.pid(client, "stage"))
    gone = expect(client, problem("engine.stage.gone"), 10)
    assert isinstance(gone, Problem)
    assert gone.severity == "error"
    assert gone.fixes
    expect(client, lambda it: it == ProcessState("stage", "gone"))
    number = client.ask("judge_episode", {})
    told = expect(client, lambda it: isinstance(it, Answer) and it.id == number)
    assert isinstance(told, Answer)
    assert "not started again" in told.error
    lab.start(client)  # a run needs no stage
    end(lab, client)


def test_a_message_that_is_none_is_dropped_and_told(lab: Lab) -> None:
    client = lab.attach()
    client.send(Weights(0, 0, {}), "supervisor")
    expect(client, problem("engine.message.malformed"))
    end(lab, client)


HANGING_WORLD = """
import gymnasium, numpy, time

class Hanging(gymnasium.Env):
    action_space = gymnasium.spaces.Discrete(2)
    observation_space = gymnasium.spaces.Box(-1, 1, (3,), numpy.float32)
    steps = 0

    def __init__(self, render_mode=None):
        pass

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return numpy.zeros(3, numpy.float32), {}

    def step(self, action):
        Hanging.steps += 1
        if Hanging.steps == 1500:
            time.sleep(3600)
        return numpy.zeros(3, numpy.float32), 1.0, Hanging.steps % 20 == 0, False, {}

gymnasium.register(f"{__name__}-v0", entry_point=Hanging)
"""


def test_an_environment_that_hangs_is_told_and_ended_when_a_person_says_so(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hanging.py").write_text(HANGING_WORLD)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("RLLAB_IMPORT", "hanging")
    client = lab.attach()
    options = {"environment.id": "hanging-v0", "training.stall_limit": 1.0}
    lab.start(client, **options)
    told = expect(client, problem("training.stalled"))
    assert isinstance(told, Problem)
    assert "has not answered for 1 s" in told.what
    assert "'hanging-v0' does not come back from its step()" in told.why
    assert ("train.endTrainer", "End the trainer") in told.fixes
    client.poll()
    client.send(EndTrainer())
    died = expect(client, problem("engine.trainer.died"), 5)
    assert isinstance(died, Problem)
    assert 'hanging.py", line' in died.details  # where it hung
    expect(client, status("running", 1_100), 60)  # the new process counts from 0
    order(client, Stop())
    expect(client, sealed)
    end(lab, client)
