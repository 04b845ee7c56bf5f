"""The engine as seen by a window or the command line.

Only the contract, pyzmq and the standard library are imported here (and psutil to see
whether a process lives), so that a window starts quickly.

    client = ensure_engine()
    client.send(StartTraining(configuration.to_json()))
    for message in client.poll(): ...

A thread drains the socket, so that the engine never waits for a busy window.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, Literal

import zmq
from zmq.utils import monitor

from engine.contract.codec import MalformedMessage
from engine.contract.messages import (
    Answer,
    Ask,
    Cancel,
    EpisodeFinished,
    EvaluationFinished,
    Hello,
    KeepOff,
    Message,
    Picture,
    Problem,
    ProcessState,
    Scalars,
    Shutdown,
    Solved,
    Subscribe,
    TrainerStatus,
)
from engine.service.addresses import answers, receives
from engine.service.connection import (
    Connection,
    EngineProblem,
    await_end,
    process_lives,
)
from engine.service.cores import stay_off, usable_cores
from engine.service.home import Home, find_home
from engine.service.inbox import Inbox
from engine.service.problems import LOST, lost_engine, malformed
from engine.service.run_memory import RunMemory
from engine.service.starting import START_WITHIN_S, reach, reach_another, reap
from engine.service.transport import SUPERVISOR, Line
from engine.service.wake import Wake

BEAT_EVERY_S = 1.0
GONE_WITHIN_S = 0.5
SILENT_S = 8.0
"""A supervisor that has answered no heartbeat for so long hangs."""

HAND_OVER_S = 0.002

ROLES = ("trainer", "stage", "keeper")

_STREAMED = (EpisodeFinished, EvaluationFinished, Picture, Scalars, TrainerStatus)
"""Waking somebody for each of them costs more than it brings."""

Kind = Literal["window", "cli"]


class Client:
    """A line to the engine, drained by a thread.

    Attributes:
      connection: The engine that it is connected to.
    """

    def __init__(self, home: Home, connection: Connection, kind: Kind) -> None:
        self._home, self._kind = home, kind
        self.connection = connection
        self._numbers = count(1)
        self._targets: dict[int, str] = {}
        self._outbox: deque[tuple[str, Message]] = deque()
        self._inbox = Inbox()
        self._on_ready: Callable[[], None] = _nothing
        self._topics: list[str] = []
        self._run = RunMemory()
        self._told_to_end = 0
        self._wake, self._ready = Wake(), Wake()
        self._posted = threading.Event()
        self._thread: threading.Thread | None = None
        self._open()

    # ---------------------------------------------------------------- outwards

    def send(self, message: Message, target: str = "") -> None:
        """Hand a message over; never blocks.

        Args:
          message: A command, a question, ...
          target: Who gets it; empty chooses by the kind of message.
        """
        if isinstance(message, Subscribe):
            self._topics = message.topics
        self._leaves = isinstance(message, Shutdown)
        self._run.sent(message)
        self._posted.clear()
        self._outbox.append((target or self._target_of(message), message))
        self._wake.poke()

    def hand_over(self, number: int = 0, seconds: float = 0.0) -> bool:
        """Let what was sent leave now; waits for that, 2 ms at most.

        A thread that goes on working keeps the interpreter to itself for up to 5 ms,
        in which the thread that sends could not: too long where a person waits.

        Args:
          number: An answer to wait for, where this process and whoever answers have
            only one core left: going on would keep them from it. It stays for
            :meth:`poll`.
          seconds: So long at most.

        Returns:
          False where the answer was waited for in vain.
        """
        self._posted.wait(HAND_OVER_S)
        if seconds and len(usable_cores()) == 1:
            return self._inbox.await_answer(number, seconds)
        return True

    def ask(self, question: str, arguments: dict[str, Any], target: str = "") -> int:
        """Ask stage or keeper; returns the id that the answer will carry."""
        number = next(self._numbers)
        target = target or answers(question)
        self._targets[number] = target
        self.send(Ask(number, question, arguments), target)
        return number

    def request(
        self,
        question: str,
        arguments: dict[str, Any] | None = None,
        target: str = "",
        timeout: float = 30.0,
    ) -> dict[str, Any]:
        """Ask and wait for the answer; for the command line and tests.

        Raises:
          EngineProblem: With the sentence of the answer, or if none came in time.
        """
        number = self.ask(question, arguments or {}, target)

        def mine(message: Message) -> bool:
            return isinstance(message, Answer) and message.id == number

        answer = self.wait(mine, timeout)
        if not isinstance(answer, Answer):
            raise EngineProblem(f"The engine did not answer '{question}' in time.")
        if answer.error:
            raise EngineProblem(answer.error)
        return answer.result

    def _target_of(self, message: Message) -> str:
        if isinstance(message, Cancel):
            return self._targets.pop(message.id, "stage")
        return receives(message)

    # ----------------------------------------------------------------- inwards

    def poll(self) -> list[Message]:
        """Everything that has arrived since the last call; never blocks."""
        self._ready.drain()
        return self._inbox.take_all()

    def wait(
        self, wanted: Callable[[Message], bool], timeout: float = 10.0
    ) -> Message | None:
        """The next message that is wanted, taken out; the others stay for `poll`.

        Returns None where none came within ``timeout`` seconds.
        """
        return self._inbox.take(wanted, timeout)

    def fileno(self) -> int:
        """Readable when messages wait; for an event loop."""
        return self._ready.fileno()

    def on_ready(self, callback: Callable[[], None]) -> None:
        """Have this called, in the client's own thread, when an answer or news arrive.

        What streams in many times a second waits for the next :meth:`poll`.
        """
        self._on_ready = callback
        if len(self._inbox):
            callback()

    # -------------------------------------------------------------------- life

    def restart(self) -> None:
        """Have a new engine, and go on with the run that the old one had.

        For a dead supervisor, and for one that has given up a process. One that has not
        ended when this was asked for the first time is ended by force the next time.

        Raises:
          EngineProblem: If none can be started.
        """
        if process_lives(self.connection.pid):
            self.send(Shutdown())
        self._end_thread()
        old, asked_before = self.connection, self._told_to_end
        self._told_to_end = old.pid
        self.connection = reach_another(
            self._home, old, by_force=asked_before == old.pid
        )
        going_on = self._run.going_on()
        # What was meant for the old one, and never posted, would end the new one.
        ends = [it for it in self._outbox if isinstance(it[1], Shutdown)]
        for it in ends:
            self._outbox.remove(it)
        self._open()
        solved = (LOST, *(f"engine.{it}.gone" for it in ROLES))
        self._deliver([Solved(name) for name in solved])
        for message in going_on:
            self.send(message)

    def close(self) -> None:
        """Let go of the engine; what was sent before is handed over first.

        The engine stays, see ``Shutdown`` for the other wish.
        """
        if not self._leaves:
            self.send(ProcessState(self._kind, "gone", os.getpid()), SUPERVISOR)
        self._end_thread()
        reap()
        self._wake.close()
        self._ready.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> None:
        self._ending = self._leaves = False
        self._thread = threading.Thread(
            target=self._serve, name="engine-client", daemon=True
        )
        self._thread.start()

    def _end_thread(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            self._ending = True
            self._wake.poke()
            thread.join()

    # -------------------------------------------------------------- the thread

    def _serve(self) -> None:
        name = f"{self._kind}-{os.getpid()}-{secrets.token_hex(3)}"
        line = Line(self.connection, name, self._on_malformed)
        watch = line.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        poller = zmq.Poller()
        for what in (line.socket, watch, self._wake.fileno()):
            poller.register(what, zmq.POLLIN)
        self._hello(line)
        beat_at = 0.0
        lost = hangs = False
        try:
            while not self._ending:
                if time.monotonic() > beat_at:
                    line.beat()
                    beat_at = time.monotonic() + BEAT_EVERY_S
                ready = dict(poller.poll(int(BEAT_EVERY_S * 1000)))
                self._wake.drain()
                self._post(line)
                lost = self._collect(line) or lost
                if lost:
                    stay_off(())
                cut = watch in ready and bool(monitor.recv_monitor_message(watch))
                silent = time.monotonic() - line.last_heard > SILENT_S
                if not lost and ((cut and self._is_gone()) or silent):
                    lost, hangs = True, silent
                    told = lost_engine(silent=silent, goes_on=self._run.goes_on)
                    self._deliver([told])
                elif hangs and not silent:  # it was only very busy
                    lost = hangs = False
                    self._deliver([Solved(LOST)])
        finally:
            stay_off(())
            self._post(line)
            line.socket.disable_monitor()
            watch.close(linger=0)
            line.close()

    def _hello(self, line: Line) -> None:
        line.send(SUPERVISOR, Hello(self._kind, os.getpid()))
        if self._topics:
            line.send(SUPERVISOR, Subscribe(self._topics))

    def _post(self, line: Line) -> None:
        while self._outbox:
            destination, message = self._outbox.popleft()
            line.send(destination, message)
        self._posted.set()

    def _collect(self, line: Line) -> bool:
        """Take in what has arrived; True where the engine says that it ends."""
        arrived: list[Message] = []
        ends = False
        while (parcel := line.receive()) is not None:
            _, message = parcel
            if isinstance(message, KeepOff):
                stay_off(message.cores)
                continue
            arrived.append(message)
            if isinstance(message, ProcessState) and message.role == SUPERVISOR:
                ends |= message.state == "gone"
            if isinstance(message, Answer):
                self._targets.pop(message.id, None)
            self._run.heard(message)
        if line.is_stranger and not self._leaves:
            line.is_stranger = False
            self._hello(line)
        if arrived:
            self._deliver(arrived)
        return ends

    def _is_gone(self) -> bool:
        """A broken line is no death: ZeroMQ connects again by itself."""
        return await_end(self.connection.pid, GONE_WITHIN_S)

    def _on_malformed(self, sender: str, error: MalformedMessage) -> None:
        self._deliver([malformed(sender, error)])

    def _deliver(self, messages: list[Message]) -> None:
        self._inbox.put(messages)
        self._ready.poke()
        if not all(isinstance(it, _STREAMED) for it in messages):
            self._on_ready()


def ensure_engine(
    home: str | Path | None = None, *, kind: Kind = "window", private: bool = False
) -> Client:
    """A client of the engine of this home, which is started where none lives.

    Args:
      home: Folder for everything; else ``RLLAB_HOME``, else the system's places.
      kind: What this client is called.
      private: The engine ends, saved, as soon as its only client has gone.

    Raises:
      EngineProblem: If it cannot be started, or is of another version.
    """
    place = find_home(home)
    for may_be_ending in (True, False):
        client = Client(place, reach(place, private=private), kind)
        greeting = client.wait(_greets, START_WITHIN_S)
        if isinstance(greeting, ProcessState):
            return client
        client.close()
        # One that was ending looked alive: there is a place for a new one now.
        if not may_be_ending or process_lives(client.connection.pid):
            break
    if isinstance(greeting, Problem):
        raise EngineProblem(greeting.sentence())
    raise EngineProblem("The engine was started but does not answer. Start it again.")


def _greets(message: Message) -> bool:
    return isinstance(message, (ProcessState, Problem))


def _nothing() -> None:
    """What is called before somebody wants to know."""


__all__ = [
    "Client",
    "EngineProblem",
    "ensure_engine",
]
