"""What the field calls a combination of options, built from what has an effect."""

from __future__ import annotations

from engine.contract.options import Configuration, has_effect
from rllab_gui.forms.words import choice_title

_HEADS = {"c51": "C51", "qr": "QR-DQN", "mmd": "MMD-DQN"}
_EXPLORES = ("noisy", "bootstrapped")


def agent_name(configuration: Configuration) -> str:
    """For example "Dueling double 3-step noisy C51, prioritized, Dyna"."""
    words = [*_improvements(configuration), _core_name(configuration)]
    name = " ".join(words)
    return ", ".join([name[0].upper() + name[1:], *_companions(configuration)])


def _improvements(of: Configuration) -> list[str]:
    """Words before the name of the method."""
    doubles = has_effect("agent.double", of) and of.target_network.kind != "none"
    words = ["dueling"] if of.agent.dueling != "none" else []
    words += ["double"] if of.agent.double and doubles else []
    words += [f"{of.agent.n_step}-step"] if of.agent.n_step > 1 else []
    words += [of.exploration.kind] if of.exploration.kind in _EXPLORES else []
    remembers = of.network.recurrent != "none" and _core_name(of) != "DRQN"
    return words + (["recurrent"] if remembers else [])


def _core_name(of: Configuration) -> str:
    """The method itself, without its improvements."""
    head = _HEADS.get(of.head.kind, "")
    if of.agent.estimator != "q_learning":
        core = choice_title(of.agent.estimator).replace("soft", "soft Q-learning")
        return f"{core} with {choice_title(of.head.kind)}" if head else core
    if head:
        return head
    if of.network.recurrent != "none":
        return "DRQN"
    return "Q-learning" if of.replay.kind == "none" else "DQN"


def _companions(of: Configuration) -> list[str]:
    """What goes along with the method, each named by itself."""
    retrace = of.agent.n_step > 1 and of.agent.n_step_correction == "retrace"
    cautious = has_effect("head.risk", of) and of.head.risk == "cvar"
    found = {
        "Retrace": retrace,
        "prioritized": of.replay.kind == "prioritized",
        "trust region": of.agent.bootstrap == "trust_region",
        "CVaR": cautious,
        "CQL": of.agent.conservative > 0,
        "Dyna": of.planning.kind == "dyna",
        "prioritized sweeping": of.planning.kind == "sweeping",
        "exploration bonus": of.exploration.bonus > 0,
    }
    return [words for words, applies in found.items() if applies]
