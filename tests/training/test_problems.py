"""Environments that misbehave, and learning that diverges: caught in that step."""

import math

import numpy as np
import pytest
import torch

from engine.contract.codec import decode, encode
from engine.contract.options import ConfigurationError
from engine.training import TrainingProblem, known_problem


def misbehaving(make, fault, **options):
    return make(
        environment__id="RLLabTest/Misbehaving-v0",
        environment__kwargs={"fault": fault},
        **options,
    )


FAULTS = {
    "step": "failed in step.*ZeroDivisionError: division by zero",
    "reward nan": "reward of nan",
    "reward inf": "reward of inf",
    "observation nan": "NaN or an infinite number",
    "observation inf": "NaN or an infinite number",
    "observation shape": r"shape is \(3,\), announced was \(2,\)",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_ends_the_run_in_the_step_it_appears(make, fault):
    loop = misbehaving(make, fault)
    with pytest.raises(TrainingProblem, match=FAULTS[fault]) as raised:
        loop.advance()
    assert loop.step == 11
    assert len(loop.agent.memory) == 11
    problem = raised.value.problem
    assert problem.what
    assert problem.why
    assert problem.fix
    assert decode(encode(problem)) == problem


def test_nothing_of_a_bad_observation_is_stored_or_learned(make):
    loop = misbehaving(make, "observation nan", agent__learning_starts=0)
    with pytest.raises(TrainingProblem):
        loop.advance()
    assert np.isfinite(loop.agent.memory.streams.observation).all()
    assert all(np.isfinite(it).all() for it in loop.weights().values())
    assert np.isfinite(loop.drain().replay["observation"]).all()


def test_a_reset_that_fails_is_a_problem_as_well(make):
    with pytest.raises(TrainingProblem, match=r"failed in reset.*simulator is gone"):
        misbehaving(make, "reset")


def test_the_traceback_is_in_the_details_and_not_in_the_sentence(make):
    loop = misbehaving(make, "step")
    with pytest.raises(TrainingProblem) as raised:
        loop.advance()
    assert "tiny_worlds.py" in raised.value.problem.details
    assert "Traceback" not in str(raised.value)


@pytest.mark.parametrize("fault", ["none", "observation huge"])
def test_finite_numbers_are_no_problem_however_large(make, fault):
    loop = misbehaving(make, fault, agent__learning_starts=1000)
    loop.advance(steps=60)
    assert loop.step == 60


def test_a_loss_that_is_not_finite_ends_the_run_with_the_last_good_weights(make):
    loop = make()
    loop.advance(steps=100)
    before, updates = loop.weights(), loop.update
    loop.agent.memory.streams.reward[:] = math.inf
    with pytest.raises(
        TrainingProblem, match=f"loss of update {updates + 1}"
    ) as raised:
        loop.advance(steps=1)
    assert "agent.learning_rate" in raised.value.problem.fix
    after = loop.weights()
    assert all(np.array_equal(before[k], after[k]) for k in after)


def test_a_weight_that_is_not_finite_ends_the_run_in_the_update_that_made_it(make):
    loop = make()
    loop.advance(steps=100)
    learner, updates = loop.agent.learner, loop.update
    step = learner.optimizer.step

    def overflows(rate):
        step(rate)
        learner.values[3] = -math.inf

    learner.optimizer.step = overflows
    with pytest.raises(TrainingProblem, match=f"weight of update {updates + 1} is not"):
        loop.advance(steps=1)
    assert loop.step == 101


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate 37.3 GiB for an array"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB."),
    ],
)
def test_memory_that_is_used_up_is_a_sentence_with_a_way_on(error):
    problem = known_problem(error, "cpu", 0)
    assert "memory of the computer is used up: the run cannot begin" in problem.what
    assert "agent.batch_size" in problem.fix
    on_gpu = known_problem(error, "cuda", 1234)
    assert "memory of the GPU is used up at step 1,234" in on_gpu.what
    assert "training.device=cpu" in on_gpu.fix


def test_an_error_that_was_not_foreseen_is_none_of_these():
    assert known_problem(RuntimeError("shapes differ"), "cpu", 0) is None


def test_what_was_measured_before_a_problem_can_still_be_drained(make):
    loop = misbehaving(make, "step", agent__learning_starts=0)
    with pytest.raises(TrainingProblem):
        loop.advance()
    assert len(loop.drain().replay["slot"]) == 11


def test_a_memory_too_short_for_its_stacks_is_refused_before_anything_starts(make):
    with pytest.raises(ConfigurationError, match="too short for its frame stacks"):
        make(
            training__environments=50,
            environment__frame_stack=8,
            replay__capacity=300,
        )
