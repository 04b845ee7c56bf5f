"""Tours: they lead through the real window, by the names that the tests use too."""

import json

import pytest
import script
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QAbstractButton, QScrollArea, QWidget

from rllab_gui.lessons.tour import FIRST_STEPS, TourProblem, read_tour


def written(folder, *steps, title="Mine"):
    path = folder / "mine.json"
    path.write_text(json.dumps({"title": title, "steps": list(steps)}))
    return path


def press(window, name):
    window.findChild(QAbstractButton, f"tour.{name}").click()


def test_the_tour_that_comes_with_the_lab_names_only_what_there_is(window):
    for step in read_tour(FIRST_STEPS).steps:
        assert window.findChild(QWidget, step.objectName) is not None, step
        verb, _, what = step.action.partition(" ")
        assert verb != "command" or what in window.lab.commands
        assert verb != "workspace" or what in window.workspaces


def test_a_tour_marks_its_places_and_goes_on_and_back(window, tmp_path):
    path = written(
        tmp_path,
        {"text": "Look here.", "objectName": "train.param.agent.discount"},
        {"text": "And here.", "action": "workspace step"},
        {"text": "The end."},
    )
    window.teaching.guide.begin(path)
    guide = window.teaching.guide
    assert guide.isVisible()
    assert guide._text.text() == "Look here."
    assert guide._mark.target.objectName() == "train.param.agent.discount"
    press(window, "next")
    assert guide._text.text() == "And here."
    assert not guide._mark.isVisible()
    press(window, "next")
    assert window.current_workspace().name == "step"
    assert guide._next.text() == "End"
    press(window, "back")
    assert guide._text.text() == "And here."
    press(window, "next")
    press(window, "next")
    assert not guide.isVisible()


def test_a_step_waits_until_what_it_waits_for_holds(window, tmp_path, beat):
    path = written(
        tmp_path,
        {"text": "Press Train.", "action": "command train.start", "wait": "running"},
        {"text": "It runs.", "wait": "step 500"},
        {"text": "Long enough."},
    )
    window.teaching.guide.begin(path)
    press(window, "next")
    assert window.teaching.guide._next.text() == "Skip waiting"
    beat(script.status("running"))
    assert window.teaching.guide._text.text() == "It runs."
    beat(script.status("running", step=600))  # nobody has pressed anything
    assert window.teaching.guide._text.text() == "Long enough."


def test_what_holds_already_does_not_hurry_a_step(window, tmp_path, beat):
    beat(script.status("running", step=600))
    path = written(tmp_path, {"text": "Read me.", "wait": "step 500"}, {"text": "2"})
    window.teaching.guide.begin(path)
    beat(script.status("running", step=700))
    assert window.teaching.guide._text.text() == "Read me."
    press(window, "next")
    assert window.teaching.guide._text.text() == "2"


def test_a_tour_can_be_left_at_any_time(window, tmp_path):
    path = written(
        tmp_path, {"text": "Look.", "objectName": "rail.step"}, {"text": "2"}
    )
    window.teaching.guide.begin(path)
    press(window, "end")
    assert not window.teaching.guide.isVisible()
    assert not window.teaching.guide._mark.isVisible()
    assert window.teaching.guide.step is None


WRONG = [
    ({}, "says nothing"),
    ({"text": "a", "action": "dance"}, "has the action 'dance'"),
    ({"text": "a", "action": "click", "objectName": "rail.step"}, "has the action"),
    ({"text": "a", "action": "command"}, "may not be run by a tour"),
    ({"text": "a", "action": "command branch.delete"}, "may not be run by a tour"),
    ({"text": "a", "action": "command app.quit"}, "may not be run by a tour"),
    ({"text": "a", "wait": "forever"}, "waits for 'forever'"),
    ({"text": "a", "wait": "step many"}, "waits for 'step many'"),
    ({"text": "a", "wait": "step " + "9" * 50}, "waits for 'step 9"),
    ({"text": "a", "wait": "running x"}, "waits for 'running x'"),
    ({"text": "a", "action": "x" * 300}, "is not a tour"),
    ({"text": "a", "colour": "red"}, "is not a tour"),
]
OF_ANOTHER_WINDOW = [
    ({"text": "a", "objectName": "rail.nowhere"}, "marks 'rail.nowhere'"),
    ({"text": "a", "action": "workspace nowhere"}, "the workspace 'nowhere'"),
]


@pytest.mark.parametrize(("step", "sentence"), WRONG)
def test_a_wrong_tour_is_refused_with_a_sentence(tmp_path, step, sentence):
    with pytest.raises(TourProblem, match=sentence):
        read_tour(written(tmp_path, step))


def test_what_is_wrong_with_a_tour_stands_among_the_messages(window, tmp_path):
    problems = window.lab.problems
    for step, sentence in (*WRONG, *OF_ANOTHER_WINDOW):
        assert problems.entries() == ()
        window.teaching.guide.begin(written(tmp_path, step))
        assert not window.teaching.guide.isVisible()
        (entry,) = problems.entries()
        assert sentence in entry.problem.what
        problems.solve(entry.problem.id)


def test_waiting_can_be_skipped_and_esc_leaves(window, tmp_path, qtbot):
    path = written(tmp_path, {"text": "Never.", "wait": "branch"}, {"text": "2"})
    window.teaching.guide.begin(path)
    press(window, "next")
    assert window.teaching.guide._text.text() == "Never."
    press(window, "next")
    assert window.teaching.guide._text.text() == "2"
    qtbot.keyClick(window.teaching.guide, Qt.Key.Key_Escape)
    assert not window.teaching.guide.isVisible()


def test_many_words_scroll_and_the_buttons_stay_in_reach(window, tmp_path):
    window.teaching.guide.begin(written(tmp_path, {"text": "a\n" * 900}))
    for scale in (1.0, 2.0):
        window.lab.theme.set_scale(scale)
        card = window.teaching.guide.geometry()
        assert window.rect().contains(card)
        end = window.findChild(QAbstractButton, "tour.end")
        assert window.teaching.guide.rect().contains(end.geometry())


def test_the_card_is_as_high_as_the_names_of_keys_need(window, tmp_path):
    guide = window.teaching.guide
    guide.begin(written(tmp_path, {"text": "{transport.loop} is a key. " * 20}))
    before = guide.geometry()
    assert window.key_map.choose("transport.loop", QKeySequence("Shift+Ins")) == ""
    assert guide.height() > before.height()
    assert guide.geometry().bottom() == before.bottom()
    assert guide._text.height() >= guide._text.heightForWidth(guide._text.width())


def test_a_mark_follows_what_is_scrolled(window, tmp_path, qtbot):
    name = "train.param.agent.discount"
    window.teaching.guide.begin(
        written(tmp_path, {"text": "Look.", "objectName": name})
    )
    mark, row = window.teaching.guide._mark, window.findChild(QWidget, name)
    bar = row.parentWidget()
    while not isinstance(bar, QScrollArea):
        bar = bar.parentWidget()
    bar.verticalScrollBar().setValue(bar.verticalScrollBar().value() + 20)

    def there():
        at = row.mapTo(window, QPoint(0, 0))
        return (
            mark.isVisible()
            and mark.geometry().center()
            == QRect(at, row.size()).adjusted(-3, -3, 3, 3).center()
        )

    qtbot.waitUntil(there)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"title": "a", "steps": []}', "\0"])
def test_what_is_no_tour_is_told(tmp_path, text):
    path = tmp_path / "mine.json"
    path.write_text(text)
    with pytest.raises(TourProblem, match="is not a tour"):
        read_tour(path)
    with pytest.raises(TourProblem, match="is not a tour"):
        read_tour(tmp_path / "missing.json")
