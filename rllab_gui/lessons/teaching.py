"""Lessons and tours of one window: what asks for them, and where they lead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QApplication, QWidget

from engine.contract.options import specs
from rllab_gui.lab import Lab
from rllab_gui.lessons.dock import LessonDock
from rllab_gui.lessons.guide import Guide
from rllab_gui.lessons.live import LiveNumbers
from rllab_gui.lessons.pointing import PARAMETER, subject_of
from rllab_gui.views.base import View

if TYPE_CHECKING:
    from rllab_gui.main_window import MainWindow


class Teaching(QObject):
    """Owns the dock of lessons and the card of tours.

    Args:
      lab: All models.
      window: With its workspaces, which lessons and tours point into.
    """

    def __init__(self, lab: Lab, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        stepping = window.workspaces["step"]
        numbers = LiveNumbers(lab, lambda: window.current_workspace() is stepping)
        self.lesson = LessonDock(lab, window, numbers)
        self.lesson.panel.wanted.connect(self.show_place)
        self.lesson.panel.tried.connect(self._show_experiment)
        self.guide = Guide(
            lab, window, window.workspaces, window.show_workspace, self.show_place
        )
        for workspace in window.workspaces.values():
            for view in workspace.views():
                view.helpAsked.connect(self._on_help)

    def explain(self, subject: str = "") -> None:
        """Open the lesson of what has the focus or is under the pointer; or close it.

        Args:
          subject: Key of an option or id of a view, where it is known.
        """
        focus, under = QApplication.focusWidget(), QApplication.widgetAt(QCursor.pos())
        if not subject and self.lesson.isAncestorOf(focus or self._window):
            self.lesson.hide()
            return
        subject = subject or subject_of(focus) or subject_of(under)
        before = self.lesson.panel.lesson if self.lesson.isVisible() else None
        self.lesson.explain(subject)
        if before is self.lesson.panel.lesson:  # asked for again: it is in the way
            self.lesson.hide()

    def show_place(self, name: str) -> None:
        """Bring the widget of this name to the front, wherever it is."""
        key = name.removeprefix(PARAMETER)
        if key != name:
            option = key if key in specs() else key.rpartition(".")[0]
            self._window.go_to_option(option)
            return
        for workspace in self._window.workspaces.values():
            widget = workspace.findChild(QWidget, name)
            for dock in workspace.docks.values():
                if widget is not None and dock.isAncestorOf(widget):
                    self._window.show_workspace(workspace.name)
                    dock.show()
                    dock.raise_()

    def _show_experiment(self, view_id: str) -> None:
        """Where an experiment is seen; what was set is seen in the form."""
        for workspace in self._window.workspaces.values():
            if view_id in workspace.docks:
                self._window.show_view(workspace.name, view_id)
                return
        self._window.show_workspace("train")

    def _on_help(self, plot_id: str) -> None:
        """An open lesson follows what is asked about."""
        view = self.sender()
        if self.lesson.isVisible() and isinstance(view, View):
            self.lesson.explain(view.view_id)
