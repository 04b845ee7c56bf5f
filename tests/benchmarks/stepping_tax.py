"""What it costs the training that somebody steps through an episode meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tests.benchmarks.gui_tax import ROUNDS, SECONDS, SETTLE_S, tax_rows, together
from tests.benchmarks.harness import Result
from tests.benchmarks.key_to_frame import record
from tests.benchmarks.real_lab import Stretch, real_lab

EVERY_S = {"four steps a second": 0.25, "thirty steps a second": 1 / 30}
LIMIT = 0.95
LENGTH = 200


def run() -> Iterator[Result]:
    """In turns nobody looks, and somebody steps; see ``gui_tax``."""
    looked: dict[str, list[Stretch]] = {name: [] for name in EVERY_S}
    with real_lab() as lab:
        kind, number = record(lab, "cartpole-plain-dqn", LENGTH)
        lab.stretch(SETTLE_S)
        alone = [lab.stretch(SECONDS)]
        for _ in range(ROUNDS):
            window = lab.open_window()
            window.do("look_at", kind=kind, episode=number)
            for name, every_s in EVERY_S.items():
                window.do("walk", every_s=every_s)
                looked[name].append(lab.stretch(SECONDS))
            window.leave(keep_training=True)
            alone.append(lab.stretch(SECONDS))
    around = [together(*it) for it in pairwise(alone)]
    for name, measured in looked.items():
        pairs = list(zip(measured, around, strict=True))
        yield from tax_rows(f"stepping, {name}", pairs, LIMIT)
