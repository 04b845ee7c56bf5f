"""P1, P3: trainer, stage, keeper and window are killed while a run goes on.

A real engine trains; at random moments one of its processes is killed, while nothing
else happens, while a copy is saved, or while a fork is made. Each engine takes as many
kills as it restarts processes, then its run is stopped and looked through.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
from service.engine_lab import Lab, expect, kill, order, sealed, status
from trials import Trials

from engine.contract.messages import (
    Event,
    Message,
    Problem,
    ProcessState,
    SaveSession,
    SessionStatus,
    Shutdown,
    Stop,
    TrainerStatus,
)
from engine.service.client import Client
from engine.sessions import SessionFile

ROLES = ("trainer", "stage", "keeper")
PHASES = ("training", "saving", "exporting")
KILLS_EACH = 3
"""As often a role is restarted within ten minutes."""
OPTIONS = {"recording.checkpoint_period": 500, "evaluation.period": 2_000}
ATTACH_WITHIN_S = 2.0
SEALED_WITHIN_S = 150.0
"""The file waits a minute for evaluations that a killed stage begins again."""
SLACK = float(os.environ.get("RLLAB_FAULT_SLACK", "2"))

WINDOW = """
import sys, time
from engine.contract.messages import Subscribe
from engine.service.client import ensure_engine
client = ensure_engine(sys.argv[1])
client.send(Subscribe(["picture", "priorities"]))
print("attached", flush=True)
while True:
    client.poll()
    time.sleep(0.02)
"""


def run(folder: Path, kills: int, seed: int = 0) -> Trials:
    """About so many kills of each role, and of the window."""
    result = Trials("P1", "kill -9 of trainer, stage, keeper and window of an engine")
    chance = random.Random(seed)
    for index in range(-(-kills // KILLS_EACH)):
        plan = [role for role in (*ROLES, "window") for _ in range(KILLS_EACH)]
        chance.shuffle(plan)
        _engine(result, folder / f"engine-{index}", plan, chance)
    return result


def windows(folder: Path, kills: int, seed: int = 0) -> Trials:
    """So many kills of a window that looks at a run."""
    result = Trials("P3", "kill -9 of a window, and another one that takes its place")
    chance = random.Random(seed)
    _engine(result, folder / "engine", ["window"] * kills, chance)
    return result


def _engine(result: Trials, home: Path, plan: list[str], chance: random.Random) -> None:
    """One engine, one run, and the kills that are planned."""
    home.mkdir()
    lab = Lab(home)
    took = [0.0]
    try:
        client = lab.attach()
        pids = {role: lab.pid(client, role) for role in ROLES}
        lab.start(client, **OPTIONS)
        for number, role in enumerate(plan):
            phase = chance.choice(PHASES)
            label = f"{home.name}, kill {number}: {role} while {phase}"
            place = (lab, client, pids, role, phase, chance)
            took.append(result.trial(label, _kill, *place) or 0.0)
        result.trial(f"{home.name}: the end", _end, lab, client)
    finally:
        with suppress(AssertionError):
            lab.clean()
    late = max([*took, float((result.worst or "0").split()[0])])
    result.worst = f"{late:.2f} s at most until a new window has everything"


def _kill(
    lab: Lab,
    client: Client,
    pids: dict[str, int],
    role: str,
    phase: str,
    chance: random.Random,
) -> float:
    """One kill; returns how long a new window took, where the window was killed."""
    client.poll()
    durable = _durable(client)
    _begin(lab, client, phase)
    if role == "window":
        return _kill_window(lab, client, chance)
    _wait(client, chance.uniform(0.0, 0.4))
    began = time.monotonic()
    kill(pids[role])
    expect(client, _problem(f"engine.{role}.died"), 10)
    assert time.monotonic() - began < 1.0 * SLACK, "the death was told too late"
    pids[role] = _another(client, role)
    if role == "trainer":
        event = expect(client, lambda it: getattr(it, "kind", "") == "recovery", 60)
        assert isinstance(event, Event)
        durable = min(durable, event.step)
    _goes_on(client, durable)
    return 0.0


def _begin(lab: Lab, client: Client, phase: str) -> None:
    if phase == "saving":
        client.send(SaveSession("copy.h5", overwrite=True))
    if phase == "exporting":
        arguments = {"target": "fork.h5", "step": -1, "overwrite": True}
        client.ask("fork", arguments)


def _wait(client: Client, seconds: float) -> None:
    client.wait(lambda it: False, seconds)


def _durable(client: Client) -> int:
    found = expect(client, lambda it: isinstance(it, SessionStatus) and it.live, 60)
    assert isinstance(found, SessionStatus)
    return found.durable_step


def _another(client: Client, role: str) -> int:
    def ready(it: Message) -> bool:
        state = isinstance(it, ProcessState) and it.role == role
        return state and it.state == "ready"  # type: ignore[attr-defined]

    found = expect(client, ready, 90)
    assert isinstance(found, ProcessState)
    return found.pid


def _goes_on(client: Client, durable: int) -> None:
    """It trains further, and more becomes durable than was before."""
    client.poll()
    now = expect(client, status("running"), 60)
    assert isinstance(now, TrainerStatus)
    expect(client, status("running", now.step + 50), 60)

    def later(it: Message) -> bool:
        live = isinstance(it, SessionStatus) and it.live
        return live and it.durable_step > durable  # type: ignore[attr-defined]

    expect(client, later, 60)


def _problem(name: str) -> Callable[[Message], bool]:
    return lambda it: isinstance(it, Problem) and it.id == name


def _kill_window(lab: Lab, client: Client, chance: random.Random) -> float:
    """A window is killed; another one has a curve without a gap soon."""
    before = client.request("history", {"series": "epsilon"})["step"]
    window = subprocess.Popen(
        [sys.executable, "-c", WINDOW, str(lab.home)], stdout=subprocess.PIPE
    )
    assert window.stdout is not None
    assert window.stdout.readline()
    _wait(client, chance.uniform(0.0, 0.5))
    window.kill()
    window.wait()
    window.stdout.close()
    began = time.monotonic()
    another = lab.attach()
    expect(another, status("running"), 10)
    after = another.request("history", {"series": "epsilon"})["step"]
    took = time.monotonic() - began
    another.close()
    lab.clients.remove(another)
    assert len(after) >= len(before)
    assert np.array_equal(after[: len(before)], before), "the curve has changed"
    assert (np.diff(after) > 0).all()
    assert np.diff(after).max() <= 4 * np.median(np.diff(after)), "there is a gap"
    assert took < ATTACH_WITHIN_S * SLACK, f"a new window took {took:.2f} s"
    _goes_on(client, 0)
    return took


def _end(lab: Lab, client: Client) -> None:
    """The run is stopped; everything is in its file, and nothing else is left."""
    order(client, Stop())
    stopped = expect(client, status("idle"), 60)
    assert isinstance(stopped, TrainerStatus)
    expect(client, sealed, SEALED_WITHIN_S)
    table = client.request("episodes")
    training = [
        number
        for kind, number in zip(table["kind"], table["episode"], strict=True)
        if kind == "training"
    ]
    assert training == list(range(len(training))), "an episode is missing or twice"
    steps = client.request("history", {"series": "epsilon"})["step"]
    assert (np.diff(steps) > 0).all()
    client.send(Shutdown())
    assert lab.wait_for_end(4.0 * SLACK) == [], "a process of the engine is left"
    sessions = lab.home / "sessions"
    with SessionFile.open(sessions / "run.h5") as file:
        assert file.verify() == []
        assert file.summary()["steps"] == stopped.step
        assert file.resume_point().exact
    for copy in ("copy.h5", "fork.h5"):
        if (sessions / copy).is_file():
            with SessionFile.open(sessions / copy) as file:
                assert file.verify() == []
