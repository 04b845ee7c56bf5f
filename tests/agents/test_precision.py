"""Updates in bf16: how far from float32, and the same in every form."""

import numpy as np
import pytest
import torch
from by_hand import make
from test_captured import Life, assert_same
from test_graph import CASES, SMALL, drawn, with_experience

from engine.agents.compiled import why_not
from engine.agents.devices import use_precision
from engine.networks.passes import DirectPass

BF16 = {"training__precision": "bf16"}
WIDE = {"network__hidden": "64,64", "agent__batch_size": 16}


def apart(one, other):
    return float(np.linalg.norm(one - other) / np.linalg.norm(other))


@pytest.mark.parametrize("head", ["scalar", "qr", "mmd"])
def test_values_and_gradients_differ_by_as_much_as_the_docs_say(head):
    agents = [with_experience(make(**WIDE, head__kind=head, **it)) for it in (BF16, {})]
    half, full = (it.learn_from(drawn(it), 1) for it in agents)
    assert 1e-4 < apart(half.q, full.q) < 0.02
    gradients = [it.learner.gradients.numpy() for it in agents]
    assert 1e-4 < apart(*gradients) < 0.15


def test_all_that_is_kept_is_float32_and_acting_is_not_touched():
    half, full = (with_experience(make(**WIDE, **it)) for it in (BF16, {}))
    seen = np.ones((1, 3), np.float32)
    np.testing.assert_allclose(half.act(seen).q, full.act(seen).q, rtol=1e-6)
    half.learn(100)
    assert half.learner.values.dtype == half.learner.gradients.dtype == torch.float32
    assert half.learn(100).td_error.dtype == np.float32


def test_float32_takes_the_path_that_it_took():
    assert isinstance(make(**WIDE).learner.online_pass, DirectPass)
    assert not isinstance(make(**WIDE, **BF16).learner.online_pass, DirectPass)


@pytest.mark.parametrize("case", ["plain", "qr", "ensemble", "trust region"])
def test_captured_updates_in_bf16_are_those_as_written(case):
    eager, captured = (make(**(SMALL | BF16 | CASES[case])) for _ in range(2))
    life = Life(eager, captured)
    captured.capture()
    for _ in range(3):
        assert_same(captured.learn(100), eager.learn(100))
        life.step()


def test_bf16_is_not_compiled():
    assert "bf16" in why_not(make(**BF16).configuration)


@pytest.fixture
def multiplying():
    """How this process multiplies on a GPU, put back afterwards."""
    ways = torch.backends.cuda.matmul, torch.backends.cudnn
    before = [it.allow_tf32 for it in ways]
    yield ways
    for it, was in zip(ways, before, strict=True):
        it.allow_tf32 = was


@pytest.mark.parametrize("precision", ["float32", "tf32"])
def test_a_gpu_multiplies_as_it_is_told(precision, multiplying):
    for it in multiplying:
        it.allow_tf32 = precision != "tf32"
    configuration = make(training__precision=precision).configuration
    use_precision(configuration, torch.device("cuda"))
    assert [it.allow_tf32 for it in multiplying] == 2 * [precision == "tf32"]
