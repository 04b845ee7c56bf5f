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
for line in (os.nice(0) - before[0], before[1], group.read_text()):
    print(str(line).strip())
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
    # The groups are empty lines for a process of the group of all others.
    niceness, before, after, _ = done.stdout.split("\n")
    assert niceness == "7"
    assert after.endswith("nice 7") if leads else after == before
