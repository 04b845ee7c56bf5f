"""The replay as tensors against the memory of the host: the same batches."""

import numpy as np
import pytest
import torch

from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import configuration_from_flat
from engine.replay import Memory
from engine.replay.device_memory import DeviceMemory
from engine.replay.device_tree import WIDTH, DeviceTree
from engine.replay.parcel import Field, Parcel
from engine.replay.sum_tree import SumTree

CPU = torch.device("cpu")
VECTOR = EnvironmentCard("", observation="vector", shape=(2,), actions=3)
PIXELS = EnvironmentCard(
    "", observation="image", shape=(3, 3, 4), dtype="uint8", high=(255.0,), actions=3
)
CASES = {
    "uniform": {"replay.kind": "uniform"},
    "prioritized": {},
    "n steps": {"agent.n_step": 3, "agent.n_step_correction": "none"},
    "greedy windows": {"agent.n_step": 4, "agent.n_step_correction": "greedy"},
    "seldom": {"agent.updates_per_step": 0.25},
    "several": {"training.environments": 3},
}


def configured(**options):
    flat = {
        "replay.kind": "prioritized",
        "replay.capacity": 100,
        "agent.batch_size": 16,
    }
    return configuration_from_flat(flat | options)


class Experience:
    """Gives the same steps to memories, with episodes of many lengths."""

    def __init__(self, configuration, card, *memories):
        self.memories, self.streams = memories, configuration.training.environments
        self.rng = np.random.default_rng(5)
        self.frame = card.shape[:-1], card.shape[-1] if card is VECTOR else 1
        self.card = card
        for stream in range(self.streams):
            self.begin(stream)

    def seen(self):
        shape = (*self.frame[0], self.frame[1])
        return (255 * self.rng.random(shape)).astype(self.card.dtype)

    def begin(self, stream):
        frame = self.seen()
        for it in self.memories:
            it.begin(stream, frame)

    def step(self, count):
        for number in range(count * self.streams):
            stream, draw = number % self.streams, self.rng.random(3)
            ends, cut, explored = draw < (0.15, 0.1, 0.3)
            step = int(self.rng.integers(3)), float(draw[0]), bool(ends), bool(cut)
            frame = self.seen()
            for it in self.memories:
                it.append(stream, *step, frame, bool(explored))
            if ends or cut:
                self.begin(stream)


class OnDevice:
    """The tensors of a memory, and the parcel that they are told by."""

    def __init__(self, memory, configuration):
        self.tensors = DeviceMemory(memory, configuration, CPU)
        self.tensors.begin()
        parcel = Parcel(self.tensors.fields)
        block = np.zeros(parcel.size, np.uint8)
        self.arrays = parcel.arrays(block)
        self.mail = parcel.tensors(torch.from_numpy(block))

    def sample(self, beta):
        self.tensors.write(self.arrays, 0.99, beta)
        self.tensors.take(self.mail)
        return self.tensors.batch(self.mail)

    def learned(self, slots, surprise, sound=True):
        self.tensors.learned(
            self.mail, slots, torch.from_numpy(surprise), torch.tensor(sound)
        )


def assert_same_batch(device, host):
    for one, other, name in zip(device, host, host._fields, strict=True):
        if name == "weight" and other is not None:
            assert one.dtype == torch.float32
            np.testing.assert_allclose(one.numpy(), other, rtol=1e-6)
        elif isinstance(other, np.ndarray):
            assert one.numpy().dtype == other.dtype
            np.testing.assert_array_equal(one.numpy(), other, name)


def both(options, card=VECTOR):
    configuration = configured(**options)
    host, lent = (Memory(configuration, card, 7) for _ in range(2))
    experience = Experience(configuration, card, host, lent)
    experience.step(9)
    return configuration, host, lent, experience


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("card", [VECTOR, PIXELS], ids=["vector", "stacked pixels"])
def test_batches_are_those_of_the_host(case, card):
    stacked = {"environment.frame_stack": 4} if card is PIXELS else {}
    configuration, host, lent, experience = both(CASES[case] | stacked, card)
    device, of = OnDevice(lent, configuration), configuration.agent
    rng = np.random.default_rng(1)
    for number in range(60):
        # Sometimes no step between two draws, sometimes more than there is room for.
        experience.step((0, 1, 2, 40)[number % 4 if number % 20 else 3])
        ours = device.sample(0.6)
        theirs = host.sample(of.batch_size, of.discount, 0.6)
        assert_same_batch(ours, theirs)
        surprise = rng.standard_normal(of.batch_size).astype(np.float32)
        host.learned(theirs.slots, surprise)
        device.learned(ours.slots, surprise)
    device.tensors.give_back()
    states = host.state(), lent.state()
    for name in ("raw", "largest"):
        one, other = (it["priorities"][name] for it in states)
        np.testing.assert_array_equal(one, other)
    one, other = (it["streams"]["times_sampled"] for it in states)
    np.testing.assert_array_equal(one, other)
    assert states[0]["generator"] == states[1]["generator"]


def test_the_host_goes_on_where_the_device_stopped():
    configuration, host, lent, experience = both({})
    device = OnDevice(lent, configuration)
    surprise = np.linspace(-1, 1, 16, dtype=np.float32)
    for memory, it in (
        (host, host.sample(16, 0.99, 0.4)),
        (device, device.sample(0.4)),
    ):
        memory.learned(it.slots, surprise)
    device.tensors.give_back()
    device.tensors.let_go()
    experience.step(5)
    slots = [it.sample(16, 0.99, 0.4).slots for it in (host, lent)]
    np.testing.assert_array_equal(*slots)


def test_an_update_that_was_not_sound_changes_no_priority():
    configuration, _, lent, _ = both({})
    device = OnDevice(lent, configuration)
    batch = device.sample(0.4)
    before = [it.clone() for it in device.tensors.state]
    device.learned(batch.slots, np.full(16, np.nan, np.float32), sound=False)
    assert all(map(torch.equal, before, device.tensors.state))


@pytest.mark.parametrize("size", [1, WIDTH, WIDTH + 1, 5000])
def test_the_tree_draws_what_the_tree_of_the_host_draws(size):
    rng = np.random.default_rng(size)
    bases = rng.random(size) * (rng.random(size) < 0.6)
    bases[size // 2] = 1.0
    host, device = SumTree(size), DeviceTree(size, CPU)
    host.fill(bases, 0.5)
    device.fill(torch.from_numpy(bases**0.5))
    for _ in range(50):
        uniform = rng.random(64)
        leaves, probs = host.sample(uniform)
        found = device.sample(torch.from_numpy(uniform))
        np.testing.assert_array_equal(found[0].numpy(), leaves)
        np.testing.assert_allclose(found[1].numpy(), probs, rtol=1e-12)
        slots = rng.integers(0, size, 32)
        changed = rng.random(size)
        host.set(slots, changed[slots], 0.5)
        device.set(torch.from_numpy(slots), torch.from_numpy(changed[slots] ** 0.5))


def test_a_tree_filled_anew_is_the_same_to_the_bit():
    rng = np.random.default_rng(0)
    grown, filled = DeviceTree(9000, CPU), DeviceTree(9000, CPU)
    for _ in range(40):
        slots = torch.from_numpy(rng.permutation(9000)[:700])
        grown.set(slots, torch.from_numpy(rng.random(700)))
    filled.fill(grown.levels[-1][0, :9000].clone())
    assert all(map(torch.equal, grown.levels, filled.levels))


def test_a_rest_behind_the_last_weight_leads_to_a_leaf_with_weight():
    tree = DeviceTree(300, CPU)
    tree.set(torch.tensor([3, 70]), torch.tensor([0.1, 0.2], dtype=torch.float64))
    almost = torch.tensor([0.0, np.nextafter(1.0, 0.0)], dtype=torch.float64)
    assert tree.sample(almost)[0].tolist() == [3, 70]


def test_a_parcel_is_read_as_it_was_written():
    fields = {"flag": Field((3,), "bool"), "number": Field((2, 2), "float64")}
    parcel = Parcel(fields)
    block = np.zeros(parcel.size, np.uint8)
    parcel.arrays(block)["number"][:] = [[1, 2], [3, 4]]
    parcel.arrays(block)["flag"][1] = True
    found = parcel.tensors(torch.from_numpy(block))
    assert found["number"].tolist() == [[1, 2], [3, 4]]
    assert found["flag"].tolist() == [False, True, False]
