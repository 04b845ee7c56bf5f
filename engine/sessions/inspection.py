"""What ``rllab inspect`` says of a session."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine.contract.several_seeds import seed_of
from engine.sessions.guarded_file import GuardedFile
from engine.sessions.live_folder import live_path
from engine.sessions.opening import open_session
from engine.sessions.problems import SessionProblem
from engine.sessions.source import SessionSource

LAST = 20
"""So many episodes of each seed are averaged."""


def inspect(path: Path | str, *, verify: bool = False) -> dict[str, Any]:
    """The object that ``rllab inspect --json`` prints.

    Args:
      path: The session file; its live store is taken where one is beside it.
      verify: Check every block, object and checkpoint.

    Returns:
      ``format_version``, ``steps``, ``updates``, ``episodes``, ``checkpoints``,
      ``complete``, ``verified`` (everything was checked and is in order),
      ``problems`` (sentences), ``seeds`` (of several: the mean return of the last
      20 episodes of each), and more of :meth:`SessionSource.summary`.

    Raises:
      SessionProblem: If there is no such session.
    """
    path = Path(path)
    if not path.exists() and not live_path(path).is_dir():
        raise SessionProblem(f"There is no session file '{path.name}'.")
    try:
        source = open_session(path)
    except SessionProblem as problem:
        return _nothing(path, problem)
    try:
        found = source.summary()
        problems = _problems(source) if verify else []
        problems += [it for it in source.problems() if it not in problems]
        seeds = _seeds(source)
    except SessionProblem as problem:
        return _nothing(path, problem)
    finally:
        source.close()
    found |= {"seeds": seeds} if seeds else {}
    return found | {"verified": verify and not problems, "problems": problems}


def _seeds(source: SessionSource) -> dict[str, float]:
    """Mean return of the last episodes of each of several seeds; {} of one."""
    names = {seed_of(it): it for it in source.series()}
    names.pop(None, None)
    if not names:
        return {}
    training = json.loads(source.configuration()).get("training", {})
    names[int(training.get("seed", 0))] = "return"
    found: dict[str, float] = {}
    for seed, name in sorted(names.items()):
        last = source.history(name)["value"][-LAST:]
        found |= {str(seed): float(last.mean())} if len(last) else {}
    return found


def _problems(source: Any) -> list[str]:
    if isinstance(source, GuardedFile):
        return source.verify()
    problems = []
    for row in source.checkpoints():
        try:
            source.checkpoint(row.step)
        except SessionProblem as problem:
            problems.append(str(problem))
    for read in (source.episodes, source.events, source.evaluations):
        read()
    for name in source.series():
        source.history(name)
    return problems


def _nothing(path: Path, problem: SessionProblem) -> dict[str, Any]:
    return {
        "name": path.stem,
        "format_version": "",
        "steps": 0,
        "updates": 0,
        "episodes": 0,
        "checkpoints": 0,
        "complete": False,
        "verified": False,
        "problems": [str(problem)],
    }
