"""The room of a workspace: where its panels do not fit, they scroll."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from rllab_gui.workspaces.base import Workspace


class Room(QScrollArea):
    """Holds a workspace, and scrolls where its panels need more room than there is.

    Without it they would overlap: with large text on a small screen.

    Attributes:
      workspace: That one.
    """

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.workspace = workspace
        self.setObjectName(f"{workspace.objectName()}.room")
        self.setAccessibleName(f"{workspace.title}: panels")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidgetResizable(True)
        self.setWidget(workspace)
