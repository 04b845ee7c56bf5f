"""Small widgets that several bars are made of."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QDockWidget,
    QFrame,
    QHBoxLayout,
    QToolButton,
    QWidget,
)

from rllab_gui.plain import PlainLabel
from rllab_gui.theme import Theme
from rllab_gui.theme.icons import icon


class IconButton(QToolButton):
    """A tool button with an icon of ours, named for tests and screen readers."""

    def __init__(
        self,
        name: str,
        title: str,
        icon_name: str,
        theme: Theme,
        *,
        action: QAction | None = None,
        size: int = 18,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._icon_name, self._size = theme, icon_name, size
        self._warm = False
        if action is not None:
            self.setDefaultAction(action)
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.setProperty("flat", True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_icon_name(self, name: str) -> None:
        """Show another drawing."""
        if name != self._icon_name:
            self._icon_name = name
            self._restyle()

    def set_warm(self, warm: bool) -> None:
        """Draw in the colour of what is under way, as a recording is."""
        self._warm = warm
        self._restyle()

    def _restyle(self) -> None:
        colour = self._theme.tokens.bad if self._warm else ""
        drawing = icon(self._icon_name, self._theme, colour=colour)
        action = self.defaultAction()
        if action is not None:
            action.setIcon(drawing)
        self.setIcon(drawing)
        self.setIconSize(QSize(self._theme.px(self._size), self._theme.px(self._size)))


def vertical_line(parent: QWidget | None = None) -> QFrame:
    """A thin line between groups of a bar."""
    line = QFrame(parent)
    line.setFrameShape(QFrame.Shape.VLine)
    line.setProperty("role", "divider")
    line.setFixedWidth(1)
    return line


class DockTitle(QWidget):
    """A slim title bar of a dock, with buttons that can be hit."""

    def __init__(
        self, dock: QDockWidget, theme: Theme, header: QWidget | None = None
    ) -> None:
        super().__init__(dock)
        self.setProperty("role", "bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._dock, self._theme = dock, theme
        title = dock.accessibleName()
        self._title = PlainLabel(title)
        name = dock.objectName()
        self._float = IconButton(
            f"{name}.float", f"Detach {title}", "layout", theme, size=12
        )
        self._float.setToolTip("Detach this panel, or put it back")
        self._float.clicked.connect(lambda: dock.setFloating(not dock.isFloating()))
        self._close = IconButton(
            f"{name}.close", f"Close {title}", "close", theme, size=12
        )
        self._close.setToolTip("Close this panel; the View menu opens it again")
        self._close.clicked.connect(dock.close)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 2, 0)
        row.setSpacing(0)
        if header is None:
            row.addWidget(self._title, 1)
        else:  # a plot brings title and buttons of its own: one row for both
            row.addWidget(header, 1)
            self._title.hide()
        row.addWidget(self._float)
        row.addWidget(self._close)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        self._title.setFont(self._theme.font(relative=0.9, bold=True))
