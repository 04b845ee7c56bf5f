"""Bookmarks of the session, with a line for the note, and moments that stand out."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import (
    QDockWidget,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QWidget,
)

from engine.contract.notes import MOST_WORDS, Bookmark
from engine.contract.plain_text import visible
from rllab_gui.plain import tip
from rllab_gui.views.base import View, ViewContext
from rllab_gui.views.bookmark_rows import Row, bookmark_rows

FIND = "Press {transport.mark} at any step of an episode to find it again."
MARKS = "{transport.mark} marks the step at the cursor"


class BookmarksView(View):
    """A list; choosing a row goes there, the line below writes its note."""

    view_id = "bookmarks"
    title = "Bookmarks"
    about = (
        "Moments that you marked, in all episodes of this session, and below them "
        "what stands out in the episode at the cursor: the largest TD errors δ and the "
        "explorations that mattered most. Choose a row to go there; the menu Play has "
        "the bookmark before and after. Notes are kept in the session."
    )

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.rows: list[Row] = []
        self._edited, self._stale = "", True
        self.list = self._make_list()
        self.note = self._make_note()
        self._delete = self._make_delete()
        foot = QHBoxLayout()
        gap = context.theme.px(4)
        foot.setContentsMargins(gap, gap, gap, gap)
        foot.addWidget(self.note, 1)
        foot.addWidget(self._delete)
        self.body_layout.addWidget(self.list, 1)
        self.body_layout.addLayout(foot)
        context.notes.changed.connect(self.refresh)
        context.episode.changed.connect(self.refresh)
        context.why.predict.changed.connect(self.refresh)
        context.commands.keysChanged.connect(self._name_keys)
        context.noting.noteWanted.connect(self._on_note_wanted)
        self._show_note()

    def _make_list(self) -> QListWidget:
        found = QListWidget(self)
        found.setObjectName("step.bookmarks.list")
        found.setAccessibleName("Bookmarks")
        found.setUniformItemSizes(True)
        found.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        found.itemClicked.connect(lambda item: self._go())
        found.itemActivated.connect(lambda item: self._go())
        found.currentRowChanged.connect(lambda row: self._show_note())
        found.installEventFilter(self)
        return found

    def _make_note(self) -> QLineEdit:
        field = QLineEdit(self)
        field.setObjectName("step.bookmarks.note")
        field.setAccessibleName("Note of the bookmark")
        field.setMaxLength(MOST_WORDS)
        field.editingFinished.connect(self._on_written)
        field.returnPressed.connect(self._leave_note)
        field.installEventFilter(self)
        return field

    def _make_delete(self) -> QPushButton:
        button = QPushButton("Delete", self)
        button.setObjectName("step.bookmarks.delete")
        button.setAccessibleName("Delete the bookmark")
        button.setToolTip("Delete the chosen bookmark (Del); can be undone")
        button.clicked.connect(self._on_delete)
        return button

    def emptiness(self) -> tuple[str, str, Sequence[tuple[str, str]]] | None:
        """Nothing is marked, and no episode is shown of which something stands out."""
        if self.context.notes.kept.bookmarks or self.context.episode.shows:
            return None
        words = self.context.commands.with_keys(FIND)
        return "No bookmark yet.", words, ()

    # -------------------------------------------------------------------- draw

    def draw(self) -> None:
        """Bring the rows up to date; what is chosen stays chosen."""
        hidden = self.context.why.predict.hidden
        shown = None if hidden else self.context.episode.data
        rows = bookmark_rows(self.context.notes.bookmarks, shown)
        if rows == self.rows and not self._stale:
            return
        self._stale = False
        chosen = self.chosen
        self.rows = rows
        with QSignalBlocker(self.list):
            self.list.clear()
            for row in rows:
                self.list.addItem(self._item(row))
        if chosen is not None:
            self._choose(chosen.id)
        self._show_note()
        own = sum(row.bookmark is not None for row in rows)
        self.describe(f"{own} bookmarks, {len(rows) - own} moments that stand out.")

    def _item(self, row: Row) -> QListWidgetItem:
        item = QListWidgetItem(visible(row.text, 300))
        item.setSizeHint(QSize(0, max(24, self.context.theme.px(24))))
        whole = row.bookmark.text if row.bookmark is not None else row.text
        item.setToolTip(tip(whole or "No note yet: choose it and write one below"))
        if row.bookmark is None:
            item.setForeground(QColor(self.context.theme.tokens.muted))
        return item

    @property
    def chosen(self) -> Bookmark | None:
        """The bookmark that is chosen in the list."""
        at = self.list.currentRow()
        return self.rows[at].bookmark if 0 <= at < len(self.rows) else None

    def _choose(self, bookmark_id: str) -> None:
        for at, row in enumerate(self.rows):
            if row.bookmark is not None and row.bookmark.id == bookmark_id:
                with QSignalBlocker(self.list):
                    self.list.setCurrentRow(at)
                self.list.scrollToItem(self.list.item(at))

    def _name_keys(self) -> None:
        self._show_note()
        self.refresh()

    def _show_note(self) -> None:
        """The line below is for the chosen bookmark."""
        chosen = self.chosen
        if chosen is None and (self.note.hasFocus() or self._delete.hasFocus()):
            self._leave_note()
        self._delete.setEnabled(chosen is not None)
        self.note.setEnabled(chosen is not None)
        if chosen is None:
            self._edited = ""
            self.note.clear()
            self._hint(self.context.commands.with_keys(MARKS))
        elif chosen.id != self._edited or not self.note.hasFocus():
            self._edited = chosen.id
            self.note.setText(visible(chosen.text, MOST_WORDS))
            self._hint(f"Note for t {chosen.t:,}")

    def _hint(self, words: str) -> None:
        """In the empty line, which may be too narrow for it."""
        self.note.setPlaceholderText(words)
        self.note.setToolTip(words)

    # -------------------------------------------------------------- the person

    def _go(self) -> None:
        at = self.list.currentRow()
        if not 0 <= at < len(self.rows):
            return
        row = self.rows[at]
        if row.bookmark is not None:
            self.context.noting.go_to(row.bookmark)
        else:
            self.context.cursor.seek(row.t)

    def _on_note_wanted(self, bookmark_id: str) -> None:
        """M: bring this list to the front, with the focus in the line below."""
        dock: QWidget | None = self
        while dock is not None and not isinstance(dock, QDockWidget):
            dock = dock.parentWidget()
        if dock is not None:
            dock.show()
            dock.raise_()
        self.draw()
        self._choose(bookmark_id)
        self._show_note()
        self.note.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _on_written(self) -> None:
        kept = self.context.notes.kept.bookmarks
        found = next((it for it in kept if it.id == self._edited), None)
        # What a stranger's file hides in a text is written out, and stays as it is.
        if found and self.note.text() != visible(found.text, MOST_WORDS):
            self.context.notes.rename_bookmark(found.id, self.note.text())

    def _leave_note(self) -> None:
        """Back to where plain keys move the cursor."""
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_delete(self) -> None:
        chosen = self.chosen
        if chosen is not None:
            self.context.notes.delete_bookmark(chosen.id)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Del deletes in the list; Esc in the line takes back what was typed."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if watched is self.list and event.key() == Qt.Key.Key_Delete:
                self._on_delete()
                return True
            if watched is self.note and event.key() == Qt.Key.Key_Escape:
                chosen = self.chosen
                words = chosen.text if chosen is not None else ""
                self.note.setText(visible(words, MOST_WORDS))
                self._leave_note()
                return True
        return super().eventFilter(watched, event)

    def restyle(self) -> None:
        """Take over fonts and colours."""
        self.list.setFont(self.context.theme.font(relative=0.92))
        self._stale = True
