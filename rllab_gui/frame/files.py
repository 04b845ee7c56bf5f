"""Dialogs that ask for a file or a name; all are opened, none blocks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QInputDialog, QWidget

from engine.contract.exports import ExportFormat
from engine.contract.messages import Problem
from rllab_gui.branch_table import branch_csv
from rllab_gui.episode import BRANCH
from rllab_gui.frame.film_dialog import FilmDialog, spread
from rllab_gui.lab import Lab
from rllab_gui.plots.export import ExportProblem, write
from rllab_gui.recorder import FilmWish
from rllab_gui.sessions import SUFFIX

SESSION_FILTER = f"Sessions (*{SUFFIX})"
DATA_SET_FILTER = "Minari data sets (main_data.hdf5)"


class FileDialogs(QObject):
    """Asks, then does."""

    def __init__(self, lab: Lab, window: QWidget) -> None:
        super().__init__(window)
        self._lab, self._window = lab, window
        self.native = True

    def ask_open(self) -> None:
        """Which session to look at."""
        self._ask(
            "dlg.open",
            "Open session",
            QFileDialog.AcceptMode.AcceptOpen,
            self._lab.sessions.open,
        )

    def ask_offline_source(self) -> None:
        """Which session the next run is to learn from."""
        self._ask(
            "dlg.offline",
            "Learn offline from a session",
            QFileDialog.AcceptMode.AcceptOpen,
            self._lab.offline.choose,
        )

    def ask_fork(self) -> None:
        """Where the fork from the chosen checkpoint is to be written."""
        step = self._lab.cursor.position.checkpoint
        where = "the newest checkpoint" if step < 0 else f"step {step:,}"
        self._ask(
            "dlg.fork",
            f"Fork session from {where}",
            QFileDialog.AcceptMode.AcceptSave,
            lambda path: self._lab.forks.make(path, step, overwrite=True),
        )

    def ask_save_as(self) -> None:
        """Where to write the session to; an existing file is asked about once."""
        self._ask(
            "dlg.saveAs",
            "Save session as",
            QFileDialog.AcceptMode.AcceptSave,
            lambda path: self._lab.sessions.save(path, overwrite=True),
        )

    def ask_tour(self, then: Callable[[Path], None]) -> None:
        """Which tour is to lead through the window."""
        self._ask(
            "dlg.tour",
            "Open tour",
            QFileDialog.AcceptMode.AcceptOpen,
            lambda path: then(Path(path)),
            "Tours (*.json)",
        )

    def ask_import(self) -> None:
        """Which data set is to become a session."""
        self._ask(
            "dlg.import",
            "Import Minari data set",
            QFileDialog.AcceptMode.AcceptOpen,
            self._lab.exchange.take,
            DATA_SET_FILTER,
        )

    def ask_data_export(self, format: ExportFormat) -> None:
        """Where the file or the folder of an export is to be written."""
        ending = format.ending
        session = self._lab.store.session.name.removesuffix(SUFFIX) or "rllab"
        dialog = self._ask(
            "dlg.exportData",
            f"Export: {format.title.rstrip('…')}",
            QFileDialog.AcceptMode.AcceptSave,
            lambda path: self._lab.exchange.write(
                format.name, path, self._lab.cursor.position
            ),
            f"Files (*{ending})" if ending else "New folders (*)",
            ending,
        )
        dialog.selectFile(f"{session}-{format.name}{ending}")

    def ask_branch_table(self) -> None:
        """Where the steps of the branch that is looked at are to be written."""
        branch, names = self._lab.branches.current, self._lab.branches.hand.names
        if branch is None:
            return
        dialog = self._ask(
            "dlg.exportBranch",
            "Export branch as CSV",
            QFileDialog.AcceptMode.AcceptSave,
            lambda path: self._write(path, branch_csv(branch, names)),
            "Tables (*.csv)",
            ".csv",
        )
        dialog.selectFile(f"branch-{branch.name.partition(' ')[0]}.csv")

    def _write(self, path: str, content: bytes) -> None:
        try:
            write(path, content)
        except ExportProblem as error:
            problem = Problem("window.export", str(error), severity="warning")
            self._lab.problems.report(problem)

    def _ask(
        self,
        name: str,
        title: str,
        mode: QFileDialog.AcceptMode,
        then: Callable[[str], None],
        filter: str = SESSION_FILTER,
        ending: str = SUFFIX,
    ) -> QFileDialog:
        folder = self._lab.settings.text("folder", str(Path.home()))
        dialog = QFileDialog(self._window, title, folder, filter)
        dialog.setObjectName(name)
        dialog.setOption(QFileDialog.Option.DontUseNativeDialog, not self.native)
        dialog.setAcceptMode(mode)
        if mode == QFileDialog.AcceptMode.AcceptOpen:
            dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        else:
            dialog.setDefaultSuffix(ending.lstrip("."))
        dialog.fileSelected.connect(lambda path: self._on_chosen(path, then))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
        return dialog

    def _on_chosen(self, path: str, then: Callable[[str], None]) -> None:
        self._lab.settings.set("folder", str(Path(path).parent))
        then(path)

    def ask_preset_title(self) -> None:
        """What the preset is to be called."""
        dialog = QInputDialog(self._window)
        dialog.setObjectName("dlg.preset")
        dialog.setWindowTitle("Save options as preset")
        dialog.setLabelText("Title of the preset")
        dialog.setOkButtonText("Save")
        dialog.setTextValue(f"My {self._lab.draft.title or 'preset'}")
        dialog.textValueSelected.connect(self._save_preset)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _save_preset(self, title: str) -> None:
        if title.strip():
            self._lab.presets.save(title.strip(), self._lab.draft.configuration)

    # ------------------------------------------------------------------- films

    def toggle_recording(self) -> None:
        """Begin to film the shown agent, or end and keep the film."""
        if self._lab.recorder.live:
            self._lab.recorder.stop_live()
            return
        dialog = FilmDialog(self._default_film("live"), self._lab.theme, self._window)
        dialog.chosen.connect(
            lambda wish: self._lab.recorder.start_live(
                wish, theme=self._lab.theme.tokens.name
            )
        )
        self._open(dialog)

    def ask_export(self) -> None:
        """How the shown episode is to be filmed."""
        kind, episode = self._shown()
        name = kind if kind == BRANCH else f"{kind}-{episode}"
        dialog = FilmDialog(self._default_film(name), self._lab.theme, self._window)
        steps = () if kind == BRANCH else spread(self._lab.axis.steps)
        dialog.offer_episode(self._lab.cursor.selection, steps)
        dialog.chosen.connect(self._export)
        self._open(dialog)

    def _open(self, dialog: FilmDialog) -> None:
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _export(self, wish: FilmWish) -> None:
        kind, episode = self._shown()
        theme = self._lab.theme.tokens.name
        self._lab.recorder.export(wish, kind, episode, theme=theme)

    def _shown(self) -> tuple[str, int]:
        """Kind and number of the episode that is shown; it may be a branch."""
        position, key = self._lab.cursor.position, self._lab.episode.key
        if self._lab.branches.current is None or key is None:
            return position.kind, position.episode
        return key[2], key[3]

    def _default_film(self, what: str) -> str:
        folder = self._lab.settings.text("folder", str(Path.home()))
        session = self._lab.store.session.name.removesuffix(SUFFIX) or "rllab"
        moment = datetime.now().strftime("%H%M%S")
        return str(Path(folder) / f"{session}-{what}-{moment}.mp4")
