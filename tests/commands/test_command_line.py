"""How the command line itself behaves."""

import logging
import subprocess
import sys

import pytest

from engine.command_line import build_parser, main
from engine.commands import opening
from engine.commands.output import Progress, bar, duration
from engine.commands.problems import explain

LATER = ("serve",)
NOW = (
    "train",
    "resume",
    "evaluate",
    "inspect",
    "certify",
    "fork",
    "export",
    "import",
    "presets",
    "environments",
    "algorithms",
    "check-env",
    "demo",
)


def test_the_commands_of_now_are_there_and_those_of_later_are_not():
    _, names = build_parser()
    assert set(NOW) <= set(names)
    assert not set(LATER) & set(names)


@pytest.mark.parametrize("name", NOW)
def test_every_command_explains_itself(name, capsys):
    with pytest.raises(SystemExit) as left:
        main([name, "--help"])
    assert left.value.code == 0
    assert f"rllab {name}" in capsys.readouterr().out


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    for name in NOW:
        assert name in text


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["tran"], "Did you mean train?"),
        (["zzzz"], "rllab --help"),
        (["train"], "rllab train --help"),
        (["train", "cartpole", "--steps", "many"], "'many' is not a whole number"),
        (["train", "cartpole", "--steps", "0"], "above 0"),
        (["train", "cartpole", "--seed", "-1"], "--seed"),
        (["evaluate", "a.h5", "--checkpoint", "first"], "'first' is not a whole"),
        (["evaluate"], "FILE.h5"),
        (["export", "a.h5", "--to", "avi", "--out", "b"], "'avi'"),
        (["presets", "--nonsense"], "--nonsense"),
        (["demo"], "--out"),
        (["no.h5"], "There is no session file 'no.h5'"),
    ],
)
def test_a_wrong_request_is_refused_in_one_sentence(rllab, words, part):
    rllab(*words).refused_with(part)


def test_without_a_display_no_window_opens_and_the_sentence_says_what_works(
    rllab, monkeypatch
):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    rllab().failed_with("no display", "rllab demo")


def test_the_window_is_a_program_of_its_own(rllab, monkeypatch, tmp_path):
    started = []

    class Window:
        def __init__(self, command):
            started.append(command)

        def wait(self):
            return 0

    monkeypatch.setattr(subprocess, "Popen", Window)
    (tmp_path / "a.h5").touch()
    assert rllab("a.h5").status == 0
    assert started[0][1:] == ["-P", "-m", "rllab_gui", str(tmp_path / "a.h5")]
    assert rllab().status == 0
    assert started[1][1:] == ["-P", "-m", "rllab_gui"]
    rllab("demo", "--out", "show")
    assert started[2][1:] == [
        "-P",
        "-m",
        "rllab_gui.demo",
        "--out",
        str(tmp_path / "show"),
    ]
    assert (tmp_path / "show").is_dir()


@pytest.mark.parametrize(("problems", "status"), [([], 0), (["It broke."], 1)])
def test_what_the_demo_saved_is_looked_into(rllab, monkeypatch, problems, status):
    found = {"problems": problems, "verified": not problems}
    found |= {"steps": 1200, "episodes": 3, "checkpoints": 2}
    monkeypatch.setattr(opening, "_run_window", lambda module, arguments: 0)
    monkeypatch.setattr("engine.sessions.inspect", lambda path, verify: found)
    said = rllab("demo", "--out", "show")
    assert said.status == status
    assert ("demo.h5 is whole: 1,200 steps" in said.out) == (not problems)
    assert ("It broke." in said.err) == bool(problems)


@pytest.mark.parametrize(("status", "ours"), [(0, 0), (1, 1), (3, 1), (-6, 1)])
def test_the_status_of_the_window_becomes_ours(rllab, monkeypatch, status, ours):
    class Window:
        def __init__(self, command):
            pass

        def wait(self):
            return status

    monkeypatch.setattr(subprocess, "Popen", Window)
    said = rllab()
    assert said.status == ours
    assert ("ended by itself" in said.err) == (status < 0)


def test_a_folder_that_cannot_be_made_is_refused(rllab, tmp_path):
    (tmp_path / "file").touch()
    rllab("demo", "--out", "file/x").refused_with("cannot be made")


def test_a_missing_toolkit_is_told(rllab, monkeypatch):
    monkeypatch.setattr(opening, "find_spec", lambda name: None)
    rllab().failed_with("PySide6", "bootstrap.py")


def test_the_lists_import_neither_torch_nor_qt():
    code = (
        "import sys\n"
        "from engine.command_line import main\n"
        "main(['presets']); main(['algorithms']); main(['tran'])\n"
        "sys.exit(any(it in sys.modules for it in ('torch', 'PySide6', 'gymnasium')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_reader_that_leaves_early_is_no_error():
    code = f"{sys.executable} -m engine.command_line algorithms | head -n 1"
    done = subprocess.run(code, shell=True, capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.startswith("value-based")


def test_an_unforeseen_error_is_a_sentence_and_with_debug_a_traceback(capsys):
    with pytest.raises(ZeroDivisionError) as caught:
        1 / 0  # noqa: B018
    assert explain(caught.value, debug=False) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "--debug" in said
    assert explain(caught.value, debug=True) == 1
    assert "Traceback" in capsys.readouterr().err


def test_debug_shows_where_a_refusal_arose(rllab):
    said = rllab("train", "nope", "--debug")
    assert said.status == 2
    assert "Traceback" in said.err


def test_ctrl_c_is_no_traceback(rllab, monkeypatch):
    def interrupted(words):
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.command_line.parse", interrupted)
    said = rllab("presets")
    assert said.status == 1
    assert said.err.startswith("rllab: Stopped")


def test_a_bar_is_drawn_on_a_terminal_only(capsys, monkeypatch):
    Progress().move(0.5, "half")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    progress = Progress()
    progress.move(0.5, "half")
    progress.move(0.6, "too soon to be drawn again")
    progress.move(1.0, "done")
    progress.say("a line")
    progress.clear()
    said = capsys.readouterr().err
    assert "half" in said
    assert "too soon" not in said
    assert said.endswith("\r\x1b[Ka line\n")


def test_a_quiet_command_says_nothing(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    progress = Progress(quiet=True)
    progress.move(1.0, "done")
    progress.say("a line")
    progress.clear()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("fraction", "shown"),
    [
        (0.0, "[....]   0 %"),
        (0.5, "[##..]  50 %"),
        (1.0, "[####] 100 %"),
        (7.0, "[####] 100 %"),
        (-1.0, "[....]   0 %"),
    ],
)
def test_the_bar_shows_a_fraction(fraction, shown):
    assert bar(fraction, width=4) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (59.6, "1:00"), (3723, "1:02:03")]
)
def test_durations_read_like_a_clock(seconds, shown):
    assert duration(seconds) == shown


@pytest.mark.parametrize(("more", "entries"), [([], 0), (["--debug"], 1)])
def test_a_log_is_for_processes_and_for_debug(
    more, entries, tmp_path, monkeypatch, caplog, capsys
):
    def strange(*_):
        raise TypeError("a list where a number was")

    caplog.set_level(logging.NOTSET, "engine")
    monkeypatch.setattr("engine.sessions.live_store.open_sound", strange)
    (tmp_path / "a.live").mkdir()
    main(["inspect", str(tmp_path / "a.h5"), *more])
    assert "those of a session (TypeError)" in capsys.readouterr().out
    assert len(caplog.records) == entries
