"""The frame: workspaces, palette, overlay, layout, titles, sessions, closing."""

import subprocess
import sys

import pytest
import script
from PySide6.QtCore import QByteArray, QMimeData, QPoint, QPointF, QRect, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDialog,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QWidget,
)

from engine.contract.messages import (
    DiscardSession,
    OpenSession,
    ResumeTraining,
    SaveSession,
    SetViewer,
    ShowAgent,
    Shutdown,
    Stop,
)
from rllab_gui.app import make_window
from rllab_gui.frame.geometry import clamped
from rllab_gui.frame.palette import score
from rllab_gui.frame.words import ago, duration, percent, whole
from rllab_gui.settings import Settings


def test_the_window_never_imports_what_learns():
    program = (
        "import sys, rllab_gui.main_window, rllab_gui.app, rllab_gui.engine_start\n"
        "from rllab_gui.views.discover import all_views\n"
        "assert all_views()\n"
        "bad = {'torch', 'gymnasium', 'h5py', 'numba'} & set(sys.modules)\n"
        "sys.exit(f'imported {bad}' if bad else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_importing_the_program_imports_no_qt():
    program = (
        "import sys, rllab_gui.app, rllab_gui.__main__; print('PySide6' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_the_untrained_agent_of_the_preset_is_shown(window, client, beat, qtbot):
    assert client.of(ShowAgent) == []  # the engine may be running something else
    with qtbot.waitSignal(
        window.lab.link.sent, check_params_cb=lambda it: isinstance(it, ShowAgent)
    ):
        beat(script.status("idle"))
    assert "CartPole-v1" in client.of(ShowAgent)[0].configuration


def test_a_running_session_is_not_replaced_by_the_preset(window, client, beat):
    configuration = window.lab.draft.configuration.with_options({"agent.n_step": 9})
    beat(script.status("running"), script.session(configuration))
    window.lab.viewer.show_draft()
    assert client.of(ShowAgent) == []
    assert window.lab.draft.configuration.agent.n_step == 9


def test_viewer_speed_and_freezing_reach_the_stage(window, client):
    speed = window.findChild(QWidget, "main.speed")
    speed.setCurrentIndex(speed.findText("4x"))
    speed.activated.emit(speed.currentIndex())
    window.lab.commands.action("view.freeze").trigger()
    assert client.of(SetViewer)[-1] == SetViewer(4.0, False, 0.0)


def test_the_rail_changes_workspaces(window, qtbot):
    qtbot.mouseClick(
        window.findChild(QToolButton, "rail.step"), Qt.MouseButton.LeftButton
    )
    assert window.current_workspace().name == "step"
    assert window.transport.isVisible()
    window.lab.commands.run("workspace.train")
    assert window.findChild(QToolButton, "rail.train").isChecked()


# ------------------------------------------------------------ palette, overlay


def test_the_palette_finds_and_does(window, client, qtbot):
    window.lab.commands.run("view.palette")
    entry = window.findChild(QLineEdit, "main.palette.input")
    qtbot.keyClicks(entry, "start paused")
    qtbot.keyClick(entry, Qt.Key.Key_Return)
    assert not window.palette_popup.isVisible()
    assert window.lab.run.state == "starting"


def test_the_palette_goes_to_options_and_presets(window, qtbot):
    for words, proof in (
        ("optimizer", lambda: window.train.form.rows["agent.optimizer"].isVisible()),
        ("plain dqn", lambda: window.train.gallery.current_name().endswith("dqn")),
    ):
        window.open_palette()
        qtbot.keyClicks(window.palette_popup.input, words)
        qtbot.keyClick(window.palette_popup.input, Qt.Key.Key_Return)
        assert proof()


def test_the_palette_says_when_nothing_fits_and_esc_closes_it(window, qtbot):
    window.open_palette()
    qtbot.keyClicks(window.palette_popup.input, "xyzzy")
    assert "Nothing is called" in window.palette_popup.list.item(0).text()
    qtbot.keyClick(window.palette_popup.input, Qt.Key.Key_Escape)
    assert not window.palette_popup.isVisible()


def test_scores_prefer_beginnings():
    assert score("tr", "Train") > score("tr", "Start training") > 0
    assert score("stop run", "Stop the run") > 0
    assert score("sp", "Start paused") > 0
    assert score("xq", "Start paused") == 0


def test_the_overlay_lists_all_shortcuts(window, qtbot):
    window.lab.commands.run("help.shortcuts")
    assert window.shortcuts.isVisible()
    assert "Shift+F5" in window.shortcuts._text()
    qtbot.keyClick(window.shortcuts, Qt.Key.Key_A)
    assert not window.shortcuts.isVisible()


# ---------------------------------------------------------------------- layout


def another(client, qtbot):
    """The window of the next start."""
    QApplication.instance().setStyleSheet("")  # as in a program that has just begun
    window = make_window(client)
    window.resize(1280, 720)
    qtbot.addWidget(window, before_close_func=lambda it: it.leave(keep_training=True))
    with qtbot.waitExposed(window):
        window.show()
    return window


def test_the_layout_comes_back_and_can_be_reset(window, client, qtbot):
    dock = window.train.docks["qbars"]
    dock.close()
    window.show_workspace("step")
    window.show_workspace("train")
    window._keep_everything()
    again = another(client, qtbot)
    assert not again.train.docks["qbars"].isVisible()
    again.lab.commands.run("view.resetLayout")
    assert again.train.docks["qbars"].isVisible()
    again.lab.commands.run("edit.undo")
    assert not again.train.docks["qbars"].isVisible()


def drag(dock):
    """Pull it by its title out of its place, and let go of it elsewhere."""
    title = dock.titleBarWidget()
    start = QPoint(20, title.height() // 2)
    QTest.mousePress(title, Qt.MouseButton.LeftButton, pos=start)
    for far in (10, 40, 80):
        QTest.mouseMove(title, start + QPoint(far, far))
    QTest.mouseRelease(title, Qt.MouseButton.LeftButton, pos=start + QPoint(80, 80))


@pytest.mark.qt_log_ignore("This plugin does not support grabbing the mouse")
@pytest.mark.parametrize(
    "touch",
    [
        drag,
        lambda dock: dock.findChild(QAbstractButton, f"{dock.objectName()}.float"),
        lambda dock: dock.findChild(QAbstractButton, f"{dock.objectName()}.close"),
        lambda dock: dock.toggleViewAction().trigger(),
    ],
    ids=["dragged", "floated", "closed", "closed in the menu"],
)
def test_a_panel_that_a_person_has_moved_ends_the_arrangement_by_itself(
    window, qtbot, monkeypatch, touch
):
    arranged = []
    monkeypatch.setattr(window.train, "arrange", lambda: arranged.append(1))
    window.resize(1200, 700)
    qtbot.waitUntil(lambda: bool(arranged))
    button = touch(window.train.docks["qbars"])
    if button is not None:
        button.click()
    qtbot.wait(50)
    arranged.clear()
    window.resize(1240, 740)
    window.lab.theme.changed.emit()
    qtbot.wait(50)
    assert not arranged
    window.lab.commands.run("view.resetLayout")
    arranged.clear()
    window.resize(1200, 700)
    qtbot.waitUntil(lambda: bool(arranged))


def test_the_last_workspace_and_theme_come_back(window, client, qtbot):
    window.show_workspace("step")
    window.lab.commands.run("view.theme")
    qtbot.waitUntil(lambda: column_widths(window)[0] < 300)
    widths = column_widths(window)
    window._keep_everything()
    again = another(client, qtbot)
    assert again.current_workspace().name == "step"
    assert again.lab.theme.is_dark
    qtbot.waitUntil(lambda: column_widths(again) == widths)


def column_widths(window):
    """Of the workspace Step through."""
    docks = window.workspaces["step"].docks
    return [docks[name].width() for name in ("episodes", "frame", "stepQbars")]


def test_damaged_settings_do_not_stop_the_start(client, qtbot):
    settings = Settings()
    settings.set("geometry", QByteArray(b"nonsense"))
    settings.set("layout/train", QByteArray(b"nonsense"))
    settings.set("scale", "huge")
    settings.set("workspace", "nowhere")
    settings.flush()
    script.teach(client)
    window = another(client, qtbot)
    assert window.current_workspace().name == "train"
    assert window.lab.theme.scale == 1


def test_a_settings_file_of_garbage_is_ignored():
    settings = Settings()
    settings.folder.mkdir(parents=True)
    (settings.folder / "window.ini").write_bytes(bytes(range(256)) * 20)
    again = Settings()
    assert again.text("theme", "system") == "system"
    again.set("theme", "dark")
    assert again.text("theme") == "dark"


SCREENS = [QRect(0, 0, 1920, 1080), QRect(1920, 0, 1280, 1024)]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (QRect(100, 100, 800, 600), QRect(100, 100, 800, 600)),
        (QRect(5000, 5000, 800, 600), QRect(1120, 480, 800, 600)),
        (QRect(-300, -300, 800, 600), QRect(0, 0, 800, 600)),
        (QRect(2000, 50, 3000, 2000), QRect(1920, 0, 1280, 1024)),
    ],
)
def test_a_window_of_a_missing_screen_comes_back(wanted, expected):
    assert clamped(wanted, SCREENS) == expected


def test_the_focus_moves_from_panel_to_panel(window, qtbot):
    with qtbot.waitActive(window):
        window.activateWindow()
    visited = []
    for _ in range(3):
        window.lab.commands.run("view.nextPanel")
        focus = window.focusWidget()
        visited += [n for n, d in window.train.docks.items() if d.isAncestorOf(focus)]
    assert len(set(visited)) == 3


def test_the_filter_gets_the_focus(window, qtbot):
    with qtbot.waitActive(window):
        window.activateWindow()
    for workspace in ("step", "train"):
        window.show_workspace(workspace)
        window.lab.commands.run("view.filter")
        assert window.focusWidget().objectName().endswith(".filter")


def test_the_start_is_timed(window):
    assert window.property("startupMs") > 0
    assert window.property("firstFrameMs") is None


# -------------------------------------------------------------------- sessions


def drop(window, *paths):
    """Drop files on the window; returns whether the drag was welcome."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(path) for path in paths])
    action, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    none = Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(5, 5), action, data, left, none)
    window.dragEnterEvent(enter)
    if enter.isAccepted():
        window.dropEvent(QDropEvent(QPointF(5, 5), action, data, left, none))
    return enter.isAccepted()


def test_a_dropped_session_is_opened(window, client):
    assert drop(window, "/data/run.h5")
    assert client.of(OpenSession) == [OpenSession("/data/run.h5")]


def test_other_files_are_refused_with_the_reason(window, client):
    assert not drop(window, "/data/notes.txt")
    assert "notes.txt" in window.statusBar().currentMessage()
    assert not drop(window, "/data/a.h5", "/data/b.h5")
    assert client.of(OpenSession) == []


def test_recent_sessions_are_opened_by_a_double_click(window, client, beat):
    rows = [{"name": "a", "path": "/data/a.h5", "size": 5, "modified": 1e9}]
    client.answers["recent"] = lambda arguments: {"rows": rows}
    window.lab.sessions.refresh()
    beat()
    recent = window.findChild(QWidget, "welcome.recent.list")
    recent.itemActivated.emit(recent.item(0))
    assert client.of(OpenSession) == [OpenSession("/data/a.h5")]


def test_an_interrupted_session_offers_what_to_do(window, client, beat, qtbot):
    rows = [{"name": "a", "path": "/data/a.h5", "live": True}]
    client.answers["recent"] = lambda arguments: {"rows": rows}
    window.lab.sessions.refresh()
    beat()
    assert window.recovery.isVisible()
    for what in ("resume", "discard"):
        button = window.findChild(QPushButton, f"welcome.recover.a.{what}")
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert client.of(ResumeTraining) == [ResumeTraining("/data/a.h5")]
    assert client.of(DiscardSession) == [DiscardSession("/data/a.h5")]
    assert not window.recovery.isVisible()


def test_of_many_interrupted_sessions_none_is_left_out_without_a_word(
    window, client, beat
):
    rows = [
        {"name": it, "path": f"/data/{it}.h5", "live": True, "modified": 1e9}
        for it in "abcde"
    ]
    client.answers["recent"] = lambda arguments: {"rows": rows}
    window.lab.sessions.refresh()
    beat()
    rest = window.findChild(QLabel, "welcome.recover.rest")
    assert rest.text().startswith("2 more were interrupted")
    recent = window.findChild(QWidget, "welcome.recent.list")
    assert recent.item(4).text().endswith("· interrupted")


def test_save_and_save_as(window, client, beat, tmp_path, qtbot):
    assert not window.lab.commands.action("session.save").isEnabled()
    beat(script.session(window.lab.draft.configuration))
    window.lab.commands.run("session.save")
    window.lab.commands.run("session.saveAs")
    dialog = window.findChild(QDialog, "dlg.saveAs")
    dialog.fileSelected.emit(str(tmp_path / "b.h5"))
    dialog.close()
    assert client.of(SaveSession) == [
        SaveSession(),
        SaveSession(str(tmp_path / "b.h5"), overwrite=True),
    ]


def test_a_save_is_told(window, beat, qtbot):
    configuration = window.lab.draft.configuration
    beat(script.session(configuration))
    with qtbot.waitSignal(window.lab.sessions.saved) as saved:
        beat(script.session(configuration, sealed_at=5.0))
    assert saved.args == ["/data/run.h5"]


def test_a_preset_is_saved_through_its_dialog(window):
    window.lab.commands.run("preset.save")
    dialog = window.findChild(QDialog, "dlg.preset")
    dialog.setTextValue("Lecture 3")
    dialog.accept()
    assert window.lab.presets.get("lecture-3") is not None


def test_new_leads_to_the_environment(window, qtbot):
    with qtbot.waitActive(window):
        window.activateWindow()
    window.lab.commands.run("session.new")
    combo = window.findChild(QWidget, "train.param.environment.id.combo")
    assert combo.isAncestorOf(window.focusWidget()) or combo.hasFocus()


# --------------------------------------------------------------------- closing


def closing(window, beat, button):
    """Close during a run, and press a button of the question."""
    beat(script.status("running"))
    window.close()
    assert window.isVisible()
    dialog = window.findChild(QDialog, "dlg.close")
    assert dialog.defaultButton().objectName() == "dlg.close.stop"
    dialog.findChild(QPushButton, f"dlg.close.{button}").click()


def test_closing_without_a_run_ends_the_engine(window, client):
    window.close()
    assert client.of(Shutdown) == [Shutdown(keep_training=False)]
    assert client.closed


def test_closing_during_a_run_stops_saves_and_then_closes(window, client, beat):
    closing(window, beat, "stop")
    assert client.of(Stop)
    assert not client.of(Shutdown)
    beat(script.status("finished"))
    assert client.of(Shutdown) == [Shutdown(keep_training=False)]
    assert not window.isVisible()


def test_closing_can_leave_training_alone(window, client, beat):
    closing(window, beat, "keep")
    assert client.of(Shutdown) == [Shutdown(keep_training=True)]
    assert not client.of(Stop)
    assert not window.isVisible()


def test_closing_can_be_given_up(window, client, beat):
    closing(window, beat, "cancel")
    assert window.isVisible()
    assert not client.of(Shutdown)


# ----------------------------------------------------------------------- words


def test_numbers_as_a_person_reads_them():
    assert whole(12400.4) == "12\u202f400"
    assert duration(250) == "4:10"
    assert duration(7389) == "2:03:09"
    assert percent(0.634) == "63\u202f%"
    assert [ago(it) for it in (0.2, 3, 120)] == [
        "now",
        "3\u202fs ago",
        "2\u202fmin ago",
    ]


def test_the_status_bar_says_where_the_run_is(window, beat):
    beat(
        script.status("running", step=12400, steps_per_s=5310, epsilon=0.12),
        script.session(window.lab.draft.configuration, durable_step=12380),
    )
    window.statusBar().refresh()
    texts = {
        name: window.findChild(QWidget, f"status.{name}").text()
        for name in ("step", "steps", "epsilon", "durable")
    }
    assert texts["step"] == "step 12\u202f400"
    assert "5\u202f310 steps/s" in texts["steps"]
    assert texts["epsilon"] == "ε 0.120"
    assert texts["durable"].startswith("durable to step 12\u202f380")
