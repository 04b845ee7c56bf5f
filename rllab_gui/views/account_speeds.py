"""A button that has the network of a run timed on what this computer has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QToolButton

from engine.contract.messages import Event, Problem
from engine.contract.options import Configuration, ConfigurationError
from rllab_gui.link import Link
from rllab_gui.store import Store
from rllab_gui.views.account_advice import Speed

TEXT, BUSY = "Compare devices", "Measuring…"
TIP = (
    "Time this network's updates as written, not compiled, on each device of this "
    "computer, and with twice the batch. It takes a few seconds, beside training."
)


class SpeedsButton(QToolButton):
    """Asks when it is clicked, and knows the answer.

    Signals:
      changed(): ``speeds`` are others.

    Attributes:
      speeds: What was measured for the options of now; empty before.
    """

    changed = Signal()

    def __init__(self, link: Link, store: Store) -> None:
        super().__init__()
        self._link, self._store = link, store
        self.speeds: list[Speed] = []
        self._question = -1
        self.setObjectName("train.account.measure")
        self.setText(TEXT)
        self.setAccessibleName(TEXT)
        self.setToolTip(TIP)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.clicked.connect(self._ask)
        store.configurationChanged.connect(self._forget)
        store.wasReset.connect(self._forget)
        store.eventsChanged.connect(self._on_events)

    def _ask(self) -> None:
        configuration = in_force(self._store.configuration, self._store.events)
        self.setEnabled(False)
        self.setText(BUSY)
        asked = {"configuration": configuration.to_json()}
        self._question = self._link.ask(
            "speeds", asked, self._on_answer, self._on_refused
        )

    def _on_answer(self, answer: dict[str, Any]) -> None:
        self._rest([Speed(**row) for row in answer["rows"]])

    def _on_refused(self, sentence: str) -> None:
        self._rest([])
        problem = Problem("window.question", sentence, severity="warning")
        self._link.problemRaised.emit(problem)

    def _forget(self) -> None:
        """Other options: what was measured, or is being measured, is not theirs."""
        self._link.cancel(self._question)
        self._rest([])

    def _on_events(self) -> None:
        """An option was changed while the run goes on."""
        events = self._store.events
        if events and events[-1].kind == "option":
            self._forget()

    def _rest(self, speeds: list[Speed]) -> None:
        self.speeds = speeds
        self.setEnabled(True)
        self.setText(TEXT)
        self.changed.emit()


def in_force(configuration: Configuration, events: Iterable[Event]) -> Configuration:
    """The options of a run after those that were changed while it ran."""
    changes = {
        str(it.data["key"]): it.data["new"]
        for it in events
        if it.kind == "option" and {"key", "new"} <= it.data.keys()
    }
    try:
        return configuration.with_options(changes)
    except ConfigurationError:  # events of a file that somebody else has written
        return configuration
