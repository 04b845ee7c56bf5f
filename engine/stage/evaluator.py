"""Evaluations of the weights that the trainer sends, one after the other.

Where several wait, the newest goes first, for it says how training stands now; those
that were left behind are filled in when there is time. So all that depends on the
order of evaluations goes by their steps. What waited in an engine that was lost is
made up for last of all, with the weights that the session holds.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Generator
from typing import Any

from engine.contract.arrays import network_arrays
from engine.contract.messages import (
    EpisodeFinished,
    EvaluationFinished,
    Problem,
    Weights,
)
from engine.contract.options import Configuration
from engine.stage.cache import array_bytes
from engine.stage.evaluation import EvaluationResult, evaluation_job
from engine.stage.jobs import (
    JobQueue,
    Priority,
    RequestFailed,
    Send,
    ask,
    at_leisure,
)
from engine.stage.minds import Mind
from engine.stage.rows import RowLog
from engine.stage.sitting import Sitting, sitting_job
from engine.stage.world import WorldProblem

OWNER = "evaluator"
MISSED_OWNER = "evaluator.missed"
FRAMES_OWNER = "evaluator.frames"
PERIOD = "evaluation.period"
MOST_WAITING = 64
MOST_BYTES = 256 * 2**20
"""Weights that may wait; a computer so slow gets some evaluations left out."""
FRAMES_SHARE = 0.2
"""Of the time goes into pictures while weights come, for training needs its cores."""
QUIET_AFTER_S = 2.0
"""Weights come each second, so that none for so long means that nothing trains."""


class Evaluator:
    """Evaluates, says which weights were best so far, records the first episode.

    Attributes:
      configuration: Of the run; its live options may change.
      mind: Whose weights are exchanged for each evaluation; None until there is
        a network.
      weights_at: When the trainer has sent weights last, on the monotonic clock.
    """

    def __init__(
        self, configuration: Configuration, jobs: JobQueue, rows: RowLog, send: Send
    ) -> None:
        self.configuration = configuration
        self.mind: Mind | None = None
        self._jobs, self._rows, self._send = jobs, rows, send
        self._waiting: deque[Weights] = deque()
        self._best = (-math.inf, -1)
        self._asked = self._ended = False
        self._missed: list[int] = []
        self._making_up: int | None = None
        self._left_out: set[int] = set()
        self._busy = False
        self._sitting: Sitting | None = None
        self.weights_at = -math.inf

    def add(self, weights: Weights) -> None:
        """Evaluate these weights as soon as what is under way is done.

        What is made up for waits, as whoever ends a run waits for these.
        """
        self._stop_making_up()
        self._waiting.append(weights)
        self._missed = [it for it in self._missed if it != weights.step]
        size = max(1, array_bytes(weights.arrays))
        while len(self._waiting) > max(1, min(MOST_WAITING, MOST_BYTES // size)):
            left_out = self._waiting.popleft()
            self._left_out.add(left_out.step)
            self._send(_left_out(left_out.step), "windows")
        self.go_on()

    def go_on(self) -> None:
        """Start the next evaluation if there is one and a network for it."""
        if self._busy or self.mind is None or not (self._waiting or self._missed):
            return
        self._busy = True
        if self._waiting:
            job, owner = self._evaluate(self.mind, self._waiting.pop()), OWNER
        else:
            self._making_up = step = self._missed.pop()
            job, owner = self._make_up(self.mind, step), MISSED_OWNER
        self._jobs.start(
            job, Priority.EVALUATION, lambda _: self._next(), self._failed, owner
        )

    def end_run(self) -> None:
        """Its session takes nothing more than what has been asked for."""
        self._ended = True
        self._stop_making_up()
        self._missed = []

    def close(self) -> None:
        """Give up what is waiting and under way."""
        self._stop_making_up()
        self._missed = []
        self._waiting.clear()
        self._jobs.cancel(OWNER)
        self._jobs.cancel(FRAMES_OWNER)

    def _stop_making_up(self) -> None:
        """It has its turn again once nothing else is to be done."""
        if self._making_up is not None:
            self._missed.append(self._making_up)
            self._making_up, self._busy = None, False
            self._jobs.cancel(MISSED_OWNER)

    def _next(self) -> None:
        self._busy, self._making_up = False, None
        self.go_on()

    def _failed(self, error: Exception) -> None:
        if isinstance(error, WorldProblem):
            self._send(error.problem, "windows")
        else:
            self._send(_problem(error), "windows")
        self._next()

    def _evaluate(self, mind: Mind, weights: Weights) -> Generator[Any, Any, None]:
        options = self.configuration.evaluation
        mind.configure(self.configuration)
        mind.load(weights.step, weights.arrays)
        result = yield from evaluation_job(
            mind, self.configuration.environment, options.episodes, options.seed
        )
        yield from self._look_back(weights.step)
        finished = self._finished(weights, result)
        if self.configuration.recording.level == "scalars":
            self._rows.add(weights.step, evaluation=finished)
        else:
            yield from self._record(weights, result, finished)
        # Last, for whoever hears it may close the session behind it.
        self._send(finished, "windows")

    def _make_up(self, mind: Mind, step: int) -> Generator[Any, Any, None]:
        try:
            kept = yield from ask("keeper", "checkpoint", step=step)
        except RequestFailed:
            return  # the session has made room for others
        weights = Weights(step, kept["update"], network_arrays(kept["arrays"]))
        yield from self._evaluate(mind, weights)

    def _look_back(self, step: int) -> Generator[Any, Any, None]:
        """After a restart or a resume the session knows what was, and what was not."""
        if self._asked:
            return
        self._asked = True
        try:
            known = yield from ask("keeper", "evaluations")
            kept = yield from ask("keeper", "checkpoints")
            told = yield from ask("keeper", "events")
        except RequestFailed:
            # A session that has none yet, or no session: the first is the best.
            return
        rated = zip(known["mean"], known["step"], strict=True)
        others = [(float(mean), int(at)) for mean, at in rated if at != step]
        self._best = max(others, default=self._best)
        done = {int(it) for it in known["step"]} | {it.step for it in self._waiting}
        if not self._ended:
            due = _due(self.configuration, kept, told["events"])
            none = done | self._left_out
            self._missed = [it for it in due if it < step and it not in none]

    def _finished(
        self, weights: Weights, result: EvaluationResult
    ) -> EvaluationFinished:
        """Of equal means that of the later step is the best."""
        rated = (float(result.mean), weights.step)
        self._best, best = max(self._best, rated), rated >= self._best
        return EvaluationFinished(
            step=weights.step,
            update=weights.update,
            returns=result.returns,
            lengths=result.lengths,
            best=best,
            wall_time=time.time(),
        )

    def _record(
        self, weights: Weights, result: EvaluationResult, finished: EvaluationFinished
    ) -> Generator[Any, Any, None]:
        """Record the first episode at once, and again with pictures in quiet times."""
        plain = Sitting(
            self.configuration, result.first, weights.step, with_frames=False
        )
        record = yield from sitting_job(plain)
        told = _told(weights, record)
        self._rows.add(weights.step, evaluation=finished, finished=told, record=record)
        self._send(told, "windows")
        self._film(Sitting(self.configuration, result.first, weights.step))

    def _film(self, sitting: Sitting) -> None:
        """Pictures of the newest weights are worth more than those of older ones."""
        if self._sitting is not None:
            if self._sitting.checkpoint_step > sitting.checkpoint_step:
                return
            self._jobs.cancel(FRAMES_OWNER)
        self._sitting = sitting
        self._jobs.start(
            at_leisure(sitting_job(self._sitting), FRAMES_SHARE, self._nothing_trains),
            Priority.FRAMES,
            self._filmed,
            self._failed_film,
            FRAMES_OWNER,
        )

    def _nothing_trains(self) -> bool:
        return time.monotonic() - self.weights_at > QUIET_AFTER_S

    def _filmed(self, record: dict[str, Any]) -> None:
        self._sitting = None
        if "frames" in record:
            self._rows.add(record["checkpoint_step"], record=record)

    def _failed_film(self, error: Exception) -> None:
        self._sitting = None
        problem = error.problem if isinstance(error, WorldProblem) else _problem(error)
        self._send(problem, "windows")


def _due(
    configuration: Configuration, kept: dict[str, Any], events: list[dict[str, Any]]
) -> list[int]:
    """Steps of the checkpoints that were saved to be evaluated, sorted.

    A step of all environments may have gone beyond the one at which it was due.

    Args:
      configuration: Of now.
      kept: The keeper's table of checkpoints.
      events: All that were noted, with the period that there was before each change.
    """
    options = [it for it in events if it["kind"] == "option"]
    changed = [it for it in options if it["data"].get("key") == PERIOD]
    before = sorted((it["step"], it["wall_time"], it["data"]["old"]) for it in changed)
    now = configuration.evaluation.period
    found = set()
    for at, reason in zip(map(int, kept["step"]), kept["reason"], strict=True):
        period = next((old for step, _, old in before if step >= at), now)
        within = configuration.training.environments
        if reason == "periodic" and period and at and at % period < within:
            found.add(at)
    return sorted(found)


def _told(weights: Weights, record: dict[str, Any]) -> EpisodeFinished:
    return EpisodeFinished(
        kind="evaluation",
        episode=record["episode"],
        step=weights.step,
        update=weights.update,
        length=len(record["actions"]),
        episode_return=float(record["rewards"].sum()),
        terminated=bool(record["terminations"][-1]),
        seed=record["seed"],
        wall_time=time.time(),
    )


def _left_out(step: int) -> Problem:
    return Problem(
        id="stage.evaluation.late",
        what=f"The evaluation at step {step:,} was left out.",
        why="Training is faster than its evaluations.",
        fix="Raise evaluation.period or lower evaluation.episodes.",
        severity="warning",
    )


def _problem(error: Exception) -> Problem:
    return Problem(
        id="stage.evaluation.failed",
        what=f"An evaluation failed: {error}",
        severity="warning",
    )
