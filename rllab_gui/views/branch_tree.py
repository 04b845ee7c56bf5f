"""The tree of an episode's branches: main line, branches, their rollouts."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from engine.contract.branches import returned, rollout_pairs
from engine.contract.notes import Branch
from rllab_gui.branches import place_of
from rllab_gui.plain import tip
from rllab_gui.views.branch_words import MARK, signed, tree_words, who

PLACE = Qt.ItemDataRole.UserRole


class BranchTree(QTreeWidget):
    """Rows are places, as ``Position.branch`` names them; the main line's is empty.

    Signals:
      chosen(str place): A person wants to look there.
      renamed(str branch_id, str name): A person has written another name.
    """

    own_keys = frozenset({Qt.Key.Key_F2})
    chosen = Signal(str)
    renamed = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("step.branches.tree")
        self.setAccessibleName("Branches of this episode")
        self.setHeaderLabels(["branch", "Δ return"])
        self.headerItem().setToolTip(
            1, "Undiscounted return of the branch minus that of the main line"
        )
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.currentItemChanged.connect(self._on_chosen)
        self.itemChanged.connect(self._on_edited)
        self._known: list[Branch] = []

    def show_branches(self, branches: Sequence[Branch], place: str) -> None:
        """These, with the row of this place chosen."""
        self.blockSignals(True)
        if list(branches) != self._known or not self.topLevelItemCount():
            self._known = list(branches)
            self.clear()
            root = QTreeWidgetItem(["main line", ""])
            root.setData(0, PLACE, "")
            self.addTopLevelItem(root)
            for branch in branches:
                self._add(root, branch)
            root.setExpanded(True)
        item = self.row(place)
        if item is not None and item is not self.currentItem():
            self.setCurrentItem(item)
        self.blockSignals(False)

    def row(self, place: str) -> QTreeWidgetItem | None:
        """The row of a place; the first rollout is the branch itself."""
        rows = [self.topLevelItem(0)]
        while rows:
            item = rows.pop(0)
            if item is not None and item.data(0, PLACE) == place:
                return item
            if item is not None:
                rows += [item.child(it) for it in range(item.childCount())]
        return None

    def edit_name(self, place: str) -> None:
        """Let a person write the name of this branch."""
        item = self.row(place)
        if item is not None:
            self.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.editItem(item, 0)

    def _add(self, root: QTreeWidgetItem, branch: Branch) -> None:
        name, gain = tree_words(branch)
        item = _row(root, name, gain, branch.id)
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
        item.setToolTip(0, tip(f"{who(branch)}. {branch.why}"))
        pairs = rollout_pairs(branch)
        for number, (ours, theirs) in enumerate(pairs if len(pairs) > 1 else ()):
            gain = signed(returned(ours, 1.0) - returned(theirs, 1.0))
            _row(item, f"rollout {number + 1}", gain, place_of(branch.id, number))

    def _on_chosen(self, item: QTreeWidgetItem | None, _: object) -> None:
        self.chosen.emit(_place(item))

    def _on_edited(self, item: QTreeWidgetItem, column: int) -> None:
        name, place = item.text(0).strip(), str(item.data(0, PLACE))
        name = name.removeprefix(MARK["approximate"].strip()).strip()
        if column == 0 and name and place:
            self._known = []  # the row shows what was written: draw it anew
            self.renamed.emit(place, name)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click on the row that is chosen already chooses it again."""
        before = _place(self.currentItem())
        super().mousePressEvent(event)
        if before and before == _place(self.itemAt(event.position().toPoint())):
            self.chosen.emit(before)


def _place(item: QTreeWidgetItem | None) -> str:
    return str(item.data(0, PLACE)) if item is not None else ""


def _row(parent: QTreeWidgetItem, name: str, gain: str, place: str) -> QTreeWidgetItem:
    item = QTreeWidgetItem([name, gain])
    item.setData(0, PLACE, place)
    item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight)
    parent.addChild(item)
    return item
