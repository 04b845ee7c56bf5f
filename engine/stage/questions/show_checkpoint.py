"""Have the shown agent play with the weights of a checkpoint."""

from __future__ import annotations

from engine.stage.context import Arguments, Asker, Context, Question
from engine.stage.jobs import Job

NEWEST = -1
NOW = 2**62


class ShowCheckpointArguments(Arguments, frozen=True):
    """Training step of the checkpoint; -1 takes the newest and follows training."""

    step: int = NEWEST


def _answer(context: Context, arguments: ShowCheckpointArguments, asker: Asker) -> Job:
    session = context.archive.session()
    step = arguments.step
    if step == NEWEST:
        steps = yield from context.archive.checkpoint_steps()
        if not steps:
            context.follow_training()
            return {"checkpoint_step": NEWEST}
        step = steps[-1]
    arrays = yield from context.archive.weights(session, step)
    pinned = arguments.step != NEWEST
    if not pinned:
        context.follow_training()
    session = yield from context.archive.as_of(session, step if pinned else NOW)
    context.show_weights(step, arrays, pinned, session.configuration)
    return {"checkpoint_step": step}


SHOW_CHECKPOINT = Question("show_checkpoint", ShowCheckpointArguments, _answer)
