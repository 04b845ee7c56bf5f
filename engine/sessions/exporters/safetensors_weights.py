"""The weights of a checkpoint by name, as safetensors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.contract.arrays import network_arrays
from engine.sessions.problems import SessionProblem
from engine.sessions.source import NEWEST, SessionSource

FORMAT = "rllab-weights 1"


def write_weights(
    source: SessionSource, path: Path, arguments: Mapping[str, Any]
) -> None:
    """``online/<parameter>`` and ``target/<parameter>``, with where they are from.

    ``arguments`` may name the step of a ``checkpoint``. What is said about them is
    JSON under the one name ``rllab``: several would be written in any order.
    """
    from safetensors.numpy import save

    checkpoint = source.checkpoint(int(arguments.get("checkpoint", NEWEST)))
    tensors = network_arrays(checkpoint.arrays)
    if not tensors:
        raise SessionProblem(
            f"The checkpoint of step {checkpoint.step:,} holds no network. Choose "
            "another one."
        )
    plain = {name: np.ascontiguousarray(it) for name, it in sorted(tensors.items())}
    about = json.dumps(provenance(source, checkpoint.step), sort_keys=True)
    path.write_bytes(save(plain, metadata={"rllab": about}))


def provenance(source: SessionSource, step: int) -> dict[str, Any]:
    """Where weights are from, in words that name no person, folder or machine."""
    text = source.configuration()
    parts = json.loads(text)
    agent = {
        name: parts[name]
        for name in ("agent", "network", "head", "exploration")
        if name in parts
    }
    canonical = json.dumps(agent, sort_keys=True)
    return {
        "format": FORMAT,
        "environment": source.card()["id"],
        "step": step,
        "session": source.summary()["uuid"],
        "agent_sha256": hashlib.sha256(canonical.encode()).hexdigest(),
    }
