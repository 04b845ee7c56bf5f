"""P9: a session file is damaged; nothing of it is shown before that is noticed."""

import random
from collections.abc import Callable
from pathlib import Path

import session_samples as samples
from trials import Trials

from engine.sessions import LiveStore, SessionFile, SessionProblem

Damage = Callable[[bytearray, random.Random], None]


def flip_bit(data: bytearray, chance: random.Random) -> None:
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def zero_page(data: bytearray, chance: random.Random) -> None:
    pages = [at for at in range(0, len(data), 4096) if any(data[at : at + 4096])]
    at = chance.choice(pages)
    data[at : at + 4096] = bytes(len(data[at : at + 4096]))


def cut_off(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def random_bytes(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data) - 16)
    before = bytes(data[at : at + 16])
    while bytes(data[at : at + 16]) == before:
        data[at : at + 16] = chance.randbytes(16)


def grow(data: bytearray, chance: random.Random) -> None:
    data += chance.randbytes(chance.randrange(1, 100))


KINDS: dict[str, Damage] = {
    "bit flip": flip_bit,
    "zero page": zero_page,
    "cut off": cut_off,
    "random bytes": random_bytes,
    "appended": grow,
}


def run(folder: Path, count: int, seed: int = 0) -> Trials:
    """Each kind of damage, ``count`` times."""
    result = Trials("P9", f"{len(KINDS)} kinds of damage to a session file")
    path = folder / "whole.h5"
    with LiveStore.create(path, samples.configuration(), samples.CARD) as store:
        samples.run(store)
        store.close(fold=True)
    whole = path.read_bytes()
    with SessionFile.open(path) as file:
        assert file.verify() == []
    chance = random.Random(seed)
    for name, damage in KINDS.items():
        for index in range(count):
            result.trial(f"{name} {index}", _one, folder, whole, damage, chance)
    return result


def _one(folder: Path, whole: bytes, damage: Damage, chance: random.Random) -> None:
    data = bytearray(whole)
    damage(data, chance)
    damaged = folder / "damaged.h5"
    damaged.write_bytes(data)
    for verify in (True, False):
        try:
            with SessionFile.open(damaged, verify=verify) as file:
                assert not verify, "damage was not noticed at opening"
                read_all(file)
        except SessionProblem:
            continue
        assert not verify
        with SessionFile.open(damaged, verify=False) as file:
            assert file.verify(), "damage was not noticed"


def read_all(file: SessionFile) -> None:
    """Everything that is shown of a session is right, or it is refused."""
    for name in file.series():
        file.history(name)
    for number in range(13):
        samples.same_record(file.episode("training", number), samples.record(number))
    for row in file.checkpoints():
        wanted = samples.checkpoint(row.step, row.rows)
        samples.same_checkpoint(file.checkpoint(row.step), wanted)
    samples.same_ring(file.resume_point().replay, samples.ring_after(29))
