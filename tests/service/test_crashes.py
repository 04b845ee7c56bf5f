"""kill -9 of every process, at any time: told, back, and nothing recorded is lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.contract.messages import (
    Event,
    Message,
    Problem,
    ProcessState,
    SessionStatus,
    Stop,
    TrainerStatus,
    Weights,
)
from service.engine_lab import Lab, end, expect, kill, order, sealed, status

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def problem(name: str) -> Callable[[Message], bool]:
    return lambda it: isinstance(it, Problem) and it.id == name


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
    client.restart()
    again = expect(client, status("running"), 120)
    assert isinstance(again, TrainerStatus)
    assert again.step >= 1_000
    end(lab, client)
    assert Path(path).is_file()


def test_a_role_that_dies_again_and_again_is_given_up(lab: Lab) -> None:
    client = lab.attach()
    for _ in range(4):
        kill(lab.pid(client, "stage"))
    gone = expect(client, problem("engine.stage.gone"), 10)
    assert isinstance(gone, Problem)
    assert gone.severity == "error"
    assert gone.fixes
    expect(client, lambda it: it == ProcessState("stage", "gone"))
    lab.start(client)  # a run needs no stage
    end(lab, client)


def test_a_message_that_is_none_is_dropped_and_told(lab: Lab) -> None:
    client = lab.attach()
    client.send(Weights(0, 0, {}), "supervisor")
    expect(client, problem("engine.message.malformed"))
    end(lab, client)
