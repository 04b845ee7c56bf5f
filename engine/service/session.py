"""The session in the supervisor: commands and reports in, messages to send out.

No process, no socket and no file: what happens is decided here and done elsewhere, so
that every order of events can be tried in a test.

A start goes: trainer *prepares* (checks the configuration, describes the environment)
→ keeper *creates* the store and sends ``RunTraining`` to the trainer → the stage shows
the agent → the trainer's status says *running*. A stop goes: trainer sends its last
checkpoint → keeper says that it is durable → *idle* (or *finished*) → the file is
sealed behind that.
"""

from __future__ import annotations

import json
from pathlib import PurePath, PureWindowsPath
from typing import Any

from msgspec.structs import replace

from engine.contract.catalogue import check_combination
from engine.contract.messages import (
    Answer,
    CheckpointStored,
    CloseSession,
    DiscardSession,
    EndTrainer,
    Message,
    OpenSession,
    Pause,
    Problem,
    Resume,
    ResumeTraining,
    SaveSession,
    SessionStatus,
    SetOption,
    ShowAgent,
    StartTraining,
    Stop,
    TrainerStatus,
)
from engine.contract.options import (
    Configuration,
    ConfigurationError,
    configuration_from_json,
    live_changes,
)
from engine.service.session_core import (
    SAVE_EVERY_S,
    STOP_WITHIN_S,
    Actions,
    Kill,
    Send,
    Then,
    but_for_steps,
)
from engine.service.session_recovery import SessionRecovery, budget_of
from engine.service.states import ACTIVE, LEGAL, RESTING, Refused, check_legal

EVALUATIONS_WITHIN_S = 60.0
"""A run that has ended is sealed when its last evaluations are in, or after this."""

COMMANDS = tuple(LEGAL)


class Session(SessionRecovery):
    """One session at a time: what it is, what it does, and what comes next."""

    # ----------------------------------------------------------------- commands

    def command(self, sender: str, message: Message) -> Actions:
        """What follows from a command; a refusal is a Problem for its sender."""
        try:
            check_legal(message, self.state)
            return self._obey(sender, message)
        except Refused as refused:
            problem = refused.problem
        except ConfigurationError as error:
            problem = Problem("engine.configuration", str(error))
        return [
            Send(sender or "windows", problem),
            Send(sender or "windows", self.status),
        ]

    def _obey(self, sender: str, message: Message) -> Actions:
        match message:
            case StartTraining():
                return self._start(sender, message)
            case ResumeTraining():
                return self._continue(sender, message)
            case OpenSession():
                return self._open(sender, message)
            case CloseSession():
                return self._close()
            case SaveSession():
                return self._save(sender, message)
            case DiscardSession():
                return self._discard(sender, message)
            case SetOption():
                return self._set_option(message)
            case EndTrainer():
                return [Kill("trainer")]
        return self._steer(message)

    def _steer(self, message: Message) -> Actions:
        """What the trainer does, once we have said so."""
        if isinstance(message, Stop):
            return self._stop()
        actions: Actions = []
        if isinstance(message, Pause):
            actions = self._enter("pausing")
        elif isinstance(message, Resume):
            actions = self._enter("running")
        return [*actions, Send("trainer", message)]

    def _start(self, sender: str, message: StartTraining) -> Actions:
        configuration = configuration_from_json(message.configuration)
        check_combination(configuration)
        self._check_not_busy()
        source = configuration.training.offline
        # What is recorded names the session that is learned from, but no folder.
        name = PureWindowsPath(PurePath(source).name).name
        configuration = configuration.with_options({"training.offline": name})
        actions = self._begin(configuration)
        text = configuration.to_json()
        arguments: dict[str, Any] = {
            "configuration": text,
            "path": message.path or self._new_path(configuration),
            "overwrite": message.overwrite,
            "paused": message.paused,
            "offline_source": source,
        }

        def create(prepared: Answer) -> Actions:
            card = {"card": prepared.result.get("card", {})}
            return self._ask_run(sender, "create", arguments | card)

        then = self._or_refuse(sender, create)
        return [
            *actions,
            *self._ask("trainer", "prepare", {"configuration": text}, then),
        ]

    def _continue(self, sender: str, message: ResumeTraining) -> Actions:
        self._check_not_busy()
        arguments: dict[str, Any] = {
            "path": message.path,
            "steps": message.steps,
            "until": budget_of(message.changes),
            "lost": message.reached > 0,
            "paused": message.paused,
        }
        actions = self._begin(None)
        self._died_at = message.reached or None
        self._engine_died = message.reached > 0
        self._changed |= message.changes
        return [*actions, *self._ask_run(sender, "resume", arguments)]

    def _begin(self, configuration: Configuration | None) -> Actions:
        """Enter *starting*; what waits to be sealed is sealed without delay."""
        actions = self._seal_now() if self._seal_by is not None else []
        self._forget()
        self.configuration = configuration
        budget = configuration.training.steps if configuration else 0
        self.status = TrainerStatus("idle", steps_budget=budget)
        return [*actions, *self._enter("starting")]

    def _ask_run(
        self, sender: str, question: str, arguments: dict[str, Any]
    ) -> Actions:
        """Have the keeper open a store and send the run to the trainer."""
        self._begins_paused = bool(arguments["paused"])
        then = self._or_refuse(sender, self._created)
        return self._ask("keeper", question, arguments, then)

    def _or_refuse(self, sender: str, then: Then) -> Then:
        """Go on if the answer is good; else the start is off."""

        def on_answer(answer: Answer) -> Actions:
            if not answer.error:
                return then(answer)
            problem = Problem("engine.start", answer.error)
            return [Send(sender or "windows", problem), *self._enter("idle")]

        return on_answer

    def _created(self, answer: Answer) -> Actions:
        """The store is there, and the run is on its way to the trainer."""
        self._delivered = True
        self._heard_at = self._clock()
        self._cuts += 1
        self._until = int(answer.result.get("until", 0))
        self._take_over(answer.result)
        actions = [*self._take_changes(), *self._show(answer.result)]
        if not self._reached:
            return [*actions, *self._start_recovery()]
        actions += self._set_again()
        if self._engine_died:
            actions += self._tell_loss(self.opened.durable_step)
        if self.state == "stopping":  # it was stopped before it began
            actions.append(Send("trainer", Stop()))
        return actions

    def _show(self, result: dict[str, Any]) -> Actions:
        actions: Actions = [Send("windows", self.opened), Send("stage", self.opened)]
        if self.opened.configuration:
            actions.append(Send("stage", ShowAgent(self.opened.options)))
        if note := str(result.get("note", "")):
            information = Problem("engine.session.note", note, severity="information")
            actions.append(Send("windows", information))
        return actions

    def _open(self, sender: str, message: OpenSession) -> Actions:
        self._check_not_busy()
        actions = self._seal_now() if self._seal_by is not None else []

        def opened(answer: Answer) -> Actions:
            if answer.error:
                problem = Problem("engine.open", answer.error)
                return [Send(sender or "windows", problem)]
            self._forget()
            self.state = "idle"
            self._take_over(answer.result)
            self.status = TrainerStatus("idle", step=self.opened.durable_step)
            return [*self._show(answer.result), Send("windows", self.status)]

        arguments = {"path": message.path}
        return [*actions, *self._ask("keeper", "open", arguments, opened)]

    def _close(self) -> Actions:
        if self.state in ACTIVE:
            self._close_after = True
            return self._stop()
        self._check_not_busy()
        return self._let_go()

    def _let_go(self) -> Actions:
        if not self.is_open():
            return []
        actions = self._seal_now() if self._seal_by is not None else []
        return [*actions, *self._ask("keeper", "close", {}, self._closed)]

    def _closed(self, answer: Answer) -> Actions:
        if self.state in ACTIVE:  # a new run has begun in the meantime
            return []
        if answer.error:  # that keeper has died; the next one is asked again
            self._close_after = True
            return []
        self._forget()
        self.configuration, self.opened = None, SessionStatus()
        self._in_live_store = False
        self.state, self.status = "idle", TrainerStatus("idle")
        told = [Send(who, self.opened) for who in ("windows", "stage")]
        return [*told, Send("windows", self.status)]

    def _save(self, sender: str, message: SaveSession) -> Actions:
        if not self.is_open():
            text = "There is no session to save: press Train first."
            raise Refused(Problem("engine.save", text, severity="warning"))
        if self.state in RESTING:
            return self._seal(sender, message)
        self._saves.append((sender, message))
        return [Send("trainer", message)]

    def _discard(self, sender: str, message: DiscardSession) -> Actions:
        def discarded(answer: Answer) -> Actions:
            if not answer.error:
                return []
            return [Send(sender or "windows", Problem("engine.discard", answer.error))]

        return self._ask("keeper", "discard", {"path": message.path}, discarded)

    def _stop(self) -> Actions:
        self._stop_by = self._clock() + STOP_WITHIN_S
        actions = self._enter("stopping")
        if self._recovering:
            return [*actions, *self._recover()]
        return [*actions, Send("trainer", Stop())] if self._delivered else actions

    def _set_option(self, message: SetOption) -> Actions:
        if self.configuration is None:
            text = "The option cannot change now: a run is starting."
            raise Refused(Problem("engine.command.SetOption", text, severity="warning"))
        try:
            value = json.loads(message.value)
        except ValueError as error:
            text = f"The value of {message.key} is not JSON: {error}."
            raise Refused(Problem("engine.option", text)) from error
        changed = self.configuration.with_options({message.key: value})
        live_changes(self.configuration, changed)
        check_combination(changed)
        self.configuration = changed
        self._changed[message.key] = message.value
        if message.key == "training.steps":
            self._until = int(value)
        return [Send("trainer", message), Send("stage", message)]

    def _check_not_busy(self) -> None:
        if self._asked("open", "close", "create", "resume", "prepare"):
            text = "Another session is just being opened or closed."
            fix = "Try again in a moment."
            raise Refused(Problem("engine.busy", text, fix=fix, severity="warning"))

    # ------------------------------------------------------------- what is heard

    def on_status(self, reported: TrainerStatus) -> Actions:
        """The trainer's word about the run; the state that windows see is ours."""
        return [*self.heard(), *self._take_status(reported)]

    def _take_status(self, reported: TrainerStatus) -> Actions:
        if self.state in RESTING or not self._delivered or self._recovering:
            return []
        if reported.state == "starting":  # it builds its loop and knows nothing yet
            return []
        self.status = replace(reported, state=self.state)
        if reported.state == "failed":
            return self._fail()
        if reported.state == "finished" and self.state != "stopping":
            return self._finish()
        if reported.state in ("running", "paused") and self.state == "starting":
            return self._enter(reported.state)
        if reported.state == "paused" and self.state == "pausing":
            return self._enter("paused")
        return [Send("windows", self.status)]

    def on_checkpoint(self, stored: CheckpointStored) -> Actions:
        """A checkpoint is durable: what waited for it goes on."""
        if stored.reason == "stop":
            self._stop_stored = True
            return self._conclude() if self.state == "stopping" else []
        if stored.reason == "pause" and self.state in ("pausing", "paused"):
            return self._seal("", SaveSession())
        if stored.reason == "save":
            saves, self._saves = self._saves, []
            return [it for sender, save in saves for it in self._seal(sender, save)]
        return []

    def on_session(self, status: SessionStatus) -> Actions:
        """The keeper's word about what is durable; stale ones are not passed on."""
        if status.path != self.opened.path or not status.path:
            return []
        self._in_live_store = status.live
        before = self.opened
        known = replace(status, cuts=self._cuts, options=before.options)
        self.opened = self._as_it_is(known)
        actions: Actions = [Send("windows", self.opened)]
        another = but_for_steps(self.opened) != but_for_steps(before)
        # For the stage a run lives until its last evaluations are written; in its file
        # the session has fewer checkpoints then.
        if another and not self.opened.unwritten:
            actions.append(Send("stage", self.opened))
        return actions

    def on_evaluation_asked(self, step: int) -> None:
        """The trainer has sent weights that are to be evaluated."""
        self._evaluating.add(step)

    def on_evaluation_finished(self, step: int) -> Actions:
        """The stage has played these; the file of an ended run waits for the last."""
        self._evaluating.discard(step)
        if self._seal_by is not None and not self._evaluating:
            return self._seal_when_possible()
        return []

    def tick(self) -> Actions:
        """What is due by the clock."""
        now = self._clock()
        under_way = self._delivered or self._prepares
        if self.state == "stopping" and under_way and now > self._stop_by:
            self._stop_by = now + STOP_WITHIN_S
            return [Kill("trainer")]
        if self._seal_by is not None and now > self._seal_by:
            return self._seal_when_possible()
        actions = [*self.look_for_stall(), *self.look_for_stuck_stage()]
        if self.state == "running" and now > self._save_at:
            self._save_at = now + SAVE_EVERY_S
            actions += self._save("", SaveSession())
        return actions

    def _finish(self) -> Actions:
        """The budget is used up; the last checkpoint is on its way."""
        self._ends_as = "finished"
        self._stop_by = self._clock() + STOP_WITHIN_S
        actions = self._enter("stopping")
        return [*actions, *self._conclude()] if self._stop_stored else actions

    def _conclude(self) -> Actions:
        self._stop_by = float("inf")
        actions = self._enter(self._ends_as)
        self._seal_by = self._clock() + EVALUATIONS_WITHIN_S
        if self._close_after or not self._evaluating:
            actions += self._seal_when_possible()
        return actions + self._let_go() if self._close_after else actions

    def finish_quickly(self) -> Actions:
        """The engine is to end: stop and save what runs, wait for no evaluation."""
        self._evaluating.clear()
        if self.state in ACTIVE and self.state != "stopping":
            return self._stop()
        return self._seal_when_possible() if self._seal_by is not None else []
