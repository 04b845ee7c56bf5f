"""P4: how long after a disk has failed it is told, and how soon the run goes on.

As io_faults, but with the keeper's own clock: rows come as they do from a trainer, are
committed each tenth of a second, and the keeper takes its turns as its process does.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from io_faults import EIO, FULL_STICKY, SYNC_EIO, Disk, a_fast_folder, through_the_shim
from io_workload import Workload
from trials import Trials

from engine.service.keeper import CYCLE_S
from engine.sessions import ballast

TOLD_WITHIN_S, GOES_ON_WITHIN_S = 1.0, 1.0
NO_ROOM_S = 1.2
"""The disk stays full for so long after it is told."""
GIVEN_UP_S = 10.0
MODES = {"ENOSPC": FULL_STICKY, "EIO": EIO, "fsync EIO": SYNC_EIO}
SLACK = float(os.environ.get("RLLAB_FAULT_SLACK", "2"))


class PacedWorkload(Workload):
    """The same run, in its own time."""

    def _until(self, reached: Callable[[], bool], tries: int = 0) -> None:
        shared = self._shared
        end = time.monotonic() + GIVEN_UP_S
        while time.monotonic() < end:
            self._keeper.cycle()
            if reached():
                if shared["room_at"] > 0 > shared["went_on_at"]:
                    shared["went_on_at"] = time.monotonic_ns()
                return
            told = shared["told_at"]
            late = time.monotonic_ns() - told > NO_ROOM_S * 1e9
            if told > 0 and late and shared["room_at"] < 0:
                self._make_room()
                shared["room_at"] = time.monotonic_ns()
            time.sleep(CYCLE_S)
        raise RuntimeError(f"it does not go on; it said {self._line.problems[-3:]}")


def run(folder: Path, stride: int = 1) -> Trials:
    """Every ``stride``-th call, in a process that the shim is loaded into."""
    result = Trials("P4", "how soon a failing disk is told, and the run goes on")
    return through_the_shim(result, folder, "told_in_time.py", stride)


def check(disk: Disk, code: int) -> tuple[float, float]:
    """Seconds until it was told, and from the room to the next step of the run."""
    shared = disk.shared
    error = shared.memory[3000:4000].rstrip(b"\0").decode()
    assert code == 0, f"it ended with {code} {error}"
    told = went_on = 0.0
    if shared["told_at"] > 0:
        told = (shared["told_at"] - shared["failed_at"]) / 1e9
    if shared["room_at"] > 0:
        went_on = (shared["went_on_at"] - shared["room_at"]) / 1e9
    assert told < TOLD_WITHIN_S * SLACK, f"told after {told:.3f} s"
    assert went_on < GOES_ON_WITHIN_S * SLACK, f"went on after {went_on:.3f} s"
    return told, went_on


def main(shim: str, report: str, stride: str) -> None:
    """Run in the process that the shim is loaded into; writes a report."""
    result = Trials("P4", "")
    ballast.BALLAST_BYTES = 1 << 16
    latest = [(0.0, 0.0)]
    untold = 0
    with a_fast_folder() as folder:
        disk = Disk(shim, folder / "sessions")
        for name, mode in MODES.items():
            _, calls = disk.play(mode, 0, kind=PacedWorkload)
            for at in range(1, calls + 1, int(stride)):
                code, _ = disk.play(mode, at, kind=PacedWorkload)
                disk.disarm()
                label = f"{name} at call {at}"
                latest.append(result.trial(label, check, disk, code) or (0.0, 0.0))
                untold += disk.shared["told_at"] < 0
    told, went_on = (max(it) for it in zip(*latest, strict=True))
    worst = f"told after {told:.3f} s at most, went on {went_on:.3f} s after there was"
    worst += f" room; {untold} were made good without a wait"
    lines = [str(result.count), worst, *result.failures]
    Path(report).write_text("\n".join(it.replace("\n", " ") for it in lines))


if __name__ == "__main__":
    main(*sys.argv[1:4])
