"""P10: a live store is damaged; only the damaged records are lost, never the run."""

import random
import shutil
from pathlib import Path

import numpy as np
import session_samples as samples
from damage_sealed import KINDS
from trials import Trials

from engine.sessions import LiveStore, SessionProblem

PAGE = 4096
LAST_ROW = 120


def run(folder: Path, count: int, seed: int = 0) -> Trials:
    """Bit flips and zeroed pages in the database or its log, ``count`` times each."""
    result = Trials("P10", "bit flips and zeroed pages in a live store")
    sources = [_killed(folder / "closed", close=True), _killed(folder / "log", False)]
    chance = random.Random(seed)
    kept = []
    for source in sources:
        for name in ("bit flip", "zero page"):
            for index in range(count):
                label = f"{source.parents[1].name}, {name} {index}"
                left = result.trial(label, _one, folder, source, name, chance)
                kept.append(left or 0.0)
    share = 100 * float(np.mean(kept)) if kept else 0.0
    result.worst = f"{share:.2f} % of the points are kept on average"
    result.worst += f", {100 * min(kept, default=0.0):.1f} % at least"
    return result


def _killed(folder: Path, close: bool) -> Path:
    """A store as a crash leaves it: folded into one file, or with a full log."""
    path = folder / "run.h5"
    store = LiveStore.create(path, samples.configuration(), samples.CARD)
    for number in range(LAST_ROW + 1):
        store.append(samples.rows(number))
        if number % 2:
            store.commit()
        if number in (9, 59, 99):
            step = (number + 1) * samples.SLOTS_PER_ROW
            store.write_checkpoint(samples.checkpoint(step, number))
    store.commit()
    copy = folder / "copy" / "run.live"
    if close:
        store.close()
    shutil.copytree(path.with_suffix(".live"), copy)
    store.close()
    (copy / "ballast").unlink(missing_ok=True)
    return copy


def _one(folder: Path, source: Path, name: str, chance: random.Random) -> float:
    """Damage one file, open the store; returns the share of points that is left."""
    copy = folder / "damaged" / "run.live"
    shutil.rmtree(copy.parent, ignore_errors=True)
    shutil.copytree(source, copy)
    wal = copy / "live.sqlite-wal"
    target = wal if wal.exists() and chance.random() < 0.7 else copy / "live.sqlite"
    data = bytearray(target.read_bytes())
    KINDS[name](data, chance)
    target.write_bytes(data)
    with LiveStore.open(copy.with_suffix(".h5")) as store:
        return _check(store)


def _check(store: LiveStore) -> float:
    """Nothing wrong is shown, and the run can go on; returns the share that is left."""
    left = 0
    for series, name in enumerate(["loss", "q_mean"]):
        wanted = [samples.scalars(n).columns for n in range(LAST_ROW + 1)]
        mine = [it["series"] == series for it in wanted]
        steps = np.concatenate(
            [it["step"][m] for it, m in zip(wanted, mine, strict=True)]
        )
        values = np.concatenate(
            [it["value"][m] for it, m in zip(wanted, mine, strict=True)]
        )
        history = store.history(name if name in store.series() else f"series_{series}")
        known = dict(zip(steps.tolist(), values.tolist(), strict=True))
        found = list(
            zip(history["step"].tolist(), history["value"].tolist(), strict=True)
        )
        assert all(known[step] == value for step, value in found), "a wrong point"
        assert len({step for step, _ in found}) == len(found), "a point twice"
        left += len(found) / len(known) / 2
    for number in range(LAST_ROW // 3):
        try:
            record = store.episode("training", number)
        except SessionProblem:
            continue
        samples.same_record(record, samples.record(number))
    point = store.resume_point()
    if point.exact:
        samples.same_ring(point.replay, samples.ring_after(point.checkpoint.rows))
    store.truncate_after(point)
    for number in range(point.first_row, point.first_row + 5):
        store.append(samples.rows(number))
    store.commit()
    store.seal()
    return left
