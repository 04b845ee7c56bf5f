"""What heads of distributions learn from, where options decide it."""

import numpy as np
import pytest
import torch

from engine.contract.options import configuration_from_flat
from engine.networks import Distribution
from engine.networks.returns import return_model


@pytest.mark.parametrize("distance", [0.5, 3.0, 30.0, 100.0])
def test_particles_feel_returns_at_every_distance(distance):
    model = return_model(configuration_from_flat({"head.kind": "mmd"}))
    particles = torch.linspace(-0.1, 0.1, 8).add(distance).unsqueeze(0)
    particles.requires_grad_()
    target = Distribution(torch.zeros(1, 8), torch.full((1, 8), 1 / 8))
    model.losses(particles, target).sum().backward()
    # Descent leads towards the target, by far more than rounding would.
    assert particles.grad.sum() > 1e-3


@pytest.mark.parametrize("kind", ["c51", "qr", "mmd"])
@pytest.mark.parametrize("scale", [0.1, 10.0, 1000.0])
def test_the_mean_of_a_row_is_the_mean(kind, scale):
    options = {"head.kind": kind, "head.value_min": -3.0, "head.value_max": 5.0}
    model = return_model(configuration_from_flat(options))
    atoms = model.options.atoms
    numbers = scale * torch.randn(1, 4, atoms, generator=torch.manual_seed(1))
    found = model.row_mean(numbers.numpy())
    assert (found.dtype, found.shape) == (np.float32, (1, 4))
    assert found == pytest.approx(model.mean(numbers).numpy(), rel=1e-5, abs=1e-6)
