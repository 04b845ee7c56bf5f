"""From the click on Train to *starting*, and to the first point of the curve."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.harness import Result, within
from tests.benchmarks.real_lab import real_lab

ROUNDS = 5
STARTING_S, POINT_S = 0.15, 2.0


def run() -> Iterator[Result]:
    """A prepared lab first; then clicks in the very moment that the agent is seen."""
    prepared, at_once = [], []
    with real_lab() as lab:
        lab.wait_until_ready("trainer", "stage", "keeper")
        window = lab.open_window()
        window.do("marks", wanted=["q"])
        window.do("wait_for_trainer")
        for _ in range(ROUNDS):
            prepared.append(window.do("click_train"))
            window.do("stop")
        window.leave(keep_training=False)
    yield from _rows("Train", prepared)
    for _ in range(ROUNDS):
        with real_lab() as lab:
            window = lab.open_window()
            window.do("marks", wanted=["picture"])
            at_once.append(window.do("click_train"))
            window.do("stop")
            window.leave(keep_training=False)
    points = [it["point"] for it in at_once]
    yield within(
        "Train while the learner loads: first point",
        points,
        Q_BUDGET_S,
        "no budget of its own: that of the first Q-values of a cold start",
    )


Q_BUDGET_S = 4.0


def _rows(name: str, clicks: list[dict[str, float]]) -> Iterator[Result]:
    yield within(f"{name}: starting", [it["starting"] for it in clicks], STARTING_S)
    said = [
        f"{what} {sorted(it[what] for it in clicks)[len(clicks) // 2]:.3f} s"
        for what in clicks[0]
        if all(what in it for it in clicks)
    ]
    points = [it["point"] for it in clicks]
    yield within(f"{name}: first point", points, POINT_S, "medians: " + ", ".join(said))
