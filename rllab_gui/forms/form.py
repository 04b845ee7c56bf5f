"""The form of all options, generated from their declarations."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from engine.contract.options import OptionSpec, specs
from rllab_gui.commands import Commands
from rllab_gui.draft import Draft
from rllab_gui.forms.environment import EnvironmentEditor
from rllab_gui.forms.row import OptionRow
from rllab_gui.forms.section import Section
from rllab_gui.forms.words import GROUPS, is_relevant, remark
from rllab_gui.link import Link
from rllab_gui.live_options import LiveOptions
from rllab_gui.run import Run
from rllab_gui.theme import Theme


def _worth_showing(of: OptionSpec) -> bool:
    """A choice of one word is no choice (yet)."""
    return of.kind != "choice" or len(of.choices) > 1


class OptionForm(QWidget):
    """Sections of rows in a scroll area, bound to the draft."""

    def __init__(
        self,
        link: Link,
        draft: Draft,
        live: LiveOptions,
        run: Run,
        commands: Commands,
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("train.form")
        self._link, self._draft, self._live, self._theme = link, draft, live, theme
        self.rows: dict[str, OptionRow] = {}
        self._sections: dict[str, Section] = {}
        self._notice = self._make_notice(commands)
        self._scroll = self._make_scroll()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._notice)
        layout.addWidget(self._scroll, 1)
        draft.changed.connect(self._on_changed)
        draft.complaintsChanged.connect(self._show_complaints)
        draft.cardChanged.connect(self._show_relevance)
        live.pendingChanged.connect(self._show_pending)
        run.refused.connect(self.go_to)
        self._on_changed(frozenset(self.rows))
        self.ask_for_environments()

    # ------------------------------------------------------------ construction

    def _make_scroll(self) -> QScrollArea:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(8, 0, 8, 8)
        column.setSpacing(2)
        groups: dict[str, list[OptionRow]] = defaultdict(list)
        for of in filter(_worth_showing, specs().values()):
            groups[of.key.split(".")[0]].append(self._make_row(of, inside))
        for name, title in GROUPS.items():
            if groups[name]:
                section = Section(name, title, groups[name], self._theme, inside)
                self._sections[name] = section
                column.addWidget(section)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setObjectName("train.form.scroll")
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(inside)
        return scroll

    def _make_row(self, of: OptionSpec, parent: QWidget) -> OptionRow:
        row = OptionRow(of, self._theme, parent)
        row.edited.connect(self._on_edited)
        row.refused.connect(self._draft.refuse)
        self.rows[of.key] = row
        return row

    def _make_notice(self, commands: Commands) -> QWidget:
        """A strip that says which options wait for the next Train."""
        notice = QWidget(self)
        notice.setProperty("role", "strip")
        notice.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._notice_text = QLabel()
        self._notice_text.setWordWrap(True)
        buttons = QHBoxLayout()
        for command in ("train.startAgain", "options.takeBack"):
            action = commands.action(command)
            button = QPushButton(action.text())
            button.setObjectName(f"train.form.{command}")
            button.setAccessibleName(action.text())
            button.setToolTip(action.toolTip())
            button.clicked.connect(action.trigger)
            buttons.addWidget(button)
        buttons.addStretch(1)
        layout = QVBoxLayout(notice)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.addWidget(self._notice_text)
        layout.addLayout(buttons)
        notice.hide()
        return notice

    # ------------------------------------------------------------------ in, out

    def _on_edited(self, key: str, value: Any) -> None:
        self._draft.set(key, value)

    def _on_changed(self, keys: frozenset[str]) -> None:
        flat = self._draft.configuration.flat()
        for key in keys & set(self.rows):
            self.rows[key].set_value(flat[key])
        self._show_relevance()

    def _show_relevance(self) -> None:
        configuration, card = self._draft.configuration, self._draft.card
        relevant = {key for key in self.rows if is_relevant(key, configuration, card)}
        for section in self._sections.values():
            section.set_relevant(relevant)
        for key, row in self.rows.items():
            row.set_remark(remark(key, configuration, card))

    def _show_complaints(self) -> None:
        complaints = self._draft.complaints
        for key, row in self.rows.items():
            row.set_complaint(complaints.get(key, ""))
        self._show_relevance()

    def _show_pending(self, keys: frozenset[str]) -> None:
        for key, row in self.rows.items():
            row.set_pending(key in keys)
        names = [self.rows[key].of.title for key in self.rows if key in keys]
        self._notice.setVisible(bool(names))
        listed = ", ".join(names[:3]) + (" and more" if len(names) > 3 else "")
        self._notice_text.setText(f"Waits for a new run: {listed}.")

    def ask_for_environments(self) -> None:
        """Fetch the list of environments from the stage."""
        self._link.ask("environments", {}, self._on_environments, lambda sentence: None)

    def _on_environments(self, result: dict[str, Any]) -> None:
        editor = self.rows["environment.id"].editor
        assert isinstance(editor, EnvironmentEditor)
        editor.set_environments(result.get("rows", ()))

    def go_to(self, key: str) -> None:
        """Show this option, unfolded and with the focus in it."""
        row = self.rows.get(key)
        if row is None:
            return
        if row.of.advanced:
            self._sections[key.split(".")[0]].unfold()
        main = row.editor.main_widget()
        self._scroll.ensureWidgetVisible(row)
        main.setFocus(Qt.FocusReason.ShortcutFocusReason)
