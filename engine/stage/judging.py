"""What a network thinks of each step of an episode, in numbers."""

from __future__ import annotations

import numpy as np

from engine.contract.options import Configuration


def split_q(q: np.ndarray, dueling: str) -> tuple[np.ndarray, np.ndarray]:
    """Advantage [n, A] and value head [n] that belong to these Q-values [n, A].

    A dueling network with mean-centred advantages has V = mean_a Q, one centred by
    the maximum V = max_a Q; without dueling A = Q - max_a Q is derived and there is
    no value head (NaN).
    """
    head = q.mean(axis=1) if dueling == "mean" else q.max(axis=1)
    advantage = q - head[:, None]
    if dueling == "none":
        head = np.full(len(q), np.nan, np.float32)
    return advantage, head


def one_step_td_errors(
    configuration: Configuration,
    q: np.ndarray,
    bootstrap_q: np.ndarray,
    actions: np.ndarray,
    rewards: np.ndarray,
    terminations: np.ndarray,
) -> np.ndarray:
    """Target minus estimate of each step, float32 [T]; NaN where a Q-value is.

    The target is the one that the configuration learns from, over one step: the
    discount is 0 after a termination, while a truncated step bootstraps.

    Args:
      configuration: Discount, double, clipped rewards.
      q: Online values of each state, [T+1, A].
      bootstrap_q: Values to bootstrap on (the target network's), [T+1, A].
      actions: int64 [T].
      rewards: As the environment gave them, [T].
      terminations: bool [T].
    """
    import torch

    from engine.equations.value import double_q_target, q_target, td_error

    if configuration.environment.clip_rewards:
        rewards = np.sign(rewards)
    discount = configuration.agent.discount * (1.0 - terminations.astype(np.float64))
    reward, next_discount = (
        torch.tensor(np.asarray(it, np.float32)) for it in (rewards, discount)
    )
    # Behind a termination nothing is bootstrapped; what stands there may be NaN.
    unused = np.concatenate([[False], terminations])[:, None]
    values, bootstrap = (
        torch.tensor(np.where(unused, 0.0, it).astype(np.float32))
        for it in (q, bootstrap_q)
    )
    if configuration.agent.double:
        target = double_q_target(reward, next_discount, values[1:], bootstrap[1:])
    else:
        target = q_target(reward, next_discount, bootstrap[1:])
    taken = torch.tensor(np.asarray(actions, np.int64))
    errors = td_error(torch.tensor(np.array(q[:-1], np.float32)), taken, target)
    return errors.numpy()
