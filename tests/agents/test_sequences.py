"""Recurrent agents: pieces of episodes, learned as if each were unrolled alone."""

import numpy as np
import pytest
import torch
from by_hand import make

L, UNITS = 4, 5
LENGTHS = (7, 3, 9, 1, 5)
"""Steps of the episodes; the first and third are cut off, the others terminate."""
RECURRENT = {
    "network__hidden": "6",
    "network__recurrent_units": UNITS,
    "replay__kind": "sequence",
    "replay__sequence_length": L,
    "agent__batch_size": 6,
    "agent__gradient_clip": 0.0,
    "agent__loss": "squared",
}


def play(agent, seed=0):
    """Episodes as the agent saw them: observations, actions, rewards, memories."""
    rng, episodes = np.random.default_rng(seed), []
    for number, length in enumerate(LENGTHS):
        seen = rng.standard_normal((length + 1, 3)).astype(np.float32)
        # The first number tells which step of which episode it is.
        seen[:, 0] = number + np.arange(length + 1) / 100
        episode = {"seen": seen, "memory": [], "actions": [], "rewards": []}
        episode["terminated"] = number % 2 == 1 or number == 4
        agent.begin(0, seen[0])
        for t in range(length):
            episode["memory"].append(agent._actor._training.before()[0])
            action = int(agent.act(seen[t][None], "explore", 0).actions[0])
            reward, last = rng.random(), t == length - 1
            ended = episode["terminated"]
            agent.remember(
                0, action, reward, last and ended, last and not ended, seen[t + 1]
            )
            episode["actions"].append(action)
            episode["rewards"].append(reward)
        episodes.append(episode)
    return episodes


class RecurrentByHand:
    """The network out of its weights, in float64, one step after the other."""

    def __init__(self, agent, network):
        prefix = f"{network}/"
        self.weights = {
            name.removeprefix(prefix): torch.from_numpy(array.astype(np.float64))
            for name, array in agent.weights().items()
            if name.startswith(prefix)
        }
        for weight in self.weights.values():
            weight.requires_grad_(network == "online")
        self.kind = agent.configuration.network.recurrent
        self.sees_actions = agent.configuration.network.previous_action

    def layer(self, name, x, suffix=""):
        weight = self.weights[f"{name}.weight{suffix}"]
        return weight @ x + self.weights[f"{name}.bias{suffix}"]

    def step(self, observation, previous, memory):
        """Q-values [A] and the memory afterwards."""
        x = torch.relu(self.layer("torso.1", torch.from_numpy(observation).double()))
        if self.sees_actions:
            before = torch.zeros(3, dtype=torch.float64)
            if previous >= 0:
                before[previous] = 1
            x = torch.cat([x, before])
        hidden = memory[:UNITS]
        inputs = self.layer("recurrent.cell", x, "_ih_l0")
        recalled = self.layer("recurrent.cell", hidden, "_hh_l0")
        if self.kind == "lstm":
            i, f, g, o = (inputs + recalled).chunk(4)
            carried = f.sigmoid() * memory[UNITS:] + i.sigmoid() * g.tanh()
            hidden = o.sigmoid() * carried.tanh()
            memory = torch.cat([hidden, carried])
        else:
            (r, z, n), (r2, z2, n2) = inputs.chunk(3), recalled.chunk(3)
            new = (n + (r + r2).sigmoid() * n2).tanh()
            update = (z + z2).sigmoid()
            memory = hidden = (1 - update) * new + update * hidden
        return self.layer("head", hidden), memory

    def unroll(self, episode, first, counted, memory):
        """Q-values by their step; what lies before ``counted`` gives no gradient."""
        found = {}
        for t in range(first, len(episode["seen"])):
            previous = episode["actions"][t - 1] if t else -1
            found[t], memory = self.step(episode["seen"][t], previous, memory)
            if t < counted:
                memory = memory.detach()
        return found


def expected_loss(agent, episodes, batch, *, burn_in, stored, n):
    """The mean over all steps that there are, each piece unrolled by itself."""
    online, target = (RecurrentByHand(agent, it) for it in ("online", "target"))
    errors, gamma = [], agent.configuration.agent.discount
    for piece in range(len(batch.sequences.state)):
        flat = piece * L
        place = batch.sequences.current[piece, 0]
        number, t0 = _where(batch.observation[piece, place])
        episode, length = episodes[number], LENGTHS[number]
        first = max(0, t0 - burn_in)
        width = len(episode["memory"][0])
        memory = torch.zeros(width, dtype=torch.float64)
        if stored:
            memory = torch.from_numpy(episode["memory"][first]).double()
        q = online.unroll(episode, first, t0, memory)
        older = target.unroll(episode, first, t0, memory)
        for t in range(t0, min(t0 + L, length)):
            action = episode["actions"][t]
            assert batch.action[flat + t - t0] == action
            end = min(t + n, length)
            rewards = episode["rewards"][t:end]
            y = sum(gamma**k * reward for k, reward in enumerate(rewards))
            if end < length or not episode["terminated"]:
                best = int(q[end].argmax())
                y = y + gamma ** (end - t) * float(older[end][best])
            errors.append(y - q[t][action])
    loss = sum(0.5 * it**2 for it in errors) / len(errors)
    return loss, [float(it.detach()) for it in errors], online


def _where(observation):
    """Number of the episode and step of an observation."""
    number, share = divmod(float(observation[0]) + 1e-4, 1)
    return int(number), round(share * 100)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
@pytest.mark.parametrize("actions", [False, True])
@pytest.mark.parametrize(
    ("burn_in", "stored", "n"),
    [(0, True, 1), (0, False, 1), (2, True, 1), (3, False, 2), (0, True, 3)],
)
def test_an_update_is_the_mean_over_pieces_unrolled_one_by_one(
    kind, actions, burn_in, stored, n
):
    """Padded steps give nothing, burn-in steps no loss, and the count is right."""
    agent = make(
        network__recurrent=kind,
        network__previous_action=actions,
        replay__burn_in=burn_in,
        replay__stored_state=stored,
        agent__n_step=n,
        **RECURRENT,
    )
    episodes = play(agent)
    for _ in range(2):
        batch = agent.memory.sample(8, 0.9, 1.0)
        loss, errors, online = expected_loss(
            agent, episodes, batch, burn_in=burn_in, stored=stored, n=n
        )
        assert 8 < len(errors) < 8 * L
        loss.backward()
        update = agent.learn_from(batch, 0)
        assert update.loss == pytest.approx(float(loss.detach()), rel=1e-4)
        assert update.td_error == pytest.approx(errors, rel=1e-3, abs=1e-5)
        for name, parameter in agent.online.named_parameters():
            expected = online.weights[name].grad
            expected = torch.zeros(()) if expected is None else expected
            found = parameter.grad.numpy()
            assert found == pytest.approx(expected.numpy(), abs=1e-5), name


@pytest.mark.parametrize("kind", ["lstm", "gru"])
@pytest.mark.parametrize("actions", [False, True])
def test_a_whole_episode_at_once_equals_stepping_through_it(kind, actions):
    agent = make(network__recurrent=kind, network__previous_action=actions, **RECURRENT)
    rng = np.random.default_rng(0)
    seen = rng.standard_normal((9, 3)).astype(np.float32)
    recollection = agent.recollection(2)
    stepped, taken = [], [-1]
    for t in range(9):
        both = np.stack([seen[t], -seen[t]])
        decision = agent.act(both, recollection=recollection)
        stepped.append(decision.q[0])
        taken.append(int(decision.actions[0]))
    insight = agent.insight(seen, np.array(taken[:9]))
    assert np.array(stepped) == pytest.approx(insight["q"], rel=1e-4, abs=1e-6)
    by_hand = RecurrentByHand(agent, "online")
    width = UNITS * (2 if kind == "lstm" else 1)
    episode = {"seen": seen, "actions": taken[1:]}
    hand = by_hand.unroll(episode, 0, 0, torch.zeros(width, dtype=torch.float64))
    expected = np.array([hand[t].detach().numpy() for t in range(9)])
    assert insight["q"] == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_a_new_episode_begins_with_nothing_and_leaves_the_other_alone():
    agent = make(network__recurrent="lstm", **RECURRENT)
    seen = np.random.default_rng(0).standard_normal((4, 2, 3)).astype(np.float32)
    recollection, other = agent.recollection(2), agent.recollection(2)
    for t in range(3):
        agent.act(seen[t], recollection=recollection)
        agent.act(seen[t], recollection=other)
    recollection.begin(1)
    assert not recollection.state[1].any()
    assert recollection.previous.tolist()[1] == -1
    q = agent.act(seen[3], recollection=recollection).q
    assert q[0].tolist() == agent.act(seen[3], recollection=other).q[0].tolist()
    assert q[1] == pytest.approx(agent.act(seen[3, 1:]).q[0], rel=1e-5)


def test_the_memory_that_is_stored_is_the_one_before_each_step():
    agent = make(network__recurrent="gru", **RECURRENT)
    episodes = play(agent)
    streams = agent.memory.streams
    slots = np.flatnonzero(streams.sampleable)
    for slot in slots:
        number, t = _where(streams.observation[slot])
        expected = episodes[number]["memory"][t]
        assert streams.extras["state"][slot].tolist() == expected.tolist()
        assert expected.any() == (t > 0)


def test_every_step_is_learned_from_as_often_as_pieces_cover_it():
    """A piece begins 0 to L - 1 steps before any step, not before its episode."""
    agent = make(network__recurrent="gru", **RECURRENT)
    play(agent)
    counts, pieces = np.zeros(agent.memory.capacity), 6400
    for _ in range(pieces // 16):
        batch = agent.memory.sample(16, 0.9, 1.0)
        valid = batch.sequences.valid.reshape(-1)
        counts += np.bincount(batch.slots[valid], minlength=len(counts))
    covering = []
    for length in LENGTHS:
        starts = [max(0, t - back) for t in range(length) for back in range(L)]
        covering += [
            sum(start <= t < start + L for start in starts) for t in range(length)
        ]
    share = np.array(covering) / (sum(LENGTHS) * L)
    drawn = counts[agent.memory.streams.sampleable]
    spread = np.sqrt(pieces * share * (1 - share))
    assert (np.abs(drawn - pieces * share) < 5 * spread).all()
    assert not counts[~agent.memory.streams.sampleable].any()
