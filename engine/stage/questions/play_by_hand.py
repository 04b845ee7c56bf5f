"""A person takes over at a step of a recorded episode, key by key."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from typing import Any, Literal

import msgspec

from engine.stage.archive import Session
from engine.stage.branching import Root
from engine.stage.context import Arguments, Asker, Context, Question, QuestionError
from engine.stage.episodes import AS_RECORDED
from engine.stage.hand import Hand, Opinion
from engine.stage.identity import recorded_as
from engine.stage.jobs import Job, Wish
from engine.stage.questions.branch import how_restored, policy_of


class HandArguments(Arguments, frozen=True, kw_only=True):
    """Where somebody took over, and all that he or she has done since.

    Asked again with one action more, one step is made; with other actions it is
    begun anew. ``checkpoint`` says whose opinion is wanted, as in ``branch``.
    """

    kind: Literal["training", "evaluation"]
    episode: int
    t: int
    actions: list[int] = msgspec.field(default_factory=list)
    checkpoint: int = AS_RECORDED


def _answer(context: Context, arguments: HandArguments, asker: Asker) -> Job:
    """The state that these actions lead to.

    Returns:
      ``frame``; ``q``, ``advantage``, ``liking`` [A], ``value_head`` of the state;
      ``observation`` of vectors; ``rewards`` of all actions, ``td_error`` of the
      last one; ``terminated``, ``truncated``; ``checkpoint_step`` (whose opinion),
      ``exactness``, ``why``.
    """
    session = context.archive.session()
    record = yield from context.archive.episode(
        session, arguments.kind, arguments.episode
    )
    if not 0 <= arguments.t < len(record["actions"]):
        raise QuestionError(
            f"The episode is over at step {arguments.t:,}: go back to take over."
        )
    if any(not 0 <= it < session.card.actions for it in arguments.actions):
        raise QuestionError(f"{session.card.id} has {session.card.actions} actions.")
    session, weights = yield from policy_of(context, record, arguments.checkpoint)
    mind = yield from context.minds.mind(session.configuration, session.card)
    root = Root(session.configuration.environment, record, arguments.t)
    whose = recorded_as(session.past, record)
    key = (whose, session.changes, arguments.t, weights.step)
    hand = context.hands.take(key, arguments.actions)
    fresh = hand is None
    hand = hand or Hand(root, Opinion(mind, weights))
    with ExitStack() as unless_put_back:
        unless_put_back.callback(hand.close)
        if fresh:
            yield from hand.stand()
        yield from _catch_up(hand, arguments.actions)
        result = _state(session, hand, weights.step)
        unless_put_back.pop_all()
    context.hands.put(key, hand)
    exactness, why = how_restored(record, arguments.t)
    return result | {"exactness": exactness, "why": why}


def _catch_up(hand: Hand, actions: list[int]) -> Generator[Wish, Any, None]:
    for action in actions[len(hand.actions) :]:
        if any(hand.ended):
            raise QuestionError("The episode is over: there is no further step.")
        yield from hand.act(action)


def _state(session: Session, hand: Hand, step: int) -> dict[str, Any]:
    names = ("q", "advantage", "liking", "value_head")
    result: dict[str, Any] = {name: hand.said[name][0] for name in names}
    result["value_head"] = float(result["value_head"])
    if session.card.observation != "image":
        result["observation"] = hand.observation
    return result | {
        "frame": hand.picture(),
        "rewards": hand.rewards.copy(),
        "td_error": hand.td_error,
        "terminated": hand.ended[0],
        "truncated": hand.ended[1],
        "checkpoint_step": step,
    }


PLAY_BY_HAND = Question("play_by_hand", HandArguments, _answer)
