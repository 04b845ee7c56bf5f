"""What the replay memory holds, as histograms for the priorities view."""

from __future__ import annotations

import numpy as np
import torch

from engine.agents import ValueBasedAgent
from engine.agents.schedules import beta as beta_at
from engine.contract.messages import PriorityReport
from engine.equations.prioritization import importance_weights

BINS = 40
_NONE = np.zeros(0)


def priority_report(agent: ValueBasedAgent, step: int) -> PriorityReport:
    """Histograms over all sampleable slots; never changes what is drawn."""
    agent.settle()
    memory, options = agent.memory, agent.configuration.replay
    slots = np.flatnonzero(memory.streams.sampleable)
    edges, counts, mass, weight = _NONE, _NONE, _NONE, _NONE
    beta = beta_at(agent.configuration, step)
    zero = 0
    if options.kind == "prioritized" and len(slots):
        priority = memory.priorities.raw[slots]
        zero = int((priority <= 0).sum())
        probs = memory.priorities.probabilities(slots)
        edges, counts, mass, weight = _priority_bins(priority, probs, beta)
    age_edges, age_counts = _ages(memory.streams.ages(slots))
    return PriorityReport(
        kind=options.kind,
        step=step,
        size=len(memory),
        capacity=memory.capacity,
        alpha=options.alpha,
        beta=beta,
        bin_edges=edges,
        counts=counts,
        zero_count=zero,
        mass=mass,
        weight=weight,
        age_edges=age_edges,
        age_counts=age_counts,
    )


def _priority_bins(
    priority: np.ndarray, probs: np.ndarray, beta: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Edges of log10(priority), and count, probability and mean weight per bin."""
    positive = priority > 0
    logs, probs = np.log10(priority[positive]), probs[positive]
    low, high = logs.min(), max(logs.max(), logs.min() + 1e-6)
    counts, edges = np.histogram(logs, BINS, (low, high))
    mass, _ = np.histogram(logs, edges, weights=probs)
    weights = importance_weights(torch.from_numpy(probs), len(priority), beta).numpy()
    sums, _ = np.histogram(logs, edges, weights=weights)
    mean = np.divide(sums, counts, out=np.zeros(BINS), where=counts > 0)
    return edges, counts.astype(np.float64), mass, mean


def _ages(ages: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if not len(ages):
        return _NONE, _NONE
    counts, edges = np.histogram(ages, BINS, (0, max(1, int(ages.max()) + 1)))
    return edges, counts.astype(np.float64)
