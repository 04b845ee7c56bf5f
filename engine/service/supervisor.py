"""The supervisor: a hub, three processes that it keeps alive, and the session's state.

Run as ``python -m engine.service.supervisor [--home FOLDER] [--private]``. It imports
neither torch nor gymnasium nor h5py, so that it starts at once and has little that
could fail.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import signal
import sys
import time
from collections.abc import Iterable
from datetime import datetime

import msgspec

from engine.contract.messages import (
    PROTOCOL,
    Answer,
    CheckpointStored,
    EvaluationFinished,
    FrameCredit,
    Hello,
    MalformedMessage,
    Message,
    Problem,
    ProcessState,
    SessionStatus,
    SetViewer,
    Shutdown,
    Solved,
    Subscribe,
    TrainerStatus,
)
from engine.contract.options import Configuration
from engine.service.audience import Audience
from engine.service.children import Child, Children, RestartRule
from engine.service.connection import (
    Connection,
    Lock,
    process_lives,
    read_connection,
    write_connection,
)
from engine.service.home import Home, find_home
from engine.service.session import COMMANDS, Session
from engine.service.session_core import Actions, Kill
from engine.service.switchboard import Head, Switchboard, head_of
from engine.service.transport import SUPERVISOR, Hub, Parcel, unpack

ROLES = ("keeper", "trainer", "stage")
LOOK_EVERY_S = 0.05
IDLE_ENDS_AFTER_S = 20.0
PAUSED_ENDS_AFTER_S = 600.0
PRIVATE_ENDS_AFTER_S = 1.0
SAVED_WITHIN_S = 120.0
"""An engine that is to end waits so long for its session to be written."""
LOCK_WITHIN_S = 10.0
END_WITHIN_S = 1.0
SPARE_AFTER_S = 2.0
"""A run has to last so long before a spare process is prepared beside it."""


class Supervisor:
    """Moves messages, watches processes and clients, and does what the session says."""

    def __init__(self, home: Home, *, private: bool = False) -> None:
        self._home, self._private = home, private
        self._hub = Hub()
        self._audience = Audience(time.monotonic)
        self._board = Switchboard(self._hub, self._audience)
        self._children = Children(home.connection_file, home.logs)
        self._rules = {role: RestartRule() for role in ROLES}
        self._session = Session(self._new_path)
        self._problems: dict[str, Problem] = {}
        self._viewer: SetViewer | None = None
        self._given_up: set[str] = set()
        self._ending = self._ended = self._had_client = False
        self._end_by = float("inf")
        self._leaving: set[str] = set()
        self._last_client_at = time.monotonic()
        self._running_since = 0.0
        self._next_look = 0.0

    # ------------------------------------------------------------------- life

    def run(self) -> None:
        """Serve until told to end, or until nobody needs this engine any more."""
        self._publish()
        for role in ROLES:
            self._children.start(role)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._begin_end())
        try:
            while not self._ended:
                self._hub.wait(LOOK_EVERY_S)
                for parcel in self._parcels():
                    self._on_parcel(parcel)
                self._look()
        finally:
            self._close()

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
        for child in self._children.ended():
            self._on_ended(child)
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + 2 * LOOK_EVERY_S
        self._perform(self._session.tick())
        for name in self._audience.gone():
            self._dismiss(name)
        self._keep_spare(now)
        self._end_if_unneeded(now)

    def _end_if_unneeded(self, now: float) -> None:
        if len(self._audience):
            self._last_client_at = now
        alone = now - self._last_client_at
        resting, paused = self._session.resting, self._session.state == "paused"
        unneeded = resting and alone > IDLE_ENDS_AFTER_S
        unneeded |= paused and alone > PAUSED_ENDS_AFTER_S
        left = self._private and self._had_client
        unneeded |= left and alone > PRIVATE_ENDS_AFTER_S
        if unneeded and not self._ending:
            self._begin_end()
        if self._ending and (resting or now > self._end_by):
            self._ended = True

    def _begin_end(self) -> None:
        """Stop and save what runs; the loop ends when that is durable."""
        if not self._ending:
            self._ending = True
            self._end_by = time.monotonic() + SAVED_WITHIN_S
            # A window that starts now must not attach to an engine that ends.
            self._home.connection_file.unlink(missing_ok=True)
            self._perform(self._session.finish_quickly())

    def _close(self) -> None:
        self._home.connection_file.unlink(missing_ok=True)
        for role in ("keeper", "stage"):  # they may have a file open
            self._board.send(role, Shutdown())
        for role in ("trainer", "spare"):
            self._children.kill(role)
        gone = ProcessState(SUPERVISOR, "gone", os.getpid())
        for name in {*self._leaving, *(it.name for it in self._audience)}:
            self._board.send(name, gone)
        self._children.end_all(END_WITHIN_S)
        self._hub.close()

    def _new_path(self, configuration: Configuration) -> str:
        name = configuration.environment.id.rsplit("/", 1)[-1].lower()
        stamp = datetime.now().strftime("%Y-%m-%d-%H%M%S")
        return str(self._home.sessions / f"{name}-{stamp}.h5")

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
            self._report_malformed(sender, error)

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
        if kind == "Ask":
            self._board.note_question(sender, to, int(head.id))
        elif kind == "Answer":
            self._board.note_answer(sender, to, int(head.id))
        elif kind == "Weights" and head.evaluate:
            self._session.on_evaluation_asked(head.step)
        elif kind == "EvaluationFinished" and sender == "stage":
            self._on_evaluated(unpack(parcel.frames))
        elif kind == "SetViewer":
            self._viewer = msgspec.convert(unpack(parcel.frames), SetViewer)
        elif kind in ("Problem", "Solved"):
            self._remember(unpack(parcel.frames))

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
                self._on_ready(sender)
            case Subscribe():
                self._subscribe(sender, message.topics)
            case Shutdown():
                self._on_shutdown(sender, message)
            case TrainerStatus() if sender == "trainer":
                self._perform(session.on_status(message))
            case SessionStatus() if sender == "keeper":
                self._perform(session.on_session(message))
            case CheckpointStored() if sender == "keeper":
                self._perform(session.on_checkpoint(message))
            case Answer():
                self._perform(session.on_answer(message))
            case _ if isinstance(message, COMMANDS):
                self._perform(session.command(sender, message))
            case _:
                kind = type(message).__name__
                raise MalformedMessage(f"{kind} is not for the supervisor")

    def _report_malformed(self, sender: str, error: Exception) -> None:
        problem = Problem(
            "engine.message.malformed",
            f"A message of {sender} was not understood and is dropped.",
            why=str(error)[:300],
            severity="warning",
        )
        self._tell(problem)

    def _perform(self, actions: Actions) -> None:
        for action in actions:
            if isinstance(action, Kill):
                self._children.kill(action.role)
            elif action.destination == "windows":
                self._tell(action.message)
            else:
                self._board.send(action.destination, action.message)

    def _tell(self, message: Message) -> None:
        """Say something to all windows, and to those that come later if it lasts."""
        self._remember(message)
        self._board.send("windows", message)

    def _remember(self, message: Message) -> None:
        if isinstance(message, Problem) and message.severity != "information":
            self._problems[message.id] = message
        elif isinstance(message, Solved):
            self._problems.pop(message.id, None)

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
        self._had_client = True
        for message in self._news():
            self._board.send(sender, message)

    def _news(self) -> list[Message]:
        """All that a new window has to know."""
        states: list[Message] = [ProcessState(SUPERVISOR, "ready", os.getpid())]
        for role in ROLES:
            child = self._children.of_role(role)
            gone = "gone" if role in self._given_up else "died"
            state = ("ready" if child.ready else "starting") if child else gone
            pid = child.process.pid if child else 0
            states.append(ProcessState(role, state, pid))
        known = [self._session.opened, self._session.status]
        return [*states, *known, *self._problems.values()]

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

    def _on_ready(self, sender: str) -> None:
        """A process has imported what it needs."""
        child = self._children.of_role(sender)
        if child is None:
            return
        child.ready = True
        if sender == "spare":
            return
        self._tell_first(sender, child)
        self._tell(ProcessState(sender, "ready", child.process.pid))
        self._tell(Solved(f"engine.{sender}.died"))

    def _tell_first(self, role: str, child: Child) -> None:
        """Tell a process what it must know, then what has waited for it."""
        self._board.connect(role, child.identity)
        for visitor in self._audience:
            if role in ("trainer", "stage"):
                self._board.send(role, Subscribe(sorted(visitor.topics)), visitor.name)
            if role == "stage" and "picture" in visitor.topics:
                self._board.send(role, FrameCredit(2), visitor.name)
        if role == "stage" and self._viewer is not None:
            self._board.send(role, self._viewer)
        self._perform(self._session.on_ready(role))
        self._board.hand_over(role)

    def _on_ended(self, child: Child) -> None:
        """A process is gone: say so, start it again, tell the session."""
        if self._ending and self._session.resting:
            return
        if child.role == "spare":
            return
        self._board.disconnect(child.role)
        self._tell(ProcessState(child.role, "died", child.process.pid))
        self._problem_of(child)
        self._perform(self._session.on_died(child.role))

    def _problem_of(self, child: Child) -> None:
        """Restart within the limit; beyond it explain, and let the user decide."""
        role, what = child.role, f"The {child.role} {child.how_it_ended()}"
        if not self._rules[role].allow(time.monotonic()):
            self._give_up(child, what)
            return
        self._replace(role)
        text = f"{what} and is being restarted; the other processes go on."
        tail = child.log_tail()
        name = f"engine.{role}.died"
        self._tell(Problem(name, text, severity="warning", details=tail))

    def _give_up(self, child: Child, what: str) -> None:
        role = child.role
        self._given_up.add(role)
        self._tell(Solved(f"engine.{role}.died"))
        problem = Problem(
            f"engine.{role}.gone",
            f"{what} for the fourth time in ten minutes and is not started again.",
            why="The last lines that it wrote are below.",
            fix="Close the lab and open it again; the session is saved.",
            fixes=[("engine.restart", "Restart the engine")],
            details=child.log_tail(),
        )
        self._tell(problem)
        self._tell(ProcessState(role, "gone"))
        self._perform(self._session.on_gave_up(role))

    def _replace(self, role: str) -> None:
        """Put the spare in its place, or start a new one."""
        spare = self._children.of_role("spare")
        if role in ("trainer", "stage") and spare is not None and spare.ready:
            spare.role, spare.ready = role, False
            self._tell(ProcessState(role, "starting", spare.process.pid))
            become = ProcessState(role, "starting", spare.process.pid)
            self._board.send(spare.identity, become)
            return
        child = self._children.start(role)
        self._tell(ProcessState(role, "starting", child.process.pid))

    def _keep_spare(self, now: float) -> None:
        """While a run goes on, have a process ready that has imported everything."""
        running = self._session.state == "running"
        self._running_since = (self._running_since or now) if running else 0.0
        if not running or self._children.of_role("spare") or self._private:
            return
        if now - self._running_since > SPARE_AFTER_S:
            self._children.start("spare")


def main() -> int:
    """Be the engine of this home, unless there is one already."""
    faulthandler.enable()
    options = argparse.ArgumentParser(description="RL Lab's engine (started by it).")
    options.add_argument("--home", default=None)
    options.add_argument("--private", action="store_true")
    arguments = options.parse_args()
    home = find_home(arguments.home)
    home.prepare()
    lock = Lock(home.lock_file)
    if not _take(lock, home):
        return 0
    Supervisor(home, private=arguments.private).run()
    lock.close()
    return 0


def _take(lock: Lock, home: Home) -> bool:
    """Get the lock; wait for an engine that is ending, yield to one that lives."""
    deadline = time.monotonic() + LOCK_WITHIN_S
    while not lock.take():
        other = read_connection(home.connection_file)
        if other is not None and process_lives(other.pid):
            return False
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


if __name__ == "__main__":
    sys.exit(main())
