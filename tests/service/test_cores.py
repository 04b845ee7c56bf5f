"""A core of its own for the run, where there are two."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine.contract.messages import ProcessState
from engine.contract.options import Configuration
from engine.service import children, spare_process
from engine.service.children import Children
from engine.service.cores import ALL, anywhere, core_of, stay_off

linux = pytest.mark.skipif(
    len(ALL) < 2, reason="cores can be left on Linux alone, and where there are two"
)
ASK = [sys.executable, "-c", "import os; print(len(os.sched_getaffinity(0)))"]


@pytest.fixture(autouse=True)
def everywhere_afterwards():
    yield
    stay_off(())


def cores_of_threads():
    """Of all threads of this process."""
    numbers = [int(it.name) for it in Path("/proc/self/task").iterdir()]
    return {frozenset(os.sched_getaffinity(it)) for it in numbers}


@pytest.mark.parametrize(
    ("options", "usable", "core"),
    [
        ({}, {0, 1}, [0]),
        ({}, {2, 5}, [2]),
        ({}, {0}, []),
        ({}, {0, 1, 2}, []),
        ({}, set(), []),
        ({"training.threads": 2}, {0, 1}, []),
        ({"training.mode": "synchronized"}, {0, 1}, []),
        ({"training.mode": "asynchronous"}, {0, 1}, []),
    ],
)
def test_a_run_of_one_thread_has_a_core_where_there_are_two(options, usable, core):
    configuration = Configuration().with_options(options)
    assert core_of(configuration, frozenset(usable)) == core


@linux
def test_all_threads_stay_off_and_come_back():
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait, daemon=True)
    thread.start()
    left = min(ALL)
    stay_off([left])
    assert cores_of_threads() == {ALL - {left}}
    stay_off(())
    assert cores_of_threads() == {ALL}
    ended.set()
    thread.join()


@linux
def test_what_is_started_anywhere_may_run_everywhere():
    stay_off(sorted(ALL)[1:])
    with anywhere():
        free = subprocess.run(ASK, capture_output=True, text=True, check=True)
    bound = subprocess.run(ASK, capture_output=True, text=True, check=True)
    assert (int(free.stdout), int(bound.stdout)) == (len(ALL), 1)
    assert len(os.sched_getaffinity(0)) == 1


@linux
def test_somewhere_it_always_runs():
    stay_off(ALL)
    assert cores_of_threads() == {ALL}


@linux
@pytest.mark.parametrize("while_it_runs", [False, True])
def test_helpers_go_along_and_come_back(while_it_runs):
    left = min(ALL)
    stay_off([left] if while_it_runs else ())
    command = [sys.executable, "-c", "input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as helper:
        stay_off([left], helpers=True)
        assert os.sched_getaffinity(helper.pid) == ALL - {left}
        stay_off(())
        assert os.sched_getaffinity(helper.pid) == ALL - {left}, "it may be a trainer"
        stay_off((), helpers=True)
        assert os.sched_getaffinity(helper.pid) == ALL
        helper.kill()


@linux
def test_all_but_a_trainer_keep_off_from_their_start(tmp_path, monkeypatch):
    code = (
        "import os; print(*sorted(os.sched_getaffinity(0)))\n"
        "from engine.service.cores import ALL; print(*sorted(ALL))"
    )
    monkeypatch.setattr(
        children, "python_command", lambda *_: [sys.executable, "-c", code]
    )
    family = Children(tmp_path / "processes.json", tmp_path)
    family.kept = [min(ALL)]
    for role, cores in (("spare", ALL - {min(ALL)}), ("trainer", ALL)):
        child = family.start(role)
        assert child.process.wait(30) == 0
        said = [{*map(int, it.split())} for it in child.log.read_text().splitlines()]
        assert said == [cores, ALL]
    family.ended()


@linux
@pytest.mark.parametrize(("role", "free"), [("trainer", True), ("stage", False)])
def test_a_spare_that_becomes_the_trainer_gets_its_core(monkeypatch, role, free):
    class Quiet:
        def __init__(self, line):
            pass

        def send(self, *_):
            pass

    monkeypatch.setattr(spare_process, "Trainer", Quiet)
    monkeypatch.setattr(spare_process, "StageWork", Quiet)
    stay_off([min(ALL)])
    spare = spare_process.Spare(Quiet(None))
    spare.on_message("supervisor", ProcessState(role, "starting"))
    assert (cores_of_threads() == {ALL}) == free
