"""What there is: for people as tables, for scripts as JSON."""

import json

import pytest

from engine.contract.catalogue import shipped_presets
from engine.contract.options import specs


def test_presets_are_objects_with_name_title_story_and_environment(rllab):
    rows = json.loads(rllab("presets", "--json").out)
    assert [it["name"] for it in rows] == [it.name for it in shipped_presets()]
    for row in rows:
        assert {"name", "title", "story", "environment", "group"} <= set(row)


def test_the_table_of_presets_names_each_on_its_own_line_below_its_group(rllab):
    lines = rllab("presets").out.splitlines()
    groups = list(dict.fromkeys(it.group for it in shipped_presets()))
    assert [it[:-1] for it in lines if not it.startswith("  ")] == groups
    named = [it.split()[0] for it in lines if it.startswith("  ")]
    assert named == [it.name for it in shipped_presets()]
    assert lines[1].startswith("  cartpole ")


def test_environments_are_listed_with_the_reason_why_not(rllab):
    rows = {it["id"]: it for it in json.loads(rllab("environments", "--json").out)}
    assert rows["CartPole-v1"]["suits"]
    assert rows["RLLab/GridWorld-v0"]["suits"]
    assert not rows["Pendulum-v1"]["suits"]
    assert "continuous" in rows["Pendulum-v1"]["reason"]


def test_the_table_of_environments_begins_with_those_that_suit(rllab):
    lines = rllab("environments").out.splitlines()
    verdicts = [line.split(maxsplit=1)[1] == "suits" for line in lines]
    assert verdicts == sorted(verdicts, reverse=True)
    assert any(verdicts)


def test_algorithms_list_every_option_with_its_default(rllab):
    (row,) = json.loads(rllab("algorithms", "--json").out)
    assert [it["key"] for it in row["options"]] == list(specs())
    text = rllab("algorithms").out
    for of in specs().values():
        assert of.key in text


def test_an_option_that_acts_at_once_is_marked(rllab):
    lines = rllab("algorithms").out.splitlines()
    assert any(line.startswith("*agent.learning_rate") for line in lines)
    assert any(line.startswith(" training.seed") for line in lines)


def test_an_environment_that_suits_is_tried_out(rllab):
    said = rllab("check-env", "CartPole-v1", "--json")
    report = json.loads(said.out)
    assert said.status == 0
    assert report["suits"]
    assert report["exact"]


def test_an_environment_that_does_not_suit_gives_the_reason_and_status_1(rllab):
    said = rllab("check-env", "Pendulum-v1")
    assert said.status == 1
    assert "continuous" in said.out


@pytest.mark.parametrize("name", ["CartPol-v1", "cartpole"])
def test_an_unknown_environment_names_the_nearest(rllab, name):
    rllab("check-env", name).refused_with(f"'{name}'", "CartPole-v1")


def test_a_module_path_is_never_imported(rllab, tmp_path):
    (tmp_path / "spy.py").write_text("raise SystemExit('imported')")
    rllab("check-env", "spy:Spy-v0").refused_with("names a Python module")
