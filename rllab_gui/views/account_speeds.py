"""A button that has the network of a run timed on what this computer has."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QToolButton

from engine.contract.messages import Problem
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
        store.optionsChanged.connect(self._forget)

    def _ask(self) -> None:
        configuration = self._store.options_at()
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

    def _rest(self, speeds: list[Speed]) -> None:
        self.speeds = speeds
        self.setEnabled(True)
        self.setText(TEXT)
        self.changed.emit()
