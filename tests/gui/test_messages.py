"""One row for each kind of problem, which goes when the problem goes."""

import sys

import pytest
import script
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QPushButton

from engine.contract.messages import Problem, SessionStatus, Solved, StartTraining
from rllab_gui.problems import install_hook


def died(**more):
    return Problem(
        "engine.trainer.died",
        "The training process ended (signal 11).",
        "Everything up to step 12,000 is safe.",
        **more,
    )


def test_three_hundred_equal_problems_make_one_row(window, beat):
    beat(*[died()] * 312)
    rows = window.messages.findChildren(
        QLabel, "main.messages.engine.trainer.died.count"
    )
    assert [row.text() for row in rows] == ["× 312"]
    assert window.messages.isVisible()


def test_a_solved_problem_takes_its_row_away(window, beat):
    beat(died())
    assert window.messages.row("engine.trainer.died") is not None
    beat(Solved("engine.trainer.died"))
    assert window.messages.row("engine.trainer.died") is None
    assert not window.messages.isVisible()


def test_a_refused_file_is_forgotten_once_another_has_opened(window, beat):
    beat(Problem("engine.open", "'a.h5' has no valid seal."))
    assert window.messages.row("engine.open") is not None
    beat(script.session(window.lab.draft.configuration))
    assert window.messages.row("engine.open") is None


def back_at_500():
    text = "The trainer ended unexpectedly and is back at step 500; no step is lost."
    return Problem("engine.trainer.recovered", text, severity="information")


@pytest.mark.parametrize(
    "other", [{}, {"path": "/data/b.h5"}, {"path": "/data/b.h5", "uuid": "u2"}]
)
def test_what_is_about_a_session_goes_with_it_and_the_rest_stays(window, beat, other):
    options = window.lab.draft.configuration
    unwritten = Problem("engine.save", "'run.h5' could not be written.")
    beat(script.session(options), back_at_500(), unwritten, died())
    window.lab.certificate.ask()
    beat(script.session(options, live=False, durable_step=500))
    assert len(window.lab.problems.entries()) == 4
    beat(script.session(options, **other) if other else SessionStatus())
    left = [it.problem.id for it in window.lab.problems.entries()]
    assert left == ["engine.save", "engine.trainer.died"]
    assert window.messages.row("engine.trainer.recovered") is None


def test_the_note_of_a_session_comes_with_it_and_stays(window, beat):
    note = Problem("engine.session.note", "Its replay is not whole.")
    beat(script.session(window.lab.draft.configuration), note)
    assert window.messages.row("engine.session.note") is not None


def test_the_fix_button_does_the_command(window, client, beat, qtbot):
    beat(died(fixes=[("train.start", "Train anew"), ("no.such", "Never shown")]))
    fixes = window.messages.findChildren(QPushButton)
    assert [it.text() for it in fixes] == ["Train anew"]
    assert fixes[0].objectName() == "main.messages.engine.trainer.died.fix"
    qtbot.mouseClick(fixes[0], Qt.MouseButton.LeftButton)
    assert client.of(StartTraining)


def test_a_line_to_install_can_be_copied(window, beat, qtbot):
    beat(Problem("missing", "Needs a package.", fixes=[("copy:pip install x", "Copy")]))
    qtbot.mouseClick(
        window.findChild(QPushButton, "main.messages.missing.fix"),
        Qt.MouseButton.LeftButton,
    )
    assert QGuiApplication.clipboard().text() == "pip install x"


def test_details_are_folded(window, beat, qtbot):
    beat(died(details="Traceback"))
    details = window.findChild(object, "main.messages.engine.trainer.died.details")
    assert not details.isVisible()
    window.findChild(object, "main.messages.engine.trainer.died.more").click()
    assert details.isVisible()
    assert details.toPlainText() == "Traceback"


def test_a_row_can_be_dismissed(window, beat):
    beat(died())
    window.findChild(object, "main.messages.engine.trainer.died.close").click()
    assert window.lab.problems.entries() == ()


def test_an_exception_in_a_slot_is_shown_and_fails_tests(window, qtbot):
    def broken():
        raise KeyError("lost")

    with qtbot.captureExceptions() as caught:
        before = sys.excepthook
        install_hook(window.lab.problems)
        with qtbot.waitSignal(window.lab.problems.changed):
            QTimer.singleShot(0, broken)
        sys.excepthook = before
    assert [kind for kind, *_ in caught] == [KeyError]
    entry = window.lab.problems.get("window.exception.KeyError")
    assert entry is not None
    assert "broken" in entry.problem.details


def test_an_answer_that_is_an_error_becomes_a_row(window, client):
    number = window.lab.link.ask("unheard", {}, lambda result: None)
    client.reply(number, "There is no such question.")
    window.lab.pulse.beat()
    row = window.messages.row("window.question")
    assert row.accessibleDescription() == "There is no such question."
