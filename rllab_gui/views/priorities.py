"""What the replay memory holds, and which of it prioritized sampling prefers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QToolTip

from engine.contract.messages import PriorityReport
from rllab_gui.plots.base import PlotView
from rllab_gui.plots.canvas import DecadeAxis
from rllab_gui.plots.header import legend_html
from rllab_gui.plots.numbers import count
from rllab_gui.plots.ranges import GrowingCount, GrowingDecades
from rllab_gui.views.base import View, ViewContext
from rllab_gui.views.priority_words import bin_range, bin_words, words_of

ZERO_AT = 0.6
"""How far left of the first bin the bin of zeros stands, in decades."""
WIDE = 1.3


class PrioritiesView(View):
    """Histogram of priorities in log bins; probability and weight over it; ages."""

    view_id = "priorities"
    title = "Replay priorities"
    tab = "Priorities"
    about = (
        "Prioritized replay draws transition i with probability P(i) = p_i^α / Σ p^α,"
        " where p = |δ| + ε, and corrects for it with the weight w_i = (N P(i))^−β / "
        "max w (Schaul et al. 2016). Bars count the stored transitions by priority; "
        "lines say how often each bin is drawn and how much it then counts. Click a "
        "bin to see its transitions."
    )
    topics = frozenset({"priorities"})
    needs = frozenset({"replay"})

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self._axis = DecadeAxis("bottom")
        self.plot = PlotView(
            "priorities",
            "Priorities in the replay",
            context.theme,
            x=GrowingDecades(),
            y=GrowingCount(least=10.0),
            log=False,
            bottom=self._axis,
        )
        self.ages = PlotView(
            "ages",
            "Age",
            context.theme,
            x=GrowingCount(goal=lambda: float(self._capacity())),
            y=GrowingCount(),
        )
        self._furnish()
        self.adopt(self.plot)
        self.adopt(self.ages)
        self._beside = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._beside.setSpacing(0)
        self._beside.addWidget(self.plot, 3)
        self._beside.addWidget(self.ages, 2)
        self.body_layout.addLayout(self._beside, 1)
        self._connect()
        self.restyle()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is more width than height, the plots stand side by side."""
        super().resizeEvent(event)
        wide = self.width() > WIDE * self.height()
        way = QBoxLayout.Direction
        self._beside.setDirection(way.LeftToRight if wide else way.TopToBottom)

    def _furnish(self) -> None:
        self._bars, self._zero, self._age_bars = (
            pg.BarGraphItem(x0=[], x1=[], y0=[], y1=[]) for _ in range(3)
        )
        self.plot.item.addItem(self._bars)
        self.plot.item.addItem(self._zero)
        self.ages.item.addItem(self._age_bars)
        box, _ = self.plot.add_right_axis()
        self._mass = pg.PlotCurveItem()
        self._weight = pg.PlotCurveItem()
        for line in (self._mass, self._weight):
            box.addItem(line)

    def _connect(self) -> None:
        store = self.context.store
        store.prioritiesChanged.connect(self.refresh)
        store.configurationChanged.connect(self.refresh)
        store.optionsChanged.connect(self.refresh)
        store.wasReset.connect(self._on_reset)
        self.plot.logToggled.connect(self.refresh)
        self.plot.pointed.connect(self._on_pointed)
        self.plot.picked.connect(self._on_picked)
        self.plot.pointerLeft.connect(QToolTip.hideText)

    def emptiness(self) -> tuple[str, str, Sequence[tuple[str, str]]] | None:
        """There are no priorities, none yet, or none any more."""
        report = self.context.store.priorities
        kind = self.context.store.options_at().replay.kind
        if report is not None and report.size:
            kind = report.kind  # type: ignore[assignment]
        if kind == "uniform":
            return (
                "This agent samples uniformly.",
                "Prioritized replay weights transitions by TD error.",
                [
                    ("replay.prioritize", "Turn on prioritized replay"),
                    ("explain.priorities", "Explain"),
                ],
            )
        if kind == "sequence":
            words = "Pieces of episodes are drawn evenly, for a network with a memory."
            return "This agent learns from sequences.", words, ()
        if kind == "none":
            words = "It learns from each transition once, as it comes."
            return "This agent keeps no replay memory.", words, ()
        if report is not None and report.size:
            return None
        session = self.context.store.session
        if session.uuid and not session.live:
            words = "They are shown while one trains; a checkpoint keeps its memory."
            browse = [("replay.browse", "Replay memory as a table")]
            return "No run goes on.", words, browse
        return "Nothing is stored yet.", "Train to fill the replay memory.", ()

    # ------------------------------------------------------------------ draw

    def draw(self) -> None:
        """Bring both histograms up to date."""
        report = self.context.store.priorities
        assert report is not None
        self._draw_bars(report)
        self._draw_shares(report)
        self._draw_ages(report)
        self.plot.set_model(
            bin_edges=report.bin_edges,
            counts=report.counts,
            zero_count=np.array([report.zero_count]),
            mass=report.mass,
            weight=report.weight,
        )
        self._say(report)

    def _draw_bars(self, report: PriorityReport) -> None:
        edges = np.asarray(report.bin_edges, np.float64)
        counts = np.asarray(report.counts, np.float64)
        zero = edges[0] - ZERO_AT
        self._axis.set_floor(zero if report.zero_count else None)
        self.plot.include(
            edges if not report.zero_count else np.append(edges, zero - 0.3),
            np.append(counts, report.zero_count),
        )
        base = self.plot.shown_range()[1][0] - 1.0 if self.plot.log else 0.0
        margin = 0.05 * np.diff(edges)
        tops = np.where(counts > 0.0, self.plot.heights(counts), base)
        self._bars.setOpts(
            x0=edges[:-1] + margin,
            x1=edges[1:] - margin,
            y0=base,
            y1=tops,
        )
        top = self.plot.heights(np.array([float(report.zero_count)]))
        self._zero.setOpts(x0=[zero - 0.15], x1=[zero + 0.15], y0=base, y1=top)
        self._zero.setVisible(report.zero_count > 0)

    def _draw_shares(self, report: PriorityReport) -> None:
        edges = np.asarray(report.bin_edges, np.float64)
        filled = np.asarray(report.counts) > 0
        self._mass.setData(
            edges, np.asarray(report.mass, np.float64), stepMode="center"
        )
        centres = ((edges[:-1] + edges[1:]) / 2)[filled]
        self._weight.setData(centres, np.asarray(report.weight, np.float64)[filled])

    def _capacity(self) -> int:
        return self.context.store.configuration.replay.capacity

    def _draw_ages(self, report: PriorityReport) -> None:
        edges = np.asarray(report.age_edges, np.float64)
        counts = np.asarray(report.age_counts, np.float64)
        self.ages.setVisible(len(counts) > 0)
        if not len(counts):
            return
        self._age_bars.setOpts(x0=edges[:-1], x1=edges[1:], y0=0.0, y1=counts)
        self.ages.include(edges, counts)
        self.ages.set_model(age_edges=edges, age_counts=counts)
        words = f"{count(report.size)} transitions"
        self.ages.set_legend(legend_html([("■", self.context.theme.colour(0), words)]))
        oldest = edges[1:][counts > 0]
        if len(oldest):
            far = count(float(oldest[-1]))
            sentence = f"The oldest stored transition is up to {far} steps old."
            self.ages.describe(sentence)
            self.ages.set_caption(f"{sentence} Step {count(report.step)}; n = 1 seed.")

    def _say(self, report: PriorityReport) -> None:
        theme = self.context.theme
        names = [
            ("■", theme.colour(0), "stored transitions"),
            ("━", theme.colour(1), "sampling probability of the bin (right)"),
            ("╌", theme.colour(2), "importance weight, 1 = largest (right)"),
            ("", theme.tokens.muted, f"α {report.alpha:g} · β {report.beta:.3g}"),
        ]
        self.plot.set_legend(legend_html(names))
        sentence = words_of(report)
        self.plot.set_caption(
            f"{sentence} Step {count(report.step)}, α {report.alpha:g}, "
            f"β {report.beta:.3g}; bins of log10(priority); n = 1 seed."
        )
        self.plot.describe(sentence)

    # -------------------------------------------------------------- the person

    def _on_pointed(self, x: float, y: float) -> None:
        report = self.context.store.priorities
        if report is None or not len(report.counts):
            return
        words = bin_words(report, x)
        if words:
            place = self.plot.canvas.mapToGlobal(self.plot.pixel_of(x, y))
            QToolTip.showText(place + QPoint(12, 12), words, self.plot.canvas)

    def _on_picked(self, x: float, y: float) -> None:
        """Look at the steps of a bin, with their pictures."""
        report = self.context.store.priorities
        found = bin_range(report, x) if report is not None else None
        if found is not None:
            self.context.selection.rangeAsked.emit(*found)
            self.context.commands.action("replay.browse").trigger()

    def _on_reset(self) -> None:
        self.plot.start_again()
        self.ages.start_again()
        self.refresh()

    def restyle(self) -> None:
        """Take over the colours of the theme."""
        theme = self.context.theme
        fill = QColor(theme.colour(0))
        fill.setAlphaF(0.55)
        for bars in (self._bars, self._age_bars):
            bars.setOpts(brush=fill, pen=self.plot.pen(theme.colour(0)))
        hatch = pg.mkBrush(QColor(theme.tokens.warning))
        hatch.setStyle(Qt.BrushStyle.BDiagPattern)
        self._zero.setOpts(brush=hatch, pen=self.plot.pen(theme.tokens.warning))
        self._mass.setPen(self.plot.pen(theme.colour(1)))
        self._weight.setPen(self.plot.pen(theme.colour(2), Qt.PenStyle.DashLine))
        self.plot.set_labels("priority p = |δ| + ε", "")
        self.ages.set_labels("age in steps", "")
