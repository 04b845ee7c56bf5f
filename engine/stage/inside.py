"""What a network says of some steps of an episode, with all that it remembers."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.stage.archive import Session
from engine.stage.context import Context, QuestionError
from engine.stage.episodes import (
    CHUNK_STEPS,
    CannotReplay,
    Judge,
    Weights,
    as_stored,
    is_verified,
    played_again,
)
from engine.stage.jobs import Wish
from engine.stage.minds import Mind
from engine.stage.replays import onwards, reach

Arrays = dict[str, np.ndarray]


@dataclass(slots=True)
class Inside:
    """What was said of some steps, by name as in ``agents.insight.look``.

    Attributes:
      online: By the network that learns, [k, ...] each.
      following: By the network that values what comes next.
    """

    online: Arrays = field(default_factory=dict)
    following: Arrays = field(default_factory=dict)


def look_inside(
    context: Context,
    session: Session,
    record: Mapping[str, Any],
    weights: Weights,
    steps: range,
    names: tuple[str, ...],
) -> Generator[Wish, Any, Inside]:
    """What these weights say of these steps of an episode.

    Raises:
      QuestionError: If the episode can neither be played again nor was stored.
    """
    mind = yield from context.minds.mind(session.configuration, session.card)
    look = _Look(mind, weights, record, steps, names)
    if is_verified(record):
        return (yield from look.through(as_stored(session, record, look.start)))
    try:
        with played_again(context, session, record) as replay:
            yield from reach(replay, look.start)
            return (yield from look.through(onwards(replay)))
    except CannotReplay as problem:
        why = str(problem)
    look = _Look(mind, weights, record, steps, names)
    found = yield from look.through(as_stored(session, record, look.start))
    if not found.online:
        raise QuestionError(f"{why} Its observations were not stored either.")
    return found


class _Look:
    """One way through an episode, from its start where the network remembers.

    Attributes:
      start: Step of the first observation that is needed.
    """

    def __init__(
        self,
        mind: Mind,
        weights: Weights,
        record: Mapping[str, Any],
        steps: range,
        names: tuple[str, ...],
    ) -> None:
        remembers = mind.recollection(1) is not None
        self.start = self._t = 0 if remembers else steps.start
        self._judge = Judge(mind, weights, record["actions"], self._t)
        self._steps, self._names = steps, names
        self._parts: list[tuple[Arrays, Arrays]] = []

    def through(
        self, source: Generator[np.ndarray, None, None]
    ) -> Generator[Wish, Any, Inside]:
        chunk: list[np.ndarray] = []
        last = self._steps.stop - 1
        try:
            for t, observation in enumerate(source, self.start):
                chunk.append(observation)
                if len(chunk) == CHUNK_STEPS or t == last:
                    yield from self._take(chunk)
                    chunk = []
                if t == last:
                    break
                yield None
        finally:
            source.close()
        return Inside(*(_joined([it[i] for it in self._parts]) for i in (0, 1)))

    def _take(self, chunk: list[np.ndarray]) -> Generator[Wish, Any, None]:
        seen, following = yield from self._judge.look(np.stack(chunk))
        before = max(0, self._steps.start - self._t)
        self._t += len(chunk)
        if before < len(chunk):
            online, other = (self._kept(it, before) for it in (seen, following))
            self._parts.append((online, other))

    def _kept(self, seen: Arrays, before: int) -> Arrays:
        return {name: seen[name][before:] for name in self._names if name in seen}


def _joined(parts: list[Arrays]) -> Arrays:
    if not parts:
        return {}
    return {name: np.concatenate([it[name] for it in parts]) for name in parts[0]}
