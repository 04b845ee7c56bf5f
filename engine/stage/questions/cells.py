"""What the shown network makes of every cell of a world that is a grid."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from engine.contract.options import Configuration, EnvironmentOptions
from engine.environments.reachable import exact_values, where_it_acts
from engine.stage.archive import Session
from engine.stage.context import Arguments, Asker, Context, Question, QuestionError
from engine.stage.jobs import Job
from engine.stage.knowledge import doubts, familiarity
from engine.stage.minds import Mind, insight_job, liking


class CellsArguments(Arguments, frozen=True):
    """Nothing: it is about the shown agent."""


def _answer(context: Context, arguments: CellsArguments, asker: Asker) -> Job:
    """``place`` [n, 2] (row, column), ``state``, ``value`` and ``action`` [n].

    ``acts`` [n] is False for cells in which no step is ever taken: walls, ends, and
    what no way leads to.

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
    exact = _exact(shown.configuration, card.shape[0])
    if exact is not None:
        known |= {"exact": exact[states], "error": value - exact[states]}
    return {
        "place": np.array(list(cells.values())),
        "state": states,
        "value": value,
        "action": liking(seen).argmax(axis=1),
        "acts": _acts(shown.configuration.environment, card.shape[0])[states],
        "checkpoint_step": step,
        **known,
    }


def _acts(options: EnvironmentOptions, states: int) -> np.ndarray:
    return _acts_by_text(options.model_dump_json(), states)


@lru_cache(maxsize=4)
def _acts_by_text(options: str, states: int) -> np.ndarray:
    """The options as text can be a key."""
    return where_it_acts(EnvironmentOptions.model_validate_json(options), states)


def _exact(configuration: Configuration, states: int) -> np.ndarray | None:
    options, discount = configuration.environment, configuration.agent.discount
    return _exact_by_text(options.model_dump_json(), states, discount)


@lru_cache(maxsize=4)
def _exact_by_text(options: str, states: int, discount: float) -> np.ndarray | None:
    world = EnvironmentOptions.model_validate_json(options)
    return exact_values(world, states, discount)


def _same_world(session: Session, shown: Mind) -> bool:
    return session.configuration.environment == shown.configuration.environment


CELLS = Question("cells", CellsArguments, _answer)
