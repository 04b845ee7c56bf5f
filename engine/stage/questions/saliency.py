"""What an agent seems to look at, and whether that holds when it is taken away."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.stage.archive import Session
from engine.stage.cache import array_bytes
from engine.stage.context import Asker, Context, Question, QuestionError
from engine.stage.episodes import Weights
from engine.stage.identity import recorded_as
from engine.stage.jobs import Job, Wish
from engine.stage.minds import Mind
from engine.stage.moments import memory_before, observations_at
from engine.stage.posing import picture_of
from engine.stage.questions.inside_episode import EpisodeArguments, by_whom
from engine.stage.saliency import (
    Method,
    asked_alone,
    blank,
    many,
    occluded,
    patch_side,
    perturbed,
    saliency_map,
    spread_of,
)
from engine.stage.world import WorldProblem

if TYPE_CHECKING:
    from engine.agents.recollection import Recollection

ONE_HOT = "A state of this world is one cell: there are no parts to be looked at."
OF_BEST = -1
"""The action that the agent prefers."""


class SaliencyArguments(EpisodeArguments, frozen=True, kw_only=True):
    """A step, how to ask, and for which action (-1: the preferred one).

    ``share``: so much of its spread each number of a vector is moved by.
    """

    t: int
    method: Method = "gradient"
    action: int = OF_BEST
    share: float = 0.25


class SaliencyTest(EpisodeArguments, frozen=True, kw_only=True):
    """A square of a picture (row below 0: none), or a number and how far to move it."""

    t: int
    row: int = -1
    column: int = -1
    feature: int = -1
    share: float = 0.0


class _Scene:
    """A step of an episode as it is, with all that is needed to ask about it."""

    def __init__(
        self,
        session: Session,
        weights: Weights,
        mind: Mind,
        seen: np.ndarray,
        t: int,
        memory: Recollection | None,
    ) -> None:
        self.card, self.mind, self.weights = session.card, mind, weights
        self.observation, self.seen, self.memory = seen[t], seen, memory


def _scene(
    context: Context, arguments: SaliencyArguments | SaliencyTest
) -> Generator[Wish, Any, _Scene]:
    session = context.archive.session()
    if session.card.observation == "onehot":
        raise QuestionError(ONE_HOT)
    session, record, weights = yield from by_whom(context, arguments)
    t, last = arguments.t, len(record["actions"])
    if not 0 <= t <= last:
        raise QuestionError(f"This episode has no step {t:,}.")
    mind = yield from context.minds.mind(session.configuration, session.card)
    vector = session.card.observation == "vector"
    whole = vector or session.configuration.network.recurrent != "none"
    # The spread of a vector is that of its episode.
    steps = range(last + 1 if vector else t + 1)
    if not whole:
        seen = yield from observations_at(context, session, record, range(t, t + 1))
        return _Scene(session, weights, mind, seen, 0, None)
    key = ("seen", recorded_as(session.past, record), len(steps))
    known = context.judged.get(key)
    if known is None:
        seen = yield from observations_at(context, session, record, steps)
        known = {"seen": seen}
        context.judged.put(key, known, array_bytes(known))
    seen = known["seen"]
    memory = yield from memory_before(mind, weights, record, seen[:t])
    return _Scene(session, weights, mind, seen, t, memory)


def _saliency(context: Context, arguments: SaliencyArguments, asker: Asker) -> Job:
    """What counts for the value of an action.

    Returns:
      ``q`` [A], ``action`` that is asked about, ``greedy``, ``t``,
      ``checkpoint_step``. Of pictures ``map`` [h, w], ``height`` and ``width`` of an
      observation and ``side``, the pixels of a square that can be taken out; with
      integrated gradients ``explained``, Q(s, a) - Q(empty, a). Of vectors
      ``observation``, ``spread`` [F], and Q-values with each number lowered and
      raised by the share of it, ``lower`` and ``upper`` [F, A], with
      ``lower_greedy`` and ``upper_greedy`` [F].
    """
    scene = yield from _scene(context, arguments)
    q, likes = yield from asked_alone(
        scene.mind, scene.weights, [scene.observation], scene.memory
    )
    greedy = int(likes[0].argmax())
    action = arguments.action
    if action >= scene.card.actions:
        raise QuestionError(f"There are only {scene.card.actions} actions.")
    action = greedy if action < 0 else action
    result = {
        "q": q[0],
        "action": action,
        "greedy": greedy,
        "t": arguments.t,
        "checkpoint_step": scene.weights.step,
    }
    if scene.card.observation == "vector":
        return result | (yield from _perturbation(scene, arguments.share))
    return result | (yield from _of_picture(scene, arguments.method, action))


def _of_picture(
    scene: _Scene, method: Method, action: int
) -> Generator[Wish, Any, dict[str, Any]]:
    of = scene.mind, scene.weights, scene.observation, scene.memory
    found = yield from saliency_map(*of, method, action)
    height, width = scene.card.shape[:2]
    result: dict[str, Any] = {"map": found, "side": patch_side(scene.card)}
    result |= {"height": height, "width": width}
    if method == "integrated":
        both = [scene.observation, blank(scene.card, scene.observation)]
        q, _ = yield from asked_alone(scene.mind, scene.weights, both, scene.memory)
        result["explained"] = float(q[0, action] - q[1, action])
    return result


def _perturbation(scene: _Scene, share: float) -> Generator[Wish, Any, dict[str, Any]]:
    spread, now = spread_of(scene.seen), scene.observation
    features = range(len(now))
    moved = [perturbed(now, spread, it, -share) for it in features]
    moved += [perturbed(now, spread, it, share) for it in features]
    q, likes = yield from many(scene.mind, scene.weights, np.stack(moved), scene.memory)
    lower, upper = np.split(q, 2)
    lower_greedy, upper_greedy = np.split(likes.argmax(1), 2)
    return {
        "observation": now,
        "observation_names": list(scene.card.observation_names),
        "spread": spread,
        "share": share,
        "lower": lower,
        "upper": upper,
        "lower_greedy": lower_greedy,
        "upper_greedy": upper_greedy,
    }


def _test(context: Context, arguments: SaliencyTest, asker: Asker) -> Job:
    """What becomes of the Q-values without this part.

    Returns:
      ``q``, ``changed_q`` [A], ``greedy``, ``changed_greedy``, and what was changed
      as it was asked; ``frame``: a picture of the changed observation, where one can
      be drawn from it alone.
    """
    scene = yield from _scene(context, arguments)
    now = scene.observation
    changed = now.copy()
    if scene.card.observation == "vector" and arguments.feature >= 0:
        spread = spread_of(scene.seen)
        if arguments.feature >= len(spread):
            raise QuestionError(f"An observation has only {len(spread)} numbers.")
        changed = perturbed(now, spread, arguments.feature, arguments.share)
    elif scene.card.observation == "image":
        changed = occluded(scene.card, now, arguments.row, arguments.column)
    q, likes = yield from asked_alone(
        scene.mind, scene.weights, [now, changed], scene.memory
    )
    best = likes.argmax(1)
    result: dict[str, Any] = {
        "q": q[0],
        "changed_q": q[1],
        "greedy": int(best[0]),
        "changed_greedy": int(best[1]),
        "t": arguments.t,
        "row": arguments.row,
        "column": arguments.column,
        "feature": arguments.feature,
        "share": arguments.share,
    }
    options = context.archive.session().configuration.environment
    try:
        frame = picture_of(options, changed)
    except (WorldProblem, ValueError):
        frame = None
    return result if frame is None else result | {"frame": frame}


SALIENCY = Question("saliency", SaliencyArguments, _saliency)
TEST_SALIENCY = Question("test_saliency", SaliencyTest, _test)
