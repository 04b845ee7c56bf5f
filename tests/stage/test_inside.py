"""What goes on inside a network: distributions, memory, and C51's projection."""

import msgspec
import numpy as np
import pytest
from theatre import KINDS, Theatre, tiny, trained

from engine.contract.messages import FrameCredit, Picture, ShowAgent, Subscribe
from engine.environments import describe
from engine.stage.archive import network_arrays
from engine.stage.inside import Inside
from engine.stage.minds import Mind, liking, target_as_online
from engine.stage.questions.project_returns import projection


@pytest.fixture(scope="module", params=["c51", "qr", "mmd", "lstm", "gru", "plain"])
def played(request, tmp_path_factory):
    """A short real run; its kind, its stage, its configuration."""
    configuration = tiny(**KINDS[request.param])
    store = trained(tmp_path_factory.mktemp("sessions") / "run.h5", configuration)
    theatre = Theatre(store)
    theatre.open(configuration, live=False)
    yield request.param, theatre, configuration
    theatre.stage.close()
    store.close()


def of(theatre, **more):
    table = theatre.source.episodes()
    training = [i for i, kind in enumerate(table["kind"]) if kind == "training"]
    row = max(training, key=lambda i: table["length"][i])
    given = {"kind": "training", "episode": int(table["episode"][row])}
    return given | {"checkpoint_step": 200} | more


def directly(theatre, configuration, *, target=False):
    """The whole episode at once by the checkpoint, without the stage."""
    given = of(theatre)
    observations = theatre.result("judge_episode", **given)["observations"]
    record = theatre.source.episode("training", given["episode"])
    arrays = network_arrays(dict(theatre.source.checkpoint(200).arrays))
    mind = Mind(configuration, describe(configuration.environment))
    mind.load(200, target_as_online(arrays) if target else arrays)
    return mind.insight(observations, np.append(-1, record["actions"])), record


def test_some_steps_are_those_of_the_whole_episode(played):
    kind, theatre, configuration = played
    what = "memory" if kind in ("lstm", "gru") else "returns"
    found = theatre.ask("inside_episode", **of(theatre, what=what, first=5, last=9))
    if kind == "plain":
        assert found.error == "This network learns no distribution."
        return
    whole, _ = directly(theatre, configuration)
    result = found.result
    assert result["first"] == 5
    assert result["checkpoint_step"] == 200
    if what == "memory":
        assert result["memory"].shape == (5, configuration.network.recurrent_units)
        np.testing.assert_allclose(result["memory"], whole["memory"][5:10], atol=1e-5)
        np.testing.assert_allclose(result["value"], whole["q"][5:10].max(1), atol=1e-5)
        assert np.abs(result["memory"]).max() <= 1.0
        return
    for name in ("return_values", "return_probs"):
        np.testing.assert_allclose(
            result[name], whole[name][5:10], rtol=1e-5, atol=1e-6
        )
    np.testing.assert_allclose(result["liking"], liking(whole)[5:10], rtol=1e-4)


def test_an_answer_ends_with_the_episode(played):
    kind, theatre, _ = played
    if kind == "plain":
        return
    what = "memory" if kind in ("lstm", "gru") else "returns"
    length = len(theatre.result("judge_episode", **of(theatre))["actions"])
    found = theatre.result(
        "inside_episode", **of(theatre, what=what, first=length - 1, last=10**6)
    )
    assert len(found["memory" if what == "memory" else "return_probs"]) == 2
    nothing = theatre.ask(
        "inside_episode", **of(theatre, what=what, first=10**6, last=10**6)
    )
    assert "has no such steps" in nothing.error


def test_the_projection_is_that_of_the_update(played):
    kind, theatre, configuration = played
    asked = theatre.ask("project_returns", **of(theatre, t=3))
    if kind != "c51":
        assert asked.error == "Only a C51 head projects its target onto fixed values."
        return
    found = asked.result
    whole, record = directly(theatre, configuration)
    other, _ = directly(theatre, configuration, target=True)
    best = int(whole["preference"][4].argmax())  # double: chosen online
    assert found["next_action"] == best
    assert found["action"] == record["actions"][3]
    np.testing.assert_allclose(
        found["current"], whole["return_probs"][3, found["action"]], atol=1e-6
    )
    np.testing.assert_allclose(
        found["target_probs"], other["return_probs"][4, best], atol=1e-5
    )
    np.testing.assert_allclose(found["next_values"], found["support"], rtol=1e-6)
    np.testing.assert_allclose(
        found["target_values"], 1.0 + 0.99 * found["support"], rtol=1e-5, atol=1e-4
    )
    assert found["projected"].sum() == pytest.approx(1.0, abs=1e-5)
    inside = np.clip(found["target_values"], *found["support"][[0, -1]])
    mean = (inside * found["target_probs"]).sum()
    assert (found["projected"] * found["support"]).sum() == pytest.approx(mean, 1e-4)


def test_behind_a_termination_all_of_it_is_the_reward():
    """By hand: support 0, 1, 2; the reward 0.5 lies between the first two values."""
    configuration = tiny(head__kind="c51", agent__double=False)
    values = np.broadcast_to(np.arange(3, dtype=np.float32), (2, 2, 3))
    probs = np.full((2, 2, 3), 1 / 3, np.float32)
    said = {
        "return_values": values,
        "return_probs": probs,
        "preference": np.array([[0.0, 1.0], [0.0, 1.0]], np.float32),
    }
    record = {
        "actions": np.array([1]),
        "rewards": np.array([0.5]),
        "terminations": np.array([True]),
    }
    found = projection(configuration, record, Inside(said, said), 0, 1000)
    np.testing.assert_allclose(found["projected"], [0.5, 0.5, 0.0], atol=1e-6)
    np.testing.assert_allclose(found["target_values"], [0.5, 0.5, 0.5])
    np.testing.assert_allclose(found["next_values"], [0.0, 1.0, 2.0])
    assert found["discount"] == 0.0
    record["terminations"] = np.array([False])
    configuration = configuration.with_options({"agent.discount": 0.5})
    found = projection(configuration, record, Inside(said, said), 0, 1000)
    # 0.5, 1 and 1.5: a third each, the halves shared by their neighbours.
    np.testing.assert_allclose(found["projected"], [1 / 6, 2 / 3, 1 / 6], atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "topic", "names"),
    [
        ("c51", "returns", {"preference", "return_values", "return_probs"}),
        ("lstm", "memory", {"memory"}),
        ("ensemble", "members", {"member_q"}),
    ],
)
def test_only_who_looks_inside_is_sent_what_is_there(kind, topic, names):
    theatre = Theatre()
    configuration = tiny(**KINDS[kind])
    theatre.look(("picture",))
    theatre.tell(Subscribe(["picture", topic]), "window-2")
    theatre.tell(FrameCredit(2), "window-2")
    theatre.tell(ShowAgent(configuration.to_json()))

    def with_network(window):
        return [
            it
            for it, who in theatre.sent
            if isinstance(it, Picture) and who == window and len(it.q)
        ]

    theatre.run(lambda: with_network("window-1") and with_network("window-2"))
    assert set(with_network("window-1")[0].inside) == names & {"preference"}
    seen = with_network("window-2")[0]
    assert set(seen.inside) == names
    judge = Mind(configuration, describe(configuration.environment))
    if seen.t == 0:
        said = judge.insight(np.array(seen.observation[None]))
        for name in names:
            np.testing.assert_allclose(
                seen.inside[name], said[name][0], rtol=1e-4, atol=1e-5
            )
    assert len(msgspec.structs.replace(seen, inside={}).q) == len(seen.q)
    theatre.stage.close()
