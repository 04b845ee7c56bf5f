"""What runs or is looked at, in words; and what the next Train would do instead."""

from __future__ import annotations

from pathlib import PurePath

from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from engine.contract.options import Configuration
from rllab_gui.forms.agent_name import agent_name
from rllab_gui.lab import Lab
from rllab_gui.option_words import option_text
from rllab_gui.plain import PlainLabel
from rllab_gui.plots.text import OneLine

LEAST_OF_NEXT = 150
"""What comes next is cut last: what runs is also named by the title of the window."""


class RunTitle(QWidget):
    """Environment, method and session; "next: ..." where the form says otherwise."""

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self._world = PlainLabel(parent=self)
        self._world.setObjectName("main.title.world")
        self._method = self._line("main.title")
        self._next = self._line("main.title.next")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(5)
        for label in (self._world, self._method, self._next):
            row.addWidget(label)
        row.addStretch(1)
        row.addStretch(1)
        lab.store.sessionChanged.connect(self.show_now)
        lab.draft.changed.connect(self.show_now)
        lab.live.pendingChanged.connect(self.show_now)
        lab.run.stateChanged.connect(self.show_now)
        lab.theme.changed.connect(self._restyle)
        self._restyle()
        self.show_now()

    def _line(self, name: str) -> OneLine:
        """It may be cut, but takes no more room than its words."""
        line = OneLine(parent=self)
        line.setObjectName(name)
        line.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        return line

    def show_now(self, *_: object) -> None:
        """Bring the words up to date."""
        live, store = self._lab.live, self._lab.store
        known = live.in_force is not None or store.session.uuid
        shown = (live.latest if known else None) or self._lab.draft.configuration
        self._world.setText(_world(shown))
        parts = [_method(shown), self._session_name()]
        self._method.setText("· " + " · ".join(it for it in parts if it))
        following = self._following(shown)
        self._next.setText(f"next: {following}" if following else "")
        self._next.setVisible(bool(following))
        room = min(self._next.sizeHint().width(), self._lab.theme.px(LEAST_OF_NEXT))
        self._next.setMinimumWidth(room)

    def _session_name(self) -> str:
        """The session of what is named; a run that only starts has none yet."""
        lab = self._lab
        session = lab.store.session
        coming = lab.live.in_force is not None and not session.live
        return "" if coming else session.name

    def _following(self, shown: Configuration) -> str:
        """How the draft differs from what is shown, most important first."""
        draft = self._lab.draft.configuration
        keys = self._differing(shown)
        if not keys:
            return ""
        if _world(draft) != _world(shown):
            return f"{_world(draft)}, {_method(draft)}"
        if len(keys) == 1:
            return option_text(keys[0], draft.get(keys[0]))
        if _method(draft) != _method(shown):
            return _method(draft)
        return f"{len(keys)} other options"

    def _differing(self, shown: Configuration) -> list[str]:
        if self._lab.live.in_force is not None:
            return sorted(self._lab.live.pending)
        mine, theirs = self._lab.draft.configuration.flat(), shown.flat()
        source = "training.offline"  # the engine says only its name
        for values in (mine, theirs):
            values[source] = PurePath(values[source]).name
        return [key for key in mine if mine[key] != theirs[key]]

    def _restyle(self) -> None:
        tokens = self._lab.theme.tokens
        self._world.setFont(self._lab.theme.font(bold=True))
        self._method.setStyleSheet(f"color: {tokens.muted}")
        self._next.setStyleSheet(f"color: {tokens.warning}")


def _world(of: Configuration) -> str:
    return of.environment.id.rsplit("/", 1)[-1]


def _method(of: Configuration) -> str:
    name, source = agent_name(of), PurePath(of.training.offline).name
    return f"{name}, offline from {source}" if source else name
