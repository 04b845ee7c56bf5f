"""The form of all options, generated from their declarations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from engine.contract.alternatives import alternatives
from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import Configuration, OptionSpec, specs
from rllab_gui.commands import Commands
from rllab_gui.costs import Costs
from rllab_gui.draft import Draft
from rllab_gui.forms.environment import EnvironmentEditor
from rllab_gui.forms.row import OptionRow
from rllab_gui.forms.section import Section
from rllab_gui.forms.strip import Strip
from rllab_gui.forms.words import GROUPS, about_companion, is_relevant, remark
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
        costs: Costs,
        live: LiveOptions,
        run: Run,
        commands: Commands,
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("train.form")
        self._link, self._draft, self._live, self._theme = link, draft, live, theme
        self._costs = costs
        self.rows: dict[str, OptionRow] = {}
        self._sections: dict[str, Section] = {}
        waiting = ("train.startAgain", "options.takeBack")
        self._waiting = Strip("train.form.waiting", commands, waiting, self)
        self._companion = Strip("train.form.companion", commands, ("edit.undo",), self)
        self._judged: tuple[Configuration, EnvironmentCard | None] | None = None
        self._scroll = self._make_scroll()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._waiting)
        layout.addWidget(self._companion)
        layout.addWidget(self._scroll, 1)
        draft.changed.connect(self._on_changed)
        draft.accompanied.connect(self._on_accompanied)
        draft.complaintsChanged.connect(self._show_complaints)
        draft.cardChanged.connect(self._show_relevance)
        costs.changed.connect(self._show_remarks)
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
        self._inside = inside
        inside.installEventFilter(self)
        return scroll

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """As wide as the rows need: there is no scrolling sideways."""
        if event.type() == QEvent.Type.LayoutRequest:
            rows = self._inside.minimumSizeHint().width()
            bar = self._scroll.verticalScrollBar().sizeHint().width()
            self._scroll.setMinimumWidth(rows + bar)
        return super().eventFilter(watched, event)

    def _make_row(self, of: OptionSpec, parent: QWidget) -> OptionRow:
        row = OptionRow(of, self._theme, parent)
        row.edited.connect(self._on_edited)
        row.refused.connect(self._draft.refuse)
        self.rows[of.key] = row
        return row

    # ------------------------------------------------------------------ in, out

    def _on_edited(self, key: str, value: Any) -> None:
        if self.rows[key].of.kind in ("bool", "choice"):
            self._draft.choose(key, value)
        else:
            self._draft.set(key, value)

    def _on_accompanied(self, key: str, companion: dict[str, Any]) -> None:
        value = self._draft.configuration.get(key)
        self._companion.say(about_companion(key, value, companion))

    def _on_changed(self, keys: frozenset[str]) -> None:
        self._companion.say("")
        flat = self._draft.configuration.flat()
        for key in keys & set(self.rows):
            self.rows[key].set_value(flat[key])
        self._show_relevance()

    def _show_relevance(self) -> None:
        configuration, card = self._draft.configuration, self._draft.card
        relevant = {key for key in self.rows if is_relevant(key, configuration, card)}
        for section in self._sections.values():
            section.set_relevant(relevant)
        self._show_remarks()
        self._show_alternatives(relevant)

    def _show_remarks(self) -> None:
        of = self._draft.configuration, self._draft.card, self._costs.probe
        for key, row in self.rows.items():
            row.set_remark(remark(key, *of))

    def _show_alternatives(self, relevant: Collection[str]) -> None:
        """Grey what is impossible beside the other options; a millisecond or two."""
        now = (self._draft.configuration, self._draft.card)
        if self._judged == now:
            return
        self._judged = now
        for key in relevant:
            row = self.rows[key]
            if row.of.kind in ("bool", "choice"):
                row.set_alternatives(alternatives(*now, key))

    def _show_complaints(self) -> None:
        complaints = self._draft.complaints
        for key, row in self.rows.items():
            row.set_complaint(complaints.get(key, ""))
        self._show_relevance()

    def _show_pending(self, keys: frozenset[str]) -> None:
        for key, row in self.rows.items():
            row.set_pending(key in keys)
        names = [self.rows[key].of.title for key in self.rows if key in keys]
        listed = ", ".join(names[:3]) + (" and more" if len(names) > 3 else "")
        self._waiting.say(f"Waits for a new run: {listed}." if names else "")

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
