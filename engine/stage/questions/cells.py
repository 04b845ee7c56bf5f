"""What the shown network makes of every cell of a world that is a grid."""

from __future__ import annotations

import numpy as np

from engine.stage.archive import Session
from engine.stage.context import Arguments, Asker, Context, Question, QuestionError
from engine.stage.grids import acts_in, marks_of, solved
from engine.stage.jobs import Job
from engine.stage.knowledge import doubts, familiarity
from engine.stage.minds import Mind, insight_job, liking


class CellsArguments(Arguments, frozen=True):
    """Nothing: it is about the shown agent."""


def _answer(context: Context, arguments: CellsArguments, asker: Asker) -> Job:
    """``place`` [n, 2] (row, column), ``state``, ``value`` and ``action`` [n].

    ``acts`` [n] is False for cells in which no step is ever taken: walls, ends, and
    what no way leads to; ``marks`` [n] are their words. ``action_names``.

    Besides, each where it is known, ``visits``, ``bonus``, ``disagreement``, the
    exact solution ``exact`` and ``error``, value - exact, [n].
    """
    shown = context.shown()
    if shown is None:
        raise QuestionError("There is no network yet. Wait a moment.")
    card, cells = shown.card, shown.card.cells()
    if not cells:
        raise QuestionError(f"{card.id} is not a grid whose cells the agent sees.")
    states = np.array(list(cells))
    observations = np.eye(card.shape[0], dtype=card.dtype)[states]
    step, weights = shown.step, shown.agent.weights()
    mind = yield from context.minds.mind(shown.configuration, card)
    seen = yield from insight_job(mind, step, weights, observations)
    known = doubts(seen)
    session = context.archive.open
    if session is not None and _same_world(session, shown):
        known |= yield from familiarity(session, observations)
    value = seen["q"].max(axis=1)
    known |= solved(shown.configuration, states, card.shape[0], value)
    world = shown.configuration.environment
    acts = acts_in(world, card.shape[0])[states]
    return {
        "place": np.array(list(cells.values())),
        "state": states,
        "action": liking(seen).argmax(axis=1),
        "acts": acts,
        "marks": marks_of(world, states, acts),
        "action_names": list(card.action_names),
        "checkpoint_step": step,
        **known,
    }


def _same_world(session: Session, shown: Mind) -> bool:
    return session.configuration.environment == shown.configuration.environment


CELLS = Question("cells", CellsArguments, _answer)
