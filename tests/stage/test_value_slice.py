"""A slice is what the network says of states that differ in two numbers."""

import numpy as np
import pytest

from engine.contract.grid_layouts import read_layout
from engine.environments.reachable import exact_values
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


# -------------------------------------------------------- worlds that are grids

GRID = {"environment__id": "RLLab/GridWorld-v0"}
GARDEN = "".join(read_layout("garden").rows)


@pytest.fixture(scope="module")
def grid(played):
    found = played.run(**GRID)
    with found.on_stage() as theatre:
        yield theatre.result("value_slice", **GIVEN, t=3), found


def test_every_cell_is_judged_and_compared_with_the_exact_solution(grid):
    found, run = grid
    states = found["state"]
    assert [*map(tuple, found["place"])] == [divmod(it, 8) for it in states.tolist()]
    assert len(states) == 64
    q = run.loop.agent.insight(np.eye(64, dtype=np.float32)[states])["q"]
    best = np.sort(q, axis=1)
    assert found["value"] == pytest.approx(best[:, -1], abs=1e-5)
    assert found["gap"] == pytest.approx(best[:, -1] - best[:, -2], abs=1e-5)
    assert found["action"].tolist() == q.argmax(axis=1).tolist()
    options = run.configuration
    exact = exact_values(options.environment, 64, options.agent.discount)[states]
    assert found["exact"] == pytest.approx(exact)
    assert found["error"] == pytest.approx(best[:, -1] - exact, abs=1e-5)


def test_the_way_through_the_cells_is_the_episodes(grid):
    found, run = grid
    record = run.store.episode("training", 0)
    cells = found["state"].tolist()
    way = found["path"].tolist()
    seen = record["observations"][: len(record["actions"]) + 1].argmax(axis=1)
    assert way == [cells.index(it) for it in seen.tolist()]
    assert found["here"] == way[3]
    assert (found["visited"][way] > 0).all()
    walls = [divmod(at, 8) for at, it in enumerate(GARDEN) if it == "#"]
    inside = np.array([tuple(it) in walls for it in found["place"].tolist()])
    assert inside.sum() == len(walls)
    assert not found["visited"][inside].any()
    assert not found["acts"][inside].any()


def test_states_that_are_no_grid_have_no_slice(played):
    with played.run(environment__id="Taxi-v4").on_stage() as theatre:
        asked = theatre.ask("value_slice", **GIVEN, t=0)
    assert "Taxi-v4 stands for itself" in asked.error
