"""What the form says about options besides their declaration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from engine.contract.alternatives import Alternative
from engine.contract.catalogue import EnvironmentCard
from engine.contract.costs import (
    Probe,
    added_seconds,
    disk_bytes,
    replay_file_bytes,
    replay_memory_bytes,
    size_text,
)
from engine.contract.memory_costs import FILE, gpu_bytes, memory_bytes
from engine.contract.options import (
    Configuration,
    OptionSpec,
    describe_range,
    has_effect,
    spec,
)
from rllab_gui.titles import with_titles

GROUPS: dict[str, str] = {
    "environment": "Environment",
    "agent": "Agent",
    "replay": "Replay",
    "target_network": "Target network",
    "exploration": "Exploration",
    "planning": "Planning",
    "network": "Network",
    "head": "Head",
    "training": "Run",
    "evaluation": "Evaluation",
    "recording": "Recording",
}
"""Sections of the form, in their order."""

MEASURES = ("MB", "s")

_CHOICES = {
    "epsilon_greedy": "ε-greedy",
    "q_learning": "Q-learning",
    "sarsa": "SARSA",
    "expected_sarsa": "Expected SARSA",
    "retrace": "Retrace",
    "boltzmann": "Boltzmann",
    "ucb": "UCB",
    "noisy": "noisy network",
    "bootstrapped": "bootstrapped ensemble",
    "c51": "C51",
    "qr": "quantiles (QR)",
    "mmd": "particles (MMD)",
    "cvar": "CVaR",
    "lstm": "LSTM",
    "gru": "GRU",
    "td_error": "TD errors",
    "q": "Q-values",
    "dyna": "Dyna",
    "sweeping": "prioritized sweeping",
    "counts": "all outcomes",
    "last": "the last outcome",
    "policy": "the policy's",
    "action_input": "action as input",
    "rank": "rank",
    "mlp": "fully connected",
    "conv": "convolutional",
    "adam": "Adam",
    "rmsprop": "RMSProp",
    "sgd": "gradient descent",
    "relu": "ReLU",
    "silu": "SiLU",
}

Relevance = Callable[[Configuration, EnvironmentCard | None], bool]


def _images(of: Configuration, card: EnvironmentCard | None) -> bool:
    return card is not None and card.observation == "image"


def _counted(of: Configuration, card: EnvironmentCard | None) -> bool:
    return of.exploration.kind == "ucb" or of.exploration.bonus > 0


_RELEVANT: dict[str, Relevance] = {
    "exploration.counts": _counted,
    "network.conv": _images,
    "environment.image_size": _images,
    "environment.grayscale": _images,
    "evaluation.episodes": lambda of, card: of.evaluation.period > 0,
    "evaluation.seed": lambda of, card: of.evaluation.period > 0,
}


def is_relevant(
    key: str, configuration: Configuration, card: EnvironmentCard | None
) -> bool:
    """Whether an option has any effect beside the others; if not it is hidden."""
    rule = _RELEVANT.get(key)
    if not has_effect(key, configuration):
        return False
    return rule is None or rule(configuration, card)


def choice_title(choice: str) -> str:
    """A word of a choice as a person reads it."""
    return _CHOICES.get(choice, choice.replace("_", " "))


def row_title(of: OptionSpec) -> str:
    """The name of a row; what is not counted says what it is measured in."""
    unit = f"({of.unit})" if of.unit in MEASURES else ""
    return " ".join(filter(None, (of.title, of.symbol, unit)))


def value_title(value: Any) -> str:
    """A value of a choice or flag as a person reads it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return choice_title(str(value))


def about_companion(key: str, value: Any, companion: Mapping[str, Any]) -> str:
    """What was set together: "Recurrent memory: LSTM goes with Replay: sequence"."""
    others = (f"{spec(it).title}: {value_title(to)}" for it, to in companion.items())
    chosen = f"{spec(key).title}: {value_title(value)}"
    return f"{chosen} goes with {', '.join(others)}, so both were set."


def about_alternative(found: Alternative) -> str:
    """Why a value cannot be chosen, or what else is set with it; may be empty."""
    others = found.companion.items()
    also = ", ".join(f"{spec(it).title} to {value_title(to)}" for it, to in others)
    return with_titles(found.reason) or (f"Also sets {also}." if also else "")


def impossible(alternatives: Mapping[Any, Alternative]) -> str:
    """The values that cannot be chosen now and why, to follow a tooltip."""
    return "".join(
        f"<br><b>Not now: {escape(value_title(value))}.</b> "
        f"{escape(with_titles(it.reason))}"
        for value, it in alternatives.items()
        if it.reason
    )


def tooltip(of: OptionSpec) -> str:
    """What it is, what happens when it is changed, its range, when it applies."""
    name = f"{of.title} {of.symbol}".strip()
    when = (
        "Applies at once, also while training runs."
        if of.applies == "live"
        else "Takes effect with the next Train."
    )
    parts = [f"<b>{escape(name)}</b>", escape(of.help, quote=False)]
    parts += [escape(of.effect, quote=False)] if of.effect else []
    unit = f" ({escape(of.unit)})" if of.unit else ""
    if of.kind not in ("bool", "choice"):
        parts.append(f"Takes {escape(describe_range(of))}{unit}.")
    return "<br>".join([*parts, f"<i>{when} F1: the equation behind it.</i>"])


def remark(
    key: str,
    configuration: Configuration,
    card: EnvironmentCard | None,
    probe: Probe | None = None,
) -> str:
    """What the value means, in a few words; empty where it speaks for itself."""
    if key == "agent.discount":
        gamma = configuration.agent.discount
        return (
            f"horizon about {_rounded(1 / (1 - gamma))} steps"
            if gamma < 1
            else "endless horizon"
        )
    if key == "replay.capacity" and card is not None and card.shape:
        return memory_cost(configuration, card, probe)
    if key == "recording.level" and card is not None and probe is not None:
        return recording_cost(configuration, card, probe)
    return ""


def memory_cost(
    configuration: Configuration, card: EnvironmentCard, probe: Probe | None
) -> str:
    """Memory of the replay, and of all parts once the network is known."""
    words = f"about {size_text(replay_memory_bytes(configuration, card))} of memory"
    if in_file := replay_file_bytes(configuration, card):
        words += f" and {size_text(in_file)} in a file"
    if on_gpu := gpu_bytes(configuration, card):
        words += f" and {size_text(on_gpu)} on the GPU"
    if probe is None:
        return words
    parts = memory_bytes(configuration, card, probe)
    parts.pop(FILE)
    parts["replay"] -= on_gpu
    largest = max(parts, key=lambda name: parts[name])
    whole = f"{words}; {size_text(sum(parts.values()))} with networks and recording"
    other = f", most of it {largest}" if largest != "replay" else ""
    return f"{whole}{other}"


def recording_cost(
    configuration: Configuration, card: EnvironmentCard, probe: Probe
) -> str:
    """Room on the disk, by what takes most of it, and what it costs in time."""
    parts = disk_bytes(configuration, card, probe)
    total = sum(parts.values())
    largest = sorted(parts, key=lambda name: -parts[name])[:2]
    named = ", ".join(
        f"{name} {size_text(parts[name])}"
        for name in largest
        if parts[name] > 0.1 * total
    )
    seconds = added_seconds(configuration, probe)
    slower = f"pictures take {duration_text(seconds)}" if seconds >= 1 else ""
    slower = slower or "hardly slows training"
    return f"at most {size_text(total)} on disk ({named}); {slower}"


def duration_text(seconds: float) -> str:
    """So much time in words, rounded."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.2g} h"


def _rounded(number: float) -> str:
    return f"{float(f'{number:.2g}'):,.0f}".replace(",", "\u202f")
