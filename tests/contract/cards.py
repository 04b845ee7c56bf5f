"""Cards of two environments, a small vector and a small image."""

from engine.contract.catalogue import EnvironmentCard

VECTOR = EnvironmentCard(id="CartPole-v1", observation="vector", shape=(4,), actions=2)
IMAGE = EnvironmentCard(
    id="MinAtar/Breakout-v1",
    observation="image",
    shape=(10, 10, 8),
    dtype="uint8",
    low=(0.0,),
    high=(1.0,),
    actions=6,
)
