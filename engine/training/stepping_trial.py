"""Trying how environments step: the same seeds and actions, and the time they take."""

from __future__ import annotations

import os
import statistics
import struct
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from time import perf_counter
from typing import Any, BinaryIO, cast

import msgspec
import numpy as np

from engine.environments import SteppingForm
from engine.environments.remote_messages import Call, Returned, read, write

SEED = 20_261_121
"""First seed of the episodes; environments of a run never see them."""
ROUND_TRIPS = 100
_ECHO = """
import os, struct
calls, answers = os.fdopen(0, "rb"), os.fdopen(1, "wb")
share, size = struct.unpack("<II", calls.read(8))
answer = struct.pack("<I", size) + calls.read(size)
while head := calls.read(4):
    calls.read(struct.unpack("<I", head)[0])
    for _ in range(share):
        answers.write(answer)
        answers.flush()
"""
"""Answers as ``environments.remote_process`` does, and imports next to nothing."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of certain seeds and actions.

    Attributes:
      step_s: Seconds for a step of all environments, the median: where other programs
        want the processor too, few steps are interrupted, but those for long.
      steps: How many those were.
      trace: Everything that they returned, in order.
    """

    step_s: float
    steps: int
    trace: list[Any]


def attempt(stepping: SteppingForm, actions: np.ndarray, most_s: float) -> Trial:
    """Play episodes of fixed seeds with these actions, int64 [T, E], or for a while."""
    lanes, seeds = stepping.environments, count(SEED)
    trace: list[Any] = [it.reset(next(seeds)).tobytes() for it in lanes]
    seconds: list[float] = []
    for row in actions:
        begun = perf_counter()
        stepping.begin(row)
        for it, action in zip(lanes, row.tolist(), strict=True):
            frame, *how = it.step(action)
            trace.append((frame.tobytes(), *how, it.life_lost))
            if how[1] or how[2]:
                trace.append(it.reset(next(seeds)).tobytes())
        seconds.append(perf_counter() - begun)
        if sum(seconds) > most_s:
            break
    return Trial(statistics.median(seconds), len(seconds), trace)


def way_s(lanes: int, processes: int, frame_bytes: int) -> float:
    """Seconds to so many processes and back, if environments took no time at all."""
    share = -(-lanes // processes)
    answer = msgspec.msgpack.encode(Returned(bytes(frame_bytes), (), 1.0))
    decoder, calls = msgspec.msgpack.Decoder(Returned), [Call(0, "step", 0)] * share
    pipe, command = subprocess.PIPE, [sys.executable, "-I", "-S", "-c", _ECHO]
    with ExitStack() as open_ones:
        pipes = []
        for _ in range(processes):
            echo = open_ones.enter_context(
                subprocess.Popen(command, stdin=pipe, stdout=pipe)
            )
            pipes.append((cast(BinaryIO, echo.stdin), cast(BinaryIO, echo.stdout)))
            pipes[-1][0].write(struct.pack("<II", share, len(answer)) + answer)
        found = []
        for _ in range(ROUND_TRIPS):
            begun = perf_counter()
            for there, _ in pipes:
                write(there, calls)
            for _, back in pipes * share:
                decoder.decode(read(back))
            found.append(perf_counter() - begun)
    return statistics.median(found)


def cores() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
