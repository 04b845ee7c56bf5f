"""Requests to train that cannot be granted are refused before anything starts."""

import json

import pytest

from engine.command_line import parse
from engine.commands.training import configured
from engine.contract.catalogue import find_preset


def configuration_of(*words):
    arguments = parse(["train", "cartpole", *words])
    return configured(find_preset("cartpole"), arguments)


def test_settings_are_options_and_the_short_names_count_last():
    configuration = configuration_of(
        "--set", "agent.learning_rate=2e-4", "--set", "training.steps=5",
        "--steps", "1_000", "--seed", "7", "--device", "cpu",
    )  # fmt: skip
    assert configuration.agent.learning_rate == 2e-4
    assert configuration.training.steps == 1000
    assert configuration.training.seed == 7
    assert configuration.training.device == "cpu"
    assert configuration.replay.kind == "prioritized"


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["cartpol"], ["There is no preset 'cartpol'", "cartpole"]),
        (["no.toml"], ["'no.toml' cannot be read"]),
        (["cartpole", "--set", "agent.learningrate=1"], ["agent.learning_rate"]),
        (["cartpole", "--set", "agent.discount=2"], ["a number from 0 to 1"]),
        (["cartpole", "--set", "agent.discount"], ["KEY=VALUE"]),
        (["cartpole", "--device", "gpu"], ["training.device", "'gpu'"]),
        (["cartpole", "--steps", "9999999999"], ["training.steps"]),
        (["cartpole", "--set", "environment.id=CartPol-v1"], ["CartPole-v1"]),
        (["cartpole", "--set", "environment.id=Pendulum-v1"], ["continuous"]),
        (["cartpole", "--set", "environment.id=os:system"], ["Python module"]),
        (["cartpole", "--set", "target_network.kind=none"], ["Double Q-learning"]),
        (["cartpole", "--set", "network.torso=conv"], ["no images"]),
        (["cartpole", "--import", "no_such_module"], ["no_such_module"]),
        (["cartpole", "--out", "x.zip"], ["must end in .h5"]),
        (["cartpole", "--out", "nowhere/x.h5"], ["no folder 'nowhere'"]),
    ],
)
def test_what_cannot_work_is_refused_before_anything_starts(
    rllab, tmp_path, words, parts
):
    rllab("train", *words).refused_with(*parts)
    assert list(tmp_path.glob("*.h5")) == []
    assert not (tmp_path / "home" / "logs").exists()


def test_all_complaints_come_at_once(rllab):
    said = rllab(
        "train", "cartpole", "--set", "agent.discount=2", "--set", "x", "--device", "y"
    )
    said.refused_with("agent.discount", "'x' sets nothing", "training.device")


def test_an_existing_file_is_not_overwritten(rllab, tmp_path):
    kept = tmp_path / "mine.h5"
    kept.write_bytes(b"precious")
    rllab("train", "cartpole", "--out", "mine.h5").refused_with("--force")
    assert kept.read_bytes() == b"precious"


def test_a_run_that_was_cut_off_is_not_overwritten_either(rllab, tmp_path):
    (tmp_path / "mine.live").mkdir()
    said = rllab("train", "cartpole", "--out", "mine.h5")
    said.refused_with("rllab resume mine.h5")


def test_a_folder_is_no_session(rllab, tmp_path):
    (tmp_path / "folder.h5").mkdir()
    rllab("train", "cartpole", "--out", "folder.h5").refused_with("is a folder")


def test_a_module_that_breaks_is_named(rllab, tmp_path):
    (tmp_path / "broken_worlds.py").write_text("1 / 0")
    said = rllab("train", "cartpole", "--import", "broken_worlds")
    said.refused_with("broken_worlds", "ZeroDivisionError")


@pytest.mark.parametrize(
    "words",
    [
        ["resume"],
        ["evaluate"],
        ["inspect"],
        ["export", "--to", "csv", "--out", "x.csv"],
        ["export", "--to", "mp4", "--out", "x.mp4"],
    ],
    ids=lambda words: " ".join(words),
)
@pytest.mark.parametrize(
    "content", [None, b"", b"hello", b"\x89HDF\r\n\x1a\n" + bytes(5000)]
)
def test_what_is_no_session_is_refused_in_one_sentence(rllab, tmp_path, words, content):
    if content is not None:
        (tmp_path / "odd.h5").write_bytes(content)
    said = rllab(words[0], "odd.h5", *words[1:])
    assert said.status in (1, 2)
    assert "odd" in said.err + said.out
    assert "Traceback" not in said.err
    if words != ["inspect"] or content is None:
        said.failed_with("odd.h5", status=said.status)
    assert {it.name for it in tmp_path.iterdir()} <= {"odd.h5", "home"}


def test_inspect_says_in_json_what_is_wrong(rllab, tmp_path):
    (tmp_path / "odd.h5").write_bytes(b"hello")
    said = rllab("inspect", "odd.h5", "--verify", "--json")
    found = json.loads(said.out)
    assert said.status == 1
    assert not found["verified"]
    assert "odd.h5" in found["problems"][0]
