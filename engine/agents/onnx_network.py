"""A Q-network as ONNX, checked against the original on random inputs.

Inputs: ``observations`` [B, ...] as the environment delivers them after the lab's
preprocessing, frame stack included. Output: ``q`` [B, A], the expected return of each
action, the mean over the members of an ensemble. A recurrent network also takes
``memory`` [B, W] (zeros where an episode begins) and ``previous_action`` int64 [B]
(-1 for none), and gives ``memory_after`` for the next step.
"""

from __future__ import annotations

import importlib.util
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from engine.agents.value_based import ValueBasedAgent
from engine.contract.catalogue import EnvironmentCard
from engine.networks import QNetwork, Recall, ReturnModel
from engine.networks.returns import return_model

BATCHES = (1, 7)
"""So many random observations at once it is compared on."""

TOLERANCE = 1e-4
"""In units of the largest Q-value, which counts at least 1."""

Inputs = dict[str, np.ndarray]


class OnnxProblem(ValueError):
    """The network cannot be exported; the sentence says why."""


class OnnxNetwork(NamedTuple):
    """What was exported.

    Attributes:
      data: The model file.
      inputs, outputs: Name and shape of each, in words.
      difference: Largest difference of a Q-value from the original's.
      checked_by: What ran the exported one.
    """

    data: bytes
    inputs: str
    outputs: str
    difference: float
    checked_by: str


class _Plain(nn.Module):
    def __init__(self, network: QNetwork, model: ReturnModel | None) -> None:
        super().__init__()
        self.network, self.model = network, model

    def forward(self, observations: Tensor) -> Tensor:
        return self.expected(self.network(observations))

    def expected(self, numbers: Tensor) -> Tensor:
        """Q-values [B, A], of an ensemble the mean."""
        q = numbers if self.model is None else self.model.mean(numbers)
        return q.mean(0) if q.dim() == 3 else q


class _OneStep(_Plain):
    """One step of a recurrent network."""

    def forward(  # type: ignore[override]
        self,
        observations: Tensor,
        memory: Tensor,
        previous_action: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        if previous_action is None:
            previous_action = memory.new_zeros(memory.shape[0], dtype=torch.int64)
        recall = Recall(memory, previous_action.unsqueeze(1))
        seen = observations.unsqueeze(1)
        features = self.network.features(seen, recall)
        numbers = self.network.numbers(features, seen).squeeze(1)
        assert features.state is not None
        return self.expected(numbers), features.state


def to_onnx(agent: ValueBasedAgent, about: Mapping[str, str]) -> OnnxNetwork:
    """The online network of an agent, without noise.

    Args:
      agent: On the CPU.
      about: Where it is from; becomes part of the file.

    Raises:
      OnnxProblem: If the exporter fails, or what it made computes something else.
    """
    import onnx

    agent.online.silence()
    kind = _Plain if agent.online.recurrent is None else _OneStep
    module = kind(agent.online, return_model(agent.configuration)).eval()
    outputs = ("q", "memory_after")[: 1 if kind is _Plain else 2]
    try:
        model = _exported(module, random_inputs(agent, 2, seed=0), outputs)
        _strip(model)
        onnx.helper.set_model_props(model, dict(about))
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:
        # The exporter raises whatever its many parts raise.
        line = str(error).strip().partition("\n")[0]
        raise OnnxProblem(
            f"This network cannot be exported ({type(error).__name__}: {line})."
        ) from error
    data = model.SerializeToString()
    difference, checked_by = _compare(agent, module, data, outputs)
    names = _shapes(model.graph.input), _shapes(model.graph.output)
    return OnnxNetwork(data, *names, difference, checked_by)


def _exported(module: nn.Module, example: Inputs, outputs: tuple[str, ...]) -> Any:
    batch = torch.export.Dim("batch")
    with _quiet():
        program: Any = torch.onnx.export(
            module,
            tuple(torch.from_numpy(it) for it in example.values()),
            dynamo=True,
            input_names=list(example),
            output_names=list(outputs),
            dynamic_shapes=tuple({0: batch} for _ in example),
            external_data=False,
            verbose=False,
        )
    return program.model_proto


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter talks of its own insides, and of packages that are not needed."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _strip(model: Any) -> None:
    """Leave out what names the lines of source, and with them folders."""
    graph = model.graph
    parts = [model, graph, *graph.node, *graph.initializer, *model.functions]
    parts += [*graph.value_info, *graph.input, *graph.output]
    for function in model.functions:
        parts += function.node
    for part in parts:
        part.doc_string = ""
        del part.metadata_props[:]


def random_inputs(agent: ValueBasedAgent, count: int, seed: int) -> Inputs:
    """Observations within their bounds, and a memory where there is one."""
    random = np.random.default_rng(seed)
    found = {"observations": _observations(agent.card, count, random)}
    recurrent = agent.online.recurrent
    if recurrent is not None:
        memory = random.uniform(-1, 1, (count, recurrent.width))
        found["memory"] = memory.astype(np.float32)
        if recurrent.actions:
            found["previous_action"] = random.integers(-1, agent.card.actions, count)
    return found


def _observations(
    card: EnvironmentCard, count: int, random: np.random.Generator
) -> np.ndarray:
    shape = (count, *card.shape)
    if card.dtype == "uint8":
        top = int(max(card.high, default=255))
        return random.integers(0, top, shape, np.uint8, endpoint=True)
    if len(card.low) != card.shape[-1]:
        return random.normal(size=shape).astype(np.float32)
    low, high = np.clip(card.low, -3, 3), np.clip(card.high, -3, 3)
    return random.uniform(low, np.maximum(low, high), shape).astype(np.float32)


def _compare(
    agent: ValueBasedAgent, module: nn.Module, data: bytes, outputs: tuple[str, ...]
) -> tuple[float, str]:
    run, checked_by = _runner(data)
    worst = 0.0
    for count in BATCHES:
        inputs = random_inputs(agent, count, seed=count)
        with torch.inference_mode():
            wanted = module(*(torch.from_numpy(it) for it in inputs.values()))
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        for found, it in zip(run(list(outputs), inputs), wanted, strict=True):
            original = it.numpy()
            difference = float(np.abs(found - original).max())
            worst = max(worst, difference)
            if not difference <= TOLERANCE * max(1.0, np.abs(original).max()):
                raise OnnxProblem(
                    "The exported network was not written: it differs from the "
                    f"original by {difference:.2g} on random inputs ({checked_by})."
                )
    return worst, checked_by


def _runner(data: bytes) -> tuple[Any, str]:
    """Something that runs a model: onnxruntime, else the reference of ONNX."""
    if importlib.util.find_spec("onnxruntime") is not None:
        import onnxruntime

        session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
        return session.run, "onnxruntime"
    import onnx
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(onnx.load_from_string(data))
    return evaluator.run, "the reference evaluator of ONNX"


def _shapes(values: Any) -> str:
    """``observations float32 [batch, 4]``, with commas."""
    import onnx

    words = []
    for it in values:
        kind = onnx.helper.tensor_dtype_to_np_dtype(it.type.tensor_type.elem_type)
        sizes = it.type.tensor_type.shape.dim
        shape = ", ".join(size.dim_param or str(size.dim_value) for size in sizes)
        words.append(f"{it.name} {kind} [{shape}]")
    return ", ".join(words)
