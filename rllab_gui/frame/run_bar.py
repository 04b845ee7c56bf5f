"""The bar above the workspaces: what is loaded, Train, stop, steps, speed, progress."""

from __future__ import annotations

import math

from PySide6.QtCore import QElapsedTimer, QSize, Qt, QTimer
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QToolButton,
    QWidget,
)

from engine.contract.messages import TrainerStatus
from rllab_gui.frame.run_title import RunTitle
from rllab_gui.frame.widgets import IconButton, vertical_line
from rllab_gui.frame.words import duration, percent
from rllab_gui.lab import Lab
from rllab_gui.plots.folded import FoldedControls, FoldingBar, FoldingRow
from rllab_gui.theme.icons import icon
from rllab_gui.viewer import SPEEDS

FACES: dict[str, tuple[str, str]] = {
    "idle": ("Train", "play"),
    "starting": ("Starting…", "play"),
    "running": ("Pause", "pause"),
    "pausing": ("Pausing…", "pause"),
    "paused": ("Resume", "play"),
    "stopping": ("Stopping…", "stop"),
    "finished": ("Train again", "play"),
    "failed": ("Train", "play"),
}
"""What the large button says in each state of the run."""

PROGRESS_PX = (160, 220)
"""Least and most width of the progress, where its words have room in that."""


class TrainButton(QToolButton):
    """The one primary action; its property ``state`` is that of the run.

    It stays enabled while a state is passing (its action is not), so that the focus
    stays where the person has put it.
    """

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self.setObjectName("main.train.button")
        self.setAccessibleName("Start training")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.clicked.connect(lab.commands.action("train.start").trigger)
        self._since = QElapsedTimer()
        self._waiting = QTimer(self)
        self._waiting.setInterval(500)
        self._waiting.timeout.connect(self._say_how_long)
        lab.run.stateChanged.connect(self.show_state)
        lab.theme.changed.connect(lambda: self.show_state(lab.run.state))
        lab.link.lostChanged.connect(self.setDisabled)
        self.show_state(lab.run.state)

    def show_state(self, state: str) -> None:
        """Show what a click would do now."""
        text, drawing = FACES[state]
        tokens = self._lab.theme.tokens
        primary = state in ("idle", "paused", "finished", "failed")
        colour = tokens.on_accent if primary else tokens.text
        self.setText(text)
        self.setIcon(icon(drawing, self._lab.theme, colour=colour))
        self.setIconSize(QSize(self._lab.theme.px(16), self._lab.theme.px(16)))
        self.setProperty("state", state)
        self.setToolTip(self._lab.commands.action("train.start").toolTip())
        self.setAccessibleDescription(f"The run is {state}.")
        self.style().unpolish(self)
        self.style().polish(self)
        if state == "starting":
            self._since.start()
            self._waiting.start()
        else:
            self._waiting.stop()

    def _say_how_long(self) -> None:
        """While the learner is still being imported there is nothing else to say."""
        seconds = self._since.elapsed() // 1000
        if seconds >= 1:
            self.setText(f"Preparing learner {seconds} s")


class RunBar(FoldingBar):
    """The whole bar."""

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("main.runBar")
        self.setProperty("role", "bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._lab = lab
        self._title = RunTitle(lab)
        self.train = TrainButton(lab)
        self._continue = self._make_continue()
        self.speed = self._make_speed()
        self._viewing = self._name_speed()
        self.progress = self._make_progress()
        self._record = self._button("record.live", "Record", "record")
        self._lay_out()
        lab.recorder.changed.connect(self._show_recording)
        lab.store.statusChanged.connect(self._show_progress)
        lab.run.stateChanged.connect(lambda state: self._show_progress())
        lab.theme.changed.connect(self._show_progress)
        lab.link.lostChanged.connect(lambda lost: self._show_progress())
        self._show_progress()

    def _button(self, command: str, title: str, drawing: str) -> IconButton:
        action = self._lab.commands.action(command)
        return IconButton(
            f"main.{command}", title, drawing, self._lab.theme, action=action
        )

    def _make_continue(self) -> QToolButton:
        button = QToolButton()
        button.setDefaultAction(self._lab.commands.action("train.continue"))
        button.setObjectName("main.continue.button")
        button.setAccessibleName("Continue training this session")
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        action = self._lab.commands.action("train.continue")
        action.enabledChanged.connect(button.setVisible)
        button.setVisible(action.isEnabled())
        return button

    def _make_speed(self) -> QComboBox:
        speed = QComboBox()
        speed.setObjectName("main.speed")
        speed.setAccessibleName("Viewer speed")
        speed.setToolTip("How fast the shown agent plays; training goes at full speed")
        for text, value in SPEEDS:
            speed.addItem(text, value)
        speed.setCurrentIndex(speed.findData(self._lab.viewer.speed))
        speed.activated.connect(
            lambda index: self._lab.viewer.set_speed(speed.itemData(index))
        )
        return speed

    def _name_speed(self) -> QWidget:
        """The choice of the speed with its word before it, which fold as one."""
        both = QWidget()
        both.setAccessibleName(self.speed.accessibleName())
        row = QHBoxLayout(both)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("view"))
        row.addWidget(self.speed)
        return both

    def _make_progress(self) -> QProgressBar:
        progress = QProgressBar()
        progress.setObjectName("main.progress")
        progress.setAccessibleName("Training progress")
        progress.setRange(0, 1000)
        progress.setMinimumWidth(PROGRESS_PX[0])
        progress.setMaximumWidth(PROGRESS_PX[1])
        return progress

    def _lay_out(self) -> None:
        one_step = self._button("train.stepEnv", "One environment step", "step")
        one_episode = self._button("train.stepEpisode", "One episode", "episode")
        freeze = self._button("view.freeze", "Freeze picture", "freeze")
        search = self._button("view.palette", "Search commands", "search")
        self._view_controls = (self._viewing, freeze)
        self._view_end = vertical_line()
        self._controls = (
            self.train,
            self._continue,
            self._button("train.stop", "Stop", "stop"),
            one_step,
            one_episode,
            vertical_line(),
            self._viewing,
            freeze,
            self._view_end,
            self.progress,
            self._record,
            search,
        )
        # What a person who watches a run needs least goes first.
        watching = (self._viewing, one_episode, one_step, freeze)
        self._rank = (*watching, self._record, search, self.progress)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 8, 4)
        row.setSpacing(6)
        row.addWidget(self._title, 1)
        for control in self._controls:
            row.addWidget(control)
        more = FoldedControls("main.runBar.more", "the bar above", self)
        row.addWidget(more)
        self._folding = FoldingRow(self, row, self._title, more)

    def fit(self) -> None:
        """See :class:`FoldingBar`."""
        self._folding.fit(self._controls, self._rank)
        # Two lines with nothing between them would be one too many. It keeps the room
        # that it is given when the row is fitted, lest that be fitted to and fro.
        between = any(it.parentWidget() is self for it in self._view_controls)
        self._view_end.setFixedWidth(1 if between else 0)

    def _show_recording(self) -> None:
        live = self._lab.recorder.live
        self._record.set_icon_name("stop" if live else "record")
        self._record.set_warm(live)
        action = self._lab.commands.action("record.live")
        action.setText("Stop recording" if live else "Record the shown agent")
        self._record.setAccessibleName("Stop recording" if live else "Record")

    def _show_progress(self) -> None:
        status, state = self._lab.store.status, self._lab.run.state
        budget = status.steps_budget or self._lab.draft.configuration.training.steps
        fraction = min(1.0, status.step / max(1, budget))
        self.progress.setValue(round(1000 * fraction))
        words = percent(fraction) + " · no engine"
        if not self._lab.link.lost:
            words = _progress_text(state, status, fraction)
        self.progress.setFormat(words)
        self._widen_progress()

    def _widen_progress(self) -> None:
        """Large or many words are not cut; by steps, so that it mostly keeps still."""
        step = self._lab.theme.px(30)
        words = self.progress.fontMetrics().horizontalAdvance(self.progress.format())
        steps = math.ceil((words + self._lab.theme.px(16)) / step)
        least = max(PROGRESS_PX[0], steps * step)
        if least != self.progress.minimumWidth():
            self.progress.setMinimumWidth(least)
            self.progress.setMaximumWidth(max(PROGRESS_PX[1], least))
            self.fit()


def _progress_text(state: str, status: TrainerStatus, fraction: float) -> str:
    if state == "running":
        left = status.remaining_s
        return percent(fraction) + (f" · {duration(left)} left" if left > 0 else "")
    if state == "idle" and not status.step:
        return "not started"
    word = "stopped" if state == "idle" else state
    return f"{percent(fraction)} · {word}"
