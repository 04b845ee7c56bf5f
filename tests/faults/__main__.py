"""``python -m tests.faults [--long] [P1 P5 ...]``: whether the promises hold.

Without --long the part that runs with every change (about ten minutes), with it the
one that a person starts (hours). RLLAB_FAULT_SCALE multiplies the counts of either.
"""

import importlib
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "sessions")]


def module(name: str) -> Any:
    """One of the modules beside this one; their folder is on the path by now."""
    return importlib.import_module(name)


def scaled(count: int) -> int:
    return module("trials").scaled(count)


def every(stride: int) -> int:
    """Every so manyth of all; a larger scale makes the steps smaller."""
    return max(1, round(stride / (scaled(1000) / 1000)))


class Campaign(NamedTuple):
    """What proves a promise, at a count; for strides, a smaller one proves more."""

    promise: str
    run: Callable[[Path, int], Any]
    short: int
    long: int


CAMPAIGNS = [
    Campaign("P1", lambda f, n: module("kill_writer").run(f, scaled(n)), 40, 3000),
    Campaign("P1", lambda f, n: module("io_faults").run(f, "P1", every(n)), 20, 1),
    Campaign("P1", lambda f, n: module("engine_kills").run(f, scaled(n)), 3, 100),
    Campaign("P2", lambda f, n: module("power_cuts").run(f, scaled(n)), 200, 9000),
    Campaign("P3", lambda f, n: module("engine_kills").windows(f, scaled(n)), 20, 200),
    Campaign("P3", lambda f, n: module("window_kills").run(f, scaled(n)), 3, 200),
    Campaign("P4", lambda f, n: module("io_faults").run(f, "P4", every(n)), 60, 1),
    Campaign("P4", lambda f, n: module("told_in_time").run(f, every(n)), 150, 10),
    Campaign("P5", lambda f, n: module("failing_saves").run(f, every(n)), 12, 1),
    Campaign("P5", lambda f, _: module("failing_saves").places(f), 1, 1),
    Campaign("P5", lambda f, n: module("saver_faults").run(f, every(n)), 40, 1),
    Campaign("P6", lambda f, n: module("misbehaving").run(f, scaled(n)), 1, 100),
    Campaign("P7", lambda f, n: module("not_finite").run(f, every(n)), 1, 1),
    Campaign("P8", lambda f, n: module("out_of_memory").run(f, every(n)), 5, 1),
    Campaign("P9", lambda f, n: module("damage_sealed").run(f, scaled(n)), 300, 5000),
    Campaign("P10", lambda f, n: module("damage_live").run(f, scaled(n)), 15, 1250),
    Campaign("P11", lambda f, n: module("resume_exactness").run(f, scaled(n)), 40, 960),
    Campaign("P13", lambda f, n: module("hostile_files").run(f, scaled(n)), 40, 1000),
    Campaign(
        "P14", lambda f, n: module("hostile_files").traced(f, scaled(n)), 40, 1000
    ),
    Campaign(
        "P15", lambda f, n: module("hostile_files").bounds(f, scaled(n)), 40, 1000
    ),
    Campaign("P16", lambda f, n: module("fuzz_hdf5").run(f, scaled(n)), 300, 50_000),
    Campaign(
        "P16", lambda f, n: module("fuzz_hdf5").checkpoints(f, scaled(n)), 100, 5000
    ),
    Campaign("P17", lambda f, _: module("strings_traced").run(f), 1, 1),
    Campaign("P18", lambda f, n: module("lock_races").run(f, scaled(n)), 20, 1000),
    Campaign("P22", lambda f, _: module("canaries").run(f), 1, 1),
]
PROMISES = list(dict.fromkeys(it.promise for it in CAMPAIGNS))


def tell(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Run the campaigns (or those that are named); 1 where a promise is broken."""
    broken = 0
    wanted = set(arguments) - {"--long"}
    if "--help" in arguments:
        tell((__doc__ or "") + "\nThere are campaigns for " + ", ".join(PROMISES) + ".")
        return 0
    if unknown := wanted - set(PROMISES):
        tell(f"There is no campaign for {', '.join(sorted(unknown))}.")
        return 2
    for it in CAMPAIGNS:
        if wanted and it.promise not in wanted:
            continue
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            size = it.long if "--long" in arguments else it.short
            result = it.run(Path(folder), size)
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
