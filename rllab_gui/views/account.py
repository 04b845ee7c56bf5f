"""Where the time of training goes, what can be done about it, and what memory takes."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from engine.contract.costs import Probe
from engine.contract.memory_costs import memory_bytes
from engine.contract.messages import MemoryReport, TimeReport
from rllab_gui.plain import PlainLabel
from rllab_gui.plots.frame import LIVE_LEGEND_S, PlotFrame
from rllab_gui.plots.numbers import count
from rllab_gui.plots.shares import SharesCanvas
from rllab_gui.views.account_advice import advice
from rllab_gui.views.account_rows import (
    memory_columns,
    memory_group,
    memory_words,
    time_columns,
    time_groups,
)
from rllab_gui.views.account_speeds import SpeedsButton
from rllab_gui.views.base import View, ViewContext

WIDE = 1.3
ONE_RUN = "n\u00a0=\u00a01\u00a0run"
SELECTABLE = (
    Qt.TextInteractionFlag.TextSelectableByMouse
    | Qt.TextInteractionFlag.TextSelectableByKeyboard
)


class AccountView(View):
    """Stages of a step as rows, memory as rows, and sentences of advice."""

    view_id = "account"
    title = "Where does the time go?"
    tab = "Time"
    about = (
        "The time of the trainer's process over the last seconds, shared out over the "
        "environment steps that were made in it. Some of the steps are taken apart "
        "with a clock, so that it costs less than 1 % of the speed; what lies between "
        "the steps is always timed. Below is what its arrays take in memory: filled "
        "where something is stored, dotted what it can become. The sentences say what "
        "could be changed, with numbers that were measured in this run."
    )
    topics = frozenset({"account"})

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.time = PlotFrame("time", "Time of a step", context.theme)
        self.memory = PlotFrame("memoryUse", "Memory", context.theme)
        self.time_canvas = SharesCanvas(context.theme, stacked=True)
        self.memory_canvas = SharesCanvas(context.theme, stacked=False)
        self.measure = SpeedsButton(context.link, context.store)
        self.answer = PlainLabel(parent=self)
        self.words = PlainLabel(parent=self)
        self._furnish()
        self._arrange()
        store = context.store
        store.accountChanged.connect(self.refresh)
        store.statusChanged.connect(self._on_status)
        store.wasReset.connect(self.refresh)
        self.measure.changed.connect(self.refresh)
        self.restyle()

    def _furnish(self) -> None:
        for plot, canvas in (
            (self.time, self.time_canvas),
            (self.memory, self.memory_canvas),
        ):
            plot.set_canvas(canvas)
            plot.header.hide_mode()
            plot.legend_every_s = LIVE_LEGEND_S
            self.adopt(plot)
        self.time.header.add(self.measure)
        names = "What takes most of a step", "What else can be done"
        for label, part, name in zip(
            (self.answer, self.words), ("answer", "advice"), names, strict=True
        ):
            label.setObjectName(f"train.account.{part}")
            label.setAccessibleName(name)
            label.setWordWrap(True)
            label.setTextInteractionFlags(SELECTABLE)

    def _arrange(self) -> None:
        """Both plots beside or above each other, the words below; it all scrolls."""
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._plots = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._plots.setSpacing(0)
        top = Qt.AlignmentFlag.AlignTop
        self._plots.addWidget(self.time, 5, top)
        self._plots.addWidget(self.memory, 4, top)
        column.addWidget(self.answer)
        column.addLayout(self._plots)
        column.addWidget(self.words)
        column.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setObjectName("train.account.scroll")
        scroll.setAccessibleName(self.title)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setWidget(inside)
        self.body_layout.addWidget(scroll)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a panel wide enough for both, the plots stand side by side."""
        super().resizeEvent(event)
        both = self.time.minimumSizeHint().width()
        both += self.memory.minimumSizeHint().width()
        wide = self.width() > max(WIDE * self.height(), both)
        way = QBoxLayout.Direction
        self._plots.setDirection(way.LeftToRight if wide else way.TopToBottom)

    def emptiness(self) -> tuple[str, str, Sequence[tuple[str, str]]] | None:
        """Nothing has been measured yet, or not while somebody looked."""
        store = self.context.store
        if store.times or store.memory is not None:
            return None
        if store.status.state in ("running", "starting"):
            return "Measuring.", "The first second of training is under way.", ()
        what = "Nothing has been measured yet."
        if not store.session.uuid:
            words = "Train to see where the time of a step goes."
            return what, words, [("train.start", "Train")]
        words = (
            "Where time goes is measured while a run trains, and kept until another "
            "one begins or the engine ends. Of this session nothing is left: let it go "
            "on to measure it again."
        )
        return what, words, [("train.continue", "Continue session")]

    # ------------------------------------------------------------------ draw

    def draw(self) -> None:
        """Bring both plots and the words up to date."""
        store = self.context.store
        if store.times:
            self._draw_time(store.times[-1])
        if store.memory is not None:
            self._draw_memory(store.memory)

    def _draw_time(self, report: TimeReport) -> None:
        store = self.context.store
        groups = time_groups(report)
        self.time_canvas.show_groups(groups)
        self.time.set_model(**time_columns(store.times))
        how = self._how(report)
        self.time.set_legend(how)
        said = advice(report, store.options_at(), self.measure.speeds)
        self.answer.setText(said[0])
        self.words.setText("\n".join((*said[1:], *report.notes)))
        stages = (f"{it.name} {it.value}" for it in groups[0].rows)
        sentence = f"{groups[0].title}: {', '.join(stages)}."
        self.time.describe(sentence)
        self.time.set_caption(f"Step {count(report.step)}. {how}")

    def _how(self, report: TimeReport) -> str:
        """What the numbers are made of."""
        of = self.context.store.configuration.training
        together = 1 if of.offline else of.environments
        timed = min(report.steps, report.timed * together)
        return (
            f"Of the last {report.seconds:.0f} s, {count(timed)} of "
            f"{count(report.steps)} steps taken apart; {report.device}; {ONE_RUN}."
        )

    def _draw_memory(self, report: MemoryReport) -> None:
        full = self._expected(report)
        group = memory_group(report, full)
        self.memory_canvas.show_groups((group,))
        self.memory.set_model(**memory_columns(report, full))
        besides = memory_words(report)
        self.memory.set_legend(besides)
        parts = (f"{it.name} {it.value} {it.note}".strip() for it in group.rows)
        sentence = f"{group.title}: {', '.join(parts)}."
        self.memory.describe(sentence)
        self.memory.set_caption(f"Step {count(report.step)}; n = 1 run. {besides}")

    def _expected(self, report: MemoryReport) -> dict[str, float]:
        """What it can become, by the options."""
        store = self.context.store
        if store.card is None or not store.card.shape:
            return {}
        steps = store.card.max_episode_steps or 0
        probe = Probe(weights_bytes=report.weights, episode_steps=steps)
        return memory_bytes(store.options_at(), store.card, probe)

    # ------------------------------------------------------- what changes

    def _on_status(self) -> None:
        if not self.context.store.times:
            self.refresh()

    def restyle(self) -> None:
        """Take over the sizes of the theme."""
        theme = self.context.theme
        margin = theme.px(8)
        for label in (self.answer, self.words):
            label.setFont(theme.font(relative=0.9))
            label.setContentsMargins(margin, margin // 2, margin, margin // 2)
