"""Somebody who does anything in any order, and looks whether the lab bears it.

``python -m tests.walks --out FOLDER wander --seed 7 --minutes 5``: keys, buttons,
boxes, tabs, rows, the wheel and drags by chance; other presets, files and engines now
and then. What is looked for: exceptions, mistakes of the engine, a window that stands
still, and panels that never come to their answer.
"""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QDialog,
    QHeaderView,
    QTabBar,
    QWidget,
)

from engine.service.connection import read_connection
from engine.service.home import find_home
from rllab_gui.demo.hands import DemoProblem
from rllab_gui.link import LOST
from rllab_gui.plots.busy import BusyMark
from rllab_gui.views.base import View
from tests.walks.student import Student

SAMPLES = Path(__file__).parents[2] / "sessions"
NOT_BY_CHANCE = frozenset({"app.quit", "engine.restart", "help.tourFile"})
KEYS = (
    *("Left", "Right", "Shift+Left", "Shift+Right", "Home", "End", "PgUp", "PgDown"),
    *("N", "Shift+N", "Shift+PgUp", "Shift+PgDown", "Space", "M", "O", "L", "C", "H"),
    *("A", "V", "[", "]", "Tab", "Esc", "Return", "Up", "Down", "Ctrl+1", "Ctrl+2"),
    *("Ctrl+Z", "F6"),
)
DRESSING = ("Ctrl+=", "Ctrl+-", "Ctrl+Shift+T")
"""Each dresses the whole window anew, in some 0.4 s."""
SLOW_MS = 2_000
BEAT_MS = 20
LOOK_EVERY = 25
STUCK_S = 40.0
GOES_ON = 0.6
"""So often a run is not ended to look for panels that wait."""
MOST_KILLED = 3
"""With one more a part of the engine may not be started again, as it should."""
LEFT, PLAIN = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


class Wanderer(Student):
    """One visit. Beside the pictures it leaves a sentence for each thing found."""

    seed, minutes = 0, 3.0
    """How chance begins, and how long it goes on."""

    def wander(self) -> None:
        """Do anything, and say at the end what was found."""
        self._chance = random.Random(self.seed)
        self._did: list[str] = []
        self._known: set[str] = set()
        self._killed: list[str] = []
        self._found = 0
        self._watch_time()
        self._open_sample()
        ends = time.monotonic() + 60.0 * self.minutes
        count = 0
        while time.monotonic() < ends:
            self._act()
            self._hands.rest(self._chance.choice((0, 0, 20, 100, 400)))
            self._look_for_problems()
            count += 1
            if count % LOOK_EVERY == 0:
                self._look_for_stuck()
        self._look_for_stuck()
        self._hands.say(f"{count} things were done, {self._found} findings")
        if self._found:
            raise DemoProblem(f"{self._found} findings, see above.")

    def _act(self) -> None:
        ways: list[tuple[int, Callable[[], str]]] = [
            (25, self._key),
            (20, self._button),
            (12, self._tab_by_chance),
            (10, self._box),
            (10, self._row),
            (8, self._slider),
            (8, self._wheel),
            (8, self._drag),
            (10, self._command),
            (2, self._open_sample),
            (3, self._preset),
            (1 if len(self._killed) < MOST_KILLED else 0, self._kill),
        ]
        way = self._chance.choices([it for _, it in ways], [it for it, _ in ways])[0]
        began = time.monotonic()
        try:
            said = way()
        except RuntimeError as error:  # what was chosen is gone by now
            said = f"{way.__name__}: {error}"
        took = time.monotonic() - began
        self._did.append(f"{said} ({took:.2f} s)")
        self._close_dialogs()

    # ------------------------------------------------------------------- things

    def _seen(self, kind: type[QWidget]) -> list[QWidget]:
        found = self._window.findChildren(kind)
        return [it for it in found if it.isVisible() and it.isEnabled()]

    def _one(self, kind: type[QWidget]) -> QWidget | None:
        found = self._seen(kind)
        return self._chance.choice(found) if found else None

    def _inside(self, widget: QWidget) -> QPoint:
        wide, high = max(1, widget.width()), max(1, widget.height())
        return QPoint(self._chance.randrange(wide), self._chance.randrange(high))

    def _key(self) -> str:
        key = self._chance.choice(KEYS + DRESSING)
        target = QApplication.activeWindow() or self._window
        often = 1 if key in DRESSING else self._chance.choice((1, 1, 1, 5, 20))
        for _ in range(often):
            QTest.keySequence(target, QKeySequence(key))
        return f"key {key}"

    def _button(self) -> str:
        button = self._one(QAbstractButton)
        if button is None:
            return "no button"
        assert isinstance(button, QAbstractButton)
        name = button.objectName() or button.text()
        menu = button.menu() if hasattr(button, "menu") else None
        if menu is not None:
            actions = [it for it in menu.actions() if it.isEnabled()]
            if actions:
                action = self._chance.choice(actions)
                action.trigger()
                return f"menu {name}: {action.text()}"
            return f"empty menu {name}"
        QTest.mouseClick(button, LEFT, PLAIN, button.rect().center())
        return f"button {name}"

    def _tab_by_chance(self) -> str:
        bar = self._one(QTabBar)
        if bar is None:
            return "no tabs"
        assert isinstance(bar, QTabBar)
        at = self._chance.randrange(max(1, bar.count()))
        QTest.mouseClick(bar, LEFT, PLAIN, bar.tabRect(at).center())
        return f"tab {bar.tabText(at)}"

    def _box(self) -> str:
        box = self._one(QComboBox)
        if box is None:
            return "no box"
        assert isinstance(box, QComboBox)
        if not box.count():
            return f"empty box {box.objectName()}"
        at = self._chance.randrange(box.count())
        box.setCurrentIndex(at)
        box.activated.emit(at)
        return f"box {box.objectName()}: {box.itemText(at)}"

    def _row(self) -> str:
        tables = self._seen(QAbstractItemView)
        tables = [it for it in tables if not isinstance(it, QHeaderView)]
        if not tables:
            return "no table"
        table = self._chance.choice(tables)
        assert isinstance(table, QAbstractItemView)
        model = table.model()
        if model is None or not model.rowCount():
            return f"empty table {table.objectName()}"
        row = self._chance.randrange(model.rowCount())
        self._hands.click_item(table, model.index(row, 0))
        return f"row {row} of {table.objectName()}"

    def _slider(self) -> str:
        slider = self._one(QAbstractSlider)
        if slider is None:
            return "no slider"
        QTest.mouseClick(slider, LEFT, PLAIN, self._inside(slider))
        return f"slider {slider.objectName()}"

    def _wheel(self) -> str:
        from tests.gui.showing import wheel

        panel = self._one(View)
        if panel is None:
            return "no panel"
        at = self._inside(panel)
        target = panel.childAt(at) or panel
        inside = target.mapFrom(panel, at)
        wheel(target, inside, self._chance.choice((-3, -1, 1, 3)))
        return f"wheel over {panel.objectName()}"

    def _drag(self) -> str:
        from tests.gui.showing import drag

        panel = self._one(View)
        if panel is None:
            return "no panel"
        at, to = self._inside(panel), self._inside(panel)
        target = panel.childAt(at) or panel
        keys = self._chance.choice((PLAIN, PLAIN, Qt.KeyboardModifier.ShiftModifier))
        drag(target, target.mapFrom(panel, at), target.mapFrom(panel, to), keys)
        return f"drag in {panel.objectName()}"

    def _command(self) -> str:
        commands = self._lab.commands
        able = [it for it in commands.ids() if commands.action(it).isEnabled()]
        name = self._chance.choice([it for it in able if it not in NOT_BY_CHANCE])
        commands.run(name)
        return f"command {name}"

    def _open_sample(self) -> str:
        sample = self._chance.choice(sorted(SAMPLES.glob("*.h5")))
        path = self._folder / sample.name
        if not path.exists():
            shutil.copy(sample, path)
        self._lab.sessions.open(str(path))
        return f"open {path.name}"

    def _preset(self) -> str:
        self._lab.commands.run("workspace.train")
        found = self._window.findChildren(QAbstractItemView, "train.presets.list")
        if not found or not found[0].isVisible():
            return "no presets to be seen"
        model = found[0].model()
        row = self._chance.randrange(model.rowCount())
        self._hands.click_item(found[0], model.index(row, 0))
        self._hands.rest(500)
        commands = self._lab.commands
        if commands.action("train.start").isEnabled():
            commands.run("train.start")
        return f"train {model.index(row, 0).data(Qt.ItemDataRole.UserRole)}"

    def _kill(self) -> str:
        """One of the processes of the engine ends by itself."""
        engine = read_connection(find_home().connection_file)
        if engine is None or not psutil.pid_exists(engine.pid):
            return "no engine"
        parts = psutil.Process(engine.pid).children()
        if not parts:
            return "no process"
        process = self._chance.choice(parts)
        try:
            words = " ".join(process.cmdline())
            process.kill()
        except psutil.Error:
            return "it had ended"
        self._killed.append(words)
        return f"kill {words[-40:]}"

    def _close_dialogs(self) -> None:
        """Menus and dialogs that are left open would take all that follows."""
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        while (popup := application.activePopupWidget()) is not None:
            popup.close()
        for dialog in self._window.findChildren(QDialog):
            if dialog.isVisible() and self._chance.random() < 0.5:
                dialog.reject()

    # ------------------------------------------------------------------- eyes

    def _watch_time(self) -> None:
        """A window that stands still cannot beat."""
        self._beat_at = time.monotonic()
        timer = QTimer(self._window)
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.timeout.connect(self._on_beat)
        timer.start(BEAT_MS)

    def _on_beat(self) -> None:
        now = time.monotonic()
        late = 1000.0 * (now - self._beat_at)
        self._beat_at = now
        if late > SLOW_MS:
            self._tell(f"the window stood still for {late:.0f} ms")

    def _look_for_problems(self) -> None:
        problems = self._lab.problems
        for entry in problems.entries():
            problem = entry.problem
            if problem.id in self._known:
                continue
            self._known.add(problem.id)
            words = f"{problem.id}: {problem.what} {problem.why}"
            if "Traceback" in problem.details:
                self._tell(f"{words}\n{problem.details}")
            else:
                self._hands.say(f"told: {words}")
        if problems.get(LOST) is not None:
            self._lab.commands.run("engine.restart")
            self._hands.rest(1_000)

    def _look_for_stuck(self) -> None:
        """After a rest every panel has its answer, or says what is missing."""
        for dialog in self._window.findChildren(QDialog):
            if dialog.isVisible():
                dialog.reject()
        if self._lab.run.active:
            if self._chance.random() < GOES_ON:
                return  # what learns has always something under way
            self._lab.commands.run("train.stop")
        self._lab.cursor.set_mode("paused")
        deadline = time.monotonic() + STUCK_S
        while (stuck := self._stuck()) and time.monotonic() < deadline:
            self._hands.rest(200)
        for words in stuck:
            self._tell(f"after {STUCK_S:.0f} s: {words}")

    def _stuck(self) -> list[str]:
        found = []
        for view in self._seen(View):
            assert isinstance(view, View)
            if view.visibleRegion().isEmpty():
                continue
            empty = view.emptiness()
            if empty is not None and empty[0].rstrip().endswith("…"):
                found.append(f"{view.view_id} says '{empty[0]}'")
        marks = self._window.findChildren(BusyMark)
        found += [
            f"{it.objectName()} is busy" for it in marks if it.busy and it.isVisible()
        ]
        moment, cursor = self._lab.episode.moment, self._lab.cursor
        if self._lab.episode.waiting:
            found.append(f"the episode waits at {cursor.position}")
        elif moment is not None and moment.t != cursor.t:
            found.append(f"step {moment.t} is shown at {cursor.position}")
        return found

    def _tell(self, words: str) -> None:
        self._found += 1
        self._hands.say(f"FOUND {words}")
        for line in self._did[-8:]:
            self._hands.say(f"    after {line}")
        self._count += 1
        name = f"{self._count:02d}-found-seed{self.seed}.png"
        self._window.grab().save(str(self._folder / name))
