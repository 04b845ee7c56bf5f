"""Real runs: train, look, evaluate, export, go on; and what can go wrong in one."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import h5py
import numpy as np
import psutil
import pytest

from engine.command_line import main
from engine.commands.private_engine import private_engine
from engine.service.connection import process_lives
from engine.sessions import SessionFile

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

FAILING_WORLD = """
import gymnasium, numpy

class Failing(gymnasium.Env):
    action_space = gymnasium.spaces.Discrete(2)
    observation_space = gymnasium.spaces.Box(-1, 1, (3,), numpy.float32)

    def __init__(self, what="raises", render_mode=None):
        self.what, self.t = what, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return numpy.zeros(3, numpy.float32), {}

    def step(self, action):
        self.t += 1
        if self.t == 40 and self.what == "raises":
            raise RuntimeError("the motor burnt out")
        value = float("nan") if self.t == 40 else 0.0
        return numpy.full(3, value, numpy.float32), 1.0, False, False, {}

gymnasium.register(f"{__name__}-v0", entry_point=Failing)
"""


SHORT = ["--steps", "1200", "--seed", "3", "--device", "cpu"]
SHORT += ["--set", "evaluation.period=600", "--set", "evaluation.episodes=3"]
SHORT += ["--set", "agent.learning_starts=200"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A session of 1,200 steps with two evaluations."""
    path = tmp_path_factory.mktemp("trained") / "run.h5"
    words = ["train", "cartpole", "--quiet", *SHORT]
    assert main([*words, "--out", str(path)]) == 0
    return path


def test_a_trained_session_is_whole(rllab, trained):
    found = json.loads(rllab("inspect", trained, "--verify", "--json").out)
    assert found["steps"] == 1200
    assert found["updates"] > 0
    assert found["episodes"] > 0
    assert found["checkpoints"] >= 2
    assert found["complete"]
    assert found["verified"]
    assert found["problems"] == []
    assert found["format_version"] == "1.0"


def stored_bytes(path):
    """What a session file keeps, by the parts that a dry run names."""
    parts = dict.fromkeys(("curves", "checkpoints", "episodes", "films", "replay"), 0)
    tables = {"metrics": "curves", "checkpoints": "checkpoints", "episodes": "episodes"}

    def add(name, of):
        if isinstance(of, h5py.Dataset):
            top, last = name.split("/")[0], name.split("/")[-1]
            part = "replay" if "/replay" in name else tables.get(top, "curves")
            part = "films" if last == "frames" else part
            parts[part] += of.id.get_storage_size()

    with h5py.File(path) as file:
        file.visititems(add)
    return parts


def test_what_a_run_takes_is_told_before(rllab, trained):
    said = rllab("train", "cartpole", "--dry-run", *SHORT)
    units = {"bytes": 1, "kB": 1e3, "MB": 1e6}
    told = re.findall(r"(?m)^  (\w+) +([\d.]+) (\w+)$", said.out)
    most = {name: float(number) * units[unit] for name, number, unit in told}
    real = stored_bytes(trained)
    for part in ("checkpoints", "replay", "episodes"):
        assert most[part] / 8 < real[part] < 1.3 * most[part], part
    assert real["films"] <= most["films"]


def test_nothing_but_the_file_is_left(trained):
    assert [it.name for it in trained.parent.iterdir()] == ["run.h5"]


def test_people_read_the_same_as_scripts(rllab, trained):
    said = rllab("inspect", trained)
    assert said.status == 0
    assert "1,200" in said.out


def test_evaluation_is_of_the_best_checkpoint_and_repeats_itself(rllab, trained):
    words = ["evaluate", trained, "--episodes", "4", "--seed", "9", "--json"]
    found = json.loads(rllab(*words).out)
    assert found["checkpoint"] in (600, 1200)
    assert found["episodes"] == len(found["returns"]) == 4
    assert found["return_mean"] == pytest.approx(np.mean(found["returns"]))
    assert found["return_sd"] == pytest.approx(np.std(found["returns"], ddof=1))
    assert found["return_min"] == min(found["returns"])
    assert found["return_max"] == max(found["returns"])
    assert found["length_mean"] == found["return_mean"]  # one for each step
    assert json.loads(rllab(*words).out) == found


@pytest.mark.parametrize(("asked", "step"), [("last", 1200), ("600", 600)])
def test_another_checkpoint_can_be_asked_for(rllab, trained, asked, step):
    said = rllab("evaluate", trained, "--episodes", "1", "--checkpoint", asked)
    assert said.status == 0
    assert f"step {step:,}" in said.out


def test_a_checkpoint_that_is_not_there_names_the_nearest(rllab, trained):
    said = rllab("evaluate", trained, "--checkpoint", "601")
    said.refused_with("no checkpoint at step 601", "600")


def test_curves_and_an_episode_become_tables(rllab, trained, tmp_path):
    assert rllab("export", trained, "--to", "csv", "--out", "all.csv").status == 0
    with (tmp_path / "all.csv").open() as file:
        names = {row["series"] for row in csv.DictReader(file)}
    assert {"return", "loss", "epsilon"} <= names
    words = ["export", trained, "--to", "csv", "--out", "one.csv", "--episode", "1"]
    assert rllab(*words).status == 0
    with (tmp_path / "one.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["t"]) for row in rows] == list(range(len(rows)))
    rllab(*words).refused_with("'one.csv'", "--force")
    assert rllab(*words, "--force").status == 0


def pictures_in(path):
    if path.is_dir():
        return len(list(path.glob("*.png")))
    with av.open(str(path)) as film:
        return sum(1 for _ in film.decode(video=0))


# A GIF cannot show 50 pictures a second, so it takes every second one.
# The stage's own tests write all three with every change.
@pytest.mark.parametrize(
    ("kind", "period"),
    [
        ("mp4", 1),
        pytest.param("gif", 2, marks=pytest.mark.long),
        pytest.param("png", 1, marks=pytest.mark.long),
    ],
)
def test_an_episode_becomes_a_film(rllab, trained, tmp_path, kind, period):
    said = rllab("export", trained, "--to", kind, "--out", f"film.{kind}")
    assert said.status == 0, said.err
    pictures = pictures_in(tmp_path / f"film.{kind}")
    recorded = int(re.search(r"([\d,]+) pictures", said.out)[1])
    assert pictures == -(-recorded // period) > 5


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--episode", "99999"], "no recorded training episode 99999"),
        (["--kind", "evaluation", "--episode", "7"], "no recorded evaluation"),
        (["--panels", "q,map"], "'map'"),
    ],
)
def test_a_film_of_what_is_not_there_is_refused(rllab, trained, words, part):
    said = rllab("export", trained, "--to", "mp4", "--out", "film.mp4", *words)
    said.refused_with(part)


def test_a_used_up_budget_is_told_and_further_steps_go_on(rllab, trained, tmp_path):
    copy = tmp_path / "copy.h5"
    copy.write_bytes(trained.read_bytes())
    rllab("resume", copy).refused_with("1,200", "further steps")
    said = rllab("resume", copy, "--steps", "150", "--quiet")
    assert said.status == 0, said.err
    found = json.loads(rllab("inspect", copy, "--verify", "--json").out)
    assert found["steps"] == 1350
    assert found["verified"]


def test_a_session_is_learned_from_offline_and_goes_on(rllab, trained, tmp_path):
    path = tmp_path / "offline.h5"
    words = ["--quiet", "--steps", "300", "--set", "agent.conservative=1"]
    words += ["--set", "evaluation.period=150", "--set", "evaluation.episodes=2"]
    assert (
        rllab("train", "cartpole", "--from", trained, *words, "--out", path).status == 0
    )
    found = json.loads(rllab("inspect", path, "--verify", "--json").out)
    assert (found["steps"], found["updates"], found["verified"]) == (300, 300, True)
    with SessionFile.open(path) as file:
        told = [file.configuration(), file.checkpoint().values]
    for text in told:
        assert trained.name in text
        assert trained.parent.name not in text  # nobody's folders are shared
    assert rllab("resume", path, "--steps", "50", "--quiet").status == 0
    found = json.loads(rllab("inspect", path, "--json").out)
    assert (found["steps"], found["updates"], found["problems"]) == (350, 350, [])


def test_learning_from_what_is_no_session_is_refused(rllab, tmp_path):
    missing = tmp_path / "missing.h5"
    said = rllab("train", "cartpole", "--from", missing, "--quiet")
    assert said.status in (1, 2)
    assert "missing.h5" in said.err
    assert "Traceback" not in said.err


def test_a_session_is_certified_and_not_touched(rllab, trained):
    before = trained.read_bytes()
    said = rllab("certify", trained, "--updates", 30, "--json")
    assert said.status == 0, said.err
    found = json.loads(said.out)
    assert found["exact"]
    assert found["first"] == 1200 < found["cut"] < found["last"]
    assert all(it["equal"] for it in found["parts"])
    assert trained.read_bytes() == before
    said = rllab("certify", trained, "--updates", 30)
    assert "exact to the bit" in said.out


def test_a_preset_is_certified_from_its_beginning(rllab):
    said = rllab("certify", "gridworld", "--updates", 20, "--json")
    assert said.status == 0, said.err
    assert json.loads(said.out)["first"] == 0


def test_a_session_without_its_replay_is_not_certified(rllab):
    sample = Path(__file__).parents[2] / "sessions" / "sample-gridworld.h5"
    said = rllab("certify", sample)
    assert said.status == 1
    assert "nothing of it was kept" in said.err


@pytest.mark.long
def test_an_unchanged_fork_goes_the_way_of_its_parent(rllab, trained, tmp_path):
    parent, child = tmp_path / "parent.h5", tmp_path / "child.h5"
    shutil.copyfile(trained, parent)
    said = rllab("fork", parent, "--out", child)
    assert said.status == 0, said.err
    assert "step 1,200" in said.out
    states = []
    for path in (parent, child):
        assert rllab("resume", path, "--steps", 150, "--quiet").status == 0
        with SessionFile.open(path) as file:
            states.append(file.checkpoint())
    assert states[0].step == states[1].step == 1350
    assert states[0].sha256 == states[1].sha256


def test_a_folder_with_other_files_is_not_mixed_with_pictures(rllab, trained):
    said = rllab("export", trained, "--to", "png", "--out", trained.parent)
    said.refused_with("not empty")


@contextmanager
def endless_run(path: Path) -> Iterator[subprocess.Popen]:
    """A run with a million steps to go, and an evaluation behind it."""
    words = [sys.executable, "-m", "engine.command_line", "train", "cartpole"]
    words += ["--set", "evaluation.period=1000", "--set", "evaluation.episodes=1"]
    process = subprocess.Popen(
        [*words, "--steps", "1000000", "--out", str(path)],
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        start_new_session=True,
    )
    try:
        # Where evaluation cannot keep up, the first that is told is a later one.
        next(line for line in process.stderr if line.startswith("step "))
        yield process
    finally:
        process.kill()
        process.stderr.close()
        process.wait()


def test_a_run_that_was_killed_with_all_its_processes_goes_on(tmp_path, rllab):
    path = tmp_path / "killed.h5"
    with endless_run(path) as process:
        family = psutil.Process(process.pid).children(recursive=True)
        for it in (process, *family):
            it.kill()
        psutil.wait_procs(family, 10)
    assert not path.exists()
    found = json.loads(rllab("inspect", path, "--verify", "--json").out)
    assert found["steps"] >= 1000
    assert found["problems"] == []
    said = rllab("train", "cartpole", "--out", path)
    said.refused_with("rllab resume killed.h5")
    assert rllab("resume", path, "--steps", "20", "--quiet").status == 0
    found = json.loads(rllab("inspect", path, "--verify", "--json").out)
    assert found["verified"]
    assert [it.name for it in tmp_path.glob("killed*")] == ["killed.h5"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_stops_and_saves_and_resume_goes_on(tmp_path, rllab):
    path = tmp_path / "cut.h5"
    with endless_run(path) as process:
        os.killpg(process.pid, signal.SIGINT)
        rest = process.stderr.read()
        process.wait()
        assert process.returncode == 0
    assert "stopping and saving" in rest
    assert "Traceback" not in rest
    before = json.loads(rllab("inspect", path, "--verify", "--json").out)
    assert before["verified"]
    assert before["steps"] >= 1000
    assert rllab("resume", path, "--steps", "50", "--quiet").status == 0
    after = json.loads(rllab("inspect", path, "--json").out)
    assert after["steps"] == before["steps"] + 50


@pytest.mark.parametrize(
    ("what", "part"), [("raises", "the motor burnt out"), ("returns", "NaN")]
)
def test_an_environment_that_fails_ends_the_run_with_all_that_was_recorded(
    rllab, tmp_path, what, part
):
    (tmp_path / f"world_{what}.py").write_text(FAILING_WORLD)
    words = ["train", "cartpole", "--import", f"world_{what}", "--out", "failed.h5"]
    words += ["--set", f"environment.id=world_{what}-v0"]
    said = rllab(*words, "--set", f'environment.kwargs={{"what": "{what}"}}')
    said.failed_with(f"'world_{what}-v0'", part)
    found = json.loads(rllab("inspect", "failed.h5", "--verify", "--json").out)
    assert found["steps"] == 39
    assert found["verified"]


def test_no_gpu_is_told_before_anything_is_written(rllab, tmp_path):
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    said = rllab("train", "cartpole", "--device", "cuda", "--out", "run.h5")
    said.refused_with("no GPU", "training.device")
    assert not (tmp_path / "run.h5").exists()
    assert not (tmp_path / "run.live").exists()


def test_an_engine_of_its_own_ends_with_the_command():
    with private_engine() as client:
        pid = client.connection.pid
        assert process_lives(pid)
    assert not process_lives(pid)
