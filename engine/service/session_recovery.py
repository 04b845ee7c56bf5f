"""Deaths and returns of the processes, as the session sees them."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod

from msgspec.structs import replace

from engine.contract.combinations import check_combination
from engine.contract.foreign_call import MAKE
from engine.contract.messages import (
    Answer,
    Event,
    Problem,
    ProcessState,
    RunState,
    SetOption,
    ShowAgent,
    Solved,
    Stop,
)
from engine.contract.options import Configuration, live_changes
from engine.service.problems import STALLED, stage_stuck, stalled
from engine.service.session_core import Actions, Kill, Send, SessionCore, Trace
from engine.service.states import ACTIVE, RESTING

MAKING = 6
"""So many times as long as a step may take, an environment may take to be made."""
WATCHED: frozenset[RunState] = frozenset({"starting", "running", "pausing", "paused"})


class SessionRecovery(SessionCore, ABC):
    """What a death interrupts, and what a restarted process must be told."""

    def heard(self) -> Actions:
        """The trainer has said something, whatever it was."""
        self._heard_at = self._clock()
        if not self._stalled:
            return []
        self._stalled = False
        return [Send("windows", Solved(STALLED))]

    @property
    def _prepares(self) -> bool:
        """The trainer makes the environment of a run that is to start."""
        return "trainer" in self.ready and self._asked("prepare")

    def look_for_stall(self) -> Actions:
        """Say once that the trainer is silent; a person decides what follows."""
        if self._stalled or self._recovering:
            return []
        if not self._delivered and not self._prepares:
            return []
        if self.state not in WATCHED or self.configuration is None:
            return []
        limit = self.configuration.training.stall_limit
        if self._clock() - self._heard_at < limit:
            return []
        self._stalled = True
        told = stalled(self._call("trainer"), limit)
        return [Trace("trainer"), Send("windows", told)]

    def look_for_stuck_stage(self) -> Actions:
        """End a stage that hangs in a call: it holds nothing that could be lost."""
        call, now = self._call("stage"), self._clock()
        if call != self._stage_call:
            self._stage_call, self._stage_in_it_since = call, now
            self._stage_ends = False
        if call is None:
            return []
        if self._stage_ends:  # it has had the time to write down where it is
            self._stage_ends, self._stage_in_it_since = False, now
            return [Kill("stage")]
        options = self.configuration or Configuration()
        limit = options.training.stall_limit * (MAKING if call.call == MAKE else 1)
        if now - self._stage_in_it_since < limit:
            return []
        self._stage_ends = True
        return [Trace("stage"), Send("windows", stage_stuck(call, limit))]

    def on_died(self, role: str) -> Actions:
        """A process is gone; its questions will not be answered."""
        self.ready.discard(role)
        actions = self._drop_questions(role)
        if role == "trainer":
            self._reached = False
            actions += self.heard()
            if self.state in ACTIVE and self._delivered:
                if self._died_at is None:  # else there is a loss still to be told
                    self._died_at = self.status.step
                actions += self._start_recovery()
        return actions

    def on_run_sent(self, *, reached: bool) -> None:
        """The keeper has sent a run to the trainer, and there was one, or not."""
        self._reached = reached

    def on_gave_up(self, role: str) -> Actions:
        """It died too often; what cannot go on without it ends."""
        self.ready.discard(role)
        if role == "stage":
            self._evaluating.clear()
        if role == "keeper":  # nobody is left who could seal
            self._seal_by, self._seal_again = None, False
        if role == "stage" or self.state in RESTING:
            return []
        self._recovering = False
        if role == "trainer":
            return self._fail()
        return [*self._enter("failed"), Kill("trainer")]

    def on_ready(self, role: str) -> Actions:
        """A process can be spoken to; a restarted one is told what it must know."""
        self.ready.add(role)
        if role == "keeper" and self.is_open():
            live = self.state in ACTIVE or self._seal_by is not None
            live |= self._seal_again
            arguments = {"path": self.opened.path, "live": live}
            return self._ask("keeper", "attach", arguments, self._attached)
        if role == "stage":
            return self._tell_stage()
        self._heard_at = self._clock()
        return self._recover() if role == "trainer" else []

    def _tell_stage(self) -> Actions:
        actions: Actions = [Send("stage", self.opened)]
        if self.opened.configuration:
            actions.append(Send("stage", ShowAgent(self.opened.options)))
        return [*actions, Send("trainer", ProcessState("stage", "ready"))]

    def _attached(self, answer: Answer) -> Actions:
        """A restarted keeper has the store again: unconfirmed rows are sent again."""
        if answer.error:
            problem = Problem("engine.keeper.attach", answer.error)
            failed = self._enter("failed") if self.state in ACTIVE else []
            return [Send("windows", problem), *failed]
        again = ProcessState("keeper", "ready")
        actions: Actions = [Send("trainer", again), Send("stage", again)]
        if self._seal_by is not None or self._seal_again:
            self._seal_again = False
            actions += self._seal_now()
        if self._close_after and self.state in RESTING:
            actions += self._let_go()
        return [*actions, *self._recover()]

    def _start_recovery(self) -> Actions:
        self._recovering = True
        return self._recover()

    def _recover(self) -> Actions:
        """Go back to the last durable state, once trainer and keeper are there.

        A run that was being stopped needs no trainer for that: it ends there.
        """
        stopping = self.state == "stopping"
        needs = {"keeper"} if stopping else {"keeper", "trainer"}
        if not self._recovering or self.state not in ACTIVE:
            return []
        if self._asked("recover", "attach"):
            return []
        if not needs <= self.ready:
            return []
        paused = self.state in ("pausing", "paused")
        paused |= self.state == "starting" and self._begins_paused
        arguments = {"paused": paused, "run": not stopping, "until": self._until}
        return self._ask(
            "keeper",
            "recover",
            arguments,
            lambda answer: self._recovered(answer, runs=not stopping),
        )

    def _recovered(self, answer: Answer, *, runs: bool) -> Actions:
        """The store is back at its last state; ``runs``: so is the trainer, soon."""
        self._recovering = False
        self.heard()
        if self.state not in ACTIVE:  # its last checkpoint was durable after all
            return []
        if answer.error:
            problem = Problem("engine.trainer.recovery", answer.error)
            return [Send("windows", problem), *self._fail()]
        if runs and not self._reached:  # it died again meanwhile
            self._recovering = True
            return self._recover()
        step = int(answer.result.get("step", 0))
        self.status = replace(self.status, step=step)
        # One that begins anew, as no state of it was durable, is another session.
        uuid = str(answer.result.get("uuid") or self.opened.uuid)
        self.opened = replace(self.opened, uuid=uuid)
        actions = [*self._tell_cut(step), *self._tell_loss(step)]
        if self.state == "stopping":
            end = [Send("trainer", Stop())] if runs else self._conclude()
            return [*actions, *end]
        if self.state == "pausing":
            actions += self._enter("paused")
        return [*actions, *self._set_again()]

    def _set_again(self) -> Actions:
        """The options that were changed since the state that it goes on from."""
        changes = [SetOption(key, it) for key, it in self._changed.items()]
        return [Send(who, it) for who in ("trainer", "stage") for it in changes]

    def _take_changes(self) -> Actions:
        """The options that a resumed run begins with, in an order that goes.

        They are taken one by one, so of two that belong together one has to be first.
        What is refused is told, and left out.
        """
        assert self.configuration is not None
        if self._until:
            self._changed["training.steps"] = str(self._until)
        left, self._changed = self._changed, {}
        refused: Actions = []
        while left:
            before = dict(left)
            for key, text in before.items():
                try:
                    value = json.loads(text)
                    changed = self.configuration.with_options({key: value})
                    if changed != self.configuration:
                        live_changes(self.configuration, changed)
                        check_combination(changed)
                        self._changed[key] = text
                except ValueError as error:  # also ConfigurationError
                    refused.append(
                        Send("windows", Problem("engine.option", str(error)))
                    )
                    continue
                self.configuration = changed
                del left[key]
            if left == before:
                return refused
            refused = []
        return []

    def _tell_cut(self, step: int) -> Actions:
        """What was recorded after this step is recorded again."""
        self._cuts += 1
        self.opened = replace(self.opened, durable_step=step, cuts=self._cuts)
        return [Send(who, self.opened) for who in ("windows", "stage")]

    def _tell_loss(self, step: int) -> Actions:
        """One sentence, for now and for the list of events."""
        if self._died_at is None:  # it had only not been there yet
            return [Send("windows", self.status)]
        again, self._died_at = max(0, self._died_at - step), None
        who = "trainer ended unexpectedly"
        if self._engine_died:  # or was ended by a person
            who, self._engine_died = "engine was started again", False
        if self.state == "stopping":
            text = f"The {who.split()[0]} ended before it had stopped: the run ends"
            text, loss = f"{text} at {step:,}", f", {again:,} steps earlier."
        else:
            text = f"The {who} and is back at step {step:,}"
            loss = f": {again:,} steps are trained again."
        text += loss if again else "; no step is lost."
        event = Event("recovery", step, text, time.time())
        told = Problem("engine.trainer.recovered", text, severity="information")
        return [
            Send("windows", told),
            Send("windows", event),
            Send("keeper", event),
            Send("windows", self.status),
        ]

    def _drop_questions(self, role: str) -> Actions:
        """Answer our own open questions to a dead process with a sentence."""
        dropped = [n for n, q in self._questions.items() if q.target == role]
        sentence = f"The {role} ended while it worked on this. Try again."
        actions: Actions = []
        for number in dropped:
            question = self._questions.pop(number)
            if question.final:
                self._seal_again = True  # asked of the next keeper
            elif question.name not in ("recover", "attach"):
                actions += question.then(Answer(number, error=sentence))
        return actions

    # ----------------------------------------------------------- end of the run

    def _fail(self) -> Actions:
        return [*self._enter("failed"), *self._seal_when_possible()]

    @abstractmethod
    def _conclude(self) -> Actions:
        """Its last checkpoint is durable: the run has ended."""

    @abstractmethod
    def _let_go(self) -> Actions:
        """Let go of the session."""

    def _seal_when_possible(self) -> Actions:
        """Now, or when a keeper is there again."""
        self._seal_by = self._clock()
        keeper = "keeper" in self.ready and not self._asked("attach")
        return self._seal_now() if keeper else []


def budget_of(changes: dict[str, str]) -> int:
    """The step up to which a run with these options goes; 0 where they say nothing."""
    text = changes.get("training.steps", "")
    return int(text) if text.isdecimal() else 0
