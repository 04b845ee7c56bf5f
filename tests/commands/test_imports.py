"""Data sets that Minari itself has written become sessions, or a sentence why not."""

import json
from pathlib import Path
from types import SimpleNamespace

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from engine.contract.options import EnvironmentOptions, configuration_from_json
from engine.environments import replay_episode
from engine.sessions import SessionFile
from engine.sessions.minari_process import about_of
from engine.sessions.minari_reading import MinariFile
from engine.sessions.minari_source import MinariSource, find_data
from engine.training.offline import recorded_episodes

minari_storage = pytest.importorskip("minari.dataset.minari_storage")


def played(id, seed, length=20):
    """An episode as Minari's collector would buffer it."""
    env = gymnasium.make(id)
    observation, _ = env.reset(seed=seed)
    env.action_space.seed(seed)
    found = SimpleNamespace(
        id=None,
        seed=seed,
        options=None,
        observations=[observation],
        actions=[],
        rewards=[],
        terminations=[],
        truncations=[],
        infos={},
    )
    for _ in range(length):
        action = env.action_space.sample()
        observation, reward, terminated, truncated, _ = env.step(action)
        for name, value in (
            ("observations", observation),
            ("actions", action),
            ("rewards", float(reward)),
            ("terminations", terminated),
            ("truncations", truncated),
        ):
            getattr(found, name).append(value)
        if terminated or truncated:
            break
    env.close()
    return found


def data_set(path, episodes, observation_space, action_space, spec=None, **more):
    """Written by Minari's own storage; ``more`` is put into its description."""
    data = path / "data"
    data.mkdir(parents=True)
    storage = minari_storage.MinariStorage.new(
        data, observation_space, action_space, env_spec=spec, jpeg_encoding=True
    )
    storage.update_episodes(episodes)
    about = json.loads((data / "metadata.json").read_text())
    about |= {"dataset_id": "strange-v0", **more}
    (data / "metadata.json").write_text(json.dumps(about))
    return path


def of_environment(path, id, count=3, **more):
    env = gymnasium.make(id)
    episodes = [played(id, seed) for seed in range(7, 7 + count)]
    found = data_set(
        path, episodes, env.observation_space, env.action_space, env.spec, **more
    )
    env.close()
    return found, episodes


class Here:
    """Reads without a process of its own, which would take most of the time."""

    def __init__(self, path):
        folder = find_data(path)
        self._main = (folder / "main_data.hdf5").open("rb")
        self._file = MinariFile(self._main, "main_data.hdf5")
        with (folder / "metadata.json").open("rb") as text:
            self.about = about_of(self._file, text)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._file.close()
        self._main.close()

    def episodes(self):
        return map(self._file.read_episode, range(self.about["episodes"]))


@pytest.mark.parametrize("id", ["CartPole-v1", "FrozenLake-v1"])
def test_episodes_arrive_as_they_were_and_can_be_played_again(
    rllab, tmp_path, id, monkeypatch
):
    if id == "FrozenLake-v1":
        monkeypatch.setattr(MinariSource, "open", Here)
    path, episodes = of_environment(tmp_path / "set", id)
    said = rllab("import", path, "--out", "new.h5", "--json")
    assert said.status == 0, said.err
    told = json.loads(said.out)
    assert (told["environment"], told["episodes"]) == (id, 3)
    with SessionFile.open(tmp_path / "new.h5") as file:
        assert file.verify() == []
        assert file.checkpoints() == []
        assert "strange-v0" in file.events()[0].text
        returns = file.history("return")["value"].tolist()
        options = configuration_from_json(file.configuration()).environment
        records = [file.episode("training", n) for n in range(3)]
    assert returns == [sum(it.rewards) for it in episodes]
    assert told["steps"] == sum(len(it.actions) for it in episodes)
    for record, original in zip(records, episodes, strict=True):
        assert record["actions"].tolist() == original.actions
        assert record["rewards"].tolist() == original.rewards
        ended = record["terminations"] | record["truncations"]
        assert ended.tolist() == [False] * (len(ended) - 1) + [True]
        again = replay_episode(options, record["seed"], record["actions"])
        frames = np.stack([seen for _, seen in again])
        assert np.array_equal(frames, record["observations"])
        assert record["explored_known"] is False
    learned = list(recorded_episodes(str(tmp_path / "new.h5"), options))
    assert len(learned) == 3
    assert [it.name for it in tmp_path.iterdir() if it.name.startswith(".")] == []


def test_what_was_exported_comes_back_with_what_stood_beside_it(rllab, tmp_path):
    sample = Path(__file__).parents[2] / "sessions" / "sample-gridworld.h5"
    with SessionFile.open(sample) as file:
        rows = file.recorded_keys()
        number = next(n for kind, n in rows if kind == "training")
        wanted = file.episode("training", number)
    words = ["--episode", number, "--out", "a-v0"]
    assert rllab("export", sample, "--to", "minari", *words).status == 0
    assert rllab("import", "a-v0/data", "--out", "b.h5").status == 0
    with SessionFile.open(tmp_path / "b.h5") as file:
        found = file.episode("training", 0)
    assert found["seed"] == wanted["seed"]
    for name in ("actions", "rewards", "explored", "q_values", "observations"):
        if name in wanted:
            equal = np.array_equal(found[name], wanted[name], name == "q_values")
            assert equal, name
    assert found["explored"].any()
    assert found["explored_known"] is True


BOX = spaces.Box(-1, 1, (2,), np.float32)
TWO = spaces.Discrete(2)


def twice(it):
    """As Minari keeps two observations: lists below the names of their parts."""
    if isinstance(it, dict):
        return {name: twice(part) for name, part in it.items()}
    return tuple(map(twice, it)) if isinstance(it, tuple) else [it, it]


def tiny(observation, action):
    return SimpleNamespace(
        id=None,
        seed=None,
        options=None,
        infos={},
        rewards=[0.0],
        observations=twice(observation),
        actions=[action],
        terminations=[False],
        truncations=[False],
    )


PICTURE = spaces.Box(0, 255, (40, 40, 3), np.uint8)
PIXELS = np.zeros((40, 40, 3), np.uint8)
VECTOR = np.zeros(2, np.float32)
PAIR = spaces.Dict({"a": BOX})
CARDS = spaces.Tuple((TWO, TWO))
REFUSED = {
    "continuous": ((BOX, BOX), (VECTOR, VECTOR), {}, "its actions are continuous"),
    "dictionary": ((PAIR, TWO), ({"a": VECTOR}, 1), {}, "a dictionary of several"),
    "tuple": ((CARDS, TWO), ((1, 1), 1), {}, "a tuple of several parts"),
    "jpeg": ((PICTURE, TWO), (PIXELS, 1), {}, "jpeg_encoding=False"),
    "no environment": ((BOX, TWO), (VECTOR, 1), {}, "does not say which environment"),
    "not ours": (
        (BOX, TWO),
        (VECTOR, 1),
        {"env_spec": json.dumps({"id": "Nowhere-v0", "entry_point": "x:Y"})},
        "environment that is not here",
    ),
    "module": (
        (BOX, TWO),
        (VECTOR, 1),
        {"env_spec": json.dumps({"id": "antigravity:Fly-v0"})},
        "names a Python module",
    ),
    "arguments": (
        (BOX, TWO),
        (VECTOR, 1),
        {"env_spec": json.dumps({"id": "FrozenLake-v1", "kwargs": {"desc": ["SG"]}})},
        "no single values (desc)",
    ),
    "another shape": (
        (BOX, TWO),
        (VECTOR, 1),
        {"env_spec": json.dumps({"id": "CartPole-v1"})},
        "the shape of an observation is (2,)",
    ),
    "too many actions": (
        (spaces.Box(-1, 1, (4,), np.float32), TWO),
        (np.zeros(4, np.float32), 3),
        {"env_spec": json.dumps({"id": "CartPole-v1"})},
        "actions from 3 to 3",
    ),
    "not finite": (
        (spaces.Box(-1, 1, (4,), np.float32), TWO),
        (np.full(4, np.nan, np.float32), 1),
        {"env_spec": json.dumps({"id": "CartPole-v1"})},
        "an observation is NaN",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_learned_from_is_refused_with_the_reason(
    rllab, tmp_path, name, monkeypatch
):
    monkeypatch.setattr(MinariSource, "open", Here)
    space, values, more, part = REFUSED[name]
    path = data_set(tmp_path / "set", [tiny(*values)], *space, **more)
    said = rllab("import", path, "--out", "new.h5")
    said.refused_with("'set' was not imported", part)
    assert sorted(it.name for it in tmp_path.iterdir()) == ["set"]


def test_the_environment_can_be_named_where_the_data_set_does_not(
    rllab, tmp_path, monkeypatch
):
    monkeypatch.setattr(MinariSource, "open", Here)
    path, _ = of_environment(tmp_path / "set", "CartPole-v1", env_spec=None)
    rllab("import", path, "--out", "a.h5").refused_with("--environment")
    words = ["--out", "a.h5", "--environment", "CartPole-v1"]
    assert rllab("import", path, *words).status == 0
    with SessionFile.open(tmp_path / "a.h5") as file:
        options = configuration_from_json(file.configuration()).environment
    assert options == EnvironmentOptions(id="CartPole-v1")


def test_nothing_there_and_a_name_that_is_taken(rllab, tmp_path):
    rllab("import", "none", "--out", "a.h5").refused_with("no Minari data set 'none'")
    (tmp_path / "arrow" / "data").mkdir(parents=True)
    rllab("import", "arrow", "--out", "a.h5").refused_with("'hdf5' can be imported")
    (tmp_path / "a.h5").write_text("mine")
    rllab("import", "none", "--out", "a.h5").refused_with("--force")
    assert (tmp_path / "a.h5").read_text() == "mine"
