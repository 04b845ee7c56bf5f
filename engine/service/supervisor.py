"""The supervisor: a hub, three processes that it keeps alive, and the session's state.

It imports neither torch nor gymnasium nor h5py, so that it starts at once and has
little that could fail.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Iterable

import msgspec

from engine.contract.codec import MalformedMessage
from engine.contract.messages import (
    PROTOCOL,
    Answer,
    CheckpointStored,
    EvaluationFinished,
    Event,
    FrameCredit,
    Hello,
    Message,
    Problem,
    ProcessState,
    ResumeTraining,
    SessionStatus,
    ShowAgent,
    Shutdown,
    Solved,
    StartTraining,
    Subscribe,
    TrainerStatus,
)
from engine.service import problems
from engine.service.audience import Audience
from engine.service.children import Child, Children
from engine.service.connection import Connection, write_connection
from engine.service.cores import Reservation
from engine.service.home import Home
from engine.service.lifetime import Lifetime
from engine.service.processes import ROLES, SPARE, Processes
from engine.service.session import COMMANDS, Session
from engine.service.session_core import Actions, Kill, Trace
from engine.service.standing_news import StandingNews
from engine.service.switchboard import Head, Switchboard, head_of
from engine.service.transport import SUPERVISOR, Hub, Parcel, unpack

LOOK_EVERY_S = 0.05
LOCK_WITHIN_S = 10.0
END_WITHIN_S = 1.0


class Supervisor:
    """Moves messages, watches processes and clients, and does what the session says."""

    def __init__(self, home: Home, *, private: bool = False) -> None:
        self._home = home
        self._hub = Hub()
        self._audience = Audience(time.monotonic)
        self._board = Switchboard(self._hub, self._audience)
        self._children = Children(home.processes_file, home.logs)
        self._processes = Processes(
            self._children, time.monotonic, keeps_spare=not private
        )
        self._lifetime = Lifetime(time.monotonic, private=private)
        self._session = Session(home.new_session, call=self._children.call_of)
        self._news = StandingNews()
        self._private = private
        self._terminated = False
        self._leaving: set[str] = set()
        self._next_look = 0.0
        self._reservation = Reservation()

    # ------------------------------------------------------------------- life

    def run(self) -> None:
        """Serve until told to end, or until nobody needs this engine any more."""
        self._publish()
        self._processes.start()
        if self._private:
            self._processes.start_trainer()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        try:
            while not self._lifetime.is_over(resting=self._session.resting):
                self._hub.watch(self._children.ends())
                self._hub.wait(LOOK_EVERY_S)
                for parcel in self._parcels():
                    self._on_parcel(parcel)
                self._look()
        finally:
            self._close()

    def _on_signal(self, *_: object) -> None:
        self._terminated = True

    def _publish(self) -> None:
        connection = Connection(
            endpoint=self._hub.endpoint,
            server_key=self._hub.server_key.decode(),
            client_key=self._hub.client_key.decode(),
            client_secret=self._hub.client_secret.decode(),
            pid=os.getpid(),
            logs=str(self._home.logs),
            sessions=str(self._home.sessions),
        )
        write_connection(self._home.processes_file, connection)
        write_connection(self._home.connection_file, connection)

    def _parcels(self) -> Iterable[Parcel]:
        """What has arrived; not endless, so that the processes are looked after."""
        for _ in range(500):
            parcel = self._hub.receive()
            if parcel is None:
                return
            yield parcel

    def _look(self) -> None:
        """What does not come as a message: deaths, silence, the clock."""
        ended = self._children.ended()
        for child in ended:
            self._on_ended(child)
        if ended:
            self._children.kill_orphans()
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + 2 * LOOK_EVERY_S
        self._perform(self._session.tick())
        for name in self._audience.gone():
            self._dismiss(name)
        session = self._session
        self._processes.keep_up(running=session.state == "running")
        self._reserve()
        self._children.cap_logs()
        unneeded = self._lifetime.is_unneeded(
            len(self._audience), session.state, resting=session.resting
        )
        if unneeded or self._terminated:
            self._begin_end()

    def _reserve(self) -> None:
        """While a run goes on, the others leave it a core, if it is to have one."""
        session = self._session
        running = session.configuration if session.state == "running" else None
        if self._reservation.follow(running):
            self._children.kept = self._reservation.message.cores
            for role in ("stage", "keeper", "windows"):
                self._board.send(role, self._reservation.message)

    def _begin_end(self) -> None:
        """Stop and save what runs; the loop ends when that is durable."""
        if self._lifetime.begin_end():
            # A window that starts now must not attach to an engine that ends.
            self._home.connection_file.unlink(missing_ok=True)
            self._perform(self._session.finish_quickly())

    def _close(self) -> None:
        for file in (self._home.connection_file, self._home.processes_file):
            file.unlink(missing_ok=True)
        for role in ("keeper", "stage"):  # they may have a file open
            self._board.send(role, Shutdown())
        for role in ("trainer", SPARE):
            self._children.kill(role)
        gone = ProcessState(SUPERVISOR, "gone", os.getpid())
        for name in {*self._leaving, *(it.name for it in self._audience)}:
            self._board.send(name, gone)
        self._children.end_all(END_WITHIN_S)
        self._hub.close()

    # --------------------------------------------------------------- messages

    def _on_parcel(self, parcel: Parcel) -> None:
        identity = parcel.identity.decode("utf-8", "replace")
        child = self._children.named(identity)
        sender = identity if child is None else child.role
        if child is None and not identity.startswith(("window-", "cli-")):
            return  # the last words of a process that has been replaced
        try:
            if not parcel.frames:
                self._board.greet(identity, known=self._audience.heard(identity))
            elif parcel.destination == SUPERVISOR:
                self._receive(sender, unpack(parcel.frames))
            else:
                self._pass_on(sender, parcel)
        except (MalformedMessage, msgspec.MsgspecError) as error:
            self._tell(problems.malformed(sender, error))
        except Exception as error:
            # If this process ends, everything does; so a mistake costs one message.
            sys.stderr.write(traceback.format_exc())
            self._tell(problems.mistake(SUPERVISOR, f"a message of {sender}", error))

    def _pass_on(self, sender: str, parcel: Parcel) -> None:
        head = head_of(parcel.frames)
        self._overhear(sender, parcel, head)
        to = parcel.destination
        reached = self._board.pass_on(sender, to, parcel.frames, head.type)
        if head.type == "RunTraining":
            self._session.on_run_sent(reached=reached)

    def _overhear(self, sender: str, parcel: Parcel, head: Head) -> None:
        """What the supervisor must know of that others say to each other."""
        kind, to = head.type, parcel.destination
        if kind == "Ask" and isinstance(head.id, int):
            self._board.note_question(sender, to, head.id)
        elif kind == "Answer" and isinstance(head.id, int):
            self._board.note_answer(sender, to, head.id)
        elif kind == "Weights" and head.evaluate:
            self._session.on_evaluation_asked(head.step)
        elif kind == "EvaluationFinished" and sender == "stage":
            self._on_evaluated(unpack(parcel.frames))
        elif kind in ("Problem", "Solved", "SetViewer", "ShowAgent"):
            self._news.remember(unpack(parcel.frames))

    def _on_evaluated(self, message: Message) -> None:
        assert isinstance(message, EvaluationFinished)
        self._board.send("trainer", message, "stage")
        self._perform(self._session.on_evaluation_finished(message.step))

    def _receive(self, sender: str, message: Message) -> None:
        """A message for the supervisor itself."""
        session = self._session
        match message:
            case Hello():
                self._on_hello(sender, message)
            case ProcessState():
                self._on_process(sender, message)
            case Subscribe():
                self._subscribe(sender, message.topics)
            case Shutdown():
                self._on_shutdown(sender, message)
            case TrainerStatus() | Event() if sender == "trainer":
                self._on_run(message)
            case SessionStatus() if sender == "keeper":
                self._perform(session.on_session(message))
            case CheckpointStored() if sender == "keeper":
                self._perform(session.on_checkpoint(message))
            case Answer():
                self._perform(session.on_answer(message))
            case _ if isinstance(message, COMMANDS):
                self._obey(sender, message)
            case _:
                kind = type(message).__name__
                raise MalformedMessage(f"{kind} is not for the supervisor")

    def _on_run(self, message: TrainerStatus | Event) -> None:
        if isinstance(message, Event):
            self._session.on_event(message)
        else:
            self._perform(self._session.on_status(message))

    def _obey(self, sender: str, message: Message) -> None:
        if isinstance(message, (StartTraining, ResumeTraining)):
            self._processes.start_trainer()
        self._perform(self._session.command(sender, message))

    def _perform(self, actions: Actions) -> None:
        for action in actions:
            if isinstance(action, Kill):
                self._children.kill(action.role)
            elif isinstance(action, Trace):
                self._children.trace(action.role)
            elif action.destination == "windows":
                self._tell(action.message)
            else:
                self._news.remember(action.message)
                self._board.send(action.destination, action.message)

    def _tell(self, message: Message) -> None:
        """Say something to all windows, and to those that come later if it lasts."""
        self._news.remember(message)
        self._board.send("windows", message)

    # ---------------------------------------------------------------- clients

    def _on_hello(self, sender: str, hello: Hello) -> None:
        if self._children.named(sender) or sender in ROLES:
            return  # it is counted as there when it is ready
        if hello.protocol != PROTOCOL:
            text = (
                f"This program speaks protocol {hello.protocol}, the engine that runs "
                f"{PROTOCOL}: close the other window and start again."
            )
            self._board.send(sender, Problem("engine.protocol", text))
            return
        self._audience.welcome(sender, hello.pid)
        for message in self._greeting():
            self._board.send(sender, message)

    def _greeting(self) -> list[Message]:
        """What a new window has to know."""
        own = ProcessState(SUPERVISOR, "ready", os.getpid())
        known = [self._session.opened, self._session.status]
        known += [self._reservation.message, *self._news.problems]
        return [own, *self._processes.states(), *known]

    def _subscribe(self, sender: str, topics: list[str]) -> None:
        self._audience.subscribe(sender, topics)
        for role in ("trainer", "stage"):
            self._board.send(role, Subscribe(topics), sender)

    def _dismiss(self, name: str) -> None:
        """A client has left: nothing is drawn for it any more."""
        self._audience.dismiss(name)
        for role in ("trainer", "stage"):
            self._board.send(role, Subscribe([]), name)

    def _on_shutdown(self, sender: str, message: Shutdown) -> None:
        """The last window says whether a run goes on without it."""
        self._dismiss(sender)
        self._leaving.add(sender)
        if len(self._audience) == 0 and not (
            message.keep_training and not self._session.resting
        ):
            self._begin_end()

    # -------------------------------------------------------------- processes

    def _on_process(self, sender: str, message: ProcessState) -> None:
        """A client says good-bye, or a process of ours has imported what it needs."""
        child = self._children.of_role(sender)
        if child is None:
            self._dismiss(sender)
            return
        child.ready = True
        if sender == SPARE:
            return
        self._tell_first(sender, child)
        self._tell(ProcessState(sender, "ready", child.process.pid))
        self._tell(Solved(f"engine.{sender}.died"))

    def _tell_first(self, role: str, child: Child) -> None:
        """Tell a process what it must know, then what has waited for it."""
        self._board.connect(role, child.identity)
        if role != "trainer":
            self._board.send(role, self._reservation.message)
        if role in ("trainer", "stage"):
            for visitor in self._audience:
                topics = Subscribe(sorted(visitor.topics))
                self._board.send(role, topics, visitor.name)
        shown, self._news.shown = self._news.shown, None
        self._perform(self._session.on_ready(role))
        if role == "stage":
            self._tell_stage(shown)
        else:
            self._news.shown = shown
        self._board.hand_over(role)

    def _tell_stage(self, shown: ShowAgent | None) -> None:
        """A restarted stage shows what was shown, to those who looked."""
        news = self._news
        if shown is not None and shown != news.shown:  # a draft, not the session's
            news.shown = shown
            self._board.send("stage", shown)
        if news.viewer is not None:
            self._board.send("stage", news.viewer)
        for visitor in self._audience:
            if "picture" in visitor.topics:
                self._board.send("stage", FrameCredit(2), visitor.name)

    def _on_ended(self, child: Child) -> None:
        """A process is gone: say so, start another one, tell the session."""
        saved = self._lifetime.ending and self._session.resting
        if saved or child.role == SPARE:
            return
        self._board.disconnect(child.role)
        self._tell(ProcessState(child.role, "died", child.process.pid))
        if not self._processes.may_replace(child.role):
            self._give_up(child)
            return
        self._tell(problems.died(child))
        another, is_spare = self._processes.replace(child.role)
        state = self._processes.state(another.role)
        self._tell(state)
        if is_spare:
            self._board.send(another.identity, state)  # this is what it becomes
        self._perform(self._session.on_died(child.role))

    def _give_up(self, child: Child) -> None:
        """It died too often: explain, and let the user decide."""
        role = child.role
        self._board.close(role)
        self._tell(Solved(f"engine.{role}.died"))
        self._tell(problems.given_up(child))
        self._tell(ProcessState(role, "gone"))
        self._perform(self._session.on_died(role))
        self._perform(self._session.on_gave_up(role))
