"""What networks compute, from which weights, and how they are laid out."""

import numpy as np
import pytest
import torch

from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import ConfigurationError, configuration_from_flat
from engine.networks import build_q_network, flatten_parameters

VECTOR = EnvironmentCard("", observation="vector", shape=(3,), actions=4)
IMAGE = EnvironmentCard(
    "", observation="image", shape=(10, 8, 2), dtype="uint8", actions=4
)


def build(card=VECTOR, seed=0, **options):
    flat = {key.replace("__", "."): value for key, value in options.items()}
    return build_q_network(configuration_from_flat(flat), card, seed)


def test_an_mlp_is_what_its_weights_say():
    network = build(network__hidden="5,6", network__activation="tanh")
    x = torch.randn(7, 3)
    first, second = network.torso[1], network.torso[3]
    hidden = torch.tanh(x @ first.weight.T + first.bias)
    hidden = torch.tanh(hidden @ second.weight.T + second.bias)
    expected = hidden @ network.head.weight.T + network.head.bias
    torch.testing.assert_close(network(x), expected)
    torch.testing.assert_close(network.features(x).embedding, hidden)


def test_images_are_scaled_and_their_channels_moved():
    network = build(IMAGE, network__conv="3x4x2", network__hidden="")
    images = torch.randint(0, 256, (2, 10, 8, 2), dtype=torch.uint8)
    convolution = network.torso[1]
    x = images.permute(0, 3, 1, 2).float() / 255
    features = torch.relu(
        torch.nn.functional.conv2d(x, convolution.weight, convolution.bias, stride=2)
    )
    expected = network.head(features.flatten(1))
    torch.testing.assert_close(network(images), expected)


def test_bit_planes_are_not_scaled():
    planes = EnvironmentCard(
        "", observation="image", shape=(10, 8, 2), dtype="uint8", high=(1.0,), actions=4
    )
    bytes_, bits = build(IMAGE), build(planes)
    image = torch.randint(0, 2, (3, 10, 8, 2), dtype=torch.uint8)
    torch.testing.assert_close(bits(image), bytes_(image * 255))


def test_an_mlp_may_look_at_images():
    network = build(IMAGE, network__torso="mlp", network__hidden="")
    image = torch.full((1, 10, 8, 2), 255, dtype=torch.uint8)
    expected = network.head(torch.ones(1, 160))
    torch.testing.assert_close(network(image), expected)


def test_a_kernel_larger_than_the_image_is_refused_with_the_reason():
    with pytest.raises(ConfigurationError, match=r"kernel of 8 .* 4 x 3") as refused:
        build(IMAGE, network__conv="4x3x2,4x8x1")
    assert set(refused.value.complaints) == {"network.conv"}


def test_weights_follow_from_the_seed_alone():
    torch.manual_seed(1)
    first, other = build(seed=5), build(seed=6)
    torch.manual_seed(2)
    again = build(seed=5)
    for a, b in zip(first.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(first.head.weight, other.head.weight)


def test_building_uses_none_of_torchs_global_random_numbers():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    build(seed=5)
    assert torch.equal(torch.rand(1), expected)


def test_flat_parameters_are_the_parameters():
    network = build(network__hidden="5")
    before = [it.detach().clone() for it in network.parameters()]
    values, gradients = flatten_parameters(network)
    for old, parameter in zip(before, network.parameters(), strict=True):
        assert torch.equal(old, parameter)
    values.zero_()
    assert all(not it.any() for it in network.parameters())
    network(torch.ones(1, 3)).sum().backward()
    found = torch.cat([it.grad.flatten() for it in network.parameters()])
    assert torch.equal(found, gradients)
    assert gradients.any()
    assert len(values) == sum(it.numel() for it in before)


def test_numpy_observations_of_each_type_are_understood():
    network = build(network__hidden="")
    whole = torch.from_numpy(np.arange(6, dtype=np.float64).reshape(2, 3))
    torch.testing.assert_close(network(whole), network(whole.float()))


def test_noise_is_the_root_of_torchs_normal_numbers_exactly_rounded():
    network = build(**{"exploration.kind": "noisy"})
    network.join_noise()
    ours, theirs = (torch.Generator().manual_seed(4) for _ in range(2))
    for _ in range(3):
        network.resample(ours)
        drawn = torch.randn(network.noise.shape, generator=theirs)
        exact = torch.copysign(drawn.double().abs().sqrt(), drawn.double())
        assert torch.equal(network.noise, exact.float())
    assert torch.equal(ours.get_state(), theirs.get_state())
