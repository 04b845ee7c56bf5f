"""A window's parts without an engine: fake client, link, store, cursor, theme."""

import gc
import itertools
import os
import sys

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
import script
import shiboken6
from fake_client import FakeClient
from PySide6.QtWidgets import QApplication

from rllab_gui import viewer
from rllab_gui.app import make_application, make_window
from rllab_gui.branches import Branches
from rllab_gui.commands import Commands
from rllab_gui.cursor import Cursor
from rllab_gui.episode import ShownEpisode
from rllab_gui.history import History
from rllab_gui.link import Link
from rllab_gui.notes import Notes
from rllab_gui.noting import Noting
from rllab_gui.playback import Playback
from rllab_gui.problems import Problems
from rllab_gui.pulse import Pulse
from rllab_gui.selection import Selection
from rllab_gui.settings import Settings
from rllab_gui.store import Store
from rllab_gui.theme import Theme
from rllab_gui.training_axis import TrainingAxis
from rllab_gui.views.base import ViewContext
from rllab_gui.why import Why

COLLECT_EVERY = 8
_windows = itertools.count(1)


@pytest.fixture(autouse=True, scope="session")
def _older_objects_are_not_searched():
    """What other tests and imports left need not be looked through for each window."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def _own_home(tmp_path, monkeypatch):
    """No test reads or writes the settings of whoever runs it."""
    monkeypatch.setenv("RLLAB_HOME", str(tmp_path / "home"))


@pytest.fixture
def client() -> FakeClient:
    return FakeClient()


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    theme = Theme("light")
    theme.apply()
    return theme


@pytest.fixture
def context(qapp: QApplication, client: FakeClient, theme: Theme) -> ViewContext:
    """Everything a view may use; ``context.pulse.beat()`` is the manual clock."""
    link = Link(client)
    cursor = Cursor()
    pulse = Pulse(link)
    store = Store(link)
    episode = ShownEpisode(link, cursor, pulse)
    playback = Playback(link, store, cursor, episode)
    notes = Notes(link, store, History(), Problems(link))
    return ViewContext(
        link=link,
        store=store,
        cursor=cursor,
        theme=theme,
        commands=Commands(),
        episode=episode,
        pulse=pulse,
        notes=notes,
        selection=Selection(),
        branches=Branches(link, store, cursor, episode, notes),
        axis=TrainingAxis(link, store, cursor, playback),
        why=Why(episode, cursor),
        noting=Noting(cursor, episode, notes),
    )


@pytest.fixture
def window(qtbot, client, monkeypatch):
    """The real window with an engine that answers by the script."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # put back afterwards
    monkeypatch.setattr(viewer, "GREETING_MS", 10**6)  # tests greet by hand
    script.teach(client)
    application = make_application()
    Settings().set("theme", "light")
    window = make_window(client)
    window.files.native = False
    window.resize(1280, 720)
    qtbot.addWidget(window, before_close_func=_let_go)
    with qtbot.waitExposed(window):
        window.show()
    window.lab.pulse.beat()
    yield window
    shiboken6.delete(window)  # a thousand old widgets would be styled once more
    if next(_windows) % COLLECT_EVERY == 0:
        gc.collect()
    application.setStyleSheet("")


def _let_go(window):
    """Close without being asked about a run that only a script runs."""
    window.leave(keep_training=True)


@pytest.fixture
def beat(window, client):
    """Let messages arrive, and the window take them in."""

    def play(*messages):
        client.play(*messages)
        window.lab.pulse.beat()

    return play


@pytest.fixture
def stepping(window, beat):
    """A judged episode of an open session is looked at."""
    beat(script.status("idle"), script.session(window.lab.draft.configuration))
    window.show_workspace("step")
    beat(script.episode(1))
    for _ in range(4):
        beat()
    assert window.lab.episode.moment is not None
    return window
