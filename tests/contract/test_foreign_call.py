import os

from engine.contract.foreign_call import (
    MAKE,
    RENDER,
    STEP,
    CallNote,
    ForeignCall,
    call_under_way,
)


def test_another_process_reads_which_call_is_under_way(tmp_path):
    path = tmp_path / "trainer.1.call"
    assert call_under_way(path) is None
    note = CallNote()
    note.keep_in(path)
    assert call_under_way(path) is None
    note.episode("Corridor-v0", 77)
    note.enter(STEP, 12)
    call = call_under_way(path)
    assert call == ForeignCall("Corridor-v0", STEP, 12, 77, number=1)
    assert call.place == "its step() (step 12 of the episode with seed 77)"
    note.leave()
    assert call_under_way(path) is None


def test_a_call_outlives_the_process_that_was_in_it(tmp_path):
    path = tmp_path / "trainer.1.call"
    child = os.fork()
    if child == 0:
        note = CallNote()
        note.keep_in(path)
        note.episode("Ä" * 100, 2**63 + 5)
        note.enter(RENDER, 3)
        os._exit(0)
    os.waitpid(child, 0)
    call = call_under_way(path)
    assert call.id == "Ä" * 60
    assert (call.call, call.step, call.seed) == (RENDER, 3, 5)


def test_a_copy_that_an_environment_makes_of_its_process_ends_when_it_comes_back():
    note = CallNote()
    note.enter(MAKE)
    child = os.fork()
    if child == 0:
        note.leave()
        os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    note.leave()


def test_a_damaged_note_is_none(tmp_path):
    path = tmp_path / "trainer.1.call"
    for data in (b"", b"\1", bytes([99]) + bytes(135)):
        path.write_bytes(data)
        assert call_under_way(path) is None
