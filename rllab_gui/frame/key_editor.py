"""The table of single keys in the preferences: look one up, press another, go back."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from rllab_gui.commands import NATIVE
from rllab_gui.frame.key_map import KeyMap, pressed
from rllab_gui.lab import Lab
from rllab_gui.plain import PlainLabel
from rllab_gui.views.tables import CalmTable

Key = Qt.Key
NAME = "pref.keys"
ROWS, FEWEST_ROWS = 9, 4
"""So many rows are seen at once, and on a small screen."""
HINT = "Enter or a double click on a command, then press its new key."
WAITING = "press a key…"
HEADINGS = (
    ("Command", "What the key does"),
    ("Key", "What is pressed now; at most Shift is held with it"),
    ("Default", "The key from the start, where another one was chosen"),
)


class KeyTable(CalmTable):
    """As high as it should be, and lower where there is no room."""

    def sizeHint(self) -> QSize:
        """Room for some of the rows."""
        return QSize(self.minimumWidth(), self.height_of(ROWS))

    def height_of(self, rows: int) -> int:
        """Pixels for so many rows and the heading."""
        heading = self.horizontalHeader().sizeHint().height()
        high = self.verticalHeader().defaultSectionSize()
        return rows * high + heading + 2 * self.frameWidth()


class KeyEditor(QWidget):
    """Every change applies at once; a key that somebody has is refused below."""

    def __init__(self, lab: Lab, keys: KeyMap) -> None:
        super().__init__()
        self._lab, self._keys = lab, keys
        self._waiting = -1
        self.headings = HEADINGS
        self.table = KeyTable(self, lab.theme, f"{NAME}.table", "Single keys")
        self.table.installEventFilter(self)
        self.table.doubleClicked.connect(self.begin)
        self._sentence = PlainLabel()
        self._sentence.setObjectName(f"{NAME}.sentence")
        self._sentence.setWordWrap(True)
        self._sentence.setAlignment(Qt.AlignmentFlag.AlignTop)
        change = self._button(
            "change", "Change key", "Then press the new key of the command", self.begin
        )
        self._one = self._button(
            "reset", "Default key", "The command has its first key again", self._reset
        )
        self._all = self._button(
            "resetAll",
            "All default keys",
            "Every command has its first key again",
            self._reset_all,
        )
        row = QHBoxLayout()
        for button in (change, self._one, self._all):
            row.addWidget(button)
        row.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.table)
        whole.addWidget(self._sentence)
        whole.addLayout(row)
        self.table.setCurrentIndex(self.table.model().index(0, 0))
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self.end())
        lab.theme.changed.connect(self._restyle)
        self._restyle()
        self.end()

    def _button(
        self, name: str, title: str, tip: str, deed: Callable[[], object]
    ) -> QPushButton:
        button = QPushButton(title)
        button.setObjectName(f"{NAME}.{name}")
        button.setAccessibleName(title)
        button.setToolTip(tip)
        button.setAutoDefault(False)
        button.clicked.connect(lambda: deed())
        return button

    def _restyle(self) -> None:
        theme = self._lab.theme
        self.table.restyle()
        longest = max((self.text(it, 0) for it in range(self.count())), key=len)
        widest = f"{WAITING}  "
        self.table.set_widths((3, 1, 1), (longest, widest, "Shift+PgDown"))
        self.table.setMinimumSize(theme.px(440), self.table.height_of(FEWEST_ROWS))
        self._sentence.setMinimumHeight(2 * self._sentence.fontMetrics().lineSpacing())

    # -------------------------------------------------------------------- rows

    def count(self) -> int:
        """How many commands there are."""
        return len(self._keys.ids)

    def text(self, row: int, column: int) -> str:
        """What a cell says."""
        command_id = self._keys.ids[row]
        if column == 0:
            return self._keys.words(command_id)
        if column == 1:
            waits = row == self._waiting
            return WAITING if waits else _native(self._keys.keys(command_id))
        changed = self._keys.is_chosen(command_id)
        return _native(self._keys.declared(command_id)) if changed else ""

    def tip(self, row: int, column: int) -> str:
        """What the command does."""
        return self._lab.commands.get(self._keys.ids[row]).tooltip

    def is_number(self, column: int) -> bool:
        """There are words only."""
        return False

    # -------------------------------------------------------------- the person

    def begin(self) -> None:
        """The next key that is pressed is for the current row."""
        self.table.setFocus(Qt.FocusReason.OtherFocusReason)
        self._waiting = self.table.currentIndex().row()
        words = self._keys.words(self._current())
        self._say(f"Press the new key of “{words}”; Esc keeps the old one.")

    def end(self) -> None:
        """No key is waited for."""
        self._waiting = -1
        self._say(HINT)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """While a key is waited for, it does nothing else."""
        kind = event.type()
        if kind == QEvent.Type.FocusOut and self._waiting >= 0:
            self.end()
        if not isinstance(event, QKeyEvent):
            return False
        if kind == QEvent.Type.ShortcutOverride and self._waiting >= 0:
            event.accept()
            return True
        return kind == QEvent.Type.KeyPress and self._on_key(event)

    def _on_key(self, event: QKeyEvent) -> bool:
        if self._waiting < 0:
            if event.key() in (Key.Key_Return, Key.Key_Enter):
                self.begin()
                return True
            return False
        if event.key() in (Key.Key_Tab, Key.Key_Backtab):
            return False  # goes on to the next widget, which ends waiting
        if event.key() == Key.Key_Escape:
            self.end()
        elif not event.isAutoRepeat():  # as Enter is, that began this
            self._take(pressed(event))
        return True

    def _take(self, keys: QKeySequence) -> None:
        if keys.isEmpty():
            return
        refusal = self._keys.choose(self._current(), keys)
        if refusal:
            self._say(refusal, wrong=True)
            return
        self._waiting = -1
        words, name = self._keys.words(self._current()), keys.toString(NATIVE)
        self._say(f"{name} is the key of “{words}” now.")

    def _reset(self) -> None:
        self.table.setFocus()  # or it would be on a button that is of no use now
        refusal = self._keys.reset(self._current())
        self._say(refusal or HINT, wrong=bool(refusal))

    def _reset_all(self) -> None:
        self.table.setFocus()
        self._keys.reset_all()
        self._say(HINT)

    def _say(self, sentence: str, *, wrong: bool = False) -> None:
        """Below the table, and to screen readers; the rows are drawn anew."""
        self._sentence.setProperty("role", "complaint" if wrong else "muted")
        self._sentence.style().polish(self._sentence)
        self._sentence.setText(sentence)
        self.table.setAccessibleDescription(sentence)
        model = self.table.model()
        last = model.index(self.count() - 1, len(HEADINGS) - 1)
        model.dataChanged.emit(model.index(0, 0), last)
        self._one.setEnabled(self._keys.is_chosen(self._current()))
        self._all.setEnabled(self._keys.is_chosen())

    def _current(self) -> str:
        return self._keys.ids[self.table.currentIndex().row()]


def _native(keys: tuple[str, ...]) -> str:
    return " or ".join(QKeySequence(it).toString(NATIVE) for it in keys)
