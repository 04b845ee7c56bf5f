"""Closing while a run is active, and the few preferences that there are."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QMessageBox,
    QWidget,
)

from rllab_gui.frame.key_editor import KeyEditor
from rllab_gui.frame.key_map import KeyMap
from rllab_gui.lab import Lab
from rllab_gui.theme.theme import SCALES


def ask_before_closing(
    parent: QWidget, stop_and_save: Callable[[], None], keep: Callable[[], None]
) -> QMessageBox:
    """Training is under way: stop and save, keep in the background, or stay."""
    box = QMessageBox(parent)
    box.setObjectName("dlg.close")
    box.setWindowTitle("RL Lab")
    box.setText("Training is still running.")
    box.setInformativeText("What is to happen with it?")
    role = QMessageBox.ButtonRole
    stop = box.addButton("Stop and save", role.AcceptRole)
    background = box.addButton("Keep in background", role.DestructiveRole)
    cancel = box.addButton("Cancel", role.RejectRole)
    for button, name in ((stop, "stop"), (background, "keep"), (cancel, "cancel")):
        button.setObjectName(f"dlg.close.{name}")
        button.setAccessibleName(button.text())
    box.setDefaultButton(stop)
    box.setEscapeButton(cancel)
    stop.clicked.connect(stop_and_save)
    background.clicked.connect(keep)
    box.finished.connect(box.deleteLater)
    box.open()
    return box


class Preferences(QDialog):
    """Every change applies at once."""

    def __init__(self, lab: Lab, keys: KeyMap, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("dlg.preferences")
        self.setWindowTitle("Preferences")
        self._lab = lab
        form = QFormLayout(self)
        theme = QComboBox()
        for choice in ("system", "light", "dark"):
            theme.addItem(choice.title(), choice)
        theme.setCurrentIndex(theme.findData(lab.theme.choice))
        theme.activated.connect(lambda i: lab.theme.set_choice(theme.itemData(i)))
        scale = QComboBox()
        for size in SCALES:
            scale.addItem(f"{round(100 * size)} %", size)
        scale.setCurrentIndex(scale.findData(lab.theme.scale))
        scale.activated.connect(lambda i: lab.theme.set_scale(scale.itemData(i)))
        plain = QCheckBox("Single keys are shortcuts, where no text is typed")
        plain.setChecked(keys.on)
        plain.toggled.connect(keys.switch)
        editor = KeyEditor(lab, keys)
        editor.setEnabled(keys.on)
        plain.toggled.connect(editor.setEnabled)
        for name, title, widget in (
            ("general.theme", "Theme", theme),
            ("general.scale", "Size", scale),
            ("accessibility.plainKeys", "Keyboard", plain),
        ):
            widget.setObjectName(f"pref.{name}")
            widget.setAccessibleName(title)
            form.addRow(title, widget)
        form.addRow("Keys", editor)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close = buttons.button(QDialogButtonBox.StandardButton.Close)
        close.setObjectName("pref.close")
        close.setAccessibleName("Close")
        buttons.rejected.connect(self.reject)
        form.addRow(buttons)
        self.finished.connect(self.deleteLater)
