"""What a session can be exported to: the table that commands and window share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Literal

Content = Literal["curves", "episode", "episodes", "network"]


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """One thing that can be exported.

    Attributes:
      name: What it is called here, and in the names of actions.
      to: ``--to`` of ``rllab export``.
      of: What of the session it holds.
      title: What the window calls it.
      tooltip: One sentence: what is written, and who reads it.
      ending: Of the file; empty where it is a folder.
      needs: Python modules that must be importable.
      install: The line that installs them.
    """

    name: str
    to: str
    of: Content
    title: str
    tooltip: str
    ending: str = ""
    needs: tuple[str, ...] = ()
    install: str = ""

    @property
    def missing(self) -> str:
        """Why it cannot be written here, as a sentence; empty where it can be."""
        absent = [it for it in self.needs if not _is_there(it)]
        if not absent:
            return ""
        names = " and ".join(f"'{it}'" for it in absent)
        what = "package" if len(absent) == 1 else "packages"
        verb = "is" if len(absent) == 1 else "are"
        return (
            f"This export needs the {what} {names}, which {verb} not installed. "
            f"Install with: {self.install}"
        )


@cache
def _is_there(module: str) -> bool:
    """Whether it can be imported; looked up once, for the window asks often."""
    return find_spec(module) is not None


EXPORTS = {
    it.name: it
    for it in (
        ExportFormat(
            "scalars",
            "csv",
            "curves",
            "Curves as CSV…",
            "Write every measured series to a table of comma-separated values",
            ".csv",
        ),
        ExportFormat(
            "tensorboard",
            "tensorboard",
            "curves",
            "Curves for TensorBoard…",
            "Write every measured series and the evaluations to a folder that "
            "TensorBoard opens",
            needs=("tensorboard",),
            install='python -m pip install "tensorboard>=2.18,<3"',
        ),
        ExportFormat(
            "episode",
            "csv",
            "episode",
            "Shown episode as CSV…",
            "Write the shown episode, step by step, to comma-separated values",
            ".csv",
        ),
        ExportFormat(
            "minari",
            "minari",
            "episodes",
            "Episodes as Minari data set…",
            "Write all recorded training episodes to a folder that Minari opens",
        ),
        ExportFormat(
            "onnx",
            "onnx",
            "network",
            "Network as ONNX…",
            "Write the network of the best checkpoint so that other programs can run "
            "it; it is checked against the original",
            ".onnx",
            needs=("onnx", "onnxscript"),
            install='python -m pip install "onnx>=1.19,<2" "onnxscript>=0.5,<0.8"',
        ),
        ExportFormat(
            "safetensors",
            "safetensors",
            "network",
            "Weights as safetensors…",
            "Write the weights of the best checkpoint by name",
            ".safetensors",
        ),
    )
}
"""By name, in the order of the menu; films are made by the stage."""
