"""The frame view: one moment, painted fast, with what it was worth."""

from time import process_time

import numpy as np
import pytest
from pictures import judged, number_of, teach
from showing import show

from engine.contract.catalogue import EnvironmentCard
from engine.contract.messages import EpisodeFinished
from rllab_gui.plots.picture import PictureBox
from rllab_gui.views.frame import FrameView
from rllab_gui.views.step_qbars import StepQBarsView
from rllab_gui.views.timeline import TimelineView


@pytest.fixture
def view(context, client, qtbot):
    teach(client, steps=137)
    made = show(qtbot, FrameView(context), 520, 420)
    context.cursor.show_episode("training", 4)
    for _ in range(8):
        context.pulse.beat()
    return made


def seek(context, t):
    context.cursor.seek(t)
    for _ in range(4):
        context.pulse.beat()


def label(view, name):
    return view.findChild(object, f"step.frame.{name}").text()


def test_picture_label_and_bar_are_of_one_moment(view, context):
    seek(context, 98)
    assert number_of(view.picture.frame()) == 98
    assert view.picture.number == 98
    assert label(view, "action").startswith("t 98/137 · action left (greedy)")
    assert view.bar.value == pytest.approx(98.5)
    assert label(view, "state").startswith("state: position 98.0  velocity −98.0")


def test_a_one_hot_state_is_one_word(view, context):
    card = EnvironmentCard("world", observation="onehot", shape=(2,), actions=2)
    context.store.set_card(card)
    seek(context, 98)
    assert label(view, "state") == "state: position"


def test_an_exploratory_action_is_marked(view, context):
    seek(context, 45)  # 45 % 7 == 3
    assert "(⚄ explored)" in label(view, "action")
    assert view.picture._dice
    seek(context, 46)
    assert not view.picture._dice


@pytest.mark.parametrize("size", [(400, 200), (200, 400), (200, 200)])
def test_the_die_lies_beside_the_picture_where_there_is_room(qtbot, theme, size):
    box = show(qtbot, PictureBox(theme), *size)
    box.resize(*size)
    box.set_frame(np.full((100, 100, 3), 10, np.uint8), 0)
    plain = box.grab().toImage()
    box.set_frame(np.full((100, 100, 3), 10, np.uint8), 0, explored=True)
    marked = box.grab().toImage()
    assert plain != marked
    place = box.target().toAlignedRect()
    if size == (200, 200):
        assert place.width() == 200
    else:
        assert plain.copy(place) == marked.copy(place)


def test_the_last_observation_has_no_action_but_a_return(view, context):
    seek(context, 137)
    assert (
        label(view, "action") == "t 137/137 · truncated · return 137.0 (undiscounted)"
    )


def test_the_evaluation_bar_keeps_the_scale_of_the_episode(view, context):
    seek(context, 3)
    low, high = view.bar._range
    seek(context, 130)
    assert view.bar._range == (low, high) == (0.0, 137.5)
    assert "V(s) = 130.5" in view.bar.accessibleDescription()


def test_a_note_of_the_stage_is_shown(context, client, qtbot):
    teach(client, note="Judged by the nearest checkpoint, step 8,000.")
    view = show(qtbot, FrameView(context))
    context.cursor.show_episode("training", 4)
    for _ in range(4):
        context.pulse.beat()
    assert label(view, "note") == "Judged by the nearest checkpoint, step 8,000."


def test_an_inexact_replay_is_said_to_be_one(context, client, qtbot):
    teach(client, exact=False)
    view = show(qtbot, FrameView(context))
    context.cursor.show_episode("training", 4)
    for _ in range(4):
        context.pulse.beat()
    assert "approximate" in label(view, "note")


def test_a_picture_that_is_not_what_was_seen_says_so(context, client, qtbot):
    teach(client)
    frames = client.answers["frames"]
    note = "It does not go the way it was recorded."
    client.answers["frames"] = lambda arguments: (
        frames(arguments) | {"exact": arguments["first"] < 20, "note": note}
    )
    view = show(qtbot, FrameView(context))
    context.cursor.show_episode("training", 4, t=30)
    for _ in range(4):
        context.pulse.beat()
    assert label(view, "note") == note


def test_an_environment_without_pictures_gives_the_reason(context, client, qtbot):
    teach(client)
    client.answers["frames"] = lambda arguments: "It draws nothing."
    view = show(qtbot, FrameView(context))
    context.cursor.show_episode("training", 4)
    for _ in range(4):
        context.pulse.beat()
    assert view.picture.frame() is None
    assert view.picture._words == "It draws nothing."
    assert label(view, "action").startswith("t 0/50")


def test_until_the_picture_is_here_another_one_says_which_it_is(
    view, context, client, qtbot
):
    seek(context, 98)
    del client.answers["frames"]
    with qtbot.waitSignal(context.episode.momentChanged):
        context.cursor.seek(3)
    context.pulse.beat()
    assert (number_of(view.picture.frame()), view.picture.number) == (98, 98)
    assert view.picture._words == "picture of t 98; that of t 3 is on its way"
    assert label(view, "action").startswith("t 3/137")


def test_empty_states_lead_on(context, client, qtbot):
    view = show(qtbot, FrameView(context))
    assert view.emptiness()[0] == "No episode recorded yet."
    context.link.episodeFinished.emit(
        EpisodeFinished("training", 1, 10, 5, 10, 10.0, True, 0)
    )
    assert view.emptiness()[0] == "No episode is chosen."
    context.cursor.show_episode("training", 1)
    assert view.emptiness()[0] == "The episode is being judged."
    client.reply(client.questions("judge_episode")[0].id, "It is not recorded.")
    context.pulse.beat()
    assert view.emptiness()[:2] == (
        "This episode cannot be shown.",
        "It is not recorded.",
    )


def test_a_step_is_painted_with_its_bars_within_fifty_milliseconds(
    context, client, qtbot
):
    """With prefetched frames of 600 x 400, and an episode of 10,000 steps.

    Processor time: the clock on the wall also counts whatever else the machine does.
    """
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (400, 600, 3), np.uint8)
    client.answers["judge_episode"] = lambda arguments: judged(10_000)
    client.answers["frames"] = lambda arguments: {
        "frames": np.stack([picture] * (arguments["last"] - arguments["first"] + 1))
    }
    view = show(qtbot, FrameView(context), 640, 480)
    bars = show(qtbot, StepQBarsView(context))
    show(qtbot, TimelineView(context), 700, 360)
    context.cursor.show_episode("training", 4, t=5_000)

    def prefetched():
        context.pulse.beat()
        return context.episode.frame(5_001) is not None

    qtbot.waitUntil(prefetched)
    took = []
    for t in range(5_001, 5_041):
        began = process_time()
        with qtbot.waitSignals([view.frameShown, bars.painted]):
            context.cursor.step(1)
        took.append(process_time() - began)
        assert view.picture.number == t
        context.pulse.beat()
    assert np.percentile(took, 95) <= 0.050, sorted(took)


@pytest.mark.parametrize("size", [(400, 300), (60, 40)])
def test_a_small_picture_is_seen_beside_its_die(theme, qtbot, size):
    theme.set_scale(2.0)
    box = PictureBox(theme)
    qtbot.addWidget(box)
    box.resize(*size)
    green = np.zeros((40, 60, 3), np.uint8)
    green[..., 1] = 255
    shares = []
    for explored in (False, True):
        box.set_frame(green, 0, explored=explored)
        picture = box.grab().toImage()
        place = box.target().toRect()
        seen = [
            picture.pixelColor(x, y)
            for x in range(place.left(), place.right() + 1, 2)
            for y in range(place.top(), place.bottom() + 1, 2)
        ]
        shares.append(sum(it.green() > 250 and it.red() < 5 for it in seen) / len(seen))
    assert shares[0] > 0.95
    assert 0.7 < shares[1] < shares[0]
