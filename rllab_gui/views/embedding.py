"""A map of states by what the network makes of them, coloured by their value."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from time import monotonic
from typing import Any

import numpy as np
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QPushButton, QSplitter

from engine.contract.messages import EmbeddingReport, ProcessState
from rllab_gui.commands import Command
from rllab_gui.plots.numbers import count, short
from rllab_gui.views.base import View, ViewContext
from rllab_gui.views.embedding_points import ColourScale, Journey
from rllab_gui.views.point import PointPanel
from rllab_gui.views.state_map import SHADES, StateMap

LEAST_STATES = 50
STEPS_WITHOUT_REPLAY = 1_000
"""Without a replay the states come from recorded episodes, which take a while."""
COUNTS = (500, 1000, 2000, 5000)
TRAVEL_S = 0.15
"""Points take so long from one final layout to the next."""
UPDATE_S = 0.1
"""A scatter of thousands costs several milliseconds: at most ten updates a second."""


class EmbeddingView(View):
    """Scatter of states; a click on one shows its picture and its Q-values."""

    view_id = "embedding"
    title = "Map of states"
    tab = "Map"
    about = (
        "Each point is a state, placed by t-SNE so that states which the network's "
        "last hidden layer finds similar lie together. The colour is V(s) = max_a "
        "Q(s,a), or, where the agent has them, how often a state was visited, the "
        "bonus for it, or how far an ensemble disagrees about it. Axes, sizes of "
        "clusters and distances between them mean nothing. Click a point to see its "
        "picture; drag with Shift round points to select them in all views."
    )
    topics = frozenset({"embedding"})
    needs = frozenset({"embedding"})

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self._journey = Journey()
        self._left_at = -TRAVEL_S
        self._drawn_at = -UPDATE_S
        self._report: EmbeddingReport | None = None
        self._busy = ""
        self._failed = ""
        self._question = -1
        self._begun_for = ("", False, 0)
        self.reduced_motion = False
        self._make_plot()
        self._make_controls()
        self._later = QTimer(self, singleShot=True)
        self._later.timeout.connect(self._on_later)
        self._connect()

    def _make_plot(self) -> None:
        self.plot = StateMap(self.title, self.context.theme)
        self.panel = PointPanel(self.context)
        self.panel.hide()
        split = QSplitter(Qt.Orientation.Horizontal, self)
        self.adopt(self.plot)
        split.addWidget(self.plot)
        split.addWidget(self.panel)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 2)
        split.setChildrenCollapsible(False)
        self.body_layout.addWidget(split, 1)

    def _make_controls(self) -> None:
        self._count = QComboBox(self)
        self._count.setObjectName("train.embedding.count")
        self._count.setAccessibleName("Number of states on the map")
        self._count.setToolTip("How many states the next map is made of")
        for number in COUNTS:
            self._count.addItem(f"{number:,}", number)
        self._refresh = self._button("collect", "Refresh", "Lay out a new map")
        self._refresh.clicked.connect(self.collect)
        self._rescale = self._button(
            "rescale", "Rescale", "Stretch the colours over the values of now"
        )
        self._rescale.clicked.connect(self._on_rescale)
        self._colour = QComboBox(self)
        self._colour.setObjectName("train.embedding.colour")
        self._colour.setAccessibleName("Colour of the states")
        self._colour.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._colour.setToolTip("What the colour of the states says")
        self._colour.activated.connect(self._on_colour)
        self._colour.hide()
        for control in (self._count, self._refresh, self._rescale, self._colour):
            self.plot.header.add(control)

    def _button(self, name: str, text: str, tip: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(f"train.embedding.{name}")
        button.setAccessibleName(text)
        button.setToolTip(tip)
        return button

    def _connect(self) -> None:
        store = self.context.store
        store.embeddingChanged.connect(self._on_report)
        store.statusChanged.connect(self._on_status)
        store.wasReset.connect(self._on_reset)
        store.sessionChanged.connect(self._begin)
        self.context.link.processChanged.connect(self._on_process)
        self.plot.picked.connect(self._on_picked)
        self.plot.lassoed.connect(self._on_lassoed)
        self.context.selection.changed.connect(self.refresh)
        if "embedding.collect" not in self.context.commands:
            self.context.commands.add(
                Command(
                    "embedding.collect",
                    "Collect 500 states for the map",
                    "Gather states and lay them out by what the network makes of them",
                    self.collect,
                )
            )

    # ------------------------------------------------------------ what is asked

    def collect(self) -> None:
        """Have a map made of the chosen number of states."""
        number = int(self._count.currentData())
        self.context.link.cancel(self._question)
        self._busy, self._failed = f"Collecting {number:,} states …", ""
        self._question = self.context.link.ask(
            "embedding",
            {"count": number, "perplexity": 30.0},
            self._on_begun,
            self._on_failed,
        )
        self.refresh()

    def _begin(self) -> None:
        """Whoever looks sees a map: once for each run the first is asked for.

        From then on the stage lays it out again by itself, every few seconds, from
        where its points are, for as long as the map is looked at and training goes on.
        """
        session = self.context.store.session
        run = (session.uuid, session.live, session.cuts)
        if not session.uuid or run == self._begun_for or not self.isVisible():
            return
        if self._report is not None and not session.live:
            self._begun_for = run
        elif not self._busy and (not session.live or self._has_states()):
            self._begun_for = run
            self.collect()

    def _has_states(self) -> bool:
        store = self.context.store
        if store.configuration.replay.kind == "none":
            return store.status.step >= STEPS_WITHOUT_REPLAY
        status = store.status
        wanted = min(int(self._count.currentData()), status.replay_capacity)
        return status.replay_size >= max(LEAST_STATES, wanted)

    def _on_begun(self, answer: dict[str, Any]) -> None:
        states = answer.get("count")
        what = f"{int(states):,} states" if states else "the map"
        self._busy = f"Laying out {what} …"
        self.refresh()

    def _on_failed(self, sentence: str) -> None:
        self._busy, self._failed = "", sentence
        self.refresh()

    def emptiness(self) -> tuple[str, str, Sequence[tuple[str, str]]] | None:
        """There is no map yet, and maybe nothing to make one of."""
        if self.context.store.embedding is not None:
            return None
        offers = [("embedding.collect", "Collect 500 states")]
        if self._busy:
            return self._busy, "Training goes on meanwhile.", ()
        if self._failed:
            return "No map could be made.", self._failed, offers
        have = self.context.store.status.replay_size
        if have < LEAST_STATES and not self.context.store.session.uuid:
            title = f"Needs at least {LEAST_STATES} states (have {count(have)})."
            return title, "Train for a moment.", offers
        words = "Similar states lie together; the colour is their value V(s)."
        return "No map yet.", words, offers

    # ------------------------------------------------------------------ draw

    def _on_report(self) -> None:
        report = self.context.store.embedding
        if report is None:
            return
        now = monotonic()
        done = 1.0 if self.reduced_motion else (now - self._left_at) / TRAVEL_S
        self._journey.set_out(report.point_ids, report.positions, done)
        self._left_at = now if report.final else -TRAVEL_S
        self._report = report
        if report.final:
            self._busy = ""
        self.refresh()

    def draw(self) -> None:
        """Draw the points where they are on their way, at most ten times a second."""
        report = self._report
        if report is None:
            return
        now = monotonic()
        wait = self._drawn_at + UPDATE_S - now
        done = 1.0 if self.reduced_motion else (now - self._left_at) / TRAVEL_S
        if wait > 0.0:
            self._later.start(round(1000 * wait) + 1)
            return
        self._drawn_at = now
        self._offer_colours(report)
        self.plot.show_points(report, self._journey.at(done))
        self.plot.mark(self._selected(report))
        self.plot.pin(self._index(self.panel.point_id))
        if done < 1.0:
            self._later.start(round(1000 * UPDATE_S))
        self._say(report)

    def _offer_colours(self, report: EmbeddingReport) -> None:
        """V(s), and whatever else this agent knows of its states."""
        known = ["value", *(it for it in SHADES if it in report.extras)]
        offered = [self._colour.itemData(at) for at in range(self._colour.count())]
        if known != offered:
            self._colour.clear()
            for name in known:
                self._colour.addItem(SHADES[name].title, name)
            self._colour.setVisible(len(known) > 1)
            self.plot.header.set_title(self.tab if len(known) > 1 else self.title)
        if self.plot.shade not in known:
            self.plot.colour_by("value")
        self._colour.setCurrentIndex(self._colour.findData(self.plot.shade))

    def _on_later(self) -> None:
        self.refresh()
        self.context.pulse.soon()

    def _say(self, report: EmbeddingReport) -> None:
        busy = f"<b>{escape(self._busy)}</b> " if self._busy else ""
        bad = self.context.theme.tokens.bad
        failed = f'<span style="color:{bad}">{escape(self._failed)}</span> '
        self.plot.set_legend(
            f"{busy}{failed if self._failed else ''}{self.plot.scale_html()} "
            f"&nbsp; ● greedy ▼ explored. {report.legend}"
        )
        explored = int(np.sum(report.exploring))
        sentence = (
            f"{count(len(report.value))} states, {count(explored)} exploratory, "
            f"V(s) from {short(float(np.min(report.value)))} to "
            f"{short(float(np.max(report.value)))}."
        )
        self.plot.set_caption(f"{sentence} {report.legend} n = 1 seed.")
        self.plot.describe(sentence)

    # -------------------------------------------------------------- the person

    def pointPos(self, index: int) -> QPoint:
        """Where point ``index`` is, in pixels of ``plot.canvas``."""
        return self.plot.point_pos(index)

    def _index(self, point_id: int) -> int:
        if self._report is None:
            return -1
        found = np.flatnonzero(self._report.point_ids == point_id)
        return int(found[0]) if len(found) else -1

    def _on_picked(self, x: float, y: float) -> None:
        """Show the nearest point, if one is under the pointer."""
        nearest = self.plot.nearest(x, y)
        if nearest >= 0 and self._report is not None:
            self.panel.show_point(int(self._report.point_ids[nearest]))
            self.plot.pin(nearest)

    def _on_lassoed(self, points: np.ndarray) -> None:
        """The states in a lasso are selected in all views; an empty one clears."""
        report = self._report
        if report is None or not len(report.episodes):
            return
        pairs = zip(
            report.episodes[points].tolist(), report.steps[points].tolist(), strict=True
        )
        steps = [it for it in pairs if it[0] >= 0]
        words = "1 state" if len(steps) == 1 else f"{count(len(steps))} states"
        self.context.selection.choose(steps, f"{words} of the map", self.view_id)

    def _selected(self, report: EmbeddingReport) -> np.ndarray:
        """Which points are selected, here or in another view, bool [n]."""
        selection = self.context.selection
        if not selection.steps or not len(report.episodes):
            return np.zeros(0, bool)
        return selection.mask(np.stack([report.episodes, report.steps], 1))

    def _on_rescale(self) -> None:
        if self._report is not None:
            self.plot.colours.fit(self.plot.values(self._report))
            self.refresh()

    def _on_colour(self, index: int) -> None:
        self.plot.colour_by(str(self._colour.itemData(index)))
        self._drawn_at = -UPDATE_S
        self.refresh()

    # ------------------------------------------------------------ what changes

    def showEvent(self, event: QShowEvent) -> None:
        """Begin a map where there is none."""
        super().showEvent(event)
        self._begin()

    def _on_status(self) -> None:
        self._begin()
        if self._report is None:
            self.refresh()

    def _on_process(self, process: ProcessState) -> None:
        """A stage that begins again knows nothing of the map that the old one made."""
        if (process.role, process.state) == ("stage", "ready") and self._begun_for[0]:
            if self._busy:
                self.collect()
            else:
                self._begun_for = ("", False, 0)
                self._begin()

    def _on_reset(self) -> None:
        self._report, self._busy, self._failed = None, "", ""
        self.plot.colours, self._journey = ColourScale(), Journey()
        self.panel.forget()
        self._begun_for = ("", False, 0)
        self._begin()
        self.refresh()
