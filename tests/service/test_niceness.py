"""Which process of the lab goes first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

STEP_BACK = """
import os
from pathlib import Path
from engine.service.niceness import step_back
group = Path("/proc/self/autogroup")
before = os.nice(0), group.read_text()
step_back(7)
print(os.nice(0) - before[0])
print(before[1])
print(group.read_text())
"""


@pytest.mark.skipif(
    not Path("/proc/self/autogroup").exists(), reason="no groups of sessions here"
)
@pytest.mark.parametrize("leads", [True, False])
def test_leader_of_a_session_makes_all_of_it_nicer(leads: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STEP_BACK],
        start_new_session=leads,
        capture_output=True,
        check=True,
        text=True,
    )
    niceness, *groups = done.stdout.split("\n")
    before, after = (it for it in groups if it)
    assert niceness == "7"
    assert after.endswith("nice 7") if leads else after == before
