"""What is thought of an episode: against hand-made numbers and a step-by-step check."""

import numpy as np
import pytest
from theatre import KINDS, Theatre, tiny, trained

from engine.contract.messages import Answer, Ask
from engine.environments import LabEnvironment, describe, make
from engine.stage.archive import network_arrays
from engine.stage.jobs import Priority
from engine.stage.judging import Values, one_step_td_errors, split_q
from engine.stage.minds import Mind, liking, target_as_online

Q = np.array([[1.0, 2.0], [5.0, 3.0], [7.0, 8.0]], np.float32)
TARGET = np.array([[0.0, 0.0], [10.0, 20.0], [30.0, 40.0]], np.float32)


def errors(configuration, **changes):
    values = {
        "online": Values(Q, Q),
        "bootstrap": Values(TARGET, TARGET),
        "step": 0,
        "actions": np.array([0, 1]),
        "rewards": np.array([1.0, 2.0]),
        "terminations": np.array([False, False]),
    }
    return one_step_td_errors(configuration, **{**values, **changes})


def test_double_lets_the_online_network_choose_and_the_target_value_it():
    configuration = tiny(agent__double=True, agent__discount=0.5)
    # Step 0: action 0 is best online (5), the target says 10. Step 1: 8, so 40.
    expected = [1.0 + 0.5 * 10.0 - 1.0, 2.0 + 0.5 * 40.0 - 3.0]
    assert errors(configuration).tolist() == expected


def test_without_double_the_target_network_does_both():
    configuration = tiny(agent__double=False, agent__discount=0.5)
    expected = [1.0 + 0.5 * 20.0 - 1.0, 2.0 + 0.5 * 40.0 - 3.0]
    assert errors(configuration).tolist() == expected


def test_a_termination_is_not_bootstrapped_even_from_values_that_are_no_numbers():
    configuration = tiny(agent__discount=0.5)
    broken = TARGET.copy()
    broken[2] = np.nan
    found = errors(
        configuration,
        bootstrap=Values(broken, broken),
        terminations=np.array([False, True]),
    )
    assert found[1] == 2.0 - 3.0


def test_a_truncated_step_bootstraps():
    configuration = tiny(agent__discount=0.5)
    assert errors(configuration)[1] == 2.0 + 0.5 * 40.0 - 3.0


def test_clipped_rewards_count_as_the_agent_learns_from_them():
    configuration = tiny(agent__discount=0.0, environment__clip_rewards=True)
    found = errors(configuration, rewards=np.array([-7.0, 2.0]))
    assert found.tolist() == [-1.0 - 1.0, 1.0 - 3.0]


def test_sarsa_values_the_action_that_was_taken_next():
    configuration = tiny(
        agent__estimator="sarsa",
        agent__discount=0.5,
        agent__learning_starts=0,
        exploration__schedule="constant",
        exploration__epsilon=0.5,
    )
    found = errors(configuration)
    # Step 0 is followed by action 1 (20). What follows the last step is not known:
    # with ε = 0.5 the online network's best, 40, has the probability 3/4.
    expected = 0.75 * 40.0 + 0.25 * 30.0
    assert found.tolist() == [1.0 + 0.5 * 20.0 - 1.0, 2.0 + 0.5 * expected - 3.0]


def test_expected_sarsa_follows_the_exploration_of_that_step():
    configuration = tiny(
        agent__estimator="expected_sarsa",
        agent__double=False,
        agent__discount=0.5,
        agent__learning_starts=10,
        exploration__epsilon=0.0,
        exploration__epsilon_final=0.0,
    )
    assert errors(configuration, step=9)[0] == 1.0 + 0.5 * 15.0 - 1.0
    assert errors(configuration, step=10)[0] == 1.0 + 0.5 * 20.0 - 1.0


def test_soft_targets_are_above_the_maximum_by_the_entropy():
    configuration = tiny(
        agent__estimator="soft",
        agent__double=False,
        agent__discount=0.5,
        agent__temperature=10.0,
    )
    expected = 10.0 * np.log(np.exp(1.0) + np.exp(2.0))
    assert errors(configuration)[0] == pytest.approx(1.0 + 0.5 * expected - 1.0)


@pytest.mark.parametrize("head", ["c51", "qr", "mmd"])
def test_a_risk_averse_agent_is_valued_where_its_liking_leads(head):
    configuration = tiny(
        head__kind=head, head__risk="cvar", agent__double=True, agent__discount=0.5
    )
    liked = Values(Q, Q[:, ::-1])
    # Online, action 1 is liked in state 1 and action 0 in state 2.
    expected = [1.0 + 0.5 * 20.0 - 1.0, 2.0 + 0.5 * 30.0 - 3.0]
    assert errors(configuration, online=liked).tolist() == expected
    configuration = configuration.with_options({"agent.double": False})
    assert errors(configuration, online=liked)[0] == 1.0 + 0.5 * 20.0 - 1.0


ENSEMBLE = {"exploration__kind": "bootstrapped"}


@pytest.mark.parametrize("more", [{}, {"head__kind": "c51"}, KINDS["qr"], ENSEMBLE])
@pytest.mark.parametrize("dueling", ["mean", "max", "none"])
def test_the_split_of_q_values_is_that_of_the_network_or_is_not_invented(dueling, more):
    configuration = tiny(agent__dueling=dueling, **more)
    mind = Mind(configuration, describe(configuration.environment))
    observations = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    seen = mind.insight(observations)
    advantage, head = split_q(seen["q"], configuration)
    unknown = dueling == "none" or more in (ENSEMBLE, {"head__kind": "c51"})
    unknown |= dueling == "max" and bool(more)
    if unknown:
        assert np.isnan(head).all()
        derived = seen["q"] - seen["q"].max(1, keepdims=True)
        np.testing.assert_allclose(advantage, derived, atol=1e-6)
    else:
        np.testing.assert_allclose(advantage, seen["advantage"], atol=1e-5)
        np.testing.assert_allclose(head, seen["value_head"], atol=1e-5)


# ------------------------------------------------------------- with a real session


def longest(theatre) -> int:
    table = theatre.source.episodes()
    training = [i for i, kind in enumerate(table["kind"]) if kind == "training"]
    return int(table["episode"][max(training, key=lambda i: table["length"][i])])


def test_a_checkpoint_judges_each_step_as_if_asked_one_by_one(theatre):
    configuration = tiny()
    theatre.open(configuration, live=False)
    episode = longest(theatre)
    judged = theatre.result(
        "judge_episode", kind="training", episode=episode, checkpoint_step=200
    )
    record = theatre.source.episode("training", episode)
    arrays = network_arrays(dict(theatre.source.checkpoint(200).arrays))
    mind = Mind(configuration, describe(configuration.environment))
    mind.load(200, arrays)
    world = make(configuration.environment)
    observation = world.reset(record["seed"])
    observations = [observation]
    observations += [world.step(int(action))[0] for action in record["actions"]]
    world.close()
    q = mind.insight(np.stack(observations))["q"]
    np.testing.assert_allclose(judged["q"], q, atol=1e-5)
    np.testing.assert_allclose(judged["value"], q.max(axis=1), atol=1e-5)
    np.testing.assert_array_equal(judged["observations"], np.stack(observations))
    mind.load(200, target_as_online(arrays))
    target = mind.insight(np.stack(observations))["q"]
    t = 3
    expected = record["rewards"][t] + 0.99 * target[t + 1, q[t + 1].argmax()]
    expected -= q[t, record["actions"][t]]
    assert judged["td_error"][t] == pytest.approx(expected, abs=1e-4)
    last = record["rewards"][-1] - q[-2, record["actions"][-1]]
    assert judged["td_error"][-1] == pytest.approx(last, abs=1e-4)
    assert judged["exact"] is True
    assert judged["note"] == ""
    assert judged["checkpoint_step"] == 200
    assert not judged["recorded"].any()


@pytest.fixture(scope="module", params=[it for it in KINDS if it != "plain"])
def other(request, tmp_path_factory):
    """A short real run of an agent of another kind."""
    configuration = tiny(**KINDS[request.param])
    path = tmp_path_factory.mktemp("sessions") / "other.h5"
    store = trained(path, configuration)
    found = Theatre(store)
    found.open(configuration, live=False)
    yield found, configuration
    found.stage.close()
    store.close()


def test_every_agent_is_judged_step_by_step_with_all_that_it_remembers(other):
    theatre, configuration = other
    episode = longest(theatre)
    judged = theatre.result(
        "judge_episode", kind="training", episode=episode, checkpoint_step=200
    )
    record = theatre.source.episode("training", episode)
    arrays = network_arrays(dict(theatre.source.checkpoint(200).arrays))
    mind = Mind(configuration, describe(configuration.environment))
    mind.load(200, arrays)
    actions = record["actions"]
    memory, q, liked = mind.recollection(1), [], []
    for t, observation in enumerate(judged["observations"]):
        if memory is not None:
            memory.previous[:] = actions[t - 1] if t else -1
        seen = mind.insight(observation[None], recollection=memory)
        q.append(seen["q"][0])
        liked.append(liking(seen)[0])
    np.testing.assert_allclose(judged["q"], q, atol=1e-5)
    np.testing.assert_allclose(judged["liking"], liked, atol=1e-5)
    mind.load(200, target_as_online(arrays))
    before = np.append(-1, actions)
    target = mind.insight(judged["observations"], before)["q"]
    t = 3
    expected = record["rewards"][t] + 0.99 * target[t + 1, np.argmax(liked[t + 1])]
    expected -= q[t][actions[t]]
    assert judged["td_error"][t] == pytest.approx(expected, abs=1e-4)


def test_as_recorded_shows_the_values_that_the_agent_acted_on(theatre):
    theatre.open(tiny(), live=False)
    episode = longest(theatre)
    judged = theatre.result("judge_episode", kind="training", episode=episode)
    record = theatre.source.episode("training", episode)
    np.testing.assert_array_equal(judged["q"], record["q_values"])
    assert judged["recorded"].all()
    assert judged["note"] == "Q-values as recorded; TD errors bootstrap on them."
    assert (judged["checkpoint_step"], judged["judged_by"]) == (-1, -1)
    np.testing.assert_allclose(
        judged["value_head"], judged["q"].mean(axis=1), atol=1e-5
    )
    assert judged["action_names"] == ["left", "right"]


def test_where_all_is_recorded_nobody_asks_for_a_network(theatre, monkeypatch):
    asked = []
    judging_step = "engine.stage.questions.judge_episode.judging_step"
    monkeypatch.setattr(judging_step, lambda *_: asked.append(True) or _nothing())
    theatre.open(tiny(), live=False)
    which = {"kind": "training", "episode": 0}
    assert np.isfinite(theatre.result("judge_episode", **which)["q"]).all()
    assert not asked
    theatre.result("judge_episode", **which, checkpoint_step=100)
    assert asked


def forget_last_values(theatre, monkeypatch):
    """As in files of older versions."""
    read = theatre.source.episode

    def episode(*which, **how):
        record = read(*which, **how)
        stored = record["q_values"].copy()
        stored[-1] = np.nan
        return record | {"q_values": stored}

    monkeypatch.setattr(theatre.source, "episode", episode)


def test_a_last_state_that_was_not_recorded_is_judged(theatre, monkeypatch):
    forget_last_values(theatre, monkeypatch)
    theatre.open(tiny(), live=False)
    episode = longest(theatre)
    judged = theatre.result("judge_episode", kind="training", episode=episode)
    record = theatre.source.episode("training", episode)
    np.testing.assert_array_equal(judged["q"][:-1], record["q_values"][:-1])
    assert judged["recorded"].tolist() == [True] * len(record["actions"]) + [False]
    assert "the last state is judged by the checkpoint of step" in judged["note"]
    assert judged["checkpoint_step"] == -1
    assert judged["judged_by"] in (100, 200, 300)
    assert np.isfinite(judged["q"]).all()


@pytest.mark.parametrize(
    "strange",
    [
        lambda it: it[:, 0],
        lambda it: it[:-1],
        lambda it: np.stack([it, it], -1),
        lambda it: it[:, :1],
    ],
)
def test_values_of_a_strange_shape_are_not_taken_for_recorded(
    theatre, monkeypatch, strange
):
    read = theatre.source.episode

    def episode(*which, **how):
        record = read(*which, **how)
        return record | {"q_values": strange(record["q_values"])}

    monkeypatch.setattr(theatre.source, "episode", episode)
    theatre.open(tiny(), live=False)
    which = {"kind": "training", "episode": longest(theatre)}
    judged = theatre.result("judge_episode", **which)
    assert not judged["recorded"].any()
    checked = {"checkpoint_step": judged["checkpoint_step"]}
    again = theatre.result("judge_episode", **which, **checked)
    np.testing.assert_array_equal(judged["q"], again["q"])
    assert np.isfinite(judged["q"]).all()


def test_an_absent_checkpoint_gives_way_to_the_nearest_and_says_so(theatre):
    theatre.open(tiny(), live=False)
    judged = theatre.result(
        "judge_episode", kind="training", episode=0, checkpoint_step=250
    )
    assert judged["checkpoint_step"] == 200
    assert judged["note"] == "Judged by the nearest checkpoint, step 200."


def test_another_version_of_the_world_is_noticed(theatre, monkeypatch):
    """Numbers are those of what was seen; pictures and a replay say what differs."""
    theatre.open(tiny(), live=False)
    step = LabEnvironment.step

    def stronger(self, action):
        observation, *rest = step(self, action)
        return observation * np.float32(1.0001), *rest

    monkeypatch.setattr(LabEnvironment, "step", stronger)
    which = {"kind": "training", "episode": 0}
    judged = theatre.result("judge_episode", **which)
    record = theatre.source.episode("training", 0)
    np.testing.assert_array_equal(judged["observations"], record["observations"])
    assert judged["exact"] is True
    first = theatre.result("frames", **which, first=0, last=0)
    jobs = theatre.stage._jobs
    theatre.run(until=lambda: not jobs.count(Priority.FRAMES))  # it goes on to its end
    later = theatre.result("frames", **which, first=5, last=5)
    assert (first["exact"], later["exact"]) == (True, False)
    differs = "CartPole-v1 does not go the way it was recorded: step 1"
    assert differs in later["note"]
    monkeypatch.setattr("engine.stage.episodes.is_verified", lambda record: False)
    again = theatre.result("judge_episode", **which, checkpoint_step=300)
    assert again["exact"] is False
    assert differs in again["note"]
    assert np.isfinite(again["q"]).all()


def test_a_judgement_of_what_was_not_recorded_is_that_of_the_whole_replay(
    theatre, monkeypatch
):
    forget_last_values(theatre, monkeypatch)
    theatre.open(tiny(), live=False)
    which = {"kind": "training", "episode": longest(theatre)}
    quickly = theatre.result("judge_episode", **which)
    again = Theatre(theatre.source)
    again.open(tiny(), live=False)
    judge = "engine.stage.questions.judge_episode.look_at_unrecorded"
    monkeypatch.setattr(judge, _nothing)
    monkeypatch.setattr("engine.stage.episodes.is_verified", lambda record: False)
    played = again.result("judge_episode", **which)
    again.stage.close()
    assert quickly.keys() == played.keys()
    for name in ("q", "td_error", "advantage", "observations", "recorded", "value"):
        np.testing.assert_allclose(quickly[name], played[name], rtol=1e-6)
    assert quickly["note"] == played["note"]


def _nothing(*_):
    return None
    yield


def test_an_unknown_episode_is_a_sentence(theatre):
    theatre.open(tiny(), live=False)
    found = theatre.ask("judge_episode", kind="training", episode=100_000)
    assert (
        found.error == "There is no recorded training episode 100000 in this session."
    )


def test_without_a_session_the_answer_says_what_to_do(theatre):
    found = theatre.ask("judge_episode", kind="training", episode=0)
    assert found.error == "No session is open. Press Train or open a session file."


def test_predictions_are_those_of_the_checkpoint(theatre):
    theatre.open(tiny(), live=False)
    observations = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
    found = theatre.result("predict", observations=observations, checkpoint_step=100)
    mind = Mind(tiny(), describe(tiny().environment))
    mind.load(100, network_arrays(dict(theatre.source.checkpoint(100).arrays)))
    np.testing.assert_allclose(found["q"], mind.insight(observations)["q"], atol=1e-6)
    assert found["checkpoint_step"] == 100


def test_observations_of_another_shape_are_refused(theatre):
    theatre.open(tiny(), live=False)
    found = theatre.ask("predict", observations=np.zeros((5, 3)), checkpoint_step=100)
    assert (
        found.error == "Observations of CartPole-v1 have the shape [n, 4], not [5, 3]."
    )


def test_a_sequence_of_observations_is_predicted_with_memory_and_single_ones_without(
    other,
):
    theatre, configuration = other
    observations = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
    mind = Mind(configuration, describe(configuration.environment))
    mind.load(100, network_arrays(dict(theatre.source.checkpoint(100).arrays)))
    before = np.array([-1, 0, 1, 1, 0])
    given = {"observations": observations, "checkpoint_step": 100}
    singly = theatre.result("predict", **given)["q"]
    row = theatre.result("predict", previous=before, **given)["q"]
    np.testing.assert_allclose(singly, mind.insight(observations)["q"], atol=1e-6)
    np.testing.assert_allclose(row, mind.insight(observations, before)["q"], atol=1e-6)
    remembers = configuration.network.recurrent != "none"
    assert (np.abs(row - singly)[1:].max() > 1e-4) == remembers


def test_actions_before_that_are_none_are_refused(theatre):
    theatre.open(tiny(), live=False)
    found = theatre.ask(
        "predict",
        observations=np.zeros((2, 4)),
        previous=np.array([-1, 2]),
        checkpoint_step=100,
    )
    assert found.error == (
        "The actions before 2 observations are as many whole numbers from -1 (none) "
        "to 1."
    )


@pytest.mark.parametrize(
    ("question", "arguments", "sentence"),
    [
        ("nonsense", {}, "There is no question 'nonsense'"),
        ("frames", {"kind": "training"}, "missing required field `episode`"),
        ("frames", {"kind": "other", "episode": 0}, "Invalid enum value 'other'"),
        ("frames", {"kind": "training", "episode": "x"}, "Expected `int`, got `str`"),
        ("embedding", {"cuont": 3}, "unknown field `cuont`"),
        ("embedding", {"perplexity": 0.5}, "from 2 to 500"),
        ("predict", {"observations": 3}, "expected ndarray, got int"),
    ],
)
def test_questions_asked_wrongly_are_answered_with_a_sentence(
    theatre, question, arguments, sentence
):
    theatre.open(tiny(), live=False)
    assert sentence in theatre.ask(question, **arguments).error


def test_the_list_of_environments_and_a_card(theatre):
    rows = theatre.result("environments")["rows"]
    assert {"id": "CartPole-v1", "suits": True, "reason": "", "install": ""} in rows
    found = theatre.result("describe", configuration=tiny().to_json())
    assert found["card"]["actions"] == 2
    assert found["reason"] == ""
    conv = tiny(network__torso="conv").to_json()
    assert "no images" in theatre.result("describe", configuration=conv)["reason"]


def test_an_episode_that_is_told_before_it_is_durable_is_waited_for(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only while a run writes; else what is not there never comes."""
    answer, left = theatre._answer, iter(range(2))

    def late(ask, destination):
        if ask.question == "episode" and next(left, None) is not None:
            return Answer(ask.id, error="There is no recorded training episode 0.")
        return answer(ask, destination)

    monkeypatch.setattr(theatre, "_answer", late)
    theatre.open(tiny(), live=True)
    assert len(theatre.result("judge_episode", kind="training", episode=0)["q"])
    asked = len([it for it in theatre.of(Ask) if it.question == "episode"])
    assert asked == 3
    theatre.open(tiny(), live=False)
    refused = theatre.ask("judge_episode", kind="training", episode=9_999)
    assert "no recorded training episode" in refused.error
    assert len([it for it in theatre.of(Ask) if it.question == "episode"]) == asked + 1
