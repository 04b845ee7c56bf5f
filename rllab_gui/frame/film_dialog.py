"""Asks for a film: which format, with panels or without, and where to."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLineEdit,
    QWidget,
)

from rllab_gui.recorder import FORMATS
from rllab_gui.theme import Theme


class FilmDialog(QDialog):
    """A small form.

    Signals:
      chosen(str path, str format, bool panels): The person wants this film.
    """

    chosen = Signal(str, str, bool)

    def __init__(self, path: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dlg.export")
        self.setWindowTitle("Film")
        self._format = QComboBox()
        for it in FORMATS:
            self._format.addItem(it.upper(), it)
        self._format.currentIndexChanged.connect(self._on_format)
        self._panels = QCheckBox("Q-values and returns beside the picture")
        self._panels.setChecked(True)
        self._path = QLineEdit(path)
        self._path.setMinimumWidth(theme.px(380))
        form = QFormLayout(self)
        for name, title, widget in (
            ("format", "Format", self._format),
            ("panels", "Panels", self._panels),
            ("path", "File", self._path),
        ):
            widget.setObjectName(f"dlg.export.{name}")
            widget.setAccessibleName(title)
            form.addRow(title, widget)
        form.addRow(self._make_buttons())

    def _make_buttons(self) -> QDialogButtonBox:
        kinds = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(kinds.Save | kinds.Cancel)
        for kind, name in ((kinds.Save, "save"), (kinds.Cancel, "cancel")):
            buttons.button(kind).setObjectName(f"dlg.export.{name}")
            buttons.button(kind).setAccessibleName(name.title())
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        return buttons

    def _on_format(self) -> None:
        path = Path(self._path.text())
        self._path.setText(str(path.with_suffix(f".{self._format.currentData()}")))

    def accept(self) -> None:
        """Say what was chosen."""
        path = self._path.text().strip()
        if path:
            self.chosen.emit(
                path, str(self._format.currentData()), self._panels.isChecked()
            )
            super().accept()
