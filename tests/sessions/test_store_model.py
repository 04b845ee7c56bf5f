"""Whatever is done to a store, it holds exactly what a list would hold."""

import shutil
import tempfile
from pathlib import Path

import numpy as np
import session_samples as samples
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engine.sessions import LiveStore

ROWS = [samples.rows(number) for number in range(200)]


class StoreAgainstModel(RuleBasedStateMachine):
    """The model: how many rows are durable, and at which rows checkpoints are."""

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        path = self.folder / "run.h5"
        self.store = LiveStore.create(path, samples.configuration(), samples.CARD)
        self.given = self.durable = 0
        self.checkpoints = []

    def teardown(self):
        self.store.close()
        shutil.rmtree(self.folder)

    @rule(count=st.integers(1, 9))
    def append(self, count):
        for number in range(self.given, min(self.given + count, len(ROWS))):
            assert self.store.append(ROWS[number])
        self.given = min(self.given + count, len(ROWS))

    @rule(back=st.integers(1, 4))
    def append_again(self, back):
        for number in range(max(0, self.given - back), self.given):
            assert not self.store.append(ROWS[number])

    @rule()
    def commit(self):
        told = self.store.commit()
        if self.given > self.durable:
            last = self.given - 1
            assert told == {"trainer": (last, ROWS[last].step)}
        self.durable = self.given

    @precondition(lambda self: self.given)
    @rule(reason=st.sampled_from(["periodic", "recovery", "pause"]))
    def checkpoint(self, reason):
        last = self.given - 1
        wanted = samples.checkpoint(ROWS[last].step, last, reason)
        self.store.write_checkpoint(wanted)
        self.durable = self.given
        self.checkpoints = [it for it in self.checkpoints if it != last] + [last]

    @rule()
    def kill(self):
        """What is on disk at this moment is opened by another process."""
        copy = self.folder / "copy" / "run.live"
        shutil.copytree(self.store.folder, copy)
        self.store.close()
        shutil.rmtree(self.store.folder)
        copy.rename(self.store.folder)
        copy.parent.rmdir()
        self.store = LiveStore.open(self.store.path)
        self.given = self.durable

    @precondition(lambda self: self.given and self.checkpoints[-1:] == [self.given - 1])
    @rule()
    def close_into_the_file(self):
        """As after *Stop*: nothing came after the last checkpoint."""
        self.store.close(fold=True)
        self.durable = self.given
        self.store = LiveStore.open(self.store.path)

    @precondition(lambda self: self.checkpoints)
    @rule()
    def go_on_from_the_checkpoint(self):
        point = self.store.resume_point()
        self.store.truncate_after(point)
        assert point.first_row == self.checkpoints[-1] + 1
        self.given = self.durable = point.first_row

    @invariant()
    def holds_what_is_durable(self):
        lines = [ROWS[number].scalars.columns for number in range(self.durable)]
        for series, name in enumerate(["loss", "q_mean"]):
            parts = [it["value"][it["series"] == series] for it in lines]
            wanted = np.concatenate([np.empty(0), *parts])
            assert np.array_equal(self.store.history(name)["value"], wanted)
        done = [it.episode for rows in ROWS[: self.durable] for it in rows.finished]
        assert self.store.episodes()["episode"].tolist() == done
        marks = [event for rows in ROWS[: self.durable] for event in rows.events]
        found = [event for event in self.store.events() if event.kind == "option"]
        assert found == marks
        assert self.store.problems() == []

    @invariant()
    def can_go_on_exactly(self):
        if self.checkpoints:
            point = self.store.resume_point()
            last = self.checkpoints[-1]
            assert point.exact
            assert point.checkpoint.rows == last
            samples.same_ring(point.replay, samples.ring_after(last))


TestStoreAgainstModel = StoreAgainstModel.TestCase
TestStoreAgainstModel.settings = settings(
    max_examples=8,
    stateful_step_count=12,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
