"""What only a GPU has: captured graphs, pinned memory, and events.

Everywhere else the same calls run as they are and at once, so that all that is done
with these is the same on every device and is tested without a GPU.

Sources: the notes on CUDA graphs in torch's documentation,
https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs (warm-up on the stream
of the capture, no memory of the host pinned within it), and on ``torch.cuda.graph``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

WARM_UPS = 3
"""Calls before the capture: libraries make their handles and choose their kernels."""


def capture(
    work: Callable[[], None], changes: Sequence[Tensor], device: torch.device
) -> Callable[[], None]:
    """What does the same as ``work`` each time it is called, as one launch.

    Args:
      work: Reads and writes the same tensors each time, and no number out of them.
      changes: Those that have to be as they were before.
      device: Where they are.
    """
    before = [it.clone() for it in changes]
    if device.type != "cuda":
        _warm_up(work, changes, before)
        return work
    stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.device(device):
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            _warm_up(work, changes, before)
        torch.cuda.current_stream().wait_stream(stream)
        # Other threads of this process may use the device meanwhile.
        mode = "thread_local"
        with torch.cuda.graph(graph, stream=stream, capture_error_mode=mode):
            work()
    return graph.replay


def _warm_up(
    work: Callable[[], None], changes: Sequence[Tensor], before: Sequence[Tensor]
) -> None:
    try:
        for _ in range(WARM_UPS):
            work()
    finally:
        for it, was in zip(changes, before, strict=True):
            it.copy_(was)


def pinned(size: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Zeros on the host that the device can read and write while the host goes on."""
    return torch.zeros(size, dtype=dtype, pin_memory=device.type == "cuda")


class Mark:
    """A point in what a device has been told to do."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._event: torch.cuda.Event | None = None
        if device.type == "cuda":
            self._event = torch.cuda.Event()  # type: ignore[no-untyped-call]

    def set(self) -> None:
        """Here it is."""
        if self._event is not None:
            stream = torch.cuda.current_stream(self._device)
            self._event.record(stream)

    @property
    def passed(self) -> bool:
        """Whether the device has come so far; asks, and does not wait."""
        return self._event is None or bool(self._event.query())  # type: ignore[no-untyped-call]

    def wait(self) -> None:
        """Until it has."""
        if self._event is not None:
            self._event.synchronize()
