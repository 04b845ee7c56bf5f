"""A window's parts without an engine: fake client, link, store, cursor, theme."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from fake_client import FakeClient
from PySide6.QtWidgets import QApplication

from rllab_gui.commands import Commands
from rllab_gui.cursor import Cursor
from rllab_gui.episode import ShownEpisode
from rllab_gui.link import Link
from rllab_gui.pulse import Pulse
from rllab_gui.store import Store
from rllab_gui.theme import Theme
from rllab_gui.views.base import ViewContext


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
    return ViewContext(
        link=link,
        store=Store(link),
        cursor=cursor,
        theme=theme,
        commands=Commands(),
        episode=ShownEpisode(link, cursor, pulse),
        pulse=pulse,
    )
