"""What each idea is for: with it and without it, on a world that was made for it."""

import statistics

import numpy as np
import pytest
from records import SEEDS, record
from reference_run import reference_run

from engine.contract.catalogue import find_preset
from engine.contract.options import Configuration, configuration_from_flat
from engine.environments import describe
from engine.environments.worlds.corridor import Corridor
from engine.stage.evaluation import evaluate
from engine.stage.minds import Mind
from engine.training import TrainingLoop

pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.timeout(8 * 3600)]

EPISODES = 1200
MAPPINGS = {10: 8, 12: 1, 14: 27}
"""Of DeepSea, with as many of one action on the way as of the other."""
HERE = "tests/reference/test_comparisons.py"


def changed(name: str, without: tuple[str, ...] = (), **options) -> Configuration:
    """A preset with other options; ``group__name`` stands for ``group.name``."""
    flat = dict(find_preset(name).flat)
    for key in without:
        del flat[key]
    flat |= {key.replace("__", "."): value for key, value in options.items()}
    return configuration_from_flat(flat)


def episodes(configuration: Configuration, seed: int):
    """All training episodes of a run."""
    quiet = {"training.seed": seed, "recording.level": "scalars"}
    loop = TrainingLoop(configuration.with_options(quiet))
    loop.advance()
    finished = loop.drain().finished
    loop.close()
    return finished


def both(title, environment, measure, test, ours, others, *, names, target):
    """Write down both sides; medians of them."""
    for name, values in zip(names, (ours, others), strict=True):
        where = f"{HERE} -k {test}"
        record(title, environment, name, values, target, where, measure=measure)
    return statistics.median(ours), statistics.median(others)


def test_memory():
    """The sign at the entrance decides ten steps later."""
    plain = changed(
        "tmaze-drqn",
        without=("network.recurrent_units", "replay.sequence_length"),
        network__recurrent="none",
        replay__kind="uniform",
    )
    remembering = find_preset("tmaze-drqn").configuration
    drqn, dqn = (
        [reference_run(of, seed).mean for seed in range(SEEDS)]
        for of in (remembering, plain)
    )
    ours, others = both(
        "Memory of ten steps",
        "RLLab/TMaze-v0",
        "mean return of the best checkpoint over 100 fresh episodes",
        "memory",
        drqn,
        dqn,
        names=("DRQN (LSTM)", "DQN"),
        target="DRQN >= 0.95, DQN < 0.5",
    )
    assert ours >= 0.95
    assert others < 0.5


def solved_after(configuration: Configuration, seed: int) -> float:
    """Episodes until half of 20 in a row found the treasure; all of them if never."""
    found = np.array([it.episode_return > 0.5 for it in episodes(configuration, seed)])
    share = np.convolve(found, np.ones(20) / 20, "valid")
    reached = np.flatnonzero(share >= 0.5)
    return float(reached[0] + 20) if len(reached) else float(len(found))


@pytest.mark.parametrize("depth", MAPPINGS)
def test_exploration(depth):
    """A treasure behind so many right decisions in a row, each of which costs.

    Of ten steps chance finds one in 1024, so that with some seeds ε-greedy does, and
    then soon; of 14 one in 16384.
    """
    deeper = {
        "environment__kwargs": {"size": depth, "mapping_seed": MAPPINGS[depth]},
        "training__steps": depth * EPISODES,
    }
    boot = changed("deepsea", **deeper)
    greedy = changed(
        "deepsea",
        exploration__kind="epsilon_greedy",
        exploration__decay_steps=depth * 300,
        **deeper,
    )
    found = [solved_after(boot, seed) for seed in range(SEEDS)]
    missed = [solved_after(greedy, seed) for seed in range(SEEDS)]
    both(
        f"DeepSea, N = {depth}",
        "RLLab/DeepSea-v0",
        "episodes until half of 20 find the treasure",
        "exploration",
        found,
        missed,
        names=("bootstrapped ensemble", "ε-greedy"),
        target=f"ensemble before {EPISODES} with every seed, ε-greedy not",
    )
    assert max(found) < EPISODES
    assert max(missed) == EPISODES


INGREDIENTS = {"nstep": "n-step returns", "c51": "distributions"}


@pytest.mark.parametrize("name", INGREDIENTS)
def test_ingredient(name):
    """Without these two Rainbow misses on CartPole what the other ablations reach."""
    preset = f"cartpole-rainbow-no-{name}"
    without = find_preset(preset).configuration
    means = [reference_run(without, seed).mean for seed in range(SEEDS)]
    record(
        f"Rainbow without {INGREDIENTS[name]}",
        "CartPole-v1",
        f"preset {preset}",
        means,
        "below 475, which the other ablations reach",
        f"{HERE} -k ingredient",
    )
    assert statistics.median(means) < 475


def evaluated_error(actions: int, dueling: str, seed: int) -> float:
    """How far Q is from the exact values of the random policy after 15,000 updates."""
    of = changed(
        "corridor-dueling",
        environment__kwargs={"actions": actions},
        agent__estimator="expected_sarsa",
        agent__dueling=dueling,
        agent__learning_rate_final=1.0,
        exploration__epsilon=1.0,
        exploration__epsilon_final=1.0,
        replay__capacity=50_000,
        recording__level="scalars",
        training__seed=seed,
    )
    model = Corridor(actions).model()
    states, count = model.reward.shape
    policy = np.full((states, count), 1 / count)
    exact = model.evaluate(policy, of.agent.discount).q_values
    loop = TrainingLoop(of)
    loop.advance()
    found = loop.agent.insight(np.eye(states, dtype=np.float32))["q"]
    loop.close()
    errors = (found - exact)[~model.terminated]
    return float(np.sqrt(np.mean(errors**2)))


@pytest.mark.parametrize("actions", [5, 20])
def test_dueling(actions):
    """Sixteen of twenty actions do nothing: values are shared by a value head.

    As in section 4.1 of Wang et al. (2016) a fixed policy is evaluated, here the
    uniform one. In control the difference drowns: with and without a value head it
    took 12,000 steps (medians of five seeds) until an evaluation reached the large
    reward, because the maximum over twenty estimates errs more than either network.
    """
    ours, others = (
        [evaluated_error(actions, kind, seed) for seed in range(SEEDS)]
        for kind in ("mean", "none")
    )
    ours, others = both(
        f"Corridor, {actions} actions",
        "RLLab/Corridor-v0",
        "root mean squared error of Q against the exact values of the random policy",
        "dueling",
        ours,
        others,
        names=("dueling", "plain"),
        target="dueling below plain" if actions == 20 else "for comparison",
    )
    if actions == 20:  # with 5 there is one no-op only, and nothing is claimed
        assert ours < others


BLIND_DEPTH, BLIND_STEPS, BLIND_PERIOD = 12, 300_000, 200


def blind(**options) -> Configuration:
    """DeepSea by random actions only: what is stored does not depend on the values.

    As often as DQN was published with, eight samples are drawn for each stored step.
    """
    return changed(
        "deepsea",
        environment__kwargs={"size": BLIND_DEPTH, "mapping_seed": 1},
        exploration__kind="epsilon_greedy",
        exploration__epsilon=1.0,
        exploration__epsilon_final=1.0,
        agent__batch_size=32,
        agent__updates_per_step=0.25,
        replay__capacity=BLIND_STEPS,
        training__steps=BLIND_STEPS,
        **options,
    )


def learned_after(configuration: Configuration, seed: int) -> tuple[float, float]:
    """Step of the first stored treasure, and steps until the greedy policy finds it.

    Five evaluations in a row have to find it, of which the first counts: policies that
    know nothing yet change all the time, and now and then one finds it by chance. What
    is not found within the budget counts as found at its end.
    """
    quiet = {"training.seed": seed, "recording.level": "scalars"}
    loop = TrainingLoop(configuration.with_options(quiet))
    mind = Mind(configuration, describe(configuration.environment))
    first, row = 0.0, 0
    while not loop.finished and row < 5:
        loop.advance(steps=BLIND_PERIOD)
        if any(it.episode_return > 0.5 for it in loop.drain().finished):
            first = first or float(loop.step)
        mind.load(loop.step, loop.weights())
        played = evaluate(mind, configuration.environment, 1, 0)
        row = row + 1 if first and played.mean > 0.5 else 0
    loop.close()
    return first, loop.step - first - max(0, row - 1) * BLIND_PERIOD


def test_prioritized():
    """Among tens of thousands of worthless steps a handful lead to the treasure.

    The world is the Blind Cliffwalk of Schaul et al. (2016) in the lab's words: random
    actions find the treasure in one of 4096 episodes, and both sides store the same
    experience. Expected before it was run: the reward and what leads to it are
    surprising until they are learned, so that prioritized replay finds its way from
    the first stored treasure in fewer steps than uniform replay. Where samples are
    plenty it does not: at a depth of 10 and 32 samples for each stored step both took
    1,000 (median of five seeds), which was tried first.
    """
    uniform, prioritized = (
        [learned_after(blind(replay__kind=kind), seed) for seed in range(2 * SEEDS)]
        for kind in ("uniform", "prioritized")
    )
    assert [first for first, _ in uniform] == [first for first, _ in prioritized]
    ours, others = both(
        f"DeepSea, N = {BLIND_DEPTH}, by random actions",
        "RLLab/DeepSea-v0",
        "steps from the first stored treasure until the greedy policy finds it",
        "prioritized",
        [steps for _, steps in prioritized],
        [steps for _, steps in uniform],
        names=("prioritized replay", "uniform replay"),
        target="prioritized first",
    )
    assert ours < others


def dead_share(configuration: Configuration, seed: int) -> float:
    """Hidden units that none of 4,000 remembered states excites, after 20,000 steps."""
    quiet = {"training.seed": seed, "recording.level": "scalars"}
    loop = TrainingLoop(configuration.with_options(quiet))
    loop.advance(steps=20_000)
    seen = loop.agent.insight(loop.sample_states(4000)["observation"])
    loop.close()
    return float(1 - (seen["embedding"] > 0).any(0).mean())


def test_optimizer():
    """Almost no reward in Freeway: Adam makes whole steps of what is only noise.

    With the usual ε the ReLUs die of them before the chicken has crossed the road
    often enough; a policy that then goes up by chance in every state looks learned.
    """
    damped = find_preset("minatar-freeway").configuration
    if describe(damped.environment).install:
        pytest.skip("MinAtar is not installed.")
    usual = changed("minatar-freeway", agent__adam_epsilon=1e-8)
    ours, others = both(
        "MinAtar Freeway, Adam's ε",
        "MinAtar/Freeway-v0",
        "share of dead hidden units after 20,000 steps",
        "optimizer",
        [dead_share(damped, seed) for seed in range(SEEDS)],
        [dead_share(usual, seed) for seed in range(SEEDS)],
        names=("ε = 1.5e-4", "ε = 1e-8"),
        target="1.5e-4 below 0.3, 1e-8 above 0.5",
    )
    assert ours < 0.3
    assert others > 0.5


def found_share(configuration: Configuration, seed: int) -> float:
    """How many training episodes that end in the second half reach the goal."""
    finished = episodes(configuration, seed)
    ends = np.cumsum([it.length for it in finished])
    found = np.array([it.episode_return > 0.5 for it in finished])
    return float(np.mean(found[ends > configuration.training.steps / 2]))


def test_noise():
    """Watching pays more than the goal, for ever: β/(1 - γ) = 2 against γ^25 = 0.78.

    In the dark the bonus runs out as 1/√n, and only the goal is left.
    """
    on, off = (find_preset(it).configuration for it in ("noisy-tv", "noisy-tv-off"))
    dark, bright = both(
        "Noisy TV, the same bonus",
        "RLLab/NoisyTV-v0",
        "share of episodes that reach the goal in the second half of training",
        "noise",
        [found_share(off, seed) for seed in range(SEEDS)],
        [found_share(on, seed) for seed in range(SEEDS)],
        names=("screen off", "screen on"),
        target="off > 0.95, on < 0.05",
    )
    assert dark > 0.95
    assert bright < 0.05


def left_share(configuration: Configuration, seed: int) -> float:
    """How often the bad side was taken after the first 300 episodes."""
    lengths = [it.length for it in episodes(configuration, seed)][300:]
    return float(np.mean([it == 2 for it in lengths]))


def test_double():
    """All arms on the left lose on average, and the best of many estimates wins."""
    single = find_preset("maximization-bias").configuration
    double = find_preset("maximization-bias-double").configuration
    ours, others = both(
        "Maximization bias, 20 arms",
        "RLLab/MaximizationBias-v0",
        "share of the bad side after 300 episodes (5 % by exploration alone)",
        "double",
        [left_share(double, seed) for seed in range(4 * SEEDS)],
        [left_share(single, seed) for seed in range(4 * SEEDS)],
        names=("double", "single"),
        target="double < 15 %, single > 20 %",
    )
    assert ours < 0.15
    assert others > 0.2
