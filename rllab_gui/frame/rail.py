"""The rail at the left: one button for each workspace."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from rllab_gui.lab import Lab
from rllab_gui.theme.icons import icon

WORKSPACES: tuple[tuple[str, str, str], ...] = (
    ("train", "Train", "train"),
    ("step", "Step through", "step-through"),
)


class Rail(QWidget):
    """Text and icon for each workspace; the one in front is checked."""

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("rail")
        self.setProperty("role", "bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._lab = lab
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QToolButton] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 4)
        column.setSpacing(2)
        for name, title, _ in WORKSPACES:
            column.addWidget(self._make(name, title))
        column.addStretch(1)
        lab.theme.changed.connect(self._restyle)
        self._restyle()

    def _make(self, name: str, title: str) -> QToolButton:
        action = self._lab.commands.action(f"workspace.{name}")
        button = QToolButton()
        button.setObjectName(f"rail.{name}")
        button.setAccessibleName(f"{title} workspace")
        button.setToolTip(action.toolTip())
        button.setText(title.replace(" ", "\n"))
        button.setCheckable(True)
        button.setProperty("role", "rail")
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        button.clicked.connect(action.trigger)
        self._group.addButton(button)
        self._buttons[name] = button
        return button

    def show_current(self, name: str) -> None:
        """Check the button of the workspace that is in front."""
        self._buttons[name].setChecked(True)

    def _restyle(self) -> None:
        theme = self._lab.theme
        for name, _, drawing in WORKSPACES:
            self._buttons[name].setIcon(icon(drawing, theme))
            self._buttons[name].setIconSize(QSize(theme.px(22), theme.px(22)))
            self._buttons[name].setFont(theme.font(relative=0.82))
        self.setFixedWidth(theme.px(66))
