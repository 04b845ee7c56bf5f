"""The card that leads through a tour: marks a place, says something, goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from engine.contract.messages import Problem
from rllab_gui.lab import Lab
from rllab_gui.lessons.pointing import Mark
from rllab_gui.lessons.tour import Tour, TourProblem, TourStep, read_tour
from rllab_gui.plain import PlainLabel

PROBLEM = "window.tour"
WIDE_PX = 460
FOOT_PX = 96
"""So far above the lower edge of the window, over the bars there."""


class Guide(QWidget):
    """Shows one step of a tour at a time, at the foot of the window.

    Args:
      lab: All models.
      window: In which it leads; its widgets are found by their names.
      workspaces: Their names.
      show_workspace: Brings the workspace of this name to the front.
      show_place: Brings the widget of this name to the front.
    """

    def __init__(
        self,
        lab: Lab,
        window: QWidget,
        workspaces: Iterable[str],
        show_workspace: Callable[[str], None],
        show_place: Callable[[str], None],
    ) -> None:
        super().__init__(window)
        self._lab, self._window = lab, window
        self._workspaces = tuple(workspaces)
        self._show_workspace, self._show_place = show_workspace, show_place
        self._tour: Tour | None = None
        self._at = 0
        self._done = self._held = False
        self._mark = Mark(lab.theme, window)
        self.setObjectName("tour")
        self.setAccessibleName("Tour")
        self.setProperty("role", "overlay")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._title = PlainLabel()
        self._title.setObjectName("tour.title")
        self._text = PlainLabel()
        self._text.setObjectName("tour.text")
        self._text.setWordWrap(True)
        self._scroll = QScrollArea()
        self._scroll.setObjectName("tour.scroll")
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(self._text)
        self._end = self._button("end", "End", "Leave the tour", self.end)
        self._back = self._button(
            "back", "Back", "To the step before", lambda: self._go(self._at - 1)
        )
        self._next = self._button(
            "next", "Next", "Do what this step does, and go on", self.go_on
        )
        row = QHBoxLayout()
        row.addWidget(self._end)
        row.addStretch(1)
        row.addWidget(self._back)
        row.addWidget(self._next)
        self._column = QVBoxLayout(self)
        self._column.addWidget(self._title)
        self._column.addWidget(self._scroll, 1)
        self._column.addLayout(row)
        lab.pulse.ticked.connect(self._look)
        lab.theme.changed.connect(self._place_again)
        lab.commands.keysChanged.connect(self._name_keys)
        window.installEventFilter(self)
        self.hide()

    def _button(
        self, name: str, text: str, tip: str, deed: Callable[[], None]
    ) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        button.setObjectName(f"tour.{name}")
        button.setAccessibleName(f"Tour: {text}")
        button.clicked.connect(deed)
        return button

    # -------------------------------------------------------------------- tour

    @property
    def step(self) -> TourStep | None:
        """The present step, None where no tour is under way."""
        return self._tour.steps[self._at] if self._tour is not None else None

    def begin(self, path: Path) -> None:
        """Lead through the tour of a file; a wrong one is told among the messages."""
        try:
            tour = read_tour(path)
            self._check(path.name, tour)
        except TourProblem as problem:
            fix = "Mend the file, or choose another one."
            self._lab.problems.report(Problem(PROBLEM, str(problem), fix=fix))
            return
        self._lab.problems.solve(PROBLEM)
        self._tour = tour
        self._go(0)
        self._next.setFocus(Qt.FocusReason.OtherFocusReason)

    def _check(self, name: str, tour: Tour) -> None:
        """What a step names has to be there."""
        for number, step in enumerate(tour.steps, 1):
            where = f"Step {number} of the tour '{name}'"
            target = step.objectName
            if target and self._window.findChild(QWidget, target) is None:
                raise TourProblem(f"{where} marks '{target}', which there is not.")
            verb, _, what = step.action.partition(" ")
            if verb == "workspace" and what not in self._workspaces:
                known = " and ".join(self._workspaces)
                raise TourProblem(
                    f"{where} goes to the workspace '{what}'. There are {known}."
                )

    def end(self) -> None:
        """Leave the tour."""
        self._tour = None
        self._mark.take_away()
        self.hide()

    def go_on(self) -> None:
        """Do what the step does, then go on as soon as what it waits for holds."""
        step = self.step
        if step is None:
            return
        if self._done:  # it waits, and the person does not want to
            self._go(self._at + 1)
            return
        self._done = True
        self._do(step)
        if self.step is step:
            self._look()

    def _go(self, number: int) -> None:
        """Show this step; behind the last one the tour ends."""
        assert self._tour is not None
        if not 0 <= number < len(self._tour.steps):
            self.end()
            return
        self._at, self._done = number, False
        step = self._tour.steps[number]
        self._held = self._holds(step)
        self._title.setText(
            f"{self._tour.title} · {number + 1} of {len(self._tour.steps)}"
        )
        self._say()
        self._back.setEnabled(number > 0)
        self._say_next()
        self._point(step)
        self._place()

    def _say(self) -> None:
        step = self.step
        if step is not None:
            self._text.setText(self._lab.commands.with_keys(step.text))

    def _name_keys(self) -> None:
        """Another name of a key may take more lines, or fewer."""
        self._say()
        self._place_again()

    def _say_next(self) -> None:
        assert self._tour is not None
        last = self._at + 1 == len(self._tour.steps)
        waiting = self._done and not self._holds(self._tour.steps[self._at])
        self._next.setText("Skip waiting" if waiting else "End" if last else "Next")

    def _look(self) -> None:
        """Go on where what is waited for holds: by *Next*, or done by the person."""
        step = self.step
        if step is None:
            return
        holds = self._holds(step)
        if holds and (self._done or (step.wait and not self._held)):
            self._go(self._at + 1)
        elif self._done:
            self._say_next()

    def _holds(self, step: TourStep) -> bool:
        lab = self._lab
        wait, _, count = step.wait.partition(" ")
        if wait in ("running", "paused"):
            return lab.run.state == wait
        return {
            "": True,
            "ended": not lab.run.active,
            "session": bool(lab.store.session.uuid),
            "episode": lab.episode.moment is not None,
            "branch": bool(lab.cursor.position.branch),
            "step": lab.store.status.step >= int(count or 0),
        }[wait]

    # ------------------------------------------------------------------- deeds

    def _do(self, step: TourStep) -> None:
        verb, _, what = step.action.partition(" ")
        if verb == "command":
            self._lab.commands.run(what)
        elif verb == "workspace":
            self._show_workspace(what)

    def _point(self, step: TourStep) -> None:
        self._mark.take_away()
        if step.objectName:
            self._show_place(step.objectName)
            widget = self._window.findChild(QWidget, step.objectName)
            if widget is not None:
                self._mark.put_round(widget, stays=True)

    # ------------------------------------------------------------------- place

    def _place(self) -> None:
        px = self._lab.theme.px
        wide = min(px(WIDE_PX), self._window.width() - 40)
        margins = self._column.contentsMargins()
        inside = wide - margins.left() - margins.right()
        text = min(self._text.heightForWidth(inside), self._window.height() // 3)
        self._scroll.setFixedHeight(text)
        high = self._column.totalMinimumSize().height()
        left = (self._window.width() - wide) // 2
        top = self._window.height() - high - px(FOOT_PX)
        self.setGeometry(left, max(0, top), wide, high)
        self.show()
        self.raise_()

    def _place_again(self) -> None:
        """Words have another size, or the window has."""
        if self.isVisible():
            self._place()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc leaves the tour."""
        if event.key() == Qt.Key.Key_Escape:
            self.end()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """It stays at the foot of the window."""
        if event.type() == QEvent.Type.Resize:
            self._place_again()
        return False
