"""What every view is: a widget with a title, topics, an empty state and one draw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, ClassVar

from PySide6.QtCore import Property, QEvent, Signal
from PySide6.QtGui import QCursor, QHideEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWhatsThis, QWidget

from engine.contract.messages import Problem
from rllab_gui.branches import Branches
from rllab_gui.commands import Commands
from rllab_gui.cursor import Cursor
from rllab_gui.episode import ShownEpisode
from rllab_gui.link import Link
from rllab_gui.notes import Notes
from rllab_gui.noting import Noting
from rllab_gui.plots.frame import PlotFrame
from rllab_gui.pulse import Pulse
from rllab_gui.selection import Selection
from rllab_gui.store import Store
from rllab_gui.theme import Theme
from rllab_gui.training_axis import TrainingAxis
from rllab_gui.views.empty import EmptyState
from rllab_gui.views.still_stack import StillStack
from rllab_gui.why import Why

SOON_S = 0.25
"""After so long even that is drawn which changes a picture by less than a pixel."""
HIDDEN = (
    "Hidden while you predict.",
    "Say what the agent would do, or reveal it.",
    (("predict.reveal", "Reveal"),),
)
"""What stands in the place of a view that shows answers."""


@dataclass(frozen=True, slots=True)
class ViewContext:
    """Everything that a view may use; there is nothing else."""

    link: Link
    store: Store
    cursor: Cursor
    theme: Theme
    commands: Commands
    episode: ShownEpisode
    pulse: Pulse
    notes: Notes
    selection: Selection
    branches: Branches
    axis: TrainingAxis
    noting: Noting
    why: Why


class View(QWidget):
    """Base of all views.

    A subclass fills :attr:`body` (a widget with a vertical layout) in its
    constructor, connects signals of store, cursor or episode to :meth:`refresh`,
    and draws in :meth:`draw`, which is called at most once a beat and only while
    the view can be seen. While :meth:`emptiness` says something, that is shown in
    place of the body and ``draw`` is not called.

    Attributes:
      view_id: Name in object names: the dock is ``dock.<workspace>.<view_id>``.
      title: What the dock writes.
      tab: A shorter title for where many stand side by side; empty for the same.
      about: A few sentences on what is seen, for the button ? and Shift+F1.
      topics: What the engine has to send while the view is visible.
      needs: What the agent has to offer (``q``, ``embedding``, ...), for filtering.
      answers: It shows what the agent thinks of the step at the cursor, which predict
        mode hides.
      urgent: It is drawn and painted before the others: what a person who steps looks
        at.

    Signals:
      painted(str view_id, int revision): Something new has been drawn.
      axisModeChanged(str): ``auto`` or ``manual``, of the first plot.
      helpAsked(str plot_id): Somebody wants to know what a plot shows.
    """

    view_id: ClassVar[str] = ""
    title: ClassVar[str] = ""
    tab: ClassVar[str] = ""
    about: ClassVar[str] = ""
    topics: ClassVar[frozenset[str]] = frozenset()
    needs: ClassVar[frozenset[str]] = frozenset()
    answers: ClassVar[bool] = False
    urgent: ClassVar[bool] = False

    painted = Signal(str, int)
    helpAsked = Signal(str)
    axisModeChanged = Signal(str)

    def __init__(self, context: ViewContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.revision = 0
        self._dirty = True
        self._due = math.inf
        self.main_plot: PlotFrame | None = None
        self.setAccessibleName(self.title)
        self.setWhatsThis(self.about)
        self.body = QWidget(self)
        self.body_layout = QVBoxLayout(self.body)
        self.body_layout.setContentsMargins(0, 0, 0, 0)
        self.body_layout.setSpacing(0)
        self.empty = EmptyState(context.commands, context.theme, self)
        self._stack = StillStack(self)
        self._stack.add(self.body)
        self._stack.add(self.empty)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._stack)
        when = context.pulse.urged if self.urgent else context.pulse.ticked
        when.connect(self._on_tick)
        context.theme.changed.connect(self._on_theme)
        if self.answers:
            context.why.predict.changed.connect(self._on_predict)

    # ------------------------------------------------------ for the subclass

    def draw(self) -> None:
        """Bring the body up to date."""

    def restyle(self) -> None:
        """Take over the colours and sizes of the theme; ``draw`` follows."""

    def emptiness(self) -> tuple[str, str, Sequence[tuple[str, str]]] | None:
        """Why there is nothing to see: title, guidance, (command id, label) pairs.

        None where there is something.
        """
        return None

    @property
    def in_front(self) -> bool:
        """Whether it can be seen; behind another tab it only counts as visible."""
        return self.isVisible() and not self.visibleRegion().isEmpty()

    def refresh(self, *_: object) -> None:
        """Something is new: draw at the next beat. Any signal may be connected."""
        self._dirty = True

    def refresh_if(self, seen: bool) -> None:
        """Draw at the next beat what would be seen, else within a quarter of a second.

        Most rows of a long curve move it by less than a pixel.
        """
        self._dirty |= seen
        self._due = min(self._due, monotonic() + SOON_S)

    def describe(self, sentence: str) -> None:
        """Say in words what is seen, for screen readers."""
        self.setAccessibleDescription(sentence)

    def model(self) -> dict[str, Any]:
        """The arrays that are shown, by name; empty for a view without a plot."""
        return self.main_plot.model() if self.main_plot is not None else {}

    def _get_axis_mode(self) -> str:
        return str(self.main_plot.axisMode) if self.main_plot is not None else "auto"

    axisMode = Property(str, _get_axis_mode, notify=axisModeChanged)

    def adopt(self, plot: PlotFrame) -> None:
        """Take a plot into the body: its words, questions and failures are mine."""
        self.body_layout.addWidget(plot, 1)
        if self.main_plot is None:
            self.main_plot = plot
            plot.described.connect(self.describe)
            plot.axisModeChanged.connect(self.axisModeChanged)
        plot.helpAsked.connect(self._on_help)
        plot.exportFailed.connect(self._on_export_failed)

    # -------------------------------------------------------------- machinery

    def _on_help(self, plot_id: str) -> None:
        """Explain beside the pointer; whoever listens may explain more."""
        self.helpAsked.emit(plot_id)
        if self.about:
            QWhatsThis.showText(QCursor.pos(), self.about, self)

    def _on_export_failed(self, sentence: str) -> None:
        problem = Problem(id="window.export", what=sentence, severity="warning")
        self.context.link.problemRaised.emit(problem)

    def _on_tick(self) -> None:
        wanted = self._dirty or self._due <= monotonic()
        if wanted and self.in_front and not self.window().isMinimized():
            self._dirty, self._due = False, math.inf
            self._show_now()

    def _show_now(self) -> None:
        hidden = self.answers and self.context.why.predict.hidden
        if self.main_plot is not None:
            self.main_plot.header.setEnabled(not hidden)
        missing = HIDDEN if hidden else self.emptiness()
        if hidden:
            self._keep_quiet()
        if missing is None:
            self._stack.bring(self.body)
            self.draw()
        else:
            self.empty.say(*missing)
            self._stack.bring(self.empty)
        self.revision += 1
        self.painted.emit(self.view_id, self.revision)

    def _keep_quiet(self) -> None:
        """Say nothing to screen readers either."""
        self.setProperty("answerText", HIDDEN[0])
        self.describe(HIDDEN[0])
        if self.main_plot is not None:
            self.main_plot.describe(HIDDEN[0])

    def _on_predict(self) -> None:
        self.refresh()
        self.context.pulse.soon()

    def _on_theme(self) -> None:
        self.restyle()
        self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Ask the engine for the topics of this view."""
        super().showEvent(event)
        self._dirty = True
        self.context.link.want(self._name(), self.topics)

    def hideEvent(self, event: QHideEvent) -> None:
        """Nothing is wanted while nobody can see it."""
        super().hideEvent(event)
        self.context.link.want(self._name(), ())

    def changeEvent(self, event: QEvent) -> None:
        """Redraw when enabled state, font or palette change."""
        super().changeEvent(event)
        self._dirty = True

    def _name(self) -> str:
        return f"{self.view_id}@{id(self)}"
