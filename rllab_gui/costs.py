"""What a run of the draft would cost, asked before it starts."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from engine.contract.costs import Probe
from rllab_gui.draft import Draft
from rllab_gui.link import Link

REST_MS = 400
"""Whoever is still typing is not measured for."""


class Costs(QObject):
    """Has environment and network of the draft measured whenever they are others.

    Signals:
      changed(): ``probe`` is another.

    Attributes:
      probe: The measurements, None while there are none.
    """

    changed = Signal()

    def __init__(self, link: Link, draft: Draft, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link, self._draft = link, draft
        self._measured = ""
        self._question = -1
        self.probe: Probe | None = None
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._ask)
        draft.changed.connect(self._on_changed)
        draft.cardChanged.connect(self._on_changed)

    def _on_changed(self, *_: object) -> None:
        wanted = self._wanted()
        if wanted == self._measured:
            return
        self._measured = wanted
        self._set(None)
        self._link.cancel(self._question)
        self._rest.start()

    def _wanted(self) -> str:
        """All that a measurement depends on, as text; empty without an environment."""
        if self._draft.card is None or not self._draft.card.suits:
            return ""
        of = self._draft.configuration
        parts = (of.environment, of.network, of.head, of.exploration.kind, of.agent)
        return "\n".join(map(repr, parts))

    def _ask(self) -> None:
        wanted = self._measured
        if not wanted or self._draft.complaints:
            return

        def measured(result: dict[str, Any]) -> None:
            if wanted == self._measured:
                self._set(Probe(**result))

        # Without a measurement nothing is claimed.
        self._question = self._link.ask(
            "probe",
            {"configuration": self._draft.configuration.to_json()},
            measured,
            lambda sentence: self._set(None),
        )

    def _set(self, probe: Probe | None) -> None:
        if probe != self.probe:
            self.probe = probe
            self.changed.emit()
