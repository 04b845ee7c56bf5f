"""The gallery of presets: one click loads, nothing is ever started or lost by it."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import (
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    QSortFilterProxyModel,
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
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from engine.contract.options import Configuration
from engine.contract.plain_text import visible
from rllab_gui.draft import Draft
from rllab_gui.plain import tip
from rllab_gui.presets import Card, Presets
from rllab_gui.theme import Theme
from rllab_gui.theme.icons import pixmap, world_icon

Index = QModelIndex | QPersistentModelIndex
REASON = Qt.ItemDataRole.UserRole + 1
WORLD = Qt.ItemDataRole.UserRole + 2
OWN = Qt.ItemDataRole.UserRole + 3
GROUP = Qt.ItemDataRole.UserRole + 4
STORY = Qt.ItemDataRole.UserRole + 5
CARD_HIGH = 66
"""Unscaled pixels: a drawing above two lines of words."""
LEAST_ROWS, MOST_ROWS = 2.4, 4.4
"""Of more rows than these one is cut, which shows that the cards can be scrolled."""
SHARE = 0.22
"""Of the window's height; the options below the gallery need theirs."""


class Gallery(QListView):
    """Cards of presets, all or those of one group, or those that words are found in.

    Signals:
      unusable(str name): A greyed card was clicked.
      fitted(int): So high the gallery wants to be.
      pointed(): Another card is the current one.
    """

    unusable = Signal(str)
    fitted = Signal(int)
    pointed = Signal()

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
        self._compared: Configuration | None = None
        self._equals = ""
        self._cards = QStandardItemModel(self)
        self._shown = CardFilter(self._cards, self)
        self.setModel(self._shown)
        self.setItemDelegate(CardDelegate(theme, self))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setSpacing(0)
        self.setProperty("flat", True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.clicked.connect(self._on_chosen)
        self.activated.connect(self._on_chosen)
        presets.changed.connect(self.fill)
        draft.changed.connect(self._mark)
        theme.changed.connect(self._on_theme)
        self.fill()

    def fill(self) -> None:
        """Take over the presets there are now."""
        self._compared = None
        self._cards.clear()
        for card in self._presets.cards():
            self._cards.appendRow(_item(card))
        self._mark()
        self._fit()

    def show_only(self, group: str = "", words: str = "") -> None:
        """Show the cards of one group, or all, in which these words are found."""
        self._shown.narrow(group, words)
        self._mark()
        self._fit()

    def current_name(self) -> str:
        """Name of the preset that the draft equals; empty where it is of none."""
        now = self._draft.configuration
        if now is not self._compared:
            cards = self._presets.cards()
            equal = (it.preset.name for it in cards if it.configuration == now)
            self._compared, self._equals = now, next(equal, "")
        return self._equals

    def current_card(self) -> Card | None:
        """The card that is pointed at, else that of the draft; None for neither."""
        index = self.currentIndex()
        name = str(index.data(Qt.ItemDataRole.UserRole)) if index.isValid() else ""
        return self._presets.get(name or self.current_name())

    def choose_first(self) -> None:
        """Load the first of the cards that are shown."""
        first = self._shown.index(0, 0)
        if first.isValid():
            self._on_chosen(first)

    def choose(self, name: str) -> None:
        """Load a preset, as a click does."""
        card = self._presets.get(name)
        if card is None:
            return
        if not card.usable:
            self.unusable.emit(name)
            return
        self._draft.load(card.configuration, card.preset.title)
        self._mark()

    def _on_chosen(self, index: QModelIndex) -> None:
        self.choose(str(index.data(Qt.ItemDataRole.UserRole)))

    def _mark(self, *_: object) -> None:
        """Mark the card that the draft equals, if it is any and shown."""
        name, place = self.current_name(), QModelIndex()
        for row in range(self._shown.rowCount()):
            index = self._shown.index(row, 0)
            if index.data(Qt.ItemDataRole.UserRole) == name:
                place = index
        self.setCurrentIndex(place)
        self.pointed.emit()

    def currentChanged(self, current: Index, previous: Index) -> None:
        """Tell that another card is pointed at, by a click or by the keyboard."""
        super().currentChanged(current, previous)
        self.pointed.emit()

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
        rows = max(1, -(-self._shown.rowCount() // columns))
        room = SHARE * self.window().height() / high
        self.fitted.emit(round(min(rows, max(LEAST_ROWS, min(room, MOST_ROWS))) * high))

    def _on_theme(self) -> None:
        self._fit()
        self.viewport().update()


def _item(card: Card) -> QStandardItem:
    preset = card.preset
    item = QStandardItem(visible(preset.title, 200))
    item.setEditable(False)
    item.setData(preset.name, Qt.ItemDataRole.UserRole)
    item.setData(card.reason, REASON)
    item.setData(card.configuration.environment.id, WORLD)
    item.setData(preset.own, OWN)
    item.setData(preset.group, GROUP)
    item.setData(visible(preset.story), STORY)
    title, story = (escape(visible(it)) for it in (preset.title, preset.story))
    item.setToolTip(tip(card.reason) or f"<b>{title}</b><br>{story}")
    item.setAccessibleText(preset.title)
    item.setAccessibleDescription(card.reason or preset.story)
    return item


class CardFilter(QSortFilterProxyModel):
    """Lets the cards of one group through, if all words are found in them."""

    def __init__(self, cards: QStandardItemModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._group, self._words = "", [""]
        self.setSourceModel(cards)

    def narrow(self, group: str, words: str) -> None:
        """Show this group, or all where it is empty, and what is searched for."""
        self._group, self._words = group, words.casefold().split()
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        """Whether a card is of the group and holds the words."""
        index = self.sourceModel().index(row, 0, parent)
        roles = (Qt.ItemDataRole.DisplayRole, STORY, WORLD, GROUP)
        text = " ".join(str(index.data(it)) for it in roles).casefold()
        ours = self._group in ("", index.data(GROUP))
        return ours and all(word in text for word in self._words)


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
