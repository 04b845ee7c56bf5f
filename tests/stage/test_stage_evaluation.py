"""Evaluations: greedy, of just these weights, on seeds of their own."""

import time

import numpy as np
import pytest
from theatre import KINDS, Theatre, tiny

from engine.contract.arrays import network_arrays
from engine.contract.messages import (
    EpisodeFinished,
    EvaluationFinished,
    Picture,
    Problem,
    ProcessState,
    Rows,
    SessionStatus,
    SetOption,
    ShowAgent,
    Weights,
)
from engine.environments import (
    LabEnvironment,
    describe,
    make,
    observation_crc,
    replay_episode,
)
from engine.service import keeper_questions
from engine.stage import evaluation, evaluator
from engine.stage.evaluation import evaluate
from engine.stage.minds import Mind, liking
from engine.stage.sitting import MOST_FRAME_BYTES, frame_size


class Always:
    """Chooses one action, whatever it sees; counts how often it is asked."""

    def __init__(self, action: int, actions: int = 2) -> None:
        self.action, self.actions, self.asked = action, actions, []

    def recollection(self, count):
        return None

    def greedy(self, observations, recollection=None):
        count = len(observations)
        self.asked.append(count)
        q = np.zeros((count, self.actions), np.float32)
        q[:, self.action] = 1.0
        return np.full(count, self.action), q


@pytest.fixture
def alone():
    found = Theatre()
    yield found
    found.stage.close()


def mind_of(configuration, seed: int) -> Mind:
    changed = configuration.with_options({"training.seed": seed})
    return Mind(changed, describe(configuration.environment))


def one_by_one(configuration, mind, seed: int) -> tuple[float, list[int]]:
    """A greedy episode without any batching."""
    world = make(configuration.environment)
    observation, total, actions, ended = world.reset(seed), 0.0, [], False
    seen = []
    while not ended:
        seen.append(observation)
        before = np.array([-1, *actions])
        said = liking(mind.insight(np.stack(seen), before))
        action = int(said[-1].argmax())
        observation, _, terminated, truncated, reward = world.step(action)
        ended, total = terminated or truncated, total + reward
        actions.append(action)
    world.close()
    return total, actions


@pytest.mark.parametrize("kind", KINDS)
def test_all_episodes_go_as_if_played_one_by_one(kind):
    configuration = tiny(**KINDS[kind])
    mind = mind_of(configuration, 3)
    result = evaluate(mind, configuration.environment, 5, 1000)
    singly = [one_by_one(configuration, mind, 1000 + i) for i in range(5)]
    assert result.returns.tolist() == [it[0] for it in singly]
    assert result.lengths.tolist() == [len(it[1]) for it in singly]
    assert result.first.actions == singly[0][1]
    assert result.seeds.tolist() == [1000, 1001, 1002, 1003, 1004]
    assert result.terminated.all()


@pytest.mark.parametrize("recurrent", ["lstm", "gru"])
def test_a_seat_that_is_taken_again_remembers_nothing(recurrent, monkeypatch):
    monkeypatch.setattr(evaluation, "AT_ONCE", 2)
    configuration = tiny(network__recurrent=recurrent, replay__kind="sequence")
    mind = mind_of(configuration, 3)
    result = evaluate(mind, configuration.environment, 5, 1000)
    singly = [one_by_one(configuration, mind, 1000 + i) for i in range(5)]
    assert result.lengths.tolist() == [len(it[1]) for it in singly]
    alone = evaluate(mind, configuration.environment, 1, 1000)
    np.testing.assert_allclose(result.first.q, alone.first.q, atol=1e-5)


def test_one_forward_pass_serves_all_episodes():
    chooser = Always(0)
    result = evaluate(chooser, tiny().environment, 10, 7)
    assert len(chooser.asked) <= result.lengths.max() + 1
    assert chooser.asked[0] == 10


def test_more_episodes_than_seats_are_played_in_the_order_of_their_seeds():
    result = evaluate(Always(1), tiny().environment, 70, 50)
    assert result.seeds.tolist() == list(range(50, 120))
    for place, seed in ((0, 50), (-1, 119)):
        single = evaluate(Always(1), tiny().environment, 1, seed)
        assert result.lengths[place] == single.lengths[0]


def test_returns_are_the_environments_own_rewards():
    options = tiny(environment__clip_rewards=True, environment__id="Acrobot-v1")
    options = options.with_options({"environment.time_limit": 30})
    result = evaluate(Always(1, 3), options.environment, 2, 0)
    assert result.returns.tolist() == [-30.0, -30.0]
    assert not result.terminated.any()


def test_the_first_episode_has_values_for_every_state():
    result = evaluate(Always(0), tiny().environment, 3, 7)
    assert np.shape(result.first.q) == (result.lengths[0] + 1, 2)


def test_an_environment_without_a_limit_is_cut():
    options = tiny(environment__id="CliffWalking-v1").environment
    result = evaluate(Always(3, 4), options, 1, 0)
    assert result.lengths.tolist() == [10_000]


# ------------------------------------------------------------- within the stage


def evaluated(theatre: Theatre, configuration, *seeds: int) -> list[EvaluationFinished]:
    """Evaluations of the weights of these seeds, at steps 100, 200, ..."""
    theatre.tell(ShowAgent(configuration.to_json()))
    for number, seed in enumerate(seeds, 1):
        weights = mind_of(configuration, seed).agent.weights()
        message = Weights(100 * number, 10 * number, weights, evaluate=True)
        theatre.tell(message, "trainer")
    theatre.run(lambda: len(theatre.of(EvaluationFinished)) == len(seeds))
    return sorted(theatre.of(EvaluationFinished), key=lambda it: it.step)


def test_an_evaluation_is_of_exactly_the_weights_of_its_step(alone):
    configuration = tiny()
    found = evaluated(alone, configuration, 3, 4)
    for number, seed in enumerate((3, 4)):
        options = configuration.evaluation
        mind = mind_of(configuration, seed)
        truth = evaluate(
            mind, configuration.environment, options.episodes, options.seed
        )
        np.testing.assert_array_equal(found[number].returns, truth.returns)
        np.testing.assert_array_equal(found[number].lengths, truth.lengths)
        assert found[number].step == 100 * (number + 1)
        assert found[number].update == 10 * (number + 1)


def test_best_is_the_highest_mean_so_far_and_ties_go_to_the_later(alone):
    configuration = tiny()
    evaluated(alone, configuration, 3, 4, 3, 5, 4, 3)
    found = alone.of(EvaluationFinished)  # in the order of the evaluations
    rated = [(float(it.returns.mean()), it.step) for it in found]
    assert len({mean for mean, _ in rated}) > 1
    expected = [mark >= max(rated[: i + 1]) for i, mark in enumerate(rated)]
    assert [it.best for it in found] == expected
    assert max(rated) == max(marked_best(found))


def marked_best(found: list[EvaluationFinished]) -> list[tuple[float, int]]:
    return [(float(it.returns.mean()), it.step) for it in found if it.best]


def test_the_newest_weights_are_evaluated_first_and_the_others_follow(alone):
    evaluated(alone, tiny(), 3, 4, 3, 5)
    steps = [it.step for it in alone.of(EvaluationFinished)]
    assert steps == [400, 300, 200, 100]  # all waited for a network


def test_the_keeper_gets_rows_before_the_windows_hear_of_it(alone):
    evaluated(alone, tiny(), 3)
    kinds = [type(it).__name__ for it, _ in alone.sent]
    assert kinds.index("Rows") < kinds.index("EvaluationFinished")
    rows = alone.of(Rows)[0]
    assert (rows.source, rows.number, rows.step) == ("stage", 0, 100)
    assert rows.evaluation is not None
    assert rows.evaluation.step == 100
    assert alone.of(EpisodeFinished)[0] == rows.finished[0]


def test_the_first_episode_is_recorded_and_can_be_played_again(alone):
    configuration = tiny()
    found = evaluated(alone, configuration, 3)
    record = alone.of(Rows)[0].episodes[0]
    length = int(found[0].lengths[0])
    assert record["kind"] == "evaluation"
    assert record["checkpoint_step"] == 100
    assert record["seed"] == configuration.evaluation.seed
    assert len(record["actions"]) == length
    assert record["rewards"].sum() == found[0].returns[0]
    assert record["terminations"][-1]
    assert not record["terminations"][:-1].any()
    again = replay_episode(
        configuration.environment,
        record["seed"],
        record["actions"],
        expected=record["observation_crc"],
    )
    observations = [it for _, it in again]
    np.testing.assert_array_equal(record["observations"], observations)
    mind = mind_of(configuration, 3)
    expected = mind.insight(np.stack(observations))["q"]
    np.testing.assert_allclose(record["q_values"], expected, atol=1e-5)


def test_pictures_of_the_first_episode_follow_later_in_a_row_of_their_own(alone):
    configuration = tiny()
    evaluated(alone, configuration, 3)
    rows = alone.run(lambda: [it for it in alone.of(Rows) if it.number == 1])[0]
    record = rows.episodes[0]
    assert record["episode"] == alone.of(Rows)[0].episodes[0]["episode"]
    frames = record["frames"]
    assert frames.shape == (len(record["actions"]) + 1, 400, 600, 3)
    world = make(configuration.environment, render=True)
    world.reset(record["seed"])
    np.testing.assert_array_equal(frames[0], world.render())
    for action in record["actions"]:
        last = world.step(int(action))[0]
    np.testing.assert_array_equal(frames[-1], world.render())
    assert record["observation_crc"][-1] == observation_crc(last)
    world.close()


def test_long_episodes_are_stored_with_smaller_pictures():
    frame = np.zeros((400, 600, 3), np.uint8)
    height, width = frame_size(frame, 501)
    assert height * width * 3 * 501 <= MOST_FRAME_BYTES
    assert abs(width / height - 1.5) < 0.02
    assert frame_size(frame, 20) == (400, 600)


def test_scalars_only_records_no_episode(alone):
    evaluated(alone, tiny(recording__level="scalars"), 3)
    for _ in range(20):
        alone.tick()
    assert [it.episodes for it in alone.of(Rows)] == [[]]
    assert alone.of(EpisodeFinished) == []


def test_rows_are_told_again_to_a_restarted_keeper_until_they_are_stored(alone):
    alone.stored = False
    evaluated(alone, tiny(recording__level="scalars"), 3)
    alone.sent.clear()
    alone.tell(ProcessState("keeper", "ready"), "supervisor")
    assert [it.number for it in alone.of(Rows)] == [0]
    alone.stored = True
    alone.tell(ProcessState("keeper", "ready"), "supervisor")
    alone.tick()
    alone.sent.clear()
    alone.tell(ProcessState("keeper", "ready"), "supervisor")
    assert alone.of(Rows) == []


def test_live_options_of_evaluation_act_from_the_next_one_on(alone):
    configuration = tiny()
    evaluated(alone, configuration, 3)
    alone.tell(SetOption("evaluation.episodes", "7"), "supervisor")
    weights = mind_of(configuration, 4).agent.weights()
    alone.tell(Weights(200, 20, weights, evaluate=True), "trainer")
    alone.run(lambda: len(alone.of(EvaluationFinished)) == 2)
    assert len(alone.of(EvaluationFinished)[-1].returns) == 7


def test_the_best_of_a_resumed_session_is_remembered(theatre, monkeypatch):
    """Its keeper knows an evaluation that nothing here reaches."""
    known = {"step": np.array([50]), "mean": np.array([1e6])}
    monkeypatch.setitem(keeper_questions.QUESTIONS, "evaluations", lambda *_: known)
    assert [it.best for it in evaluated(theatre, tiny(), 3)] == [False]


def resumed(theatre, monkeypatch, period, known=(), **options):
    """Weights of step 900 are evaluated where the session has others to make up for."""
    table = {"step": np.array(known), "mean": np.zeros(len(known))}
    monkeypatch.setitem(keeper_questions.QUESTIONS, "evaluations", lambda *_: table)
    configuration = tiny(
        evaluation__period=period, recording__level="scalars", **options
    )
    theatre.open(configuration, live=True)
    weights = mind_of(configuration, 3).agent.weights()
    theatre.tell(Weights(900, 90, weights, evaluate=True), "trainer")
    theatre.run(lambda: theatre.of(EvaluationFinished))
    return configuration


def tell_keeper(monkeypatch, question, answer):
    monkeypatch.setitem(keeper_questions.QUESTIONS, question, lambda *_: answer)


def made_up_for(theatre):
    """Steps of all evaluations, once no other one comes."""
    for _ in range(200):
        theatre.tick()
    return [it.step for it in theatre.of(EvaluationFinished)]


def test_what_waited_in_a_lost_engine_is_made_up_for(theatre, store, monkeypatch):
    assert [it.step for it in store.checkpoints()] == [100, 200, 300]
    configuration = resumed(theatre, monkeypatch, 100, known=[200])
    theatre.run(lambda: len(theatre.of(EvaluationFinished)) == 3)
    found = theatre.of(EvaluationFinished)
    assert [it.step for it in found] == [900, 300, 100]
    options = configuration.evaluation
    for one in found[1:]:
        kept = store.checkpoint(one.step)
        mind = mind_of(configuration, 9)
        mind.load(one.step, network_arrays(dict(kept.arrays)))
        truth = evaluate(
            mind, configuration.environment, options.episodes, options.seed
        )
        np.testing.assert_array_equal(one.returns, truth.returns)
        assert one.update == kept.update
    rows = [it.evaluation.step for it in theatre.of(Rows) if it.evaluation]
    assert rows == [900, 300, 100]


def test_only_what_was_saved_to_be_evaluated_is_made_up_for(theatre, monkeypatch):
    resumed(theatre, monkeypatch, 200)
    theatre.run(lambda: len(theatre.of(EvaluationFinished)) == 2)
    assert made_up_for(theatre) == [900, 200]


def test_what_was_due_between_two_steps_of_all_environments_is_made_up_for(
    theatre, monkeypatch
):
    """Seven step at once: 100 is 4 beyond 96, 200 and 300 are 8 and 12 beyond."""
    resumed(theatre, monkeypatch, 96, training__environments=7)
    assert made_up_for(theatre) == [900, 100]


def test_a_period_counts_for_the_steps_at_which_it_was_set(theatre, monkeypatch):
    """200 up to step 250, and 100 since."""
    data = {"key": "evaluation.period", "old": 200, "new": 100}
    event = {"kind": "option", "step": 250, "text": "", "wall_time": 1.0, "data": data}
    tell_keeper(monkeypatch, "events", {"events": [event]})
    resumed(theatre, monkeypatch, 100)
    assert made_up_for(theatre) == [900, 300, 200]


def test_a_run_that_is_over_makes_up_for_no_more(theatre, monkeypatch):
    resumed(theatre, monkeypatch, 100)
    over = SessionStatus("s", "/s.h5", "uuid-1", live=False)
    theatre.tell(over, "supervisor")
    for _ in range(100):
        theatre.tick()
    assert 100 not in [it.step for it in theatre.of(EvaluationFinished)]


class Halted:
    """Evaluations that go on only when they are let go."""

    def __init__(self, monkeypatch):
        self.begun, self.let = [], set()
        job = evaluator.evaluation_job

        def halted(mind, *how):
            self.begun.append(mind.step)
            while mind.step not in self.let:
                yield None
            result = yield from job(mind, *how)
            return result

        monkeypatch.setattr(evaluator, "evaluation_job", halted)


def test_what_is_being_made_up_for_ends_with_the_run(theatre, monkeypatch):
    halted = Halted(monkeypatch)
    halted.let.add(900)
    resumed(theatre, monkeypatch, 100)
    theatre.run(lambda: 300 in halted.begun)
    over = SessionStatus("s", "/s.h5", "uuid-1", live=False)
    theatre.tell(over, "supervisor")
    halted.let |= {100, 200, 300}
    assert made_up_for(theatre) == [900]
    assert halted.begun == [900, 300]


def test_weights_that_come_need_not_wait_for_what_is_being_made_up_for(
    theatre, monkeypatch
):
    halted = Halted(monkeypatch)
    halted.let.add(900)
    configuration = resumed(theatre, monkeypatch, 100)
    theatre.run(lambda: 300 in halted.begun)
    halted.let.add(1000)
    weights = mind_of(configuration, 4).agent.weights()
    theatre.tell(Weights(1000, 100, weights, evaluate=True), "trainer")
    theatre.run(lambda: len(theatre.of(EvaluationFinished)) == 2)
    halted.let |= {100, 200, 300}
    assert made_up_for(theatre) == [900, 1000, 300, 200, 100]


def test_the_picture_keeps_moving_while_an_evaluation_runs(alone):
    configuration = tiny(
        environment__id="MountainCar-v0",
        evaluation__episodes=100,
        recording__level="scalars",
    )
    alone.look()
    begun = time.perf_counter()
    evaluated(alone, configuration, 3)
    took_s = time.perf_counter() - begun
    assert len(alone.of(Picture)) > 0.3 * 30 * min(took_s, 1.0)


def test_an_environment_that_fails_is_a_problem_and_the_stage_lives(alone, monkeypatch):
    configuration = tiny()
    evaluated(alone, configuration, 3)

    def broken(self, action):
        raise RuntimeError("a wheel came off")

    monkeypatch.setattr(LabEnvironment, "step", broken)
    weights = mind_of(configuration, 4).agent.weights()
    alone.tell(Weights(200, 20, weights, evaluate=True), "trainer")
    problem = alone.run(lambda: alone.of(Problem))[0]
    assert problem.what == (
        "The environment 'CartPole-v1' failed in step(): "
        "RuntimeError: a wheel came off."
    )
    assert "broken" in problem.details
    monkeypatch.undo()
    alone.tell(Weights(300, 30, weights, evaluate=True), "trainer")
    alone.run(lambda: [it for it in alone.of(EvaluationFinished) if it.step == 300])


def test_an_observation_that_is_no_number_is_a_problem(alone, monkeypatch):
    step = LabEnvironment.step

    def poisoned(self, action):
        observation, *rest = step(self, action)
        return observation * np.float32("nan"), *rest

    monkeypatch.setattr(LabEnvironment, "step", poisoned)
    alone.look()
    alone.tell(ShowAgent(tiny().to_json()))
    problem = alone.run(lambda: alone.of(Problem))[0]
    assert "an observation from step() that is no finite" in problem.what
