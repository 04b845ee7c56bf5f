"""P6: environments that misbehave, each in a real engine."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import misbehaving_worlds as worlds
import psutil
from service.engine_lab import Lab, expect, kill, order, sealed, status
from trials import Trials

from engine.contract.messages import (
    EndTrainer,
    Message,
    Problem,
    Shutdown,
    Stop,
    TrainerStatus,
)
from engine.service.children import LOG_BYTES
from engine.service.client import Client
from engine.sessions import SessionFile

STALL_S = 1.0
STARTED_WITHIN_S = 8.0
"""Other processes of environments are there by then."""
EXIT_WITHIN_S, STALL_WITHIN_S = 0.1, 0.1
SLACK = float(os.environ.get("RLLAB_FAULT_SLACK", "2"))
"""A loaded machine is given so many times as long."""
SEALED_WITHIN_S = 150.0
"""The file waits a minute for evaluations that the stage never finishes."""
OPTIONS = {
    "environment.id": worlds.ID,
    "training.stall_limit": STALL_S,
    "recording.checkpoint_period": 100,
    "evaluation.period": 0,
    "agent.learning_starts": 100,
}


@dataclass(frozen=True)
class Kind:
    """What must follow from a deed.

    Attributes:
      told: Id of the message; empty where the run just goes on.
      words: What its sentence must hold, beside the name of the environment.
      process: Where it is done; ``remote`` is one that has environments only.
      stall_s: The silence limit.
    """

    told: str
    words: str = ""
    process: str = "trainer"
    stall_s: float = STALL_S


FAILED, UNUSABLE = "training.environment.failed", "training.environment.unusable"
DIED, STALLED = "engine.trainer.died", "training.stalled"
KINDS = {
    "sys_exit": Kind(FAILED, "asked for the end of the program"),
    "os_exit": Kind(DIED, "in its step() (step"),
    "segfault": Kind(DIED, "in its step() (step"),
    "killed": Kind(DIED, "in its step() (step"),
    "hang_in_step": Kind(STALLED, "from its step() (step"),
    "hang_in_reset": Kind(STALLED, "from its reset() (the episode"),
    "raise_in_step": Kind(FAILED, "ZeroDivisionError: division by zero"),
    "raise_in_reset": Kind(FAILED, "OSError: the simulator is gone"),
    "wrong_shape": Kind(UNUSABLE, "shape is (3,), announced was (2,)"),
    "wrong_type": Kind(UNUSABLE, "not a list of numbers"),
    "nan_observation": Kind("training.environment.observation", "NaN"),
    "inf_reward": Kind("training.environment.reward", "a reward of inf"),
    "reward_of_many": Kind(UNUSABLE, "a reward is one number"),
    "four_values": Kind(UNUSABLE, "returned 4 values"),
    "forks": Kind(""),
    "forks_and_comes_back_twice": Kind(""),
    "prints": Kind(""),
    "sleeps": Kind(""),
    "changes_its_actions": Kind(""),
    "changes_what_it_returned": Kind(""),
    "hang_in_step in a process": Kind(
        STALLED, "from its step() (step", "remote", STARTED_WITHIN_S
    ),
    "os_exit in the stage": Kind("engine.stage.died", "in its step() (step", "stage"),
    "hang_in_step in the stage": Kind(
        "engine.stage.stuck", "from its step() (step", "stage"
    ),
    "raise_in_step in the stage": Kind(
        "stage.environment.failed", "ZeroDivisionError", "stage"
    ),
    "nan_observation in the stage": Kind(
        "stage.environment.failed", "no finite number", "stage"
    ),
}


class End:
    """Of a process, as the system reports it.

    How long the system takes to bring a process down grows with the load of the
    machine; how soon after that it is told does not.
    """

    worst_s = 0.0

    def __init__(self, pid: int) -> None:
        self._thread = threading.Thread(target=self._watch, args=(pid,), daemon=True)
        self._at = 0.0
        self._thread.start()

    def _watch(self, pid: int) -> None:
        with suppress(OSError, AttributeError):  # no such call here, or it has ended
            select.select([os.pidfd_open(pid)], [], [])
            self._at = time.monotonic()

    def check(self, told_at: float) -> None:
        """That it was told in time after this."""
        self._thread.join(10)
        after = told_at - self._at if self._at else 0.0
        End.worst_s = max(End.worst_s, after)
        assert after < EXIT_WITHIN_S, f"told {after:.3f} s after the system knew"


def run(folder: Path, count: int = 1, wanted: tuple[str, ...] = ()) -> Trials:
    """Each kind ``count`` times, in an engine of its own."""
    result = Trials("P6", f"{len(KINDS)} kinds of misbehaving environments")
    seconds = []
    for index in range(count):
        for name, kind in KINDS.items():
            if wanted and name not in wanted:
                continue
            home = folder / f"{name}-{index}"
            home.mkdir()
            took = result.trial(f"{name} {index}", one, home, name, kind)
            seconds.append((took or 0.0, name))
        home = folder / f"supervisor-{index}"
        home.mkdir()
        result.trial(f"the supervisor is killed {index}", _supervisor_killed, home)
    worst = max(seconds, default=(0.0, ""))
    result.worst = f"told after {worst[0]:.3f} s at most ({worst[1]}), and "
    result.worst += f"{End.worst_s:.3f} s after the system knew of an end"
    return result


def one(home: Path, name: str, kind: Kind) -> float:
    """One engine, one deed; returns how long after it (or its limit) it was told."""
    lab = Lab(home)
    try:
        client = _attach(lab, home)
        end = End(lab.pid(client, "trainer"))
        lab.start(client, **(OPTIONS | _options(name, kind)))
        if kind.told:
            took = _told(client, home, kind, end)
        else:
            took = _goes_on(client, home, name)
        _end(lab, client, kind)
        _nothing_is_left(lab, home)
        _check_file(home / "sessions" / "run.h5")
        assert (home / "logs" / "trainer.log").stat().st_size < 3 * LOG_BYTES
    finally:
        with suppress(AssertionError):
            lab.clean()
    return took


def _attach(lab: Lab, home: Path) -> Client:
    """A new engine that knows the worlds."""
    environment = {
        "PYTHONPATH": os.pathsep.join(
            [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
        ),
        "RLLAB_IMPORT": "misbehaving_worlds",
        worlds.MARK_FOLDER: str(home),
    }
    with mock.patch.dict(os.environ, environment):
        return lab.attach()


def _supervisor_killed(home: Path) -> None:
    """Nor stays what an environment has started when nobody of ours is left."""
    lab = Lab(home)
    try:
        client = _attach(lab, home)
        kwargs = {"deed": "forks", "process": "trainer"}
        lab.start(client, **(OPTIONS | {"environment.kwargs": kwargs}))
        _moment(home, "child")
        kill(client.connection.pid)
        assert lab.wait_for_end(5.0 * SLACK) == [], "a process of the engine is left"
        _no_child(home)
    finally:
        with suppress(AssertionError):
            lab.clean()


def _options(name: str, kind: Kind) -> dict[str, object]:
    """The stage takes steps in evaluations only, so it comes to its deed earlier."""
    kwargs = {"deed": name.split()[0], "process": kind.process}
    if kind.process == "trainer":
        return {"environment.kwargs": kwargs}
    if kind.process == "remote":
        where = {"training.environments": 2, "training.stepping": "processes"}
        limit = {"training.stall_limit": kind.stall_s}
        return {"environment.kwargs": kwargs, **where, **limit}
    return {"environment.kwargs": kwargs | {"at": 60}, "evaluation.period": 200}


def _problem(name: str) -> Callable[[Message], bool]:
    return lambda it: isinstance(it, Problem) and it.id == name


def _told(client: Client, home: Path, kind: Kind, end: End) -> float:
    told = expect(client, _problem(kind.told), 60)
    told_at = time.monotonic()
    late = told_at - _moment(home)
    assert isinstance(told, Problem)
    sentence = told.sentence()
    assert worlds.ID in sentence, f"it names no environment: {sentence}"
    assert kind.words in sentence, sentence
    assert "step" in sentence or "episode" in sentence, sentence
    if kind.told == STALLED:
        late -= kind.stall_s
        assert late < STALL_WITHIN_S * SLACK, f"told {late:.3f} s after the limit"
        client.send(EndTrainer())
        expect(client, _problem(DIED), 10)
    elif kind.told.endswith(".died"):
        if kind.process == "trainer":
            end.check(told_at)
        assert late < EXIT_WITHIN_S * SLACK, f"told {late:.3f} s after the exit"
    if kind.process == "stage":
        _trains_on(client)
        return 0.0
    return late


def _trains_on(client: Client) -> None:
    """What goes wrong in the stage is none of the trainer's business."""
    client.poll()
    now = expect(client, status("running"), 60)
    assert isinstance(now, TrainerStatus)
    expect(client, status("running", now.step + 300), 60)


def _goes_on(client: Client, home: Path, name: str) -> float:
    """The deed is done, and the run goes on as if it had not been."""
    _moment(home)
    steps = 10 if name == "sleeps" else 300
    expect(client, status("running", worlds.AT + steps), 60)
    assert client.wait(_problem(STALLED), 0.5) is None
    return 0.0


def _moment(home: Path, name: str = "deed") -> float:
    deadline = time.monotonic() + 30
    while not (mark := home / name).exists() or not mark.read_text():
        assert time.monotonic() < deadline, "the deed was not done"
        time.sleep(0.01)
    return float(mark.read_text())


def _end(lab: Lab, client: Client, kind: Kind) -> None:
    """Stop what still runs, and close the last window."""
    if kind.told in (DIED, STALLED):
        expect(client, lambda it: getattr(it, "kind", "") == "recovery", 60)
    if kind.told in ("", DIED, STALLED) or kind.process == "stage":
        order(client, Stop())
    expect(client, sealed, SEALED_WITHIN_S)
    client.send(Shutdown())
    assert lab.wait_for_end(4.0 * SLACK) == [], "a process of the engine is left"


def _nothing_is_left(lab: Lab, home: Path) -> None:
    _no_child(home)
    assert not list((home / "logs").glob("*.call")), "a note is left"


def _no_child(home: Path) -> None:
    child = home / "child"
    if child.exists():
        pid = int(child.read_text())
        alive = psutil.pid_exists(pid)
        dead = not alive or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        if not dead:
            psutil.Process(pid).kill()
        assert dead, "what the environment has started is left"


def _check_file(path: Path) -> None:
    """The last checkpoint before the deed can be used."""
    with SessionFile.open(path) as file:
        point = file.resume_point()
        assert point.exact, point.note
        assert point.step >= worlds.AT - 100 or point.step >= 100
