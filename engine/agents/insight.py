"""What a network says about states, as named arrays that views draw from."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from engine.agents.recollection import Recollection
from engine.networks import QNetwork, Recall, ReturnModel
from engine.networks.q_network import Features
from engine.networks.returns import Categorical


def look(
    network: QNetwork,
    model: ReturnModel | None,
    observations: Tensor,
    previous: np.ndarray | None = None,
    recollection: Recollection | None = None,
) -> dict[str, Tensor]:
    """What a network says about observations [n, ...].

    Args:
      network: Without noise.
      model: How its numbers are read; None for a scalar head.
      observations: As the network sees them.
      previous: The action before each; the observations are then one episode.
      recollection: What a recurrent network remembers before: of the one episode, or
        without ``previous`` of n episodes with one observation each. It goes on.

    Returns:
      ``q`` [n, A]; ``advantage`` [n, A], so that ``q = value_head + advantage``, or
      ``q - max q`` without a value head; ``value_head`` [n], NaN without one;
      ``embedding`` [n, H], the last hidden layer. Of a distribution also
      ``return_values`` and ``return_probs`` [n, A, N] and ``preference`` [n, A], by
      which actions are chosen; of an ensemble ``member_q`` [n, K, A]; of a recurrent
      network ``memory`` [n, U].
    """
    features = _features(network, observations, previous, recollection)
    numbers = network.numbers(features, observations)
    found: dict[str, Tensor] = {}
    if features.state is not None:
        numbers = numbers.flatten(0, 1)
        found["memory"] = features.embedding.flatten(0, 1)
    q = numbers if model is None else model.mean(numbers)
    if q.dim() == 3:
        found["member_q"] = q.transpose(0, 1)
        q = q.mean(0)
    head = _value_head(network, model, features, len(q))
    found |= {"q": q, "value_head": head, "embedding": _embedding(network, features, q)}
    plain = q - q.amax(1, keepdim=True)
    found["advantage"] = torch.where(head.isnan()[:, None], plain, q - head[:, None])
    if model is not None:
        values, probs = model.distribution(numbers)
        preference = model.preference(numbers)
        if values.dim() == 4:
            values, probs = values.mean(0), probs.mean(0)
            preference = preference.mean(0)
        found |= {"return_values": values, "return_probs": probs}
        found["preference"] = preference
    return found


def _features(
    network: QNetwork,
    observations: Tensor,
    previous: np.ndarray | None,
    recollection: Recollection | None,
) -> Features:
    if network.recurrent is None:
        return network.features(observations)
    axis = 1 if previous is None else 0
    seen = observations.unsqueeze(axis)
    if recollection is None:
        recollection = Recollection(network, len(seen), observations.device)
    before = recollection.previous if previous is None else previous
    actions = torch.from_numpy(before).to(observations.device).unsqueeze(axis)
    features = network.features(seen, Recall(recollection.state, actions))
    assert features.state is not None
    recollection.state = features.state
    return features


def _value_head(
    network: QNetwork, model: ReturnModel | None, features: Features, count: int
) -> Tensor:
    """Mean of the dueling value stream [n]; NaN where there is none.

    That of C51 consists of logits, which are no return.
    """
    stream = network.value_stream(features)
    if stream is None or isinstance(model, Categorical):
        return torch.full((count,), math.nan, device=features.embedding.device)
    value = stream if stream.dim() == 1 else stream.mean(1)
    return value.view(-1, count).mean(0)


def _embedding(network: QNetwork, features: Features, q: Tensor) -> Tensor:
    """The last hidden layer [n, H]: of the best action, or mean of the members."""
    embedding = features.embedding
    if features.state is not None:
        return embedding.flatten(0, 1)
    if embedding.dim() == 2:
        return embedding
    if network.shape.action_input:
        best = q.argmax(1)[:, None, None].expand(-1, 1, embedding.shape[2])
        return embedding.gather(1, best).squeeze(1)
    return embedding.mean(0)
