"""Show a widget, and do to it what a person does."""

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication


def show(qtbot, widget, width=480, height=320):
    """The widget on the screen, in this size."""
    qtbot.addWidget(widget)
    widget.resize(width, height)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def wheel(widget, at=None, notches=1, modifiers=Qt.KeyboardModifier.NoModifier):
    """Turn the mouse wheel over a widget; returns whether it was used."""
    at = QPointF(at if at is not None else widget.rect().center())
    event = QWheelEvent(
        at,
        QPointF(widget.mapToGlobal(at.toPoint())),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    event.ignore()
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


def drag(widget, start, end, modifiers=Qt.KeyboardModifier.NoModifier):
    """Press, move and release the left button."""
    kinds = QEvent.Type
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    for kind, place, button, buttons in (
        (kinds.MouseButtonPress, start, left, left),
        (kinds.MouseMove, end, none, left),
        (kinds.MouseButtonRelease, end, left, none),
    ):
        where = QPointF(place)
        event = QMouseEvent(
            kind,
            where,
            QPointF(widget.mapToGlobal(where.toPoint())),
            button,
            buttons,
            modifiers,
        )
        QApplication.sendEvent(widget, event)
