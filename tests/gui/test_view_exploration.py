"""Exploration over time: what applies is shown, and what to switch on is said."""

import numpy as np
import pytest
import script
from PySide6.QtWidgets import QComboBox
from showing import show
from test_view_loss import rows

from engine.contract.messages import TrainerStatus
from engine.contract.options import Configuration
from rllab_gui.views.exploration import QUANTITIES, ExplorationView

KINDS = [
    ("epsilon_greedy", {"epsilon": [1.0, 0.5]}),
    ("boltzmann", {"temperature": [1.0, 0.9]}),
    ("noisy", {"noise.torso.0": [0.3, 0.2], "noise.head": [0.4, 0.1]}),
    ("bootstrapped", {"disagreement": [2.0, 1.0]}),
]


@pytest.fixture
def view(context, qtbot):
    return show(qtbot, ExplorationView(context))


@pytest.fixture
def play(context, client):
    def at_once(*messages):
        client.play(*messages)
        context.pulse.beat()

    return at_once


@pytest.fixture
def explore(play):
    """A session that explores in this way."""

    def explore(kind, **options):
        flat = {"exploration.kind": kind, **options}
        play(script.session(Configuration().with_options(flat), uuid=kind))

    return explore


@pytest.mark.parametrize(("kind", "series"), KINDS, ids=lambda it: str(it))
def test_each_way_shows_its_own_series(view, play, explore, kind, series):
    explore(kind)
    play(rows(**({"epsilon": [0.0, 0.0]} | series)))
    model = view.model()
    assert {name for name in model if not name.endswith("_x")} == set(series)
    for name, values in series.items():
        np.testing.assert_array_equal(model[name], values)
        np.testing.assert_array_equal(model[f"{name}_x"], [100, 200])
    assert not view._box.isVisible()


def test_noise_has_a_line_for_each_layer_by_name(view, play, explore):
    explore("noisy")
    play(rows(**{"noise.torso.0": [0.3], "noise.head": [0.1]}))
    legend = view.plot.legend().replace("&nbsp;", " ")
    assert "torso.0 0.300" in legend
    assert "head 0.100" in legend
    assert [line.isVisible() for line in view._lines] == [True, True]


def test_a_bonus_beside_it_can_be_chosen(view, play, explore, context):
    explore("epsilon_greedy", **{"exploration.bonus": 0.1})
    play(rows(epsilon=[0.5], bonus=[0.02]))
    assert set(view.model()) == {"epsilon", "epsilon_x"}
    box = view.findChild(QComboBox, "train.exploration.what")
    assert box.isVisible()
    box.setCurrentIndex(1)
    box.activated.emit(1)
    context.pulse.beat()
    assert view.model()["bonus"].tolist() == [0.02]
    explore("noisy")
    play(rows(**{"noise.head": [0.1]}))
    assert "noise.head" in view.model()


def test_what_is_empty_says_what_to_switch_on(view, play, explore):
    assert view.emptiness()[0] == "Nothing explored yet."
    play(TrainerStatus("running", step=10))
    assert "random until learning starts" in view.emptiness()[0]
    explore("ucb")
    play(rows(epsilon=[0.0]))
    title, guidance, _ = view.emptiness()
    assert "UCB" in title
    assert "count bonus" in guidance


def test_every_quantity_says_what_it_is():
    assert len({it.series for it in QUANTITIES}) == len(QUANTITIES)
    assert all(it.title and it.words for it in QUANTITIES)
