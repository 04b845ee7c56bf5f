"""Environments in a process: ``python -m engine.environments.remote_process``.

The order is the first message on stdin; then come calls, each answered on stdout. A
message is its length and MessagePack. What an environment prints goes to stderr.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import traceback
from typing import BinaryIO

import msgspec

from engine.contract.options import EnvironmentOptions
from engine.environments.lab_environment import LabEnvironment, make
from engine.environments.observations import Unusable
from engine.environments.remote_messages import Call, Order, Returned, read, write

_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux


def main() -> int:
    """Serve until the other side is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    calls, answers = _own_streams()
    order = msgspec.msgpack.decode(read(calls), type=Order)
    if not _lives_with(order.parent):
        return 3
    options = EnvironmentOptions.model_validate_json(order.options)
    try:
        made = [make(options, render=order.render) for _ in range(order.count)]
    except Exception as error:
        # An environment may raise anything when it is made.
        write(answers, _failure(error))
        return 1
    write(answers, Returned())
    decoder = msgspec.msgpack.Decoder(list[Call])
    try:
        while True:
            for call in decoder.decode(read(calls)):
                write(answers, _called(made[call.index], call))
    except (EOFError, BrokenPipeError):
        return 0


def _own_streams() -> tuple[BinaryIO, BinaryIO]:
    """Streams of ours alone: environments may read stdin and print to stdout."""
    calls, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return os.fdopen(calls, "rb"), os.fdopen(answers, "wb")


def _lives_with(parent: int) -> bool:
    """Have the system end this process with its parent, also in a call that hangs."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    return os.name != "posix" or os.getppid() == parent


def _called(environment: LabEnvironment, call: Call) -> Returned:
    try:
        if call.name == "reset":
            return Returned(environment.reset(call.argument).tobytes())
        if call.name == "render":
            picture = environment.render()
            return Returned(picture.tobytes(), picture.shape)
        frame, reward, terminated, truncated, raw = environment.step(call.argument)
        how = reward, terminated, truncated, raw, environment.life_lost
        return Returned(frame.tobytes(), (), *how)
    except Exception as error:
        # Environments are other people's code; the other side tells of it.
        return _failure(error)


def _failure(error: Exception) -> Returned:
    return Returned(
        error=type(error).__name__,
        text=str(error),
        trace="".join(traceback.format_exception(error)),
        unusable=isinstance(error, Unusable),
    )


if __name__ == "__main__":
    sys.exit(main())
