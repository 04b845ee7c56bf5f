"""Every environment that is known gets a verdict; none of them does harm."""

import gymnasium
import pytest

from engine.contract.options import EnvironmentOptions
from engine.environments import (
    UnknownEnvironment,
    UnsuitableEnvironment,
    cards,
    catalogue,
    describe,
    make,
    registered,
)

ROWS = registered()
SUITABLE = [row.id for row in ROWS if row.suits]


def test_the_list_is_complete_and_sorted():
    # Asked anew: other tests may have registered worlds of their own since.
    ids = [row.id for row in registered()]
    assert ids == sorted(ids)
    assert set(gymnasium.registry) <= set(ids)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_every_verdict_has_a_reason(row):
    assert row.suits == (row.reason == "")
    if not row.suits:
        assert row.reason.startswith(f"{row.id}: ")
        assert row.reason.endswith(".")
        assert "\n" not in row.reason


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_the_list_agrees_with_the_card(row):
    card = describe(EnvironmentOptions(id=row.id))
    assert card.suits == row.suits
    assert bool(card.install) >= bool(row.install)


@pytest.mark.parametrize("id", SUITABLE)
def test_a_card_is_complete(id):
    card = describe(EnvironmentOptions(id=id))
    assert card.actions == len(card.action_names) == len(set(card.action_names))
    if card.observation == "image":
        assert card.dtype == "uint8"
        assert len(card.shape) == 3
    else:
        (size,) = card.shape
        assert size == len(card.low) == len(card.high) == len(card.observation_names)
        assert len(set(card.observation_names)) == size


@pytest.mark.parametrize(
    "id", ["CartPole-v1", "Acrobot-v1", "MountainCar-v0", "LunarLander-v3", "Taxi-v4"]
)
def test_known_actions_have_words(id):
    card = describe(EnvironmentOptions(id=id))
    assert not any(name.startswith("action ") for name in card.action_names)
    assert not any(name.startswith("x0") for name in card.observation_names)


@pytest.mark.parametrize(
    ("id", "words"),
    [
        ("Pendulum-v1", "continuous"),
        ("BipedalWalker-v3", "continuous"),
        ("Ant-v5", "continuous"),
        ("phys2d/CartPole-v1", "'jax', which is not installed"),
    ],
)
def test_unsuitable_environments_say_why(id, words):
    options = EnvironmentOptions(id=id)
    assert words in describe(options).reason
    with pytest.raises(UnsuitableEnvironment, match=words.split(",")[0]):
        make(options)


def test_arguments_change_the_verdict():
    options = EnvironmentOptions(id="CarRacing-v3", kwargs={"continuous": False})
    card = describe(options)
    assert card.suits
    assert (card.observation, card.shape, card.actions) == ("image", (96, 96, 3), 5)


def test_arguments_that_are_not_taken_are_refused():
    card = describe(EnvironmentOptions(kwargs={"colour": "red"}))
    assert not card.suits
    assert "does not take these arguments (colour)" in card.reason


@pytest.mark.parametrize(
    ("id", "nearest"),
    [("CartPol-v1", "CartPole-v1"), ("cartpole", "CartPole"), ("Taxi-v3", "Taxi-v4")],
)
def test_an_unknown_name_is_answered_with_near_ones(id, nearest):
    with pytest.raises(UnknownEnvironment, match=nearest):
        describe(EnvironmentOptions(id=id))


@pytest.mark.parametrize("id", ["Pendulum-v2", "MountainCarContinuous-v1"])
def test_only_what_suits_is_suggested(id):
    with pytest.raises(UnknownEnvironment) as error:
        describe(EnvironmentOptions(id=id))
    _, _, hint = str(error.value).partition(f"'{id}'.")
    assert "Pendulum" not in hint
    assert "Continuous" not in hint


def test_an_unknown_name_far_from_all_is_answered_with_the_list():
    with pytest.raises(UnknownEnvironment, match="lists them"):
        describe(EnvironmentOptions(id="zzzzqqqq"))


def test_a_module_is_never_imported_by_an_id(tmp_path, monkeypatch):
    marker = tmp_path / "imported"
    (tmp_path / "evil.py").write_text(f"open({str(marker)!r}, 'w')")
    monkeypatch.syspath_prepend(tmp_path)
    for id in ("evil:CartPole-v1", "evil:Any/Thing-v0"):
        with pytest.raises(UnknownEnvironment, match="names a Python module"):
            describe(EnvironmentOptions(id=id))
    assert not marker.exists()


def test_a_missing_package_is_named_with_its_line(monkeypatch):
    monkeypatch.setattr(catalogue, "find_module", lambda name: None)
    catalogue._loaded.cache_clear()
    cards.verdict.cache_clear()
    cards._describe.cache_clear()
    try:
        for id in ("MinAtar/Breakout-v1", "LunarLander-v3"):
            card = describe(EnvironmentOptions(id=id))
            assert "which is not installed" in card.reason
            assert card.install.startswith("python -m pip install ")
            row = next(row for row in registered() if row.id == id)
            assert row.install == card.install
    finally:
        catalogue._loaded.cache_clear()
        cards.verdict.cache_clear()
        cards._describe.cache_clear()
