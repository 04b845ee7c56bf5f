"""Environments that step in processes of their own, several in each."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import BinaryIO, NamedTuple, cast

import msgspec
import numpy as np

from engine.contract.foreign_call import (
    MAKE,
    NOTE,
    RENDER,
    RESET,
    STEP,
    ForeignCall,
)
from engine.contract.options import EnvironmentOptions
from engine.environments.lab_environment import EnvironmentEnded, LabEnvironment, Step
from engine.environments.observations import Unsuitable, Unusable
from engine.environments.remote_messages import Call, Order, Returned, read, write

COMMAND = [sys.executable, "-P", "-m", "engine.environments.remote_process"]
"""Modules do not come from the current folder: it may hold anything."""
PATIENCE_S = 1.0
"""So long processes that are to end may take, all of them together."""
_KINDS = {"reset": RESET, "step": STEP, "render": RENDER}


class _Elsewhere(Exception):
    """Where in the other process an exception was raised."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


class _UnderWay(NamedTuple):
    """A call that has not come back yet, and whose it is."""

    by: RemoteEnvironment
    call: Call


class EnvironmentProcess:
    """One process, and the environments in it.

    Raises:
      OSError: If it cannot be started.
    """

    def __init__(self, options: EnvironmentOptions, count: int, render: bool) -> None:
        self._process = subprocess.Popen(
            COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._calls = cast(BinaryIO, self._process.stdin)
        self._answers = cast(BinaryIO, self._process.stdout)
        self._decoder = msgspec.msgpack.Decoder(Returned)
        self._under_way: deque[_UnderWay] = deque()
        self._kept: dict[RemoteEnvironment, Returned] = {}
        write(
            self._calls,
            Order(options.model_dump_json(), count, render, os.getpid()),
        )

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def send(self, calls: Sequence[Call], by: Sequence[RemoteEnvironment]) -> None:
        """Begin these calls, which are made one after another, each by one of these.

        That the process has ended is told by :meth:`receive`, which knows whose call
        does not come back.
        """
        self._under_way += map(_UnderWay, by, calls)
        with suppress(BrokenPipeError):
            write(self._calls, calls)

    def receive(self, of: RemoteEnvironment) -> Returned:
        """What came of the call that this one has made.

        Raises:
          EnvironmentEnded: If an environment has ended the process.
          Unusable: If it returned something of no use.
          Exception: What it raised, under its own name.
        """
        while of not in self._kept:
            by, call = self._under_way[0]
            # Who watches this process sees here which call does not come back.
            NOTE.episode(by.id, by.seed)
            NOTE.enter(_KINDS[call.name], by.steps)
            try:
                self._kept[by] = self.read()
            except EnvironmentEnded as error:
                at = ForeignCall(by.id, _KINDS[call.name], by.steps, by.seed).place
                raise EnvironmentEnded(f"{error} during {at}") from error
            finally:
                NOTE.leave()
            self._under_way.popleft()
        return _checked(self._kept.pop(of))

    def read(self) -> Returned:
        """The next answer, whosever it is.

        Raises:
          EnvironmentEnded: If an environment has ended the process.
        """
        try:
            return self._decoder.decode(read(self._answers))
        except EOFError as error:
            raise self._ended() from error

    def let_go(self) -> None:
        """Tell it that there is nothing more to do."""
        # What could not be written to one that is gone is still to be written.
        with suppress(BrokenPipeError):
            self._calls.close()

    def close(self, patience_s: float) -> None:
        """End it, whatever it is busy with."""
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._answers.close()

    def _ended(self) -> EnvironmentEnded:
        try:
            status = self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            return EnvironmentEnded("it has closed the way to its process")
        how = f"with status {status}" if status >= 0 else f"by signal {-status}"
        return EnvironmentEnded(f"its process has ended {how}")


def _checked(found: Returned) -> Returned:
    if not found.error:
        return found
    if found.unusable:
        raise Unusable(found.text)
    # A class of the same name: what is told of it is the same sentence as here.
    named = EnvironmentEnded if found.error == "EnvironmentEnded" else Exception
    kind = cast("type[Exception]", type(found.error, (named,), {}))
    raise kind(found.text) from _Elsewhere(found.trace)


class RemoteEnvironment:
    """One of them, used as if it were here; see ``LabEnvironment``.

    Attributes:
      id: Of the environment.
      seed, steps: Of the running episode, with the step that is under way.
      frame_shape, frame_dtype: Of one observation.
      life_lost: See ``LabEnvironment``.
    """

    def __init__(
        self, process: EnvironmentProcess, index: int, of: LabEnvironment
    ) -> None:
        self.frame_shape, self.frame_dtype = of.frame_shape, of.frame_dtype
        self.id = of.card.id
        self.seed = self.steps = 0
        self.life_lost = False
        self._process, self._index = process, index
        self._has_begun = False

    def reset(self, seed: int) -> np.ndarray:
        """See ``LabEnvironment``."""
        self.seed, self.steps, self.life_lost = seed, 0, False
        return self._frame(self._call("reset", seed).data)

    def begin(self, action: int) -> Call:
        """The step that is next, to be sent together with others."""
        self.steps += 1
        self._has_begun = True
        return Call(self._index, "step", action)

    def step(self, action: int) -> Step:
        """See ``LabEnvironment``; where it has begun already, wait for it."""
        if self._has_begun:
            self._has_begun = False
            found = self._process.receive(self)
        else:
            self.steps += 1
            found = self._call("step", action)
        self.life_lost, frame = found.life_lost, self._frame(found.data)
        return frame, found.reward, found.terminated, found.truncated, found.raw

    def render(self) -> np.ndarray:
        """See ``LabEnvironment``."""
        found = self._call("render", 0)
        return np.frombuffer(found.data, np.uint8).reshape(found.shape).copy()

    def close(self) -> None:
        """It is closed with its process."""

    def _call(self, name: str, argument: int) -> Returned:
        self._process.send([Call(self._index, name, argument)], [self])
        return self._process.receive(self)

    def _frame(self, data: bytes) -> np.ndarray:
        return np.frombuffer(data, self.frame_dtype).reshape(self.frame_shape).copy()


class InProcesses:
    """Environments in so many processes; see ``SteppingForm``.

    Raises:
      Unsuitable: If they cannot be made there.
    """

    def __init__(
        self,
        options: EnvironmentOptions,
        count: int,
        processes: int,
        *,
        of: LabEnvironment,
        render: bool = False,
    ) -> None:
        self._processes: list[EnvironmentProcess] = []
        NOTE.episode(options.id, 0)
        NOTE.enter(MAKE)
        try:
            for first in range(processes):
                share = len(range(first, count, processes))
                self._processes.append(EnvironmentProcess(options, share, render))
            for it in self._processes:
                _checked(it.read())
        except Exception as error:
            # Whatever an environment raises when it is made in another process.
            self.close()
            raise Unsuitable(f"{type(error).__name__}: {error}") from error
        finally:
            NOTE.leave()
        self.environments = [
            RemoteEnvironment(self._processes[it % processes], it // processes, of)
            for it in range(count)
        ]

    @property
    def pids(self) -> list[int]:
        """Of the processes."""
        return [it.pid for it in self._processes]

    def begin(self, actions: np.ndarray) -> None:
        """See ``SteppingForm``."""
        wanted, count = actions.tolist(), len(self._processes)
        for first, process in enumerate(self._processes):
            lanes = self.environments[first::count]
            own = zip(lanes, wanted[first::count], strict=True)
            process.send([it.begin(action) for it, action in own], lanes)

    def close(self) -> None:
        """See ``SteppingForm``."""
        processes, self._processes = self._processes, []
        for it in processes:
            it.let_go()
        deadline = time.monotonic() + PATIENCE_S
        for it in processes:
            it.close(max(0.0, deadline - time.monotonic()))
