"""Options are named by the titles of their rows, wherever the window says something."""

import pytest

from engine.contract.messages import Event, Problem
from rllab_gui.option_words import event_text
from rllab_gui.titles import with_titles


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("set exploration.kind to another one.", "set Exploration to another one."),
        ("lower agent.learning_rate", "lower Learning rate"),
        ("see run.h5 and numpy.array", "see run.h5 and numpy.array"),
        ("rllab train --set agent.n_step=3", "rllab train --set agent.n_step=3"),
    ],
)
def test_known_keys_give_way_to_titles(said, shown):
    assert with_titles(said) == shown


@pytest.mark.parametrize(
    ("key", "old", "new", "text"),
    [
        ("agent.learning_rate", 0.0025, 0.0001, "Learning rate α 0.0025 → 0.0001"),
        ("agent.loss", "huber", "squared", "Loss huber → squared"),
        ("agent.double", True, False, "Double Q-learning on → off"),
        ("agent.batch_size", 64, 2048, "Batch size B 64 → 2\u202f048"),
    ],
)
def test_a_changed_option_is_told_by_title_symbol_and_values(key, old, new, text):
    data = {"key": key, "old": old, "new": new}
    assert event_text(Event("option", 5, f"{key} changed", 0.0, data)) == text


def test_complaints_and_problems_name_titles(window, beat):
    window.lab.draft.set_many(
        {"planning.kind": "dyna", "agent.estimator": "sarsa"}, "both"
    )
    sentence = " ".join(window.lab.draft.complaints.values())
    assert "planning.kind" not in sentence
    assert "Estimator to expected_sarsa, or Planning to none" in sentence
    beat(Problem(id="a", what="It is late.", fix="Raise evaluation.period."))
    shown = window.lab.problems.get("a").problem
    assert shown.sentence() == "It is late. Raise Evaluation period."


def test_the_events_of_this_run_name_titles(window, beat, qtbot):
    data = {"key": "agent.learning_rate", "old": 0.0025, "new": 0.0001}
    beat(Event("option", 5, "agent.learning_rate changed.", 0.0, data))
    window.show_view("train", "events")  # what is behind another tab is not drawn
    view = window.findChild(object, "train.events.table")

    def drawn():
        window.lab.pulse.beat()
        said = view.model().index(0, 3).data()
        return said == "Learning rate α 0.0025 → 0.0001"

    qtbot.waitUntil(drawn)
