"""Which recorded episode of a session is meant."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from engine.commands.problems import Refused

if TYPE_CHECKING:
    from engine.sessions import SessionSource

KINDS = ("evaluation", "training")


def chosen_episode(
    source: SessionSource, arguments: argparse.Namespace
) -> tuple[str, int]:
    """The recorded episode that is meant: as asked, else the newest evaluation.

    Raises:
      Refused: If it was not recorded.
    """
    table = source.episodes()
    rows = zip(
        table["kind"],
        table["episode"].tolist(),
        table["recorded"].tolist(),
        strict=True,
    )
    recorded = [(kind, episode) for kind, episode, there in rows if there]
    if not recorded:
        raise Refused(
            "The session holds no recorded episode: train with recording.level set to "
            "default or everything."
        )
    wanted = arguments.kind
    if arguments.episode is not None:
        pair = (wanted or "training", arguments.episode)
        if pair not in recorded:
            raise Refused(_not_recorded(recorded, *pair))
        return pair
    for kind in (wanted,) if wanted else KINDS:
        numbers = [episode for found, episode in recorded if found == kind]
        if numbers:
            return kind, max(numbers)
    raise Refused(f"The session holds no recorded {wanted} episode.")


def _not_recorded(recorded: list[tuple[str, int]], kind: str, episode: int) -> str:
    numbers = sorted(number for found, number in recorded if found == kind)
    if not numbers:
        return f"The session holds no recorded {kind} episode: choose another kind."
    return (
        f"There is no recorded {kind} episode {episode}: there are {len(numbers)} "
        f"from {numbers[0]} to {numbers[-1]}."
    )
