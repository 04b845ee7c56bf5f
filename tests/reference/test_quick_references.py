"""One seed of the two quickest references; continuous integration runs these."""

import numpy as np
import pytest
from reference_run import exact_optimum, reference_run

from engine.contract.catalogue import find_preset

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_cartpole_is_solved():
    preset = find_preset("cartpole")
    run = reference_run(preset.configuration, seed=0)
    assert run.mean >= preset.target, str(run)


def test_gridworld_is_solved_exactly():
    configuration = find_preset("gridworld").configuration
    run = reference_run(configuration, seed=0)
    optimum = exact_optimum(configuration)
    np.testing.assert_allclose(run.returns, optimum, atol=1e-9, err_msg=str(run))
