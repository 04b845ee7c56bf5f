"""What can be done about the time of a step: only what was measured is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.contract.account import (
    ACT,
    COMPILED,
    ENVIRONMENT,
    RECORDING,
    SAMPLE,
    TELEMETRY,
    UPDATE,
    WAITING,
)
from engine.contract.costs import size_text
from engine.contract.messages import TimeReport
from engine.contract.options import Configuration, spec
from rllab_gui.plots.numbers import short
from rllab_gui.views.account_rows import rate_text, stage_us, step_us, time_text

MOST = 0.5
MUCH = 0.25
NOTICED = 0.1
"""Shares of the time from which on something is worth a sentence."""
ENVIRONMENTS = 8
"""Parallel environments that are spoken of."""
SLOW_US = 1000.0
"""Steps of an environment from which on other processes may be worth their way."""
SAME = 0.1
"""Times that differ by less than this share count as equal."""


@dataclass(frozen=True, slots=True)
class Speed:
    """What one update and one choice of actions took on a device, in seconds."""

    device: str
    batch_size: int
    update_s: float
    act_s: float


def advice(
    report: TimeReport, configuration: Configuration, speeds: Sequence[Speed] = ()
) -> list[str]:
    """Sentences with the numbers of this run, the most important first."""
    found = _of_threads(report) if report.learning else _of_turns(report, configuration)
    found += [_recording(report, configuration), *_telemetry(report)]
    found += of_speeds(speeds, compiled=COMPILED in report.notes)
    return [it for it in found if it]


def _share(report: TimeReport, *stages: str, learning: bool = False) -> float:
    spent = report.learning if learning else report.acting
    return sum(spent.get(it, 0.0) for it in stages) / max(report.seconds, 1e-9)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _how_much(report: TimeReport, *stages: str) -> str:
    us = sum(stage_us(report, it) for it in stages)
    share = _percent(_share(report, *stages))
    return f"{time_text(us)} of {time_text(step_us(report))} ({share})"


def _title(key: str) -> str:
    return f"“{spec(key).title}”"


def _of_turns(report: TimeReport, configuration: Configuration) -> list[str]:
    """Where one thread does everything."""
    found = []
    learning = _share(report, UPDATE, SAMPLE)
    if learning >= MOST:
        found.append(_about_updates(report, configuration))
    if _share(report, ENVIRONMENT) >= MUCH:
        found.append(_about_environment(report, configuration))
    if _share(report, ACT) >= MUCH:
        found.append(_about_acting(report, configuration))
    if _share(report, WAITING) >= NOTICED:
        share = _percent(_share(report, WAITING))
        found.append(f"Training waits for the disk {share} of the time: record less.")
    return found or [_largest(report)]


def _largest(report: TimeReport) -> str:
    """Where nothing stands out."""
    stage = max(report.acting, key=lambda it: report.acting[it])
    return f"The largest part of a step is “{stage}”: {_how_much(report, stage)}."


def _about_updates(report: TimeReport, configuration: Configuration) -> str:
    spent = sum(report.acting.get(it, 0.0) for it in (UPDATE, SAMPLE))
    each = time_text(1e6 * spent / max(report.updates, 1))
    first = f"Most of a step is learning: {_how_much(report, UPDATE, SAMPLE)}."
    first += f" One update takes {each}."
    if configuration.training.offline:
        return first
    rate = report.updates / max(report.steps, 1)
    then = report.steps / (report.seconds - spent / 2)
    return (
        f"{first} With half as many {_title('agent.updates_per_step')} (now "
        f"{short(rate, 2)}) it would be about {rate_text(then)}."
    )


def _about_environment(report: TimeReport, configuration: Configuration) -> str:
    first = f"The environment's own code takes {_how_much(report, ENVIRONMENT)}."
    beside = sum(stage_us(report, it) for it in (UPDATE, SAMPLE))
    if configuration.training.offline or beside < SAME * step_us(report):
        slow = stage_us(report, ENVIRONMENT) >= SLOW_US
        if configuration.training.environments > 1 or not slow:
            return f"{first} Nothing that can be set here makes it faster."
        return (
            f"{first} Several at once ({_title('training.environments')}) can step in "
            "processes of their own, where that is found to be quicker."
        )
    return (
        f"{first} Learning beside it ({_title('training.mode')}: asynchronous) could "
        f"take up to {time_text(beside)} off each step, where a second core is free."
    )


def _about_acting(report: TimeReport, configuration: Configuration) -> str:
    first = f"Choosing actions takes {_how_much(report, ACT)}."
    if configuration.training.environments >= ENVIRONMENTS:
        return first
    share = 1 - configuration.training.environments / ENVIRONMENTS
    most = time_text(share * stage_us(report, ACT))
    return (
        f"{first} {ENVIRONMENTS} environments side by side "
        f"({_title('training.environments')}) share one pass through the network: up "
        f"to {most} less for each step."
    )


def _of_threads(report: TimeReport) -> list[str]:
    """Where acting and learning have a thread each."""
    waits = _share(report, WAITING, learning=True)
    learns = _share(report, UPDATE, SAMPLE, learning=True)
    acting = _share(report, WAITING)
    rate = short(report.updates / max(report.steps, 1), 2)
    found = [
        f"The learner is at work {_percent(learns)} of the time and waits "
        f"{_percent(waits)}; {rate} updates were made for each step."
    ]
    if acting >= MUCH:
        found.append(
            f"Acting waits for the learner {_percent(acting)} of the time: smaller "
            f"batches or fewer updates per step let it go on."
        )
    elif waits >= MOST:
        found.append("The learner has time for more updates per step.")
    return found


def _recording(report: TimeReport, configuration: Configuration) -> str:
    """What it costs to keep what happens."""
    each = size_text(report.recorded_bytes / max(report.steps, 1))
    words = (
        f"Recording ({configuration.recording.level}) costs "
        f"{_how_much(report, RECORDING)}, and {each} of each step go to the session."
    )
    could = configuration.recording.level != "scalars"
    if could and _share(report, RECORDING) >= NOTICED:
        words += f" {_title('recording.level')}: scalars keeps curves only."
    return words


def _telemetry(report: TimeReport) -> list[str]:
    if _share(report, TELEMETRY) < NOTICED:
        return []
    much = _how_much(report, TELEMETRY)
    return [
        f"Measuring, and telling the windows, takes {much}: close what you need not."
    ]


def of_speeds(speeds: Sequence[Speed], *, compiled: bool = False) -> list[str]:
    """What comparing devices and batches has shown; the first is as configured.

    Updates are compared as written: where a run's own are compiled, that says nothing
    of where it would be faster.
    """
    if not speeds:
        return []
    own, found = speeds[0], []
    for it in speeds[1:]:
        if it.device != own.device and it.batch_size == own.batch_size:
            found.append((_as_written if compiled else _devices)(own, it))
    if not found:
        found.append("Only the CPU was measured: there is no GPU here.")
    larger = [
        it
        for it in speeds[1:]
        if it.device == own.device and it.batch_size > own.batch_size
    ]
    form = "As written, an" if compiled else "An"
    return [*found, *(f"{form} {_batches(own, it)}" for it in larger)]


def _devices(own: Speed, other: Speed) -> str:
    fast, slow = sorted((own, other), key=lambda it: it.update_s)
    times = f"{_ms(fast.update_s)} against {_ms(slow.update_s)} for an update"
    if fast.update_s > (1 - SAME) * slow.update_s:
        return f"CPU and GPU are equally fast for this network here: {times}."
    words = f"This network is faster on the {_name(fast)} here: {times}"
    if fast is own:
        return f"{words}; that is where it is."
    return f"{words} ({_title('training.device')}: {fast.device})."


def _as_written(own: Speed, other: Speed) -> str:
    times = (f"{_ms(it.update_s)} on the {_name(it)}" for it in (own, other))
    return (
        f"As written, an update takes {' and '.join(times)}; those of this run are "
        f"compiled, which only the CPU can do."
    )


def _batches(own: Speed, larger: Speed) -> str:
    more = larger.update_s / own.update_s - 1
    first = (
        f"update of {larger.batch_size} takes {_ms(larger.update_s)}, one of "
        f"{own.batch_size} {_ms(own.update_s)}"
    )
    cost = f"{_percent(more)} more" if more >= 0.05 else "no more"
    return f"{first}: {cost} for twice the batch."


def _name(speed: Speed) -> str:
    return "GPU" if speed.device.startswith("cuda") else "CPU"


def _ms(seconds: float) -> str:
    return time_text(1e6 * seconds)
