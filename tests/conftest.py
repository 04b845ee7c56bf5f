"""No test opens a window on the screen or touches the sessions of its user."""

import os
import sys
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings

# Each folder's helpers can be imported by its tests.
sys.path[:0] = [str(it) for it in Path(__file__).parent.iterdir() if it.is_dir()]

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
os.environ.setdefault("OMP_NUM_THREADS", "1")
if "RLLAB_HOME" not in os.environ:
    _home = tempfile.TemporaryDirectory(prefix="rllab-test-")
    os.environ["RLLAB_HOME"] = _home.name
if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    # Side by side, each has a home of its own: some tests look at all that is there.
    os.environ["RLLAB_HOME"] = str(Path(os.environ["RLLAB_HOME"]) / worker)
    Path(os.environ["RLLAB_HOME"]).mkdir(parents=True, exist_ok=True)

# A property holds or does not; how busy the computer is says nothing about it.
settings.register_profile(
    "any speed",
    settings.default,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("any speed")

LONG_FILES = {"agents", "commands", "training"}
"""Folders with files that take up to two minutes."""


def pytest_ignore_collect(collection_path, config):
    """Where only tests that are alone are wanted, files without any are not read."""
    only_alone = config.option.markexpr == "alone and not long"
    if only_alone and collection_path.match("test_*.py"):
        return None if says_alone(collection_path) else True
    return None


def says_alone(path):
    """Whether this file has tests that are alone."""
    return "mark.alone" in path.read_text("utf-8")


def pytest_collection_modifyitems(items):
    """What takes long comes first, so that processes side by side end together."""
    for path in {it.path for it in items if it.get_closest_marker("alone")}:
        assert says_alone(path), f"{path}: nobody would run what is alone in it"
    long = {it.path for it in items if it.get_closest_marker("slow")}
    long |= {it.path for it in items if it.path.parent.name in LONG_FILES}
    items.sort(key=lambda it: it.path not in long)
