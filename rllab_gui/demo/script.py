"""What the demo does, step by step; each step checks that it worked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QAbstractItemView, QLabel

from rllab_gui.demo.hands import DemoProblem, Hands
from rllab_gui.main_window import MainWindow
from rllab_gui.plots.lane_film import FilmLane
from rllab_gui.views.episode_rows import COLUMNS, SHORT

PRESET = "cartpole"
BUTTON = "main.train.button"
START_WITHIN_S = 90.0
"""On a slow, busy machine the learner needs long to be imported."""
WRITE_WITHIN_S = 120.0
TRAIN_SHARE = 0.6
"""Share of the budget after which the demo goes on, however quick it was."""
LONG_ENOUGH = 30
"""Steps of an episode that the demo can step and play through."""


@dataclass(frozen=True, slots=True)
class Result:
    """The files that the demo leaves."""

    session: Path
    film: Path
    pictures: tuple[Path, ...]


class Demo:
    """One visit to the lab.

    Args:
      window: The real window, shown.
      folder: Where everything goes.
      train_s: How long to train at most.
    """

    def __init__(self, window: MainWindow, folder: Path, train_s: float) -> None:
        self._window, self._lab = window, window.lab
        self._folder, self._train_s = folder, train_s
        self._hands = Hands(window)
        self._pictures: list[Path] = []
        self._training_since: float | None = None

    def run(self) -> Result:
        """Everything, in order.

        Raises:
          DemoProblem: With what did not work.
        """
        self.see_agent()
        self.choose_preset()
        self.train()
        self.change_option()
        self.photograph("train")
        self.pause_and_resume()
        self.step_through()
        self.photograph("step")
        film = self.export_film()
        session = self.stop_and_save()
        self.check_problems()
        return Result(session, film, tuple(self._pictures))

    # ------------------------------------------------------------------- steps

    def see_agent(self) -> None:
        """An agent moves before anything was clicked."""
        hands = self._hands
        badge = hands.see("train.agent.badge", QLabel)
        assert isinstance(badge, QLabel)
        hands.wait_until("an agent is shown", badge.text, START_WITHIN_S)
        hands.say(f"the window shows an agent: {badge.text()}")

    def choose_preset(self) -> None:
        """Click a card of the gallery."""
        gallery = self._hands.see("train.presets.list", QAbstractItemView)
        assert isinstance(gallery, QAbstractItemView)
        index = next(it for it in _rows(gallery) if _role(it) == PRESET)
        self._hands.click_item(gallery, index)
        self._hands.say(f"the preset '{index.data()}' is loaded")

    def train(self) -> None:
        """One click; the curve grows, an evaluation comes."""
        hands, store = self._hands, self._lab.store
        hands.click(BUTTON)
        self._wait_for_state("running", START_WITHIN_S)
        hands.say("training runs")
        hands.wait_until(
            "the curve has a point", lambda: len(store.series("return")), 60
        )
        hands.say(f"first point of the curve, at step {store.status.step:,}")
        hands.wait_until("it has learned for a while", self._trained, START_WITHIN_S)
        hands.wait_until(
            "an evaluation has come", lambda: len(store.evaluations), START_WITHIN_S
        )
        hands.say(f"{store.status.step:,} steps, {store.status.steps_per_s:,.0f}/s")

    def _trained(self) -> bool:
        """Whether the time is up; a quick machine must leave something to do."""
        status = self._lab.store.status
        if self._training_since is None:
            self._training_since = time.monotonic()
        enough = time.monotonic() - self._training_since >= self._train_s
        return enough or status.step > TRAIN_SHARE * max(status.steps_budget, 1)

    def change_option(self) -> None:
        """A live option acts at once and leaves a row among the events."""
        name, store = "agent.learning_rate", self._lab.store
        self._hands.write(f"train.param.{name}.spin", "0.0005")
        self._hands.wait_until(
            "the change is among the events",
            lambda: any(it.data.get("key") == name for it in store.events),
        )
        self._hands.say("the learning rate was changed while training runs")

    def pause_and_resume(self) -> None:
        """The same button."""
        self._hands.click(BUTTON)
        self._wait_for_state("paused")
        step = self._lab.store.status.step
        self._hands.say(f"paused at step {step:,}")
        self._hands.click(BUTTON)
        self._wait_for_state("running")
        self._hands.wait_until(
            "training goes on", lambda: self._lab.store.status.step > step
        )
        self._hands.say("resumed")

    def step_through(self) -> None:
        """Look at an episode step by step, with the mouse and with keys."""
        hands, cursor = self._hands, self._lab.cursor
        hands.click(BUTTON)
        self._wait_for_state("paused")
        hands.click("rail.step")
        chosen = self._choose_episode()
        hands.wait_until("it is shown", lambda: self._shows(*chosen), 30)
        hands.wait_until("its frame is there", lambda: self._has_frame(), 60)
        hands.click("transport.first")
        for _ in range(3):
            hands.click("transport.stepFwd")
        hands.press("Shift+Right")
        hands.press("Left")
        hands.wait_until("the cursor stands at step 12", lambda: cursor.t == 12)
        hands.click("transport.play")
        hands.wait_until("it plays", lambda: cursor.t > 15)
        hands.click("transport.play")
        hands.wait_until("the frame follows", self._has_frame, 30)
        film = hands.see("step.timeline.lane.film", FilmLane)
        assert isinstance(film, FilmLane)
        hands.wait_until("its film strip is there", lambda: bool(film.steps), 30)
        where = cursor.position
        hands.say(f"stepped through {where.kind} episode {where.episode:,}")

    def export_film(self) -> Path:
        """The shown episode as MP4, with its panels."""
        path = self._fresh("episode.mp4")
        self._hands.press("Ctrl+Shift+E")
        self._hands.write("dlg.export.path", str(path))
        self._hands.wait_until("the film is written", path.exists, WRITE_WITHIN_S)
        self._hands.say(f"film {path.name}, {path.stat().st_size:,} bytes")
        return path

    def stop_and_save(self) -> Path:
        """End the run and save it under a name."""
        path = self._fresh("demo.h5")
        self._hands.click("rail.train")
        self._hands.click("main.train.stop")
        self._hands.wait_until("the run has ended", lambda: not self._lab.run.active)
        self._hands.wait_until(
            "its file is written", lambda: self._lab.store.session.sealed_at, 60
        )
        self._hands.press("Ctrl+Shift+S")
        self._hands.choose_file("dlg.saveAs", path)
        self._hands.wait_until("the session is written", path.exists, WRITE_WITHIN_S)
        self._hands.say(f"session {path.name}, {path.stat().st_size:,} bytes")
        return path

    def check_problems(self) -> None:
        """Nothing went wrong on the way.

        Raises:
          DemoProblem: With the sentence that the window shows.
        """
        for entry in self._lab.problems.entries():
            if entry.problem.severity == "error":
                raise DemoProblem(f"The window says: {entry.problem.sentence()}")

    def photograph(self, workspace: str) -> None:
        """This workspace in both themes."""
        for _ in range(2):
            theme = "dark" if self._lab.theme.is_dark else "light"
            self._hands.rest(400)  # the pictures of the other theme go on to arrive
            path = self._folder / f"{workspace}-{theme}.png"
            self._hands.picture(path)
            self._pictures.append(path)
            self._hands.press("Ctrl+Shift+T")

    # ------------------------------------------------------------------- parts

    def _wait_for_state(self, state: str, seconds: float = 30.0) -> None:
        button = self._hands.see(BUTTON)
        self._hands.wait_until(
            f"the run is {state}", lambda: button.property("state") == state, seconds
        )

    def _choose_episode(self) -> tuple[str, int]:
        """Click the longest evaluation; the longest episode where those are short."""
        table = self._hands.see("step.episodes.table", QAbstractItemView)
        assert isinstance(table, QAbstractItemView)

        def long_enough() -> QModelIndex | None:
            found = [it for it in _rows(table) if _length(it) >= LONG_ENOUGH]
            return max(
                found, key=lambda it: (_is_evaluation(it), _length(it)), default=None
            )

        self._hands.wait_until("a long episode is listed", long_enough, 30)
        index = long_enough()
        assert index is not None
        self._hands.click_item(table, index)
        kind = "evaluation" if _is_evaluation(index) else "training"
        return kind, int(index.data())

    def _shows(self, kind: str, episode: int) -> bool:
        data = self._lab.episode.data
        return data is not None and data.key[2:] == (kind, episode)

    def _has_frame(self) -> bool:
        return self._lab.episode.frame(self._lab.cursor.t) is not None

    def _fresh(self, name: str) -> Path:
        """A path of this name that nothing of an earlier demo stands in."""
        path = self._folder / name
        path.unlink(missing_ok=True)
        return path


def _rows(view: QAbstractItemView) -> Iterator[QModelIndex]:
    model = view.model()
    for row in range(model.rowCount()):
        yield model.index(row, 0)


def _is_evaluation(row: QModelIndex) -> bool:
    return _cell(row, "kind") == SHORT["evaluation"]


def _length(row: QModelIndex) -> int:
    return int(_cell(row, "length").replace(",", ""))


def _cell(row: QModelIndex, column: str) -> str:
    return str(row.siblingAtColumn(COLUMNS.index(column)).data())


def _role(index: QModelIndex) -> object:
    return index.data(Qt.ItemDataRole.UserRole)
