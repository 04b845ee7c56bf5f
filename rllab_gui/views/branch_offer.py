"""Buttons for the actions that a branch could begin with."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QMenu, QSizePolicy, QToolButton, QWidget

from rllab_gui.action_keys import action_letters
from rllab_gui.plain import PlainLabel, tip

BUTTONS = 6
"""More actions than this are a menu."""
COLUMNS = 4


class BranchOffer(QWidget):
    """One button for each action, or a menu of many.

    Signals:
      chosen(int action): A person wants to branch with it.
    """

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("step.why.branch")
        self.setAccessibleName("Branch from here")
        self._names: tuple[str, ...] = ()
        self._grid = QGridLayout(self)
        self._heading: PlainLabel | None = None
        self._headed = True

    def set_gap(self, gap: int) -> None:
        """Room between the buttons, in pixels."""
        self._grid.setContentsMargins(gap, gap, gap, 0)
        self._grid.setSpacing(gap)

    def set_headed(self, headed: bool) -> None:
        """With a line above the buttons; the panel's title says nearly the same."""
        self._headed = headed
        if self._heading is not None:
            self._heading.setVisible(headed)

    def offer(self, names: tuple[str, ...]) -> None:
        """Offer these actions."""
        if names == self._names:
            return
        self._names = names
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()  # it may be drawn once more before it goes
                widget.deleteLater()
        rows = -(-len(names) // COLUMNS)
        columns = -(-len(names) // rows) if rows else 1
        self._heading = PlainLabel("Branch from here:", self)
        self._heading.setVisible(self._headed)
        self._grid.addWidget(self._heading, 0, 0, 1, columns)
        if len(names) > BUTTONS:
            self._grid.addWidget(self._menu(names), 1, 0, 1, columns)
            return
        letters = action_letters(names)
        for action, (word, letter) in enumerate(zip(names, letters, strict=True)):
            button = self._button(action, word, letter)
            self._grid.addWidget(button, 1 + action // columns, action % columns)

    def _button(self, action: int, word: str, letter: str) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(f"step.why.branch.{action}")
        button.setText(word)
        button.setAccessibleName(f"Branch with {word}")
        button.setToolTip(tip(f"What if the action were {word}? (C, then {letter})"))
        button.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda: self.chosen.emit(action))
        return button

    def _menu(self, names: tuple[str, ...]) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName("step.why.branch.menu")
        button.setText("Choose an action")
        button.setAccessibleName(button.text())
        button.setProperty("role", "menu")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        for action, word in enumerate(names):
            entry = menu.addAction(word)
            entry.setObjectName(f"act.step.why.branch.{action}")
            entry.setToolTip(tip(f"What if the action were {word}?"))
            entry.setStatusTip(entry.toolTip())
            entry.triggered.connect(lambda _=False, it=action: self.chosen.emit(it))
        button.setMenu(menu)
        return button
