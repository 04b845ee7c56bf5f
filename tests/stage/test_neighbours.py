"""Neighbours: exact, told with what happened there; and how far actions are apart."""

import numpy as np
import pytest
from theatre import KINDS

from engine.contract.messages import SessionStatus
from engine.environments import describe
from engine.stage.archive import network_arrays
from engine.stage.jobs import finish
from engine.stage.minds import Mind
from engine.stage.nearest import distances, nearest, spreads


@pytest.mark.parametrize("shape", [(7,), (4, 4, 2)])
def test_distances_are_those_of_brute_force_in_any_number_of_pieces(shape, monkeypatch):
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 3, (300, *shape)).astype(np.float32)
    scale = rng.random(int(np.prod(shape))) + 0.5
    monkeypatch.setattr("engine.stage.nearest.CHUNK_BYTES", 20_000)
    found = finish(distances(rows, rows[5], scale))
    slowly = [np.sqrt((((it - rows[5]).reshape(-1) / scale) ** 2).sum()) for it in rows]
    np.testing.assert_allclose(found, slowly, rtol=1e-6)
    order = sorted(range(300), key=lambda i: (found[i], i))
    assert nearest(found, 8).tolist() == order[:8]


def test_a_number_that_never_changes_does_not_count():
    rows = np.array([[1.0, 5.0], [3.0, 5.0]])
    assert spreads(rows).tolist() == [1.0, 1.0]


@pytest.fixture(scope="module", params=["plain", "gru"])
def run(request, played):
    """A short real run whose loop still answers; its stage and its configuration."""
    found = played.run(**KINDS[request.param])
    with found.on_stage() as theatre:
        yield theatre, found.loop, found.configuration


def longest(theatre):
    table = theatre.source.episodes()
    training = [i for i, kind in enumerate(table["kind"]) if kind == "training"]
    row = max(training, key=lambda i: table["length"][i])
    return {"kind": "training", "episode": int(table["episode"][row])}


@pytest.mark.parametrize("live", [True, False])
def test_the_neighbours_are_the_nearest_states_of_the_session(run, live):
    theatre, loop, configuration = run
    theatre.loop = loop if live else None
    theatre.open(configuration, live=live)
    step = {**longest(theatre), "checkpoint_step": 200}
    found = theatre.result("neighbours", **step, t=6)
    whole = theatre.result("judge_episode", **step)
    seen = whole["observations"]
    for kind in ("embedding", "observation"):
        rows = found[kind]
        assert len(rows) == 8
        apart = [row["distance"] for row in rows]
        assert apart == sorted(apart)
        here = [(row.get("kind"), row.get("episode"), row.get("t")) for row in rows]
        assert ("training", step["episode"], 6) not in here
        for row in rows:
            _check(row, theatre, configuration)
    if configuration.network.recurrent == "none" and not live:
        _check_exactness(found, theatre, configuration, seen[6])


def _check(row, theatre, configuration):
    """What is told of a neighbour is what its record says."""
    assert row["frame"].shape[2] == 3
    assert max(row["frame"].shape[:2]) <= 72
    if "episode" not in row:
        return
    record = theatre.source.episode(row["kind"], row["episode"])
    t = row["t"]
    assert row["taken"] == record["actions"][t]
    gamma, rewards = configuration.agent.discount, record["rewards"][t:]
    to_go = sum(gamma**k * it for k, it in enumerate(rewards.tolist()))
    assert row["return_to_go"] == pytest.approx(to_go, rel=1e-6)


def _check_exactness(found, theatre, configuration, here):
    """Against all recorded states, one by one (fewer than the pool takes)."""
    table = theatre.source.episodes()
    rows = [i for i, it in enumerate(table["recorded"]) if it]
    everything = []
    for i in rows:
        given = {"kind": table["kind"][i], "episode": int(table["episode"][i])}
        told = theatre.result("judge_episode", **given, checkpoint_step=200)
        everything.append(told["observations"][: len(told["actions"])])
    pool = np.concatenate(everything).astype(np.float64)
    assert len(pool) == found["states"]
    scale = pool.std(axis=0)
    by_sight = np.sort(np.sqrt((((pool - here) / scale) ** 2).sum(1)))[1:9]
    told = [row["distance"] for row in found["observation"]]
    np.testing.assert_allclose(told, by_sight, rtol=1e-5, atol=1e-6)
    mind = Mind(configuration, describe(configuration.environment))
    mind.load(200, network_arrays(dict(theatre.source.checkpoint(200).arrays)))
    layer = mind.insight(pool.astype(np.float32))["embedding"]
    own = mind.insight(here[None])["embedding"]
    by_layer = np.sort(np.sqrt(((layer - own) ** 2).sum(1)))[1:9]
    told = [row["distance"] for row in found["embedding"]]
    np.testing.assert_allclose(told, by_layer, rtol=1e-3, atol=1e-4)


def test_gaps_are_percentiles_of_the_session(run):
    theatre, _, configuration = run
    theatre.loop = None
    theatre.open(configuration, live=False)
    found = theatre.result("gaps", **longest(theatre), checkpoint_step=200)
    gaps = found["gaps"]
    assert len(gaps) == 101
    assert (np.diff(gaps) >= 0).all()
    assert gaps[0] >= 0
    assert found["states"] > 50


def test_as_recorded_it_is_compared_with_what_was_recorded_round_it(run):
    theatre, _, configuration = run
    theatre.open(configuration, live=False)
    here = longest(theatre)
    found = theatre.result("gaps", **here)
    record = theatre.source.episode("training", here["episode"])
    known = record["q_values"][np.isfinite(record["q_values"]).all(axis=1)]
    assert found["values"][0] <= known.max(axis=1).min() + 1e-6
    assert found["values"][-1] >= known.max(axis=1).max() - 1e-6
    assert found["source"] == "episodes round this one, as recorded"


def test_when_else_it_would_do_the_same_is_counted_on_the_map(run):
    theatre, _, configuration = run
    theatre.loop = None
    theatre.open(configuration, live=False)
    step = {**longest(theatre), "checkpoint_step": 200, "t": 4}
    early = theatre.ask("when_else", **step)
    assert early.error.startswith("There is no map of states yet")
    theatre.look()
    theatre.result("embedding", count=100)
    found = theatre.result("when_else", **step, within=0.3)
    assert found["states"] == 100
    if configuration.network.recurrent == "none":
        assert 0 < found["count"] < 100
    assert len(found["episodes"]) == len(found["steps"]) <= found["count"]
    # Each is as it is said, by the same weights along its own episode.
    for episode, t in list(zip(found["episodes"], found["steps"], strict=True))[:5]:
        other = {"kind": "training", "episode": int(episode)}
        told = theatre.result("judge_episode", **other, checkpoint_step=200)
        if configuration.network.recurrent == "none":
            assert told["liking"][t].argmax() == found["action"]
            assert abs(told["value"][t] - found["value"]) <= found["tolerance"] + 1e-5
    # The map of one session says nothing about another.
    other = SessionStatus(
        "o", "/o.h5", "uuid-2", False, configuration=configuration.to_json()
    )
    theatre.tell(other, "supervisor")
    late = theatre.ask("when_else", **step)
    assert late.error.startswith("There is no map of states yet")


def test_too_many_are_refused(run):
    theatre, _, configuration = run
    theatre.open(configuration, live=False)
    asked = theatre.ask("neighbours", **longest(theatre), t=0, count=100)
    assert asked.error == "One to 32 neighbours can be asked for."
