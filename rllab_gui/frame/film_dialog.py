"""Asks for a film: of what, in which format, with panels or without, and where to."""

from __future__ import annotations

from collections.abc import Sequence
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

from rllab_gui.plain import PlainLabel
from rllab_gui.plots.numbers import count
from rllab_gui.recorder import FORMATS, LIVE_FORMATS, FilmWish
from rllab_gui.theme import Theme

PANES = 3
"""Checkpoints that are proposed to stand side by side."""


def spread(steps: Sequence[int], most: int = PANES) -> tuple[int, ...]:
    """So many of these, from the first to the last."""
    if len(steps) <= most:
        return tuple(steps)
    places = (round(it * (len(steps) - 1) / (most - 1)) for it in range(most))
    return tuple(steps[it] for it in places)


class FilmDialog(QDialog):
    """A small form.

    Signals:
      chosen(FilmWish): The person wants this film.
    """

    chosen = Signal(object)

    def __init__(self, path: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dlg.export")
        self.setWindowTitle("Film")
        self._range: tuple[int, int] | None = None
        self._what = QComboBox()
        self._what.currentIndexChanged.connect(self._on_what)
        self._steps = QLineEdit()
        self._steps.setPlaceholderText("Training steps with commas: 0, 10000, 20000")
        self._format = QComboBox()
        self._format.currentIndexChanged.connect(self._on_format)
        self._panels = QCheckBox("Q-values and returns beside the picture")
        self._panels.setChecked(True)
        self._path = QLineEdit(path)
        self._path.setMinimumWidth(theme.px(380))
        self._complaint = PlainLabel()
        self._complaint.setObjectName("dlg.export.complaint")
        self._complaint.setStyleSheet(f"color: {theme.tokens.warning}")
        self._complaint.setWordWrap(True)
        self._form = QFormLayout(self)
        for name, title, widget in (
            ("what", "Content", self._what),
            ("checkpoints", "Checkpoints", self._steps),
            ("format", "Format", self._format),
            ("panels", "Panels", self._panels),
            ("path", "File", self._path),
        ):
            widget.setObjectName(f"dlg.export.{name}")
            widget.setAccessibleName(title)
            self._form.addRow(title, widget)
        self._form.addRow(self._complaint)
        self._form.addRow(self._make_buttons())
        self._offer_formats(LIVE_FORMATS)
        self._form.setRowVisible(self._what, False)
        self._on_what()

    def offer_episode(
        self, selection: tuple[int, int] | None, steps: Sequence[int]
    ) -> None:
        """An episode is filmed: all of it, what is selected, or its seed anew.

        Args:
          selection: Selected steps, first and last, or None.
          steps: Checkpoints that are proposed to play its seed side by side.
        """
        self._range = selection
        self._what.addItem("the whole episode", "whole")
        if selection is not None:
            first, last = selection
            words = f"the selected steps {count(first)} to {count(last)}"
            self._what.addItem(words, "range")
        if len(steps) > 1:
            words = "its seed by several checkpoints, side by side"
            self._what.addItem(words, "seed")
            self._steps.setText(", ".join(map(str, steps)))
        self._form.setRowVisible(self._what, True)
        self._offer_formats(FORMATS)

    def _offer_formats(self, formats: Sequence[str]) -> None:
        self._format.clear()
        for it in formats:
            words = "PNG, a folder of pictures" if it == "png" else it.upper()
            self._format.addItem(words, it)

    def _make_buttons(self) -> QDialogButtonBox:
        kinds = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(kinds.Save | kinds.Cancel)
        for kind, name in ((kinds.Save, "save"), (kinds.Cancel, "cancel")):
            buttons.button(kind).setObjectName(f"dlg.export.{name}")
            buttons.button(kind).setAccessibleName(name.title())
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        return buttons

    def _on_what(self) -> None:
        several = self._what.currentData() == "seed"
        self._form.setRowVisible(self._steps, several)
        self._form.setRowVisible(self._panels, not several)
        self._complain("")

    def _on_format(self) -> None:
        path, suffix = Path(self._path.text()), str(self._format.currentData())
        ending = "" if suffix == "png" else f".{suffix}"
        if self._path.text() and self._format.count():
            self._path.setText(str(path.with_suffix(ending)))

    def _complain(self, sentence: str) -> None:
        self._complaint.setText(sentence)
        self._form.setRowVisible(self._complaint, bool(sentence))

    def accept(self) -> None:
        """Say what was chosen, or what is missing."""
        path = self._path.text().strip()
        if not path:
            self._complain("The film needs a file: write where it is to go.")
            return
        what = self._what.currentData()
        first, last = self._range if what == "range" and self._range else (0, -1)
        steps = self._checkpoints() if what == "seed" else ()
        if steps is None:
            return
        kind, panels = str(self._format.currentData()), self._panels.isChecked()
        self.chosen.emit(FilmWish(path, kind, panels, first, last, steps))
        super().accept()

    def _checkpoints(self) -> tuple[int, ...] | None:
        """The steps that were written; None where they cannot be read."""
        words = [it.strip() for it in self._steps.text().split(",") if it.strip()]
        if len(words) > 1 and all(it.isdecimal() for it in words):
            return tuple(int(it) for it in words)
        self._complain(
            "Write at least two training steps of kept checkpoints, with commas "
            "between them: 0, 10000, 20000."
        )
        return None
