"""Random generators: from seeds, and as part of a state."""

from __future__ import annotations

import numpy as np

from engine.contract.arrays import State


def generator(seed: int, *purpose: int) -> np.random.Generator:
    """A generator for one purpose of a run; other purposes are independent of it."""
    sequence = np.random.SeedSequence(seed, spawn_key=purpose)
    return np.random.Generator(np.random.PCG64(sequence))


def derived_seed(seed: int, *purpose: int) -> int:
    """A seed from 2³⁰ to 2³¹ - 1 for one purpose, for example for one episode."""
    sequence = np.random.SeedSequence(seed, spawn_key=purpose)
    return int(sequence.generate_state(1)[0]) % 2**30 + 2**30


def generator_state(rng: np.random.Generator) -> State:
    """Where a PCG64 generator stands; its 128-bit numbers are hexadecimal text."""
    state = rng.bit_generator.state
    return {
        "state": hex(state["state"]["state"]),
        "increment": hex(state["state"]["inc"]),
        "has_half": int(state["has_uint32"]),
        "half": int(state["uinteger"]),
    }


def restore_generator(rng: np.random.Generator, state: State) -> None:
    """Inverse of :func:`generator_state`."""
    rng.bit_generator.state = {
        "bit_generator": "PCG64",
        "state": {
            "state": int(state["state"], 16),
            "inc": int(state["increment"], 16),
        },
        "has_uint32": int(state["has_half"]),
        "uinteger": int(state["half"]),
    }
