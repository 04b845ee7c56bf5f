"""All models of the window, built once and handed to its widgets."""

from __future__ import annotations

from PySide6.QtCore import QObject

from rllab_gui.branches import Branches
from rllab_gui.certificate import Certificate
from rllab_gui.commands import Commands
from rllab_gui.costs import Costs
from rllab_gui.cursor import Cursor
from rllab_gui.draft import Draft
from rllab_gui.episode import ShownEpisode
from rllab_gui.exchange import Exchange
from rllab_gui.forks import Forks
from rllab_gui.history import History
from rllab_gui.link import EngineClient, Link
from rllab_gui.live_options import LiveOptions
from rllab_gui.notes import Notes
from rllab_gui.noting import Noting
from rllab_gui.offline import OfflineSource
from rllab_gui.playback import Playback
from rllab_gui.presets import Presets
from rllab_gui.problems import Problems
from rllab_gui.pulse import Pulse
from rllab_gui.recorder import Recorder
from rllab_gui.run import Run
from rllab_gui.selection import Selection
from rllab_gui.sessions import Sessions
from rllab_gui.settings import Settings
from rllab_gui.store import Store
from rllab_gui.theme import Theme
from rllab_gui.training_axis import TrainingAxis
from rllab_gui.viewer import Viewer
from rllab_gui.views.base import ViewContext
from rllab_gui.whereabouts import Whereabouts
from rllab_gui.why import Why


class Lab(QObject):
    """The parts that have no widgets; ``context`` is what views get of them."""

    def __init__(self, client: EngineClient, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self.theme = Theme(
            settings.text("theme", "system"), settings.number("scale", 1), self
        )
        self.link = Link(client, self)
        self.store = Store(self.link, self)
        self.pulse = Pulse(self.link, self)
        self.commands = Commands(self)
        self.history = History(self)
        self.problems = Problems(self.link, self)
        self.cursor = Cursor(self)
        self.selection = Selection(self)
        self.notes = Notes(self.link, self.store, self.history, self.problems, self)
        self.episode = ShownEpisode(self.link, self.cursor, self.pulse, self)
        self.noting = Noting(self.cursor, self.episode, self.notes, self)
        self.whereabouts = Whereabouts(
            settings, self.store, self.cursor, self.notes, self
        )
        self.playback = Playback(
            self.link,
            self.store,
            self.cursor,
            self.episode,
            self,
            place=self.whereabouts.of,
        )
        self.axis = TrainingAxis(
            self.link, self.store, self.cursor, self.playback, self
        )
        self.branches = Branches(
            self.link, self.store, self.cursor, self.episode, self.notes, self
        )
        self.why = Why(self.episode, self.cursor, self)
        self.draft = Draft(self.link, self.history, self)
        self.costs = Costs(self.link, self.draft, self)
        self.run = Run(self.link, self.draft, self.problems, self)
        self.live = LiveOptions(self.link, self.store, self.draft, self.run, self)
        self.viewer = Viewer(self.link, self.store, self.draft, self.run, self)
        self.presets = Presets(
            settings.folder / "presets", self.history, self.problems, parent=self
        )
        self.sessions = Sessions(self.link, self.store, self.run, self)
        self.certificate = Certificate(self.link, self.problems, self)
        self.forks = Forks(self.link, self.sessions, self.run, self.problems, self)
        self.exchange = Exchange(
            self.link, self.sessions, self.run, self.problems, self
        )
        self.offline = OfflineSource(self.link, self.draft, self.problems, self)
        self.recorder = Recorder(self.link, self.store, self.problems, self)
        self.draft.cardChanged.connect(self._on_card)
        self.run.stateChanged.connect(self._on_card)
        self.store.sessionChanged.connect(self._on_card)
        self.store.wasReset.connect(self._on_success)
        self.run.stateChanged.connect(self._on_success)

    @property
    def context(self) -> ViewContext:
        """What a view may use."""
        return ViewContext(
            link=self.link,
            store=self.store,
            cursor=self.cursor,
            theme=self.theme,
            commands=self.commands,
            episode=self.episode,
            pulse=self.pulse,
            notes=self.notes,
            selection=self.selection,
            branches=self.branches,
            axis=self.axis,
            noting=self.noting,
            why=self.why,
        )

    def _on_card(self, *_: object) -> None:
        """Cards belong to what is looked at, not to a draft for later."""
        mine = self.draft.configuration.environment
        same = mine == self.store.configuration.environment
        if same and self.draft.card != self.store.card:
            self.store.set_card(self.draft.card)
        shown = self.draft.card is not None and self.draft.card.suits
        if shown and (same or not self.run.active):
            self._show_live_card()

    def _show_live_card(self) -> None:
        if self.draft.card != self.store.live_card:
            self.store.set_live_card(self.draft.card)

    def _on_success(self, *_: object) -> None:
        """What went wrong before has gone well now: those messages clear."""
        if self.store.session.uuid:
            self.problems.solve("engine.open")
            self.problems.solve("engine.busy")
        if self.run.state == "running":
            self.problems.solve("engine.start")
