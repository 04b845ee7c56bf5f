"""Draws a grid of one's own for GridWorld: walls, pits, goals and starts."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.contract.grid_layouts import LARGEST_SIDE, LAYOUTS, read_layout
from rllab_gui.draft import Draft
from rllab_gui.forms.grid_canvas import KINDS, GridCanvas
from rllab_gui.plain import PlainLabel
from rllab_gui.theme import Theme

WORLD = "RLLab/GridWorld-v0"
DEFAULT = "garden"


class GridEditor(QDialog):
    """A canvas, its brushes and its size; what is wrong stands below.

    It edits the layout in the draft's ``environment.kwargs``, when *Use* is pressed.
    """

    def __init__(self, draft: Draft, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("dlg.grid")
        self.setWindowTitle("Grid of GridWorld")
        self._draft = draft
        self.canvas = GridCanvas(theme, self)
        self._complaint = PlainLabel(parent=self)
        self._complaint.setObjectName("dlg.grid.complaint")
        self._complaint.setProperty("role", "complaint")
        self._complaint.setWordWrap(True)
        self._buttons = self._make_buttons()
        column = QVBoxLayout(self)
        column.addLayout(self._make_tools())
        column.addLayout(self._make_sizes())
        column.addWidget(self.canvas, 1)
        column.addWidget(self._complaint)
        column.addWidget(self._buttons)
        self.canvas.painted.connect(self._on_painted)
        self.load(str(draft.configuration.environment.kwargs.get("layout", DEFAULT)))
        self.canvas.setFocus()

    # ------------------------------------------------------------- construction

    def _make_tools(self) -> QHBoxLayout:
        """One button for each kind of cell."""
        row, group = QHBoxLayout(), QButtonGroup(self)
        for letter, word in KINDS.items():
            button = QToolButton(self)
            button.setObjectName(f"dlg.grid.brush.{word}")
            button.setText(word)
            button.setAccessibleName(f"Paint {word}")
            button.setToolTip(f"Paint {word} cells (key {letter})")
            button.setCheckable(True)
            button.setChecked(letter == self.canvas.brush)
            button.clicked.connect(lambda _=False, it=letter: self._take_brush(it))
            group.addButton(button)
            row.addWidget(button)
        row.addStretch(1)
        return row

    def _make_sizes(self) -> QHBoxLayout:
        """Where to begin from, and how large it is."""
        row = QHBoxLayout()
        self._names = QComboBox(self)
        self._names.setObjectName("dlg.grid.layout")
        self._names.setAccessibleName("Begin from")
        self._names.addItem("your own", "")
        for name in LAYOUTS:
            self._names.addItem(name, name)
        self._names.activated.connect(self._on_named)
        row.addWidget(QLabel("Begin from", self))
        row.addWidget(self._names, 1)
        self._height, self._width = (self._make_spin(it) for it in ("Rows", "Columns"))
        for title, spin in (("rows", self._height), ("columns", self._width)):
            row.addWidget(QLabel(title, self))
            row.addWidget(spin)
        return row

    def _make_spin(self, title: str) -> QSpinBox:
        spin = QSpinBox(self)
        spin.setObjectName(f"dlg.grid.{title.lower()}")
        spin.setAccessibleName(title)
        spin.setRange(1, LARGEST_SIDE)
        spin.valueChanged.connect(self._on_size)
        return spin

    def _make_buttons(self) -> QDialogButtonBox:
        kinds = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(kinds.Ok | kinds.Cancel)
        buttons.button(kinds.Ok).setText("Use this grid")
        for kind, name in ((kinds.Ok, "use"), (kinds.Cancel, "cancel")):
            buttons.button(kind).setObjectName(f"dlg.grid.{name}")
            buttons.button(kind).setAccessibleName(buttons.button(kind).text())
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        return buttons

    # ------------------------------------------------------------------ editing

    def text(self) -> str:
        """The grid as lines of ``# . S G P``, or the name of an unchanged layout."""
        drawn = "\n".join(self.canvas.rows)
        return next((name for name, it in LAYOUTS.items() if it == drawn), drawn)

    def load(self, name_or_text: str) -> None:
        """Show a layout; one that cannot be read gives way to the usual one."""
        try:
            rows = read_layout(name_or_text).rows
        except ValueError:
            rows = read_layout(DEFAULT).rows
        self.canvas.set_rows(list(rows))
        self._show_size()
        self._on_painted()

    def _take_brush(self, letter: str) -> None:
        self.canvas.brush = letter
        self.canvas.setFocus()

    def _on_named(self) -> None:
        name = str(self._names.currentData())
        if name:
            self.load(name)

    def _on_size(self) -> None:
        self.canvas.resize_grid(self._height.value(), self._width.value())

    def _show_size(self) -> None:
        rows = self.canvas.rows
        for spin, value in ((self._height, len(rows)), (self._width, len(rows[0]))):
            spin.blockSignals(True)
            spin.setValue(value)
            spin.blockSignals(False)

    def _on_painted(self) -> None:
        try:
            read_layout(self.text())
            sentence = ""
        except ValueError as error:
            sentence = str(error)
        self._complaint.setText(sentence)
        ok = self._buttons.button(QDialogButtonBox.StandardButton.Ok)
        ok.setEnabled(not sentence)
        self._names.setCurrentIndex(max(0, self._names.findData(self.text())))

    def accept(self) -> None:
        """Put the grid into the draft; it can be undone."""
        kwargs = {**self._draft.configuration.environment.kwargs, "layout": self.text()}
        changes = {"environment.id": WORLD, "environment.kwargs": kwargs}
        if self._draft.set_many(changes, "grid"):
            super().accept()
