"""All recorded episodes: filter, sort, and choose the one to step through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QStackedWidget

from engine.contract.messages import EpisodeFinished
from rllab_gui.commands import Command
from rllab_gui.cursor import Position
from rllab_gui.plain import PlainLabel
from rllab_gui.plots.numbers import LONGEST, count
from rllab_gui.views.base import View, ViewContext
from rllab_gui.views.empty import EmptyState
from rllab_gui.views.episode_rows import COLUMNS, SORTED_BY, EpisodeRows
from rllab_gui.views.episode_table import EpisodeTable
from rllab_gui.views.filtering import FilterError
from rllab_gui.views.tables import CalmTable, filter_field

FOLLOWED = 100
"""Rows up to which each new one is drawn at once."""
MOST_WAITING = 256
"""So many have ended since it was drawn, which it is not while it is hidden."""
COMING = ("The episodes are being listed.", "One moment.")


class EpisodesView(View):
    """Table of episodes; choosing one moves the cursor."""

    view_id = "episodes"
    title = "Episodes"
    about = (
        "All recorded episodes, newest first. Returns are undiscounted; training "
        "episodes explore, evaluations are greedy. Filter with terms such as ret>490, "
        "len<20, kind=eval; choose a row to step through it."
    )

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.episodes = EpisodeTable()
        self.rows = EpisodeRows(self.episodes)
        self._new: list[EpisodeFinished] = []
        self._follows = False
        self._session = ("", 0)
        self._missing: tuple[str, str] | None = None
        self._order, self._descending = "step0", True
        self._listed = ("", self._order, self._descending)
        self._table = self._make_table()
        self.filter = self._make_filter()
        self._complaint = PlainLabel(parent=self)
        self._complaint.setObjectName("step.episodes.complaint")
        self._complaint.setWordWrap(True)
        self._complaint.hide()
        self._complaint.setMargin(context.theme.px(6))
        self._none = EmptyState(context.commands, context.theme, self)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self._table)
        self._pages.addWidget(self._none)
        head = QHBoxLayout()
        gap = context.theme.px(4)
        head.setContentsMargins(gap, gap, gap, gap)
        head.addWidget(self.filter)
        self.body_layout.addLayout(head)
        self.body_layout.addWidget(self._complaint)
        self.body_layout.addWidget(self._pages, 1)
        self._connect()
        self._on_session()

    def _make_table(self) -> CalmTable:
        table = CalmTable(
            self.rows, self.context.theme, "step.episodes.table", "Recorded episodes"
        )
        # Evaluations are counted through the whole run: five digits are usual.
        longest = ("00000", "train", LONGEST, "1,000", LONGEST, "?? T")
        table.set_widths((30, 40, 54, 44, 50, 30), longest)
        heading = table.horizontalHeader()
        heading.setSectionsClickable(True)
        heading.setSortIndicatorShown(True)
        heading.setSortIndicator(0, Qt.SortOrder.DescendingOrder)
        heading.sortIndicatorChanged.connect(self._on_sort)
        table.selectionModel().currentRowChanged.connect(self._on_chosen)
        table.clicked.connect(self._on_clicked)
        return table

    def _make_filter(self) -> QLineEdit:
        field = filter_field(
            "step.episodes.filter",
            "Filter of the episodes",
            "Filter: ret>490 kind=evaluation",
            self,
        )
        field.setToolTip(
            "Terms that must all hold: ret>490, len<20, ep>=40, td>5, step>1e4, "
            "kind=evaluation"
        )
        field.textChanged.connect(self.refresh)
        return field

    def _connect(self) -> None:
        context = self.context
        context.link.episodeFinished.connect(self._on_finished)
        context.store.sessionChanged.connect(self._on_session)
        context.cursor.changed.connect(self._on_cursor)
        context.pulse.ticked.connect(self._follow)
        context.episode.changed.connect(self._on_judged)
        context.why.predict.changed.connect(self._on_predict)
        if "episodes.clearFilter" not in context.commands:
            context.commands.add(
                Command(
                    "episodes.clearFilter",
                    "Show all episodes",
                    "Clear the filter of the list of episodes",
                    self.filter.clear,
                )
            )

    # ------------------------------------------------------------ what arrives

    def _on_session(self) -> None:
        """Another session has other episodes, and so has a run that went back."""
        session = self.context.store.session
        of = (session.uuid, session.cuts)
        if of == self._session:
            return
        self._session = of
        self._table.replace(self.rows.clear)
        self._new.clear()
        self._missing = COMING if session.uuid else None
        if session.uuid:
            self.context.link.ask(
                "episodes",
                {},
                lambda answer: self._on_table(of, answer),
                lambda sentence: self._on_no_table(of, sentence),
            )
        self.refresh()

    def _on_table(self, of: tuple[str, int], answer: dict[str, Any]) -> None:
        if of == self._session:
            self._missing = None
            self.episodes.take(answer)
            self.refresh()

    def _on_no_table(self, of: tuple[str, int], sentence: str) -> None:
        if of == self._session:
            self._missing = ("The episodes cannot be listed.", sentence)
            self.refresh()

    def _on_finished(self, episode: EpisodeFinished) -> None:
        if self.context.store.configuration.recording.level != "scalars":
            self._new.append(episode)
            if len(self._new) > MOST_WAITING:
                self._take_in()
            # Some worlds end hundreds a second, which nobody can follow row by row.
            self.refresh_if(len(self.episodes) < FOLLOWED)

    def _on_judged(self) -> None:
        data = self.context.episode.data
        if data is not None and np.isfinite(data.td_error).any():
            largest = float(np.nanmax(np.abs(data.td_error)))
            other = self.episodes.judge_by(data.key[1])
            self.episodes.set_max_td(data.key[2], data.key[3], largest)
            if other or self._order == "max_td" or self.filter.text():
                self.refresh()
            else:
                self._paint_row(data.key[2], data.key[3])

    def _paint_row(self, kind: str, episode: int) -> None:
        """One number is another; the rows and their order are the same."""
        at, model = self.episodes.find(kind, episode), self._table.model()
        row = self.rows.row_of(at) if at >= 0 else -1
        for column in range(model.columnCount()) if row >= 0 else ():
            self._table.update(model.index(row, column))

    def _on_predict(self) -> None:
        self.rows.hides_errors = self.context.why.predict.hidden
        self.refresh()

    def emptiness(self) -> tuple[str, str, Sequence[tuple[str, str]]] | None:
        """Nothing is recorded."""
        if len(self.episodes) or self._new:
            return None
        if self.context.store.configuration.recording.level == "scalars":
            words = "This session records numbers only (recording.level=scalars)."
            return "No episode is recorded.", words, ()
        if self._missing is not None:
            return (*self._missing, ())
        words = "Every finished episode of the training appears here."
        return "No episode recorded yet.", words, [("train.start", "Train")]

    # ------------------------------------------------------------------ draw

    def draw(self) -> None:
        """Bring the rows up to date; what is chosen and scrolled to stays."""
        self._take_in()
        order = self._matching()
        if order is None:
            return
        model = self._table.selectionModel()
        model.blockSignals(True)
        newest_first = self._order == "step0" and self._descending
        self._table.replace(lambda: self.rows.set_order(order), from_top=newest_first)
        self._select(self.context.cursor.position)
        model.blockSignals(False)
        asked = (self.filter.text(), self._order, self._descending)
        if asked != self._listed:  # what was scrolled to is somewhere else now
            self._listed = asked
            self._table.show_chosen()
        self._show_page()

    def _take_in(self) -> None:
        """Messages take more memory than rows of the table."""
        environments = self.context.store.configuration.training.environments
        self.episodes.add(self._new, environments)
        self._new.clear()

    def _matching(self) -> np.ndarray | None:
        """Rows that match; None while the filter cannot be read."""
        words = self.filter.text()
        try:
            found = self.episodes.rows(words, self._order, descending=self._descending)
        except FilterError as complaint:
            self._complain(str(complaint))
            return None
        self._complaint.hide()
        return found

    def _complain(self, sentence: str) -> None:
        """Say what cannot be read; the rows of before stay."""
        self._complaint.setText(sentence)
        self._complaint.setVisible(len(self.rows.order) > 0)
        if not len(self.rows.order):
            clear = [("episodes.clearFilter", "Clear filter")]
            self._none.say("This filter cannot be read.", sentence, clear)

    def _show_page(self) -> None:
        some = len(self.rows.order) > 0
        words = self.filter.text()
        if not some:
            self._none.say(
                f"No episode matches '{words}'.",
                f"There are {count(len(self.episodes))} episodes.",
                [("episodes.clearFilter", "Clear filter")],
            )
        self._pages.setCurrentWidget(self._table if some else self._none)
        shown, whole = len(self.rows.order), len(self.episodes)
        self.describe(f"{count(shown)} of {count(whole)} episodes are listed.")

    # -------------------------------------------------------------- the person

    def _on_chosen(self, index: QModelIndex, _: QModelIndex) -> None:
        if index.isValid():
            kind, episode = self.episodes.key(int(self.rows.order[index.row()]))
            position = self.context.cursor.position
            if (kind, episode) != (position.kind, position.episode):
                self.context.cursor.show_episode(kind, episode)

    def _on_clicked(self, index: QModelIndex) -> None:
        """Whoever clicks on the row that is followed, or was till now, wants it."""
        key = self.episodes.key(int(self.rows.order[index.row()]))
        cursor = self.context.cursor
        elsewhere = key != (cursor.position.kind, cursor.position.episode)
        if elsewhere or cursor.mode == "following":
            cursor.show_episode(*key)

    def _on_sort(self, column: int, order: Qt.SortOrder) -> None:
        if COLUMNS[column] != "glyph":
            self._order = SORTED_BY.get(COLUMNS[column], COLUMNS[column])
            self._descending = order == Qt.SortOrder.DescendingOrder
            self.refresh()

    def _on_cursor(self, _: Position) -> None:
        """The list follows when the picture that is looked at has been painted."""
        self._follows = True

    def _follow(self) -> None:
        if self._follows:
            self._follows = False
            self._select(self.context.cursor.position)

    def _select(self, position: Position) -> None:
        """Mark the episode that is looked at, without asking for it again."""
        at = self.episodes.find(position.kind, position.episode)
        row = self.rows.row_of(at) if at >= 0 else -1
        if row >= 0 and row != self._table.currentIndex().row():
            self._table.selectRow(row)
        elif row < 0:
            self._table.clearSelection()

    def step_episode(self, by: int) -> None:
        """Choose the next or the previous episode of the list."""
        self._follow()
        row = self._table.currentIndex().row() + by
        if 0 <= row < len(self.rows.order):
            self._table.selectRow(row)

    def restyle(self) -> None:
        """Take over fonts and sizes."""
        self._table.restyle()
        theme = self.context.theme
        self._complaint.setStyleSheet(f"color: {theme.tokens.warning}")
        self._complaint.setMargin(theme.px(6))
