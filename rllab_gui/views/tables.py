"""What the tables have in common: a model of rows of text, and a calm table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from PySide6.QtCore import (
    QAbstractTableModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
)
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLineEdit,
    QTableView,
    QWidget,
)

from engine.contract.plain_text import visible
from rllab_gui.plain import tip
from rllab_gui.theme import Theme

Index = QModelIndex | QPersistentModelIndex
HORIZONTAL = Qt.Orientation.Horizontal
LEAST_PX = 24
CELL_PX = 8
"""Pixels round the words of a cell, at normal size."""
HEADING_MARGIN = 14
"""Pixels round the words of a heading, at normal size."""


class Rows(Protocol):
    """What a table shows, free of Qt."""

    @property
    def headings(self) -> Sequence[tuple[str, str]]:
        """Heading and tooltip of each column."""

    def count(self) -> int:
        """How many rows there are."""

    def text(self, row: int, column: int) -> str:
        """What a cell says."""

    def tip(self, row: int, column: int) -> str:
        """More about a cell, or nothing."""

    def is_number(self, column: int) -> bool:
        """Numbers stand at the right."""


class RowsModel(QAbstractTableModel):
    """Rows of text as Qt asks for them.

    Attributes:
      sorted_by: Says which column has the arrow of sorting at the right end of its
        heading, -1 for none.
    """

    def __init__(self, rows: Rows, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows, self._headings = rows, tuple(rows.headings)
        self.sorted_by: Callable[[], int] = lambda: -1

    def change(self, change: Callable[[], int]) -> int:
        """Change the rows, and have all of them asked for again."""
        self.beginResetModel()
        added = change()
        self.endResetModel()
        return added

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Rows of the table; a cell has none."""
        return 0 if parent.isValid() else self._rows.count()

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Columns of the table; a cell has none."""
        return 0 if parent.isValid() else len(self._headings)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, tooltip and alignment of a cell."""
        if not index.isValid():
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return visible(self._rows.text(index.row(), index.column()))
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip(self._rows.tip(index.row(), index.column())) or None
        right = self._rows.is_number(index.column())
        if role == Qt.ItemDataRole.TextAlignmentRole and right:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        """Heading and its explanation."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._headings[section][0]
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._headings[section][1]
        right = self._rows.is_number(section) and section != self.sorted_by()
        if role == Qt.ItemDataRole.TextAlignmentRole and right:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None


def filter_field(name: str, title: str, hint: str, parent: QWidget) -> QLineEdit:
    """A field for a filter, with a button that clears it."""
    field = QLineEdit(parent)
    field.setObjectName(name)
    field.setAccessibleName(title)
    field.setPlaceholderText(hint)
    field.setToolTip(hint)  # it may be wider than the field
    field.setClearButtonEnabled(True)
    for action in field.findChildren(QAction):
        action.setObjectName(f"act.{name}.clear")
        action.setText("Clear the filter")
        action.setToolTip("Clear the filter")
        action.setStatusTip("Clear the filter")
    return field


class CalmTable(QTableView):
    """Rows of one height, whole rows selected, no grid; new rows do not move it."""

    def __init__(
        self,
        rows: Rows,
        theme: Theme,
        name: str,
        title: str,
        model: RowsModel | None = None,
    ) -> None:
        super().__init__()
        self._theme = theme
        self._model = model or RowsModel(rows)
        self._model.setParent(self)
        self._shares: tuple[int, ...] = ()
        self._longest: tuple[str, ...] = ()
        self._needed_least: tuple[int, ...] = ()
        self._pulled = False
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.setModel(self._model)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        self.verticalHeader().hide()
        heading = self.horizontalHeader()
        heading.setObjectName(f"{name}.header")
        heading.setAccessibleName(f"{title}: columns")
        heading.setHighlightSections(False)
        heading.setStretchLastSection(True)
        heading.setMinimumSectionSize(LEAST_PX)
        heading.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        heading.sectionResized.connect(self._on_moved)
        heading.viewport().installEventFilter(self)
        heading.setDefaultAlignment(
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        )
        self._model.sorted_by = self._sorted_by
        self.restyle()

    def _sorted_by(self) -> int:
        heading = self.horizontalHeader()
        return heading.sortIndicatorSection() if heading.isSortIndicatorShown() else -1

    def restyle(self) -> None:
        """Take over fonts and sizes."""
        self.setFont(self._theme.font(relative=0.92))
        small = self._theme.font(relative=0.85)
        self.horizontalHeader().setFont(small)
        # Sections that a sheet styles keep the font that they were first drawn with.
        size = f"font-size: {small.pointSizeF():.2f}pt"
        self.horizontalHeader().setStyleSheet(f"QHeaderView::section {{ {size} }}")
        self.verticalHeader().setDefaultSectionSize(max(24, self._theme.px(24)))
        self._share_out()

    def set_widths(
        self,
        widths: Sequence[int],
        longest: Sequence[str] = (),
        needed_least: Sequence[int] = (),
    ) -> None:
        """Shares of the width that the columns get, until a person moves them.

        Args:
          widths: One for each column.
          longest: What is to fit into each in any case, beside its heading.
          needed_least: Columns that go, one after the other, where all have no room.
        """
        self._shares, self._longest = tuple(widths), tuple(longest)
        self._needed_least = tuple(needed_least)
        self._share_out()

    def show_columns(self, shown: Sequence[bool]) -> None:
        """Show these columns, and hide the others."""
        for column, it in enumerate(shown):
            self.setColumnHidden(column, not it)
        self._share_out()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the new width out."""
        super().resizeEvent(event)
        self._share_out()

    def _share_out(self) -> None:
        """By their shares, but none narrower than its heading; then one scrolls."""
        if not self._shares:
            return
        metrics = self.horizontalHeader().fontMetrics()
        needed = [it for it in self._columns() if it not in self._needed_least]
        hidden = [it in needed and self.isColumnHidden(it) for it in self._columns()]
        shares = [
            0 if gone else it for it, gone in zip(self._shares, hidden, strict=True)
        ]
        headings = (self._model.headerData(it, HORIZONTAL) for it in self._columns())
        room = self._theme.px(HEADING_MARGIN)
        least = [max(LEAST_PX, metrics.horizontalAdvance(it) + room) for it in headings]
        for column, text in enumerate(self._longest):
            wide = self.fontMetrics().horizontalAdvance(text) + self._theme.px(CELL_PX)
            least[column] = max(least[column], wide)
        least = [0 if gone else it for it, gone in zip(least, hidden, strict=True)]
        for column in self._needed_least:
            hidden[column] = sum(least) > self.viewport().width()
            self.setColumnHidden(column, hidden[column])
            if hidden[column]:
                shares[column] = least[column] = 0
        scrolls = sum(least) > self.viewport().width()
        policy = Qt.ScrollBarPolicy
        self.setHorizontalScrollBarPolicy(
            policy.ScrollBarAsNeeded if scrolls else policy.ScrollBarAlwaysOff
        )
        spare = max(0, self.viewport().width() - sum(least))
        whole = max(sum(shares), 1)
        for column, share in enumerate(shares[:-1]):  # the last takes the rest
            if not hidden[column]:
                self.setColumnWidth(column, least[column] + spare * share // whole)
        if not hidden[-1]:
            self.setColumnWidth(len(least) - 1, least[-1])

    def _columns(self) -> range:
        return range(len(self._shares))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A column is moved by hand while its heading is held, and not otherwise."""
        if watched is self.horizontalHeader().viewport():
            if event.type() == QEvent.Type.MouseButtonPress:
                self._pulled = True
            elif event.type() == QEvent.Type.MouseButtonRelease:
                self._pulled = False
        return super().eventFilter(watched, event)

    def _on_moved(self, column: int, *_: int) -> None:
        if self._pulled and column < len(self._shares) - 1:
            self._shares = ()

    def show_chosen(self) -> None:
        """Scroll to the row that is chosen; to the first one where none is."""
        if self.selectionModel().hasSelection():
            self.scrollTo(self.currentIndex(), self.ScrollHint.PositionAtCenter)
        else:
            self.scrollToTop()

    def replace(self, change: Callable[[], int], *, from_top: bool = True) -> None:
        """Change the rows; what a person has scrolled to stays in place.

        Args:
          change: Does it and returns how many rows there are more than before.
          from_top: The further rows stand above the others.
        """
        bar = self.verticalScrollBar()
        place = bar.value()
        added = self._model.change(change)
        self.doItemsLayout()
        bar.setValue(place + added if from_top and place > 0 and added > 0 else place)
