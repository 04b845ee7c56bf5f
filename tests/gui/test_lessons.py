"""Lessons: everything has one, its numbers are those of now, its symbols lead home."""

import importlib
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from engine.contract.messages import Event
from engine.contract.options import Configuration, specs
from rllab_gui.lessons import markup
from rllab_gui.lessons.library import LessonLibrary
from rllab_gui.lessons.live import MOMENT, sources
from rllab_gui.lessons.record import SYMBOL, LessonProblem, lesson_from
from rllab_gui.views.discover import all_views

LIBRARY = LessonLibrary()
LESSONS = sorted(LIBRARY.lessons)
PLAIN = {
    "title": "Discount",
    "text": "How much later rewards count.",
    "equation": "{G} = Σ<sub>k</sub> {γ}<sup>k</sup> r",
    "derivation": ["By definition."],
    "what_if": "Larger looks farther.",
    "symbols": [
        {"symbol": "G", "meaning": "return"},
        {"symbol": "γ", "meaning": "discount", "value": "option:agent.discount"},
    ],
    "paper": {
        "authors": "Sutton and Barto",
        "year": 2018,
        "title": "Reinforcement Learning",
        "link": "http://incompleteideas.net/book/the-book-2nd.html",
    },
}


# ---------------------------------------------------------------- every lesson


@pytest.mark.parametrize("subject", [*specs(), *all_views()])
def test_every_option_and_every_view_has_a_lesson(subject):
    lesson = LIBRARY.about(subject)
    assert lesson is not None
    assert lesson.derivation


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_names_only_what_there_is(name):
    lesson = LIBRARY.lessons[name]
    assert set(lesson.options) <= set(specs())
    assert set(lesson.views) <= set(all_views())
    assert SYMBOL.findall(lesson.equation)
    for symbol in lesson.symbols:
        kind, _, key = symbol.value.partition(":")
        known = key in specs() if kind == "option" else symbol.value in sources()
        assert known or not symbol.value, symbol.value
    if lesson.function:
        module, _, function = lesson.function.rpartition(".")
        found = getattr(importlib.import_module(module), function)
        assert callable(found)
    if lesson.experiment is not None:
        Configuration().with_options(lesson.experiment.options)
        assert lesson.experiment.show in ("", *all_views())


def test_every_symbol_with_a_number_stands_somewhere_in_the_window(window):
    numbers = window.teaching.lesson.panel._numbers
    for lesson in LIBRARY.lessons.values():
        for symbol in lesson.symbols:
            if symbol.value:
                place = numbers.place(symbol.value)
                assert window.findChild(QWidget, place) is not None, place


def test_the_numbers_of_options_are_those_of_the_form(window):
    draft, panel = window.lab.draft, window.teaching.lesson.panel
    draft.set_many({"agent.discount": 0.875, "agent.n_step": 3}, "test")
    values = draft.configuration.flat()
    seen = 0
    for lesson in LIBRARY.lessons.values():
        panel.show_lesson(lesson.id)
        for symbol in lesson.symbols:
            kind, _, key = symbol.value.partition(":")
            number = isinstance(values.get(key), (int, float))
            if kind == "option" and number:
                shown = panel._numbers.words(symbol.value)
                assert float(shown.replace("−", "-").replace(",", "")) == pytest.approx(
                    values[key], rel=0.01
                )
                assert f"<b>{shown}</b>" in panel._symbols.text()
                seen += 1
    assert seen > 20
    assert panel._numbers.value("derived:horizon") == 8.0
    assert panel._numbers.value("derived:discount_n") == 0.875**3


def test_the_numbers_of_a_step_are_those_of_the_frame(stepping):
    moment, numbers = (
        stepping.lab.episode.moment,
        stepping.teaching.lesson.panel._numbers,
    )
    q = float(moment.q[moment.action])
    assert numbers.value("moment:q_taken") == q
    assert numbers.value("moment:target") == pytest.approx(q + moment.td_error)
    assert numbers.value("moment:value") == float(moment.q.max())
    rewards = moment.episode.rewards[moment.t :]
    discount = stepping.lab.store.configuration.agent.discount
    by_hand = sum(float(r) * discount**k for k, r in enumerate(rewards))
    assert numbers.value("moment:return_to_go") == pytest.approx(by_hand)


def test_clipped_rewards_and_lost_lives_count_as_they_are_learned_from(stepping):
    moment, plain = stepping.lab.episode.moment, Configuration()
    steps = moment.episode.steps
    episode = replace(
        moment.episode,
        rewards=np.full(steps, -7.0),
        life_lost=np.ones(steps, bool),
    )
    moment = replace(moment, episode=episode)
    clipped = plain.with_options({"environment.clip_rewards": True})
    learned, discount = MOMENT["learned_reward"][0], MOMENT["discount"][0]
    assert (learned(moment, plain), learned(moment, clipped)) == (-7.0, -1.0)
    assert discount(moment, plain) == 0.0
    kept = replace(moment, episode=replace(episode, life_lost=np.zeros(0, bool)))
    assert discount(kept, plain) == plain.agent.discount


def test_predict_mode_hides_what_the_agent_thinks_in_lessons_too(stepping):
    numbers = stepping.teaching.lesson.panel._numbers
    stepping.lab.commands.action("play.predict").trigger()
    assert stepping.lab.why.predict.hidden
    assert numbers.value("moment:q_taken") is None
    assert numbers.value("moment:td_error") is None
    assert numbers.value("moment:reward") is None  # it would tell what was done
    assert numbers.value("moment:t") is not None


def test_one_line_never_mixes_the_form_with_the_session(stepping):
    numbers, draft = stepping.teaching.lesson.panel._numbers, stepping.lab.draft
    session = stepping.lab.store.configuration.agent.discount
    draft.set("agent.discount", 0.5)
    assert numbers.value("option:agent.discount") == session
    assert numbers.value("moment:t") is not None
    stepping.show_workspace("train")
    assert numbers.value("option:agent.discount") == 0.5
    assert numbers.value("moment:t") is None
    assert numbers.value("status:step") is None
    draft.set("agent.discount", session)
    assert numbers.value("status:step") == 100


def test_after_a_change_while_it_learns_what_is_measured_still_counts(
    stepping, client, beat
):
    numbers, draft = stepping.teaching.lesson.panel._numbers, stepping.lab.draft
    stepping.show_workspace("train")
    draft.set("agent.discount", 0.5)
    assert numbers.value("status:step") is None
    data = {"key": "agent.discount", "old": 0.9, "new": 0.5}
    beat(Event("option", 50, "", 1.0, data))
    assert numbers.value("status:step") == 100
    stepping.show_workspace("step")
    assert numbers.value("option:agent.discount") == 0.5


# -------------------------------------------------------------------- the dock


def test_f1_opens_the_lesson_of_what_has_the_focus_and_closes_it(window, qtbot):
    assert not window.teaching.lesson.isVisible()
    window.go_to_option("agent.discount")
    qtbot.keyClick(window, Qt.Key.Key_F1)
    assert window.teaching.lesson.isVisible()
    assert "agent.discount" in window.teaching.lesson.panel.lesson.options
    window.go_to_option("agent.n_step")
    qtbot.keyClick(window, Qt.Key.Key_F1)
    assert "agent.n_step" in window.teaching.lesson.panel.lesson.options
    qtbot.keyClick(window, Qt.Key.Key_F1)
    assert not window.teaching.lesson.isVisible()


def test_a_symbol_marks_its_field_and_a_click_goes_there(window):
    window.teaching.explain("agent.discount")
    panel = window.teaching.lesson.panel
    number = next(
        i
        for i, it in enumerate(panel.lesson.symbols)
        if it.value == "option:agent.discount"
    )
    panel.equation.linkHovered.emit(str(number))
    assert (
        window.teaching.lesson.mark.target.objectName() == "train.param.agent.discount"
    )
    assert window.teaching.lesson.mark.isVisible()
    panel.equation.linkHovered.emit("")
    assert not window.teaching.lesson.mark.isVisible()
    window.show_workspace("step")
    panel.equation.linkActivated.emit(str(number))
    assert window.current_workspace().name == "train"


def test_an_experiment_sets_options_shows_where_to_look_and_is_undone(window):
    lesson = next(
        it
        for it in LIBRARY.lessons.values()
        if it.experiment is not None and it.experiment.options
    )
    window.teaching.lesson.panel.show_lesson(lesson.id)
    before = window.lab.draft.configuration
    window.teaching.lesson.panel.button.click()
    after = window.lab.draft.configuration.flat()
    for key, value in lesson.experiment.options.items():
        assert after[key] == value
    window.lab.history.undo()
    assert window.lab.draft.configuration == before


def test_all_lessons_can_be_chosen_from_the_list(window):
    window.teaching.explain("agent.discount")
    choice = window.teaching.lesson.panel.choice
    assert choice.count() == len(LESSONS)
    choice.setCurrentIndex(0)
    choice.activated.emit(0)
    assert window.teaching.lesson.panel.lesson.id == choice.itemData(0)


# ------------------------------------------------------------------ the record


def test_an_equation_shows_its_symbols_and_its_numbers():
    lesson = lesson_from("discount", PLAIN)
    assert "<sup>k</sup>" in markup.equation(lesson, "#000")
    values = {"option:agent.discount": "0.990"}
    assert "<b>0.990</b><sup>k</sup>" in markup.with_numbers(lesson, values.get)
    assert markup.with_numbers(lesson, {}.get) == ""
    assert markup.rich("a < b<sub>i</sub>") == "a &lt; b<sub>i</sub>"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"equation": "{H} = 1"}, "uses H"),
        ({"title": ""}, "cannot be read"),
        ({"colour": "red"}, "cannot be read"),
        ({"paper": {**PLAIN["paper"], "link": "javascript:1"}}, "cannot be read"),
    ],
)
def test_a_lesson_that_is_wrong_is_refused_with_a_sentence(change, sentence):
    with pytest.raises(LessonProblem, match=sentence):
        lesson_from("discount", {**PLAIN, **change})


def test_two_lessons_about_the_same_are_refused(tmp_path):
    text = (LessonLibrary()._folder / f"{LESSONS[0]}.toml").read_text("utf-8")
    for name in ("one", "two"):
        (tmp_path / f"{name}.toml").write_text(text, "utf-8")
    with pytest.raises(LessonProblem, match="'one' and 'two' both explain"):
        LessonLibrary(tmp_path).about("anything")
