"""From the start of the process to a moving agent, and to its first Q-values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.benchmarks.harness import Result, percentile, within
from tests.benchmarks.real_lab import RealLab, real_lab

ROUNDS = 5
BUDGETS_S = {"moving": 2.0, "q": 4.0}
WORDS = {"moving": "agent moves", "q": "Q-values"}


@dataclass(frozen=True)
class Start:
    """One start.

    Attributes:
      at_s: Seconds after the birth of the window's process.
      window_cpu_s: What the window's process had used up by then.
      cpu_s: What all processes together had used up by then.
      told_ms: What the window itself says (``startupMs``, ``firstFrameMs``).
    """

    at_s: dict[str, float]
    window_cpu_s: dict[str, float]
    cpu_s: dict[str, float]
    told_ms: dict[str, float]


def run() -> Iterator[Result]:
    """Cold: the engine has to be started too. Warm: it lives, a window attaches."""
    cold = []
    for _ in range(ROUNDS):
        with real_lab() as lab:
            cold.append(_start(lab))
    yield from _rows("start, cold", cold)
    with real_lab() as lab:
        lab.wait_until_ready("trainer")
        warm = [_start(lab) for _ in range(ROUNDS)]
    yield from _rows("start, engine lives", warm)


def _start(lab: RealLab) -> Start:
    before = sum(lab.cpu().values())
    window = lab.open_window()
    cpu = {}
    for what in BUDGETS_S:
        marks = window.do("marks", wanted=[what])
        cpu[what] = sum(lab.cpu().values()) - before
    at = {what: it - window.began for what, it in marks["at"].items()}
    told = {what: it for what, it in marks["told"].items() if it is not None}
    window.leave(keep_training=False)
    return Start(at, marks["cpu"], cpu, told)


def _rows(name: str, starts: list[Start]) -> Iterator[Result]:
    for what, budget in BUDGETS_S.items():
        times = [it.at_s[what] for it in starts]
        spent = percentile([it.cpu_s[what] for it in starts], 50)
        note = f"processor time until then, all processes: {spent:.2f} s; window: "
        note += ", ".join(
            f"{mark} {percentile([it.window_cpu_s[mark] for it in starts], 50):.2f} s"
            for mark in starts[0].window_cpu_s
        )
        told = ", ".join(
            f"{it} {percentile([start.told_ms[it] for start in starts], 50):,.0f}"
            for it in starts[0].told_ms
        )
        yield within(
            f"{name}: {WORDS[what]}", times, budget, note, *filter(None, [told])
        )
