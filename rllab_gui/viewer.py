"""The shown agent: which one plays, how fast, and whether the picture is frozen."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from engine.contract.messages import ProcessState, SetViewer, ShowAgent
from engine.contract.options import configuration_from_json
from rllab_gui.draft import Draft
from rllab_gui.link import Link
from rllab_gui.run import Run
from rllab_gui.store import Store

SPEEDS: tuple[tuple[str, float], ...] = (
    ("0.25x", 0.25),
    ("0.5x", 0.5),
    ("1x", 1.0),
    ("2x", 2.0),
    ("4x", 4.0),
    ("max", 0.0),
)
SHOWN = (
    "environment.",
    "network.",
    "head.",
    "agent.dueling",
    "exploration.kind",
    "exploration.members",
)
"""Options that make another agent or another world to look at."""
DEBOUNCE_MS = 250
GREETING_MS = 1_000


class Viewer(QObject):
    """Tells the stage what to show; while nothing runs, the agent of the draft.

    Signals:
      changed(): Speed or freezing is another.
    """

    changed = Signal()

    def __init__(
        self,
        link: Link,
        store: Store,
        draft: Draft,
        run: Run,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._link, self._store, self._draft, self._run = link, store, draft, run
        self._greeted = False
        self.speed = 1.0
        self.playing = True
        self.epsilon = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.show_draft)
        draft.changed.connect(self._on_draft)
        link.statusChanged.connect(self._greet)
        link.processChanged.connect(self._on_process)
        self._timer.start(GREETING_MS)

    def set_speed(self, speed: float) -> None:
        """Times the environment's own frame rate; 0 is as fast as drawn."""
        self.speed = speed
        self._tell()

    def set_playing(self, playing: bool) -> None:
        """False freezes the picture; training goes on."""
        self.playing = playing
        self._tell()

    def set_epsilon(self, epsilon: float) -> None:
        """Share of random actions of the shown agent."""
        self.epsilon = epsilon
        self._tell()

    def show_draft(self) -> None:
        """Show the untrained agent of the draft, unless a session is looked at."""
        self._greeted = True
        if self._run.active or self._draft.complaints or self._shows_session():
            return
        if not self._store.session.uuid:
            self._store.set_configuration(self._draft.configuration)
        self._link.send(ShowAgent(self._draft.configuration.to_json()))

    def _shows_session(self) -> bool:
        """Whether the draft still is what the open session worked with."""
        session = self._store.session
        if not session.uuid or not session.configuration:
            return False
        theirs = {session.configuration, session.options or session.configuration}
        return self._draft.configuration in map(configuration_from_json, theirs)

    def _tell(self) -> None:
        self._link.send(SetViewer(self.speed, self.playing, self.epsilon))
        self.changed.emit()

    def _greet(self, *_: object) -> None:
        """The engine has said whether something runs: only now it is safe to show."""
        if not self._greeted:
            self._timer.start(0)

    def _on_process(self, process: ProcessState) -> None:
        if process.role == "stage" and process.state == "ready":
            self._draft.describe_again()
            self._tell()
            self._timer.start(0)

    def _on_draft(self, keys: frozenset[str]) -> None:
        if self._greeted and any(key.startswith(SHOWN) for key in keys):
            self._timer.start(DEBOUNCE_MS)
