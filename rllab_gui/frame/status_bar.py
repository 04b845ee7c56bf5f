"""The status bar: where the run is, how fast, and how safe."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLabel, QProgressBar, QStatusBar, QWidget

from engine.contract.messages import JobProgress
from engine.contract.plain_text import visible
from rllab_gui.frame.widgets import IconButton
from rllab_gui.frame.words import ago, percent, whole
from rllab_gui.lab import Lab
from rllab_gui.plain import PlainLabel

REFRESH_MS = 250
"""Numbers that change faster than four times a second cannot be read."""
TOLD_MS = 6_000
"""How long the name of a written file covers the numbers."""

SPACING = 8
"""Pixels that are counted between two fields."""
NEEDED_LEAST = ("ui", "device", "updates", "replay", "epsilon", "steps")
"""In this order fields give way where the bar is narrow."""

FIELDS: dict[str, str] = {
    "step": "Environment steps so far",
    "steps": "Environment steps per second",
    "updates": "Gradient updates per second",
    "ui": "Redraws of this window per second",
    "epsilon": "Share of random actions while training",
    "replay": "How full the replay memory is",
    "device": "Where the networks are computed",
    "durable": "Everything up to this step survives a power cut",
}


class StatusBar(QStatusBar):
    """Numbers at the left, jobs and buttons at the right."""

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("main.status")
        self.setSizeGripEnabled(False)
        self._lab = lab
        self._heard = monotonic()
        self._jobs: dict[str, JobProgress] = {}
        self._labels = {name: self._label(name, tip) for name, tip in FIELDS.items()}
        self._job = self._make_job()
        for name, title, drawing in (
            ("record.cancel", "Cancel the film or export", "close"),
            ("view.theme", "Light or dark", "theme"),
            ("help.shortcuts", "Keyboard shortcuts", "keyboard"),
        ):
            self.addPermanentWidget(self._button(name, title, drawing))
        self._cancel = self.findChild(IconButton, "status.record.cancel")
        lab.store.sessionChanged.connect(self._on_session)
        lab.link.lostChanged.connect(self.refresh)
        lab.recorder.progressed.connect(self._on_job)
        lab.recorder.changed.connect(self._show_cancel)
        lab.link.renewed.connect(self._forget_jobs)
        lab.exchange.changed.connect(self._show_cancel)
        lab.theme.changed.connect(self._restyle)
        self._show_cancel()
        self.messageChanged.connect(self.refresh)
        self._timer = QTimer(self)
        self._timer.setInterval(REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        self._timer.start()
        self._restyle()
        self.refresh()

    def _label(self, name: str, tip: str) -> QLabel:
        label = PlainLabel()
        label.setObjectName(f"status.{name}")
        label.setAccessibleName(tip)
        label.setToolTip(tip)
        self.addWidget(label)
        return label

    def _button(self, command: str, title: str, drawing: str) -> IconButton:
        action = self._lab.commands.action(command)
        return IconButton(
            f"status.{command}",
            title,
            drawing,
            self._lab.theme,
            action=action,
            size=15,
        )

    def _make_job(self) -> QProgressBar:
        job = QProgressBar()
        job.setObjectName("status.job")
        job.setAccessibleName("Long job")
        job.setRange(0, 1000)
        job.setMaximumWidth(260)
        job.setMinimumWidth(180)
        job.hide()
        self.addPermanentWidget(job)
        return job

    # ----------------------------------------------------------------- content

    def refresh(self, *_: object) -> None:
        """Bring all numbers up to date; a message that takes their place stays."""
        covered = bool(self.currentMessage())
        texts = self._texts()
        for name, label in self._labels.items():
            label.setText(texts[name])
        fit = self._fitting(texts)
        for name, label in self._labels.items():
            # Qt hides them under a message too, but shows them over it when it lays
            # the bar out anew; what was hidden on purpose stays so.
            label.setVisible(name in fit and not covered)

    def _fitting(self, texts: dict[str, str]) -> set[str]:
        """What there is to say, but for what is needed least where all has no room."""
        said = {name for name in texts if texts[name]}
        others = (it for it in self.children() if isinstance(it, QWidget))
        beside = [it for it in others if it not in self._labels.values()]
        gap = self._lab.theme.px(SPACING)
        room = self.width() - 2 * gap
        room -= sum(_width(it) + gap for it in beside if it.isVisible())
        wide = {it: self._labels[it].sizeHint().width() + gap for it in said}
        for name in NEEDED_LEAST:
            if sum(wide.values()) <= room:
                break
            wide.pop(name, None)
        return set(wide)

    def _texts(self) -> dict[str, str]:
        status, pulse = self._lab.store.status, self._lab.pulse
        configuration = self._lab.store.configuration
        active = self._lab.run.active
        starting = self._lab.run.state == "starting"  # the rates are of before
        goes = active and not starting and not self._lab.link.lost
        fill = status.replay_size / max(1, status.replay_capacity)
        learns = active and configuration.replay.kind != "none"
        anything = active or status.step > 0
        return {
            "step": self._step_text() if anything else "ready",
            "steps": f"{whole(status.steps_per_s):>6} steps/s" if goes else "",
            "updates": f"{whole(status.updates_per_s):>6} updates/s" if goes else "",
            "ui": f"UI {pulse.measured_rate:2.0f} Hz",
            "epsilon": f"ε {status.epsilon:.3f}" if active else "",
            "replay": f"replay {percent(fill):>5}" if learns else "",
            "device": status.device.upper() if active else "",
            "durable": self._durable_text(),
        }

    def _step_text(self) -> str:
        """In the width of the whole budget, so that no digit is ever without room."""
        status = self._lab.store.status
        most = len(whole(max(status.step, status.steps_budget)))
        return f"step {whole(status.step):>{most}}"

    def _durable_text(self) -> str:
        session = self._lab.store.session
        if not session.uuid:
            return ""
        if not session.live:
            return f"looking back: {visible(session.name, 200)}"
        age = session.durable_s_ago + monotonic() - self._heard
        return f"durable to step {whole(session.durable_step)} ({ago(age)})"

    def _on_session(self) -> None:
        self._heard = monotonic()

    def _on_job(self, progress: JobProgress) -> None:
        """Show the newest job that is under way; tell when one has left a file."""
        self._jobs.pop(progress.job, None)
        if not progress.done:
            self._jobs[progress.job] = progress
        elif progress.result:
            name = Path(progress.result).name
            self.showMessage(
                visible(f"{progress.text.capitalize()}: {name}", 300), TOLD_MS
            )
        self._job.setVisible(bool(self._jobs))
        if self._jobs:
            shown = list(self._jobs.values())[-1]
            self._job.setValue(round(1000 * shown.fraction))
            self._job.setFormat(f"{shown.text} %p%")
            self._job.setAccessibleDescription(shown.text)

    def _forget_jobs(self) -> None:
        """The engine that worked on them is gone."""
        self._jobs.clear()
        self._job.hide()

    def _show_cancel(self) -> None:
        assert self._cancel is not None
        busy = self._lab.recorder.busy or self._lab.exchange.busy
        self._cancel.setVisible(busy)

    def _restyle(self) -> None:
        for label in self._labels.values():
            label.setFont(self._lab.theme.mono(relative=0.88))


def _width(widget: QWidget) -> int:
    """What it needs."""
    return max(widget.sizeHint().width(), widget.minimumWidth())
