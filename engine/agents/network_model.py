"""A model of an environment that is a network.

It reads an observation and an action and predicts by how much the observation
changes, the reward, and how likely the episode terminates.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, one_hot

from engine.agents.models import Steps
from engine.agents.optimizers import Adam
from engine.agents.weights import load_arrays, named_arrays
from engine.contract.arrays import State
from engine.networks import flatten_parameters

ADAM_EPSILON = 1e-8
SMALLEST_SPREAD = 1e-4


class Spread:
    """Running mean and standard deviation of each element (Welford 1962)."""

    def __init__(self, size: int) -> None:
        self.count = 0
        self.mean = np.zeros(size)
        self._squares = np.zeros(size)

    def add(self, row: np.ndarray) -> None:
        """One more, float64 [size]."""
        self.count += 1
        away = row - self.mean
        self.mean += away / self.count
        self._squares += away * (row - self.mean)

    @property
    def width(self) -> np.ndarray:
        """Standard deviation; 1 where there is (almost) none."""
        deviation = np.sqrt(self._squares / max(1, self.count))
        return np.where(deviation > SMALLEST_SPREAD, deviation, 1.0)

    def state(self) -> State:
        """Everything counted."""
        squares = self._squares.copy()
        return {"count": self.count, "mean": self.mean.copy(), "squares": squares}

    def restore(self, state: State) -> None:
        """Inverse of :meth:`state`."""
        self.count = int(state["count"])
        self.mean, self._squares = np.array(state["mean"]), np.array(state["squares"])


class NetworkModel:
    """Predicts what follows an action; learns from real steps.

    What it reads and predicts is measured in standard deviations of the real steps
    so far, so that large and small numbers count alike.

    Args:
      features: Numbers of one observation.
      actions: Number of actions.
      width: Units of each of the two hidden layers.
      seed: Of the weights.
      device: Where the network is.
    """

    def __init__(
        self, features: int, actions: int, width: int, seed: int, device: torch.device
    ) -> None:
        self._actions, self._device = actions, device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._network = nn.Sequential(
                nn.Linear(features + actions, width),
                nn.SiLU(),
                nn.Linear(width, width),
                nn.SiLU(),
                nn.Linear(width, features + 2),
            ).to(device)
        self._values, self._gradients = flatten_parameters(self._network)
        self._optimizer = Adam(self._values, self._gradients, ADAM_EPSILON)
        self._seen, self._moved = Spread(features), Spread(features + 1)

    def observe(self, real: Steps) -> float:
        """One real step: the error of its prediction, before anything is learned.

        The mean squared error of the change of the observation and of the reward,
        in their variances: 0 is perfect, 1 as good as always saying the mean.
        """
        moved = _moves(real)[0]
        guess = self._predict(real.observation, real.action)[0][0]
        width = self._moved.width
        error = float((((moved - guess) / width) ** 2).mean())
        self._seen.add(real.observation[0].astype(np.float64))
        self._moved.add(moved)
        return error

    def learn(self, real: Steps, learning_rate: float) -> None:
        """One gradient step on real steps."""
        aim = (_moves(real) - self._moved.mean) / self._moved.width
        with torch.inference_mode(False), torch.enable_grad():
            said = self._network(self._inputs(real.observation, real.action))
            ends = binary_cross_entropy_with_logits(
                said[:, -1], self._tensor(real.ends)
            )
            loss = (said[:, :-1] - self._tensor(aim)).square().mean() + ends
            self._gradients.zero_()
            loss.backward()
        self._optimizer.step(learning_rate)

    def imagine(self, observation: np.ndarray, action: np.ndarray) -> Steps:
        """What would follow these actions, [B]."""
        moved, ends = self._predict(observation, action)
        return Steps(
            observation,
            action,
            moved[:, -1].astype(np.float32),
            ends.astype(np.float32),
            (observation + moved[:, :-1]).astype(np.float32),
        )

    @torch.no_grad()
    def _predict(
        self, observation: np.ndarray, action: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Change and reward, float64 [B, F + 1], and how likely it ends, [B]."""
        said = self._network(self._inputs(observation, action))
        ends = said[:, -1].sigmoid().cpu().numpy()
        moved = said[:, :-1].cpu().numpy() * self._moved.width + self._moved.mean
        return moved, ends

    def _inputs(self, observation: np.ndarray, action: np.ndarray) -> Tensor:
        scaled = (observation - self._seen.mean) / self._seen.width
        actions = one_hot(torch.from_numpy(action), self._actions)
        return torch.cat([self._tensor(scaled), actions.to(self._device)], 1)

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array.astype(np.float32)).to(self._device)

    def state(self) -> State:
        """Weights, optimizer, and what the numbers are measured in."""
        return {
            "weights": named_arrays(self._network, self._values),
            "optimizer": self._optimizer.state(),
            "seen": self._seen.state(),
            "moved": self._moved.state(),
        }

    def restore(self, state: State) -> None:
        """Inverse of :meth:`state`; raises ValueError if it is of another form."""
        load_arrays(self._network, state["weights"], "")
        self._optimizer.restore(state["optimizer"])
        self._seen.restore(state["seen"])
        self._moved.restore(state["moved"])


def _moves(real: Steps) -> np.ndarray:
    """Change of the observation and reward, float64 [B, F + 1]."""
    change = real.next_observation.astype(np.float64) - real.observation
    return np.concatenate([change, real.reward.astype(np.float64)[:, None]], 1)
