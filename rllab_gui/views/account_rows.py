"""Reports on time and memory as rows of bars, without Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.contract.account import (
    OTHER,
    RECORDING,
    STAGES,
    TELEMETRY,
    WAITING,
)
from engine.contract.costs import size_text
from engine.contract.memory_costs import FILE, PARTS
from engine.contract.messages import MemoryReport, TimeReport
from rllab_gui.plots.numbers import count, short
from rllab_gui.plots.parts import Group, Row

LEAST_SHARE = 0.0005
"""Stages below it are not shown: they would be rows of zeros."""
QUIET = {TELEMETRY: -1, RECORDING: -2, WAITING: -3, OTHER: -3}
"""Stages that are no part of learning have quiet tones."""


def step_us(report: TimeReport) -> float:
    """Microseconds of one environment step, all told."""
    return 1e6 * report.seconds / max(report.steps, 1)


def stage_us(report: TimeReport, stage: str, *, learning: bool = False) -> float:
    """Microseconds of one environment step that go into a stage."""
    spent = report.learning if learning else report.acting
    return 1e6 * spent.get(stage, 0.0) / max(report.steps, 1)


def time_text(us: float) -> str:
    """So many microseconds, in their own unit or a larger one."""
    for unit in ("µs", "ms"):
        if us < 999.5:
            return f"{us:.{0 if us >= 99.95 else 1 if us >= 9.995 else 2}f} {unit}"
        us /= 1000
    return f"{us:.3g} s"


def rate_text(rate: float) -> str:
    """So many steps per second."""
    return f"{count(rate) if rate >= 10 else short(rate, 2)} steps/s"


def time_groups(report: TimeReport) -> tuple[Group, ...]:
    """The stages of a step, by the threads that do them."""
    rate = f"{time_text(step_us(report))} per step, {rate_text(_rate(report))}"
    if not report.learning:
        return (Group(rate, _stage_rows(report, report.acting)),)
    return (
        Group(f"Acting: {rate}", _stage_rows(report, report.acting)),
        Group("Learning, beside it", _stage_rows(report, report.learning)),
    )


def _rate(report: TimeReport) -> float:
    return report.steps / report.seconds if report.seconds else 0.0


def _stage_rows(report: TimeReport, spent: Mapping[str, float]) -> tuple[Row, ...]:
    rows = []
    for colour, (stage, meaning) in enumerate(STAGES.items()):
        share = spent.get(stage, 0.0) / report.seconds if report.seconds else 0.0
        if share < LEAST_SHARE:
            continue
        us = 1e6 * spent[stage] / max(report.steps, 1)
        tip = f"{stage}: {meaning}."
        if stage in ("sample", "update") and report.updates:
            each = 1e6 * spent[stage] / report.updates
            tip += f" {time_text(each)} for each update."
        number = QUIET.get(stage, colour)
        note = f"{100 * share:.0f} %" if share >= 0.0095 else f"{100 * share:.1f} %"
        rows.append(Row(stage, share, time_text(us), note, tip, number))
    return tuple(rows)


def memory_group(report: MemoryReport, full: Mapping[str, float]) -> Group:
    """What each part takes now, against what it takes at its fullest.

    Args:
      report: What was measured.
      full: The estimate, ``contract.memory_costs.memory_bytes``.
    """
    names = [it for it in PARTS if report.allocated.get(it) or full.get(it)]
    most = {it: max(full.get(it, 0.0), report.allocated.get(it, 0)) for it in names}
    whole = max([*most.values(), 1.0])
    rows = []
    for colour, name in enumerate(names):
        used = report.used.get(name, 0)
        expected = full.get(name, 0.0)
        note = f"of {size_text(most[name])}" if most[name] > 1.005 * used else ""
        tip = f"{name}: {PARTS[name]}. Allocated: {size_text(_of(report, name))}"
        tip += f"; expected at most: {size_text(expected)}." if expected else "."
        row = Row(name, used / whole, size_text(used), note, tip, colour)
        rows.append(_with_outline(row, most[name] / whole))
    in_file = report.used.get(FILE, 0)
    title = f"{size_text(sum(report.used.values()) - in_file)}"
    title += f" + {size_text(in_file)} in a file" if in_file else " of data"
    return Group(title, tuple(rows))


def _with_outline(row: Row, outline: float) -> Row:
    return Row(row.name, row.share, row.value, row.note, row.tip, row.colour, outline)


def _of(report: MemoryReport, name: str) -> int:
    return report.allocated.get(name, 0)


def memory_words(report: MemoryReport) -> str:
    """What the process has besides."""
    words = f"Of it {size_text(report.device)} on the GPU. " if report.device else ""
    if report.process:
        words += f"The trainer's process has {size_text(report.process)} in all"
        shared = ", with what the system keeps of the file" * (FILE in report.allocated)
        words += f"{shared}."
    return words.strip()


def time_columns(reports: Sequence[TimeReport]) -> dict[str, Any]:
    """All reports as columns, one row for each, for a file."""
    columns: dict[str, Any] = {
        "step": np.array([it.step for it in reports], np.int64),
        "seconds": np.array([it.seconds for it in reports]),
        "steps_per_s": np.array([_rate(it) for it in reports]),
        "updates": np.array([it.updates for it in reports], np.int64),
        "timed_steps": np.array([it.timed for it in reports], np.int64),
    }
    for side in ("acting", "learning"):
        for stage in STAGES:
            if any(stage in getattr(it, side) for it in reports):
                columns[f"{side}_{stage}_us"] = np.array(
                    [stage_us(it, stage, learning=side == "learning") for it in reports]
                )
    return columns


def memory_columns(report: MemoryReport, full: Mapping[str, float]) -> dict[str, Any]:
    """Bytes of each part: used, allocated, and expected at most."""
    return {
        f"{name}_bytes": np.array(
            [report.used.get(name, 0), report.allocated[name], full.get(name, np.nan)]
        )
        for name in PARTS
        if name in report.allocated
    }
