"""The mark of a view whose answer is under way."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QWidget

from rllab_gui.theme import Theme


class BusyMark(QLabel):
    """Dots that keep their room while they are not seen."""

    def __init__(self, name: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("···", parent)
        self._theme = theme
        self.setObjectName(name)
        self.setAccessibleName("Being worked out")
        self.setToolTip("What is shown is of another step; this one is worked out")
        policy = self.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.setSizePolicy(policy)
        self.hide()
        theme.changed.connect(self.restyle)
        self.restyle()

    def restyle(self) -> None:
        """Take over font and colour."""
        self.setFont(self._theme.font(relative=0.95, bold=True))
        self.setStyleSheet(f"color: {self._theme.tokens.accent}")
