"""A slice is what the network says of states that differ in two numbers."""

import numpy as np
import pytest

from engine.stage.questions.value_slice import SIDE


@pytest.fixture(scope="module")
def run(played):
    found = played.run()
    with found.on_stage() as theatre:
        yield theatre, found.loop, found.store


GIVEN = {"kind": "training", "episode": 0, "checkpoint_step": 300}


def test_each_point_is_judged_with_the_other_numbers_fixed(run):
    theatre, loop, _ = run
    found = theatre.result("value_slice", **GIVEN, t=3, x=2, y=0)
    assert found["value"].shape == (SIDE, SIDE)
    row, column = 10, 31
    state = np.array(found["fixed"], np.float32)
    state[2], state[0] = found["x_values"][column], found["y_values"][row]
    q = loop.agent.insight(state[None])["q"][0]
    assert found["value"][row, column] == pytest.approx(q.max(), abs=1e-4)
    assert found["gap"][row, column] == pytest.approx(abs(q[0] - q[1]), abs=1e-4)
    assert found["action"][row, column] == q.argmax()


def test_the_way_and_the_visited_are_those_of_the_session(run):
    theatre, _, store = run
    found = theatre.result("value_slice", **GIVEN, t=3, x=2, y=0)
    steps = len(store.episode("training", 0)["actions"])
    assert len(found["path_x"]) == steps + 1
    assert found["fixed"][2] == pytest.approx(found["path_x"][3])
    assert found["visited"].sum() > steps
    x, y = found["x_values"], found["y_values"]
    assert x[0] < found["path_x"].min()
    assert y[-1] > found["path_y"].max()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"x": 1, "y": 1}, "Two different numbers"),
        ({"x": 0, "y": 9}, "Two different numbers"),
        ({"t": 10**6}, "There is no step"),
    ],
)
def test_what_cannot_be_asked_says_why(run, changes, words):
    theatre, *_ = run
    assert words in theatre.ask("value_slice", **(GIVEN | {"t": 0} | changes)).error
