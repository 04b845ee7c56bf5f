"""The command palette: type a few letters of anything that can be done."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QGraphicsDropShadowEffect,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from rllab_gui.theme import Theme

Index = QModelIndex | QPersistentModelIndex
HINT = Qt.ItemDataRole.UserRole + 1
PAGE = 12


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that can be picked.

    Attributes:
      text: What is written and searched.
      hint: Written behind it: a shortcut, or what kind of thing it is.
    """

    text: str
    hint: str
    pick: Callable[[], object]


def score(query: str, text: str) -> int:
    """How well it fits, 0 not at all: the whole phrase, every word, or initials."""
    text, query = text.lower(), query.lower().strip()
    if not query:
        return 1
    if query in text:
        at_word = text.startswith(query) or f" {query}" in text
        return 300 + 100 * at_word - len(text)
    if all(word in text for word in query.split()):
        return 150 - len(text)
    initials = "".join(word[0] for word in text.split())
    return 50 if query.replace(" ", "") in initials else 0


class ChoiceDelegate(QStyledItemDelegate):
    """Writes the hint of a choice at the right, in a second-rank colour."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: Index
    ) -> None:
        """Paint the text, then the hint."""
        super().paint(painter, option, index)
        hint = index.data(HINT)
        if hint:
            painter.save()
            painter.setPen(QColor(self._theme.tokens.muted))
            painter.drawText(
                option.rect.adjusted(0, 0, -8, 0),
                Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                str(hint),
            )
            painter.restore()


class Palette(QWidget):
    """Floats over the window until something is picked or Esc is pressed."""

    def __init__(
        self, choices: Callable[[], Iterable[Choice]], theme: Theme, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setObjectName("main.palette")
        self.setAccessibleName("Command palette")
        self.setProperty("role", "overlay")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._choices = choices
        self._all: list[Choice] = []
        self._before: QWidget | None = None
        self.input = QLineEdit(self)
        self.input.setObjectName("main.palette.input")
        self.input.setAccessibleName("Search commands, options and presets")
        self.input.setPlaceholderText("Search commands, options and presets")
        self.list = QListWidget(self)
        self.list.setObjectName("main.palette.list")
        self.list.setAccessibleName("Matches")
        self.list.setProperty("flat", True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setItemDelegate(ChoiceDelegate(theme, self.list))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.input)
        layout.addWidget(self.list)
        shadow = QGraphicsDropShadowEffect(self)
        shadow.setBlurRadius(24)
        shadow.setOffset(0, 4)
        self.setGraphicsEffect(shadow)
        self.input.textChanged.connect(self._fill)
        self.input.installEventFilter(self)
        self.list.itemClicked.connect(self._pick)
        self.hide()

    def open(self) -> None:
        """Show everything and wait for letters."""
        self._before = self.window().focusWidget()
        self._all = list(self._choices())
        self.input.clear()
        self._fill("")
        self._place()
        self.show()
        self.raise_()
        self.input.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def close_again(self) -> None:
        """Vanish, and give the focus back."""
        if not self.isVisible():
            return
        self.hide()
        if self._before is not None:
            self._before.setFocus(Qt.FocusReason.OtherFocusReason)

    def _place(self) -> None:
        around = self.parentWidget()
        assert around is not None
        wide = min(620, around.width() - 40)
        high = min(420, around.height() - 80)
        self.setGeometry((around.width() - wide) // 2, 40, wide, high)

    def _fill(self, query: str) -> None:
        scored = [(score(query, it.text), i) for i, it in enumerate(self._all)]
        best = sorted((-points, i) for points, i in scored if points)
        self.list.clear()
        for _, index in best:
            choice = self._all[index]
            item = QListWidgetItem(choice.text)
            item.setData(HINT, choice.hint)
            item.setData(Qt.ItemDataRole.UserRole, index)
            self.list.addItem(item)
        if not best:
            nothing = QListWidgetItem(f"Nothing is called '{query}'.")
            nothing.setFlags(Qt.ItemFlag.NoItemFlags)
            self.list.addItem(nothing)
        self.list.setCurrentRow(0)

    def _pick(self, item: QListWidgetItem | None) -> None:
        index = item.data(Qt.ItemDataRole.UserRole) if item is not None else None
        if index is None:
            return
        self.close_again()
        self._all[index].pick()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up and down move in the list while letters go to the input."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._on_key(Qt.Key(event.key()))
        if event.type() == QEvent.Type.FocusOut:
            self.hide()
        return super().eventFilter(watched, event)

    def _on_key(self, key: Qt.Key) -> bool:
        by = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: PAGE}
        by[Qt.Key.Key_PageUp] = -PAGE
        if key in by:
            row = self.list.currentRow() + by[key]
            self.list.setCurrentRow(min(max(row, 0), self.list.count() - 1))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._pick(self.list.currentItem())
        elif key == Qt.Key.Key_Escape:
            self.close_again()
        else:
            return False
        return True
