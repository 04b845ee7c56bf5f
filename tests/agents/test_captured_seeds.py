"""Several seeds as a device updates them, one launch each, against each by itself."""

import numpy as np
import pytest
import torch
from by_hand import ACTIONS, CARD
from test_captured import IMAGES, NO_CUDA, Life, Watching, assert_same, waiting_calls
from test_graph import CASES
from test_joint import OTHERS, QUICK, SEEDS, configured

from engine.agents import NotFinite, build_agent, graph
from engine.agents.joint import JointAgents, of_seed
from engine.agents.rounds import DEPTH
from engine.contract.arrays import state_hash
from engine.contract.costs import Probe, replay_device_bytes
from engine.contract.memory_costs import gpu_bytes, memory_bytes
from engine.training.memory_account import memory_report

CASES_HERE = [*QUICK, *(pytest.param(it, marks=pytest.mark.long) for it in OTHERS)]
KINDS = pytest.mark.parametrize(
    "kind", [pytest.param("uniform", marks=pytest.mark.long), "prioritized"]
)
EVERYWHERE = pytest.mark.parametrize(
    "device", ["cpu", pytest.param("cuda", marks=NO_CUDA)]
)


class Lives:
    """Each of them takes its own steps; those that are given together the same."""

    def __init__(self, *rows):
        each = zip(*rows, strict=True)
        self.lives = [Life(*agents, seed=it) for it, agents in enumerate(each)]

    def step(self, count=1):
        for it in self.lives:
            it.step(count)


def together(device="cpu", **options):
    """Agents side by side on a device, with captured updates."""
    joint = JointAgents(configured(**options), CARD, device)
    joint.first.capture()
    return joint


def as_written(device, **options):
    """Agents side by side, and each by itself on the processor; the same experience."""
    joint = JointAgents(configured(**options), CARD, device)
    each = (of_seed(joint.configuration, it) for it in range(SEEDS))
    single = [build_agent(it, CARD) for it in each]
    return joint, single, Lives(joint.all, single)


def both(device="cpu", **options):
    """The same, with captured updates of those side by side."""
    joint, single, lives = as_written(device, **options)
    joint.first.capture()
    return joint, single, lives


def learn(joint, single):
    """One update of all, and of each by itself; what the first ones saw."""
    return joint.learn(100), [it.learn(100) for it in single][0]  # noqa: RUF015


def compare(joint, single, rtol=1e-4, atol=1e-6):
    """Weights and priorities within the tolerance; what was drawn is the same."""
    joint.first.settle()
    for one, other in zip(joint.all, single, strict=True):
        states = [graph.state_tensors(it.learner) for it in (one, other)]
        for ours, theirs in zip(*states, strict=True):
            torch.testing.assert_close(ours.cpu(), theirs, rtol=rtol, atol=atol)
        memories = [it.state()["memory"] for it in (one, other)]
        assert memories[0]["generator"] == memories[1]["generator"]
        for of, name in (("priorities", "raw"), ("streams", "times_sampled")):
            ours, theirs = (it[of][name] for it in memories)
            assert ours == pytest.approx(theirs, rel=rtol, abs=10 * atol)
        assert one.updates == other.updates


@pytest.mark.parametrize("case", CASES_HERE)
def test_captured_updates_of_all_are_those_of_each_by_itself(case):
    joint, single, lives = both(**CASES[case])
    for number in range(5):
        assert_same(*learn(joint, single))
        lives.step(number % 3)
    compare(joint, single)


@KINDS
def test_rows_that_run_round_their_rings_are_drawn_as_by_each(kind):
    options = {"replay__kind": kind, "agent__n_step": 3, "replay__capacity": 100}
    joint, single, lives = both(**options)
    for number in range(40):
        assert_same(*learn(joint, single))
        # Sometimes more steps than there is room for beside a draw.
        lives.step(30 if number % 8 == 7 else 1)
    compare(joint, single, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"exploration__kind": "noisy"},
        {"head__kind": "c51", "head__atoms": 11},
        {"head__kind": "qr", "head__risk": "cvar", "head__risk_level": 0.5},
    ],
    ids=str,
)
def test_what_all_do_in_one_launch_is_what_each_would_do(options):
    joint, single, _ = both(agent__learning_starts=20, **options)
    rng = np.random.default_rng(0)
    for step in range(10, 40):
        seen = rng.standard_normal((SEEDS, 1, *CARD.shape)).astype(np.float32)
        found = joint.look([it[0] for it in seen], step)
        for ours, agent, it in zip(found, single, seen, strict=True):
            theirs = agent.act(it, "explore", step)
            np.testing.assert_equal(ours[:2], theirs[:2])
            np.testing.assert_allclose(ours.q, theirs.q, rtol=1e-4, atol=1e-6)
    for one, other in zip(joint.all, single, strict=True):
        one, other = (it.state() for it in (one, other))
        assert one["actor"] == other["actor"]
        assert np.array_equal(one["noise"], other["noise"])


@KINDS
def test_stacked_images_of_all_are_put_together_on_the_device(kind):
    options = {"replay__kind": kind, "environment__frame_stack": 4, "agent__n_step": 3}
    options |= {"network__hidden": (8,), "agent__batch_size": 16}
    of = configured(replay__capacity=100, agent__learning_starts=0, **options)
    joint = JointAgents(of, IMAGES, "cpu")
    each = (of_seed(joint.configuration, it) for it in range(SEEDS))
    single = [build_agent(it, IMAGES) for it in each]
    joint.first.capture()
    rng = np.random.default_rng(0)
    for number in range(130):
        frames = rng.integers(0, 255, (SEEDS, 10, 10, 1), np.uint8)
        ends = number % 11 == 10
        for *agents, frame in zip(joint.all, single, frames, strict=True):
            for it in agents:
                if number % 11 == 0:
                    it.begin(0, frame)
                it.remember(0, number % 3, 1.0, ends, False, frame)
        if number > 60 and number % 10 == 0:
            assert_same(*learn(joint, single))
    compare(joint, single)
    seen = rng.integers(0, 255, (SEEDS, 10, 10, 4), np.uint8)
    for ours, agent, it in zip(joint.look([*seen], 200), single, seen, strict=True):
        theirs = agent.act(it[None], "explore", 200)
        np.testing.assert_equal(ours[:2], theirs[:2])
        np.testing.assert_allclose(ours.q, theirs.q, rtol=1e-4, atol=1e-6)


def test_who_follows_more_than_q_values_is_asked():
    joint = together(exploration__kind="boltzmann")
    seen = [np.zeros(CARD.shape, np.float32)] * SEEDS
    assert joint.look(seen, 100) == [None] * SEEDS


def test_options_that_alter_it_bring_the_written_form_back():
    joint, single, lives = both(replay__kind="prioritized")
    learn(joint, single)
    joint.first.set_option("replay.alpha", 0.3)
    joint.follow()
    for it in single:
        it.set_option("replay.alpha", 0.3)
    assert joint.first.captured is None
    lives.step(3)
    assert_same(*learn(joint, single))
    joint.first.capture()
    lives.step(3)
    assert_same(*learn(joint, single))
    compare(joint, single)


def test_capturing_changes_nothing_and_can_come_first():
    options = {"replay__kind": "prioritized"}
    fresh, untouched = together(**options), JointAgents(configured(**options), CARD)
    hashes = [[state_hash(it.state()) for it in of.all] for of in (fresh, untouched)]
    assert hashes[0] == hashes[1]
    assert fresh.learn(100) is None


def test_a_state_goes_to_the_processor_and_back():
    joint, single, lives = both(replay__kind="prioritized")
    for _ in range(3):
        learn(joint, single)
        lives.step()
    joint.first.settle()
    for where in (JointAgents(joint.configuration, CARD), together()):
        for one, other in zip(where.all, joint.all, strict=True):
            one.restore(other.state(), other.memory.contents())
        compare(where, single)


def test_who_diverges_is_named_and_nothing_moves_afterwards():
    joint, *_ = both(replay__kind="prioritized")
    joint.learn(100)
    joint.all[1].online.head.weight.data.fill_(1e30)
    late = joint.learn(100)
    before = [it.clone() for it in joint.first.learner.stacks[:3]]
    name = f"of seed {joint.all[1].configuration.training.seed}"
    with pytest.raises(NotFinite, match=name) as raised:
        [joint.learn(100) for _ in range(DEPTH + 1)]
    assert raised.value.update == 2
    assert all(map(torch.equal, before, joint.first.learner.stacks[:3]))
    with pytest.raises(NotFinite, match=name):
        late.loss  # noqa: B018 - reading it is what is tested


@pytest.mark.parametrize("case", CASES_HERE)
def test_what_is_captured_stays_on_the_device_and_is_not_looked_into(case):
    joint, *_ = both(**CASES[case])
    before = joint.first.learner.stacks[0].clone()
    # What is made without saying where, as on the CPU beside a GPU, lies nowhere.
    with torch.device("meta"), Watching() as watching:
        joint.first.captured.launch()
        if joint._looks is not None:
            joint._looks._launch()
    assert not watching.found
    changed = (joint.first.learner.stacks[0] != before).any(1)
    assert changed.all()


class AsOne:
    """What the first agent of several is asked for, by all of them."""

    def __init__(self, joint):
        self.joint, self.learner = joint, joint.first.learner

    def begin(self, *what):
        for it in self.joint.all:
            it.begin(*what)

    def act(self, *what):
        for it in self.joint.all:
            it.act(*what)

    def remember(self, *what):
        for it in self.joint.all:
            it.remember(*what)

    def learn(self, step):
        return self.joint.learn(step)


@EVERYWHERE
@KINDS
def test_no_update_waits_for_the_device(device, kind):
    captured = together(device, replay__kind=kind)
    eager = JointAgents(configured(replay__kind=kind), CARD, device)
    assert not waiting_calls(AsOne(captured), DEPTH // 2)
    if device != "cpu":
        assert waiting_calls(AsOne(eager), 1), "it is not that nothing would be seen"


@NO_CUDA
@pytest.mark.parametrize("kind", ["uniform", "prioritized"])
def test_an_update_on_a_gpu_is_no_point_of_synchronization(kind):
    joint, _, lives = both("cuda", replay__kind=kind, exploration__kind="noisy")
    joint.learn(100)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(DEPTH // 2):
            joint.learn(100)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    lives.step()


@NO_CUDA
@pytest.mark.parametrize("case", CASES_HERE)
def test_a_gpu_learns_what_the_processor_learns(case):
    joint, single, lives = both("cuda", **CASES[case])
    for number in range(5):
        ours, theirs = learn(joint, single)
        assert ours.td_error == pytest.approx(theirs.td_error, abs=1e-3)
        assert ours.loss == pytest.approx(theirs.loss, rel=1e-2, abs=1e-3)
        lives.step(number % 3)
    compare(joint, single, rtol=1e-2, atol=1e-3)


@EVERYWHERE
@pytest.mark.parametrize("case", QUICK)
def test_without_capturing_all_learn_on_the_device_as_written(
    device, case, monkeypatch
):
    monkeypatch.setattr("engine.agents.joint._newest", {})
    joint, single, lives = as_written(device, **CASES[case])
    for _ in range(3):
        theirs = [it.learn(100) for it in single][0]  # noqa: RUF015
        with torch.device("meta"):  # what is made without saying where lies nowhere
            ours = joint.learn(100)
        assert ours.td_error == pytest.approx(theirs.td_error, abs=1e-3)
        lives.step()


@NO_CUDA
def test_updates_and_looks_on_a_gpu_are_one_launch_each():
    from torch.profiler import ProfilerActivity, profile

    joint, *_ = both("cuda", replay__kind="prioritized")
    seen = [np.zeros(CARD.shape, np.float32)] * SEEDS
    joint.learn(100)
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as profiled:
        for step in range(8):
            assert len(joint.look(seen, step)[0].q[0]) == ACTIONS
            joint.learn(100)
    names = [it.name for it in profiled.events()]
    assert names.count("cudaGraphLaunch") == 16


@KINDS
def test_what_all_replays_take_on_a_gpu_is_known_before(kind):
    joint = together(replay__kind=kind, replay__capacity=70_000)
    memory, of = joint.first.captured._memory, joint.configuration
    held = [*memory._columns.values(), *memory.state]
    expected = replay_device_bytes(of, CARD)
    assert 0.99 <= expected / sum(it.nbytes for it in held) <= 1.01
    named = of.with_options({"training.device": "cuda"})
    assert gpu_bytes(named, CARD) == expected


@pytest.mark.parametrize("rate", [1.0, 0.1])
def test_what_updates_under_way_take_is_known_before_and_told(rate):
    options = {"replay__kind": "prioritized", "agent__batch_size": 32}
    joint = together(agent__updates_per_step=rate, **options)
    rounds = joint.first.captured._rounds._all
    held = sum(it.letter.nbytes + it.answer.nbytes for it in rounds)
    named = joint.configuration.with_options({"training.device": "cuda"})
    parts = memory_bytes(named, CARD, Probe())
    assert parts["updates"] == pytest.approx(held, rel=0.1)
    assert memory_report(joint.all, [], 0).allocated["updates"] == held
