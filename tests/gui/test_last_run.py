"""Traces of the last run are offered once, at the next start."""

import subprocess
import sys
import textwrap

import pytest

from rllab_gui.last_run import OTHERS, OWN, LastRun
from rllab_gui.settings import Settings

TRACE = "Traceback (most recent call last):\n  File ...\nRuntimeError: it burnt\n"


@pytest.fixture
def logs(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


def test_where_nothing_failed_nothing_is_offered(logs):
    (logs / OTHERS).write_text("started\n")
    assert LastRun(logs, Settings()).problem() is None


@pytest.mark.parametrize("name", [OWN, OTHERS])
def test_a_trace_is_offered_once(logs, name):
    (logs / name).write_text(TRACE)
    problem = LastRun(logs, Settings()).problem()
    assert "RuntimeError: it burnt" in problem.details
    assert LastRun(logs, Settings()).problem() is None


def test_what_comes_later_is_offered_without_what_was(logs):
    (logs / OTHERS).write_text(TRACE)
    LastRun(logs, Settings()).problem()
    with (logs / OTHERS).open("a") as log:
        log.write(TRACE.replace("burnt", "froze"))
    details = LastRun(logs, Settings()).problem().details
    assert "froze" in details
    assert "burnt" not in details


def test_a_log_that_was_begun_again_is_read_from_its_beginning(logs):
    (logs / OTHERS).write_text("x" * 1000)
    LastRun(logs, Settings()).problem()
    (logs / OTHERS).write_text(TRACE)
    assert LastRun(logs, Settings()).problem() is not None


@pytest.mark.parametrize(
    ("end", "sign"),
    [
        ("raise RuntimeError('it burnt')", "RuntimeError: it burnt"),
        ("faulthandler._sigabrt()", "Fatal Python error: Aborted"),
    ],
)
def test_an_exception_and_a_crash_are_written_down(logs, tmp_path, end, sign):
    code = f"""
        import faulthandler, sys
        from pathlib import Path
        from rllab_gui.last_run import LastRun
        from rllab_gui.settings import Settings
        LastRun(Path({str(logs)!r}), Settings(Path({str(tmp_path)!r}))).watch()
        {end}
    """
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, check=False
    )
    assert sign in LastRun(logs, Settings(tmp_path)).problem().details
