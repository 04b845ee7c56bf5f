"""The real lab in a folder of its own: engine, window processes, what each costs."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from engine.contract.messages import (
    Message,
    ProcessState,
    Shutdown,
    StartTraining,
    TrainerStatus,
)
from engine.contract.options import Configuration
from engine.service.client import Client, ensure_engine

REPOSITORY = Path(__file__).resolve().parents[2]
MODULES = {
    "supervisor": "supervisor",
    "trainer": "trainer_process",
    "stage": "stage_process",
    "keeper": "keeper_process",
    "spare": "spare_process",
}
"""What each process runs; the window is known by itself."""
WAIT_S = 120.0


class Failed(RuntimeError):
    """The lab did not do what is to be measured."""


class Window:
    """A window process of its own, told what to do line by line."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.began = time.monotonic()
        self._log = (home / "window.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.window_process", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            cwd=REPOSITORY,
            env=os.environ
            | {"RLLAB_HOME": str(home), "QT_QPA_PLATFORM": platform_name()},
        )

    def do(self, what: str, timeout: float = WAIT_S, **arguments: Any) -> Any:
        """Have the window do something; returns what it says when that is done."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        line = json.dumps({"do": what, **arguments})
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], timeout)
        answer = self.process.stdout.readline() if ready else b""
        if not answer:
            raise Failed(f"The window did not finish '{what}': {self._last_words()}")
        told = json.loads(answer)
        if "error" in told:
            raise Failed(f"The window failed at '{what}': {told['error']}")
        return told["result"]

    def leave(self, *, keep_training: bool) -> None:
        """Close it, and wait until its process has ended."""
        self.do("leave", keep_training=keep_training)
        self.process.wait(WAIT_S)

    def end(self) -> None:
        """Be sure that nothing is left of it."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self._log):
            if pipe is not None:
                pipe.close()

    def _last_words(self) -> str:
        self._log.flush()
        return Path(self._log.name).read_text("utf-8", "replace")[-2000:]


def platform_name() -> str:
    """Draw into memory, unless a display is asked for."""
    return os.environ.get("QT_QPA_PLATFORM", "offscreen")


@dataclass(frozen=True)
class Stretch:
    """What happened in a stretch of time.

    Attributes:
      cpu_s: Processor seconds of each role.
    """

    steps: int
    wall_s: float
    cpu_s: dict[str, float]

    @property
    def per_s(self) -> float:
        return self.steps / self.wall_s

    @property
    def per_cpu_s(self) -> float:
        return self.steps / max(self.cpu_s["trainer"], 1e-9)

    def shares(self) -> str:
        """Cores that each process kept busy."""
        used = {role: cpu / self.wall_s for role, cpu in self.cpu_s.items()}
        return ", ".join(f"{role} {it:.2f}" for role, it in used.items() if it > 0.002)


class RealLab:
    """One home, its engine processes and windows; use :func:`real_lab`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.windows: list[Window] = []
        self._client: Client | None = None

    @property
    def client(self) -> Client:
        """A client that shows nothing; the engine is started for it."""
        if self._client is None:
            self._client = ensure_engine(self.home, kind="cli")
        return self._client

    def open_window(self, *arguments: str) -> Window:
        """The real window, in a process of its own."""
        window = Window(self.home, *arguments)
        self.windows.append(window)
        return window

    # --------------------------------------------------------------- the engine

    def expect(
        self, wanted: Callable[[Message], bool], timeout: float = WAIT_S
    ) -> Message:
        """The next message that is wanted."""
        message = self.client.wait(wanted, timeout)
        if message is None:
            kinds = [type(it).__name__ for it in self.client.poll()]
            raise Failed(f"The engine did not say what was expected: {kinds[-20:]}")
        return message

    def wait_until_ready(self, *roles: str) -> None:
        """Until these processes have imported everything."""
        for role in roles:
            self.expect(
                lambda it, role=role: (  # type: ignore[misc]
                    isinstance(it, ProcessState)
                    and (it.role, it.state) == (role, "ready")
                )
            )

    def train(self, configuration: Configuration, from_step: int) -> None:
        """Start a run and wait until it has come that far."""
        path = str(self.home / "run.h5")
        self.client.send(StartTraining(configuration.to_json(), path, overwrite=True))
        self.status(lambda it: it.state == "running" and it.step >= from_step)

    def status(self, wanted: Callable[[TrainerStatus], bool]) -> TrainerStatus:
        """The next status of the trainer that is wanted."""
        found = self.expect(lambda it: isinstance(it, TrainerStatus) and wanted(it))
        assert isinstance(found, TrainerStatus)
        return found

    def stretch(self, seconds: float) -> Stretch:
        """Let it train for so long, and say what that made and cost."""
        self.client.poll()
        before, began, spent = self._now()
        deadline = began + seconds
        while time.monotonic() < deadline:
            self.client.wait(lambda it: False, deadline - time.monotonic())
            self.client.poll()
        after, ended, cost = self._now()
        used = {role: it - spent.get(role, 0.0) for role, it in cost.items()}
        return Stretch(after - before, ended - began, used)

    def _now(self) -> tuple[int, float, dict[str, float]]:
        step = self.status(lambda it: it.state == "running").step
        return step, time.monotonic(), self.cpu()

    # ------------------------------------------------------------ the processes

    def processes(self) -> dict[str, psutil.Process]:
        """The living processes of this home, by role."""
        found = {}
        for process in psutil.process_iter(["cmdline", "status"]):
            line = " ".join(process.info["cmdline"] or ())
            if process.info["status"] == psutil.STATUS_ZOMBIE:
                continue
            for role, module in MODULES.items():
                if f"engine.service.{module}" in line and str(self.home) in line:
                    found[role] = process
        for window in self.windows:
            if window.process.poll() is None:
                found["window"] = psutil.Process(window.process.pid)
        return found

    def wait_for_end(self, within_s: float = 20.0) -> None:
        """Until no process of this engine lives; those that go on are killed."""
        deadline = time.monotonic() + within_s
        while left := self.processes():
            if time.monotonic() > deadline:
                for process in left.values():
                    process.kill()
            # One whose parent is gone stays a zombie where nobody reaps it.
            psutil.wait_procs(list(left.values()), timeout=0.1)

    def cpu(self) -> dict[str, float]:
        """Processor seconds that each process, with its helpers, has used."""
        return {role: _cpu(role, it) for role, it in self.processes().items()}

    def resident(self) -> dict[str, int]:
        """Bytes in memory of each process."""
        return {role: _rss(it) for role, it in self.processes().items()}

    def end(self) -> None:
        """Close everything, and be sure of it."""
        for window in self.windows:
            window.end()
        if self._client is not None:
            self._client.send(Shutdown())
            self._client.close()
        self.wait_for_end()


@contextmanager
def real_lab() -> Iterator[RealLab]:
    """A lab in a fresh folder; nothing of it is left afterwards."""
    with tempfile.TemporaryDirectory(prefix="rllab-bench-") as folder:
        lab = RealLab(Path(folder))
        try:
            yield lab
        finally:
            lab.end()


def _cpu(role: str, process: psutil.Process) -> float:
    """Its own time, and that of the stage's helpers (the layout of the map)."""
    try:
        helpers = process.children(recursive=True) if role == "stage" else []
        times = [it.cpu_times() for it in (process, *helpers)]
    except psutil.NoSuchProcess:
        return 0.0
    return float(sum(it.user + it.system for it in times))


def _rss(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


__all__ = ["Failed", "RealLab", "Stretch", "Window", "real_lab"]
