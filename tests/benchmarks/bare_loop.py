"""DQN on CartPole as the shortest loop around one compiled function."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import gymnasium
import numpy as np
import torch
from torch import Tensor

BATCH, HIDDEN, CAPACITY, DISCOUNT = 64, 64, 50_000, 0.99
PERIOD, EPSILON, RATE = 500, 0.05, 1e-3


class BareLoop:
    """Nothing but acting, storing, sampling and updating; nothing is measured."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self._env: Any = gymnasium.make("CartPole-v1")
        self._seen = self._env.reset(seed=0)[0]
        self._online, self._target = _parameters(), _parameters()
        self._moments = [torch.zeros_like(it) for it in self._online * 2]
        self._power = torch.ones(2)
        self._update = torch.compile(_update)
        self._rng = np.random.default_rng(0)
        self._columns = [
            np.zeros((CAPACITY, 4), np.float32),
            np.zeros(CAPACITY, np.int64),
            np.zeros(CAPACITY, np.float32),
            np.zeros(CAPACITY, np.float32),
            np.zeros((CAPACITY, 4), np.float32),
        ]
        self._steps = 0

    def advance(self, count: int) -> None:
        """So many steps with an update each, but for the first hundred."""
        for _ in range(count):
            self._step()
            if self._steps > 100:
                slots = self._rng.integers(0, min(self._steps, CAPACITY), BATCH)
                batch = [torch.from_numpy(it[slots]) for it in self._columns]
                state = self._online, self._target, self._moments, self._power
                self._update(*state, *batch)
            if self._steps % PERIOD == 0:
                for mine, other in zip(self._target, self._online, strict=True):
                    mine.copy_(other)

    def _step(self) -> None:
        if self._rng.random() < EPSILON:
            action = int(self._rng.integers(2))
        else:
            with torch.inference_mode():
                seen = torch.from_numpy(self._seen)
                action = int(_values(self._online, seen).argmax())
        after, reward, terminated, truncated, _ = self._env.step(action)
        row = (self._seen, action, reward, 1.0 - terminated, after)
        for column, value in zip(self._columns, row, strict=True):
            column[self._steps % CAPACITY] = value
        self._steps += 1
        self._seen = self._env.reset()[0] if terminated or truncated else after


def _parameters() -> list[Tensor]:
    widths = (4, HIDDEN, HIDDEN, 2)
    found = []
    for inputs, outputs in pairwise(widths):
        bound = inputs**-0.5
        found.append(torch.empty(outputs, inputs).uniform_(-bound, bound))
        found.append(torch.empty(outputs).uniform_(-bound, bound))
    return found


def _values(parameters: list[Tensor], seen: Tensor) -> Tensor:
    first, first_bias, second, second_bias, head, head_bias = parameters
    hidden = torch.relu(torch.nn.functional.linear(seen, first, first_bias))
    hidden = torch.relu(torch.nn.functional.linear(hidden, second, second_bias))
    return torch.nn.functional.linear(hidden, head, head_bias)


def _update(
    online: list[Tensor],
    target: list[Tensor],
    moments: list[Tensor],
    power: Tensor,
    seen: Tensor,
    action: Tensor,
    reward: Tensor,
    alive: Tensor,
    after: Tensor,
) -> None:
    """Loss, gradient, clipping and Adam, in place."""
    goal = reward + DISCOUNT * alive * _values(target, after).amax(1)

    def loss(parameters: list[Tensor]) -> Tensor:
        value = _values(parameters, seen).gather(1, action[:, None]).squeeze(1)
        return torch.nn.functional.smooth_l1_loss(value, goal)

    gradients = torch.func.grad(loss)(online)
    norm = torch.stack([it.square().sum() for it in gradients]).sum().sqrt()
    scale = (10.0 / norm).clamp(max=1.0)
    power.mul_(torch.tensor([0.9, 0.999]))
    step = RATE * (1 - power[1]).sqrt() / (1 - power[0])
    half = len(online)
    means, squares = moments[:half], moments[half:]
    for it in zip(online, gradients, means, squares, strict=True):
        values, gradient, mean, square = it
        scaled = gradient * scale
        mean.lerp_(scaled, 0.1)
        square.mul_(0.999).addcmul_(scaled, scaled, value=0.001)
        values.sub_(step * mean / (square.sqrt() + 1e-8))
