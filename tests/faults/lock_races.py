"""P18: several processes open a session at the same moment; one writes it."""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import random
import signal
import time
from pathlib import Path
from unittest import mock

import psutil
import pytest
import session_samples as samples
from trials import Trials

from engine.sessions import LiveStore, SessionProblem, lock, open_session
from engine.sessions.lock import boot_id
from engine.sessions.store_reader import StoreReader

OPENERS = 4
WRITES, REFUSED, LOOKS = 1, 2, 3
LAST_ROW = 12


def run(folder: Path, count: int, seed: int = 0) -> Trials:
    """So many races, then locks that nobody holds any more."""
    result = Trials("P18", f"races of {OPENERS} openers, and locks that are stale")
    chance = random.Random(seed)
    path = folder / "run.h5"
    with LiveStore.create(path, samples.configuration(), samples.CARD) as store:
        samples.run(store, last_row=LAST_ROW, checkpoint_rows=(9,))
    for index in range(count):
        looks, killed = bool(index % 2), chance.random() < 0.5
        label = f"race {index}{', to look' if looks else ''}"
        result.trial(label, _race, path, looks, killed)
    for name, (owner, open_again) in _owners().items():
        result.trial(f"stale lock: {name}", _stale, path, owner, open_again)
    return result


def _race(path: Path, looks: bool, killed: bool) -> None:
    shared = mmap.mmap(-1, 4096)
    children = [_opener(path, shared, 1 + n, looks) for n in range(OPENERS)]
    try:
        shared[0] = 1
        _until(lambda: all(shared[1 + n] for n in range(OPENERS)))
        found = [shared[1 + n] for n in range(OPENERS)]
        assert found.count(WRITES) == 1, f"{found.count(WRITES)} of them write"
        others = found.count(LOOKS if looks else REFUSED)
        assert others == OPENERS - 1, f"{found}"
        _only_looked_at(path, children[found.index(WRITES)])
    finally:
        shared[0] = 2
        for child in children:
            if killed:
                os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    start = time.monotonic()
    with LiveStore.open(path) as store:
        assert time.monotonic() - start < 1.0, "the dead writer's lock was held"
        assert store.progress()["trainer"][0] == LAST_ROW


def _opener(path: Path, shared: mmap.mmap, slot: int, looks: bool) -> int:
    """A process that opens the session as soon as the race begins."""
    child = os.fork()
    if child:
        return child
    found = 9
    try:
        while not shared[0]:
            pass
        source = open_session(path) if looks else LiveStore.open(path)
        found = WRITES if isinstance(source, LiveStore) else LOOKS
        assert len(source.history("loss")["step"]) > 0
    except SessionProblem as problem:
        found = REFUSED if problem.kind == "locked" else 9
    finally:
        shared[slot] = found
        _until(lambda: shared[0] == 2)
        os._exit(0)


def _only_looked_at(path: Path, writer: int) -> None:
    """Another opener is told who has it, and may look."""
    with contextlib.ExitStack() as opened:
        source = open_session(path)
        opened.callback(source.close)
        assert isinstance(source, StoreReader)
        assert not isinstance(source, LiveStore)
        assert source.summary()["steps"] == (LAST_ROW + 1) * samples.SLOTS_PER_ROW
    with pytest.raises(SessionProblem, match=f"process {writer}"):
        LiveStore.open(path)


def _owners() -> dict[str, tuple[dict[str, object], bool]]:
    """What a lock file may say on a disk that knows no locks; whether it is stale."""
    own = {"pid": os.getpid(), "boot": boot_id(), "started": _started()}
    gone = os.fork()
    if gone == 0:
        os._exit(0)
    os.waitpid(gone, 0)
    return {
        "this process": (own, False),
        "a process that is gone": (own | {"pid": gone}, True),
        "before the machine was started again": (own | {"boot": "another"}, True),
        "a later process of that number": (own | {"started": 1.0}, True),
        "nothing": ({}, True),
        "half a text": ({"pid": "x"}, True),
    }


def _started() -> float:
    return float(psutil.Process().create_time())


def _stale(path: Path, owner: dict[str, object], open_again: bool) -> None:
    file = path.with_suffix(".live") / "lock"
    file.write_text(json.dumps(owner))
    with mock.patch.object(lock, "_try_lock", return_value=None):
        if open_again:
            LiveStore.open(path).close()
        else:
            with pytest.raises(SessionProblem, match="another process"):
                LiveStore.open(path)
    file.write_text("")


def _until(reached: object) -> None:
    assert callable(reached)
    end = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.001)
