"""Learning from a recorded session instead of an environment, as the window asks it."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from PySide6.QtCore import QObject

from engine.contract.messages import Problem
from engine.contract.options import configuration_from_json
from rllab_gui.draft import Draft
from rllab_gui.link import Link
from rllab_gui.problems import Problems

KEY = "training.offline"
PROBLEM = "window.offline"


class OfflineSource(QObject):
    """Which session the next run learns from; none is the environment."""

    def __init__(
        self,
        link: Link,
        draft: Draft,
        problems: Problems,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._link, self._draft, self._problems = link, draft, problems

    @property
    def chosen(self) -> bool:
        """Whether the next run learns from a session."""
        return bool(self._draft.configuration.get(KEY))

    def choose(self, path: str) -> None:
        """Learn from this session, in its environment; can be undone."""
        self._problems.solve(PROBLEM)
        self._link.ask("configuration_of", {"path": path}, self._take, self._refuse)

    def leave(self) -> None:
        """Learn from the environment again."""
        self._draft.set(KEY, "")

    def _take(self, result: dict[str, Any]) -> None:
        path = str(result["path"])
        name = PurePath(path).name
        if not int(result["recorded"]):
            self._refuse(
                f"'{name}' has recorded no episode, so there is nothing to learn from. "
                "Choose a session that was recorded at the level 'default'."
            )
            return
        recorded = configuration_from_json(str(result["configuration"])).flat()
        changes = {k: v for k, v in recorded.items() if k.startswith("environment.")}
        changes |= {KEY: path, "training.environments": 1}
        self._draft.set_many(changes, f"learn offline from {name}")

    def _refuse(self, sentence: str) -> None:
        self._problems.report(Problem(id=PROBLEM, what=sentence, severity="warning"))
