"""The value-based agent: its update by hand, its choices, options and state."""

import math

import numpy as np
import pytest
import torch

from engine.agents import NotFinite, build_agent, layouts, learner, rule
from engine.contract.arrays import state_hash
from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import (
    ConfigurationError,
    configuration_from_flat,
    spec,
)
from engine.networks.single_row import SingleRow

CARD = EnvironmentCard("Test-v0", observation="vector", shape=(3,), actions=2)
LINEAR = {"network.hidden": "", "agent.batch_size": 4, "replay.capacity": 100}


def make(seed=0, card=CARD, **options):
    flat = {key.replace("__", "."): value for key, value in options.items()}
    return build_agent(configuration_from_flat({**LINEAR, **flat}), card, seed=seed)


def remember(agent, steps=20, seed=0, environments=1):
    """Random transitions; every seventh terminates, every fifth truncates."""
    rng = np.random.default_rng(seed)

    def draw():
        return rng.standard_normal(3).astype(np.float32)

    for stream in range(environments):
        agent.memory.begin(stream, draw())
        for i in range(steps):
            terminated, truncated = i % 7 == 6, i % 5 == 4 and i % 7 != 6
            agent.memory.append(
                stream,
                int(rng.integers(2)),
                rng.random(),
                terminated,
                truncated,
                draw(),
            )
            if terminated or truncated:
                agent.memory.begin(stream, draw())


def spread(agent):
    """Give both networks different, larger weights."""
    rng = np.random.default_rng(1)
    agent.load_weights(
        {
            k: rng.standard_normal(v.shape).astype(v.dtype)
            for k, v in agent.weights().items()
        }
    )


# ------------------------------------------------------------------ the update


def update_by_hand(agent, batch, *, double, target, loss, clip):
    """Gradient and targets of one update from torch's own building blocks."""
    weights = {k: torch.from_numpy(v) for k, v in agent.weights().items()}
    for name in ("head.weight", "head.bias"):
        weights[f"online/{name}"].requires_grad_()

    def q_of(network, observations):
        weight, bias = (
            weights[f"{network}/head.weight"],
            weights[f"{network}/head.bias"],
        )
        return torch.from_numpy(observations) @ weight.T + bias

    evaluated = q_of(target, batch.next_observation).detach()
    selecting = q_of("online" if double else target, batch.next_observation)
    best = evaluated[torch.arange(len(evaluated)), selecting.argmax(1)]
    y = torch.from_numpy(batch.reward) + torch.from_numpy(batch.discount) * best
    q = q_of("online", batch.observation)
    taken = q[torch.arange(len(q)), torch.from_numpy(batch.action)]
    function = {
        "huber": torch.nn.functional.huber_loss,
        "squared": lambda a, b, **kw: 0.5 * torch.nn.functional.mse_loss(a, b, **kw),
    }[loss]
    weight = 1.0 if batch.weight is None else torch.from_numpy(batch.weight)
    total = (weight * function(taken, y, reduction="none")).mean()
    total.backward()
    gradient = torch.cat(
        [weights[f"online/head.{it}"].grad.flatten() for it in ("weight", "bias")]
    )
    norm = gradient.norm()
    if 0 < clip < norm:
        gradient = gradient * clip / norm
    return (y - taken).detach(), total.item(), norm.item(), gradient


@pytest.mark.parametrize(
    ("double", "target"), [(False, "none"), (False, "periodic"), (True, "periodic")]
)
@pytest.mark.parametrize("loss", ["huber", "squared"])
@pytest.mark.parametrize("kind", ["uniform", "prioritized"])
@pytest.mark.parametrize("clip", [0.0, 0.01])
def test_one_update_is_the_update_worked_out_by_hand(double, target, loss, kind, clip):
    agent = make(
        agent__double=double,
        agent__loss=loss,
        agent__gradient_clip=clip,
        agent__learning_rate=0.01,
        target_network__kind=target,
        replay__kind=kind,
    )
    remember(agent)
    spread(agent)
    # Unequal priorities, so that importance weights differ from one another.
    slots = np.flatnonzero(agent.memory.streams.sampleable)
    agent.memory.learned(slots, np.linspace(0, 9, len(slots)))
    batches = []
    sample = agent.memory.sample
    agent.memory.sample = lambda *args: batches.append(sample(*args)) or batches[-1]
    before = agent.weights()
    update = agent.learn(0)
    expected = make(target_network__kind=target, agent__double=False)
    expected.load_weights(before)
    error, total, norm, gradient = update_by_hand(
        expected,
        batches[0],
        double=double,
        target="online" if target == "none" else "target",
        loss=loss,
        clip=clip,
    )
    assert update.td_error == pytest.approx(error.numpy(), rel=1e-4, abs=1e-5)
    assert update.loss == pytest.approx(total, rel=1e-4)
    assert update.gradient_norm == pytest.approx(norm, rel=1e-4)
    followed = agent.learner.gradients.numpy()
    assert followed == pytest.approx(gradient.numpy(), rel=1e-4, abs=1e-6)
    moved = np.concatenate(
        [
            (agent.weights()[k] - before[k]).ravel()
            for k in ("online/head.weight", "online/head.bias")
        ]
    )
    # The first step of Adam goes α along the sign of each clipped derivative.
    direction = gradient / (gradient.abs() + 1e-8)
    assert moved == pytest.approx(-0.01 * direction.numpy(), rel=1e-2, abs=1e-5)


def test_td_errors_become_priorities():
    agent = make(replay__kind="prioritized", replay__priority_epsilon=0.5)
    remember(agent)
    update = agent.learn(0)
    largest = max(1.0, float(np.abs(update.td_error).max()) + 0.5)
    assert agent.memory.priorities.largest == pytest.approx(largest)


# ---------------------------------------------------------- the target network


def same_networks(agent):
    weights = agent.weights()
    online = {k: v for k, v in weights.items() if k.startswith("online/")}
    return all(np.array_equal(v, weights[f"target/{k[7:]}"]) for k, v in online.items())


def test_both_networks_are_equal_at_first():
    assert same_networks(make())


def test_a_periodic_target_is_copied_after_each_period_and_not_before():
    agent = make(target_network__period=3)
    remember(agent)
    equal = [agent.learn(0) is not None and same_networks(agent) for _ in range(7)]
    assert equal == [False, False, True, False, False, True, False]


def test_a_polyak_target_follows_by_its_rate():
    agent = make(target_network__kind="polyak", target_network__tau=0.25)
    remember(agent)
    spread(agent)
    before = agent.weights()["target/head.weight"]
    agent.learn(0)
    after = agent.weights()
    expected = 0.75 * before + 0.25 * after["online/head.weight"]
    assert after["target/head.weight"] == pytest.approx(expected, rel=1e-5)


def test_a_target_network_switched_on_starts_as_a_copy():
    agent = make(target_network__kind="none", agent__double=False)
    remember(agent)
    agent.learn(0)
    agent.set_option("target_network.kind", "periodic")
    assert same_networks(agent)
    agent.learn(0)
    assert not same_networks(agent)


# ----------------------------------------------------------------- its choices


def test_greedy_actions_are_the_best_and_of_equal_ones_the_first():
    agent = make()
    agent.load_weights({k: np.zeros_like(v) for k, v in agent.weights().items()})
    assert agent.act(np.ones((3, 3), np.float32)).actions.tolist() == [0, 0, 0]
    spread(agent)
    observations = np.random.default_rng(0).standard_normal((50, 3)).astype(np.float32)
    decision = agent.act(observations)
    assert decision.actions.tolist() == decision.q.argmax(1).tolist()
    assert set(decision.actions.tolist()) == {0, 1}
    assert not decision.explored.any()
    assert decision.q.dtype == np.float32


def test_epsilon_is_the_share_of_random_actions_which_are_even():
    agent = make()
    agent.load_weights({k: np.zeros_like(v) for k, v in agent.weights().items()})
    decision = agent.act(np.ones((20_000, 3), np.float32), epsilon=0.3)
    assert decision.explored.mean() == pytest.approx(0.3, abs=0.02)
    assert decision.actions[decision.explored].mean() == pytest.approx(0.5, abs=0.04)
    assert not decision.actions[~decision.explored].any()


def test_exploring_follows_the_schedule():
    agent = make(
        agent__learning_starts=0,
        exploration__epsilon=1.0,
        exploration__epsilon_final=0.0,
        exploration__decay_steps=100,
    )
    observations = np.ones((5000, 3), np.float32)
    shares = [
        agent.act(observations, "explore", it).explored.mean() for it in (0, 50, 100)
    ]
    assert shares == pytest.approx([1.0, 0.5, 0.0], abs=0.03)


def test_values_that_nobody_needs_are_not_computed():
    observations = np.ones((1, 3), np.float32)
    decision = make().act(observations, "explore", epsilon=1.0, all_values=False)
    assert np.isnan(decision.q).all()
    assert decision.explored.all()


def test_a_greedy_look_changes_nothing_of_the_training():
    agent = make()
    remember(agent)
    before = state_hash(agent.state())
    agent.act(np.ones((2, 3), np.float32))
    assert state_hash(agent.state()) == before


@pytest.mark.parametrize("kind", spec("exploration.kind").choices)
def test_computing_all_values_changes_no_choice(kind):
    observations = np.random.default_rng(0).standard_normal((1, 3)).astype(np.float32)
    choices = []
    for all_values in (False, True):
        agent = make(seed=3, exploration__kind=kind, agent__learning_starts=25)
        choices.append(
            [
                agent.act(observations, "explore", step, all_values=all_values).actions[
                    0
                ]
                for step in range(50)
            ]
        )
    assert choices[0] == choices[1]


def test_insight_names_what_the_network_says():
    agent = make(agent__dueling="mean", network__hidden="6")
    observations = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    insight = agent.insight(observations)
    shapes = {name: values.shape for name, values in insight.items()}
    assert shapes == {
        "q": (5, 2),
        "value_head": (5,),
        "advantage": (5, 2),
        "embedding": (5, 6),
    }
    assert insight["q"] == pytest.approx(agent.act(observations).q, rel=1e-5)
    assert np.isnan(make().insight(observations)["value_head"]).all()


# ------------------------------------------------------------------ its options


@pytest.mark.parametrize(
    ("key", "value"),
    [("network.hidden", (8,)), ("agent.n_step", 3), ("replay.capacity", 200)],
)
def test_an_option_that_needs_a_new_run_is_refused(key, value):
    agent = make()
    with pytest.raises(ConfigurationError, match="needs a new run"):
        agent.set_option(key, value)
    assert agent.configuration == make().configuration


@pytest.mark.parametrize("kinds", [("none", "uniform"), ("prioritized", "none")])
def test_replay_cannot_be_switched_on_or_off_while_it_runs(kinds):
    agent = make(replay__kind=kinds[0])
    with pytest.raises(ConfigurationError, match="needs a new run"):
        agent.set_option("replay.kind", kinds[1])


def test_a_live_change_to_an_impossible_combination_is_refused():
    agent = make(agent__double=True)
    with pytest.raises(ConfigurationError, match="needs a target network"):
        agent.set_option("target_network.kind", "none")
    assert agent.configuration.target_network.kind == "periodic"


def test_an_impossible_combination_is_refused_at_the_start():
    with pytest.raises(ConfigurationError, match="has no images"):
        make(network__torso="conv")


def test_live_options_act_at_the_next_update():
    agent = make()
    remember(agent)
    agent.set_option("agent.batch_size", 16)
    agent.set_option("agent.learning_rate", 0.5)
    update = agent.learn(0)
    assert len(update.td_error) == 16
    assert update.learning_rate == 0.5


def test_the_kind_of_memory_can_be_exchanged_live():
    agent = make()
    remember(agent)
    agent.learn(0)
    agent.set_option("replay.kind", "prioritized")
    agent.learn(0)
    agent.set_option("replay.kind", "uniform")
    assert agent.learn(0) is not None


# -------------------------------------------------------------------- its state


@pytest.mark.parametrize("kind", ["none", "uniform", "prioritized"])
@pytest.mark.parametrize("target", ["none", "periodic", "polyak"])
def test_a_restored_agent_goes_on_to_the_bit(kind, target):
    options = {
        "replay__kind": kind,
        "target_network__kind": target,
        "target_network__period": 3,
        "agent__double": target != "none",
        "network__hidden": "8",
    }
    agent, other = make(**options), make(seed=9, **options)
    remember(agent)
    for _ in range(5):
        agent.learn(0)
    log = agent.memory.drain_log()
    other.restore(agent.state(), log)
    observations = np.random.default_rng(3).standard_normal((9, 3)).astype(np.float32)
    for it in (agent, other):
        remember(it, seed=4, steps=5) if kind == "none" else None
        for _ in range(5):
            it.learn(0)
            it.act(observations, epsilon=0.5)
    assert state_hash(agent.state()) == state_hash(other.state())


def test_states_and_weights_are_copies():
    agent = make()
    remember(agent)
    state, weights = agent.state(), agent.weights()
    before = (
        state_hash(state),
        state_hash({"w": {k.replace("/", "."): v for k, v in weights.items()}}),
    )
    agent.learn(0)
    after = (
        state_hash(state),
        state_hash({"w": {k.replace("/", "."): v for k, v in weights.items()}}),
    )
    assert before == after


def test_the_seed_determines_everything():
    def run(seed):
        agent = make(seed=seed, replay__kind="prioritized", network__hidden="8")
        remember(agent)
        for _ in range(10):
            agent.learn(0)
        return state_hash(agent.state())

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_weights_of_another_form_are_refused():
    weights = make(network__hidden="4").weights()
    with pytest.raises(ValueError, match="online/head"):
        make().load_weights(weights)


# ---------------------------------------------------------- what is not a number


@pytest.mark.parametrize(
    ("reward", "loss", "what"),
    [
        (math.nan, "huber", "loss"),
        (math.inf, "huber", "loss"),
        (1e30, "squared", "loss"),
    ],
)
def test_what_is_not_finite_never_reaches_the_weights(reward, loss, what):
    agent = make(agent__loss=loss, replay__kind="prioritized")
    agent.memory.begin(0, np.zeros(3, np.float32))
    agent.memory.append(0, 0, reward, False, False, np.ones(3, np.float32))
    before = agent.weights(), agent.updates
    with pytest.raises(NotFinite, match=what):
        agent.learn(0)
    after = agent.weights()
    assert all(np.array_equal(before[0][k], after[k]) for k in after)
    assert agent.updates == before[1]


def test_a_player_needs_no_memory():
    agent = make(replay__capacity=10_000_000)
    agent.act(np.ones((1, 3), np.float32))
    agent.load_weights(agent.weights())
    assert "memory" not in vars(agent)


def test_convolutions_learn_through_torchs_graph():
    card = EnvironmentCard(
        "Test-v0", observation="image", shape=(6, 6, 2), dtype="uint8", actions=2
    )
    agent = make(
        card=card, network__conv="4x3x1", network__hidden="8", agent__dueling="max"
    )
    rng = np.random.default_rng(0)

    def draw():
        return rng.integers(0, 256, (6, 6, 2), np.uint8)

    agent.memory.begin(0, draw())
    for i in range(30):
        agent.memory.append(0, i % 2, float(i % 2), True, False, draw())
        agent.memory.begin(0, draw())
    losses = [agent.learn(0).loss for _ in range(150)]
    assert np.mean(losses[-20:]) < 0.3 * np.mean(losses[:5])


def test_retrace_cannot_be_switched_on_without_what_it_needs():
    agent = make(agent__n_step=3)
    with pytest.raises(ConfigurationError, match="press Train again"):
        agent.set_option("agent.n_step_correction", "retrace")
    agent.set_option("agent.n_step_correction", "greedy")
    corrected = make(agent__n_step=3, agent__n_step_correction="retrace")
    corrected.set_option("agent.n_step_correction", "none")


def test_a_run_goes_on_after_retrace_has_been_switched_off():
    agent = make(agent__n_step=3, agent__n_step_correction="retrace")
    observation = np.ones(3, np.float32)
    agent.begin(0, observation)
    for correction in ("retrace", "none", "greedy"):
        if correction != "retrace":
            agent.set_option("agent.n_step_correction", correction)
        for step in range(10):
            action = int(agent.act(observation[None], "explore", step).actions[0])
            agent.remember(0, action, 1.0, False, False, observation)
        assert agent.learn(0) is not None


def test_batches_go_to_the_very_gpu_that_the_network_is_on(monkeypatch):
    agent, asked = make(), set()
    remember(agent)
    for module in (learner, rule, layouts):
        monkeypatch.setattr(
            module,
            "on_device",
            lambda array, device: asked.add(device) or torch.from_numpy(array),
        )
    agent.learner._device = torch.device("cuda:1")
    agent.learner.configure(agent.configuration)
    agent.act(np.ones((1, 3), np.float32))
    agent.learn(0)
    assert asked == {"cuda:1"}


# ---------------------------------------------------------------- the last state


@pytest.mark.parametrize("mode", ["alternate", "synchronized", "asynchronous"])
@pytest.mark.parametrize("light", [True, False])
def test_the_last_values_are_those_of_the_network_that_acts(mode, light, monkeypatch):
    if not light:
        monkeypatch.setattr(SingleRow, "suits", lambda network: False)
    agent = make(training__mode=mode, network__hidden="8")
    with torch.no_grad():
        for parameter in agent.online.parameters():
            parameter.add_(0.5)  # what it has learned since the copy was taken
    seen = np.array([0.3, -1.0, 2.0], np.float32)
    acting = agent.act(seen[None], "explore", 0, epsilon=0.0).q[0]
    np.testing.assert_allclose(agent.last_values(seen), acting, rtol=1e-6)
    learning = agent.act(seen[None]).q[0]
    assert np.allclose(acting, learning) == (mode == "alternate")
