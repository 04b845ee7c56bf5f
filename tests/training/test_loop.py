"""The loop: counting, seeds, records, telemetry, options and reports."""

import numpy as np
import pytest

from engine.agents import Update
from engine.agents.schedules import BUCKET
from engine.contract.arrays import join, split, state_hash
from engine.contract.codec import decode, encode
from engine.contract.messages import Rows
from engine.contract.options import ConfigurationError
from engine.environments import replay_episode
from engine.training.telemetry import SERIES, UpdateBucket

IMAGES = {"environment__id": "RLLabTest/Misbehaving-v0", "recording__level": "default"}


# -------------------------------------------------------------------- counting


def test_training_ends_at_its_budget_and_not_a_step_later(make):
    loop = make(training__steps=123)
    loop.advance()
    assert (loop.step, loop.finished) == (123, True)
    loop.advance(steps=10)
    assert loop.step == 123


def test_steps_count_over_all_environments(make):
    loop = make(training__environments=3)
    loop.advance(steps=7)
    assert loop.step == 9


def test_a_raised_budget_lets_training_go_on(make):
    loop = make(training__steps=100)
    loop.advance()
    loop.set_option("training.steps", 150)
    assert not loop.finished
    loop.advance()
    assert loop.step == 150


def test_no_time_is_one_step(make):
    loop = make()
    loop.advance(seconds=0.0)
    assert loop.step == 1


def test_until_the_end_of_an_episode(make):
    loop = make()
    loop.advance(until_episode_end=True)
    assert loop.episode == 1
    assert loop.drain().finished[0].step == loop.step


@pytest.mark.parametrize(
    ("environments", "share", "updates"), [(1, 1.0, 250), (1, 0.3, 75), (4, 2.0, 504)]
)
def test_updates_per_step(make, environments, share, updates):
    loop = make(
        training__environments=environments,
        agent__updates_per_step=share,
        training__steps=300,
    )
    loop.advance()
    assert loop.update == pytest.approx(updates, abs=1)


def test_without_replay_there_is_one_update_per_step_at_most(make):
    loop = make(replay__kind="none", agent__updates_per_step=5, training__steps=300)
    loop.advance()
    assert loop.update == 250


def test_nothing_is_learned_before_learning_starts(make):
    loop = make()
    before = loop.weights()
    loop.advance(steps=50)
    assert loop.update == 0
    assert all(np.array_equal(before[k], v) for k, v in loop.weights().items())
    loop.advance(steps=1)
    assert loop.update == 1


# ------------------------------------------------------------------------ seeds


def run_hash(loop):
    loop.advance()
    return state_hash(loop.state())


def test_the_same_seed_gives_the_same_run_and_another_seed_another(make):
    one, two, other = (run_hash(make(training__seed=it)) for it in (3, 3, 4))
    assert one == two != other


def test_each_episode_has_a_recorded_seed_of_its_own(make):
    loop = make(training__environments=2)
    loop.advance()
    finished = loop.drain().finished
    seeds = [it.seed for it in finished]
    assert len(set(seeds)) == len(seeds) > 10
    assert len({it.episode for it in finished}) == len(finished)
    assert all(2**30 <= it < 2**31 for it in seeds)


@pytest.mark.parametrize("stack", [1, 3])
def test_recorded_episodes_play_again_exactly(make, stack):
    loop = make(environment__frame_stack=stack, training__environments=2)
    loop.advance(steps=200)
    for record in loop.drain().episodes:
        played = replay_episode(
            loop.configuration.environment,
            record["seed"],
            record["actions"],
            expected=record["observation_crc"],
        )
        frames = [frame for _, frame in played]
        assert np.array_equal(frames, record["observations"])


def test_the_agent_acts_on_the_stack_that_it_will_learn_from(make):
    loop = make(environment__frame_stack=3, training__environments=2)
    streams = loop.agent.memory.streams
    for _ in range(100):
        loop.advance(steps=1)
        heads = np.array([streams.head(it) for it in range(2)])
        acted_on = np.stack([lane.observation for lane in loop.seeds.lanes])
        assert np.array_equal(acted_on, streams.observations(heads))
    assert loop.episode > 2


# ---------------------------------------------------------------------- records


def test_an_episode_record_is_complete(make):
    loop = make(exploration__epsilon=0.5, exploration__schedule="constant")
    loop.advance(steps=300)
    drained = loop.drain()
    assert len(drained.episodes) == len(drained.finished) > 3
    for record, finished in zip(drained.episodes, drained.finished, strict=True):
        steps = finished.length
        assert record["kind"] == finished.kind == "training"
        assert record["episode"] == finished.episode
        assert record["seed"] == finished.seed
        assert record["step0"] + steps == finished.step
        assert record["rewards"].sum() == finished.episode_return
        shapes = {k: v.shape for k, v in record.items() if isinstance(v, np.ndarray)}
        assert shapes == {
            "actions": (steps,),
            "rewards": (steps,),
            "terminations": (steps,),
            "truncations": (steps,),
            "explored": (steps,),
            "q_values": (steps + 1, 2),
            "observation_crc": (steps + 1,),
            "observations": (steps + 1, 4),
        }
        assert record["terminations"][-1] == finished.terminated
        assert record["truncations"][-1] != finished.terminated
        assert not record["terminations"][:-1].any()
        greedy = ~record["explored"]
        best = record["q_values"][:-1].argmax(1)
        assert np.array_equal(record["actions"][greedy], best[greedy])
        assert np.isfinite(record["q_values"]).all()


NEVER_LEARNS = {"agent__learning_starts": 10_000, "replay__capacity": 20_000}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"training__environments": 3},
        {"training__seeds": 3},
        {"training__mode": "synchronized"},
        {"exploration__kind": "noisy"},
        {"exploration__kind": "bootstrapped"},
        {"head__kind": "c51", "head__atoms": 11},
    ],
)
def test_what_it_thought_of_the_last_state_is_recorded(make, options):
    loop = make(**options, **NEVER_LEARNS)
    loop.advance(steps=300)
    records = loop.drain().episodes
    assert len(records) > 3
    for record in records:
        seen = loop.agent.act(record["observations"]).q
        np.testing.assert_allclose(record["q_values"][-1], seen[-1], rtol=1e-5)
        assert np.abs(seen[-1] - seen[-2]).max() > 1e-4


def test_a_recurrent_network_does_not_see_the_last_state(make):
    loop = make(network__recurrent="gru", replay__kind="sequence", **NEVER_LEARNS)
    loop.advance(steps=100)
    for record in loop.drain().episodes:
        assert np.isnan(record["q_values"][-1]).all()
        assert np.isfinite(record["q_values"][:-1]).all()


def test_a_truncated_episode_is_recorded_as_truncated(make):
    loop = make(environment__time_limit=5)
    loop.advance(steps=30)
    drained = loop.drain()
    assert {it.length for it in drained.finished} == {5}
    assert not any(it.terminated for it in drained.finished)
    assert all(it["truncations"][-1] for it in drained.episodes)


def test_level_scalars_records_no_episodes_and_level_everything_pictures_too(make):
    bare, rich = make(recording__level="scalars"), make(recording__level="everything")
    bare.advance(steps=60)
    rich.advance(steps=60)
    assert bare.drain().episodes == []
    record = rich.drain().episodes[0]
    assert record["frames"].dtype == np.uint8
    assert record["frames"].shape[0] == len(record["actions"]) + 1
    assert record["frames"].shape[3] == 3


def test_a_film_that_would_fill_the_memory_is_left_out_and_an_event_says_so(
    make, monkeypatch
):
    one_picture = 400 * 600 * 3
    monkeypatch.setattr("engine.training.lane.LARGEST_FILM", 20 * one_picture)
    monkeypatch.setattr("engine.training.loop.LARGEST_FILM", 20 * one_picture)
    loop = make(recording__level="everything", agent__learning_starts=1000)
    loop.advance(steps=150)
    drained = loop.drain()
    kept = [len(it["actions"]) + 1 <= 20 for it in drained.episodes]
    assert True in kept
    assert False in kept
    assert ["frames" in it for it in drained.episodes] == kept
    assert len(drained.events) == kept.count(False)
    assert "without pictures" in drained.events[0].text


def test_the_recording_level_changes_nothing_in_what_is_learned(make):
    weights = []
    for level in ("scalars", "default"):
        loop = make(recording__level=level)
        loop.advance()
        weights.append(loop.weights())
    assert all(np.array_equal(weights[0][k], weights[1][k]) for k in weights[0])


def test_what_is_drained_is_drained_once_and_fits_into_a_message(make):
    loop = make()
    loop.set_option("agent.learning_rate", 2e-3)
    loop.advance(steps=300)
    drained = loop.drain()
    rows = Rows(
        "trainer",
        1,
        loop.step,
        scalars=drained.scalars,
        finished=drained.finished,
        episodes=drained.episodes,
        replay=drained.replay,
        events=drained.events,
    )
    assert len(decode(encode(rows)).episodes) == len(drained.episodes)
    again = loop.drain()
    assert again.scalars is None
    assert [*again.finished, *again.episodes, *again.events] == []
    assert len(again.replay["slot"]) == 0


# -------------------------------------------------------------------- telemetry


def through_a_message(state):
    """A state as a checkpoint message keeps it."""
    arrays, values = split(state)
    return join(arrays, values)


def columns_of(scalars):
    """Rows by series, as (step, update, episode, value)."""
    rows = {}
    columns = scalars.columns
    keys = ("series", "step", "update", "episode", "value")
    for series, *row in zip(*(columns[key].tolist() for key in keys), strict=True):
        rows.setdefault(scalars.names[series], []).append(tuple(row))
    return rows


def test_buckets_end_where_the_update_counter_says(make):
    loop = make(replay__kind="prioritized", agent__updates_per_step=0.7)
    loop.advance()
    rows = columns_of(loop.drain().scalars)
    assert set(rows) == set(SERIES)
    for name in set(SERIES) - {"return", "length"}:
        updates = [update for _, update, _, _ in rows[name]]
        assert updates == list(range(BUCKET, loop.update + 1, BUCKET))


def test_returns_and_lengths_are_those_of_the_episodes(make):
    loop = make()
    loop.advance()
    drained = loop.drain()
    rows = columns_of(drained.scalars)
    expected = [(it.step, it.episode_return) for it in drained.finished]
    assert [(step, value) for step, _, _, value in rows["return"]] == expected
    lengths = [value for *_, value in rows["length"]]
    assert lengths == [it.length for it in drained.finished]


def test_series_mean_what_they_say(make):
    loop = make(agent__learning_rate_final=0.5)
    loop.advance(steps=50)
    updates, learn = [], loop.agent.learn
    loop.agent.learn = lambda *of: updates.append(learn(*of)) or updates[-1]
    loop.advance(steps=BUCKET)
    rows = {k: v[0][3] for k, v in columns_of(loop.drain().scalars).items()}
    errors = np.abs([it.td_error for it in updates])
    values = np.array([it.q.max(1) for it in updates])
    assert rows["loss"] == pytest.approx(np.mean([it.loss for it in updates]))
    assert rows["td_error"] == pytest.approx(errors.mean(), rel=1e-5)
    assert rows["td_error_max"] == pytest.approx(errors.max())
    assert rows["q_mean"] == pytest.approx(values.mean(), rel=1e-5)
    assert rows["q_max"] == pytest.approx(values.max())
    norms = [it.gradient_norm for it in updates]
    assert rows["gradient_norm"] == pytest.approx(np.mean(norms))
    assert rows["learning_rate"] == updates[-1].learning_rate
    assert rows["replay_size"] == len(loop.agent.memory)


def test_a_changed_batch_size_inside_a_bucket_is_measured_as_well(make):
    loop = make()
    loop.advance(steps=60)
    loop.set_option("agent.batch_size", 24)
    loop.advance(steps=60)
    assert len(columns_of(loop.drain().scalars)["td_error"]) == 2


EXTRAS = [
    ({"agent__bootstrap": "trust_region"}, {"masked"}),
    ({"exploration__bonus": 0.5}, {"bonus"}),
    ({"exploration__kind": "bootstrapped"}, {"disagreement"}),
    ({"exploration__kind": "boltzmann"}, {"temperature"}),
    ({"exploration__kind": "noisy"}, {"noise.head"}),
]


@pytest.mark.parametrize(("options", "names"), EXTRAS, ids=str)
def test_methods_bring_series_of_their_own(make, options, names):
    loop = make(**options)
    loop.advance(steps=300)
    scalars = loop.drain().scalars
    assert tuple(scalars.names[: len(SERIES)]) == SERIES
    rows = columns_of(scalars)
    assert names <= set(rows)
    assert all("/" not in name for name in scalars.names)
    for name in names:
        assert [it[1] for it in rows[name]] == [it[1] for it in rows["loss"]]


def test_a_series_is_the_mean_of_the_updates_that_measured_it():
    bucket = UpdateBucket()
    update = Update(0.0, 0.0, np.zeros(2), np.zeros((2, 2)), 0.0, 0.0)
    for extras in ({"masked": 0.25, "noise/head": 2.0}, {}, {"masked": 0.75}):
        bucket.add(update._replace(extras=extras))
        state = through_a_message(bucket.state())
        bucket = UpdateBucket()
        bucket.restore(state)
    values = bucket.close()
    assert (values["masked"], values["noise.head"]) == (0.5, 2.0)
    bucket.add(update)
    assert "masked" not in bucket.close()


def test_a_bucket_of_before_there_were_extras_is_taken_over():
    bucket = UpdateBucket()
    bucket.add(Update(1.0, 0.0, np.zeros(2), np.zeros((2, 2)), 0.0, 0.0))
    state = bucket.state()
    assert "extras" not in state
    bucket.restore(state)
    assert bucket.close()["loss"] == 1.0


# ---------------------------------------------------------------------- options


def test_a_changed_option_leaves_an_event(make):
    loop = make()
    loop.advance(steps=10)
    loop.set_option("exploration.epsilon", 0.25)
    loop.set_option("exploration.epsilon", 0.25)
    (event,) = loop.drain().events
    assert event.kind == "option"
    assert event.step == 10
    assert event.data == {"key": "exploration.epsilon", "old": 1.0, "new": 0.25}
    assert "exploration.epsilon" in event.text


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("network.hidden", "8"),
        ("agent.learning_rate", -1.0),
        ("agent.batch_size", 5000),
        ("agent.lerning_rate", 0.1),
    ],
)
def test_a_refused_option_changes_nothing_and_leaves_no_event(make, key, value):
    loop = make()
    before = loop.configuration
    with pytest.raises(ConfigurationError):
        loop.set_option(key, value)
    assert loop.configuration == before
    assert loop.drain().events == []


def test_live_options_reach_the_updates(make):
    loop = make()
    loop.advance(steps=60)
    before = loop.weights()
    loop.set_option("agent.learning_rate", 1e-7)
    loop.set_option("target_network.kind", "polyak")
    loop.advance(steps=20)
    after = loop.weights()
    moved = max(np.abs(before[k] - after[k]).max() for k in before if "online" in k)
    assert 0 < moved < 1e-5


# ---------------------------------------------------------------------- reports


def test_how_long_it_takes_is_not_told_before_it_learns(make):
    loop = make(agent__learning_starts=200)
    loop.advance(steps=100)
    loop.advance(steps=50)
    assert loop.status().steps_per_s > 0
    assert loop.status().remaining_s == 0
    loop.advance(steps=100)
    assert loop.status().remaining_s > 0


def test_status_says_where_the_run_is(make):
    loop = make(training__environments=2)
    loop.advance(steps=300)
    status = loop.status()
    assert (status.step, status.update, status.episode) == (
        loop.step,
        loop.update,
        loop.episode,
    )
    assert status.steps_budget == 600
    assert status.steps_per_s > 0
    assert status.updates_per_s > 0
    assert status.replay_size == len(loop.agent.memory)
    assert status.replay_capacity == 300
    assert status.remaining_s == pytest.approx(300 / status.steps_per_s)
    assert (status.state, status.device) == ("running", "cpu")
    loop.advance()
    assert loop.status().state == "finished"


@pytest.mark.parametrize("kind", ["none", "uniform", "prioritized"])
def test_the_priority_report_adds_up(make, kind):
    loop = make(replay__kind=kind)
    loop.advance(steps=300)
    report = loop.priorities()
    assert (report.kind, report.step) == (kind, 300)
    assert report.age_counts.sum() == report.size == len(loop.agent.memory)
    if kind == "prioritized":
        assert report.counts.sum() + report.zero_count == report.size
        assert report.mass.sum() == pytest.approx(1.0)
        assert report.weight.max() <= 1.0
        assert (report.weight[report.counts > 0] > 0).all()
        assert len(report.bin_edges) == len(report.counts) + 1
    else:
        assert len(report.counts) == 0


def test_a_priority_report_of_an_empty_memory(make):
    report = make(replay__kind="prioritized").priorities()
    assert report.size == 0
    assert len(report.counts) == 0


def test_sampled_states_are_different_and_as_the_agent_sees_them(make):
    loop = make(environment__frame_stack=3)
    loop.advance(steps=200)
    states = loop.sample_states(50)
    assert states["observation"].shape == (50, 12)
    assert len(set(states["slot"].tolist())) == 50
    assert states["explored"].dtype == np.bool_
    assert len(loop.sample_states(10_000)["slot"]) == len(loop.agent.memory)


@pytest.mark.parametrize("environments", [1, 3])
def test_sampled_states_say_when_they_were_met(make, environments):
    loop = make(training__environments=environments)
    loop.advance(steps=280)
    begun = {}
    for record in loop.drain().episodes:
        key = record["environment"], -(-record["step0"] // environments)
        begun[key] = record["observations"]
    states = loop.sample_states(10_000)
    columns = (states[it].tolist() for it in ("environment", "begun", "t"))
    found = 0
    for i, (environment, start, t) in enumerate(zip(*columns, strict=True)):
        if (environment, start) in begun:
            expected = begun[environment, start][t]
            assert np.array_equal(states["observation"][i], expected)
            found += 1
    assert found > 150


def test_looking_changes_nothing(make):
    blind, looked_at = (
        make(replay__kind="prioritized"),
        make(replay__kind="prioritized"),
    )
    for _ in range(10):
        looked_at.advance(steps=60)
        looked_at.drain()
        looked_at.priorities()
        looked_at.sample_states(20)
        looked_at.status()
        looked_at.weights()
        looked_at.state()
    assert run_hash(blind) == run_hash(looked_at)
