"""What the replay memory held: every step with its priority, and where it is from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QItemSelectionModel, QModelIndex, QSize, Qt
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QToolButton,
)

from engine.contract.messages import Problem
from rllab_gui.plain import PlainLabel
from rllab_gui.plots import export
from rllab_gui.plots.numbers import count, short
from rllab_gui.resting import Resting
from rllab_gui.views.base import View, ViewContext
from rllab_gui.views.filtering import FilterError
from rllab_gui.views.replay_rows import COLUMNS, EXAMPLE, ReplayRows
from rllab_gui.views.tables import CalmTable, Index, RowsModel, filter_field
from rllab_gui.views.thumbnails import SIZE, Thumbnails

WIDTHS = (46, 40, 40, 50, 56, 56, 56, 60, 46, 50)
SAMPLES = (
    9 * "0",
    "9999",
    "999",
    "99,999",
    "99.9",
    "99.9",
    "99.9",
    "9.99e-5",
    "0.999",
    "9",
)
MOST_SELECTED = 5_000
"""More rows than these are not marked in the table one by one."""


class ReplayView(View):
    """Table of all steps in the replay memory of a checkpoint."""

    view_id = "stepReplay"
    title = "Replay memory"
    tab = "Replay"
    about = (
        "Every step that the replay memory held at a checkpoint: how old it was, how "
        "likely to be drawn, how often it had been drawn. p = |δ| + ε is the priority, "
        "P(i) = p_i^α / Σ p^α the probability of being drawn next, w the importance "
        "weight. Filter with terms such as p>0.5 or drawn=0, click a heading to sort; "
        "double-click a row to step through the moment it is from."
    )
    needs = frozenset({"replay"})
    answers = True

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.empty.prefix = "empty.stepReplay"
        self.rows = ReplayRows()
        self.asked = Resting(context.link, "replay_contents", self)
        self.thumbnails = Thumbnails(context.link, self)
        self._by, self._descending = "priority", True
        self._taken: dict[str, Any] = {}
        self._range: tuple[float, float] | None = None
        self.table = self._make_table()
        self._furnish()
        self._connect()

    # ------------------------------------------------------------------ making

    def _make_table(self) -> CalmTable:
        table = CalmTable(
            self.rows,
            self.context.theme,
            "step.replay.table",
            "Steps in the replay memory",
            ReplayModel(self.rows, self.thumbnails, self.context),
        )
        table.set_widths(WIDTHS, SAMPLES)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        heading = table.horizontalHeader()
        heading.setSectionsClickable(True)
        heading.setSortIndicatorShown(True)
        heading.setSortIndicator(4, Qt.SortOrder.DescendingOrder)
        heading.sortIndicatorChanged.connect(self._on_sort)
        return table

    def _furnish(self) -> None:
        theme = self.context.theme
        self.filter = filter_field(
            "step.replay.filter",
            "Filter of the replay memory",
            f"Filter: {EXAMPLE.split(',')[0]}",
            self,
        )
        self.filter.setToolTip(f"Terms that must all hold: {EXAMPLE}")
        self.chip = self._button(QToolButton(self), "step.replay.chip", "Selection")
        self.chip.setToolTip("Show all steps again, and select none")
        self.go = self._button(QPushButton(self), "step.replay.go", "Go there")
        self.go.setToolTip("Step through the moment that the chosen row is from")
        self.save = self._button(QPushButton(self), "step.replay.export", "CSV…")
        self.save.setToolTip("Write the selected rows, or all that are shown, as CSV")
        self.save.setAccessibleName("Export rows as CSV")
        self.words = PlainLabel(parent=self)
        self.words.setObjectName("step.replay.words")
        self.words.setWordWrap(True)
        head = QHBoxLayout()
        gap = theme.px(4)
        head.setContentsMargins(gap, gap, gap, gap)
        head.addWidget(self.filter, 1)
        for control in (self.chip, self.go, self.save):
            head.addWidget(control)
        self.body_layout.addLayout(head)
        self.body_layout.addWidget(self.words)
        self.body_layout.addWidget(self.table, 1)
        self.chip.hide()
        self.restyle()

    @staticmethod
    def _button(button: Any, name: str, text: str) -> Any:
        button.setObjectName(name)
        button.setText(text)
        button.setAccessibleName(text)
        return button

    def _connect(self) -> None:
        context = self.context
        self.asked.changed.connect(self._on_answer)
        context.cursor.changed.connect(self._on_moment)
        context.axis.changed.connect(self._on_moment)
        context.store.sessionChanged.connect(self.refresh)
        context.store.wasReset.connect(self._on_reset)
        context.store.wentBack.connect(self._on_reset)
        context.selection.changed.connect(self._on_selection)
        context.selection.rangeAsked.connect(self._on_range)
        self.filter.textChanged.connect(self.refresh)
        self.chip.clicked.connect(self._clear)
        self.go.clicked.connect(lambda: self._go(self.table.currentIndex()))
        self.save.clicked.connect(self._ask_path)
        self.table.activated.connect(self._go)
        self.table.selectionModel().selectionChanged.connect(self._on_rows_chosen)
        self.table.verticalScrollBar().valueChanged.connect(self._want_pictures)
        self.thumbnails.arrived.connect(self.table.viewport().update)

    # ---------------------------------------------------------------- what is asked

    def _ask(self, *_: object) -> None:
        """Want the memory of the checkpoint that judges; the newest as recorded."""
        session = self.context.store.session
        if not self.in_front or not session.uuid or self._keeps_none():
            self.asked.drop()
            return
        self.asked.want(session.uuid, {"checkpoint_step": self._checkpoint()})

    def _checkpoint(self) -> int:
        chosen = self.context.cursor.position.checkpoint
        return chosen if chosen >= 0 else max(self.context.axis.steps, default=-1)

    def _on_moment(self, *_: object) -> None:
        """Another checkpoint may be looked through; whoever sees it asks."""
        if self._checkpoint() != self.asked.arguments.get("checkpoint_step"):
            self.refresh()

    def _keeps_none(self) -> bool:
        return self.context.store.configuration.replay.kind == "none"

    def _on_answer(self) -> None:
        self._taken = self.asked.answer
        model = self.table.selectionModel()
        model.blockSignals(True)
        self.rows.take(self._taken)
        model.blockSignals(False)
        if self._range is not None and self.rows.has("priority"):
            self._select_range(*self._range)
        self.table.show_columns([self.rows.has(it.name) for it in COLUMNS])
        self.refresh()
        self.context.pulse.soon()

    def _on_reset(self) -> None:
        self._range = None
        self.thumbnails.forget()
        self.asked.forget()
        self.refresh()

    def emptiness(self) -> tuple[str, str, Sequence[tuple[str, str]]] | None:
        """There is no memory, or it is on its way; asked for by whoever sees it."""
        self._ask()
        if not self.context.store.session.uuid:
            return "No session is open.", "Train, or open a session file.", ()
        if self._keeps_none():
            words = "It learns from each step once, as it comes."
            return "This agent keeps no replay memory.", words, ()
        if self.asked.problem:
            return "The replay memory cannot be shown.", self.asked.problem, ()
        if not self._taken:
            return "One moment.", "The memory is being read.", ()
        return None

    # ------------------------------------------------------------------ draw

    def draw(self) -> None:
        """Bring the rows into the order and selection that are wanted."""
        only = self._only()
        try:
            order = self.rows.arrange(
                self.filter.text(), self._by, descending=self._descending, only=only
            )
        except FilterError as complaint:
            self.words.setText(str(complaint))
            return
        model = self.table.selectionModel()
        model.blockSignals(True)
        self.table.replace(lambda: self.rows.set_order(order), from_top=False)
        self._mark_selected()
        model.blockSignals(False)
        self._say()
        self._want_pictures()

    def _only(self) -> np.ndarray | None:
        """The steps of a range of priorities, or of a selection made elsewhere."""
        if self._range is not None:
            return self.rows.within("priority", *self._range)
        selection = self.context.selection
        if selection.steps and selection.source != self.view_id:
            return selection.mask(self.rows.steps())
        return None

    def _mark_selected(self) -> None:
        selection = self.context.selection
        self.table.clearSelection()
        if selection.source != self.view_id:
            return
        flags = QItemSelectionModel.SelectionFlag
        chosen = selection.mask(self.rows.steps()[self.rows.order])
        for row in np.flatnonzero(chosen)[:MOST_SELECTED].tolist():
            self.table.selectionModel().select(
                self.table.model().index(row, 0), flags.Select | flags.Rows
            )

    def _say(self) -> None:
        step = count(int(self._taken["checkpoint_step"]))
        shown, whole = count(self.rows.count()), count(self.rows.whole)
        said = f"{shown} of {whole} steps in the memory at checkpoint {step}"
        before = int(self._taken.get("before_step", -1))
        if before >= 0 and self.rows.has("priority_before"):
            said += f"; p before: at checkpoint {count(before)}"
        self.words.setText(f"{said}.")
        self.describe(self.words.text())
        selection = self.context.selection
        self.chip.setVisible(bool(selection.words))
        self.chip.setText(f"{selection.words}  ✕")
        self.chip.setAccessibleName(f"Selection: {selection.words}")

    def _want_pictures(self, *_: object) -> None:
        if not self.in_front or not self.rows.count():
            return
        first = max(self.table.rowAt(0), 0)
        last = self.table.rowAt(self.table.viewport().height() - 1)
        last = self.rows.count() - 1 if last < 0 else last
        self.thumbnails.want([self.rows.step(it) for it in range(first, last + 1)])

    # -------------------------------------------------------------- the person

    def _on_sort(self, column: int, order: Qt.SortOrder) -> None:
        if COLUMNS[column].name != "picture":
            self._by = COLUMNS[column].name
            self._descending = order == Qt.SortOrder.DescendingOrder
            self.refresh()

    def _go(self, index: QModelIndex) -> None:
        if index.isValid():
            episode, t = self.rows.step(index.row())
            if episode >= 0:
                self.context.cursor.show_episode("training", episode, t=t)

    def _on_rows_chosen(self, *_: object) -> None:
        rows = self.table.selectionModel().selectedRows()
        steps = [self.rows.step(it.row()) for it in rows]
        if self._only() is None:
            words = "1 step" if len(steps) == 1 else f"{count(len(steps))} steps"
            self.context.selection.choose(steps, words, self.view_id)

    def _on_range(self, low: float, high: float) -> None:
        """A bin of the histogram: the steps of these priorities."""
        self._range = (low, high)
        if self.rows.has("priority"):
            self._select_range(low, high)

    def _select_range(self, low: float, high: float) -> None:
        found = np.flatnonzero(self.rows.within("priority", low, high))
        steps = [self.rows.step_of(int(it)) for it in found]
        words = f"{count(len(steps))} steps with p {short(low)} to {short(high)}"
        self.context.selection.choose(steps, words, "priorities")
        self.refresh()

    def _on_selection(self) -> None:
        if self.context.selection.source != "priorities":
            self._range = None
        self.refresh()

    def _clear(self) -> None:
        self._range = None
        self.context.selection.clear()
        self.refresh()

    def _ask_path(self) -> None:
        dialog = QFileDialog(self, "Export rows of the replay memory")
        dialog.setObjectName("dlg.export.replay")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("csv")
        dialog.setNameFilter("CSV (*.csv)")
        dialog.selectFile("replay.csv")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.export)
        dialog.open()

    def export(self, path: str) -> bool:
        """Write the selected rows, or all that are shown. False: it failed."""
        chosen = [it.row() for it in self.table.selectionModel().selectedRows()]
        rows = sorted(chosen) or list(range(self.rows.count()))
        content = export.csv_bytes(self.rows.table(rows), self.words.text())
        try:
            export.write(path, content)
        except OSError as error:
            problem = Problem("window.export", str(error), severity="warning")
            self.context.link.problemRaised.emit(problem)
            return False
        return True

    # ------------------------------------------------------------------- looks

    def restyle(self) -> None:
        """Take over fonts and sizes."""
        theme = self.context.theme
        self.table.restyle()
        self.table.verticalHeader().setDefaultSectionSize(theme.px(32))
        self.table.setIconSize(QSize(theme.px(44), theme.px(30)))
        self.words.setStyleSheet(f"color: {theme.tokens.muted}")
        self.words.setFont(theme.font(relative=0.85))
        self.words.setMargin(theme.px(4))

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks any more."""
        super().hideEvent(event)
        self.asked.drop()


class ReplayModel(RowsModel):
    """Rows with a small picture each."""

    def __init__(
        self, rows: ReplayRows, thumbnails: Thumbnails, context: ViewContext
    ) -> None:
        super().__init__(rows)
        self._steps, self._pictures, self._context = rows, thumbnails, context

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The picture stands in the first column."""
        if index.isValid() and index.column() == 0:
            if role == Qt.ItemDataRole.DecorationRole:
                return self._pictures.picture(self._steps.step(index.row()))
            if role == Qt.ItemDataRole.SizeHintRole:
                return QSize(SIZE, self._context.theme.px(32))
        return super().data(index, role)
