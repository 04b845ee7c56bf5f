"""The dock at the right in which lessons are read."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

from rllab_gui.frame.widgets import DockTitle
from rllab_gui.lab import Lab
from rllab_gui.lessons.library import LessonLibrary
from rllab_gui.lessons.live import LiveNumbers
from rllab_gui.lessons.panel import LessonPanel
from rllab_gui.lessons.pointing import Mark

WIDTH_PX = 330


class LessonDock(QDockWidget):
    """Opened by F1; it marks in the window what a symbol stands for.

    Args:
      lab: All models.
      window: Where it belongs.
      numbers: What the symbols are worth now.
    """

    def __init__(self, lab: Lab, window: QMainWindow, numbers: LiveNumbers) -> None:
        super().__init__("Lesson", window)
        self._window, self._theme = window, lab.theme
        self.setObjectName("dock.lesson")
        self.setAccessibleName("Lesson")
        self.setTitleBarWidget(DockTitle(self, lab.theme, None))
        self.panel = LessonPanel(lab, LessonLibrary(), numbers)
        self.panel.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setWidget(self.panel)
        self.mark = Mark(lab.theme, window)
        self.panel.pointedAt.connect(self._point)
        self.panel.wanted.connect(self._point)
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self)
        self.hide()

    def explain(self, subject: str) -> None:
        """Open the lesson about this option or view; without one, the last again."""
        if not self.panel.show_about(subject) and self.panel.lesson is None:
            self.panel.show_about("agent.estimator")
        if not self.isVisible():
            self.show()
            wide = self._theme.px(WIDTH_PX)
            self._window.resizeDocks([self], [wide], Qt.Orientation.Horizontal)
        self.raise_()

    def _point(self, name: str) -> None:
        widget = self._window.findChild(QWidget, name) if name else None
        if widget is None:
            self.mark.take_away()
        else:
            self.mark.put_round(widget)
