"""What somebody does who prepares a lecture: whole maps, twenty rollouts, exports."""

from __future__ import annotations

import shutil
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox

from rllab_gui.views.embedding import EmbeddingView
from tests.walks.student import Student

GRID = Path(__file__).parents[2] / "sessions" / "sample-gridworld.h5"
WRITTEN_WITHIN_S = 60.0
LEFT, SHIFT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier


class Presenter(Student):
    """One visit; beside the pictures there are the files that were exported."""

    def gridworld(self) -> None:
        """A world whose exact solution is known, and everything out of the window."""
        path = self._folder / "gridworld.h5"
        shutil.copy(GRID, path)
        path.with_suffix(".notes").unlink(missing_ok=True)  # of an earlier walk
        self._open(path)
        self._look_around()
        self._tab("Slice")
        self._settle()
        self._picture("whole-map")
        self._single_maps()
        self._hands.press("Ctrl+1")
        self._tab("Cells")
        self._hands.rest(1_500)  # the exact solution is worked out
        self._picture("cells")
        self._select_on_map()
        self._roll_out_many()
        self._export_plots()
        self._export_episode()
        self._film_side_by_side()

    def _single_maps(self) -> None:
        """One map at a time, each as large as the panel."""
        box = self._hands.see("step.slice.what", QComboBox)
        assert isinstance(box, QComboBox)
        for what in ("value", "error", "gap", "action", "all"):
            at = box.findData(what)
            box.setCurrentIndex(at)
            box.activated.emit(at)
            self._settle()
            self._picture(f"map-{what}")

    def _select_on_map(self) -> None:
        """Round half of the states; the replay memory then shows the same ones."""
        self._tab("Map")
        view = self._window.findChild(EmbeddingView)
        assert view is not None
        self._wait("there is a map", lambda: len(view.model().get("x", ())), 60.0)
        self._hands.rest(1_000)
        canvas = view.plot.canvas.viewport()
        wide, high = canvas.width(), canvas.height()
        corners = ((0.1, 0.1), (0.6, 0.1), (0.6, 0.9), (0.1, 0.9), (0.1, 0.1))
        places = [QPoint(round(x * wide), round(y * high)) for x, y in corners]
        QTest.mousePress(canvas, LEFT, SHIFT, places[0])
        for place in places[1:]:
            moved = QMouseEvent(
                QEvent.Type.MouseMove,
                QPointF(place),
                QPointF(canvas.mapToGlobal(place)),
                Qt.MouseButton.NoButton,
                LEFT,
                SHIFT,
            )
            QApplication.sendEvent(canvas, moved)
            self._hands.rest(50)
        QTest.mouseRelease(canvas, LEFT, SHIFT, places[-1])
        self._wait("states are selected", lambda: self._lab.selection.steps)
        self._hands.rest(500)
        self._picture("lasso")
        self._hands.press("Ctrl+2")
        self._tab("Replay")
        self._settle()
        self._hands.rest(1_000)
        self._picture("the-same-in-replay")

    def _roll_out_many(self) -> None:
        """The same branch, twenty times."""
        self._tab("Branches")
        box = self._hands.see("step.branches.count", QComboBox)
        assert isinstance(box, QComboBox)
        box.setCurrentIndex(box.findData(20))
        self._branch()

    def _export_plots(self) -> None:
        """Pictures, drawings and tables of what is seen."""
        for plot, kind in (
            ("stepQbars", "svg"),
            ("timeline", "csv"),
            ("timeline", "png"),
            ("stepSlice", "png"),
            ("stepSlice", "svg"),
            ("stepSlice", "csv"),
        ):
            path = self._file(f"{plot}.{kind}")
            self._trigger(f"act.plot.{plot}.export.{kind}")
            self._hands.choose_file(f"dlg.export.{plot}", path)
            self._wait(f"{path.name} is written", path.exists)

    def _export_episode(self) -> None:
        """For a table, and for whoever learns from data sets."""
        commands = self._lab.commands
        for name, ending in (("episode", ".csv"), ("minari", "")):
            command = f"export.{name}"
            if not commands.action(command).isEnabled():
                self._hands.say(f"{command}: {commands.action(command).toolTip()}")
                continue
            path = self._file(f"exported-{name}{ending}")
            commands.run(command)
            self._hands.choose_file("dlg.exportData", path)
            self._wait(f"{path.name} is written", path.exists, WRITTEN_WITHIN_S)
            self._wait("it is done", lambda: not self._lab.exchange.busy)
            self._picture(f"exported-{name}")

    def _film_side_by_side(self) -> None:
        """Several checkpoints on the seed of the episode."""
        path = self._file("checkpoints.mp4")
        self._hands.press("Ctrl+Shift+E")
        what = self._hands.see("dlg.export.what", QComboBox)
        assert isinstance(what, QComboBox)
        what.setCurrentIndex(what.findData("seed"))
        dialog = what.window()
        dialog.grab().save(str(self._folder / "film-dialog.png"))
        self._hands.write("dlg.export.path", str(path))
        self._wait("the film is written", path.exists, WRITTEN_WITHIN_S)
        self._wait("it is done", lambda: not self._lab.recorder.busy)
        self._picture("filmed")

    def _file(self, name: str) -> Path:
        """A place to write to; what an earlier walk left there is gone."""
        path = self._folder / name
        shutil.rmtree(path, ignore_errors=True)
        path.unlink(missing_ok=True)
        return path

    def _trigger(self, name: str) -> None:
        action = self._window.findChild(QAction, name)
        assert action is not None, name
        action.trigger()
