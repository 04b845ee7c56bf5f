"""Where the engine keeps what it writes."""

import re
from datetime import datetime
from pathlib import Path

from engine.contract.options import configuration_from_flat
from engine.service.home import find_home
from engine.sessions.live_folder import live_path


def test_a_new_session_is_named_after_its_environment_and_the_time(tmp_path):
    home = find_home(tmp_path)
    of = configuration_from_flat({"environment.id": "MinAtar/Breakout-v1"})
    path = Path(home.new_session(of))
    assert path.parent == tmp_path / "sessions"
    assert re.fullmatch(r"breakout-v1-\d{4}-\d\d-\d\d-\d{6}\.h5", path.name)


def test_two_that_begin_within_a_second_have_two_names(tmp_path, monkeypatch):
    class Stopped(datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2026, 1, 2, 3, 4, 5)

    monkeypatch.setattr("engine.service.home.datetime", Stopped)
    home = find_home(tmp_path)
    home.sessions.mkdir()
    first = home.dated_session("cartpole")
    assert first.name == "cartpole-2026-01-02-030405.h5"
    live_path(first).mkdir()  # it is being written
    second = home.dated_session("cartpole")
    assert second.name == "cartpole-2026-01-02-030405-2.h5"
    second.touch()
    assert home.dated_session("cartpole").stem.endswith("-3")
