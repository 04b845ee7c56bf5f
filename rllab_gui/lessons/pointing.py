"""From a widget to what it is about, and from a symbol to the widget that shows it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRect, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QDockWidget, QWidget

from rllab_gui.theme import Theme
from rllab_gui.views.base import View

PARAMETER = "train.param."
MARK_MS = 700
"""How long a widget stays marked; it is marked once and does not blink."""
MARK_PX = 3


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
    """A frame round a widget, for a moment; clicks go through it."""

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(window)
        self.setObjectName("lesson.mark")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._theme = theme
        self._target: QWidget | None = None
        self._timer = QTimer(self, singleShot=True, interval=MARK_MS)
        self._timer.timeout.connect(self.take_away)
        self.hide()

    @property
    def target(self) -> QWidget | None:
        """What is marked now."""
        return self._target

    def put_round(self, widget: QWidget, *, stays: bool = False) -> None:
        """Mark this widget, if it can be seen; for a moment, or until taken away."""
        self.take_away()
        if not widget.isVisible():
            return
        self._target = widget
        widget.installEventFilter(self)
        at = widget.mapTo(self.window(), widget.rect().topLeft())
        whole = QRect(at, widget.size())
        self.setGeometry(whole.adjusted(-MARK_PX, -MARK_PX, MARK_PX, MARK_PX))
        self.show()
        self.raise_()
        if not stays:
            self._timer.start()

    def take_away(self) -> None:
        """Mark nothing."""
        self._timer.stop()
        self.hide()
        if self._target is not None:
            self._target.removeEventFilter(self)
        self._target = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """What moves or goes is not marked any more."""
        if event.type() in (QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Hide):
            self.take_away()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        """A line inside the edge."""
        with QPainter(self) as painter:
            painter.setPen(QPen(QColor(self._theme.tokens.accent), MARK_PX))
            inset = MARK_PX // 2
            painter.drawRect(self.rect().adjusted(inset, inset, -inset - 1, -inset - 1))
