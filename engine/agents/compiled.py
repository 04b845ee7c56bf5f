"""The compiled form of an update, and by what it is known.

The graph of ``agents.graph`` becomes a library that is called in the place of it: the
same algorithm, with sums in another order. It is made by another process (see
``agents.compiling``), so that whoever trains goes on meanwhile.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from engine.agents.graph import (
    CHOICES,
    Dials,
    Outputs,
)
from engine.agents.reports import CannotCompile
from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import Configuration, specs

if TYPE_CHECKING:
    from engine.replay import Batch

ENDING = ".pt2"
_SOURCES = ("agents", "equations", "networks", "replay")


def why_not(configuration: Configuration) -> str:
    """Why such an update is not compiled, as a sentence; empty where it can be.

    It is for the processor; on a GPU see ``agents.captured``.
    """
    if configuration.replay.kind == "sequence":
        return (
            "Updates from pieces of episodes are not compiled: they stay as they are."
        )
    if configuration.replay.kind == "none":
        return "Without replay no two updates have the same shape: none is compiled."
    if configuration.planning.kind != "none":
        return "Planning learns from batches of two forms: updates stay as they are."
    if configuration.training.precision == "bf16":
        return "In bf16 both forms would differ too much: updates stay as written."
    if configuration.training.mode != "alternate":
        return (
            "Beside a learner whose updates are compiled nobody could act: where both "
            "run side by side, updates stay as they are."
        )
    return ""


def choices(configuration: Configuration) -> dict[str, Any]:
    """The options that the graph of an update depends on, with their values."""
    return {key: configuration.get(key) for key in specs() if _counts(key)}


def _counts(key: str) -> bool:
    return any(key == it or (it[-1] == "." and key.startswith(it)) for it in CHOICES)


def fingerprint(configuration: Configuration, card: EnvironmentCard) -> str:
    """Equal for updates that the same library can make, on this machine."""
    shape = [card.observation, card.shape, card.dtype, card.high, card.actions]
    capability = torch.backends.cpu.get_cpu_capability()
    # A home may be shared by computers whose processors know other instructions.
    machine = [torch.__version__, platform.machine(), platform.node(), capability]
    told = json.dumps([choices(configuration), shape, machine], sort_keys=True)
    return hashlib.sha256(told.encode() + _sources()).hexdigest()[:32]


@cache
def _sources() -> bytes:
    """Equal where the same lines would be recorded."""
    digest, engine = hashlib.sha256(), Path(__file__).parent.parent
    for path in sorted(it for room in _SOURCES for it in (engine / room).glob("*.py")):
        digest.update(path.read_bytes())
    return digest.digest()


class CompiledUpdate:
    """A library that makes the updates of a learner, or of several as one.

    Args:
      library: What ``agents.compiling`` has written.
      configuration: What it was made for.
      state: ``graph.state_tensors``, which it moves in place.
      worked: To be called once the first update has been made.

    Raises:
      CannotCompile: If the file is no such library.
    """

    def __init__(
        self,
        library: Path,
        configuration: Configuration,
        state: Sequence[Tensor],
        worked: Callable[[], None] | None = None,
    ) -> None:
        self._worked = worked
        self._choices = choices(configuration)
        self._count = configuration.agent.batch_size
        self._state = [it.detach() for it in state]
        self._dials = np.zeros(len(Dials._fields), np.float32)
        self._dials_tensor = torch.from_numpy(self._dials)
        try:
            # The public loader would import the compiler, which takes seconds.
            loader = torch._C._aoti.AOTIModelPackageLoader  # noqa: SLF001
            self._run = loader(str(library), "model", False, 1, -1).run
        except (AttributeError, RuntimeError, OSError) as error:
            raise CannotCompile(
                f"The compiled update cannot be loaded: {error}"
            ) from error

    def suits(self, configuration: Configuration) -> bool:
        """Whether it still does what these options ask for."""
        return choices(configuration) == self._choices

    def takes(self, batch: Batch) -> bool:
        """Whether the batch is as large as those it was made for."""
        return len(batch.action) == self._count and batch.sequences is None

    def __call__(self, arrays: Sequence[np.ndarray], dials: Dials) -> Outputs:
        """Make an update on ``graph.batch_arrays``: the tensors are moved in place."""
        self._dials[:] = dials
        tensors = [torch.from_numpy(np.ascontiguousarray(it)) for it in arrays]
        found = Outputs(*self._run([*self._state, *tensors, self._dials_tensor]))
        if self._worked is not None:
            self._worked()
            self._worked = None
        return found
