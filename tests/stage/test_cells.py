"""The cells of a grid, by the shown network and by what the run has counted."""

import numpy as np
import pytest
from theatre import Theatre, tiny

from engine.contract.messages import Picture, Weights
from engine.environments.reachable import exact_values, where_it_acts
from engine.stage.grids import marks_of
from engine.training import TrainingLoop

GRID = {"environment__id": "RLLab/GridWorld-v0"}


@pytest.fixture
def theatre():
    theatre = Theatre()
    theatre.look()
    yield theatre
    theatre.stage.close()


def shows(theatre, configuration, loop):
    theatre.loop = loop
    theatre.open(configuration, live=True)
    theatre.tell(Weights(loop.step, 1, loop.weights()), "trainer")
    theatre.run(
        lambda: [it for it in theatre.of(Picture) if it.checkpoint_step == loop.step]
    )


def test_every_cell_has_its_value_action_and_visits(theatre):
    options = {"exploration__bonus": 0.1, "exploration__counts": "table"}
    configuration = tiny(**GRID, **options)
    loop = TrainingLoop(configuration)
    loop.advance(steps=250)
    shows(theatre, configuration, loop)
    found = theatre.result("cells")
    every = np.eye(64, dtype=np.float32)
    q = loop.agent.insight(every)["q"]
    np.testing.assert_allclose(found["value"], q.max(1), atol=1e-5)
    np.testing.assert_array_equal(found["action"], q.argmax(1))
    assert found["place"][9].tolist() == [1, 1]
    np.testing.assert_array_equal(
        found["visits"], loop.agent.familiarity(every)["visits"]
    )
    assert found["visits"].sum() == 250
    loop.close()


def test_a_world_that_is_no_grid_is_refused(theatre):
    configuration = tiny()
    loop = TrainingLoop(configuration)
    loop.advance(steps=60)
    shows(theatre, configuration, loop)
    assert "not a grid" in theatre.ask("cells").error
    loop.close()


@pytest.mark.parametrize(
    ("id", "never"),
    [
        ("FrozenLake-v1", [5, 7, 11, 12, 15]),
        ("RLLab/Cliff-v0", [*range(37, 48)]),
        ("CliffWalking-v1", [*range(37, 48)]),
    ],
)
def test_cells_in_which_no_step_is_taken_are_known(id, never):
    options = tiny(environment__id=id).environment
    acts = where_it_acts(options, {"FrozenLake-v1": 16}.get(id, 48))
    assert np.flatnonzero(~acts).tolist() == never


def test_a_world_without_tables_may_be_acted_in_everywhere():
    options = tiny(environment__id="Blackjack-v1").environment
    assert where_it_acts(options, 5).all()


def test_the_exact_solution_of_frozenlake_is_the_published_one():
    options = tiny(environment__id="FrozenLake-v1").environment
    exact = exact_values(options, 16, 0.99)
    # Policy iteration on the 4x4 map at γ = 0.99, as textbooks print it.
    np.testing.assert_allclose(exact[[0, 6, 14]], [0.542, 0.358, 0.863], atol=5e-4)
    assert exact[[5, 7, 11, 12, 15]].tolist() == [0.0] * 5


def test_a_shown_error_is_value_minus_exact_solution(theatre):
    configuration = tiny(environment__id="FrozenLake-v1", agent__discount=0.99)
    loop = TrainingLoop(configuration)
    loop.advance(steps=60)
    shows(theatre, configuration, loop)
    found = theatre.result("cells")
    assert found["exact"][0] == pytest.approx(0.542, abs=5e-4)
    np.testing.assert_allclose(found["error"], found["value"] - found["exact"])
    loop.close()


def test_no_exact_solution_is_made_up():
    cartpole = tiny().environment
    assert exact_values(cartpole, 4, 0.99) is None
    clipped = tiny(environment__id="FrozenLake-v1", environment__clip_rewards=True)
    assert exact_values(clipped.environment, 16, 0.99) is None


def test_walls_pits_and_goals_are_marked_and_elsewhere_what_is_never_left(theatre):
    layout = "S.\n#G"
    configuration = tiny(**GRID, environment__kwargs={"layout": layout})
    loop = TrainingLoop(configuration)
    loop.advance(steps=60)
    shows(theatre, configuration, loop)
    found = theatre.result("cells")
    assert found["marks"] == ["", "", "#", "G"]
    assert found["action_names"] == ["up", "right", "down", "left"]
    loop.close()
    states, acts = np.arange(3), np.array([True, False, True])
    lake = configuration.environment.model_copy(update={"id": "FrozenLake-v1"})
    assert marks_of(lake, states, acts) == ["", "–", ""]
    unknown = configuration.environment.model_copy(
        update={"kwargs": {"layout": "a layout of a newer version"}}
    )
    assert marks_of(unknown, states, acts) == ["", "–", ""]
