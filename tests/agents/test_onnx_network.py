"""A network as ONNX computes what the agent computes, also with its memory."""

import numpy as np
import pytest
import torch

from engine.agents import build_agent, onnx_network
from engine.agents.onnx_network import OnnxProblem, random_inputs, to_onnx
from engine.contract.exports import EXPORTS
from engine.contract.options import configuration_from_flat
from engine.environments import describe

pytestmark = pytest.mark.skipif(
    bool(EXPORTS["onnx"].missing), reason=EXPORTS["onnx"].missing or "-"
)


def agent_of(**options):
    flat = {key.replace("__", "."): value for key, value in options.items()}
    configuration = configuration_from_flat({"environment.id": "CartPole-v1", **flat})
    return build_agent(configuration, describe(configuration.environment), seed=3)


def run(data, outputs, inputs):
    from onnx import load_from_string
    from onnx.reference import ReferenceEvaluator

    return ReferenceEvaluator(load_from_string(data)).run(outputs, inputs)


@pytest.mark.long
@pytest.mark.parametrize(
    "options",
    [
        {"head__kind": "c51", "agent__dueling": "mean", "exploration__kind": "noisy"},
        {"exploration__kind": "bootstrapped", "agent__dueling": "max"},
    ],
)
def test_it_gives_the_values_by_which_the_agent_judges(options):
    agent = agent_of(**options)
    found = to_onnx(agent, {"environment": "CartPole-v1"})
    inputs = random_inputs(agent, 5, seed=9)
    (q,) = run(found.data, ["q"], inputs)
    wanted = agent.insight(inputs["observations"])["q"]
    assert np.allclose(q, wanted, atol=1e-4)
    assert found.difference < 1e-4
    assert found.inputs == "observations float32 [batch, 4]"
    assert found.outputs == "q float32 [batch, 2]"
    assert not [it for it in (b".py", b"engine/", b"/home") if it in found.data]


@pytest.mark.long
def test_a_recurrent_network_passes_its_memory_on():
    agent = agent_of(network__recurrent="gru", replay__kind="sequence")
    found = to_onnx(agent, {})
    episode = random_inputs(agent, 6, seed=1)["observations"]
    actions = np.array([-1, 0, 1, 1, 0, 1])
    memory = np.zeros((1, agent.online.recurrent.width), np.float32)
    rows = []
    for seen, previous in zip(episode, actions, strict=True):
        step = {
            "observations": seen[None],
            "memory": memory,
            "previous_action": np.array([previous]),
        }
        q, memory = run(found.data, ["q", "memory_after"], step)
        rows.append(q[0])
    assert np.allclose(rows, agent.insight(episode, actions)["q"], atol=1e-5)


def test_another_network_than_the_original_is_not_written(monkeypatch):
    agent = agent_of()
    with torch.inference_mode():
        wanted = {n: agent.online(torch.ones(n, 4)) for n in onnx_network.BATCHES}

    def run(outputs, inputs):
        right = wanted[len(inputs["observations"])].numpy()
        return [right + (5 if len(right) > 1 else 0)]

    monkeypatch.setattr(onnx_network, "_runner", lambda data: (run, "a test"))
    with pytest.raises(OnnxProblem, match="differs from the original"):
        onnx_network._compare(agent, agent.online, b"", ("q",))
