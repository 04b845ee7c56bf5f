"""What the keeper tells the trainer about a run: a new one, or one to go on with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine.contract.catalogue import EnvironmentCard
from engine.contract.messages import RunTraining
from engine.contract.options import ConfigurationError, configuration_from_json
from engine.service.memory_check import check_room
from engine.sessions import LiveStore, ResumePoint, SessionProblem
from engine.sessions.replay_spool import discard, files_of


def check_place(configuration: str, card: dict[str, Any], path: Path) -> None:
    """Refuse a session for whose replay there is no room beside it.

    Raises:
      SessionProblem: If there is none.
    """
    folder = next(it for it in path.parents if it.is_dir())
    try:
        options = configuration_from_json(configuration)
        check_room(options, EnvironmentCard.from_dict(card), folder)
    except ConfigurationError as problem:
        raise SessionProblem(str(problem)) from problem


def fresh_run(store: LiveStore, uuid: str, *, paused: bool) -> RunTraining:
    """A run from the first step."""
    return RunTraining(
        store.configuration(),
        uuid,
        paused=paused,
        folder=str(store.folder),
        offline_source=store.offline_source,
    )


def run_from(
    store: LiveStore, uuid: str, point: ResumePoint, *, until: int, paused: bool
) -> RunTraining:
    """A run that goes on from a state."""
    files = files_of(point.replay)
    return RunTraining(
        configuration=store.configuration(),
        uuid=uuid,
        paused=paused,
        until_step=until,
        arrays=dict(point.checkpoint.arrays),
        values=point.checkpoint.values,
        replay={name: it for name, it in point.replay.items() if name not in files},
        replay_files=files,
        folder=str(store.folder),
        first_row=point.first_row,
        offline_source=store.offline_source,
    )


def point_to_go_on(store: LiveStore, steps: int, *, lost: bool) -> ResumePoint:
    """The newest state, if there is something left to do from there.

    A run whose engine was ``lost`` may have to do no more than to end.

    Raises:
      SessionProblem: If there is no state, or the budget is used up.
    """
    point = store.resume_point()
    # The state's options are those that were set live, the budget among them.
    values = json.loads(point.checkpoint.values or "{}")
    text = str(values.get("configuration") or store.configuration())
    budget = int(json.loads(text)["training"]["steps"])
    if not steps and not lost and point.step >= budget:
        discard(point.replay)
        raise SessionProblem(
            f"The run of '{store.name}' has used up its budget of {budget:,} steps: "
            "say how many further steps it should go on."
        )
    return point
