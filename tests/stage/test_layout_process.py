"""The worker that lays out the map, seen from the stage: the real process."""

import threading
from multiprocessing.connection import wait

import numpy as np
import pytest

from engine.stage.layout_process import LayoutProcess

LARGE = (500, 128)
"""Points and units of a task that no pipe holds."""


@pytest.fixture
def worker():
    found = LayoutProcess()
    yield found
    found.stop()


def begin(worker, points, units):
    activations = np.random.default_rng(points).normal(size=(points, units))
    start = activations[:, :2]
    worker.start(activations, start, perplexity=10.0, seed=0, fresh=False)


def final(worker):
    """The layout that nothing comes after."""
    while wait([worker._connection], 60.0):
        for positions, last in worker.layouts():
            if last:
                return positions
    raise AssertionError("no layout has come for a minute")


@pytest.mark.slow
def test_of_maps_asked_for_at_once_the_last_is_laid_out(worker):
    """The first is still on its way when the others come: the worker is importing."""
    for points in (500, 400, 300):
        begin(worker, points, LARGE[1])
    assert final(worker).shape == (300, 2)
    begin(worker, 60, LARGE[1])
    assert final(worker).shape == (60, 2)


def test_a_worker_that_has_read_nothing_yet_is_stopped(worker):
    before = threading.active_count()
    begin(worker, *LARGE)
    assert threading.active_count() == before + 1
    worker.stop()
    assert threading.active_count() == before
    worker.stop()
