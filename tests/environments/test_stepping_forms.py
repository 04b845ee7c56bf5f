"""Environments that step together give the numbers that each gives alone."""

import os
import signal

import gymnasium
import numpy as np
import psutil
import pytest

from engine.contract.options import EnvironmentOptions
from engine.environments import (
    EnvironmentEnded,
    InProcesses,
    Unsuitable,
    Vectorised,
    has_vector,
    one_by_one,
)

LANES, STEPS = 5, 300


def options_of(id="CartPole-v1", **options):
    return EnvironmentOptions.model_validate({"id": id, **options})


def trace_of(form, actions):
    """Everything that is returned; each lane begins anew where an episode ends."""
    found = [it.reset(100 + index) for index, it in enumerate(form.environments)]
    for t, row in enumerate(actions):
        form.begin(row)
        for index, it in enumerate(form.environments):
            frame, *how = it.step(int(row[index]))
            found.append((frame.tobytes(), *how, it.steps))
            if how[1] or how[2]:
                found.append(it.reset(1000 + LANES * t + index))
    return [it.tobytes() if isinstance(it, np.ndarray) else it for it in found]


@pytest.fixture
def opened():
    """Closes forms."""
    forms = []
    yield lambda form: forms.append(form) or form
    for it in forms:
        it.close()


def actions_of(count=2):
    return np.random.default_rng(3).integers(count, size=(STEPS, LANES))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"time_limit": 7, "clip_rewards": True},
        {"kwargs": {"sutton_barto_reward": True}, "scale_observations": True},
    ],
    ids=["plain", "cut off", "other rewards"],
)
def test_a_vector_gives_the_numbers_of_single_environments(opened, given):
    options = options_of(**given)
    alone, vector = one_by_one(options, LANES), Vectorised(options, LANES)
    opened(alone), opened(vector)
    assert trace_of(vector, actions_of()) == trace_of(alone, actions_of())


def test_one_of_a_vector_can_step_alone_and_be_drawn(opened):
    alone = opened(one_by_one(options_of(), 2))
    vector = opened(Vectorised(options_of(), 2, render=True))
    first, other = alone.environments[0], vector.environments[0]
    for it in (first, other, vector.environments[1]):
        it.reset(4)
    vector.begin(np.array([1, 0]))
    assert other.step(1)[0].tobytes() == first.step(1)[0].tobytes()
    assert other.render().std() > 0
    assert other.step(0)[0].tobytes() == first.step(0)[0].tobytes()
    vector.begin(np.array([1, 0]))
    assert other.step(1)[0].tobytes() == first.step(1)[0].tobytes()


def test_a_vector_is_known_only_where_it_can_be_put_anywhere():
    assert has_vector(options_of())
    assert not has_vector(options_of(frame_skip=4))
    assert not has_vector(options_of("Acrobot-v1"))
    with pytest.raises(Unsuitable, match="no vectorised form"):
        Vectorised(options_of("Acrobot-v1"), 2)
    with pytest.raises(Unsuitable, match="could not be made"):
        Vectorised(options_of(kwargs={"gravity": 3}), 2)


class Faulty(gymnasium.Env):
    """Steps through 0, 1, 2...; ``fault`` says what its sixth step does."""

    def __init__(self, fault="", folder=""):
        self.observation_space = gymnasium.spaces.Box(0, 9, (1,), np.float32)
        self.action_space = gymnasium.spaces.Discrete(2)
        self._fault, self._at = fault, 0

    def reset(self, *, seed=None, options=None):
        self._at = 0
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self._at += 1
        shape = (1,)
        if self._at == 6 and self._fault == "raise":
            raise ZeroDivisionError("no way on")
        if self._at == 6 and self._fault == "exit":
            os._exit(7)
        if self._at == 6 and self._fault == "shape":
            shape = (2,)
        if self._at == 6 and self._fault == "print":
            os.write(1, b"printed")
            assert os.read(0, 10) == b""
        return np.full(shape, self._at, np.float32), 1.0, False, False, {}


@pytest.fixture
def known(tmp_path, monkeypatch):
    """The other processes know the environment of this module as well."""
    (tmp_path / "known_world.py").write_text(
        "import importlib.util\n"
        f"spec = importlib.util.spec_from_file_location('forms', {__file__!r})\n"
        "module = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(module)\n"
        "module.register()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("RLLAB_IMPORT", "known_world")
    register()


def register():
    if "RLLabTest/Faulty-v0" not in gymnasium.registry:
        gymnasium.register("RLLabTest/Faulty-v0", entry_point=Faulty)


def far(opened, options, lanes=1, processes=1):
    of = opened(one_by_one(options, 1)).environments[0]
    return opened(InProcesses(options, lanes, processes, of=of))


def test_processes_give_the_numbers_of_single_environments(opened):
    options = options_of("Acrobot-v1", time_limit=23)
    alone, other = opened(one_by_one(options, LANES)), far(opened, options, LANES, 2)
    assert trace_of(other, actions_of(3)) == trace_of(alone, actions_of(3))
    assert len(set(other.pids)) == 2


def sixth_step(world):
    """What it returns, or raises."""
    world.reset(3)
    try:
        return [world.step(0)[0].tolist() for _ in range(6)][-1]
    except Exception as error:
        return f"{type(error).__name__} at {world.steps}: {error}"


def test_what_an_environment_does_in_a_process_is_told_as_here(opened, known):
    found = {}
    for fault in ("raise", "exit", "shape", "print"):
        options = options_of("RLLabTest/Faulty-v0", kwargs={"fault": fault})
        found[fault] = sixth_step(far(opened, options).environments[0])
        if fault in ("raise", "shape"):
            alone = opened(one_by_one(options, 1))
            assert found[fault] == sixth_step(alone.environments[0])
    assert found["raise"] == "ZeroDivisionError at 6: no way on"
    assert found["print"] == [6.0]
    assert found["exit"] == (
        "EnvironmentEnded at 6: its process has ended with status 7 during its step() "
        "(step 6 of the episode with seed 3)"
    )


def test_a_process_that_is_killed_between_two_steps_is_told_and_ends_nothing_else(
    opened,
):
    form = far(opened, options_of("Acrobot-v1"), 2, 2)
    for it in form.environments:
        it.reset(3)
    first, second = form.pids
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    for _ in range(2):  # the second time nobody reads what is written any more
        form.begin(np.zeros(2, np.int64))
        with pytest.raises(EnvironmentEnded, match="by signal 9 during its step"):
            form.environments[0].step(0)
        form.environments[1].step(0)
    form.close()
    assert not psutil.pid_exists(second)


def test_an_environment_that_cannot_be_closed_is_let_go_of(opened, monkeypatch):
    form = opened(one_by_one(options_of("Acrobot-v1"), 1))

    def fail():
        raise OSError("its window is gone already")

    monkeypatch.setattr(form.environments[0].unwrapped, "close", fail)
    form.close()


def test_an_environment_that_the_process_does_not_know_stays_here(opened):
    register()
    options = options_of("RLLabTest/Faulty-v0")
    with pytest.raises(Unsuitable, match="There is no environment"):
        far(opened, options)
