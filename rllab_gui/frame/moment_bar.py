"""Above the transport: the cursor in words, and the slider of the training axis."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from rllab_gui.cursor import Position
from rllab_gui.episode import BY_HAND
from rllab_gui.frame.checkpoint_slider import CheckpointSlider
from rllab_gui.lab import Lab
from rllab_gui.plain import PlainLabel
from rllab_gui.plots.text import OneLine


class MomentBar(QWidget):
    """Session › checkpoint › episode › t › branch, and what judges."""

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self.where = OneLine(parent=self, keep_end=True)
        self.where.setObjectName("main.breadcrumb")
        self.where.setAccessibleName("What is looked at")
        self.slider = CheckpointSlider(lab.theme)
        self.slider.setObjectName("transport.checkpoint")
        self.slider.setAccessibleName("Checkpoint that judges")
        self._judge = PlainLabel(parent=self)
        self._judge.setObjectName("transport.checkpoint.label")
        self._judge.setAccessibleName("What judges")
        self._lay_out()
        self.slider.valueChanged.connect(self._on_chosen)
        lab.cursor.changed.connect(self._show_now)
        lab.axis.changed.connect(self._show_now)
        lab.notes.changed.connect(self._show_now)
        lab.branches.hand.changed.connect(self._show_now)
        lab.store.sessionChanged.connect(self._show_now)
        lab.theme.changed.connect(self._restyle)
        self._restyle()
        self._show_now()

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self._name = QLabel("judged by")
        self._name.setBuddy(self.slider)
        row.addWidget(_Room(self.where), 3)
        row.addWidget(self._name)
        row.addWidget(self.slider, 4)
        row.addWidget(self._judge)

    def _on_chosen(self, value: int) -> None:
        self._lab.cursor.show_checkpoint(self.slider.step_of(value))

    def _show_now(self, *_: object) -> None:
        lab, position = self._lab, self._lab.cursor.position
        self.slider.show_steps(lab.axis.steps, lab.axis.best, position.checkpoint)
        # Whoever plays is judged by the weights of the step where that began.
        playing = lab.branches.hand.playing
        self.slider.setEnabled(bool(lab.axis.steps) and not playing)
        words = judge_words(position.checkpoint, lab.axis.best)
        if words != self._judge.text():
            self._judge.setText(words)
            self.slider.setAccessibleDescription(f"Judged by {words}")
        self.where.setText(" › ".join(self._parts(position)))

    def _parts(self, position: Position) -> list[str]:
        """The cursor from the session down, as far as there is something."""
        session = self._lab.store.session.name
        if position.episode < 0:
            return [it for it in (session, "no episode") if it]
        judge = judge_words(position.checkpoint)
        parts = [session, judge, f"{position.kind} {position.episode:,}"]
        parts.append(f"t {position.t:,}")
        if position.branch:
            parts.append(self._branch(position.branch))
        return [it for it in parts if it]

    def _branch(self, place: str) -> str:
        if place == BY_HAND:
            return BY_HAND
        wanted, _, rollout = place.partition("/")
        branches = self._lab.notes.kept.branches
        name = next((it.name for it in branches if it.id == wanted), wanted)
        return f"branch {name}" + (f", rollout {int(rollout) + 1}" if rollout else "")

    def _restyle(self) -> None:
        theme = self._lab.theme
        self._judge.setFont(theme.mono())
        widest = self._judge.fontMetrics().horizontalAdvance("step 10,000,000 (best)")
        self._judge.setFixedWidth(widest)
        for label in (self.where, self._name):
            label.setStyleSheet(f"color: {theme.tokens.muted}")
        self.slider.updateGeometry()
        self.slider.update()


class _Room(QWidget):
    """Holds a label whose words change with every step: nothing is laid out anew."""

    def __init__(self, label: QWidget) -> None:
        super().__init__()
        self._label = label
        label.setParent(self)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def sizeHint(self) -> QSize:
        """As wide as it gets, as high as the words."""
        return QSize(self._label.fontMetrics().averageCharWidth() * 40, 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The label fills it."""
        self._label.setGeometry(self.rect())


def judge_words(checkpoint: int, best: int = -1) -> str:
    """What judges: "as recorded", or "step 12,000"."""
    if checkpoint < 0:
        return "as recorded"
    return f"step {checkpoint:,}" + (" (best)" if checkpoint == best else "")
