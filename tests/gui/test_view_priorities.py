"""Priorities: exact bins, zeros apart, and a way out where there are none."""

import msgspec
import numpy as np
import pytest
import script
from showing import show

from engine.contract.catalogue import find_preset
from engine.contract.messages import PriorityReport
from rllab_gui.commands import Command
from rllab_gui.views.priorities import PrioritiesView
from rllab_gui.views.priority_words import bin_words, top_share, words_of

REPORT = PriorityReport(
    kind="prioritized",
    step=12_400,
    size=100,
    capacity=1000,
    alpha=0.6,
    beta=0.5,
    bin_edges=np.array([-2.0, -1.0, 0.0, 1.0]),
    counts=np.array([60, 25, 5]),
    zero_count=10,
    mass=np.array([0.2, 0.4, 0.4]),
    weight=np.array([1.0, 0.5, 0.2]),
    age_edges=np.array([0.0, 50.0, 100.0]),
    age_counts=np.array([50, 50]),
)


@pytest.fixture
def view(context, qtbot):
    context.store.set_configuration(find_preset("cartpole").configuration)
    return show(qtbot, PrioritiesView(context), 480, 460)


@pytest.fixture
def play(context, client):
    def at_once(**changes):
        client.play(msgspec.structs.replace(REPORT, **changes))
        context.pulse.beat()

    return at_once


def test_the_model_is_what_was_sent(view, play):
    play()
    for name in ("bin_edges", "counts", "mass", "weight"):
        np.testing.assert_array_equal(view.model()[name], getattr(REPORT, name))
    assert view.model()["zero_count"][0] == 10
    np.testing.assert_array_equal(view.ages.model()["age_counts"], [50, 50])


def test_bars_stand_on_their_bins_and_zeros_apart(view, play):
    play()
    np.testing.assert_allclose(view._bars.opts["y1"], [60, 25, 5])
    assert np.all(view._bars.opts["x0"] > REPORT.bin_edges[:-1])
    assert np.all(view._bars.opts["x1"] < REPORT.bin_edges[1:])
    assert view._zero.isVisible()
    assert view._zero.opts["x1"][0] < REPORT.bin_edges[0]
    assert view._axis.tickStrings([view._axis.floor, -1.0, 1.0], 1, 1) == [
        "0",
        "0.1",
        "10",
    ]


def test_without_zeros_there_is_no_bin_for_them(view, play):
    play(zero_count=0)
    assert not view._zero.isVisible()
    assert view._axis.floor is None


def test_probability_and_weight_are_drawn_on_the_right_axis(view, play):
    play()
    x, mass = view._mass.getData()
    np.testing.assert_array_equal(x, REPORT.bin_edges)
    np.testing.assert_array_equal(mass, REPORT.mass)
    assert view._weight.getData()[1].tolist() == [1.0, 0.5, 0.2]


def test_a_logarithmic_count_axis_warns_of_nothing(view, play, context):
    play(counts=np.array([60, 0, 5]))
    view.plot.header.findChild(object, "plot.priorities.log").click()
    context.pulse.beat()
    bars = view._bars.opts
    assert bars["y1"][1] == bars["y0"]  # an empty bin has no bar
    assert bars["y1"][0] == pytest.approx(np.log10(60))
    assert not view.grab().isNull()


def test_the_top_tenth_is_counted_from_the_highest_bins():
    # ten of a hundred: the five of the last bin, and five of the 25 before them
    assert top_share(REPORT) == pytest.approx(0.4 + 0.4 * 5 / 25)
    assert "gets 48 % of the samples (uniform: 10 %)" in words_of(REPORT)
    assert "10 have priority zero" in words_of(REPORT)


def test_nothing_stored_has_no_top():
    empty = msgspec.structs.replace(REPORT, counts=np.zeros(3, int), zero_count=0)
    assert top_share(empty) == 0.0


def test_a_bin_tells_what_it_holds():
    assert bin_words(REPORT, -0.5) == (
        "priority 0.100 to 1.00\n25 transitions\nsampled with probability 40.0 %\n"
        "importance weight 0.500"
    )
    assert bin_words(REPORT, -2.5) == "priority 0: 10"
    assert bin_words(REPORT, 5.0) == ""


def test_uniform_replay_explains_itself_and_offers_priorities(context, qtbot):
    done = []
    context.commands.add(
        Command("replay.prioritize", "Prioritize", "Do it", lambda: done.append(1)),
        Command("explain.priorities", "Explain", "Why", lambda: done.append(2)),
    )
    context.store.set_configuration(find_preset("cartpole-plain-dqn").configuration)
    view = show(qtbot, PrioritiesView(context))
    context.pulse.beat()
    assert view.emptiness()[0] == "This agent samples uniformly."
    view.findChild(object, "empty.replay.prioritize").click()
    view.findChild(object, "empty.explain.priorities").click()
    assert done == [1, 2]


def test_an_agent_without_memory_says_so(context, qtbot):
    plain = find_preset("cartpole-plain-dqn").configuration
    replay = plain.replay.model_copy(update={"kind": "none"})
    context.store.set_configuration(plain.model_copy(update={"replay": replay}))
    view = show(qtbot, PrioritiesView(context))
    assert view.emptiness()[0] == "This agent keeps no replay memory."


def test_sequences_have_no_priorities(context, client, qtbot):
    plain = find_preset("cartpole-plain-dqn").configuration
    replay = plain.replay.model_copy(update={"kind": "sequence"})
    context.store.set_configuration(plain.model_copy(update={"replay": replay}))
    view = show(qtbot, PrioritiesView(context))
    empty = {"bin_edges": np.zeros(0), "counts": np.zeros(0)}
    client.play(msgspec.structs.replace(REPORT, kind="sequence", **empty))
    context.pulse.beat()
    assert view.emptiness()[0] == "This agent learns from sequences."


def test_before_anything_is_stored_it_says_so(view, context):
    assert view.emptiness()[0] == "Nothing is stored yet."


def test_data_do_not_move_an_axis_that_a_person_zoomed(view, play):
    play()
    view.plot.zoom_to((-1, 0), (0, 10))
    play(counts=np.array([6000, 2500, 500]), size=10_000)
    (left, right), (low, high) = view.plot.shown_range()
    assert (left, right, low, high) == pytest.approx((-1, 0, 0, 10))


def test_the_legend_says_which_axis_is_which(view, play):
    play()
    legend = view.plot.legend().replace("&nbsp;", " ")
    for words in ("(right)", "α 0.6", "β 0.5", "stored transitions"):
        assert words in legend


def test_of_a_session_that_is_looked_back_at_the_memory_is_offered(
    view, context, client
):
    configuration = find_preset("cartpole").configuration
    client.play(script.session(configuration, live=False))
    context.pulse.beat()
    _, words, offers = view.emptiness()
    assert "a checkpoint keeps its memory" in words
    assert [it[0] for it in offers] == ["replay.browse"]
