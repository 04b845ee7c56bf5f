"""P3: the real window is killed while a run goes on, and started again.

Without a display (Qt's offscreen platform), but all of it: the process that a person
starts, killed at a random moment. The next one is ready when it holds the whole curve.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
from service.engine_lab import Lab, expect, order, sealed, status
from trials import Trials

from engine.contract.messages import Shutdown, Stop, TrainerStatus
from engine.service.client import Client

SERIES, SEEN = "epsilon", "seen.json"
ATTACH_WITHIN_S = 2.0
READY_WITHIN_S = 60.0
SLACK = float(os.environ.get("RLLAB_FAULT_SLACK", "2"))

WINDOW = """
import json, os, sys, time
from PySide6.QtCore import QTimer
from rllab_gui import app

make = app.make_window
part = f"{sys.argv[2]}.{os.getpid()}"

def made(client):
    window = make(client)
    attached = time.monotonic()

    def tell():
        steps = window.lab.store.series(sys.argv[1]).step.tolist()
        with open(part, "w") as file:
            json.dump({"steps": steps, "took": time.monotonic() - attached}, file)
        os.replace(part, sys.argv[2])

    window.looking = QTimer(window, interval=50)
    window.looking.timeout.connect(tell)
    window.looking.start()
    return window

app.make_window = made
sys.exit(app.main([]))
"""


def run(folder: Path, kills: int, seed: int = 0) -> Trials:
    """So many kills of the window of one run."""
    result = Trials("P3", "kill -9 of the real window, and another one in its place")
    chance = random.Random(seed)
    lab = Lab(folder)
    latest = [(0.0, 0.0)]
    try:
        client = lab.attach()
        lab.start(client)
        expect(client, status("running", 500))
        window = _start(folder)
        _whole(folder, window, client)
        for number in range(kills):
            time.sleep(chance.uniform(0.0, 0.5))
            _kill(window)
            window = _start(folder)
            took = result.trial(f"kill {number}", _another, folder, window, client)
            latest.append(took or (0.0, 0.0))
        _kill(window)
        result.trial("the end", _end, lab, client)
    finally:
        with suppress(AssertionError):
            lab.clean()
    from_connection, from_start = (max(it) for it in zip(*latest, strict=True))
    result.worst = f"the whole curve {from_connection:.2f} s after the connection at "
    result.worst += f"most, {from_start:.2f} s after the start of the program"
    return result


def _start(home: Path) -> subprocess.Popen[bytes]:
    (home / SEEN).unlink(missing_ok=True)
    environment = {"RLLAB_HOME": str(home), "QT_QPA_PLATFORM": "offscreen"}
    return subprocess.Popen(
        [sys.executable, "-c", WINDOW, SERIES, str(home / SEEN)],
        stderr=subprocess.DEVNULL,
        env=os.environ | environment,
    )


def _kill(window: subprocess.Popen[bytes]) -> None:
    window.kill()
    window.wait()


def _another(
    home: Path, window: subprocess.Popen[bytes], client: Client
) -> tuple[float, float]:
    """Seconds from its connection, and from its start, until it has everything."""
    began = time.monotonic()
    took = _whole(home, window, client)
    from_start = time.monotonic() - began
    assert took < ATTACH_WITHIN_S * SLACK, f"a new window took {took:.2f} s"
    client.poll()
    now = expect(client, status("running"), 10)
    assert isinstance(now, TrainerStatus)
    expect(client, status("running", now.step + 50), 30)
    return took, from_start


def _whole(home: Path, window: subprocess.Popen[bytes], client: Client) -> float:
    """Seconds after its connection when it had all that there was at its start."""
    before = client.request("history", {"series": SERIES})["step"]
    end = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < end:
        assert window.poll() is None, "the window has ended"
        time.sleep(0.02)
        if not (home / SEEN).exists():
            continue
        told = json.loads((home / SEEN).read_text())
        steps = np.array(told["steps"])
        assert (np.diff(steps) > 0).all(), "the curve goes back"
        if len(steps) and steps[0] <= before[0] and steps[-1] >= before[-1]:
            assert np.isin(before, steps).all(), "the curve has a gap"
            return float(told["took"])
    raise AssertionError("the window has not got the whole curve")


def _end(lab: Lab, client: Client) -> None:
    """The run is as whole as if nobody had looked."""
    order(client, Stop())
    expect(client, sealed, 150)
    steps = client.request("history", {"series": SERIES})["step"]
    assert (np.diff(steps) > 0).all()
    assert np.diff(steps).max() <= 4 * np.median(np.diff(steps)), "there is a gap"
    client.send(Shutdown())
    assert lab.wait_for_end(4.0 * SLACK) == [], "a process of the engine is left"
