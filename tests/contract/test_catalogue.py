"""Presets are whole, cards survive a journey, impossible combinations are named."""

from pathlib import Path

import pytest

from engine.contract.catalogue import (
    GROUPS,
    YOUR_OWN,
    EnvironmentCard,
    Preset,
    UnknownPreset,
    check_combination,
    find_preset,
    preset_toml,
    read_preset,
    shipped_presets,
)
from engine.contract.options import (
    Configuration,
    ConfigurationError,
    configuration_from_flat,
)
from engine.environments import describe

PRESETS = shipped_presets()
every_preset = pytest.mark.parametrize("preset", PRESETS, ids=lambda it: it.name)

FIXED = {
    "cartpole",
    "cartpole-plain-dqn",
    "gridworld",
    "frozenlake",
    "acrobot",
    "mountaincar",
    "lunarlander",
    "minatar-breakout",
}


def test_the_presets_that_scripts_rely_on_are_there():
    assert {it.name for it in PRESETS} >= FIXED


def test_presets_come_group_by_group():
    places = [GROUPS.index(it.group) for it in PRESETS]
    assert places == sorted(places)
    assert YOUR_OWN not in {it.group for it in PRESETS}


def test_a_group_that_the_gallery_does_not_have_is_refused(tmp_path):
    path = tmp_path / "mine.toml"
    text = preset_toml(PRESETS[0])
    path.write_text(f'group = "Toys"\n{text}')
    with pytest.raises(ConfigurationError, match="no group 'Toys': it has First steps"):
        read_preset(path)
    assert read_preset(path, own=True).group == YOUR_OWN


def test_cartpole_is_what_a_first_run_shows():
    assert PRESETS[0].name == "cartpole"
    configuration = PRESETS[0].configuration
    assert configuration.agent.dueling != "none"
    assert configuration.agent.double
    assert configuration.replay.kind == "prioritized"


def test_the_baseline_is_the_plain_dqn_that_benchmarks_compare_with():
    of = find_preset("cartpole-plain-dqn").configuration
    assert (of.replay.kind, of.agent.dueling, of.agent.double, of.agent.n_step) == (
        "uniform",
        "none",
        False,
        1,
    )
    assert of.agent.updates_per_step == 1
    assert of.agent.batch_size == 64
    assert of.network.hidden == (64, 64)


@every_preset
def test_a_preset_is_valid_and_suits_its_environment(preset: Preset):
    configuration = preset.configuration
    card = describe(configuration.environment)
    check_combination(configuration, None if card.install else card)


@every_preset
def test_a_preset_says_what_it_shows_in_one_sentence(preset: Preset):
    assert preset.title
    assert preset.story.endswith(".")
    assert bool(preset.needs) == bool(preset.install)
    assert not preset.own


@every_preset
def test_a_preset_survives_its_own_text(preset: Preset, tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text(preset_toml(preset), encoding="utf-8")
    again = read_preset(path, own=True)
    assert again.configuration == preset.configuration
    assert (again.title, again.story, again.own) == (preset.title, preset.story, True)
    assert find_preset(str(path)).configuration == preset.configuration


@pytest.mark.parametrize(
    ("typed", "meant"), [("cartpol", "cartpole"), ("grid", "gridworld")]
)
def test_an_unknown_preset_names_the_nearest(typed: str, meant: str):
    with pytest.raises(UnknownPreset, match=meant):
        find_preset(typed)


def test_a_name_like_no_preset_says_where_the_names_are():
    with pytest.raises(UnknownPreset, match="rllab presets"):
        find_preset("zzzz")


def test_a_preset_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(UnknownPreset, match=r"'no\.toml' cannot be read: No such file"):
        find_preset(str(tmp_path / "no.toml"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xfe\x00", "text"),
        (b"title = ", "TOML"),
        (b"order = 'first'", "order"),
        (b"target = 'high'", "target"),
        (b"[options]\nagent.discount = 7", "agent.discount"),
        (b"[options]\nagent.discount = 1979-05-27", "agent.discount"),
        (b"[options]\na.b.c = 1", "a.b"),
    ],
)
def test_a_preset_file_of_something_else_is_refused(
    content: bytes, reason: str, tmp_path: Path
):
    path = tmp_path / "foreign.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=reason):
        find_preset(str(path))


def test_a_card_survives_a_message():
    card = EnvironmentCard(
        id="X-v0",
        observation="vector",
        shape=(2,),
        low=(-1.0, 0.0),
        high=(1.0, float("inf")),
        actions=2,
        action_names=("left", "right"),
        reward_threshold=9.0,
    )
    values = card.to_dict()
    as_lists = {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}
    assert EnvironmentCard.from_dict(as_lists) == card


@pytest.mark.parametrize(
    ("flat", "key"),
    [
        ({"replay.capacity": 100, "agent.batch_size": 128}, "replay.capacity"),
        ({"agent.double": True, "target_network.kind": "none"}, "agent.double"),
        (
            {
                "replay.capacity": 100,
                "agent.n_step": 50,
                "training.environments": 2,
            },
            "agent.n_step",
        ),
    ],
)
def test_impossible_combinations_are_refused_with_the_way_out(flat: dict, key: str):
    with pytest.raises(ConfigurationError) as caught:
        check_combination(configuration_from_flat(flat))
    assert set(caught.value.complaints) == {key}
    assert ": " in caught.value.complaints[key]


def test_online_learning_needs_no_replay_capacity():
    flat = {"replay.kind": "none", "replay.capacity": 100, "agent.batch_size": 128}
    check_combination(configuration_from_flat(flat))


def test_an_environment_that_does_not_suit_gives_its_reason():
    card = EnvironmentCard(id="Pendulum-v1", suits=False, reason="It has no buttons.")
    with pytest.raises(ConfigurationError, match="It has no buttons"):
        check_combination(Configuration(), card)


def test_convolutions_need_images():
    configuration = configuration_from_flat({"network.torso": "conv"})
    vectors = EnvironmentCard(id="CartPole-v1", observation="vector")
    images = EnvironmentCard(id="MinAtar/Breakout-v1", observation="image")
    check_combination(configuration, images)
    with pytest.raises(ConfigurationError, match="nothing to look at"):
        check_combination(configuration, vectors)
