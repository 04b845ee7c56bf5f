"""The gallery of presets: one click loads, nothing is ever started or lost by it."""

from __future__ import annotations

from PySide6.QtCore import (
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QPainter,
    QPen,
    QResizeEvent,
    QStandardItem,
    QStandardItemModel,
)
from PySide6.QtWidgets import (
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from rllab_gui.draft import Draft
from rllab_gui.presets import Card, Presets
from rllab_gui.theme import Theme
from rllab_gui.theme.icons import pixmap, world_icon

Index = QModelIndex | QPersistentModelIndex
REASON = Qt.ItemDataRole.UserRole + 1
WORLD = Qt.ItemDataRole.UserRole + 2
OWN = Qt.ItemDataRole.UserRole + 3
CARD_HIGH = 66
"""Unscaled pixels: a drawing above two lines of words."""


class Gallery(QListView):
    """Cards of presets.

    Signals:
      unusable(str name): A greyed card was clicked.
      fitted(int): So high is the gallery with all its rows.
    """

    unusable = Signal(str)
    fitted = Signal(int)

    def __init__(
        self,
        presets: Presets,
        draft: Draft,
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("train.presets.list")
        self.setAccessibleName("Presets")
        self._presets, self._draft, self._theme = presets, draft, theme
        self._cards = QStandardItemModel(self)
        self.setModel(self._cards)
        self.setItemDelegate(CardDelegate(theme, self))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setSpacing(0)
        self.setProperty("flat", True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.clicked.connect(self._on_chosen)
        self.activated.connect(self._on_chosen)
        presets.changed.connect(self.fill)
        draft.changed.connect(self._mark)
        theme.changed.connect(self._on_theme)
        self.fill()

    def fill(self) -> None:
        """Take over the presets there are now."""
        self._cards.clear()
        for card in self._presets.cards():
            self._cards.appendRow(_item(card))
        self._mark()
        self._fit()

    def current_name(self) -> str:
        """Name of the marked preset; empty where the draft is of none."""
        index = self.currentIndex()
        return str(index.data(Qt.ItemDataRole.UserRole)) if index.isValid() else ""

    def choose(self, name: str) -> None:
        """Load a preset, as a click does."""
        card = self._presets.get(name)
        if card is None:
            return
        if not card.usable:
            self.unusable.emit(name)
            return
        self._draft.load(card.preset.configuration, card.preset.title)
        self._mark()

    def _on_chosen(self, index: QModelIndex) -> None:
        self.choose(str(index.data(Qt.ItemDataRole.UserRole)))

    def _mark(self, *_: object) -> None:
        """Mark the card that the draft equals, if it is any."""
        now = self._draft.configuration
        for row, card in enumerate(self._presets.cards()):
            if card.preset.configuration == now:
                self.setCurrentIndex(self._cards.index(row, 0))
                return
        self.setCurrentIndex(QModelIndex())

    # ------------------------------------------------------------------- sizes

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As many columns as fit, once the size has settled.

        Fitting changes the height, and with it what is being laid out just now.
        """
        super().resizeEvent(event)
        QTimer.singleShot(0, self, self._fit)

    def _fit(self) -> None:
        wide = max(1, self.viewport().width())
        columns = max(1, wide // self._theme.px(92))
        high = self._theme.px(CARD_HIGH)
        grid = QSize((wide - 4) // columns, high)
        if grid != self.gridSize():
            self.setGridSize(grid)
        rows = -(-self._cards.rowCount() // columns)
        self.fitted.emit(max(1, rows) * high + 4)

    def _on_theme(self) -> None:
        self._fit()
        self.viewport().update()


def _item(card: Card) -> QStandardItem:
    preset = card.preset
    item = QStandardItem(preset.title)
    item.setEditable(False)
    item.setData(preset.name, Qt.ItemDataRole.UserRole)
    item.setData(card.reason, REASON)
    item.setData(preset.configuration.environment.id, WORLD)
    item.setData(preset.own, OWN)
    item.setToolTip(card.reason or f"<b>{preset.title}</b><br>{preset.story}")
    item.setAccessibleText(preset.title)
    item.setAccessibleDescription(card.reason or preset.story)
    return item


class CardDelegate(QStyledItemDelegate):
    """Paints a card: the world's drawing above the title."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """One cell of the grid."""
        return QSize(self._theme.px(100), self._theme.px(CARD_HIGH))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: Index
    ) -> None:
        """Paint one card."""
        rect: QRect = option.rect.adjusted(2, 2, -2, -2)
        state: QStyle.StateFlag = option.state
        usable = not index.data(REASON)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter, rect, state)
        self._paint_content(painter, rect, index, usable)
        painter.restore()

    def _paint_ground(
        self, painter: QPainter, rect: QRect, state: QStyle.StateFlag
    ) -> None:
        tokens = self._theme.tokens
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        hot = bool(
            state & (QStyle.StateFlag.State_MouseOver | QStyle.StateFlag.State_HasFocus)
        )
        edge = tokens.accent if chosen or hot else tokens.border
        painter.setPen(QPen(QColor(edge), 2 if chosen else 1))
        painter.setBrush(QColor(tokens.selection if chosen else tokens.raised))
        painter.drawRoundedRect(rect, 5, 5)

    def _paint_content(
        self, painter: QPainter, rect: QRect, index: Index, usable: bool
    ) -> None:
        theme, tokens = self._theme, self._theme.tokens
        size = theme.px(24)
        colour = tokens.accent if usable else tokens.disabled
        drawing = pixmap(world_icon(str(index.data(WORLD))), colour, size)
        x = rect.center().x() - size // 2
        painter.drawPixmap(x, rect.top() + theme.px(5), drawing)
        font = theme.font(relative=0.88)
        painter.setFont(font)
        painter.setPen(QColor(tokens.text if usable else tokens.muted))
        top = rect.top() + theme.px(30)
        words = QRect(rect.left() + 3, top, rect.width() - 6, rect.bottom() - top)
        text = two_lines(str(index.data()), QFontMetrics(font), words.width())
        painter.drawText(words, Qt.AlignmentFlag.AlignCenter, text)


def two_lines(text: str, metrics: QFontMetrics, width: int) -> str:
    """A title as it fits on a card: broken once between words, then elided."""
    if metrics.horizontalAdvance(text) <= width:
        return text
    first, rest = "", text.split(" ")
    while rest and metrics.horizontalAdvance(f"{first} {rest[0]}".strip()) <= width:
        first = f"{first} {rest.pop(0)}".strip()
    lines = [first, " ".join(rest)] if first else [text]
    elide = Qt.TextElideMode.ElideRight
    return "\n".join(metrics.elidedText(it, elide, width) for it in lines)
