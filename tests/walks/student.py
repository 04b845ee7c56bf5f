"""What a student does with a session: step, ask why, try something else, come back."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QTabBar,
    QTreeView,
)

from rllab_gui.cursor import Position
from rllab_gui.demo.hands import Hands
from rllab_gui.episode import BY_HAND
from rllab_gui.main_window import MainWindow
from rllab_gui.plots.busy import BusyMark
from rllab_gui.plots.lane_film import FilmLane

SAMPLE = Path(__file__).parents[2] / "sessions" / "sample-cartpole.h5"
TABS = ("Returns", "Memory", "Bellman", "Looked at", "Neighbours", "Slice")
LEARN_S = 120.0
NOTE = "about to fall"
LEAST_PANEL = 20
"""Pixels below the title; in less there need not be anything."""


class Student:
    """One visit.

    Args:
      window: The real window, shown.
      folder: Where the pictures go, and the session that is worked on.
    """

    def __init__(self, window: MainWindow, folder: Path) -> None:
        self._window, self._lab, self._folder = window, window.lab, folder
        self._hands = Hands(window, until_s=30.0)
        self._count = 0
        folder.mkdir(parents=True, exist_ok=True)

    # ------------------------------------------------------------------- walks

    def cartpole(self) -> None:
        """A file of somebody else, without a trainer; closed, and opened again."""
        path = self._folder / "cartpole.h5"
        shutil.copy(SAMPLE, path)
        path.with_suffix(".notes").unlink(missing_ok=True)  # of an earlier walk
        self._open(path)
        self._look_at_long_episode()
        self._look_around()
        self._ask_why()
        self._go_back_in_training()
        self._bookmark(NOTE)
        self._branch()
        self._predict()
        self._browse_replay()
        self._play_by_hand()
        self._other_theme()
        left = self._lab.cursor.position
        self._hands.press("Ctrl+W")
        self._wait("the session is closed", lambda: not self._lab.store.session.uuid)
        self._open(path)
        self._wait("the note is still there", lambda: self._noted(NOTE))
        self._tab("Bookmarks")
        self._settle()
        self._wait("it opens where it was left", lambda: self._is_at(left))
        self._picture("opened-again")

    def minatar(self) -> None:
        """Breakout while it trains, from the beginning."""
        self._begin_run("minatar-breakout", "MinAtar")
        store = self._lab.store
        self._wait("it learns", lambda: store.session.durable_step > 4_000, LEARN_S)
        self._picture("training")
        self._look_around()
        self._ask_why()
        self._branch()
        self._browse_replay()
        self._other_theme()
        self._hands.press("Ctrl+1")
        self._hands.click("main.train.stop")
        self._wait("the run has ended", lambda: not self._lab.run.active)

    # ------------------------------------------------------------------- steps

    def _begin_run(self, preset: str, environment: str) -> None:
        """Choose a preset, whose environment has a name that begins so, and train."""
        self._hands.press("Ctrl+1")
        gallery = self._hands.see("train.presets.list", QAbstractItemView)
        assert isinstance(gallery, QAbstractItemView)
        model = gallery.model()
        role = Qt.ItemDataRole.UserRole
        cards = [model.index(row, 0) for row in range(model.rowCount())]
        card = next(it for it in cards if it.data(role) == preset)
        self._hands.click_item(gallery, card)
        self._wait(
            f"the preset is taken over ({environment} has to be installed)",
            lambda: self._lab.draft.configuration.environment.id.startswith(
                environment
            ),
        )
        store, before = self._lab.store, self._lab.store.session.uuid
        self._hands.click("main.train.button")
        self._wait("another run begins", lambda: store.session.uuid not in ("", before))
        self._wait("it has begun", lambda: store.status.state == "running", LEARN_S)

    def _is_at(self, left: Position) -> bool:
        """In the same episode, judged by the same checkpoint."""
        now = self._lab.cursor.position
        return now == replace(left, t=now.t, branch="")

    def _open(self, path: Path) -> None:
        self._hands.press("Ctrl+O")
        self._hands.choose_file("dlg.open", path)
        self._wait("the session is open", lambda: self._lab.store.session.uuid)

    def _look_at_long_episode(self) -> None:
        """Hundreds of steps, of which chance chose many."""
        self._hands.press("Ctrl+2")
        table = self._hands.see("step.episodes.table", QAbstractItemView)
        assert isinstance(table, QAbstractItemView)
        self._wait("episodes are listed", lambda: table.model().rowCount())
        self._hands.write("step.episodes.filter", "kind=training len>490")
        self._hands.rest(300)
        self._hands.click_item(table, table.model().index(0, 1))
        self._wait("an episode is shown", lambda: self._lab.cursor.last > 300)
        self._settle()
        self._picture("long-episode")
        field = self._hands.see("step.episodes.filter", QLineEdit)
        assert isinstance(field, QLineEdit)
        field.clear()

    def _look_around(self) -> None:
        """Choose an episode, and go to its surprises."""
        self._hands.press("Ctrl+2")
        table = self._hands.see("step.episodes.table", QAbstractItemView)
        assert isinstance(table, QAbstractItemView)
        self._wait("episodes are listed", lambda: table.model().rowCount())
        self._hands.click_item(table, table.model().index(1, 1))
        self._wait("an episode is shown", lambda: self._lab.cursor.last > 0)
        self._settle()
        self._picture("episode")
        for _ in range(3):
            self._hands.press("Right")
        at = self._lab.cursor.t
        self._hands.press("N")
        self._wait("a marked step is shown", lambda: self._lab.cursor.t != at)
        self._settle()
        self._picture("surprise")

    def _ask_why(self) -> None:
        """Every tab of the Why panel."""
        for title in TABS:
            self._tab(title)
            self._settle()
            self._picture(f"why-{title.lower().replace(' ', '-')}")

    def _go_back_in_training(self) -> None:
        """What the agent of an earlier checkpoint thought of the same step."""
        slider = self._hands.see("transport.checkpoint")
        before = self._lab.cursor.position
        middle = QPoint(slider.width() // 3, slider.height() // 2)
        QTest.mouseClick(
            slider, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle
        )
        cursor = self._lab.cursor
        self._wait("another checkpoint judges", lambda: cursor.position.checkpoint >= 0)
        self._settle()
        assert (cursor.position.episode, cursor.t) == (before.episode, before.t)
        self._picture("earlier-checkpoint")
        self._hands.press("Home")
        self._hands.press("N")
        self._settle()

    def _bookmark(self, words: str) -> None:
        self._tab("Bookmarks")
        count = len(self._lab.notes.kept.bookmarks)
        self._hands.press("M")
        self._wait(
            "there is a bookmark", lambda: len(self._lab.notes.kept.bookmarks) > count
        )
        self._hands.write("step.bookmarks.note", words)
        self._wait("it has its note", lambda: self._noted(words))
        self._picture("bookmark")

    def _noted(self, words: str) -> bool:
        return any(it.text == words for it in self._lab.notes.kept.bookmarks)

    def _branch(self) -> None:
        """Try the other action, look at it, come back."""
        self._tab("Branches")
        count = len(self._lab.notes.kept.branches)
        taken = self._lab.episode.moment.action if self._lab.episode.moment else 0
        self._hands.click(f"step.why.branch.{1 if taken == 0 else 0}")
        self._wait(
            "there is a branch",
            lambda: len(self._lab.notes.kept.branches) > count,
            60.0,
        )
        self._settle()
        self._picture("branch")
        tree = self._hands.see("step.branches.tree", QTreeView)
        assert isinstance(tree, QTreeView)
        self._hands.press("Esc")
        self._wait(
            "the main line is shown", lambda: not self._lab.cursor.position.branch
        )

    def _predict(self) -> None:
        """Guess before looking."""
        self._hands.press("H")
        self._hands.see("step.why.predict.reveal")
        self._settle()
        self._picture("predict")
        self._hands.click("step.why.predict.reveal")
        self._settle()
        self._picture("revealed")
        self._hands.press("H")

    def _browse_replay(self) -> None:
        self._tab("Replay")
        self._settle()
        self._hands.rest(1_500)  # the small pictures come one after another
        self._picture("replay")
        self._tab("Timeline")

    def _play_by_hand(self) -> None:
        """Take over for some steps, and hand back."""
        self._tab("Branches")
        count = len(self._lab.notes.kept.branches)
        self._hands.click("step.branches.byHand")
        self._settle()
        for key in ("Left", "Right", "Left"):
            self._hands.press(key)
            self._settle()
        self._picture("by-hand")
        self._lab.commands.run("branch.handBack")
        self._wait(
            "what was played is a branch",
            lambda: len(self._lab.notes.kept.branches) > count,
            60.0,
        )
        self._hands.press("Esc")

    def _other_theme(self) -> None:
        self._hands.press("Ctrl+Shift+T")
        self._settle()
        self._picture("other-theme")

    # ------------------------------------------------------------------- parts

    def _tab(self, title: str) -> None:
        """Bring the panel with this title to the front."""

        def place() -> tuple[QTabBar, int] | None:
            for bar in self._window.findChildren(QTabBar):
                titles = [bar.tabText(it) for it in range(bar.count())]
                if bar.isVisible() and title in titles:
                    return bar, titles.index(title)
            return None

        self._wait(f"there is a tab '{title}'", place)
        found = place()
        assert found is not None
        bar, index = found
        QTest.mouseClick(
            bar,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
            bar.tabRect(index).center(),
        )

    def _settle(self) -> None:
        """Until the frame is there and no panel is busy."""
        cursor, episode = self._lab.cursor, self._lab.episode

        def still() -> bool:
            moment = episode.moment
            shown = moment is not None and moment.t == cursor.t and not episode.waiting
            marks = self._window.findChildren(BusyMark)
            busy = any(it.busy and it.isVisible() for it in marks)
            return shown and not busy and self._has_film()

        self._hands.rest(250)
        self._wait("the panels have their answers", still, 60.0)
        self._hands.rest(100)

    def _has_film(self) -> bool:
        """The film strip is there, where it can be seen; who plays needs none."""
        films = self._window.findChildren(FilmLane)
        seen = [it for it in films if not it.visibleRegion().isEmpty()]
        by_hand = self._lab.cursor.position.branch == BY_HAND
        return by_hand or all(it.steps or it.sentence for it in seen)

    def _wait(
        self, what: str, condition: Callable[[], object], seconds: float = 0.0
    ) -> None:
        self._hands.wait_until(what, condition, seconds)

    def _picture(self, name: str) -> None:
        self._count += 1
        self._wait("no panel is blank", lambda: not self._blank())
        self._hands.picture(self._folder / f"{self._count:02d}-{name}.png")

    def _blank(self) -> list[str]:
        """Names of panels that are in front and of one colour."""
        image = self._window.grab().toImage()
        blank = []
        for dock in self._window.current_workspace().docks.values():
            place = dock.rect().adjusted(8, dock.titleBarWidget().height(), -8, -8)
            if dock.visibleRegion().isEmpty() or place.height() < LEAST_PANEL:
                continue
            place.moveTopLeft(dock.mapTo(self._window, place.topLeft()))
            columns = range(place.left(), place.right(), 2)
            rows = range(place.top(), place.bottom(), 2)
            if len({image.pixel(x, y) for x in columns for y in rows}) < 2:
                blank.append(dock.objectName())
        return blank
