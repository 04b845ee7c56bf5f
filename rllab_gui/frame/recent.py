"""Recent sessions, and the cards of those that a crash interrupted."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from engine.contract.costs import size_text
from engine.contract.plain_text import visible
from rllab_gui.plain import PlainLabel, tip
from rllab_gui.sessions import RecentSession, Sessions
from rllab_gui.theme import Theme

CARDS = 3


class RecentList(QListWidget):
    """Sessions of the sessions folder; a double click or Enter opens one."""

    def __init__(
        self, sessions: Sessions, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("welcome.recent.list")
        self.setAccessibleName("Recent sessions")
        self.setToolTip("Double-click or Enter opens a session")
        self.setProperty("flat", True)
        self._sessions = sessions
        self.itemActivated.connect(self._on_chosen)
        sessions.recentChanged.connect(self._fill)
        self._fill()

    def sizeHint(self) -> QSize:
        """As high as the gallery beside it happens to be."""
        return QSize(0, 0)

    def _fill(self) -> None:
        self.clear()
        for session in self._sessions.recent:
            when = datetime.fromtimestamp(session.modified).strftime("%d %b %H:%M")
            about = f"{when} · {size_text(session.size)}"
            if session.live and session.path != self._sessions.path:
                about += " · interrupted"
            item = QListWidgetItem(f"{visible(session.name, 200)}\n{about}")
            item.setData(Qt.ItemDataRole.UserRole, session.path)
            item.setToolTip(tip(session.path))
            self.addItem(item)
        if not self._sessions.recent:
            nothing = QListWidgetItem("No session yet: Train makes the first one.")
            nothing.setFlags(Qt.ItemFlag.NoItemFlags)
            self.addItem(nothing)

    def _on_chosen(self, item: QListWidgetItem) -> None:
        path = item.data(Qt.ItemDataRole.UserRole)
        if path:
            self._sessions.open(str(path))


class RecoveryStrip(QWidget):
    """A card for each session that a crash interrupted; nothing where there is none."""

    def __init__(
        self, sessions: Sessions, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("welcome.recover.list")
        self.setAccessibleName("Interrupted sessions")
        self._sessions, self._theme = sessions, theme
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        sessions.recentChanged.connect(self._fill)
        self._fill()

    def _fill(self) -> None:
        while (item := self._column.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        interrupted = self._sessions.interrupted()
        for session in interrupted[:CARDS]:
            self._column.addWidget(self._card(session))
        if (more := len(interrupted) - CARDS) > 0:
            self._column.addWidget(self._rest(more))
        self.setVisible(bool(interrupted))

    def _rest(self, more: int) -> QWidget:
        """Nobody wants a window full of cards; nothing is left out without a word."""
        words = PlainLabel(
            f"{more} more {'was' if more == 1 else 'were'} interrupted: double-click "
            "one under Recent sessions to look at it."
        )
        words.setObjectName("welcome.recover.rest")
        words.setProperty("role", "strip")
        words.setContentsMargins(8, 3, 8, 3)
        return words

    def _card(self, session: RecentSession) -> QWidget:
        card = QWidget(self)
        card.setProperty("role", "strip")
        card.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        row = QHBoxLayout(card)
        row.setContentsMargins(8, 3, 8, 3)
        words = PlainLabel(
            f"{visible(session.name, 200)} was interrupted; everything up to the last "
            "quarter of a second is safe."
        )
        row.addWidget(words, 1)
        for what, label, about, deed in (
            (
                "resume",
                "Continue training",
                "Go on where it stopped",
                self._sessions.recover,
            ),
            ("open", "Look at it", "Open it without training", self._sessions.open),
            (
                "discard",
                "Discard",
                "Remove what the crash left",
                self._sessions.discard,
            ),
        ):
            button = QPushButton(label)
            button.setObjectName(f"welcome.recover.{session.name}.{what}")
            button.setAccessibleName(f"{label}: {visible(session.name, 200)}")
            button.setToolTip(about)
            button.clicked.connect(lambda _=False, do=deed: do(session.path))
            row.addWidget(button)
        return card
