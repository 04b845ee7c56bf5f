"""The Bellman inspector: its equation has the numbers of the stage."""

import numpy as np
import pytest
from pictures import CARD, teach
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QToolButton
from showing import show

from engine.contract.options import Configuration
from rllab_gui import resting
from rllab_gui.commands import Command
from rllab_gui.plots.bellman import UpdateChart
from rllab_gui.plots.updates import (
    choices,
    equation,
    error_words,
    fine,
    plain,
    rows_of,
    signed,
    standing,
    substituted,
)
from rllab_gui.views.bellman import StepBellmanView

WORDS = ("left", "right")
MEMORY = {
    "checkpoint_step": 12_500,
    "size": 1000,
    "probability": 0.002,
    "priority": 0.31,
    "weight": 0.73,
    "beta": 0.5,
}


def row(**changes):
    given = {
        "name": "current",
        "title": "as configured",
        "n_step": 1,
        "double": True,
        "bootstraps_online": False,
        "reward": 1.0,
        "discount": 0.99,
        "next_action": 1,
        "online_action": 1,
        "valuing_action": 0,
        "bootstrap": 63.2,
        "target": 63.568,
        "estimate": 64.0,
        "td_error": -0.432,
        "surprise": 0.432,
        "priority": 0.433,
    }
    return given | changes


def answer(arguments, **changes):
    ghost = row(name="n=3", title="n = 3", n_step=3, td_error=2.0, target=66.0)
    step = {"t": arguments["t"], "action": 1, "reward": 1.0, "note": ""}
    ends = {"terminated": False, "truncated": False, "checkpoint_step": 12_400}
    options = {"estimator": "q_learning", "discount": 0.99}
    return {"rows": [row(), ghost]} | step | ends | options | changes


def made(**changes):
    return rows_of({"rows": [row(**changes)]})[0]


def test_the_equation_is_that_of_the_estimator():
    word = WORDS.__getitem__
    double = plain(equation(made(), "q_learning"))
    assert double == "y = r + γ Q_target(s′, argmax_a Q_online(s′, a))"
    alone = made(double=False, bootstraps_online=True)
    assert plain(equation(alone, "q_learning")) == "y = r + γ max_a Q_online(s′, a)"
    three = equation(made(n_step=3, double=False), "sarsa")
    assert three == (
        "y = R<sup>(n)</sup> + γ<sup>n</sup> Q<sub>target</sub>(s<sub>t+n</sub>, a′)"
    )
    assert "Σ_a π(a|s′)" in plain(equation(made(), "expected_sarsa"))
    assert "log Σ_a exp" in plain(equation(made(double=False), "soft"))
    assert substituted(made(), word, 0.99) == (
        "y = 1.0000 + 0.99 · 63.200 (right) = 63.568"
    )
    ended = made(discount=0.0, target=1.0)
    assert "terminated: nothing is bootstrapped" in substituted(ended, word, 0.99)
    longer = made(discount=0.0, target=1.0, n_step=3)
    assert "terminated within the window: nothing" in substituted(longer, word, 0.99)
    assert substituted(ended, word, 0.0) == "y = 1.0000 (γ = 0)"
    assert error_words(made(), "right") == (
        "δ = y − Q(s, right) = 63.568 − 64.000 = −0.432"
    )


def test_both_networks_say_what_they_would_do_next():
    word = WORDS.__getitem__
    said = choices(made(), word)
    assert said == "Next, the online network prefers right, the target network left."
    agreed = choices(made(valuing_action=1), word)
    assert agreed == "Next, both networks prefer right."
    assert choices(made(discount=0.0), word) == ""


def test_the_memory_says_how_likely_the_step_was_drawn():
    said = standing(MEMORY, 0.433, 0.6)
    assert "priority 0.310, probability p^α / Σ p^α = 0.002" in said
    assert "2.0 times the even share" in said
    assert "make the priority 0.433" in said
    even = {"checkpoint_step": 5, "size": 1000, "probability": 0.001}
    assert standing(even, 0.1, 0.6).endswith("1/1,000, as any other.")
    assert standing({"why": "Gone."}, 0.1, 0.6) == "Gone."


@pytest.fixture
def view(context, client, qtbot, monkeypatch):
    monkeypatch.setattr(resting, "REST_MS", 0)
    teach(client)
    client.answers["explain_update"] = answer
    client.answers["remembered"] = lambda arguments: MEMORY | {"t": arguments["t"]}
    context.store.set_card(CARD)
    return show(qtbot, StepBellmanView(context), 360, 300)


def arrive(context, qtbot, view, t=12):
    context.cursor.show_episode("training", 1, t=t)
    context.pulse.beat()

    def here():
        context.pulse.beat()
        return view.asked.answer.get("t") == t

    qtbot.waitUntil(here)
    context.pulse.beat()


@pytest.mark.parametrize(
    "numbers",
    [
        {"td_error": -1.67e-6},
        {"target": 4.7161e7, "td_error": -0.5},
        {"target": -5_009_310.0, "td_error": -5_009_312.0},
    ],
)
def test_no_number_of_the_chart_is_cut(view, context, numbers):
    chart = view.findChild(UpdateChart)
    chart.show_rows(rows_of({"rows": [row(**numbers)]}), 0)
    (shown,) = chart.rows
    metrics = QFontMetricsF(context.theme.mono(relative=0.85))
    _, line, target = chart._columns()
    for words, left, right in (
        (fine(shown.target), line, target),
        (signed(shown.td_error), target, chart.width()),
    ):
        assert metrics.horizontalAdvance(words) < right - left
    assert chart.estimate_words(metrics, 1.0) == "┆"


def test_it_shows_the_rows_and_the_equation_of_the_chosen_one(
    view, context, client, qtbot
):
    arrive(context, qtbot, view)
    np.testing.assert_allclose(view.model()["td_error"], [-0.432, 2.0])
    assert "63.568" in view.panel.equation.text()
    assert view.answer_text().startswith("t 12: learning from it would move Q of right")
    qtbot.waitUntil(lambda: context.pulse.beat() or not view.memory.busy)
    context.pulse.beat()
    assert "probability" in view.plot.legend()
    below = view.panel.chart.row_rect(1).center().toPoint()
    qtbot.mouseClick(view.panel.chart, Qt.MouseButton.LeftButton, pos=below)
    context.pulse.beat()
    assert "R<sup>(n)</sup>" in view.panel.equation.text()
    assert view.answer_text().endswith("up (n = 3): δ = +2.00.")
    qtbot.keyClick(view.panel.chart, Qt.Key.Key_Up)
    context.pulse.beat()
    assert view.panel.chart.row == 0
    assert not view.busy.busy


def test_at_the_end_and_when_it_is_refused_it_says_why_there_is_no_update(
    view, context, client, qtbot
):
    arrive(context, qtbot, view)
    context.cursor.seek(10**6)
    context.pulse.beat()
    assert view.emptiness()[0] == "Here the episode ends."
    client.answers["explain_update"] = lambda arguments: "It is gone."
    context.cursor.seek(3)
    qtbot.waitUntil(lambda: context.pulse.beat() or bool(view.asked.problem))
    assert view.emptiness()[1] == "It is gone."


def test_c51_leads_to_its_projection(view, context, client, qtbot):
    done = []
    context.commands.add(
        Command("returns.projection", "Show", "Do it", lambda: done.append(1))
    )
    context.store.set_configuration(Configuration().with_options({"head.kind": "c51"}))
    arrive(context, qtbot, view)
    button = view.findChild(QToolButton, "plot.stepBellman.projection")
    assert not button.isHidden()
    button.click()
    assert done == [1]


def test_a_row_of_the_replay_table_is_inspected_until_the_cursor_moves(
    view, context, client, qtbot
):
    arrive(context, qtbot, view)
    context.selection.choose([(7, 3)], "1 step", "stepReplay")

    def here(t):
        context.pulse.beat()
        return view.asked.answer.get("t") == t

    qtbot.waitUntil(lambda: here(3))
    asked = client.questions("explain_update")[-1].arguments
    assert (asked["kind"], asked["episode"], asked["t"]) == ("training", 7, 3)
    context.pulse.beat()
    said = "Chosen in the replay table: episode 7, t 3: learning from it would"
    assert view.answer_text().startswith(said)
    context.selection.choose([(7, 3), (7, 4)], "2 steps", "stepReplay")
    qtbot.waitUntil(lambda: here(12))  # several are no one transition
    context.selection.choose([(7, 3)], "1 step", "stepReplay")
    context.cursor.seek(13)
    qtbot.waitUntil(lambda: here(13))
    context.pulse.beat()
    assert view.answer_text().startswith("t 13: learning")
