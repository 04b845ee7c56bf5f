"""The report of ``rllab check-env``."""

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from engine.environments import UnknownEnvironment, check


def test_cartpole_suits_and_is_exact():
    report = check("CartPole-v1")
    assert report.suits
    assert report.exact
    assert 0 < report.step_us < 1000
    text = " ".join(report.lines)
    for words in ("pole angle", "2 actions: left, right", "500 steps", "value-based"):
        assert words in text


def test_continuous_actions_do_not_suit():
    report = check("Pendulum-v1")
    assert not report.suits
    assert "continuous" in report.lines[0]


def test_an_unknown_environment_is_named():
    with pytest.raises(UnknownEnvironment):
        check("Nothing-v7")


class _Forgetful(gymnasium.Env):
    """Its noise does not follow from the seed, or it fails on the third step."""

    observation_space = spaces.Box(-1, 1, (1,))
    action_space = spaces.Discrete(2)
    steps = 0

    def __init__(self, fails=False):
        self.fails = fails
        self.rng = np.random.default_rng()

    def reset(self, *, seed=None, options=None):
        return self.rng.random(1, np.float32), {}

    def step(self, action):
        self.steps += 1
        if self.fails and self.steps == 3:
            raise OverflowError("too far")
        return self.rng.random(1, np.float32), 0.0, False, False, {}


@pytest.fixture
def forgetful(request):
    gymnasium.register("Test/F-v0", entry_point=_Forgetful, kwargs=request.param)
    yield check("Test/F-v0")
    del gymnasium.registry["Test/F-v0"]


@pytest.mark.parametrize("forgetful", [{}], indirect=True)
def test_what_the_seed_does_not_rule_is_found_out(forgetful):
    assert forgetful.suits
    assert not forgetful.exact
    assert any("do not reproduce" in line for line in forgetful.lines)


@pytest.mark.parametrize("forgetful", [{"fails": True}], indirect=True)
def test_a_failure_while_playing_is_reported(forgetful):
    assert not forgetful.suits
    assert forgetful.lines == ("It fails when it is played: OverflowError: too far",)
