"""Which environments the tests try that hold for all of them."""

from engine.environments import registered
from engine.environments.catalogue import PACKAGES


def suitable_ids() -> list[str]:
    """Every suitable one; of the hundred Atari games, one emulator, a few."""
    few = set(PACKAGES["ALE"].ids)
    ids = [row.id for row in registered() if row.suits]
    return [id for id in ids if not id.startswith("ALE/") or id in few]
