"""What ``rllab inspect`` says of a session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.sessions.guarded_file import GuardedFile
from engine.sessions.live_folder import live_path
from engine.sessions.opening import open_session
from engine.sessions.problems import SessionProblem


def inspect(path: Path | str, *, verify: bool = False) -> dict[str, Any]:
    """The object that ``rllab inspect --json`` prints.

    Args:
      path: The session file; its live store is taken where one is beside it.
      verify: Check every block, object and checkpoint.

    Returns:
      ``format_version``, ``steps``, ``updates``, ``episodes``, ``checkpoints``,
      ``complete``, ``verified`` (everything was checked and is in order),
      ``problems`` (sentences), and more of :meth:`SessionSource.summary`.

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
    except SessionProblem as problem:
        return _nothing(path, problem)
    finally:
        source.close()
    return found | {"verified": verify and not problems, "problems": problems}


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
