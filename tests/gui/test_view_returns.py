"""Return distributions: what was sent is drawn, in words too; asked only if seen."""

import numpy as np
import pytest
from pictures import CARD, picture, teach
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSlider, QToolButton
from showing import show, wheel

from engine.contract.messages import Subscribe
from engine.contract.options import Configuration
from rllab_gui.commands import Command
from rllab_gui.plots.return_shapes import Returns, density, ordered, ticks
from rllab_gui.views.returns import ReturnsView
from rllab_gui.views.step_returns import StepReturnsView

SUPPORT = np.array([0.0, 10.0, 20.0], np.float32)
PROBS = np.array([[0.5, 0.5, 0.0], [0.25, 0.5, 0.25]], np.float32)


def options(kind="c51", **more):
    changes = {"head.kind": kind, "exploration.kind": "epsilon_greedy"}
    return Configuration().with_options(changes | more)


@pytest.fixture
def store(context):
    context.store.set_card(CARD)
    context.store.set_configuration(options())
    return context.store


def inside(**more):
    values = np.stack([SUPPORT, SUPPORT])
    given = {"return_values": values, "return_probs": PROBS}
    return given | {"preference": np.array([5.0, 10.0], np.float32)} | more


def play(context, client, *pictures):
    for it in pictures:
        client.play(it)
        context.pulse.beat()


# ------------------------------------------------------------------ pure shapes


def test_mean_spread_and_choice_by_hand():
    returns = Returns(
        values=np.stack([SUPPORT, SUPPORT]).astype(float),
        probs=PROBS.astype(float),
        liking=np.array([5.0, 0.0]),
        level=0.25,
    )
    assert returns.mean.tolist() == [5.0, 10.0]
    assert returns.deviation.tolist() == pytest.approx([5.0, np.sqrt(50.0)])
    assert returns.best == 0
    assert returns.averse
    assert returns.edge_mass == 0.5


def test_the_distribution_function_rises_in_order():
    values, reached = ordered(np.array([3.0, 1.0, 2.0]), np.array([0.5, 0.2, 0.3]))
    assert values.tolist() == [1.0, 2.0, 3.0]
    assert reached.tolist() == pytest.approx([0.2, 0.5, 1.0])


@pytest.mark.parametrize("values", [[1.0, 2.0, 4.0, 4.5], [3.0, 3.0, 3.0]])
def test_a_density_is_one_altogether(values):
    x, dense = density(np.array(values), (-30.0, 40.0))
    total = float(np.trapezoid(dense, x)) if np.ptp(values) else 1.0
    assert total == pytest.approx(1.0, abs=0.02)
    assert np.isfinite(dense).all()


def test_ticks_are_round_and_within():
    assert ticks((0.0, 100.0), 6).tolist() == [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]
    assert ticks((-0.7, 0.9), 4).tolist() == [-0.5, 0.0, 0.5]


# ---------------------------------------------------------------- the shown agent


def test_the_model_is_what_was_sent(store, context, client, qtbot):
    view = show(qtbot, ReturnsView(context))
    play(context, client, picture(q=[5.0, 10.0], action=0, inside=inside()))
    np.testing.assert_allclose(view.model()["probs"], PROBS)
    np.testing.assert_allclose(view.model()["mean"], [5.0, 10.0])
    assert view.model()["taken"][0] == 0
    legend = view.plot.legend().replace("&nbsp;", " ")
    assert legend.startswith(
        "right has the highest mean: 10.0, spread ± 7.07; taken was left (greedy)."
    )
    assert "discounted return, γ 0.99" in legend
    assert "50 % at an end of the support" in legend
    assert view.accessibleDescription().startswith("right has the highest mean")


def test_only_a_view_that_is_seen_asks_for_distributions(store, context, client, qtbot):
    view = show(qtbot, ReturnsView(context))
    context.pulse.beat()
    assert "returns" in client.of(Subscribe)[-1].topics
    view.hide()
    context.pulse.beat()
    assert "returns" not in client.of(Subscribe)[-1].topics


def test_who_chooses_by_cvar_is_marked_by_it(store, context, client, qtbot):
    store.set_configuration(options(**{"head.risk": "cvar", "head.risk_level": 0.1}))
    view = show(qtbot, ReturnsView(context))
    averse = inside(preference=np.array([4.0, 0.5], np.float32))
    play(context, client, picture(q=[5.0, 10.0], action=0, inside=averse))
    assert view.canvas.returns.best == 0
    legend = view.plot.legend().replace("&nbsp;", " ")
    assert legend.startswith("left has the highest CVaR of the worst 10 %: 4.00")
    assert "┊</span> CVaR 10 %" in legend


def test_the_axis_only_expands_and_stays_where_a_person_put_it(
    store, context, client, qtbot
):
    store.set_configuration(options("qr"))
    view = show(qtbot, ReturnsView(context))
    wide = inside(return_values=np.stack([SUPPORT - 40, SUPPORT + 40]))
    play(context, client, picture(inside=wide), picture(t=6, inside=inside()))
    low, high = view.canvas.range
    assert low <= -40.0
    assert high >= 60.0
    wheel(view.canvas, modifiers=Qt.KeyboardModifier.ControlModifier)
    assert view.axisMode == "manual"
    held = view.canvas.range
    far = inside(return_values=np.stack([SUPPORT, SUPPORT + 900]))
    play(context, client, picture(t=7, inside=far))
    assert view.canvas.range == held
    view.canvas.autoAsked.emit()
    context.pulse.beat()
    assert view.canvas.range[1] >= 900.0


@pytest.mark.parametrize("kind", ["c51", "qr", "mmd"])
@pytest.mark.parametrize("actions", [1, 2, 18])
def test_every_head_and_any_number_of_actions_is_drawn(
    kind, actions, store, context, client, qtbot, theme
):
    store.set_configuration(options(kind))
    view = show(qtbot, ReturnsView(context))
    rng = np.random.default_rng(0)
    given = {
        "return_values": np.sort(rng.normal(size=(actions, 11)), 1).astype(np.float32),
        "return_probs": np.full((actions, 11), 1 / 11, np.float32),
    }
    for choice in ("light", "dark"):
        theme.set_choice(choice)
        play(context, client, picture(q=np.zeros(actions), action=0, inside=given))
        assert not view.grab().isNull()
    assert view.canvas.row_rect(actions - 1).bottom() <= view.canvas.floor() + 1


def test_a_scalar_head_explains_itself_and_offers_c51(context, qtbot):
    done = []
    context.commands.add(
        Command("head.distribution", "C51", "Do it", lambda: done.append(1))
    )
    context.store.set_configuration(options("scalar"))
    view = show(qtbot, ReturnsView(context))
    context.pulse.beat()
    assert view.emptiness()[0] == "Only a mean is learned."
    view.findChild(object, "empty.head.distribution").click()
    assert done == [1]


# ------------------------------------------------------------------ at the cursor


def answer(arguments):
    """Distributions that name their step: the first value is t."""
    t = np.arange(arguments["first"], arguments["last"] + 1)
    values = np.broadcast_to(SUPPORT, (len(t), 2, 3)).copy()
    values[:, :, 0] = t[:, None]
    return {
        "first": arguments["first"],
        "checkpoint_step": 12_000,
        "return_values": values,
        "return_probs": np.broadcast_to(PROBS, (len(t), 2, 3)),
        "liking": np.zeros((len(t), 2)),
    }


PROJECTION = {
    "t": 12,
    "support": SUPPORT,
    "current": PROBS[0],
    "projected": np.array([0.2, 0.5, 0.3]),
    "next_values": SUPPORT,
    "target_values": 1.0 + 0.5 * SUPPORT,
    "target_probs": PROBS[1],
    "reward": 1.0,
    "discount": 0.5,
    "terminated": False,
    "action": 0,
    "next_action": 1,
    "checkpoint_step": 12_000,
}


@pytest.fixture
def stepping(store, context, client, qtbot):
    """The view with an episode of 200 steps, at step 12."""
    teach(client, 200)
    client.answers["inside_episode"] = answer
    client.answers["project_returns"] = lambda arguments: (
        PROJECTION | {"t": arguments["t"]}
    )
    view = show(qtbot, StepReturnsView(context), 420, 300)
    context.cursor.show_episode("training", 4)
    context.pulse.beat()
    seek(context, 12)
    return view


def seek(context, t):
    context.cursor.seek(t)
    for _ in range(4):
        context.pulse.beat()


def test_at_the_cursor_it_is_the_step_of_the_cursor(stepping, context, client):
    assert stepping.model()["values"][0, 0] == 12.0
    assert "by checkpoint 12,000" in stepping.plot.caption()
    for t in (13, 14, 15):
        seek(context, t)
        assert stepping.model()["values"][0, 0] == t
    assert len(client.questions("inside_episode")) == 1
    seek(context, 190)
    assert stepping.model()["values"][0, 0] == 190.0
    last = client.questions("inside_episode")[-1].arguments
    assert (last["first"], last["last"]) == (158, 200)


def test_the_next_steps_are_asked_for_before_they_are_needed(stepping, context, client):
    seek(context, 40)
    assert len(client.questions("inside_episode")) == 2
    assert stepping.inside.steps == range(8, 73)


def test_a_hidden_view_asks_nothing(store, context, client, qtbot):
    teach(client, 200)
    view = show(qtbot, StepReturnsView(context))
    view.hide()
    context.cursor.show_episode("training", 4)
    seek(context, 12)
    assert client.questions("inside_episode") == []


def test_what_cannot_be_looked_into_says_why(store, context, client, qtbot):
    teach(client)
    client.answers["inside_episode"] = lambda _: "There is no checkpoint to look into."
    view = show(qtbot, StepReturnsView(context))
    context.cursor.show_episode("training", 4)
    seek(context, 12)
    assert view.emptiness()[1] == "There is no checkpoint to look into."


def test_the_projection_is_asked_for_and_shown_moment_by_moment(
    stepping, context, client
):
    assert client.questions("project_returns") == []
    stepping.findChild(QToolButton, "plot.stepReturns.projection").click()
    for _ in range(3):
        context.pulse.beat()
    asked = client.questions("project_returns")[-1].arguments
    assert asked == {"kind": "training", "episode": 4, "checkpoint_step": -1, "t": 12}
    assert stepping.film.isVisible()
    assert not stepping.canvas.isVisible()
    np.testing.assert_allclose(stepping.model()["projected"], [0.2, 0.5, 0.3])
    slider = stepping.findChild(QSlider, "plot.stepReturns.phase")
    stepping._motion.stop()
    for value, values, word in (
        (0, [0.0, 10.0, 20.0], "1 What follows: right"),
        (50, [0.5, 8.0, 15.5], "2 Moved: z becomes r + γz, r = 1.00, γ = 0.5."),
        (100, [1.0, 6.0, 11.0], "2 Moved"),
        (200, [1.0, 6.0, 11.0], "3 Projected"),
        (300, [1.0, 6.0, 11.0], "4 Compared: the estimate of left"),
    ):
        slider.setValue(value)
        np.testing.assert_allclose(stepping.film.moved(), values)
        film = stepping.film
        assert film.projection.words(film.names, film.phase).startswith(word)
        assert not stepping.grab().isNull()
    assert "a TD error of 6.00" in stepping.plot.caption()


def test_after_the_last_state_there_is_no_projection(stepping, context, client):
    stepping.findChild(QToolButton, "plot.stepReturns.projection").click()
    seek(context, 200)
    assert stepping.film.note == "After the last state nothing follows."
    seek(context, 3)
    assert client.questions("project_returns")[-1].arguments["t"] == 3
    assert stepping.film.projection is not None


def test_other_heads_have_no_projection(stepping, context):
    context.store.set_configuration(options("qr"))
    context.pulse.beat()
    assert not stepping.open.isVisible()
