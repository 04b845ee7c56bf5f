"""Chooses an environment: typed with completion, or picked from those that suit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QComboBox, QCompleter, QWidget

from engine.contract.options import OptionSpec
from rllab_gui.forms.editors import Editor, QuietCombo
from rllab_gui.plain import tip
from rllab_gui.plots.narrow_box import NarrowLine


class EnvironmentEditor(Editor):
    """Every registered environment; those that no agent suits are greyed.

    The list comes from the stage; until it is here any name can be typed.
    """

    def __init__(self, of: OptionSpec, parent: QWidget | None = None) -> None:
        super().__init__(of, parent)
        self._shown = ""
        self._model = QStandardItemModel(self)
        self._combo = QuietCombo()
        self._combo.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._combo.setModel(self._model)
        completer = QCompleter(self._model, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setMaxVisibleItems(12)
        line = self._line = NarrowLine()
        self._combo.setLineEdit(line)
        self._combo.setCompleter(completer)
        self.adopt(self._combo, "combo")
        line.setObjectName(f"train.param.{of.key}.edit")
        line.setAccessibleName(of.title)
        line.setPlaceholderText("gymnasium name")
        line.editingFinished.connect(self._on_finished)
        self._combo.activated.connect(lambda index: self._on_finished())

    def set_value(self, value: Any) -> None:
        """Show the name."""
        self._shown = str(value)
        self._combo.setEditText(self._shown)
        self._line.setCursorPosition(0)

    def main_widget(self) -> QWidget:
        """The combo box."""
        return self._combo

    def set_environments(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Offer these (``id``, ``suits``, ``reason``, ``install``); suiting first."""
        self._model.clear()
        for row in sorted(rows, key=lambda it: (not it["suits"], str(it["id"]))):
            item = QStandardItem(str(row["id"]))
            reason = str(row.get("reason", ""))
            install = str(row.get("install", ""))
            item.setToolTip(tip("\n".join(it for it in (reason, install) if it)))
            if not row["suits"]:
                item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEnabled)
            self._model.appendRow(item)
        self._combo.setEditText(self._shown)

    def _on_finished(self) -> None:
        text = self._combo.currentText().strip()
        if text and text != self._shown:
            self._shown = text
            self.edited.emit(text)
