"""A combo box that may be narrow: words without room end in …, a tip has them all."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QEvent, QRect
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QLineEdit,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolTip,
    QWidget,
)

from engine.contract.plain_text import visible

LEAST_LETTERS = 4
MARGIN = 2
"""Pixels that Qt leaves at the sides of the text of a field."""


class NarrowBox(QComboBox):
    """It asks for the width of its longest entry, and can do with a few letters.

    A combo box of Qt's that is styled cuts its words in the middle of a letter.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.setMinimumContentsLength(LEAST_LETTERS)

    @property
    def is_cut(self) -> bool:
        """Whether the chosen entry is wider than there is room."""
        return self._words(self._option()) != self.currentText()

    def whole_tip(self) -> str:
        """The tooltip; where the chosen entry is cut, that stands before it."""
        said = self.toolTip()
        if not self.is_cut:
            return said
        rich = Qt.mightBeRichText(said)
        parts = (escape(visible(self.currentText())), said if rich else escape(said))
        return f"<qt>{'<br>'.join(it for it in parts if it)}</qt>"

    def event(self, event: QEvent) -> bool:
        """Tell what is cut, to whoever holds the pointer over it."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.whole_tip(), self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw as many words as fit."""
        option = self._option()
        option.currentText = self._words(option)
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.end()

    def showPopup(self) -> None:
        """The entries are whole, however narrow the box is."""
        self.widen_list()
        super().showPopup()

    def widen_list(self) -> None:
        """Make what opens as wide as the longest entry."""
        measure, entries = self.fontMetrics().horizontalAdvance, range(self.count())
        longest = max((measure(self.itemText(it)) for it in entries), default=0)
        bar = self.view().verticalScrollBar().sizeHint().width()
        margins = 2 * measure("x")
        self.view().setMinimumWidth(longest + margins + bar)

    def _option(self) -> QStyleOptionComboBox:
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        return option

    def _words(self, option: QStyleOptionComboBox) -> str:
        field = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox,
            option,
            QStyle.SubControl.SC_ComboBoxEditField,
            self,
        )
        return self.fontMetrics().elidedText(
            option.currentText, Qt.TextElideMode.ElideRight, field.width()
        )


class NarrowLine(QLineEdit):
    """The field of a narrow box in which one may type: cut alike while nobody does."""

    @property
    def shown(self) -> str:
        """As much of the text as there is room for."""
        measure = self.fontMetrics()
        return measure.elidedText(
            self.text(), Qt.TextElideMode.ElideRight, self._inside().width()
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw as much as fits; whoever types sees what is round the cursor."""
        if self.hasFocus() or self.shown == self.text():
            super().paintEvent(event)
            return
        with QPainter(self) as painter:
            painter.setPen(self.palette().text().color())
            middle = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(self._inside(), middle, self.shown)

    def _inside(self) -> QRect:
        return self.contentsRect().adjusted(MARGIN, 0, -MARGIN, 0)
