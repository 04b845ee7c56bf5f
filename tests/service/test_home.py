"""Where the engine keeps what it writes."""

import re
from pathlib import Path

from engine.contract.options import configuration_from_flat
from engine.service.home import find_home


def test_a_new_session_is_named_after_its_environment_and_the_time(tmp_path):
    home = find_home(tmp_path)
    of = configuration_from_flat({"environment.id": "MinAtar/Breakout-v1"})
    path = Path(home.new_session(of))
    assert path.parent == tmp_path / "sessions"
    assert re.fullmatch(r"breakout-v1-\d{4}-\d\d-\d\d-\d{6}\.h5", path.name)
