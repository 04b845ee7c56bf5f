"""The messages strip: one row for each problem, gone when it is solved."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.contract.plain_text import visible
from rllab_gui.commands import Commands
from rllab_gui.frame.widgets import IconButton
from rllab_gui.plain import tip
from rllab_gui.problems import Entry, Problems
from rllab_gui.theme import Theme
from rllab_gui.theme.icons import icon, pixmap

DETAILS = 100_000
"""Characters of the details that are shown; they are a traceback at most."""
COPY = "copy:"
"""A fix of this form puts the rest of its text on the clipboard."""


class MessageRow(QWidget):
    """One problem; its property ``errorId`` is the problem's id.

    Signals:
      dismissed(str id): The person does not want to see it any more.
    """

    dismissed = Signal(str)

    def __init__(
        self, entry: Entry, commands: Commands, theme: Theme, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._commands, self._theme = commands, theme
        self._id = entry.problem.id
        self.setObjectName(f"main.messages.{self._id}")
        self.setProperty("errorId", self._id)
        self.setProperty("role", "strip")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._mark, self._text, self._count = QLabel(), QLabel(), QLabel()
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred
        )
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._count.setObjectName(f"main.messages.{self._id}.count")
        self._fixes = QHBoxLayout()
        self._offered: tuple[tuple[str, str], ...] = ()
        self._details = self._make_details()
        self._lay_out()
        # A bound method, not a lambda: the connection ends with the row.
        theme.changed.connect(self._on_theme_changed)
        self.show_entry(entry)

    def _make_details(self) -> QPlainTextEdit:
        details = QPlainTextEdit()
        details.setObjectName(f"main.messages.{self._id}.details")
        details.setAccessibleName("Details")
        details.setReadOnly(True)
        details.setMaximumHeight(140)
        details.setFont(self._theme.mono(relative=0.9))
        details.hide()
        return details

    def _lay_out(self) -> None:
        self._more = QToolButton()
        self._more.setObjectName(f"main.messages.{self._id}.more")
        self._more.setAccessibleName("Show details")
        self._more.setToolTip("Show or hide the details")
        self._more.setText("Details")
        self._more.setCheckable(True)
        self._more.toggled.connect(self._details.setVisible)
        close = IconButton(
            f"main.messages.{self._id}.close", "Dismiss", "close", self._theme, size=12
        )
        close.setToolTip("Take this message away")
        close.clicked.connect(lambda: self.dismissed.emit(self._id))
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._mark)
        row.addWidget(self._text, 1)
        row.addWidget(self._count)
        row.addLayout(self._fixes)
        row.addWidget(self._more)
        row.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 3, 8, 3)
        column.addLayout(row)
        column.addWidget(self._details)

    def show_entry(self, entry: Entry) -> None:
        """Bring text, counter and buttons up to date."""
        problem = entry.problem
        self._severity: str = problem.severity
        self._text.setText(visible(problem.sentence(), lines=True))
        self._count.setText(f"× {entry.count}")
        self._count.setVisible(entry.count > 1)
        self._details.setPlainText(visible(problem.details, DETAILS, lines=True))
        self._more.setVisible(bool(problem.details))
        self.setAccessibleName(f"{problem.severity}: {problem.what}")
        self.setAccessibleDescription(problem.sentence())
        self._show_mark(problem.severity)
        offered = tuple(it for it in problem.fixes if self._is_known(it[0]))
        if offered != self._offered:
            self._offered = offered
            self._rebuild_fixes()

    def _on_theme_changed(self) -> None:
        self._show_mark(self._severity)

    def _show_mark(self, severity: str) -> None:
        tokens = self._theme.tokens
        name, colour = {
            "error": ("error", tokens.bad),
            "warning": ("warning", tokens.warning),
            "information": ("info", tokens.information),
        }[severity]
        self._mark.setPixmap(pixmap(name, colour, self._theme.px(18)))

    def _is_known(self, command: str) -> bool:
        return command.startswith(COPY) or command in self._commands

    def _rebuild_fixes(self) -> None:
        while (item := self._fixes.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        for number, (command, label) in enumerate(self._offered):
            self._fixes.addWidget(self._fix_button(number, command, label))

    def _fix_button(self, number: int, command: str, label: str) -> QPushButton:
        button = QPushButton(label)
        suffix = "" if number == 0 else str(number + 1)
        button.setObjectName(f"main.messages.{self._id}.fix{suffix}")
        button.setAccessibleName(label)
        if command.startswith(COPY):
            text = command.removeprefix(COPY)
            button.setToolTip(tip(f"Copy: {text}"))
            button.setIcon(icon("copy", self._theme))
            button.setIconSize(QSize(self._theme.px(14), self._theme.px(14)))
            button.clicked.connect(lambda: QGuiApplication.clipboard().setText(text))
        else:
            action = self._commands.action(command)
            button.setToolTip(action.toolTip())
            button.clicked.connect(action.trigger)
        return button


class MessageStrip(QWidget):
    """All rows, newest at the bottom; takes no room while all is well."""

    def __init__(
        self,
        problems: Problems,
        commands: Commands,
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("main.messages")
        self.setAccessibleName("Messages")
        self._problems, self._commands, self._theme = problems, commands, theme
        self._rows: dict[str, MessageRow] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        problems.changed.connect(self._on_changed)
        for entry in problems.entries():
            self._on_changed(entry.problem.id)
        self.setVisible(bool(self._rows))

    def row(self, problem_id: str) -> MessageRow | None:
        """The row of this problem."""
        return self._rows.get(problem_id)

    def _on_changed(self, problem_id: str) -> None:
        entry = self._problems.get(problem_id)
        row = self._rows.get(problem_id)
        if entry is None:
            if row is not None:
                del self._rows[problem_id]
                row.hide()
                row.deleteLater()
        elif row is None:
            row = MessageRow(entry, self._commands, self._theme, self)
            row.dismissed.connect(self._problems.solve)
            self._rows[problem_id] = row
            self._column.addWidget(row)
        else:
            row.show_entry(entry)
        self.setVisible(bool(self._rows))
