"""Controls that have no room in a row: behind one button, each beside its name."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QGridLayout,
    QLabel,
    QMenu,
    QPushButton,
    QToolButton,
    QWidget,
    QWidgetAction,
)

from rllab_gui.plain import PlainLabel


class FoldedControls(QToolButton):
    """Opens the controls themselves, so that they are what they are in the row."""

    def __init__(self, name: str, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setText("⋯")
        self.setAccessibleName(f"More of {title}")
        self.setToolTip("What has no room here")
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._menu = QMenu(self)
        self._place = QWidget(self._menu)
        self._grid = QGridLayout(self._place)
        self._rows: list[tuple[QWidget, QLabel]] = []
        self._closing: list[QWidget] = []
        action = QWidgetAction(self._menu)
        action.setDefaultWidget(self._place)
        action.setObjectName(f"act.{name}")
        action.setText(self.accessibleName())
        action.setToolTip(self.toolTip())
        action.setStatusTip(self.toolTip())
        self._menu.addAction(action)
        self._menu.aboutToShow.connect(self._name_all)
        self.setMenu(self._menu)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self.hide()

    @property
    def controls(self) -> list[QWidget]:
        """Those that are in here."""
        return [control for control, _ in self._rows]

    def hold(self, controls: Sequence[QWidget]) -> None:
        """Take these in, and let go of all others; whoever wants those places them."""
        for control, label in self._rows:
            self._grid.removeWidget(control)
            self._grid.removeWidget(label)
            label.deleteLater()
        self._rows = [(it, PlainLabel(parent=self._place)) for it in controls]
        for row, (control, label) in enumerate(self._rows):
            moved(control, self._place)
            self._grid.addWidget(control, row, 0)
            self._grid.addWidget(label, row, 1)
            self._close_after(control)
        self.setVisible(bool(controls))

    def _name_all(self) -> None:
        """What is not to be seen in the row is not to be seen here."""
        for control, label in self._rows:
            label.setText(control.accessibleName())
            label.setVisible(not control.isHidden())
        self._place.adjustSize()

    def _close_after(self, control: QWidget) -> None:
        """What opens something else does not stay in its way."""
        if control in self._closing:
            return
        self._closing.append(control)
        menu = (
            control.menu() if isinstance(control, QToolButton | QPushButton) else None
        )
        if menu is not None:
            menu.triggered.connect(self._menu.close)
        elif isinstance(control, QAbstractButton) and not control.isCheckable():
            control.clicked.connect(self._menu.close)


def moved(control: QWidget, parent: QWidget) -> None:
    """Give it another parent; whether it is to be seen stays as it was."""
    if control.parentWidget() is not parent:
        hidden = control.isHidden()
        control.setParent(parent)
        control.setVisible(not hidden)
