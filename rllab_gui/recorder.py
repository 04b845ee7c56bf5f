"""Films: of the live picture from now on, or of a recorded episode."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.contract.messages import JobProgress, Problem
from rllab_gui.link import UNANSWERED, Link
from rllab_gui.problems import Problems
from rllab_gui.store import Store

FORMATS = ("mp4", "gif", "png")
"""png makes a folder of pictures."""
LIVE_FORMATS = ("mp4", "gif")


@dataclass(frozen=True, slots=True)
class FilmWish:
    """What a person wants filmed, and how.

    Attributes:
      panels: Whether Q-values and returns stand beside the picture.
      first, last: Steps of the episode; -1 is its end.
      checkpoints: Training steps that play its seed side by side; empty films the
        episode itself.
    """

    path: str
    format: str
    panels: bool = True
    first: int = 0
    last: int = -1
    checkpoints: tuple[int, ...] = ()


class Recorder(QObject):
    """Starts, ends and cancels recordings.

    Signals:
      changed(): A recording has begun or ended.
      progressed(JobProgress): Any long job of the engine has come further.
    """

    changed = Signal()
    progressed = Signal(object)

    def __init__(
        self,
        link: Link,
        store: Store,
        problems: Problems,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._link, self._store, self._problems = link, store, problems
        self._export = -1
        self._paths = {"live": "", "export": ""}
        self.live = False
        link.jobProgressed.connect(self._on_progress)
        link.renewed.connect(self._on_renewed)

    @property
    def exporting(self) -> bool:
        """A recorded episode is being written to a film."""
        return self._export >= 0

    @property
    def busy(self) -> bool:
        """Some film is under way."""
        return self.exporting or self.live

    def start_live(self, wish: FilmWish, *, theme: str) -> None:
        """Film the shown agent from now on."""
        self._ask_live(
            {
                "do": "start",
                "path": wish.path,
                "format": wish.format,
                "panels": wish.panels,
                "theme": theme,
            }
        )
        self.live = True
        self._paths["live"] = wish.path
        self.changed.emit()

    def stop_live(self) -> None:
        """End the film of the shown agent; its file is complete then."""
        self._ask_live({"do": "stop"})
        self.live = False
        self.changed.emit()

    def export(self, wish: FilmWish, kind: str, episode: int, *, theme: str) -> None:
        """Write a recorded episode to a film, or several checkpoints on its seed."""
        arguments: dict[str, Any] = {
            "kind": kind,
            "episode": episode,
            "path": wish.path,
            "format": wish.format,
            "theme": theme,
        }
        self._paths["export"] = wish.path
        question = "record"
        if wish.checkpoints:
            question = "record_side_by_side"
            arguments["checkpoints"] = list(wish.checkpoints)
        else:
            arguments |= {"panels": wish.panels}
            arguments |= {"first": wish.first, "last": wish.last}
        self._export = self._link.ask(
            question, arguments, self._on_exported, self._on_refused
        )
        self.changed.emit()

    def cancel(self) -> None:
        """Give up the film that is being written; no half file stays."""
        given_up = []
        if self.live:
            self._ask_live({"do": "cancel"})
            self.live = False
            given_up.append("live")
        if self.exporting:
            self._link.cancel(self._export)
            self._export = -1
            given_up.append("export")
        if self._link.lost:
            for which in given_up:
                self._discard(Path(self._paths[which]))
        self._paths |= dict.fromkeys(given_up, "")
        self.changed.emit()

    def _discard(self, path: Path) -> None:
        """Nobody else is left who could."""
        from engine.media.leftovers import discard  # as in _rescued()

        try:
            discard(path)
        except OSError as error:
            what = f"What there is of '{path.name}' could not be removed: {error}"
            self._problems.report(Problem(id="window.recording", what=what))

    def _ask_live(self, arguments: dict[str, Any]) -> None:
        self._link.ask(
            "record_live", arguments, lambda result: None, self._on_live_refused
        )

    def _on_exported(self, result: dict[str, Any]) -> None:
        self._export = -1
        self._problems.solve("window.recording")
        self.changed.emit()

    def _on_renewed(self) -> None:
        if self.live:
            self._on_live_refused(UNANSWERED)

    def _on_live_refused(self, sentence: str) -> None:
        if not self._paths["live"]:
            return  # nobody wants it any more
        self.live = False
        self._tell(sentence + self._rescued("live"))

    def _on_refused(self, sentence: str) -> None:
        self._export = -1
        self._tell(sentence + self._rescued("export"))

    def _rescued(self, which: str) -> str:
        """What there is of a film whose writer is gone."""
        from engine.media.leftovers import rescue  # its package takes long to import

        path = self._paths[which]
        try:
            left = rescue(Path(path))
        except OSError:
            return f" What there is of it could not be kept beside '{path}'."
        return f" What there is of it is in '{left.name}'." if left else ""

    def _tell(self, sentence: str) -> None:
        self._problems.report(Problem(id="window.recording", what=sentence))
        self.changed.emit()

    def _on_progress(self, progress: JobProgress) -> None:
        self.progressed.emit(progress)
