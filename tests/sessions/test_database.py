"""What reading a live store raises becomes a sentence, and its place a log entry."""

import logging

import pytest

from engine.sessions.database import telling
from engine.sessions.problems import SessionProblem

WHAT = "The session 'a' cannot be read"


def told(error):
    with pytest.raises(SessionProblem) as raised, telling(WHAT):
        raise error
    return raised.value


def test_too_little_memory_is_not_blamed_on_the_session():
    problem = told(MemoryError())
    assert problem.kind == "io"
    assert str(problem).startswith(f"{WHAT}: the memory of the computer is used up.")


@pytest.mark.parametrize("error", [AttributeError("q"), TypeError("q"), KeyError("q")])
def test_contents_without_sense_leave_their_trace_in_the_log(error, caplog):
    with caplog.at_level(logging.WARNING, "engine.sessions"):
        problem = told(error)
    assert problem.kind == "foreign"
    assert type(error).__name__ in str(problem)
    assert WHAT in caplog.text
    assert "Traceback" in caplog.text
    assert "in told" in caplog.text


def test_a_problem_that_is_told_already_is_told_as_it_is(caplog):
    problem = SessionProblem("It is locked.", "locked")
    assert told(problem) is problem
    assert caplog.records == []
