"""Pictures of a recorded episode."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from engine.contract.catalogue import EnvironmentCard
from engine.environments.pictures import plain_picture, planes_picture
from engine.media import fitted, scaled
from engine.stage.archive import Session
from engine.stage.context import Arguments, Asker, Context, Question, QuestionError
from engine.stage.episodes import CannotReplay
from engine.stage.films import SURVEY
from engine.stage.jobs import Job, Priority, RequestFailed, Wish

AT_ONCE = 4
"""Pictures that are drawn before they are made smaller."""
MOST_BYTES = 128 * 2**20
"""More in one answer would stall whoever gets it."""


class FramesArguments(Arguments, frozen=True):
    """Steps ``first`` to ``last`` (included), every so many, scaled down.

    ``max_size`` bounds the longer side in pixels; 0 keeps the size.
    """

    kind: Literal["training", "evaluation", "branch"]
    episode: int
    first: int = 0
    last: int = -1
    every: int = 1
    max_size: int = 0


def _answer(context: Context, arguments: FramesArguments, asker: Asker) -> Job:
    session = context.archive.session()
    if context.films.under_survey != (session.past, arguments.kind, arguments.episode):
        context.jobs.cancel(SURVEY)  # nobody looks at that one any more
    record = yield from context.archive.episode(
        session, arguments.kind, arguments.episode
    )
    end = len(record["actions"])
    first = min(max(0, arguments.first), end)
    last = end if arguments.last < 0 else min(arguments.last, end)
    if arguments.every < 1 or last < first:
        raise QuestionError(f"There are no steps {first} to {last} to be shown.")
    steps = range(first, last + 1, arguments.every)
    frames, exact, note = yield from episode_frames(
        context, session, record, steps, max_size=arguments.max_size
    )
    if exact:
        _survey(context, session, record)
    return {
        "frames": np.stack(frames),
        "first": first,
        "every": arguments.every,
        "exact": exact,
        "note": note,
    }


def _survey(context: Context, session: Session, record: Mapping[str, Any]) -> None:
    """Whoever looks at one step of an episode may go to any other one of it."""
    key = (session.past, record["kind"], record["episode"])
    job = context.films.survey(key, session.configuration.environment, record)
    if job is not None:
        context.jobs.cancel(SURVEY)
        context.jobs.start(job, Priority.FRAMES, _done, _done, SURVEY)


def _done(_: object) -> None:
    """Where it failed, so does the next jump, whose answer says it."""


def episode_frames(
    context: Context,
    session: Session,
    record: Mapping[str, Any],
    steps: Sequence[int],
    max_size: int = 0,
) -> Generator[Wish, Any, tuple[list[np.ndarray], bool, str]]:
    """Frames of these steps, whether they are exact, and if not, why.

    They are drawn by verified replay, the first one of an episode from the verified
    observation if that holds all that is drawn; where neither is possible the stored
    ones are taken, and else the recorded observations are drawn as they are.

    Raises:
      QuestionError: If nothing is possible, or the answer would be too large.
    """
    key = (session.past, record["kind"], record["episode"])
    options = session.configuration.environment
    found: list[np.ndarray] = []
    try:
        for start in range(0, len(steps), AT_ONCE):
            part = yield from context.films.frames_job(
                key, options, record, steps[start : start + AT_ONCE]
            )
            found += [_fit(it, max_size) for it in part]
            _check_size(found, len(steps))
        return found, True, ""
    except CannotReplay as problem:
        why = str(problem)
    stored = yield from _stored(context, session, record, steps, why)
    _check_size(stored, len(steps))
    return [_fit(it, max_size) for it in stored], False, why


def _stored(
    context: Context,
    session: Session,
    record: Mapping[str, Any],
    steps: Sequence[int],
    why: str,
) -> Generator[Wish, Any, list[np.ndarray]]:
    try:
        found = yield from context.archive.stored_frames(
            session, record["kind"], record["episode"], steps[0], steps[-1]
        )
    except RequestFailed as error:
        raise QuestionError(f"{why} {error}") from error
    if not len(found) and "observations" in record:
        seen = record["observations"]
        return [drawn(session.card, seen[min(t, len(seen) - 1)]) for t in steps]
    if not len(found):
        raise QuestionError(f"{why} No pictures of this episode were stored either.")
    return [found[min(t - steps[0], len(found) - 1)] for t in steps]


def drawn(card: EnvironmentCard, observation: np.ndarray) -> np.ndarray:
    """A picture of an observation whose environment cannot draw it any more."""
    if observation.ndim == 3 and max(card.high, default=255.0) <= 1:
        return planes_picture(observation)
    return plain_picture(card.id, observation, "cannot be played again: what was seen")


def _fit(frame: np.ndarray, max_size: int) -> np.ndarray:
    if max_size <= 0:
        return frame
    return scaled(frame, fitted((frame.shape[0], frame.shape[1]), max_size))


def _check_size(found: list[np.ndarray], count: int) -> None:
    if found and found[0].nbytes * count > MOST_BYTES:
        most = MOST_BYTES // found[0].nbytes
        raise QuestionError(
            f"{count:,} pictures of this size are too many for one answer: ask for "
            f"at most {most:,} at once, or for smaller ones."
        )


FRAMES = Question("frames", FramesArguments, _answer)
