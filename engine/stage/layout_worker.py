"""t-SNE in a process of its own with low priority, so that nothing waits for it.

The process imports no torch. It gets a task as three messages (JSON, activations,
first positions) and answers with pairs (JSON, positions): layouts on the way and the
final one. A task that arrives while another runs takes its place.
"""

from __future__ import annotations

import json
import os
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

EXAGGERATED_STEPS = 250
STEPS = 500
STEPS_AGAIN = 120
REPORT_EVERY = 25
EXAGGERATION = 12.0
START_SIZE = 1e-4
NICE = 15


def main(connection: Connection) -> None:
    """Serve tasks until the other side is gone."""
    _step_back()
    try:
        while True:
            task = json.loads(connection.recv_bytes())
            activations = _array(connection, (task["points"], task["units"]))
            start = _array(connection, (task["points"], 2))
            _lay_out(connection, task, activations, start)
    except (EOFError, OSError):
        # The stage has ended or lets us go: there is nobody to work for.
        return
    finally:
        connection.close()


def _step_back() -> None:
    """Leave the processor to everybody else, and use one thread only."""
    import psutil

    process = psutil.Process()
    windows = getattr(psutil, "IDLE_PRIORITY_CLASS", None)
    # Nobody may take niceness back, and who started the lab may have given more.
    process.nice(windows if windows is not None else max(NICE, process.nice()))
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"


def _array(connection: Connection, shape: tuple[int, int]) -> np.ndarray:
    return np.frombuffer(connection.recv_bytes(), np.float32).reshape(shape)


def _lay_out(
    connection: Connection, task: dict[str, Any], activations: np.ndarray, start: Any
) -> None:
    from openTSNE import TSNEEmbedding
    from openTSNE.affinity import PerplexityBasedNN

    def tell(positions: Any, *, final: bool = False) -> None:
        head = {"task": task["task"], "final": final}
        connection.send_bytes(json.dumps(head).encode())
        connection.send_bytes(np.asarray(positions, np.float32).tobytes())

    def on_report(iteration: int, error: float, positions: Any) -> bool:
        """Tell the layout; True stops, because another task waits."""
        tell(positions)
        return connection.poll()

    affinities = PerplexityBasedNN(
        activations, task["perplexity"], n_jobs=1, random_state=task["seed"]
    )
    if task["fresh"]:
        start = start * (START_SIZE / max(float(start[:, 0].std()), 1e-12))
    embedding = TSNEEmbedding(
        start.astype(np.float64),
        affinities,
        negative_gradient_method="bh",
        n_jobs=1,
        random_state=task["seed"],
        callbacks=[on_report],
        callbacks_every_iters=REPORT_EVERY,
    )
    for steps, exaggeration, momentum in _phases(task["fresh"]):
        if connection.poll():
            return
        embedding.optimize(
            steps, exaggeration=exaggeration, momentum=momentum, inplace=True
        )
    if not connection.poll():
        tell(embedding, final=True)


def _phases(fresh: bool) -> list[tuple[int, float, float]]:
    """Steps, exaggeration and momentum; a layout that is refined skips the first."""
    if not fresh:
        return [(STEPS_AGAIN, 1.0, 0.8)]
    return [(EXAGGERATED_STEPS, EXAGGERATION, 0.5), (STEPS, 1.0, 0.8)]
