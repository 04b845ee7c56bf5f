"""From a widget to what it is about, and from a symbol to the widget that shows it."""

from __future__ import annotations

import shiboken6
from PySide6.QtCore import QPoint, QRect, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QDockWidget, QWidget

from rllab_gui.theme import Theme
from rllab_gui.views.base import View

PARAMETER = "train.param."
MARK_MS = 700
"""How long a widget stays marked; it is marked once and does not blink."""
MARK_PX = 3
FOLLOW_MS = 100


def subject_of(widget: QWidget | None) -> str:
    """Key of the option or id of the view that this widget belongs to, or nothing."""
    while widget is not None:
        if isinstance(widget, View):
            return widget.view_id
        option = getattr(widget, "of", None)
        if option is not None and widget.objectName() == PARAMETER + option.key:
            return str(option.key)
        if isinstance(widget, QDockWidget) and isinstance(widget.widget(), View):
            widget = widget.widget()
        else:
            widget = widget.parentWidget()
    return ""


class Mark(QWidget):
    """A frame round a widget, for a moment or until taken away; clicks go through it.

    It follows what it is round when that is moved, scrolled or detached.
    """

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(window)
        self.setObjectName("lesson.mark")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._theme, self._home = theme, window
        self._target: QWidget | None = None
        self._timer = QTimer(self, singleShot=True, interval=MARK_MS)
        self._timer.timeout.connect(self.take_away)
        self._following = QTimer(self, interval=FOLLOW_MS)
        self._following.timeout.connect(self._follow)
        self.hide()

    @property
    def target(self) -> QWidget | None:
        """What is marked now."""
        return self._target

    def put_round(self, widget: QWidget, *, stays: bool = False) -> None:
        """Mark this widget as soon as it can be seen."""
        self.take_away()
        self._target = widget
        self._follow()
        self._following.start()
        if not stays:
            self._timer.start()

    def take_away(self) -> None:
        """Mark nothing."""
        self._timer.stop()
        self._following.stop()
        self._target = None
        self.hide()
        if self.parentWidget() is not self._home:
            self.setParent(self._home)

    def _follow(self) -> None:
        widget = self._target
        if widget is None or not shiboken6.isValid(widget):
            self.take_away()
            return
        if widget.visibleRegion().isEmpty():
            self.hide()
            return
        window = widget.window()
        if self.parentWidget() is not window:  # it is in a dock of its own
            self.setParent(window)
        whole = QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())
        self.setGeometry(whole.adjusted(-MARK_PX, -MARK_PX, MARK_PX, MARK_PX))
        if not self.isVisible():
            self.show()
            self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        """A line inside the edge."""
        with QPainter(self) as painter:
            painter.setPen(QPen(QColor(self._theme.tokens.accent), MARK_PX))
            inset = MARK_PX // 2
            painter.drawRect(self.rect().adjusted(inset, inset, -inset - 1, -inset - 1))
