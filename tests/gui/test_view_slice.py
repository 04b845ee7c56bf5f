"""The slice: which numbers span it, what it says, what it hatches."""

import dataclasses

import numpy as np
import pytest
from pictures import CARD, teach
from PySide6.QtWidgets import QComboBox
from showing import show

from rllab_gui import resting
from rllab_gui.episode import BY_HAND
from rllab_gui.plots.slice import HATCH
from rllab_gui.views.value_slice import ValueSliceView

N = 48


def answer(arguments):
    x, y = np.linspace(-1, 1, N), np.linspace(-2, 2, N)
    value = x[None] + 10 * y[:, None]
    visited = np.zeros((N, N), np.int64)
    visited[:, : N // 4] = 3
    return {
        "x_values": x,
        "y_values": y,
        "value": value,
        "gap": np.abs(value),
        "action": (value > 0).astype(int),
        "visited": visited,
        "path_x": np.zeros(5),
        "path_y": np.linspace(0, 1, 5),
        "names": list(CARD.observation_names),
        "action_names": ["left", "right"],
        "fixed": np.arange(4.0),
        "checkpoint_step": 12_400,
    }


@pytest.fixture
def view(context, client, qtbot, monkeypatch):
    monkeypatch.setattr(resting, "REST_MS", 0)
    client.answers["value_slice"] = answer
    context.store.set_card(CARD)
    teach(client)
    view = show(qtbot, ValueSliceView(context), 400, 340)
    context.cursor.place(session="s", kind="evaluation", episode=0, t=1)

    def ready():
        context.pulse.beat()
        return bool(view.asked.answer) and "value" in view.model()

    qtbot.waitUntil(ready)
    return view


def test_it_says_what_is_fixed_and_how_much_was_visited(view):
    words = view.answer_text()
    assert words.startswith("V(s): −21.0 to 21.0.")
    assert "Visited: 25 % of the picture" in words
    assert "Checkpoint 12,400" in words
    np.testing.assert_array_equal(view.model()["x"], np.linspace(-1, 1, N))


def test_what_was_never_visited_is_hatched(view):
    hatch = view.slice._hatching(np.asarray(view.asked.answer["visited"]) == 0)
    assert not hatch[:, : N // 4 * HATCH].any()
    assert hatch[:, N // 4 * HATCH :].any()


def test_another_number_is_another_question(view, client, context):
    box = view.findChild(QComboBox, "step.slice.x")
    before = len(client.questions("value_slice"))
    taken = view.findChild(QComboBox, "step.slice.y").currentIndex()
    box.setCurrentIndex(taken)  # the same as y: they change places
    box.activated.emit(taken)
    asked = client.questions("value_slice")
    assert len(asked) == before or asked[-1].arguments["x"] == taken
    assert view.wish(context.episode.moment)["x"] == taken
    assert view.wish(context.episode.moment)["y"] != taken


def test_what_is_being_played_is_not_asked_about(view, client, context):
    moment = context.episode.moment
    key = (*moment.episode.key[:2], BY_HAND, 0)
    played = dataclasses.replace(moment.episode, key=key)
    before = len(client.questions("value_slice"))
    context.episode.moment = dataclasses.replace(moment, episode=played)
    context.episode.momentChanged.emit()
    context.pulse.beat()
    assert view.emptiness()[0] == "You are playing."
    assert len(client.questions("value_slice")) == before
