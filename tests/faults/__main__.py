"""``python -m tests.faults``: kills and damages, and whether the promises hold.

RLLAB_FAULT_SCALE multiplies the counts (1 takes about four minutes).
"""

import importlib
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "sessions")]


def campaign(name: str) -> Any:
    """One of the modules beside this one; their folder is on the path by now."""
    return importlib.import_module(name)


def scaled(count: int) -> int:
    return campaign("trials").scaled(count)


CAMPAIGNS = {
    "P1": lambda folder: campaign("kill_writer").run(folder, scaled(40)),
    "P5": lambda folder: campaign("failing_saves").run(folder, max(1, 12 // scaled(1))),
    "P9": lambda folder: campaign("damage_sealed").run(folder, scaled(300)),
    "P10": lambda folder: campaign("damage_live").run(folder, scaled(15)),
    "P22": lambda folder: campaign("canaries").run(folder),
}


def tell(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(wanted: list[str]) -> int:
    """Run the campaigns (or those that are named); 1 where a promise is broken."""
    broken = 0
    for promise, run in CAMPAIGNS.items():
        if wanted and promise not in wanted:
            continue
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            result = run(Path(folder))
        broken += bool(result.failures)
        tell(
            f"{result.promise:4} trials {result.count:6} failures "
            f"{len(result.failures):4}  {time.monotonic() - start:6.1f} s  "
            f"{result.text}" + (f" ({result.worst})" if result.worst else "")
        )
        for failure in result.failures[:10]:
            tell(f"       {failure}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
