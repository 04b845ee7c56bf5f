"""Which updates a GPU can make by itself, the draw of their batches included."""

from __future__ import annotations

from engine.contract.options import Configuration


def why_not_captured(of: Configuration) -> str:
    """Why updates stay as they are on a GPU, as a sentence; empty where not."""
    kind = of.replay.kind
    ranked = kind == "prioritized" and of.replay.priority == "rank"
    for holds, sentence in (
        (kind == "none", "Without replay no two updates have the same shape"),
        (kind == "sequence", "Pieces of episodes are cut by the host"),
        (ranked, "Priorities by rank are sorted by the host"),
        (of.replay.storage == "disk", "The frames of the replay lie in a file"),
        (of.agent.n_step_correction == "retrace", "Windows of Retrace need the host"),
        (of.planning.kind != "none", "Planning learns from batches of two forms"),
        (of.training.mode != "alternate", "Acting and learning run side by side"),
    ):
        if holds:
            return f"{sentence}: updates are not captured for the GPU."
    return ""
