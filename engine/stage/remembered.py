"""Where a step of an episode stands in the replay memory of a checkpoint."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, NamedTuple

import numpy as np

from engine.contract.options import Configuration
from engine.stage.archive import Session
from engine.stage.context import Context
from engine.stage.jobs import RequestFailed, Wish

NOT_YET = (
    "How likely the replay memory is to draw this step is known with the next "
    "checkpoint: none was made since the step was taken."
)
NOT_TRAINING = "Only training episodes are learned from: it is in no replay memory."
NONE_KEPT = "This agent keeps no replay memory: it learns from each step once."
UNKNOWN = "Where this step stands in the replay memory cannot be told."


class Ring(NamedTuple):
    """The ring of one environment at a checkpoint.

    Places are counted through from the first that was ever written, a boundary
    behind each episode included.

    Attributes:
      length: Its slots.
      written: The place that is to be filled next.
      running: Place of the first step of the running episode.
      stack: Frames of one observation.
    """

    length: int
    written: int
    running: int
    stack: int

    def sampleable(self, lengths: np.ndarray) -> np.ndarray:
        """Places that may be drawn, ascending, after episodes of these lengths."""
        oldest = max(0, self.written - self.length + self.stack)
        places = np.arange(min(oldest, self.written), self.written)
        ends = self.running - 1 - np.cumsum(np.append(0, lengths[::-1] + 1))
        found: np.ndarray = places[~np.isin(places, ends)]
        return found


def remembered(
    context: Context,
    session: Session,
    record: Mapping[str, Any],
    t: int,
    judging: int,
) -> Generator[Wish, Any, dict[str, Any]]:
    """How likely this step was to be drawn, at the checkpoint that judges.

    If it had not been taken yet, the first checkpoint behind it is asked.

    Returns:
      ``checkpoint_step``, ``size``, ``probability``, ``weight`` (before the largest
      of its batch divides it), ``beta`` and, of a prioritized memory, ``priority``;
      or ``why`` there is nothing.
    """
    if record["kind"] != "training":
        return {"why": NOT_TRAINING}
    if session.configuration.replay.kind == "none":
        return {"why": NONE_KEPT}
    steps = yield from context.archive.checkpoint_steps()
    taken = int(record["step0"]) + (t + 1) * session.configuration.training.environments
    later = [step for step in steps if step >= max(judging, taken)]
    if not later:
        return {"why": NOT_YET}
    try:
        session = yield from context.archive.as_of(session, later[0])
        arrays = yield from context.archive.memory(session, later[0])
        table = yield from context.archive.episodes(session)
    except RequestFailed as problem:
        return {"why": str(problem)}
    return _standing(session.configuration, arrays, table, record, t, later[0])


def _standing(
    configuration: Configuration,
    arrays: Mapping[str, np.ndarray],
    table: Mapping[str, Any],
    record: Mapping[str, Any],
    t: int,
    step: int,
) -> dict[str, Any]:
    environment = int(record.get("environment", 0))
    rings = rings_of(configuration, arrays)
    finished = [finished_episodes(table, it, step) for it in range(len(rings))]
    places = [
        ring.sampleable(lengths)
        for ring, (_, lengths) in zip(rings, finished, strict=True)
    ]
    raw = arrays["priorities/raw"]
    if sum(map(len, places)) != len(raw):
        return {"why": UNKNOWN}
    place = _first_place(rings[environment], *finished[environment], record) + t
    if place not in places[environment]:
        gone = f"This step is not in the replay memory of step {step:,} any more."
        return {"why": gone}
    index = _index(rings, places, environment, place)
    return _of_slot(configuration, arrays, index, step)


def rings_of(
    configuration: Configuration, arrays: Mapping[str, np.ndarray]
) -> list[Ring]:
    """The rings of all environments, as they stood at a checkpoint."""
    written = arrays["streams/written"].tolist()
    elapsed = arrays["streams/head_elapsed"].tolist()
    running = arrays["streams/open"].tolist()
    length = configuration.replay.capacity // len(written)
    stack = configuration.environment.frame_stack
    rows = zip(written, elapsed, running, strict=True)
    return [Ring(length, w, w - e if on else w, stack) for w, e, on in rows]


def finished_episodes(
    table: Mapping[str, Any], environment: int, step: int
) -> tuple[np.ndarray, np.ndarray]:
    """Numbers and lengths of the training episodes that had ended by this step."""
    mine = np.array([kind == "training" for kind in table["kind"]], bool)
    mine &= np.asarray(table["environment"]) == environment
    mine &= np.asarray(table["step"]) <= step
    order = np.flatnonzero(mine)
    order = order[np.argsort(np.asarray(table["step"])[order], kind="stable")]
    return np.asarray(table["episode"])[order], np.asarray(table["length"])[order]


def _first_place(
    ring: Ring, numbers: np.ndarray, lengths: np.ndarray, record: Mapping[str, Any]
) -> int:
    """Where the first step of this episode was put."""
    at = np.flatnonzero(numbers == record["episode"])
    if not len(at):
        return ring.running
    return ring.running - int((lengths[at[0] :] + 1).sum())


def _index(
    rings: list[Ring], places: list[np.ndarray], environment: int, place: int
) -> int:
    """Which of all sampleable slots, in the order of slots, holds this place."""
    before = sum(len(it) for it in places[:environment])
    length = rings[environment].length
    return before + int((places[environment] % length < place % length).sum())


def chances(
    configuration: Configuration, arrays: Mapping[str, np.ndarray], step: int
) -> dict[str, np.ndarray]:
    """How likely each sampleable slot was to be drawn, in the order of slots.

    Returns:
      ``probability`` and, of a prioritized memory, ``priority`` and ``weight``
      (before the largest of its batch divides it), float64 [n] each.

    Raises:
      ValueError: If ranks are missing.
    """
    import torch

    from engine.agents import schedules
    from engine.equations.prioritization import sampling_probs

    options, raw = configuration.replay, arrays["priorities/raw"]
    size = len(raw)
    if options.kind != "prioritized":
        return {"probability": np.full(size, 1.0 / max(size, 1))}
    ranked = options.priority == "rank"
    bases = arrays["priorities/ranks/bases"] if ranked else raw
    if len(bases) != size:
        raise ValueError(UNKNOWN)
    probs = sampling_probs(torch.from_numpy(np.array(bases)), options.alpha).numpy()
    weight = (size * probs) ** -schedules.beta(configuration, step)
    return {"priority": np.array(raw), "probability": probs, "weight": weight}


def _of_slot(
    configuration: Configuration,
    arrays: Mapping[str, np.ndarray],
    index: int,
    step: int,
) -> dict[str, Any]:
    """Priority, probability and weight of this slot."""
    from engine.agents import schedules

    try:
        found = chances(configuration, arrays, step)
    except ValueError as problem:
        return {"why": str(problem)}
    size = len(arrays["priorities/raw"])
    known: dict[str, Any] = {"checkpoint_step": step, "size": size}
    known |= {name: float(column[index]) for name, column in found.items()}
    if "weight" in known:
        known["beta"] = schedules.beta(configuration, step)
    return known
