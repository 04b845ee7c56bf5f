"""What it seems to look at: hypotheses in words and pictures, and their tests."""

import numpy as np
import pytest
from pictures import CARD, teach
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QToolButton
from showing import show

from engine.contract.catalogue import EnvironmentCard
from rllab_gui import resting
from rllab_gui.plots.picture import tinted
from rllab_gui.views.saliency import StepSaliencyView
from rllab_gui.views.saliency_words import found_words, part_words, perturbations

PLANES = EnvironmentCard(
    id="MinAtar/Breakout-v1",
    observation="image",
    shape=(10, 10, 4),
    actions=2,
    action_names=("left", "right"),
)
WORD = ("left", "right").__getitem__


def bars(arguments):
    q = np.array([61.0, 64.0])
    return {
        "q": q,
        "action": 1,
        "greedy": 1,
        "t": arguments["t"],
        "checkpoint_step": 12_400,
        "observation": np.arange(4.0),
        "observation_names": list(CARD.observation_names),
        "spread": np.ones(4),
        "share": 0.25,
        "lower": np.tile(q, (4, 1)) - [[0, 0.5], [0, 0], [0, 4.0], [0, 0]],
        "upper": np.tile(q, (4, 1)) - [[0, -0.5], [0, -1.0], [0, 0], [0, 0]],
        "lower_greedy": np.array([1, 1, 0, 1]),
        "upper_greedy": np.array([1, 1, 1, 1]),
    }


def squares(arguments):
    values = np.zeros((10, 10))
    values[3, 4], values[9, 9] = 2.0, -1.0
    answer = {"map": values, "side": 2, "height": 10, "width": 10, "q": np.zeros(2)}
    step = {"t": arguments["t"], "action": 0, "greedy": 0, "checkpoint_step": 5}
    if arguments["method"] == "integrated":
        answer["explained"] = 1.01
    return answer | step


def tried(arguments):
    part = {"row": -1, "column": -1, "feature": -1, "share": 0.0}
    part |= {name: it for name, it in arguments.items() if name in part}
    q = {"q": np.array([61.0, 64.0]), "changed_q": np.array([62.0, 60.0])}
    return q | part | {"greedy": 1, "changed_greedy": 0, "t": arguments["t"]}


def test_a_test_says_what_became_of_each_action_and_of_the_best():
    said = found_words(tried({"t": 1, "row": 2, "column": 3}), WORD, ())
    assert said == (
        "Without row 3, column 4: ΔQ left +1.00 (to 62.0), right −4.00 (to 60.0). "
        "The greedy action flips: right → left."
    )
    names = perturbations(bars({"t": 1})).names
    moved = tried({"t": 1, "feature": 2, "share": -0.25})
    assert part_words(moved, names) == "angle lowered by 25 % of its spread"
    assert part_words(tried({"t": 1}), names) == "Nothing taken out"


def test_the_veil_is_coloured_by_sign_and_strongest_where_it_counts(theme):
    veil = tinted(np.array([[2.0, -1.0], [0.0, 0.0]]), theme)
    assert veil[0, 0, 3] == 217
    assert veil[0, 1, 3] == 108
    assert veil[1].max() == 0
    assert tuple(veil[0, 0, :3]) != tuple(veil[0, 1, :3])
    assert not tinted(np.zeros((2, 2)), theme).any()


@pytest.fixture
def view(context, client, qtbot, monkeypatch):
    monkeypatch.setattr(resting, "REST_MS", 0)
    teach(client)
    client.answers |= {"saliency": bars, "test_saliency": tried}
    context.store.set_card(CARD)
    return show(qtbot, StepSaliencyView(context), 360, 320)


def arrive(context, qtbot, view, t=12):
    context.cursor.show_episode("training", 1, t=t)

    def here():
        context.pulse.beat()
        return view.asked.answer.get("t") == t and not view.asked.busy

    qtbot.waitUntil(here)
    context.pulse.beat()


def test_the_bars_of_a_few_numbers_are_tested_by_a_click(view, context, client, qtbot):
    arrive(context, qtbot, view)
    np.testing.assert_allclose(view.model()["lowered"], [-0.5, 0.0, -4.0, 0.0])
    assert view.answer_text().startswith(
        "Hypothesis: right leans most on angle: lowered by 25 % of its spread it "
        "changes Q by −4.00 and flips the greedy action."
    )
    view.findChild(QToolButton, "step.why.saliency.test").click()
    context.pulse.beat()
    asked = client.questions("test_saliency")[-1].arguments
    assert (asked["feature"], asked["share"], asked["t"]) == (2, -0.25, 12)
    assert "flips: right → left" in view.answer_text()
    place = view.bars.bar_place(0, 1).center().toPoint()
    qtbot.mouseClick(view.bars, Qt.MouseButton.LeftButton, pos=place)
    context.pulse.beat()
    assert view.bars.marked == (0, 1)
    qtbot.keyClick(view.bars, Qt.Key.Key_Down)
    context.pulse.beat()
    assert view.bars.marked == (1, -1)
    arrive(context, qtbot, view, t=13)
    assert "flips: right" not in view.answer_text()


def test_a_picture_is_tested_by_squares_and_laid_over_the_frame(
    view, context, client, qtbot
):
    client.answers["saliency"] = squares
    context.store.set_card(PLANES)
    arrive(context, qtbot, view)
    assert "row 2, column 3 counts most" in view.answer_text()
    assert view.picture.squares == (5, 5)
    assert view.picture.overlay is not None
    place = view.picture.square_rect(4, 4).center().toPoint()
    qtbot.mouseClick(view.picture, Qt.MouseButton.LeftButton, pos=place)
    context.pulse.beat()
    assert view.picture.marked == (4, 4)
    assert "Without row 5, column 5" in view.answer_text()
    qtbot.keyClick(view.picture, Qt.Key.Key_Up)
    context.pulse.beat()
    assert view.picture.marked == (3, 4)
    box = view.findChild(QComboBox, "step.why.saliency.method")
    box.setCurrentIndex(box.findData("integrated"))
    qtbot.waitUntil(lambda: context.pulse.beat() or "explained" in view.asked.answer)
    context.pulse.beat()
    assert "Together all places add +1.00; Q(left) − Q(empty) is +1.01" in (
        view.answer_text()
    )
    moment = context.episode.moment
    context.why.lay(True)
    assert context.why.on_frame(moment).words == "hypothesis: integrated"
    # While it lies on the frame it is worked out behind other tabs too.
    view.hide()
    asked = len(client.questions("saliency"))
    arrive(context, qtbot, view, t=15)
    assert len(client.questions("saliency")) > asked
    context.why.lay(False)
    context.cursor.seek(16)
    context.pulse.beat()
    assert not view.asked.busy


def test_a_single_cell_has_no_parts(view, context):
    cells = EnvironmentCard(id="g", observation="onehot", shape=(25,), actions=4)
    context.store.set_card(cells)
    context.cursor.show_episode("training", 1, t=1)
    context.pulse.beat()
    context.pulse.beat()
    assert view.emptiness()[0] == "The state of this world is one cell."
    assert "one cell" in view.property("answerText")
