"""Presets as a person meets them: search, group, cards, and the story of one."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from engine.contract.catalogue import GROUPS
from rllab_gui.forms.editors import QuietCombo
from rllab_gui.forms.gallery import Gallery
from rllab_gui.presets import Presets
from rllab_gui.theme import Theme

EVERYTHING = "All presets"


class PresetPanel(QWidget):
    """The gallery below what narrows it, and above the story of its card.

    Signals:
      fitted(int): So high the panel wants to be.
    """

    fitted = Signal(int)

    def __init__(
        self,
        gallery: Gallery,
        presets: Presets,
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._gallery, self._presets, self._theme = gallery, presets, theme
        self._search = self._make_search()
        self._group = self._make_group()
        self._story = self._make_story()
        self._lay_out()
        gallery.fitted.connect(self._on_fitted)
        gallery.pointed.connect(self._tell)
        presets.changed.connect(self._fill_groups)
        theme.changed.connect(self._restyle)
        self._fill_groups()
        self._restyle()
        self._tell()

    def _make_search(self) -> QLineEdit:
        search = QLineEdit(self)
        search.setObjectName("train.presets.search")
        search.setAccessibleName("Search the presets")
        search.setToolTip(
            "Show presets with these words in title, story or world; "
            "Enter loads the first, Down goes to the cards"
        )
        search.setPlaceholderText("search presets")
        search.setClearButtonEnabled(True)
        for clear in search.findChildren(QAction):
            clear.setText("Clear")
            clear.setToolTip("Show all presets again")
            clear.setStatusTip(clear.toolTip())
        search.textChanged.connect(self._narrow)
        search.returnPressed.connect(self._gallery.choose_first)
        search.installEventFilter(self)
        return search

    def _make_group(self) -> QuietCombo:
        group = QuietCombo(self)
        group.setObjectName("train.presets.group")
        group.setAccessibleName("Group of presets")
        group.setToolTip("Which group of presets is shown")
        group.currentIndexChanged.connect(self._narrow)
        return group

    def _make_story(self) -> QLabel:
        story = QLabel(self)
        story.setObjectName("train.presets.story")
        story.setProperty("role", "muted")
        story.setTextFormat(Qt.TextFormat.PlainText)
        story.setWordWrap(True)
        story.setContentsMargins(6, 0, 6, 4)
        return story

    def _lay_out(self) -> None:
        above = QHBoxLayout()
        above.setContentsMargins(4, 4, 4, 2)
        above.setSpacing(4)
        above.addWidget(self._search, 1)
        above.addWidget(self._group, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(above)
        layout.addWidget(self._gallery)
        layout.addWidget(self._story)
        layout.addStretch(1)

    # ----------------------------------------------------------------- content

    def _fill_groups(self) -> None:
        """The groups that have presets, in their order."""
        chosen = self._group.currentData()
        there = {card.preset.group for card in self._presets.cards()}
        self._group.blockSignals(True)
        self._group.clear()
        self._group.addItem(EVERYTHING, "")
        for group in GROUPS:
            if group in there:
                self._group.addItem(group, group)
        self._group.setCurrentIndex(max(0, self._group.findData(chosen)))
        self._group.blockSignals(False)
        self._narrow()

    def _narrow(self, *_: object) -> None:
        group = str(self._group.currentData() or "")
        self._gallery.show_only(group, self._search.text())

    def _tell(self) -> None:
        card = self._gallery.current_card()
        words = "Your own options: none of the presets equals them."
        if card is not None:
            words = card.reason or card.preset.story
        if not self._gallery.model().rowCount():
            words = "No preset has these words."
        if words != self._story.text():
            self._story.setText(words)
            self._fit_soon()

    # ------------------------------------------------------------------- sizes

    def _on_fitted(self, high: int) -> None:
        if high != self._gallery.height():
            self._gallery.setFixedHeight(high)
        self._fit_soon()

    def _fit_soon(self) -> None:
        """Once the layout has settled."""
        QTimer.singleShot(0, self, self._fit)

    def _fit(self) -> None:
        layout = self.layout()
        assert layout is not None
        self.fitted.emit(layout.heightForWidth(self.width()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrower story has more lines."""
        super().resizeEvent(event)
        self._fit_soon()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """From the search the arrow down leads to the cards."""
        down = isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Down
        if watched is self._search and down and event.type() == QEvent.Type.KeyPress:
            self._gallery.setFocus(Qt.FocusReason.TabFocusReason)
            return True
        return super().eventFilter(watched, event)

    def _restyle(self) -> None:
        self._story.setFont(self._theme.font(relative=0.9))
        self._fit_soon()
