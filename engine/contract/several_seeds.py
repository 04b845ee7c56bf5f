"""Several seeds at once: what they do not go with, and what their series are called."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from engine.contract.options import Configuration

Broken = Callable[[Configuration], bool]
Refusal = tuple[Broken, str, tuple[tuple[str, Any], ...]]
MOST_SLOTS = 1 << 26
"""Of all replays together; the log of a session numbers them through."""
ONE = ("training.seeds", 1)


def _if_several(broken: Broken, sentence: str, *others: tuple[str, Any]) -> Refusal:
    """See ``combinations.Rule``; one seed alone is always a remedy."""
    return (lambda of: of.training.seeds > 1 and broken(of), sentence, (ONE, *others))


_RETURNS = re.compile(r"return\.seed_(\d+)")


def returns_of(seed: int) -> str:
    """The series of the returns of another seed than the first."""
    return f"return.seed_{seed}"


def seed_of(series: str) -> int | None:
    """Which other seed a series holds the returns of; None for any other series."""
    found = _RETURNS.fullmatch(series)
    return None if found is None else int(found[1])


OF_SEVERAL_SEEDS: tuple[Refusal, ...] = (
    _if_several(
        lambda of: of.training.seed + of.training.seeds > 2**31,
        "The last of {training.seeds} seeds from {training.seed} on would be too "
        "large a number: lower training.seed.",
    ),
    _if_several(
        lambda of: of.training.seeds * of.replay.capacity > MOST_SLOTS,
        "The replays of {training.seeds} seeds with {replay.capacity:,} transitions "
        "each are more than a session can keep: lower replay.capacity.",
    ),
    _if_several(
        lambda of: of.replay.kind in ("none", "sequence"),
        "Seeds that learn as one program need batches of the same size, which without "
        "replay and from pieces of episodes they are not: set replay.kind to uniform "
        "or prioritized, or training.seeds to 1.",
        ("replay.kind", "uniform"),
    ),
    _if_several(
        lambda of: of.replay.storage == "disk",
        "The replays of several seeds lie side by side in memory: set replay.storage "
        "to memory, or training.seeds to 1.",
        ("replay.storage", "memory"),
    ),
    _if_several(
        lambda of: of.agent.n_step_correction == "retrace",
        "Retrace is not made for several seeds at once: set agent.n_step_correction "
        "to greedy or none, or training.seeds to 1.",
        ("agent.n_step_correction", "greedy"),
    ),
    _if_several(
        lambda of: of.planning.kind != "none",
        "Each of several seeds would plan with a model of its own, for which there is "
        "no common program: set planning.kind to none, or training.seeds to 1.",
        ("planning.kind", "none"),
    ),
    _if_several(
        lambda of: of.training.mode != "alternate",
        "Several seeds at once act and learn in turns only: set training.mode to "
        "alternate, or training.seeds to 1.",
        ("training.mode", "alternate"),
    ),
    _if_several(
        lambda of: of.training.stepping == "processes",
        "Each of several seeds would need processes of its own for its environments: "
        "set training.stepping to auto or here, or training.seeds to 1.",
        ("training.stepping", "auto"),
    ),
    _if_several(
        lambda of: of.training.precision == "bf16",
        "The program of several seeds is made in float32: set training.precision to "
        "float32, or training.seeds to 1.",
        ("training.precision", "float32"),
    ),
    _if_several(
        lambda of: bool(of.training.offline),
        "Learning offline is made for one seed at a time: set training.seeds to 1.",
    ),
)
