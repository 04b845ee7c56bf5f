"""What is left when the supervisor itself is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere nobody is given what is left behind"
)

ROOT = Path(__file__).resolve().parents[2]
SUPERVISOR = """
import os, psutil, signal, subprocess, sys, time
from engine.service import guardian
guardian.KEEPER = "like-a-keeper"
guardian.KEEPER_WITHIN_S = 2.0
guardian.guard()
code = "import os, time; os.fork(); time.sleep(60)"
subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
code = "import time; time.sleep(0.5); open('saved', 'w').close()"
subprocess.Popen([sys.executable, "-c", code, "like-a-keeper"])
signal.signal(signal.SIGTERM, lambda *_: os._exit(7))
while len(psutil.Process().children(recursive=True)) < 3:
    time.sleep(0.01)
print(os.getpid(), flush=True)
time.sleep(60)
"""


def start(folder: Path) -> tuple[subprocess.Popen[str], int]:
    guardian = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR],
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert guardian.stdout is not None
    return guardian, int(guardian.stdout.readline())


def end(guardian: subprocess.Popen[str]) -> None:
    assert guardian.stdout is not None
    guardian.stdout.close()


def test_a_killed_supervisor_leaves_nothing_and_the_keeper_has_its_time(
    tmp_path: Path,
) -> None:
    guardian, supervisor = start(tmp_path)
    left = psutil.Process(guardian.pid).children(recursive=True)
    assert len(left) == 4
    began = time.monotonic()
    os.kill(supervisor, signal.SIGKILL)
    assert guardian.wait(10) == 128 + signal.SIGKILL
    assert time.monotonic() - began < 3.0
    assert not any(it.is_running() for it in left)
    assert (tmp_path / "saved").exists()
    end(guardian)


def test_the_word_to_end_reaches_the_supervisor_and_its_status_comes_back(
    tmp_path: Path,
) -> None:
    guardian, supervisor = start(tmp_path)
    assert supervisor != guardian.pid
    guardian.terminate()
    assert guardian.wait(10) == 7
    end(guardian)


def test_a_process_whose_supervisor_is_gone_takes_its_group_along() -> None:
    code = (
        "import os, sys, time\n"
        "from engine.service.worker import _end_group\n"
        "child = os.fork()\n"
        "if child == 0: time.sleep(60)\n"
        "print(child, flush=True)\n"
        "_end_group()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        start_new_session=True,
        text=True,
        cwd=ROOT,
    )
    out, _ = process.communicate(timeout=30)  # the pipe is closed when both have ended
    assert process.returncode == -signal.SIGKILL
    assert int(out) > 0
