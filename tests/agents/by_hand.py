"""One update of a linear agent, worked out apart from the lab's own code.

Everything is float64. Targets are loops over samples and actions in numpy; losses are
written from the papers; torch differentiates them and takes the step of its own Adam.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from engine.agents import build_agent
from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import Configuration, configuration_from_flat
from engine.replay import Batch

FEATURES, ACTIONS = 3, 3
CARD = EnvironmentCard(
    "Test-v0", observation="vector", shape=(FEATURES,), actions=ACTIONS
)
LINEAR = {
    "network.hidden": "",
    "agent.batch_size": 4,
    "agent.learning_starts": 0,
    "agent.discount": 0.9,
    "agent.learning_rate": 0.01,
    "agent.temperature": 0.7,
    "exploration.schedule": "constant",
    "exploration.epsilon": 0.3,
    "head.atoms": 5,
    "head.value_min": -2.0,
    "head.value_max": 3.0,
    "replay.capacity": 100,
    "target_network.kind": "polyak",
    "target_network.tau": 0.25,
}


def make(seed: int = 0, **options: Any) -> Any:
    """An agent without hidden layers; ``group__name`` stands for ``group.name``."""
    flat = {key.replace("__", "."): value for key, value in options.items()}
    return build_agent(configuration_from_flat({**LINEAR, **flat}), CARD, seed=seed)


def spread(agent: Any, seed: int = 1) -> None:
    """Give both networks different, larger weights."""
    rng = np.random.default_rng(seed)
    weights = agent.weights()
    agent.load_weights(
        {k: rng.standard_normal(v.shape).astype(v.dtype) for k, v in weights.items()}
    )


def draw_batch(count: int = 12, seed: int = 0, *, weighted: bool = False) -> Batch:
    """Random transitions: every fourth terminated, every third has no next action."""
    rng = np.random.default_rng(seed)
    steps = np.arange(count)
    known = np.where(steps % 3 == 1, -1, rng.integers(0, ACTIONS, count))
    return Batch(
        slots=np.full(count, -1),
        observation=rng.standard_normal((count, FEATURES)).astype(np.float32),
        action=rng.integers(0, ACTIONS, count),
        reward=rng.standard_normal(count).astype(np.float32),
        discount=np.where(steps % 4 == 0, 0.0, 0.9).astype(np.float32),
        next_observation=rng.standard_normal((count, FEATURES)).astype(np.float32),
        next_action=known,
        weight=rng.random(count).astype(np.float32) + 0.1 if weighted else None,
    )


class LinearByHand:
    """Online and target weights in float64, and one update of them.

    Args:
      configuration: All options.
      weights: What ``agent.weights()`` gave before the update, of one network.
    """

    def __init__(
        self, configuration: Configuration, weights: dict[str, np.ndarray]
    ) -> None:
        self.options = configuration
        self.online = [self._parameter(weights, "online", it) for it in PARAMETERS]
        self.target = [self._parameter(weights, "target", it) for it in PARAMETERS]
        for parameter in self.online:
            parameter.requires_grad_()
        options = configuration.agent
        self._adam = torch.optim.Adam(
            self.online, lr=options.learning_rate, eps=options.adam_epsilon
        )

    @staticmethod
    def _parameter(weights: Any, network: str, name: str) -> torch.Tensor:
        return torch.from_numpy(weights[f"{network}/head.{name}"].astype(np.float64))

    # ------------------------------------------------------------------ numbers

    def numbers(self, parameters: list[torch.Tensor], observed: Any) -> torch.Tensor:
        """[B, A, N] of a distribution, [B, A, 1] of a scalar head."""
        weight, bias = parameters
        seen = torch.as_tensor(observed, dtype=torch.float64)
        atoms = self.options.head.atoms if self.options.head.kind != "scalar" else 1
        streams = torch.einsum("bf,of->bo", seen, weight) + bias
        streams = streams.reshape(len(seen), -1, atoms)
        kind = self.options.agent.dueling
        if kind == "none":
            return streams
        value, advantage = streams[:, :1], streams[:, 1:]
        if kind == "mean":
            return value + advantage - advantage.mean(1, keepdim=True)
        return value + advantage - advantage.max(1, keepdim=True).values

    def support(self) -> np.ndarray:
        head = self.options.head
        step = (head.value_max - head.value_min) / (head.atoms - 1)
        return np.array([head.value_min + i * step for i in range(head.atoms)])

    def distribution(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values and probabilities [N] of the numbers [N] of one action."""
        if self.options.head.kind == "c51":
            odds = np.exp(numbers - numbers.max())
            return self.support(), odds / odds.sum()
        return numbers, np.full(len(numbers), 1 / len(numbers))

    def means(self, numbers: np.ndarray) -> np.ndarray:
        """Expected returns [A] of [A, N]."""
        pairs = [self.distribution(it) for it in numbers]
        return np.array([float(values @ probs) for values, probs in pairs])

    # ------------------------------------------------------------------ targets

    def policy(self, q: np.ndarray, taken: int, epsilon: float) -> np.ndarray:
        """Probabilities [A] with which the estimator follows the next actions."""
        kind = self.options.agent.estimator
        greedy = np.zeros(len(q))
        greedy[int(np.argmax(q))] = 1.0
        if kind == "q_learning":
            return greedy
        if kind == "sarsa" and taken >= 0:
            return np.eye(len(q))[taken]
        if kind == "soft":
            odds = np.exp((q - q.max()) / self.options.agent.temperature)
            return odds / odds.sum()
        return (1 - epsilon) * greedy + epsilon / len(q)

    def targets(self, batch: Batch, epsilon: float) -> list[Any]:
        """Of each sample the values and probabilities of its target."""
        options = self.options.agent
        with torch.no_grad():
            valued = self.numbers(self.target, batch.next_observation).numpy()
            online = self.numbers(self.online, batch.next_observation).numpy()
        found = []
        for i, (reward, discount) in enumerate(
            zip(batch.reward, batch.discount, strict=True)
        ):
            chooser = online[i] if options.double else valued[i]
            taken = int(batch.next_action[i])
            policy = self.policy(self.means(chooser), taken, epsilon)
            values, probs = [], []
            for action, likely in enumerate(policy):
                bonus = 0.0
                if options.estimator == "soft":
                    bonus = -options.temperature * math.log(likely)
                pair = self.distribution(valued[i, action])
                for value, prob in zip(*pair, strict=True):
                    values.append(float(reward) + float(discount) * (value + bonus))
                    probs.append(likely * prob)
            found.append((np.array(values), np.array(probs)))
        return found

    # ------------------------------------------------------------------- losses

    def loss(self, numbers: torch.Tensor, target: Any) -> torch.Tensor:
        """Loss of one sample, from the numbers [N] of its action."""
        values, probs = (torch.from_numpy(it) for it in target)
        head = self.options.head
        if head.kind == "scalar":
            error = (values * probs).sum() - numbers[0]
            delta = self.options.agent.huber_delta
            if abs(float(error.detach())) <= delta:
                return 0.5 * error**2
            return delta * (error.abs() - 0.5 * delta)
        if head.kind == "c51":
            goal = torch.from_numpy(self.project(*target))
            log = numbers - torch.logsumexp(numbers, 0)
            inside = goal > 0
            return (goal[inside] * (goal[inside].log() - log[inside])).sum()
        if head.kind == "qr":
            return self._quantile_loss(numbers, values, probs)
        total = torch.zeros((), dtype=torch.float64)
        mine = torch.full_like(numbers, 1 / len(numbers))
        for width in head.bandwidths:
            for (x, p), (y, q), sign in (
                ((numbers, mine), (numbers, mine), 1),
                ((values, probs), (values, probs), 1),
                ((numbers, mine), (values, probs), -2),
            ):
                kernel = torch.exp(-((x[:, None] - y[None]) ** 2) / width)
                total = total + sign * p @ kernel @ q
        return total

    def _quantile_loss(
        self, numbers: torch.Tensor, values: torch.Tensor, probs: torch.Tensor
    ) -> torch.Tensor:
        kappa, total = self.options.head.kappa, torch.zeros((), dtype=torch.float64)
        for i in range(len(numbers)):
            level = (2 * i + 1) / (2 * len(numbers))
            for value, prob in zip(values, probs, strict=True):
                u = value - numbers[i]
                near = bool(u.detach().abs() <= kappa)
                huber = 0.5 * u**2 if near else kappa * (u.abs() - 0.5 * kappa)
                total = total + prob * abs(level - float(u.detach() < 0)) * huber
        return total

    def project(self, values: np.ndarray, probs: np.ndarray) -> np.ndarray:
        """Algorithm 1 of Bellemare et al. (2017), atom by atom."""
        support = self.support()
        width, goal = support[1] - support[0], np.zeros(len(support))
        for value, prob in zip(values, probs, strict=True):
            place = (np.clip(value, support[0], support[-1]) - support[0]) / width
            below = min(int(place), len(support) - 2)
            goal[below] += prob * (below + 1 - place)
            goal[below + 1] += prob * (place - below)
        return goal

    # ------------------------------------------------------------------- update

    def update(self, batch: Batch, epsilon: float, share: Any = None) -> dict[str, Any]:
        """One update; what was seen, and afterwards the weights have moved.

        Args:
          batch: Transitions.
          epsilon: Of the policy that SARSA values.
          share: What each transition counts for besides its importance weight, [B].
        """
        targets = self.targets(batch, epsilon)
        numbers = self.numbers(self.online, batch.observation)
        taken = [numbers[i, int(a)] for i, a in enumerate(batch.action)]
        losses = [self.loss(*pair) for pair in zip(taken, targets, strict=True)]
        weights = np.ones(len(losses)) if batch.weight is None else batch.weight
        weights = weights * (1.0 if share is None else share)
        count = len(losses)
        total = sum(float(w) * it for w, it in zip(weights, losses, strict=True))
        total = total / count + self._conservative(numbers, batch, weights) / count
        self._adam.zero_grad()
        total.backward()
        before = torch.cat([it.grad.flatten() for it in self.online]).clone()
        longest = self.options.agent.gradient_clip
        norm = float(before.norm())
        if longest:
            torch.nn.utils.clip_grad_norm_(self.online, longest)
        self._adam.step()
        with torch.no_grad():
            for slow, fast in zip(self.target, self.online, strict=True):
                tau = self.options.target_network.tau
                slow.copy_((1 - tau) * slow + tau * fast)
        expected = [float(v @ p) for v, p in targets]
        q = np.array([self.means(it) for it in numbers.detach().numpy()])
        actions = batch.action.astype(int)
        return {
            "loss": float(total.detach()),
            "norm": norm,
            "gradient": before.numpy(),
            "losses": np.array([float(it.detach()) for it in losses]),
            "error": np.array(expected) - q[np.arange(count), actions],
            "q": q,
        }

    def _conservative(self, numbers: torch.Tensor, batch: Batch, weights: Any) -> Any:
        """CQL: log-sum-exp of the values, less the value of the recorded action."""
        scale = self.options.agent.conservative
        if not scale:
            return torch.zeros((), dtype=torch.float64)
        q = numbers.mean(2)
        if self.options.head.kind == "c51":
            q = numbers.softmax(2) @ torch.from_numpy(self.support())
        taken = q[range(len(q)), batch.action]
        return (
            scale * (torch.from_numpy(weights) * (q.exp().sum(1).log() - taken)).sum()
        )


PARAMETERS = ("weight", "bias")
