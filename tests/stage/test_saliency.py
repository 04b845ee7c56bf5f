"""What an agent seems to look at: the map, the bars, and what a test makes of them."""

import numpy as np
import pytest
from theatre import KINDS, Theatre, tiny, trained

BREAKOUT = {"environment__id": "MinAtar/Breakout-v1", "training__steps": 150}
CHANGES = {
    "vector": {"training__steps": 150},
    "gru": {"training__steps": 150, **KINDS["gru"]},
    "planes": {"network__conv": "4x3x1", **BREAKOUT},
}


@pytest.fixture(scope="module", params=CHANGES)
def played(request, tmp_path_factory):
    """A short real run: its kind, its stage, and a step of its first episode."""
    configuration = tiny(recording__checkpoint_period=50, **CHANGES[request.param])
    store = trained(tmp_path_factory.mktemp("sessions") / "run.h5", configuration)
    theatre = Theatre(store)
    theatre.open(configuration, live=False)
    table = store.episodes()
    row = list(table["kind"]).index("training")
    step = {"kind": "training", "episode": int(table["episode"][row]), "t": 4}
    yield request.param, theatre, step
    theatre.stage.close()
    store.close()


def test_taking_nothing_away_changes_nothing_at_all(played):
    _, theatre, step = played
    found = theatre.result("test_saliency", **step)
    assert (found["q"] == found["changed_q"]).all()
    zero = theatre.result("test_saliency", **step, feature=0, share=0.0)
    assert (zero["q"] == zero["changed_q"]).all()
    assert zero["greedy"] == zero["changed_greedy"]


def test_bars_and_squares_are_what_the_test_finds(played):
    kind, theatre, step = played
    if kind == "planes":
        squares = theatre.result("saliency", **step, method="occlusion")
        action, fallen = squares["action"], squares["map"]
        assert fallen.shape == (10, 10)
        row, column = np.unravel_index(np.abs(fallen).argmax(), fallen.shape)
        place = {"row": int(row), "column": int(column)}
        found = theatre.result("test_saliency", **step, **place)
        change = found["q"][action] - found["changed_q"][action]
        assert change == pytest.approx(fallen[row, column], abs=1e-5)
        assert change != 0.0
        assert found["frame"].ndim == 3
        return
    bars = theatre.result("saliency", **step, share=0.5)
    assert bars["lower"].shape == (4, 2)
    assert (bars["spread"] > 0).all()
    for sign, name in ((-0.5, "lower"), (0.5, "upper")):
        found = theatre.result("test_saliency", **step, feature=2, share=sign)
        np.testing.assert_allclose(found["q"], bars["q"], atol=1e-6)
        np.testing.assert_allclose(found["changed_q"], bars[name][2], atol=1e-5)
        assert found["changed_greedy"] == bars[f"{name}_greedy"][2]
        assert np.abs(found["changed_q"] - found["q"]).max() > 0


def test_it_speaks_of_the_weights_that_judge_the_episode(played):
    _, theatre, step = played
    judged = theatre.result(
        "judge_episode",
        kind="training",
        episode=step["episode"],
        checkpoint_step=100,
    )
    found = theatre.result("saliency", **step, checkpoint_step=100)
    np.testing.assert_allclose(found["q"], judged["q"][4], atol=1e-5)
    assert found["greedy"] == judged["liking"][4].argmax()
    assert found["checkpoint_step"] == 100


def test_maps_cover_the_picture_and_integrated_ones_add_up(played):
    kind, theatre, step = played
    if kind != "planes":
        return
    slope = theatre.result("saliency", **step, method="gradient", action=1)
    assert slope["map"].shape == (10, 10)
    assert (slope["map"] >= 0).all()
    whole = theatre.result("saliency", **step, method="integrated", action=1)
    assert whole["explained"] == pytest.approx(
        float(whole["map"].sum()), rel=0.05, abs=1e-3
    )


def test_what_does_not_exist_is_refused_in_a_sentence(played):
    _, theatre, step = played
    far = theatre.ask("saliency", **{**step, "t": 10**6})
    assert "has no step 1,000,000" in far.error
    many = theatre.ask("saliency", **step, action=7)
    assert many.error.startswith("There are only")


def test_a_single_cell_has_no_parts():
    theatre = Theatre()
    theatre.open(tiny(environment__id="RLLab/GridWorld-v0"), live=False)
    found = theatre.ask("saliency", kind="training", episode=0, t=0)
    theatre.stage.close()
    assert found.error.startswith("A state of this world is one cell")
