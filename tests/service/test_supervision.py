"""Small parts of the supervisor: restarts, clients, who gets what, the outbox."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.contract.codec import encode
from engine.contract.messages import (
    Answer,
    Ask,
    Checkpoint,
    CheckpointStored,
    Message,
    Problem,
    Rows,
    RowsStored,
    Scalars,
    SetViewer,
    TrainerStatus,
)
from engine.service import outbox as outbox_module
from engine.service.audience import SILENT_S, Audience
from engine.service.children import RestartRule
from engine.service.home import find_home
from engine.service.outbox import Outbox
from engine.service.supervisor import Supervisor
from engine.service.switchboard import Switchboard
from engine.service.transport import unpack


def test_three_restarts_in_ten_minutes_and_no_more() -> None:
    rule = RestartRule()
    assert [rule.allow(t) for t in (0.0, 1.0, 2.0, 3.0)] == [True, True, True, False]
    assert rule.allow(601.0)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_client_that_is_silent_or_dead_is_gone() -> None:
    clock, dead = Clock(), set[int]()
    audience = Audience(clock, lambda pid: pid not in dead)
    audience.welcome("window-1", 1)
    audience.welcome("window-2", 2)
    clock.now = SILENT_S - 1
    assert audience.heard("window-1")
    assert audience.gone() == []
    clock.now = SILENT_S + 1
    assert audience.gone() == ["window-2"]
    assert not audience.heard("window-2")
    dead.add(1)
    assert audience.gone() == ["window-1"]
    assert len(audience) == 0


def test_a_topic_is_for_who_subscribed_and_the_rest_for_all() -> None:
    audience = Audience(Clock(), lambda pid: True)
    audience.welcome("window-1", 1)
    audience.welcome("window-2", 2)
    audience.subscribe("window-1", ["picture"])
    assert audience.readers("Picture") == ["window-1"]
    assert audience.readers("TrainerStatus") == ["window-1", "window-2"]


class FakeHub:
    """Remembers who got what; some cannot read any more."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, Message]] = []
        self.deaf: set[bytes] = set()

    def forward(self, identity: bytes, sender: str, frames: list[bytes]) -> bool:
        if identity in self.deaf:
            return False
        self.sent.append((identity.decode(), sender, unpack(frames)))
        return True


@pytest.fixture
def hub() -> FakeHub:
    return FakeHub()


@pytest.fixture
def board(hub: FakeHub) -> Switchboard:
    audience = Audience(Clock(), lambda pid: True)
    audience.welcome("window-1", 1)
    return Switchboard(hub, audience)  # type: ignore[arg-type]


def test_what_is_sent_to_a_process_that_starts_waits_for_it(
    board: Switchboard, hub: FakeHub
) -> None:
    board.send("stage", SetViewer(2.0), "window-1")
    board.connect("stage", "stage.1")
    assert hub.sent == []
    board.hand_over("stage")
    assert hub.sent == [("stage.1", "window-1", SetViewer(2.0))]


def test_rows_do_not_wait_as_the_trainer_sends_them_again(
    board: Switchboard, hub: FakeHub
) -> None:
    board.send("keeper", Rows("trainer", 1, 1), "trainer")
    board.connect("keeper", "keeper.2")
    board.hand_over("keeper")
    assert hub.sent == []


def test_who_waits_for_the_answer_of_a_dead_process_is_told(
    board: Switchboard, hub: FakeHub
) -> None:
    board.note_question("window-1", "stage", 4)
    board.note_question("window-1", "stage", 5)
    board.note_answer("stage", "window-1", 4)
    board.disconnect("stage")
    (to, _, answer), *rest = hub.sent
    assert to == "window-1"
    assert isinstance(answer, Answer)
    assert answer.id == 5
    assert "stage ended" in answer.error
    assert rest == []


def test_who_asks_a_process_that_is_not_started_again_is_told(
    board: Switchboard, hub: FakeHub
) -> None:
    board.close("stage")
    board.note_question("window-1", "stage", 6)
    board.send("stage", Ask(6, "judge_episode", {}), "window-1")
    ((to, _, answer),) = hub.sent
    assert to == "window-1"
    assert isinstance(answer, Answer)
    assert answer.id == 6
    assert "not started again" in answer.error
    board.connect("stage", "stage.9")  # the person has started it
    board.hand_over("stage")
    board.note_question("window-1", "stage", 7)
    assert len(hub.sent) == 1


def test_a_window_that_cannot_take_more_has_to_say_hello_again(
    board: Switchboard, hub: FakeHub
) -> None:
    hub.deaf.add(b"window-1")
    board.send("windows", TrainerStatus("idle"))
    hub.deaf.clear()
    board.send("windows", TrainerStatus("idle"))
    assert hub.sent == []


class FakeLine:
    def __init__(self) -> None:
        self.sent: list[Message] = []

    def send_frames(self, destination: str, frames: list[bytes]) -> None:
        assert destination == "keeper"
        self.sent.append(unpack(frames))


def rows(number: int, size: int = 1) -> Rows:
    columns = {"value": np.zeros(size)}
    return Rows("trainer", number, number * 10, scalars=Scalars(["a"], columns))


def checkpoint(step: int, row: int) -> Checkpoint:
    return Checkpoint(step, 0, 0, "stop", row, {"w": np.zeros(2)}, "{}", "")


def test_only_what_is_not_durable_is_sent_again_in_its_order() -> None:
    line = FakeLine()
    outbox = Outbox(line, 3)  # type: ignore[arg-type]
    for number in (3, 4):
        outbox.send_rows(rows(number))
    outbox.send_checkpoint(checkpoint(40, 4))
    outbox.send_rows(rows(5))
    assert outbox.next_row == 6
    outbox.settle(RowsStored("trainer", 4, 40))
    line.sent.clear()
    outbox.send_again()
    assert [type(it) for it in line.sent] == [Checkpoint, Rows]
    outbox.settle(CheckpointStored(40, "stop"))
    line.sent.clear()
    outbox.send_again()
    assert [getattr(it, "number", None) for it in line.sent] == [5]


def test_the_outbox_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    size = sum(len(it) for it in encode(rows(0, 1000)))
    monkeypatch.setattr(outbox_module, "MOST_BYTES", 3 * size)
    outbox = Outbox(FakeLine(), 0)  # type: ignore[arg-type]
    for number in range(4):
        assert not outbox.is_full
        outbox.send_rows(rows(number, 1000))
    assert outbox.is_full
    outbox.settle(RowsStored("trainer", 2, 0))
    assert outbox.is_eased


def test_a_window_that_comes_later_is_told_what_is_wrong(tmp_path: Path) -> None:
    supervisor = Supervisor(find_home(tmp_path))
    wrong = Problem("engine.save", "'run.h5' could not be written.")
    supervisor._tell(wrong)
    told = supervisor._greeting()
    supervisor._hub.close()
    assert wrong in told
