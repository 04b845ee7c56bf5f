"""NoisyNet: when there is noise, whose it is, and how it is learned."""

import math

import numpy as np
import pytest
import torch
from by_hand import draw_batch, make, spread

from engine.agents.schedules import BUCKET
from engine.networks.layers import FEW_ROWS

NOISY = {"exploration__kind": "noisy"}


def seen(count, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, 3)).astype(np.float32)


def head_weights(network, noisy=True):
    """Weights and biases of the head as the paper writes them, float64."""
    head = network.head
    of_outputs, of_inputs = (it.double() for it in (head.noise_out, head.noise_in))
    weight, bias = head.weight.double(), head.bias.double()
    if noisy:
        noise = of_outputs[:, None] * of_inputs[None]
        weight = weight + head.weight_sigma.double() * noise
        bias = bias + head.bias_sigma.double() * of_outputs
    return weight.detach().numpy(), bias.detach().numpy()


def test_all_observations_of_a_pass_see_the_same_noise():
    agent = make(**NOISY)
    agent.online.resample(torch.Generator().manual_seed(1))
    one = np.repeat(seen(1), 5, 0)
    q = agent.online(torch.from_numpy(one)).detach().numpy()
    assert (q == q[0]).all()
    weight, bias = head_weights(agent.online)
    assert q[0] == pytest.approx(weight @ one[0] + bias, rel=1e-5)


@pytest.mark.parametrize("rows", [1, FEW_ROWS, FEW_ROWS + 1, 32])
def test_few_rows_and_many_are_worth_what_the_paper_writes(rows):
    agent = make(**NOISY)
    agent.online.resample(torch.Generator().manual_seed(2))
    weight, bias = head_weights(agent.online)
    with torch.no_grad():
        q = agent.online(torch.from_numpy(seen(rows))).numpy()
    expected = seen(rows).astype(np.float64) @ weight.T + bias
    assert q == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_noise_is_the_signed_root_of_normal_numbers():
    agent = make(**NOISY, network__hidden="400")
    agent.online.resample(torch.Generator().manual_seed(1))
    noise = agent.online.head.noise_in.double().numpy()
    # Undone, it is normal: 400 numbers, mean and variance within five deviations.
    normal = np.sign(noise) * noise**2
    assert abs(normal.mean()) < 5 / math.sqrt(400)
    assert normal.var() == pytest.approx(1, abs=5 * math.sqrt(2 / 400))
    assert agent.online.head.weight_sigma[0, 0].item() == pytest.approx(0.5 / 20)


def test_there_is_no_noise_outside_of_exploring_and_learning():
    agent = make(**NOISY)
    spread(agent)
    weight, bias = head_weights(agent.online, noisy=False)
    expected = seen(4) @ weight.T + bias
    for _ in range(2):
        assert agent.act(seen(4)).q == pytest.approx(expected, rel=1e-4, abs=1e-5)
        agent.act(seen(4), "explore", 0)
        agent.learn_from(draw_batch(), 0)
        weight, bias = head_weights(agent.online, noisy=False)
        expected = seen(4) @ weight.T + bias
    assert agent.insight(seen(4))["q"] == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_exploring_draws_new_noise_for_each_step_and_no_random_action():
    agent = make(**NOISY)
    spread(agent)
    decisions = [agent.act(seen(4), "explore", 0) for _ in range(40)]
    assert len({it.q.tobytes() for it in decisions}) == 40
    for decision in decisions:
        assert decision.actions.tolist() == decision.q.argmax(1).tolist()
        assert not decision.explored.any()
    mean = agent.act(seen(4)).actions.tolist()
    assert any(it.actions.tolist() != mean for it in decisions)


def test_an_update_has_one_noise_for_each_network_and_sigma_learns(monkeypatch):
    """The whole update by hand: each network with the noise that it had."""
    agent = make(**NOISY, agent__double=True, agent__gradient_clip=0.0)
    spread(agent)
    drawn, forward = {}, agent.learner.online_pass.forward

    def remember_noise(*args):
        drawn["online"] = head_weights(agent.online)
        drawn["target"] = head_weights(agent.target)
        drawn["noise"] = [
            it.double().numpy().copy()
            for it in (agent.online.head.noise_out, agent.online.head.noise_in)
        ]
        return forward(*args)

    monkeypatch.setattr(agent.learner.online_pass, "forward", remember_noise)
    batch = draw_batch()
    update = agent.learn_from(batch, 0)

    def q(network, observed):
        weight, bias = drawn[network]
        return observed.astype(np.float64) @ weight.T + bias

    now, rows = q("online", batch.observation), np.arange(12)
    best = q("online", batch.next_observation).argmax(1)
    valued = q("target", batch.next_observation)[rows, best]
    error = batch.reward + batch.discount * valued - now[rows, batch.action]
    assert update.td_error == pytest.approx(error, rel=1e-4, abs=1e-5)
    slope = np.zeros((12, 3))
    slope[rows, batch.action] = -np.clip(error, -1, 1) / 12
    of_weight, of_bias = slope.T @ batch.observation, slope.sum(0)
    of_outputs, of_inputs = drawn["noise"]
    grads = {
        "weight": of_weight,
        "bias": of_bias,
        "weight_sigma": of_weight * of_outputs[:, None] * of_inputs[None],
        "bias_sigma": of_bias * of_outputs,
    }
    for name, expected in grads.items():
        found = getattr(agent.online.head, name).grad.numpy()
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-6), name
    assert np.abs(grads["weight_sigma"]).max() > 1e-3


def test_both_networks_have_noise_of_their_own_that_changes_with_each_update(
    monkeypatch,
):
    agent, drawn = make(**NOISY), []
    forward = agent.learner.online_pass.forward

    def remember_noise(*args):
        drawn.append(agent.online.head.noise_in.tolist())
        drawn.append(agent.target.head.noise_in.tolist())
        return forward(*args)

    monkeypatch.setattr(agent.learner.online_pass, "forward", remember_noise)
    for _ in range(4):
        agent.learn_from(draw_batch(), 0)
    assert len({tuple(it) for it in drawn}) == 8


def test_the_noise_level_that_is_told_begins_at_one_and_moves():
    agent = make(**NOISY, network__hidden="5")
    first = agent.learn_from(draw_batch(), 0).extras
    noise = {name: level for name, level in first.items() if name.startswith("noise/")}
    assert noise == {"noise/torso.1": pytest.approx(1), "noise/head": pytest.approx(1)}
    later = [agent.learn_from(draw_batch(), 0).extras for _ in range(BUCKET)]
    told = [it["noise/head"] for it in later if "noise/head" in it]
    assert len(told) == 1, "one update of each point of the curve measures it"
    assert told[0] != pytest.approx(1, abs=1e-6)
