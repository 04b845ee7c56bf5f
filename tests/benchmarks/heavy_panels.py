"""How soon heavy panels follow a pointer that rests, and whether keys wait for them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from engine.contract.catalogue import find_preset
from tests.benchmarks.harness import Result, within
from tests.benchmarks.key_to_frame import record
from tests.benchmarks.real_lab import real_lab

RESTS, KEYS = 40, 60
PAUSES = (0.12, 0.2)
BUDGET_S, KEY_BUDGET_S = 0.3, 0.05
PANELS = {
    "cartpole": ("stepBellman", "stepSaliency", "stepNeighbours", "stepSlice"),
    "minatar-breakout": ("stepBellman", "stepSaliency", "stepNeighbours"),
}
LENGTHS = {"cartpole": 200, "minatar-breakout": 20}
"""How long the looked-at episode has to be at least."""


def run() -> Iterator[Result]:
    """Panel by panel, while training goes on: rests, and keys that interrupt it."""
    for preset, panels in PANELS.items():
        needs = find_preset(preset).needs
        if needs and not find_spec(needs):
            yield Result(f"heavy panels, {preset}", "ms", skipped=f"needs {needs}")
            continue
        with real_lab() as lab:
            kind, number = record(lab, preset, LENGTHS[preset])
            window = lab.open_window()
            window.do("marks", wanted=["picture"])
            window.do("look_at", kind=kind, episode=number)
            for panel in panels:
                refused = window.do("panel", view_id=panel)
                if refused:
                    yield Result(f"{panel}, {preset}", "ms", skipped=refused)
                    continue
                before = lab.cpu()
                times = window.do("rest_anywhere", rests=RESTS)
                cost = _cost(before, lab.cpu())
                yield within(f"rest to {panel}, {preset}", times, BUDGET_S, cost, p=95)
                # Each key comes while the panel is being worked out.
                keys = window.do("press_right", keys=KEYS, pauses=PAUSES)["times"]
                name = f"key to frame beside {panel}, {preset}"
                yield within(name, keys, KEY_BUDGET_S, p=95)
            window.leave(keep_training=False)


def _cost(before: dict[str, float], after: dict[str, float]) -> str:
    """What a rest and the scrub before it took, whoever else used the machine."""
    each = {
        role: 1000 * (after[role] - before.get(role, 0.0)) / RESTS
        for role in ("stage", "window")
        if role in after
    }
    words = ", ".join(f"{role} {it:.0f} ms" for role, it in each.items())
    return f"processor time per rest, scrub included: {words}"
