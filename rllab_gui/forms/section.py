"""A group of options under a heading, the advanced ones folded away."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from rllab_gui.forms.row import OptionRow
from rllab_gui.theme import Theme
from rllab_gui.theme.icons import icon


class Section(QWidget):
    """Heading, rows, and *more (n)*."""

    def __init__(
        self,
        name: str,
        title: str,
        rows: Iterable[OptionRow],
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self.rows = tuple(rows)
        self._relevant: Collection[str] = ()
        self._heading = QLabel(title)
        self._more = self._make_more(name, title)
        head = QHBoxLayout()
        head.addWidget(self._heading, 1)
        head.addWidget(self._more)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 2)
        layout.setSpacing(1)
        layout.addLayout(head)
        for row in self.rows:
            layout.addWidget(row)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _make_more(self, name: str, title: str) -> QToolButton:
        more = QToolButton()
        more.setObjectName(f"train.section.{name}.more")
        more.setAccessibleName(f"More options: {title}")
        more.setToolTip(f"Show or hide the rarely used options of: {title}")
        more.setCheckable(True)
        more.setProperty("flat", True)
        more.setProperty("role", "fold")
        more.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        more.toggled.connect(self._fold)
        return more

    def unfold(self) -> None:
        """Show everything."""
        self._more.setChecked(True)

    def set_relevant(self, keys: Collection[str]) -> None:
        """Hide the options that have no effect beside the others."""
        self._relevant = keys
        self._fold()

    def _fold(self, *_: object) -> None:
        folded = 0
        for row in self.rows:
            relevant = row.of.key in self._relevant
            away = row.of.advanced and not self._more.isChecked()
            needs_look = bool(row.complaint)
            row.setVisible(relevant and (not away or needs_look))
            folded += relevant and row.of.advanced
        self._more.setVisible(bool(folded))
        self._more.setText("less" if self._more.isChecked() else f"more ({folded})")
        self.setVisible(any(row.of.key in self._relevant for row in self.rows))
        self._restyle()

    def _restyle(self) -> None:
        name = "chevron-down" if self._more.isChecked() else "chevron-right"
        muted = self._theme.tokens.muted
        self._more.setIcon(icon(name, self._theme, colour=muted))
        self._more.setIconSize(QSize(self._theme.px(12), self._theme.px(12)))
        self._more.setFont(self._theme.font(relative=0.9))
        self._heading.setFont(self._theme.font(bold=True))
