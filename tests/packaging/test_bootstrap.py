"""The set-up: finds a Python, is idempotent, and explains what it cannot do."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "packaging" / "bootstrap.py"


@pytest.fixture
def bootstrap(tmp_path, monkeypatch):
    """The module, with an environment folder of its own and no command run."""
    monkeypatch.setenv("RLLAB_VENV", str(tmp_path / "venv"))
    spec = importlib.util.spec_from_file_location("bootstrap", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.ran = []

    def run(command, **extra):
        module.ran.append([str(it) for it in command])
        if "venv" in command:
            module.script("python").parent.mkdir(parents=True)
            module.script("python").touch()
        return 0

    monkeypatch.setattr(module, "run", run)
    monkeypatch.setattr(module, "answers", lambda python, code="": True)
    monkeypatch.setattr(module, "loads", lambda name: True)
    return module


def installs(bootstrap):
    return [it for it in bootstrap.ran if "install" in it]


def test_it_needs_the_standard_library_only():
    tree = ast.parse(SCRIPT.read_text())
    names = {
        alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    names |= {it.module for it in ast.walk(tree) if isinstance(it, ast.ImportFrom)}
    assert names <= sys.stdlib_module_names


def test_an_old_python_can_read_it_far_enough():
    ast.parse(SCRIPT.read_text(), feature_version=(3, 6))


def test_torch_is_installed_first_and_alone_and_with_our_versions(bootstrap):
    bootstrap.set_up("test")
    commands = installs(bootstrap)
    assert all(str(bootstrap.CONSTRAINTS) in it for it in commands)
    assert [it[-1] for it in commands[:2]] == ["setuptools", "torch"]
    assert commands[2][-2:] == ["--editable", str(ROOT)]
    assert commands[3][-1] == f"{ROOT}[test]"
    assert commands[4][-2:] == ["--no-deps", "minatar"]


def test_what_is_up_to_date_is_not_installed_again(bootstrap):
    bootstrap.set_up("")
    bootstrap.ran.clear()
    bootstrap.set_up("")
    assert bootstrap.ran == []
    bootstrap.set_up("lint")
    assert [it[-1] for it in installs(bootstrap)] == [f"{ROOT}[lint]"]
    bootstrap.ran.clear()
    bootstrap.set_up("lint")
    bootstrap.set_up("")
    assert bootstrap.ran == []


def test_other_versions_are_installed_anew(bootstrap, tmp_path, monkeypatch):
    bootstrap.set_up("")
    bootstrap.ran.clear()
    changed = tmp_path / "constraints.txt"
    changed.write_text("torch==1.0\n")
    monkeypatch.setattr(bootstrap, "CONSTRAINTS", changed)
    bootstrap.set_up("")
    assert [it[-1] for it in installs(bootstrap)][:2] == ["setuptools", "torch"]


def test_bytecode_is_made_once_by_all_cores(bootstrap):
    bootstrap.set_up("test")
    assert all("--no-compile" in it for it in installs(bootstrap))
    made = [it for it in bootstrap.ran if "compileall" in it]
    assert made == [bootstrap.ran[-1]]
    at = made[0].index("-j")
    assert made[0][at + 1] == "0"
    library = "Lib" if sys.platform == "win32" else "lib"
    assert made[0][-1] == str(bootstrap.VENV / library)
    bootstrap.ran.clear()
    bootstrap.set_up("lint")
    assert not any("compileall" in it for it in bootstrap.ran)


def test_an_installation_that_failed_is_done_again(bootstrap, monkeypatch):
    monkeypatch.setattr(bootstrap, "must", lambda command, sentence: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        bootstrap.set_up("")
    assert not bootstrap.STAMP.exists()


def test_a_command_that_fails_is_one_sentence_and_status_1(
    bootstrap, monkeypatch, capsys
):
    monkeypatch.setattr(bootstrap, "run", lambda command, **extra: 1)
    assert bootstrap.main(["test"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert "private environment could not be made" in said[-1]


@pytest.mark.parametrize(
    ("versions", "chosen"),
    [
        ({"this": (3, 12), "a": (3, 11)}, "this"),
        ({"this": (3, 9), "a": (0, 0), "b": (3, 13)}, "b"),
        ({"this": (3, 14), "a": (3, 11)}, "a"),
        ({"this": (3, 14), "a": (3, 10)}, "this"),
    ],
)
def test_a_python_that_suits_is_found(bootstrap, monkeypatch, versions, chosen):
    monkeypatch.setattr(bootstrap, "python_candidates", lambda: list(versions))
    monkeypatch.setattr(bootstrap, "python_version", versions.get)
    monkeypatch.setattr(bootstrap, "answers", lambda python, code="": True)
    assert bootstrap.find_python() == chosen


def test_without_one_it_says_which_is_needed(bootstrap, monkeypatch):
    monkeypatch.setattr(bootstrap, "python_version", lambda python: (3, 8))
    with pytest.raises(bootstrap.CannotGoOn, match=r"needs Python 3\.11 or newer"):
        bootstrap.find_python()


def test_the_running_python_is_asked_first(bootstrap):
    assert bootstrap.python_candidates()[0] == sys.executable
    assert bootstrap.python_version(sys.executable) == sys.version_info[:2]
    assert bootstrap.python_version("no-such-python") == (0, 0)


@pytest.fixture
def bare(bootstrap, monkeypatch):
    """A Linux without two of the libraries, and no display."""
    monkeypatch.setattr(bootstrap.platform, "system", lambda: "Linux")
    monkeypatch.setattr(bootstrap, "has_display", lambda: False)
    missing = ("libGL.so.1", "libEGL.so.1", "libxcb-cursor.so.0")
    monkeypatch.setattr(bootstrap, "loads", lambda name: name not in missing)
    called = []
    monkeypatch.setattr(
        bootstrap.subprocess, "call", lambda command, **_: called.append(command)
    )
    bootstrap.called = called
    return bootstrap


def test_missing_system_libraries_are_installed_where_that_is_allowed(
    bare, monkeypatch
):
    monkeypatch.setattr(bare.shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(bare.os, "geteuid", lambda: 0, raising=False)
    bare.add_system_libraries()
    assert bare.called[0][:2] == ["apt-get", "update"]
    assert bare.called[1][:2] == ["apt-get", "install"]
    assert {"libgl1", "libegl1"} <= set(bare.called[1])
    assert "libxcb-cursor0" not in bare.called[1]


def test_with_a_display_its_libraries_are_needed_too(bare, monkeypatch):
    monkeypatch.setattr(bare, "has_display", lambda: True)
    monkeypatch.setattr(bare.shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(bare.os, "geteuid", lambda: 0, raising=False)
    bare.add_system_libraries()
    assert "libxcb-cursor0" in bare.called[1]


@pytest.mark.parametrize(("apt", "said"), [(True, "sudo apt-get"), (False, "libgl1")])
def test_elsewhere_the_exact_line_is_printed(bare, monkeypatch, apt, said):
    which = {"apt-get": "/bin/apt-get"} if apt else {}
    monkeypatch.setattr(bare.shutil, "which", which.get)
    monkeypatch.setattr(bare.os, "geteuid", lambda: 1000, raising=False)
    with pytest.raises(bare.CannotGoOn, match=said):
        bare.add_system_libraries()
    assert bare.called == []


@pytest.mark.parametrize(
    ("words", "marked"),
    [
        ([], ["not alone and not long", "alone and not long"]),
        (["--all"], [""]),
        (["-k", "x"], ["not alone and not long", "alone and not long"]),
    ],
)
def test_the_tests_run_offscreen_and_away_from_the_user(
    bootstrap, monkeypatch, words, marked
):
    seen, commands = {}, []

    def run(command, **extra):
        seen.update(extra)
        commands.append(command)
        return 5

    monkeypatch.setattr(bootstrap, "run", run)
    assert bootstrap.run_tests(words) == 5
    assert seen["QT_QPA_PLATFORM"] == "offscreen"
    assert seen["SDL_VIDEODRIVER"] == "dummy"
    assert seen["PYTHONDONTWRITEBYTECODE"] == ""
    assert not Path(seen["RLLAB_HOME"]).exists()  # it was temporary
    assert [it[it.index("-m", 3) + 1] for it in commands] == marked
    chosen = [it for it in words if it != "--all"]
    assert all(it[len(it) - len(chosen) :] == chosen for it in commands)
    assert ("RLLAB_REFERENCE_SEEDS" in seen) == ("--all" in words)


@pytest.mark.parametrize(
    ("count", "words"),
    [(1, []), (2, ["-n", "2", "--dist", "loadfile"]), (None, [])],
)
def test_tests_run_side_by_side_where_there_is_room(
    bootstrap, monkeypatch, count, words
):
    monkeypatch.setattr(bootstrap.os, "cpu_count", lambda: count)
    assert bootstrap.side_by_side() == words


@pytest.mark.parametrize(
    ("statuses", "status"),
    [([0, 5], 0), ([5, 5], 5), ([1, 0], 1), ([5, 2], 2), ([0, -11], -11)],
)
def test_one_part_without_tests_is_no_failure(bootstrap, statuses, status):
    assert bootstrap.worst(statuses) == status


@pytest.mark.parametrize(("display", "words"), [(True, ["rllab"]), (False, ["demo"])])
def test_without_a_display_the_demo_runs(bootstrap, monkeypatch, display, words):
    monkeypatch.setattr(bootstrap, "has_display", lambda: display)
    assert bootstrap.open_lab() == 0
    (command,) = bootstrap.ran
    assert ("demo" in command) == (not display)


def test_all_checks_run_even_if_one_fails(bootstrap, monkeypatch, capsys):
    monkeypatch.setattr(bootstrap, "run", lambda command: "mypy" in str(command[0]))
    assert bootstrap.run_checks([]) == 1
    assert "Checks failed: mypy" in capsys.readouterr().err


def test_a_wrong_word_shows_what_there_is():
    done = subprocess.run(
        [sys.executable, SCRIPT, "tset"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "bootstrap.py test" in done.stderr


def test_every_requirement_has_a_pinned_version():
    import re
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["test"], *extras["lint"]]
    pins = (ROOT / "packaging" / "constraints.txt").read_text().lower()
    pinned = {
        re.sub(r"[-_.]+", "-", line.split("==")[0])
        for line in pins.splitlines()
        if "==" in line
    }
    names = [re.match(r"[A-Za-z0-9_.-]+", it)[0].lower() for it in wanted]
    assert {re.sub(r"[-_.]+", "-", it) for it in names} <= pinned
    assert "torch==2.13.0" in pins
