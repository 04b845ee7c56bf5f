"""A few hostile files with every change; ``python -m tests.faults P13`` runs more."""

import fuzz_hdf5
import hostile_files
import pytest


@pytest.mark.parametrize(
    ("campaign", "count"),
    [
        (hostile_files.bounds, 2),
        (hostile_files.traced, 1),
        (fuzz_hdf5.run, 2),
        (fuzz_hdf5.checkpoints, 1),
    ],
    ids=["P13 and P15", "P14", "P16", "P16, live"],
)
def test_a_few_hostile_files_do_no_harm(tmp_path, campaign, count):
    result = campaign(tmp_path, count)
    assert result.count or "strace" in result.worst
    assert result.failures == []
