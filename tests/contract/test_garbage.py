"""What stays is left out when garbage is searched for."""

import gc
import subprocess
import sys
import threading

import pytest

from engine.contract.garbage import kept_for_good


@pytest.fixture(autouse=True)
def thawed():
    yield
    gc.unfreeze()
    assert gc.isenabled()


def test_what_was_made_inside_is_never_searched_again():
    before = gc.get_freeze_count()
    with kept_for_good():
        assert not gc.isenabled()
        made = [[number] for number in range(5_000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= before + 5_000
    assert not any(it is made for it in gc.get_objects())
    del made  # who is held by nobody goes as always


def test_the_last_of_several_threads_ends_it_for_all():
    inside, leave = threading.Event(), threading.Event()

    def other():
        with kept_for_good():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    assert inside.wait(10)
    with kept_for_good():
        pass
    assert not gc.isenabled()
    leave.set()
    thread.join()
    assert gc.isenabled()


def test_a_failure_inside_ends_it_too():
    with pytest.raises(ZeroDivisionError), kept_for_good():
        raise ZeroDivisionError
    assert gc.isenabled()


@pytest.mark.parametrize(
    "code",
    [
        "from engine.stage.minds import LearnerLibrary as L; it = L(); it.wait()",
        "from engine.sessions import reader_process as r; r.serve = lambda it: None; "
        "r.sys.argv = ['', 'x']; r.main()",
    ],
)
def test_processes_leave_out_what_they_have_imported(code):
    told = f"import gc; {code}; print(gc.isenabled(), gc.get_freeze_count() > 20_000)"
    run = [sys.executable, "-c", told]
    assert subprocess.run(run, capture_output=True, text=True).stdout == "True True\n"
