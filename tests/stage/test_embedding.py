"""The map: real states, points that keep their number and place, an honest legend."""

import json
import multiprocessing
import os
import subprocess
import sys

import numpy as np
import pytest
from theatre import KINDS, Theatre, tiny, trained

from engine.contract.messages import (
    Answer,
    Ask,
    EmbeddingReport,
    Picture,
    Problem,
    SessionStatus,
    ShowAgent,
    Subscribe,
    Weights,
)
from engine.environments import describe, make
from engine.stage import embedding as embedding_module
from engine.stage import layout_worker
from engine.stage.archive import network_arrays
from engine.stage.layout import alike, normalised, placed, principal_plane
from engine.stage.layout_process import WorkerDied
from engine.stage.minds import Mind
from engine.stage.posing import picture_of
from engine.training import TrainingLoop


class FakeWorker:
    """Answers each task at once: every point a little further to the right."""

    def __init__(self) -> None:
        self.tasks, self._out = [], []

    def start(self, activations, start, *, perplexity, seed, fresh):
        self.tasks.append((activations, start.copy(), perplexity, fresh))
        self._out = [(start + 0.1, False), (start + 0.2, True)]

    def layouts(self):
        out, self._out = self._out, []
        return out

    def stop(self):
        self._out = []


@pytest.fixture
def worker(monkeypatch):
    fake = FakeWorker()
    monkeypatch.setattr(embedding_module, "LayoutProcess", lambda: fake)
    return fake


@pytest.fixture
def staged(worker, store):
    """A stage whose map is laid out by the fake."""
    found = Theatre(store)
    found.look(("picture", "embedding"))
    found.open(tiny(), live=False)
    found.run(lambda: [it for it in found.of(Picture) if it.checkpoint_step == 300])
    yield found
    found.stage.close()


def reports(theatre) -> list[EmbeddingReport]:
    return theatre.of(EmbeddingReport)


# ------------------------------------------------------------------- pure parts


def test_the_main_plane_keeps_what_spreads_most():
    rng = np.random.default_rng(0)
    spread = rng.normal(size=(200, 5)) * [10.0, 5.0, 0.1, 0.1, 0.1]
    mixed = spread @ np.linalg.qr(rng.normal(size=(5, 5)))[0]
    plane = principal_plane(mixed.astype(np.float32))
    kept = plane.var(axis=0).sum() / mixed.var(axis=0).sum()
    assert kept > 0.99
    assert plane[:, 0].std() > plane[:, 1].std()
    np.testing.assert_array_equal(plane, principal_plane(mixed.astype(np.float32)))


def test_a_single_unit_still_has_a_plane():
    plane = principal_plane(np.arange(6, dtype=np.float32)[:, None])
    assert plane.shape == (6, 2)
    assert (plane[:, 1] == 0).all()


def test_maps_are_centred_and_of_one_size():
    points = normalised(np.random.default_rng(0).normal(3.0, 9.0, (50, 2)))
    np.testing.assert_allclose(points.min(axis=0), -points.max(axis=0), atol=1e-6)
    assert np.abs(points).max() == pytest.approx(1.0)
    assert (normalised(np.ones((4, 2))) == 0).all()


def test_known_points_stay_and_new_ones_go_beside_their_likes():
    left = np.random.default_rng(0).normal(0.0, 0.1, (20, 3))
    activations = np.concatenate([left, left + 10.0]).astype(np.float32)
    positions = np.repeat([[-5.0, 0.0], [5.0, 0.0]], 20, axis=0).astype(np.float32)
    known = np.ones(40, bool)
    known[[0, 39]] = False
    scrambled = positions.copy()
    scrambled[~known] = np.nan
    found = placed(activations, scrambled, known)
    np.testing.assert_array_equal(found, positions)


def test_states_that_the_network_cannot_tell_apart_are_one():
    rows = np.random.default_rng(0).normal(size=(3, 8)).astype(np.float32)
    which = np.array([2, 0, 2, 1, 0])
    shaken = rows[which] * (1 + np.float32(1e-7))
    found, of = alike(np.where(np.arange(5)[:, None] > 1, shaken, rows[which]))
    np.testing.assert_array_equal(found, [0, 1, 3])
    np.testing.assert_array_equal(of, [0, 1, 0, 2, 1])
    assert [len(it) for it in alike(np.zeros((4, 8), np.float32))] == [1, 4]


# -------------------------------------------------------------------- the stage


def test_the_first_picture_is_the_main_plane_and_layouts_follow(staged, worker):
    answer = staged.result("embedding", count=120, perplexity=20.0)
    assert answer == {"count": 120, "checkpoint_step": 300}
    staged.run(lambda: reports(staged)[-1].final)
    first, second, last = reports(staged)
    assert "PCA" in first.legend
    assert [it.final for it in (first, second, last)] == [False, False, True]
    activations, start, perplexity, fresh = worker.tasks[0]
    np.testing.assert_allclose(start, principal_plane(activations))
    assert (perplexity, fresh) == (20.0, True)
    np.testing.assert_array_equal(first.point_ids, last.point_ids)


def test_the_legend_is_complete(staged):
    staged.result("embedding", count=120, perplexity=20.0)
    staged.run(lambda: reports(staged)[-1].final)
    episodes = int(np.sum(staged.source.episodes()["recorded"]))
    assert reports(staged)[-1].legend == (
        f"Last hidden layer (16 units), 120 states from {episodes} recorded episodes, "
        "t-SNE, perplexity 20, seed 0, checkpoint 300. "
        "Axes and distances between groups have no meaning."
    )


def test_colour_and_dice_are_those_of_the_states(staged, worker):
    staged.result("embedding", count=120, perplexity=20.0)
    report = reports(staged)[0]
    point = int(report.point_ids[17])
    found = staged.result("explain_point", point_id=point)
    assert report.value[17] == pytest.approx(found["value"], abs=1e-5)
    assert bool(report.exploring[17]) is found["explored"]
    record = staged.source.episode(found["kind"], found["episode"])
    observation = record["observations"][found["t"]]
    np.testing.assert_array_equal(found["observation"], observation)
    assert found["explored"] == record["explored"][found["t"]]
    mind = Mind(tiny(), describe(tiny().environment))
    mind.load(300, network_arrays(dict(staged.source.checkpoint(300).arrays)))
    seen = mind.insight(observation[None])
    np.testing.assert_allclose(found["q"], seen["q"][0], atol=1e-6)
    given = staged.run(lambda: worker.tasks)[0][0]  # it goes out in a later slice
    np.testing.assert_allclose(given[17], seen["embedding"][0], atol=1e-6)


def test_the_picture_of_a_point_is_of_that_very_state(staged):
    staged.result("embedding", count=120, perplexity=20.0)
    point = int(reports(staged)[0].point_ids[5])
    found = staged.result("explain_point", point_id=point)
    record = staged.source.episode(found["kind"], found["episode"])
    world = make(tiny().environment, render=True)
    world.reset(record["seed"])
    for action in record["actions"][: found["t"]]:
        world.step(int(action))
    np.testing.assert_array_equal(found["frame"], world.render())
    world.close()


def test_the_perplexity_fits_the_number_of_states(staged, worker):
    staged.result("embedding", count=61, perplexity=300.0)
    staged.run(lambda: worker.tasks)
    assert worker.tasks[0][2] == 20.0


def in_a_grid(store, layout):
    """A theatre in which a world of few states is learned."""
    world = {"environment__id": "RLLab/GridWorld-v0"}
    configuration = tiny(**world, environment__kwargs={"layout": layout})
    loop = TrainingLoop(configuration)
    loop.advance(steps=250)
    theatre = Theatre(store)
    theatre.loop = loop
    theatre.look(("picture", "embedding"))
    theatre.open(configuration, live=True)
    theatre.tell(Weights(250, 1, loop.weights()), "trainer")
    theatre.result("embedding", count=100)
    theatre.run(lambda: reports(theatre)[-1].final)
    theatre.stage.close()
    loop.close()
    return reports(theatre)[-1]


def test_copies_of_a_state_are_laid_out_once_and_lie_together(worker, store):
    report = in_a_grid(store, "garden")
    activations, _, perplexity, _ = worker.tasks[0]
    count = len(activations)
    assert 10 <= count < 50
    assert perplexity == (count - 1) / 3
    assert len(np.unique(report.positions, axis=0)) == count
    assert f"100 states ({count} different ones) from" in report.legend


def test_a_handful_of_states_stays_in_its_main_plane(worker, store):
    report = in_a_grid(store, "S.\n.G")
    assert not worker.tasks
    assert "PCA" in report.legend
    assert len(np.unique(report.positions, axis=0)) == 3


def test_too_few_states_is_a_sentence(staged):
    found = staged.ask("embedding", count=12)
    assert found.error.startswith("The map needs at least 50 states (have 12).")


def test_a_point_that_is_gone_is_a_sentence(staged):
    staged.result("embedding", count=60)
    found = staged.ask("explain_point", point_id=10_000)
    assert found.error == "This point is no longer on the map. Click another."


def test_newer_weights_move_the_points_and_keep_their_numbers(
    staged, worker, monkeypatch
):
    """Live: three quarters of the states stay, with number and starting place."""
    monkeypatch.setattr(embedding_module, "AGAIN_AFTER_S", 0.0)
    monkeypatch.setattr(embedding_module, "POLL_S", 0.001)
    each = lambda rows: (np.arange(len(rows)), np.arange(len(rows)))  # noqa: E731
    monkeypatch.setattr(embedding_module, "alike", each)  # no copies, for counting
    configuration = tiny()
    loop = TrainingLoop(configuration)
    loop.advance(steps=250)
    staged.loop = loop
    text = configuration.to_json()
    staged.tell(
        SessionStatus("s", "/s.h5", "uuid-1", True, configuration=text), "supervisor"
    )
    staged.tell(Weights(400, 1, loop.weights()), "trainer")
    staged.result("embedding", count=100)
    staged.run(lambda: reports(staged)[-1].final)
    before = reports(staged)[-1]
    assert "100 states from the replay memory" in before.legend
    loop.advance(steps=40)
    staged.tell(Weights(500, 2, loop.weights()), "trainer")
    staged.run(lambda: reports(staged)[-1].checkpoint_step == 500)
    staged.run(lambda: reports(staged)[-1].final)
    after = reports(staged)[-1]
    same = before.point_ids == after.point_ids
    assert same.sum() == 75
    assert after.point_ids[~same].min() > before.point_ids.max()
    assert len(set(after.point_ids.tolist())) == 100
    _, start, _, fresh = worker.tasks[-1]
    assert not fresh
    ended = worker.tasks[-2][1] + np.float32(0.2)
    np.testing.assert_allclose(start[same], ended[same], atol=1e-5)
    assert np.isfinite(start).all()
    loop.close()


def test_states_from_the_replay_bring_the_memory_that_they_were_met_with(worker, store):
    configuration = tiny(**KINDS["lstm"])
    loop = TrainingLoop(configuration)
    loop.advance(steps=250)
    theatre = Theatre(store)
    theatre.loop = loop
    theatre.look(("picture", "embedding"))
    theatre.open(configuration, live=True)
    theatre.tell(Weights(250, 1, loop.weights()), "trainer")
    theatre.result("embedding", count=100)
    report = reports(theatre)[-1]
    assert "Memory: as stored when each state was met." in report.legend
    found = loop.sample_states(100)
    mind = Mind(configuration, make(configuration.environment).card)
    mind.load(250, loop.weights())
    memory = mind.recollection(100)
    memory.restore({"state": found["state"], "previous": found["previous"]})
    q = mind.insight(found["observation"], recollection=memory)["q"]
    np.testing.assert_allclose(report.value, q.max(1), atol=1e-5)
    empty = mind.insight(found["observation"])["q"]
    assert np.abs(empty - q).max() > 1e-3
    point = theatre.result("explain_point", point_id=int(report.point_ids[7]))
    np.testing.assert_allclose(point["q"], q[7], atol=1e-5)
    theatre.stage.close()
    loop.close()


def test_a_living_run_tells_how_often_it_met_the_states(worker, store):
    options = {"exploration__bonus": 0.5, "exploration__counts": "table"}
    configuration = tiny(**KINDS["ensemble"], **options)
    loop = TrainingLoop(configuration)
    loop.advance(steps=250)
    theatre = Theatre(store)
    theatre.loop = loop
    theatre.look(("picture", "embedding"))
    theatre.open(configuration, live=True)
    theatre.tell(Weights(250, 1, loop.weights()), "trainer")
    theatre.result("embedding", count=100)
    extras = reports(theatre)[-1].extras
    seen = loop.sample_states(100)["observation"]
    met = loop.agent.familiarity(seen)
    np.testing.assert_allclose(extras["visits"], met["visits"])
    np.testing.assert_allclose(extras["bonus"], met["bonus"], rtol=1e-6)
    members = loop.agent.insight(seen)["member_q"]
    spread = members.std(1).mean(1)
    np.testing.assert_allclose(extras["disagreement"], spread, atol=1e-5)
    theatre.stage.close()
    loop.close()


def test_without_a_living_run_the_legend_says_that_the_memory_is_empty(
    worker, tmp_path
):
    configuration = tiny(**KINDS["gru"])
    store = trained(tmp_path / "gru.h5", configuration)
    theatre = Theatre(store)
    theatre.look(("picture", "embedding"))
    theatre.open(configuration, live=False)
    theatre.run(lambda: [it for it in theatre.of(Picture) if it.checkpoint_step == 300])
    theatre.result("embedding", count=100)
    legend = reports(theatre)[-1].legend
    assert "Memory: empty, as if each state began an episode." in legend
    theatre.stage.close()
    store.close()


def test_a_state_that_is_not_recorded_is_posed_for_its_picture(staged, monkeypatch):
    configuration = tiny()
    loop = TrainingLoop(configuration)
    loop.advance(steps=250)
    staged.loop = loop
    text = configuration.to_json()
    staged.tell(
        SessionStatus("s", "/s.h5", "uuid-1", True, configuration=text), "supervisor"
    )
    staged.result("embedding", count=60)
    monkeypatch.setattr(staged, "source", None)
    found = staged.result(
        "explain_point", point_id=int(reports(staged)[0].point_ids[0])
    )
    world = make(configuration.environment, render=True)
    world.reset(0)
    world.unwrapped.state = found["observation"].astype(np.float64)
    np.testing.assert_array_equal(found["frame"], world.render())
    assert found["note"] == "Drawn from the observation alone."
    world.close()
    loop.close()


@pytest.mark.parametrize(
    "id",
    [
        *("Acrobot-v1", "MountainCar-v0", "FrozenLake-v1", "Taxi-v4"),
        *(f"RLLab/{name}-v0" for name in ("GridWorld", "Cliff", "Corridor", "DeepSea")),
        *(f"RLLab/{name}-v0" for name in ("Baird", "Catch", "NoisyTV", "TwoState")),
    ],
)
def test_known_worlds_are_posed_as_they_look_when_they_get_there(id):
    options = tiny(environment__id=id).environment
    world = make(options, render=True)
    observation = world.reset(3)
    for action in (1, 2, 2, 1):
        observation = world.step(action)[0]
    posed = picture_of(options, observation)
    truth = world.render()
    # Which way a figure looks is not part of the observation.
    assert (posed != truth).any(axis=2).mean() < 0.05
    world.reset(3)
    world.close()


def test_a_worker_that_dies_is_told_and_can_be_asked_again(staged, worker):
    def die():
        raise WorkerDied("The map's worker ended unexpectedly.")

    worker.layouts = die
    staged.result("embedding", count=60)
    problem = staged.run(lambda: staged.of(Problem))[0]
    assert problem.sentence().startswith("The map could not go on. The map's worker")


# ---------------------------------------------------------------- the real worker


def lay_out(connection, activations, start, task, *, fresh):
    head = {"task": task, "points": len(activations), "units": activations.shape[1]}
    head |= {"perplexity": 15.0, "seed": 0, "fresh": fresh}
    connection.send_bytes(json.dumps(head).encode())
    connection.send_bytes(activations.tobytes())
    connection.send_bytes(start.astype(np.float32).tobytes())
    while True:
        told = json.loads(connection.recv_bytes())
        data = connection.recv_bytes()
        if told["final"]:
            return np.frombuffer(data, np.float32).reshape(-1, 2)


@pytest.mark.slow
def test_the_real_worker_separates_groups_repeats_itself_and_hardly_moves_points():
    rng = np.random.default_rng(0)
    centres = rng.normal(0, 5, (4, 8))
    group = rng.integers(4, size=200)
    activations = (centres[group] + rng.normal(size=(200, 8))).astype(np.float32)
    start = principal_plane(activations)
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=layout_worker.main, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    first = lay_out(ours, activations, start, 1, fresh=True)
    again = lay_out(ours, activations, start, 2, fresh=True)
    refined = lay_out(ours, activations, first, 3, fresh=False)
    ours.close()
    process.join(10)
    assert process.exitcode == 0
    np.testing.assert_array_equal(first, again)
    distances = ((first[:, None] - first[None]) ** 2).sum(axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (group[distances.argmin(axis=1)] == group).mean() > 0.97
    moved = np.sqrt(((normalised(refined) - normalised(first)) ** 2).sum(axis=1).mean())
    assert moved < 0.15


@pytest.mark.skipif(os.name != "posix", reason="niceness is a number on Unix only")
@pytest.mark.parametrize(("given", "kept"), [(0, 15), (17, 17)])
def test_the_worker_takes_no_niceness_back(given, kept):
    code = (
        "import os\n"
        "from engine.stage import layout_worker\n"
        f"os.nice(max(0, {given} - os.nice(0)))\n"
        "layout_worker._step_back()\n"
        "print(os.nice(0))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) >= kept


@pytest.mark.slow
def test_the_worker_imports_no_torch_and_steps_back():
    code = (
        "import sys, os\n"
        "from engine.stage import layout_worker\n"
        "layout_worker._step_back()\n"
        "from openTSNE import TSNEEmbedding\n"
        "print('torch' in sys.modules, os.nice(0) >= 15)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "True"]


@pytest.mark.parametrize("environments", [1, 3])
def test_a_state_from_the_replay_is_found_in_its_recorded_episode(
    worker, tmp_path, environments
):
    """Also where nothing can be posed: by when it was seen, checked by its bytes."""
    configuration = tiny(
        environment__id="LunarLander-v3",
        environment__time_limit=40,
        training__environments=environments,
        training__steps=450,
        replay__capacity=300,
    )
    loop = TrainingLoop(configuration)
    store = trained(tmp_path / "lander.h5", configuration, loop=loop)
    theatre = Theatre(store)
    theatre.loop = loop
    text = configuration.to_json()
    theatre.tell(
        SessionStatus("s", "/s.h5", "u", True, configuration=text), "supervisor"
    )
    theatre.tell(ShowAgent(text), "supervisor")
    theatre.result("embedding", count=60)
    points = reports(theatre)[0].point_ids
    found = [theatre.result("explain_point", point_id=int(it)) for it in points[::6]]
    recorded = [it for it in found if "episode" in it]
    # The others are of episodes that had not ended.
    assert len(recorded) >= 4
    for point in recorded:
        record = store.episode("training", point["episode"])
        np.testing.assert_array_equal(
            record["observations"][point["t"]], point["observation"]
        )
        assert point["frame"].shape == (400, 600, 3)
    theatre.stage.close()
    loop.close()
    store.close()


def test_every_point_knows_the_step_it_was_seen_at(theatre):
    """Also those out of the replay of a run, which are named by when they were seen."""
    theatre.look(("picture", "embedding"))
    theatre.open(tiny(), live=False)
    theatre.run(lambda: [it for it in theatre.of(Picture) if it.checkpoint_step == 300])
    theatre.result("embedding", count=60, perplexity=10.0)
    report = reports(theatre)[0]
    assert len(report.episodes) == len(report.steps) == len(report.point_ids)
    for row in range(0, len(report.point_ids), 9):
        point = theatre.result("explain_point", point_id=int(report.point_ids[row]))
        known = point.get("kind") == "training"
        assert report.episodes[row] == (point["episode"] if known else -1)
        assert not known or report.steps[row] == point["t"]


@pytest.mark.parametrize("held", ["collect", "insight_job"])
def test_a_run_that_goes_back_ends_a_map_that_is_being_made(staged, held, monkeypatch):
    """As after the death of its trainer; the next map is made of what there is then."""
    real, waits, went_back = getattr(embedding_module, held), [], []

    def until_it_went_back(*of, **more):
        waits.append(held)
        while not went_back:
            yield 0.001
        return (yield from real(*of, **more))

    monkeypatch.setattr(embedding_module, held, until_it_went_back)
    staged.tell(Ask(77, "embedding", {"count": 120, "perplexity": 20.0}))
    staged.run(lambda: waits)
    text = tiny().to_json()
    status = SessionStatus("s", "/s.h5", "uuid-1", False, configuration=text, cuts=1)
    staged.tell(status, "supervisor")
    went_back.append(True)
    told = staged.run(lambda: [it for it in staged.of(Answer) if it.id == 77])[0]
    assert told.error == embedding_module.CHANGED
    assert not reports(staged)
    assert not staged.of(Problem)
    assert staged.result("embedding", count=120, perplexity=20.0)["count"] == 120
    assert len(reports(staged)[0].positions) == 120


def test_who_looks_later_gets_the_newest_report(staged):
    """A map that is done while another workspace is open is not lost."""
    assert not staged.ask("embedding", count=60, perplexity=30.0).error
    staged.run(lambda: [it for it in reports(staged) if it.final])
    newest = reports(staged)[-1]

    def told(window):
        return [
            it for it, to in staged.sent if to == window and type(it) is type(newest)
        ]

    staged.tell(Subscribe(["curves"]), "window-2")
    assert not told("window-2")
    staged.tell(Subscribe(["curves", "embedding"]), "window-2")
    (found,) = told("window-2")
    assert found.final
    np.testing.assert_array_equal(found.positions, newest.positions)
    staged.tell(Subscribe(["embedding"]), "window-2")  # it has been looking
    assert len(told("window-2")) == 1


def test_a_report_on_another_session_is_not_repeated(staged):
    assert not staged.ask("embedding", count=60, perplexity=30.0).error
    staged.run(lambda: [it for it in reports(staged) if it.final])
    staged.tell(SessionStatus("t", "/t.h5", "uuid-2", True), "supervisor")
    staged.tell(Subscribe(["embedding"]), "window-2")
    assert not [it for it, to in staged.sent if to == "window-2"]
