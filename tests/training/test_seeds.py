"""Several seeds at once against the runs of each seed alone."""

import numpy as np
import pytest
import torch
from test_resume import joined, rows_of, through_a_file
from test_tier import OnGpu

from engine.contract.arrays import flatten, join, split, state_hash
from engine.contract.catalogue import check_combination
from engine.contract.options import ConfigurationError, configuration_from_flat
from engine.training import TrainingLoop, TrainingProblem

SEEDS, FIRST = 3, 7
TOLERANCE = 1e-4
"""How far weights may be apart after 500 updates, relative to the largest."""
PLAIN = {"agent__double": False, "agent__dueling": "none"}
PRIORITIZED = {
    "agent__dueling": "mean",
    "agent__n_step": 3,
    "replay__kind": "prioritized",
    "exploration__kind": "noisy",
    "training__environments": 2,
    "agent__updates_per_step": 0.5,
}


def together(make, **options):
    return make(training__seeds=SEEDS, training__seed=FIRST, **options)


def agents_of(loop):
    return loop.seeds.joint.all


@pytest.mark.parametrize(
    "options",
    [PRIORITIZED, pytest.param(PLAIN, marks=pytest.mark.long)],
    ids=["prioritized", "plain"],
)
def test_each_seed_is_the_run_of_that_seed_alone(make, options):
    loop = together(make, **options)
    loop.advance()
    rows = rows_of(loop.drain().scalars)
    for index, agent in enumerate(agents_of(loop)):
        single = make(training__seed=FIRST + index, **options)
        single.advance()
        name = f"return.seed_{FIRST + index}" if index else "return"
        ours = [it[1:3] for it in rows if it[0] == name]
        theirs = rows_of(single.drain().scalars)
        assert ours == [it[1:3] for it in theirs if it[0] == "return"] != []
        assert_same_agent(agent, single.agent)


def assert_same_agent(agent, single):
    """Weights within the tolerance; whatever was drawn or done to the bit."""
    assert agent.updates == single.updates > 200
    ours, theirs = agent.weights(), single.weights()
    for name, array in theirs.items():
        apart = np.abs(ours[name] - array).max()
        assert apart <= TOLERANCE * np.abs(array).max(), name
    states = agent.state(), single.state()
    for part in ("noise", "actor"):
        assert state_hash({part: states[0][part]}) == state_hash(
            {part: states[1][part]}
        )
    generators = [it["memory"]["generator"] for it in states]
    assert generators[0] == generators[1]
    contents = agent.memory.contents(), single.memory.contents()
    np.testing.assert_equal(*contents)


def cut(make, options, at):
    """State, replay log and rows of a run up to a step."""
    loop = together(make, **options)
    loop.advance(steps=at)
    drained = loop.drain()
    return loop, through_a_file(loop.state()), drained


def test_a_cut_run_of_several_seeds_goes_on_to_the_bit(make):
    straight, state, first = cut(make, PRIORITIZED, 323)
    straight.advance()
    second = straight.drain()
    loop = together(make, **PRIORITIZED)
    loop.restore(state, joined([first.replay]))
    loop.advance()
    assert state_hash(loop.state()) == state_hash(straight.state())
    assert rows_of(loop.drain().scalars) == rows_of(second.scalars)


@pytest.mark.parametrize("environments", [1, 2])
def test_the_environments_of_all_seeds_can_step_as_one_vector(make, environments):
    options = PLAIN | {"training__steps": 300, "training__environments": environments}
    here = together(make, training__stepping="here", **options)
    here.advance()
    straight = together(make, **options)
    straight.seeds._stepping.form = "vector"  # as if it had been the quickest
    straight.advance(steps=202)
    state, drained = through_a_file(straight.state()), straight.drain()
    straight.advance()
    again = together(make, **options)
    again.restore(state, joined([drained.replay]))
    again.advance()
    for it in (straight, again):
        words = f"{SEEDS * environments} environments step as one vector."
        assert words in " ".join(it.notes())
    agents = [agents_of(it) for it in (here, straight, again)]
    for agent, *others in zip(*agents, strict=True):
        for other in others:
            assert state_hash(agent.state()) == state_hash(other.state())


class Laps:
    """A watch that keeps what it is told, and what happened in between."""

    def __init__(self):
        self.told = []

    def lap(self, stage):
        self.told.append(stage)


def test_a_step_of_the_vector_is_time_of_the_environments(make, monkeypatch):
    loop = together(make, **PLAIN)
    loop.seeds._stepping.form = "vector"
    loop.advance(steps=3)
    laps, vector = Laps(), loop.seeds._choice.stepping
    begin = vector.begin
    monkeypatch.setattr(
        vector, "begin", lambda actions: (laps.told.append("moves"), begin(actions))
    )
    loop._running._take(laps)
    at = laps.told.index("moves")
    assert laps.told[at - 1 : at + 2] == ["act", "moves", "environment"]


def captured(**options):
    """A run of several seeds whose updates are captured, as on a GPU."""
    several = {"training__seeds": SEEDS, "training__seed": FIRST}
    return OnGpu(replay__kind="prioritized", **several, **options).loop


def written(loop):
    """The same run on the processor, as written."""
    options = {"training.compile": "never"}
    return TrainingLoop(loop.configuration.with_options(options))


@pytest.mark.parametrize(
    "options",
    [
        {"exploration__kind": "noisy"},
        pytest.param({"training__environments": 2}, marks=pytest.mark.long),
    ],
    ids=str,
)
def test_a_captured_run_of_several_seeds_is_that_of_the_processor(options):
    ours = captured(**options)
    theirs = written(ours)
    rows = []
    for loop in (ours, theirs):
        loop.advance(300)
        rows.append(rows_of(loop.drain().scalars))
    assert ours.agent.captured is not None
    returns = [[it for it in of if it[0].startswith("return")] for of in rows]
    assert returns[0] == returns[1]
    assert {it[0] for it in returns[0]} >= {"return", f"return.seed_{FIRST + 1}"}
    ours.agent.settle()
    for one, other in zip(agents_of(ours), agents_of(theirs), strict=True):
        assert_same_agent(one, other)


def test_a_captured_run_of_several_seeds_goes_on_to_the_bit_and_elsewhere():
    straight, again, back = captured(), captured(), captured()
    straight.advance(150)
    state, logs = through_a_file(straight.state()), [straight.drain().replay]
    elsewhere = written(straight)
    for loop in (again, elsewhere):
        loop.restore(state, logs[0])
    for loop in (straight, again, elsewhere):
        loop.advance(100)
    logs.append(elsewhere.drain().replay)
    back.restore(through_a_file(elsewhere.state()), joined(logs))
    for loop in (straight, again, back):
        loop.advance(100)
        loop.drain()
    captures = [it.agent.captured is not None for it in (again, elsewhere, back)]
    assert captures == [True, False, True]
    assert state_hash(straight.state()) == state_hash(again.state())
    for one, other in zip(agents_of(straight), agents_of(back), strict=True):
        assert_same_agent(one, other)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_run_of_several_seeds_on_a_gpu_goes_to_the_processor_and_back():
    of = captured().configuration
    on_gpu, again, back = (TrainingLoop(of, device="cuda") for _ in range(3))
    on_gpu.advance(300)
    assert on_gpu.agent.captured is not None
    state, log = through_a_file(on_gpu.state()), on_gpu.drain().replay
    elsewhere = written(on_gpu)
    for loop in (again, elsewhere):
        loop.restore(state, log)
        for one, other in zip(agents_of(on_gpu), agents_of(loop), strict=True):
            assert_same_agent(one, other)
        loop.advance(100)
        loop.drain()
    back.restore(through_a_file(elsewhere.state()), None)
    back.advance(100)
    assert back.agent.captured is not None


OF_ANOTHER_SEED = [
    "seeds/1/agent/online/head.weight",
    "seeds/2/agent/target/head.weight",
    "seeds/1/agent/optimizer/square",
    "seeds/1/agent/actor/explorer/generator/state",
    "seeds/1/agent/memory/generator/state",
    "seeds/2/agent/memory/priorities/raw",
    "seeds/1/agent/memory/streams/head_observation",
    "seeds/1/started",
]


def test_each_part_of_the_state_of_another_seed_matters(make):
    options = {"replay__kind": "prioritized", "training__steps": 300}
    straight, state, drained = cut(make, options, 203)
    straight.advance()
    (arrays, values), (fresh, new) = (
        split(state),
        split(together(make, **options).state()),
    )
    for path in OF_ANOTHER_SEED:
        changed = dict(arrays), dict(values)
        for leaves, others in zip(changed, (fresh, new), strict=True):
            if path in leaves:
                same = np.shape(others[path]) == np.shape(leaves[path])
                leaves[path] = others[path] if same else np.ones_like(leaves[path])
        loop = together(make, **options)
        loop.restore(join(*changed), drained.replay)
        loop.advance()
        assert state_hash(loop.state()) != state_hash(straight.state()), path


def test_the_log_of_one_seed_is_no_log_of_another(make):
    _, state, drained = cut(make, {}, 150)
    loop = together(make)
    beyond = drained.replay | {"slot": drained.replay["slot"] + 10**6}
    with pytest.raises(TrainingProblem):
        loop.restore(state, beyond)
    without = {path: leaf for path, leaf in flatten(state) if "seeds/2" not in path}
    with pytest.raises(TrainingProblem):
        loop.restore(join({}, without), drained.replay)


def test_a_live_option_is_that_of_all_seeds(make):
    loop = together(make, **PLAIN)
    loop.advance(steps=100)
    for key, value in {
        "agent.learning_rate": 1e-7,
        "agent.loss": "squared",
        "replay.kind": "prioritized",
    }.items():
        loop.set_option(key, value)
        assert {it.configuration.get(key) for it in agents_of(loop)} == {value}
    before = [it.weights()["online/head.weight"] for it in agents_of(loop)]
    loop.advance(steps=20)
    after = [it.weights()["online/head.weight"] for it in agents_of(loop)]
    np.testing.assert_allclose(before, after, atol=1e-5)
    seeds = [it.configuration.training.seed for it in agents_of(loop)]
    assert seeds == [FIRST, FIRST + 1, FIRST + 2]


def test_who_diverges_is_named(make):
    loop = together(make, **PLAIN)
    loop.advance(steps=60)
    agents_of(loop)[1].online.head.weight.data.fill_(1e30)
    with pytest.raises(TrainingProblem, match=f"of seed {FIRST + 1} of update"):
        loop.advance(steps=5)


REFUSED = [
    {"replay.kind": "none"},
    {"replay.kind": "sequence"},
    {"agent.n_step_correction": "retrace", "agent.double": False},
    {"planning.kind": "dyna"},
    {"replay.storage": "disk"},
    {"training.mode": "synchronized"},
    {"training.offline": "old.h5"},
    {"training.seed": 2**31 - 2},
]


@pytest.mark.parametrize("options", REFUSED, ids=str)
def test_what_several_seeds_do_not_go_with_is_refused_with_the_way_out(options):
    check_combination(configuration_from_flat(options))
    several = configuration_from_flat(options | {"training.seeds": 3})
    with pytest.raises(ConfigurationError) as caught:
        check_combination(several)
    assert "training.seed" in caught.value.complaints["training.seeds"]
