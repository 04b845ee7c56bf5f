"""Curves of several seeds at once: a line each, what stands for all, and the words."""

import numpy as np
import pytest
from msgspec.structs import replace
from showing import show
from test_view_curve import returns

from engine.contract.messages import SessionStatus
from engine.contract.options import Configuration
from rllab_gui.plots.export import csv_bytes
from rllab_gui.plots.numbers import smoothed
from rllab_gui.plots.seed_statistics import middle
from rllab_gui.views.curve import CurveView


def of_seed(seed, values):
    return replace(returns(values), names=[f"return.seed_{seed}"])


@pytest.fixture
def view(context, client, qtbot):
    view = show(qtbot, CurveView(context))
    options = {"training.seed": 3, "training.seeds": 4}
    configuration = Configuration().with_options(options).to_json()
    client.play(SessionStatus(uuid="a", configuration=configuration))
    rows = {3: [10, 20, 30], 4: [15, 25, 30], 5: [20, 20, 20], 6: [40, 40]}
    client.play(returns(rows.pop(3)), *(of_seed(*it) for it in rows.items()))
    context.pulse.beat()
    return view


def test_each_seed_has_a_line_and_a_name_in_the_table(view):
    model = view.model()
    np.testing.assert_array_equal(model["raw"], [10, 20, 30])
    np.testing.assert_allclose(model["seed_4_smoothed"], smoothed([15, 25, 30], 0.9))
    np.testing.assert_array_equal(model["seed_5_x"], [20, 40, 60])
    # They are compared where all of them are: from step 40 to step 60.
    x = model["seeds_x"]
    assert (x[0], x[-1]) == (40, 60)
    lines = [(model["x"], model["smoothed"])] + [
        (model[f"seed_{it}_x"], model[f"seed_{it}_smoothed"]) for it in (4, 5, 6)
    ]
    each = np.stack([np.interp(x, *it) for it in lines])
    np.testing.assert_allclose(model["seeds_iqm"], middle(each))
    assert (model["seeds_low"] <= model["seeds_high"]).all()
    table = csv_bytes(model, view.plot.caption()).decode()
    assert "seed_6_smoothed" in table
    assert "n = 4 seeds, episodes of seed 3" in table


def test_the_words_tell_how_many_and_which(view, context):
    legend = view.plot.legend().replace("&nbsp;", " ")
    assert "n = 4 seeds" in legend
    assert "interquartile mean, 95 % bootstrap interval" in legend
    assert "EMA of seeds 4 to 6" in legend
    assert "of seed 3 alone" in legend
    at = view.plot.pixel_of(60.0, 40.0)
    assert at.y() != view.plot.pixel_of(60.0, 20.0).y()
    assert "seed 6: moving average 40" in view._words_at(60.0, 40.0)
    view._box.setCurrentIndex(view._box.findData("episode"))
    context.pulse.beat()
    assert view.model()["seeds_x"][-1] == 1, "the shortest has two episodes"


def test_another_session_has_its_own_seeds(view, context, client):
    client.play(SessionStatus(uuid="b", configuration=Configuration().to_json()))
    client.play(returns([5, 6]))
    context.pulse.beat()
    assert "n = 1 seed" in view.plot.legend().replace("&nbsp;", " ")
    assert not any(name.startswith("seed") for name in view.model())
