"""A real engine in a folder of its own, and nothing of it left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine.contract.messages import (
    Message,
    ProcessState,
    SessionStatus,
    Shutdown,
    StartTraining,
    TrainerStatus,
)
from engine.contract.options import configuration_from_flat
from engine.service.client import Client, ensure_engine

SMALL = {
    "training.steps": 1_000_000,
    "evaluation.period": 1_000,
    "evaluation.episodes": 2,
    "agent.learning_starts": 200,
    "network.hidden": (16,),
}


class Lab:
    """Clients of the engine in one folder, and eyes on its processes."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.clients: list[Client] = []

    def attach(self, **options: Any) -> Client:
        client = ensure_engine(self.home, **options)
        self.clients.append(client)
        return client

    def processes(self) -> list[psutil.Process]:
        """Every living process of this engine."""
        found = []
        for process in psutil.process_iter(["cmdline", "status"]):
            line = " ".join(process.info["cmdline"] or ())
            ours = "engine.service" in line and str(self.home) in line
            if ours and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(process)
        return found

    def wait_for_end(self, seconds: float) -> list[psutil.Process]:
        """Processes that are still there after so long."""
        deadline = time.monotonic() + seconds
        # One whose parent is gone may stay a zombie where nobody reaps it.
        while (left := self.processes()) and time.monotonic() < deadline:
            psutil.wait_procs(left, timeout=0.1)
        return left

    def pid(self, client: Client, role: str) -> int:
        """The process that plays a role now; waits until it is ready."""

        def ready(message: Message) -> bool:
            return isinstance(message, ProcessState) and (
                message.role,
                message.state,
            ) == (role, "ready")

        found = expect(client, ready, 90)
        assert isinstance(found, ProcessState)
        return found.pid

    def start(self, client: Client, path: str = "run.h5", **options: Any) -> None:
        """Train until the first steps are done."""
        configuration = configuration_from_flat(SMALL | options).to_json()
        client.send(StartTraining(configuration, path))
        expect(client, status("running", 1), 120)

    def clean(self) -> None:
        for client in self.clients:
            client.close()
        for process in self.processes():
            process.kill()
        assert self.wait_for_end(5) == []


def expect(
    client: Client, wanted: Callable[[Message], bool], seconds: float = 60
) -> Message:
    """The message that must come; what is told meanwhile is shown if it does not."""
    message = client.wait(wanted, seconds)
    if message is None:
        others = [it for it in client.poll() if not isinstance(it, TrainerStatus)]
        pytest.fail(f"it did not come; instead {[str(it)[:300] for it in others[-8:]]}")
    return message


def status(state: str, step: int = 0) -> Callable[[Message], bool]:
    """A trainer status of this state, from this step on."""
    return lambda it: (
        isinstance(it, TrainerStatus) and it.state == state and it.step >= step
    )


def sealed(message: Message) -> bool:
    """The run has ended and its file is there."""
    return (
        isinstance(message, SessionStatus)
        and not message.live
        and message.sealed_at > 0
    )


def end(lab: Lab, client: Client) -> None:
    """Close the last window; everything must end within two seconds."""
    client.send(Shutdown())
    gone = ProcessState("supervisor", "gone", client.connection.pid)
    expect(client, lambda it: it == gone)
    assert lab.wait_for_end(2.0) == []


def order(client: Client, message: Message) -> None:
    """Send a command, and forget what was told before it."""
    client.poll()
    client.send(message)


def kill(pid: int) -> None:
    """kill -9."""
    os.kill(pid, signal.SIGKILL)


def run_python(code: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Another program that uses the engine of this home."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"RLLAB_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
