"""The frame: rail, bars, messages, and the workspaces one behind the other."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, Qt, QTimer
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QKeyEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QMainWindow,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from engine.contract.messages import Shutdown
from engine.contract.options import Configuration
from engine.contract.plain_text import visible
from rllab_gui.forms.grid_editor import GridEditor
from rllab_gui.frame.choices import palette_choices
from rllab_gui.frame.command_table import all_commands
from rllab_gui.frame.dialogs import Preferences, ask_before_closing
from rllab_gui.frame.enabler import Enabler
from rllab_gui.frame.files import FileDialogs
from rllab_gui.frame.geometry import restore_geometry
from rllab_gui.frame.key_map import KeyMap
from rllab_gui.frame.menus import fill_menus
from rllab_gui.frame.messages import MessageStrip
from rllab_gui.frame.overlay import ShortcutOverlay
from rllab_gui.frame.palette import Palette
from rllab_gui.frame.panels import Panels
from rllab_gui.frame.presenter import Presenter, PresenterBar
from rllab_gui.frame.rail import Rail
from rllab_gui.frame.recent import RecoveryStrip
from rllab_gui.frame.run_bar import RunBar
from rllab_gui.frame.start_times import StartTimes
from rllab_gui.frame.status_bar import StatusBar
from rllab_gui.frame.transport import TransportBar
from rllab_gui.frame.words import percent
from rllab_gui.history import Deed
from rllab_gui.lab import Lab
from rllab_gui.lessons.teaching import Teaching
from rllab_gui.sessions import dropped_session
from rllab_gui.views.branches import BranchesView
from rllab_gui.workspaces.base import Workspace
from rllab_gui.workspaces.room import Room
from rllab_gui.workspaces.step_through import StepThroughWorkspace
from rllab_gui.workspaces.train import TrainWorkspace

NAME = "RL Lab"
FIRST_PRESET = "cartpole"


class MainWindow(QMainWindow):
    """The one window."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self.setObjectName("main")
        self.setAccessibleName("RL Lab")
        self.setAcceptDrops(True)
        self.lab = lab
        lab.setParent(self)
        self.files = FileDialogs(lab, self)
        self.panels = Panels(self)
        self._gallery_preset = FIRST_PRESET
        self._closing = False
        self.workspaces: dict[str, Workspace] = {}
        self.rooms: dict[str, Room] = {}
        lab.commands.add(*all_commands(lab, self))
        self._build()
        Enabler(lab, self)
        self._connect()
        self.key_map = KeyMap(lab.commands, lab.settings, self)
        StartTimes(self, lab.store, lab.pulse)
        self._load_first_preset()
        self._restore()

    # ------------------------------------------------------------ construction

    def _build(self) -> None:
        lab = self.lab
        self.rail = Rail(lab)
        self.run_bar = RunBar(lab)
        self.transport = TransportBar(lab)
        self.messages = MessageStrip(lab.problems, lab.commands, lab.theme)
        self.recovery = RecoveryStrip(lab.sessions, lab.theme)
        self.stack = QStackedWidget()
        self.train = TrainWorkspace(lab)
        for workspace in (self.train, StepThroughWorkspace(lab)):
            self.workspaces[workspace.name] = workspace
            self.rooms[workspace.name] = Room(workspace)
            self.stack.addWidget(self.rooms[workspace.name])
            workspace.arranged.connect(self._keep_layout)
        fill_menus(self.menuBar(), lab.commands, self.workspaces.values())
        for command_id in lab.commands.ids():
            self.addAction(lab.commands.action(command_id))
        self.setCentralWidget(self._lay_out())
        self.setStatusBar(StatusBar(lab))
        self.palette_popup = Palette(lambda: palette_choices(self), lab.theme, self)
        self.shortcuts = ShortcutOverlay(lab.commands, lab.theme, self)
        self.teaching = Teaching(lab, self)

    def _lay_out(self) -> QWidget:
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        for widget in (self.run_bar, self.messages, self.recovery):
            right.addWidget(widget)
        right.addWidget(self.stack, 1)
        right.addWidget(self.transport)
        bar = PresenterBar(self.lab)
        right.addWidget(bar)
        self.presenter = Presenter(self.lab, self, bar)
        whole = QWidget()
        row = QHBoxLayout(whole)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.rail)
        row.addLayout(right, 1)
        return whole

    def _connect(self) -> None:
        lab = self.lab
        lab.store.statusChanged.connect(self._show_title)
        lab.store.sessionChanged.connect(self._show_title)
        lab.draft.changed.connect(lambda keys: self._show_title())
        lab.theme.changed.connect(self._keep_theme)
        lab.run.stateChanged.connect(self._on_state)
        self._show_title()

    def _load_first_preset(self) -> None:
        """The window never opens empty: a preset is loaded, its agent moves."""
        card = self.lab.presets.get(FIRST_PRESET)
        if card is not None:
            self.lab.draft.title = card.preset.title
            self.lab.draft.adopt(card.preset.configuration)
            self.lab.draft.describe_again()
        self.lab.sessions.refresh()

    # ----------------------------------------------------------------- actions

    def show_workspace(self, name: str) -> None:
        """Bring a workspace to the front."""
        self.stack.setCurrentWidget(self.rooms[name])
        self.rail.show_current(name)
        self.transport.setVisible(name != "train")
        self.lab.playback.set_active(name == "step")
        if name != "train":  # there Space is for the episode, not for a button
            self.workspaces[name].setFocus(Qt.FocusReason.OtherFocusReason)
        self.lab.settings.set("workspace", name)

    def show_view(self, name: str, view_id: str) -> None:
        """Bring a view of a workspace to the front."""
        self.show_workspace(name)
        dock = self.workspaces[name].docks[view_id]
        dock.show()
        dock.raise_()
        self.rooms[name].ensureWidgetVisible(dock, 0, 0)

    def current_workspace(self) -> Workspace:
        """The workspace in front."""
        room = self.stack.currentWidget()
        assert isinstance(room, Room)
        return room.workspace

    def play_or_pause(self) -> None:
        """Space: in Train the run, elsewhere the episode."""
        if self.current_workspace().name != "train":
            self.lab.playback.toggle()
        elif self.lab.run.can("pause") or self.lab.run.can("resume"):
            self.lab.run.toggle()

    def new_session(self) -> None:
        """Let go of what is open, and choose an environment."""
        if self.lab.sessions.is_open and not self.lab.run.active:
            self.lab.sessions.close()
        self.lab.draft.load(Configuration(), "new session")
        self.show_workspace("train")
        self.train.form.go_to("environment.id")

    def current_preset(self) -> str:
        """Name of the preset that the draft equals; empty where it is of none."""
        return self.train.gallery.current_name() if self.workspaces else ""

    def delete_preset(self) -> None:
        """Remove the marked preset of the user's."""
        name = self.current_preset()
        card = self.lab.presets.get(name)
        if card is not None and card.preset.own:
            self.lab.presets.delete(name)

    def reset_layout(self) -> None:
        """Put the panels of this workspace back; can be undone."""
        workspace = self.current_workspace()
        before = workspace.layout_state()
        workspace.reset_layout()
        self.lab.history.add(
            Deed(
                "reset layout",
                lambda: workspace.restore_layout(before),
                workspace.reset_layout,
            )
        )

    def presenter_mode(self) -> None:
        """Show it to a hall, or no longer."""
        self.presenter.toggle()

    def open_palette(self) -> None:
        """Search commands, options and presets."""
        self.palette_popup.open()

    def toggle_shortcuts(self) -> None:
        """Show all shortcuts, or take the overlay away."""
        self.shortcuts.toggle()

    def open_preferences(self) -> None:
        """Theme, size and keyboard."""
        Preferences(self.lab, self.key_map, self).open()

    def rename_branch(self) -> None:
        """Edit the name of the branch that is looked at, in the list of branches."""
        for view in self.workspaces["step"].views():
            if isinstance(view, BranchesView):
                view.rename()

    def edit_grid(self) -> None:
        """Draw a grid of one's own; the draft is for GridWorld then."""
        GridEditor(self.lab.draft, self.lab.theme, self).open()

    def go_to_option(self, key: str) -> None:
        """Show this option in the form, with the focus in it."""
        self.show_workspace("train")
        self.train.form.go_to(key)

    # ------------------------------------------------------------- what is heard

    def _on_state(self, state: str) -> None:
        self._show_title()
        if self._closing and not self.lab.run.active:
            self.close()

    def _show_title(self) -> None:
        lab = self.lab
        parts = [NAME]
        name = lab.store.session.name or lab.draft.title
        if name:
            parts.insert(0, name)
        status = lab.store.status
        if lab.run.active and status.steps_budget:
            parts.insert(0, percent(status.step / status.steps_budget))
        self.setWindowTitle(visible(" - ".join(parts), 300))

    # ------------------------------------------------------------------ settings

    def _restore(self) -> None:
        """Take over geometry and layouts of the last time, as far as they fit."""
        settings = self.lab.settings
        restore_geometry(self, settings.data("geometry"))
        for name, workspace in self.workspaces.items():
            workspace.restore_layout(settings.data(f"layout/{name}"))
        wanted = settings.text("workspace", "train")
        self.show_workspace(wanted if wanted in self.workspaces else "train")

    def _keep_layout(self) -> None:
        settings = self.lab.settings
        for name, workspace in self.workspaces.items():
            kept = self.presenter.kept_layout(name)
            if workspace.isVisible():
                settings.set(f"layout/{name}", kept or workspace.layout_state())

    def _keep_theme(self) -> None:
        self.lab.settings.set("theme", self.lab.theme.choice)
        if not self.presenter.on:
            self.lab.settings.set("scale", self.lab.theme.scale)

    def _keep_everything(self) -> None:
        self.presenter.leave()
        self._keep_layout()
        self.lab.whereabouts.keep()
        self.lab.settings.set("geometry", QByteArray(self.saveGeometry()))
        self.lab.settings.flush()

    # ---------------------------------------------------------------- Qt events

    def showEvent(self, event: QShowEvent) -> None:
        """The Train button has the focus: Enter is enough."""
        super().showEvent(event)
        QTimer.singleShot(0, self, self.run_bar.train.setFocus)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """What floats over the window goes when the window changes."""
        super().resizeEvent(event)
        self.palette_popup.hide()
        self.shortcuts.hide()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc leaves the topmost of palette and overlay; Enter starts on Train."""
        if event.key() == Qt.Key.Key_Escape:
            self._leave_something()
        elif (
            event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
            and QApplication.focusWidget() is self.run_bar.train
        ):
            self.run_bar.train.click()
        else:
            super().keyPressEvent(event)

    def _leave_something(self) -> None:
        """The palette and the overlay, presenting, what is under way, a branch."""
        branches = self.lab.branches
        if self.palette_popup.isVisible() or self.shortcuts.isVisible():
            self.palette_popup.close_again()
            self.shortcuts.hide()
        elif self.presenter.on:
            self.presenter.leave()
        elif branches.under_way:
            branches.cancel()
        else:
            branches.leave()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Only a session file may be dropped; the reason for others is said."""
        path, reason = dropped_session(_paths(event))
        if path:
            event.acceptProposedAction()
        else:
            self.statusBar().showMessage(reason, 4000)
            event.ignore()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the session that was dropped."""
        path, _ = dropped_session(_paths(event))
        if path:
            event.acceptProposedAction()
            self.lab.sessions.open(path)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask while a run is active; leave nothing running unless it is wanted."""
        gone = self.lab.pulse.stopped_for_good
        # With nobody there who could stop the run, there is nothing to ask; and if it
        # was only silent, the run goes on.
        if self.lab.run.active and not gone and not self.lab.link.lost:
            event.ignore()
            if not self._closing:
                ask_before_closing(self, self._stop_and_close, self._detach)
            return
        self.leave(keep_training=self.lab.link.lost)
        super().closeEvent(event)

    def _stop_and_close(self) -> None:
        """The window closes when the run has been stopped and is safe."""
        self._closing = True
        self.lab.run.stop()

    def _detach(self) -> None:
        self.leave(keep_training=True)
        self.close()

    def leave(self, *, keep_training: bool) -> None:
        """Say goodbye to the engine, once."""
        if self.lab.pulse.stopped_for_good:
            return
        self._keep_everything()
        self.lab.link.send(Shutdown(keep_training=keep_training))
        self.lab.pulse.end()
        self.lab.link.close()


def _paths(event: QDropEvent) -> list[str]:
    return [url.toLocalFile() for url in event.mimeData().urls()]
