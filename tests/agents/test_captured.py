"""Updates as a device makes them, one launch each, against those of the host."""

import numpy as np
import pytest
import torch
from by_hand import ACTIONS, CARD, LINEAR, make
from test_graph import CASES, SMALL
from torch.autograd import DeviceType
from torch.utils._python_dispatch import TorchDispatchMode

from engine.agents import NotFinite, build_agent, graph
from engine.agents.rounds import DEPTH
from engine.contract.account import UNWATCHED
from engine.contract.arrays import state_hash
from engine.contract.capturing import why_not_captured
from engine.contract.catalogue import EnvironmentCard
from engine.contract.costs import Probe, replay_device_bytes, replay_memory_bytes
from engine.contract.memory_costs import gpu_bytes, memory_bytes
from engine.contract.options import configuration_from_flat
from engine.training.memory_account import memory_report

CAPTURED = sorted(set(CASES) - {"retrace"})
IMAGES = EnvironmentCard(
    "", observation="image", shape=(10, 10, 4), dtype="uint8", high=(255.0,), actions=3
)
NO_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


class Life:
    """Gives agents the same steps, whatever they would do."""

    def __init__(self, *agents, seed=0):
        self.agents, self.rng = agents, np.random.default_rng(seed)
        self.begin()
        self.step(60)

    def seen(self):
        return self.rng.standard_normal(3).astype(np.float32)

    def begin(self):
        frame = self.seen()
        for it in self.agents:
            it.begin(0, frame)

    def step(self, count=1, reward=None):
        for _ in range(count):
            frame, ends = self.seen(), bool(self.rng.random() < 0.1)
            action, drawn = int(self.rng.integers(ACTIONS)), self.rng.standard_normal()
            what = action, float(drawn if reward is None else reward), ends, False
            for it in self.agents:
                # The masks of an ensemble are drawn while it acts.
                it.act(frame[None], "explore", 10)
                it.remember(0, *what, frame)
            if ends:
                self.begin()


def pair(**options):
    agents = [make(**(SMALL | options)) for _ in range(2)]
    return *agents, Life(*agents)


def assert_same(ours, theirs):
    assert ours.td_error == pytest.approx(theirs.td_error, abs=1e-5)
    assert ours.q == pytest.approx(theirs.q, abs=1e-5)
    assert ours.loss == pytest.approx(theirs.loss, abs=1e-5)
    assert ours.gradient_norm == pytest.approx(theirs.gradient_norm, rel=1e-4)
    assert ours.extras == pytest.approx(theirs.extras, abs=1e-5)
    assert (ours.learning_rate, ours.beta) == (theirs.learning_rate, theirs.beta)


@pytest.mark.parametrize("case", CAPTURED)
def test_captured_updates_are_those_of_the_host(case):
    eager, captured, life = pair(**CASES[case])
    captured.capture()
    for number in range(6):
        assert_same(captured.learn(100), eager.learn(100))
        life.step(number % 3)
    states = [graph.state_tensors(it.learner) for it in (eager, captured)]
    for one, other in zip(*states, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
    memories = [it.state()["memory"] for it in (eager, captured)]
    for of, name in (("priorities", "raw"), ("streams", "times_sampled")):
        one, other = (it[of][name] for it in memories)
        assert one == pytest.approx(other, abs=1e-5)
    assert memories[0]["generator"] == memories[1]["generator"]


@pytest.mark.parametrize("kind", ["uniform", "prioritized"])
def test_stacked_images_are_put_together_on_the_device(kind):
    flat = {"replay.kind": kind, "environment.frame_stack": 4, "agent.n_step": 3}
    flat |= {"network.hidden": "8", "agent.batch_size": 16, "replay.capacity": 100}
    of = configuration_from_flat(flat | {"agent.learning_starts": 0})
    agents = eager, captured = [build_agent(of, IMAGES, "cpu", 0) for _ in range(2)]
    captured.capture()
    rng = np.random.default_rng(0)
    for number in range(130):
        frame = rng.integers(0, 255, (10, 10, 1), np.uint8)
        for it in agents:
            if number % 11 == 0:
                it.begin(0, frame)
            ends = number % 11 == 10
            it.remember(0, number % 3, 1.0, ends, False, frame)
        if number > 60 and number % 10 == 0:
            assert_same(captured.learn(100), eager.learn(100))


@pytest.mark.parametrize("kind", ["uniform", "prioritized"])
def test_capturing_changes_nothing_and_can_come_first(kind):
    options = SMALL | {"replay__kind": kind}
    fresh, untouched = make(**options), make(**options)
    fresh.capture()
    assert state_hash(fresh.state()) == state_hash(untouched.state())
    Life(fresh, untouched)
    assert_same(fresh.learn(100), untouched.learn(100))


def test_numbers_come_when_they_are_asked_for():
    eager, captured, _ = pair()
    captured.capture()
    late = [captured.learn(100) for _ in range(DEPTH + 5)]
    for theirs, ours in zip([eager.learn(100) for _ in late], late, strict=True):
        assert_same(ours, theirs)


def test_a_run_goes_on_exactly_in_another_process():
    first, second = (make(**SMALL, replay__kind="prioritized") for _ in range(2))
    life = Life(first)
    first.capture()
    for _ in range(5):
        first.learn(100)
        life.step()
    log = first.memory.contents()
    second.restore(first.state(), log)
    second.capture()
    for agent in (first, second):
        again = Life(agent, seed=3)
        for _ in range(5):
            agent.learn(100)
            again.step()
    assert state_hash(first.state()) == state_hash(second.state())


def test_options_that_alter_it_bring_the_written_form_back():
    eager, captured, life = pair(replay__kind="prioritized")
    captured.capture()
    for agent in (captured, eager):
        agent.learn(100)
    captured.set_option("agent.discount", 0.5)
    assert captured.captured is not None, "it goes with each update"
    captured.set_option("replay.alpha", 0.3)
    assert captured.captured is None
    eager.set_option("agent.discount", 0.5)
    eager.set_option("replay.alpha", 0.3)
    life.step(3)
    assert_same(captured.learn(100), eager.learn(100))


def test_nothing_moves_after_an_update_that_was_none():
    agent = make(**SMALL, replay__kind="prioritized")
    life = Life(agent)
    agent.capture()
    agent.learn(100)
    agent.settle()
    before = [it.clone() for it in graph.state_tensors(agent.learner)[:3]]
    life.step(60, reward=3e38)
    late = [agent.captured.learn(100, 0.5, {}, UNWATCHED)]
    with pytest.raises(NotFinite) as raised:
        late += [agent.learn(100) for _ in range(DEPTH)]
    assert raised.value.update == 2
    assert all(map(torch.equal, before, graph.state_tensors(agent.learner)[:3]))
    agent.settle()
    assert np.isfinite(agent.memory.state()["priorities"]["raw"]).all()
    with pytest.raises(NotFinite):
        late[0].loss  # noqa: B018 - reading it is what is tested


class Watching(TorchDispatchMode):
    """Notes every call by which the host looks into a tensor, or makes one."""

    LOOKS = ("_local_scalar_dense", "nonzero", "is_nonzero", "equal", "lift", "unique")

    def __init__(self):
        super().__init__()
        self.found = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.__name__
        if name.startswith(self.LOOKS):
            self.found.add(name)
        indices = args[1] if name.startswith("index") and len(args) > 1 else ()
        if any(getattr(it, "dtype", None) is torch.bool for it in indices or ()):
            self.found.add(f"{name} by a mask")
        if name.startswith("where.Scalar"):
            self.found.add(name)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("case", CAPTURED)
def test_what_is_captured_stays_on_the_device_and_is_not_looked_into(case):
    agent = make(**(SMALL | CASES[case]))
    Life(agent)
    agent.capture()
    before = agent.learner.values.clone()
    # What is made without saying where, as on the CPU beside a GPU, lies nowhere.
    with torch.device("meta"), Watching() as watching:
        agent.captured.launch()
    assert not watching.found
    assert not torch.equal(before, agent.learner.values)


WAITS = (
    "aten::item",
    "aten::_local_scalar_dense",
    "aten::nonzero",
    "cudaStreamSynchronize",
    "cudaDeviceSynchronize",
    "cudaEventSynchronize",
    "cudaMemcpy",
)
"""Calls by which the host waits for the device, as a profiler names them."""


def waiting_calls(agent, updates):
    """Those among so many updates, with a step of experience before each."""
    from torch.profiler import ProfilerActivity, profile, record_function

    life = Life(agent)
    agent.learn(100)
    gpu = [ProfilerActivity.CUDA] if torch.cuda.is_available() else []
    late = []
    with profile(activities=[ProfilerActivity.CPU, *gpu]) as profiled:
        for _ in range(updates):
            life.step()
            with record_function("update"):
                late.append(agent.learn(100))
    events = profiled.events()
    on_host = [it for it in events if it.device_type == DeviceType.CPU]
    spans = [it.time_range for it in on_host if it.name == "update"]
    assert len(spans) >= updates
    waits = [it for it in on_host if it.name in WAITS]
    assert waits or agent.learner.values.is_cpu, "acting does wait for a GPU"
    return [
        it.name
        for it in waits
        if any(span.start <= it.time_range.start <= span.end for span in spans)
    ]


def on(device, **options):
    flat = {key.replace("__", "."): it for key, it in (SMALL | options).items()}
    return build_agent(configuration_from_flat({**LINEAR, **flat}), CARD, device, 0)


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=NO_CUDA)])
@pytest.mark.parametrize("kind", ["uniform", "prioritized"])
def test_no_update_waits_for_the_device(device, kind):
    captured, eager = (on(device, replay__kind=kind) for _ in range(2))
    captured.capture()
    assert not waiting_calls(captured, DEPTH // 2)
    assert waiting_calls(eager, 1), "it is not that nothing would be seen"


@NO_CUDA
@pytest.mark.parametrize("case", CAPTURED)
def test_a_gpu_learns_what_the_host_learns(case):
    eager, captured = (on(it, **CASES[case]) for it in ("cpu", "cuda"))
    life = Life(eager, captured)
    captured.capture()
    for number in range(6):
        ours, theirs = captured.learn(100), eager.learn(100)
        assert ours.td_error == pytest.approx(theirs.td_error, abs=1e-3)
        assert ours.loss == pytest.approx(theirs.loss, rel=1e-2, abs=1e-3)
        life.step(number % 3)
    captured.settle()
    slots = [it.memory.streams.times_sampled for it in (eager, captured)]
    np.testing.assert_array_equal(*slots)


@NO_CUDA
def test_updates_of_a_gpu_are_one_launch_each():
    from torch.profiler import ProfilerActivity, profile

    agent = on("cuda", replay__kind="prioritized")
    Life(agent)
    agent.capture()
    agent.learn(100)
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as profiled:
        for _ in range(8):
            agent.learn(100)
    names = [it.name for it in profiled.events()]
    assert names.count("cudaGraphLaunch") == 8


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"agent__n_step": 3, "agent__n_step_correction": "retrace"}, "Retrace"),
        ({"replay__kind": "none"}, "Without replay"),
        ({"replay__kind": "prioritized", "replay__priority": "rank"}, "rank"),
        ({}, ""),
    ],
)
def test_why_not(options, said):
    found = why_not_captured(make(**(SMALL | options)).configuration)
    assert said in found
    assert bool(said) == bool(found)


@pytest.mark.parametrize("kind", ["uniform", "prioritized"])
def test_what_the_replay_takes_on_a_gpu_is_known_before(kind):
    agent = make(**SMALL, replay__kind=kind, replay__capacity=70_000)
    agent.capture()
    memory = agent.captured._memory
    held = [*memory._columns.values(), *memory.state]
    expected = replay_device_bytes(agent.configuration, CARD)
    assert 0.99 <= expected / sum(it.nbytes for it in held) <= 1.01
    named = agent.configuration.with_options({"training.device": "cuda:1"})
    assert gpu_bytes(named, CARD) == expected
    assert gpu_bytes(agent.configuration, CARD) == 0
    parts = memory_bytes(named, CARD, Probe())
    assert parts["replay"] == replay_memory_bytes(named, CARD) + expected


UNDER_WAY = {
    "uniform": {"replay__kind": "uniform", "agent__batch_size": 32},
    "prioritized": {"replay__kind": "prioritized", "agent__batch_size": 32},
    "many worlds": {"training__environments": 16, "agent__updates_per_step": 0.01},
    "ensemble": {"exploration__kind": "bootstrapped", "agent__batch_size": 32},
}


@pytest.mark.parametrize("case", UNDER_WAY)
def test_what_updates_under_way_take_is_known_before_and_told(case):
    agent = make(**(SMALL | UNDER_WAY[case]))
    before = memory_report([agent], [], 0).allocated
    agent.capture()
    rounds = agent.captured._rounds._all
    held = sum(it.letter.nbytes + it.answer.nbytes for it in rounds)
    named = agent.configuration.with_options({"training.device": "cuda"})
    parts = memory_bytes(named, CARD, Probe())
    assert parts["updates"] == pytest.approx(held, rel=0.1)
    assert memory_report([agent], [], 0).allocated["updates"] == held
    for other in ({"training.device": "cpu"}, {"training.compile": "never"}):
        assert not memory_bytes(named.with_options(other), CARD, Probe())["updates"]
    assert "updates" not in before
