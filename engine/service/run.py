"""One run in the trainer: the loop in small slices, and what is told to whom when."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from engine.contract.account import LOOP, OTHER, RECORDING, TELEMETRY, WAITING
from engine.contract.messages import (
    Advance,
    Event,
    Problem,
    Rows,
    RunState,
    Solved,
    Weights,
)
from engine.service.loop import Loop
from engine.service.loop_state import checkpoint_of
from engine.service.outbox import Outbox
from engine.service.time_ledger import TimeLedger
from engine.service.transport import SUPERVISOR, WINDOWS, Line

SLICE_S = 0.02
ROWS_EVERY_S = 0.04
STATUS_EVERY_S = 1 / 30
WEIGHTS_EVERY_S = 1.0
PRIORITIES_EVERY_S = 0.2
ACCOUNT_EVERY_S = 1.0
RECOVERY_EVERY_S = 10.0
HOLD_S = 0.05
MOST_EVALUATIONS = 4
"""Weights under evaluation that are kept for a restarted stage."""


class Run:
    """Advances a loop and keeps everybody informed.

    Attributes:
      state: ``running``, ``paused``, ``stopping`` (it has ended here and its last
        checkpoint is on its way), ``finished`` or ``failed``.
      outbox: What the keeper has not confirmed yet.
    """

    def __init__(
        self,
        line: Line,
        loop: Loop,
        *,
        uuid: str = "",
        first_row: int = 0,
        paused: bool = False,
        failure: Callable[[Exception], Problem] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._line, self._loop, self._clock = line, loop, clock
        self._uuid = uuid
        self._failure = failure or unexpected
        self.outbox = Outbox(line, first_row)
        self.state: RunState = "paused" if paused else "running"
        self._holding = self._waiting = False
        self._compiled = loop.compiled
        self._told_step = -1
        self._weights_step = -1
        self._evaluated_step = -1
        self._evaluations: dict[int, Weights] = {}
        self._own_events: list[Event] = []
        self._ledger = TimeLedger(loop, self.outbox, clock)
        self._watch = self._ledger.watch
        now = clock()
        due = ("rows", "status", "weights", "priorities", "account")
        self._due = dict.fromkeys(due, now)
        self._due["recovery"] = now + RECOVERY_EVERY_S
        self._tell_status()

    @property
    def active(self) -> bool:
        """It can still be advanced."""
        return self.state in ("running", "paused")

    def begin(self) -> None:
        """A fresh run has a checkpoint at its first step."""
        self._flush()
        self._checkpoint("start")

    # ------------------------------------------------------------------ cycles

    def cycle(self, *, priorities_wanted: bool, account_wanted: bool = False) -> float:
        """A slice of training and what is due; returns seconds that may be waited."""
        self._ledger.go(self.state == "running", WAITING if self._holding else OTHER)
        wanted = priorities_wanted, account_wanted
        if self._hold():
            return HOLD_S
        if self.state != "running":
            self._inform(*wanted)
            return HOLD_S
        try:
            self._slice()
        except Exception as error:
            # Environments are other people's code: whatever they raise ends the run
            # in order, with all that is recorded.
            self._fail(error)
            return HOLD_S
        self._inform(*wanted)
        if self._loop.finished and self.state == "running":
            self._finish()
        return 0.0

    def _slice(self) -> None:
        """Train for a moment, exactly up to where something is due by step."""
        options, before = self._loop.configuration, self._loop.step
        periods = [options.recording.checkpoint_period, options.evaluation.period]
        bounds = [it - before % it for it in periods if it]
        self._tell_waiting(not self._loop.is_ready())
        self._watch.lap(OTHER)
        self._loop.advance(steps=min(bounds, default=None), seconds=SLICE_S)
        self._watch.lap(LOOP)
        if self._compiled != self._loop.compiled:
            self._compiled = self._loop.compiled
            # Whoever goes on from here goes on in the same form.
            self._flush()
            self._checkpoint("recovery")
        due = [bool(it) and self._loop.step // it > before // it for it in periods]
        if any(due):
            self._flush()
            self._checkpoint("periodic")
        if due[1]:
            self._evaluate()

    def _tell_waiting(self, waits: bool) -> None:
        """Nobody should wonder why no step is made."""
        if waits == self._waiting:
            return
        self._waiting = waits
        self._line.send(WINDOWS, _COMPILING if waits else Solved(_COMPILING.id))

    def _inform(self, priorities_wanted: bool, account_wanted: bool) -> None:
        if self._is_due("rows", ROWS_EVERY_S):
            self._flush()
        if self._is_due("status", STATUS_EVERY_S):
            self._tell_status()
        if self._loop.step != self._weights_step and self._is_due(
            "weights", WEIGHTS_EVERY_S
        ):
            self._send_weights(evaluate=False)
        if priorities_wanted and self._is_due("priorities", PRIORITIES_EVERY_S):
            report = replace(self._loop.priorities(), run=self._uuid)
            self._line.send(WINDOWS, report)
            self._watch.lap(TELEMETRY)
        if self._is_due("account", ACCOUNT_EVERY_S):
            self._ledger.keep()
            if account_wanted:
                self._tell_account()
        if self.state == "running" and self._is_due("recovery", RECOVERY_EVERY_S):
            self._flush()
            self._checkpoint("recovery")

    def _is_due(self, what: str, every_s: float) -> bool:
        now = self._clock()
        if now < self._due[what]:
            return False
        self._due[what] = now + every_s
        return True

    def _hold(self) -> bool:
        """Wait, without asking anybody, while the keeper is too far behind."""
        if not self._holding and self.outbox.is_full:
            self._holding = True
            self._line.send(WINDOWS, _KEEPER_BEHIND)
        elif self._holding and self.outbox.is_eased:
            self._holding = False
            self._line.send(WINDOWS, Solved(_KEEPER_BEHIND.id))
        return self._holding

    # ---------------------------------------------------------------- commands

    def pause(self) -> None:
        """Hold after the step under way; the state is durable soon."""
        if self.state == "running":
            self.state = "paused"
            self._note("Paused")
            self._flush()
            self._checkpoint("pause")
        self._tell_status()

    def resume(self) -> None:
        """Go on."""
        if self.state == "paused":
            self.state = "running"
            self._note("Resumed")
        self._tell_status()

    def advance(self, unit: Advance) -> None:
        """While paused: one step, or to the end of the episode."""
        if self.state != "paused":
            return
        if not self._loop.is_ready():
            self._flush()
            return
        try:
            if unit.unit == "step":
                self._loop.advance(steps=1)
            else:
                self._loop.advance(until_episode_end=True)
        except Exception as error:  # as in cycle()
            self._fail(error)
            return
        self._flush()
        if self._loop.finished:
            self._finish()
        self._tell_status()

    def save(self) -> None:
        """A checkpoint for a file that is to be written now."""
        if self.active:
            self._flush()
            self._checkpoint("save")

    def stop(self) -> None:
        """End here, with a last checkpoint."""
        if self.active:
            self.state = "stopping"
            self._note("Stopped")
            self._flush()
            self._checkpoint("stop")
            self._send_weights(evaluate=False)
        self._tell_status()

    def set_option(self, key: str, value: Any) -> None:
        """Change a live option; it leaves an event.

        Raises:
          ConfigurationError: If it is refused.
        """
        self._loop.set_option(key, value)
        self._flush()

    # ------------------------------------------------------ those who come back

    def on_keeper_back(self) -> None:
        """A restarted keeper has lost what it had not stored."""
        self.outbox.send_again()

    def on_stage_back(self) -> None:
        """A restarted stage has no weights, and forgot what it was to evaluate."""
        self._send_weights(evaluate=False)
        for weights in self._evaluations.values():
            self._line.send("stage", weights)

    def on_evaluated(self, step: int) -> None:
        """The stage has played these weights."""
        self._evaluations.pop(step, None)

    # ------------------------------------------------------------ what is told

    def _finish(self) -> None:
        """The budget is used up."""
        self.state = "finished"
        self._note("Finished")
        self._flush()
        if self._evaluated_step != self._loop.step:
            self._evaluate()
        self._checkpoint("stop")
        self._tell_status()

    def _fail(self, error: Exception) -> None:
        """The loop cannot be advanced any more; what it has recorded is kept."""
        self.state = "failed"
        sys.stderr.write("".join(traceback.format_exception(error)))
        self._line.send(WINDOWS, self._failure(error))
        self._note("Failed")
        self._flush()
        self._tell_status()

    def _note(self, what: str) -> None:
        step = self._loop.step
        text = f"{what} at step {step:,}."
        self._own_events.append(Event("state", step, text, time.time()))

    def _flush(self) -> None:
        """Send everything that is new since the last time."""
        drained = self._loop.drain()
        events, self._own_events = [*drained.events, *self._own_events], []
        step = self._loop.step
        fresh = drained.scalars or drained.finished or drained.episodes or events
        if not fresh and not drained.replay and step == self._told_step:
            return
        self._told_step = step
        rows = Rows(
            source="trainer",
            number=self.outbox.next_row,
            step=step,
            scalars=drained.scalars,
            finished=drained.finished,
            episodes=drained.episodes,
            replay=drained.replay,
            events=events,
        )
        self.outbox.send_rows(rows)
        self._watch.lap(RECORDING)
        news = [drained.scalars] if drained.scalars else []
        for event in events:
            if event.kind == "option":
                for who in (SUPERVISOR, "stage"):
                    self._line.send(who, event)
        for message in (*news, *drained.finished, *events):
            self._line.send(WINDOWS, message)
        self._watch.lap(TELEMETRY)

    def _checkpoint(self, reason: str) -> None:
        rows = self.outbox.next_row - 1
        try:
            checkpoint = checkpoint_of(self._loop, reason, rows)
        except Exception as error:
            # On a GPU an update tells only now that it was none.
            self._fail(error)
            return
        self.outbox.send_checkpoint(checkpoint)
        self._watch.lap(RECORDING)
        self._due["recovery"] = self._clock() + RECOVERY_EVERY_S

    def _evaluate(self) -> None:
        self._evaluated_step = self._loop.step
        weights = self._send_weights(evaluate=True)
        self._evaluations[weights.step] = weights
        while len(self._evaluations) > MOST_EVALUATIONS:
            self._evaluations.pop(next(iter(self._evaluations)))

    def _send_weights(self, *, evaluate: bool) -> Weights:
        self._weights_step = self._loop.step
        weights = Weights(
            step=self._loop.step,
            update=self._loop.update,
            arrays=self._loop.weights(),
            evaluate=evaluate,
        )
        self._line.send("stage", weights)
        self._watch.lap(TELEMETRY)
        return weights

    def _tell_status(self) -> None:
        status = replace(self._loop.status(), state=self.state)
        if self.state != "running":
            status = replace(status, steps_per_s=0.0, updates_per_s=0.0)
        self._line.send(SUPERVISOR, status)
        self._watch.lap(TELEMETRY)

    def _tell_account(self) -> None:
        """Where the time went lately, and what is in memory; to whoever looks."""
        for message in self._ledger.reports():
            self._line.send(WINDOWS, replace(message, run=self._uuid))
        self._watch.lap(TELEMETRY)


def unexpected(error: Exception) -> Problem:
    """The message for an error that nobody has foreseen."""
    return Problem(
        id="training.error",
        what=f"Training ended with an error: {type(error).__name__}: {error}",
        why="This was not foreseen.",
        fix="The last checkpoint is kept: continue from it, or report the details.",
        details="".join(traceback.format_exception(error)),
    )


_KEEPER_BEHIND = Problem(
    id="engine.keeper.behind",
    what="Training waits for the disk.",
    why="Recording is so far behind that its memory is full.",
    fix="It goes on by itself; free the disk, or record less.",
    severity="warning",
)
_COMPILING = Problem(
    id="training.compiling",
    what="Training waits for its updates to be compiled.",
    why="They are to be compiled from the first on, which takes some 20 seconds.",
    fix="It goes on by itself; with Compiled updates on auto it begins at once.",
    severity="information",
)
