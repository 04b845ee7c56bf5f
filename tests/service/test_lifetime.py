"""When the engine ends, and who plays which role until then."""

from __future__ import annotations

from dataclasses import dataclass

from engine.service.lifetime import Lifetime
from engine.service.processes import Processes


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def needed(life: Lifetime, clients: int, state: str) -> bool:
    return not life.is_unneeded(clients, state, resting=state == "idle")


def test_an_idle_engine_ends_20_s_after_its_last_client() -> None:
    clock = Clock()
    life = Lifetime(clock, private=False)
    clock.now = 19.0
    assert needed(life, 0, "idle")
    clock.now = 50.0
    assert needed(life, 1, "idle")
    clock.now = 69.0
    assert needed(life, 0, "idle")
    clock.now = 71.0
    assert not needed(life, 0, "idle")


def test_a_training_engine_stays_and_a_paused_one_for_ten_minutes() -> None:
    clock = Clock()
    life = Lifetime(clock, private=False)
    clock.now = 599.0
    assert needed(life, 0, "paused")
    clock.now = 100_000.0
    assert needed(life, 0, "running")
    assert not needed(life, 0, "paused")


def test_a_private_engine_ends_with_its_client_and_waits_for_it_first() -> None:
    clock = Clock()
    life = Lifetime(clock, private=True)
    clock.now = 10.0
    assert needed(life, 0, "idle")
    assert needed(life, 1, "running")
    clock.now = 12.0
    assert not needed(life, 0, "running")


def test_it_ends_when_all_is_saved_or_saving_hangs() -> None:
    clock = Clock()
    life = Lifetime(clock, private=False)
    assert not life.is_over(resting=True)
    assert life.begin_end()
    assert not life.begin_end()
    assert not life.is_over(resting=False)
    assert life.is_over(resting=True)
    clock.now = 121.0
    assert life.is_over(resting=False)


@dataclass
class FakeProcess:
    pid: int


@dataclass
class FakeChild:
    role: str
    process: FakeProcess
    ready: bool = False


class FakeChildren:
    """Starts nothing."""

    def __init__(self) -> None:
        self.all: list[FakeChild] = []

    def start(self, role: str) -> FakeChild:
        self.all.append(FakeChild(role, FakeProcess(len(self.all) + 1)))
        return self.all[-1]

    def of_role(self, role: str) -> FakeChild | None:
        return next((it for it in self.all if it.role == role), None)

    def roles(self) -> list[str]:
        return [it.role for it in self.all]

    def lose(self, role: str) -> None:
        self.all = [it for it in self.all if it.role != role]


def company(**options: bool) -> tuple[Processes, FakeChildren, Clock]:
    clock, children = Clock(), FakeChildren()
    options = {"keeps_spare": True} | options
    return Processes(children, clock, **options), children, clock  # type: ignore[arg-type]


def test_the_trainer_comes_after_the_stage_or_after_a_moment() -> None:
    processes, children, clock = company()
    processes.start()
    processes.keep_up(running=False)
    assert children.roles() == ["stage", "keeper"]
    children.all[0].ready = True
    processes.keep_up(running=False)
    processes.keep_up(running=False)
    assert children.roles() == ["stage", "keeper", "trainer"]
    processes, children, clock = company()
    processes.start()
    clock.now = 2.0
    processes.keep_up(running=False)
    assert "trainer" in children.roles()


def test_a_ready_spare_takes_the_place_of_a_dead_trainer() -> None:
    processes, children, clock = company()
    processes.start_trainer()
    for seconds in (0.0, 1.0, 3.0, 3.0):
        clock.now += seconds
        processes.keep_up(running=True)
    spare = children.of_role("spare")
    assert spare is not None
    spare.ready = True
    children.lose("trainer")
    assert processes.replace("trainer") == (spare, True)
    assert (spare.role, spare.ready) == ("trainer", False)
    children.lose("trainer")
    assert not processes.replace("trainer")[1]


def test_a_role_is_given_up_after_three_restarts() -> None:
    processes, children, _ = company()
    for _ in range(3):
        children.lose("stage")
        assert processes.may_replace("stage")
        processes.replace("stage")
    children.lose("stage")
    assert not processes.may_replace("stage")
    assert processes.state("stage").state == "gone"


def test_no_spare_where_none_is_wanted_or_it_dies_again_and_again() -> None:
    for wanted, most in ((False, 0), (True, 3)):
        processes, children, clock = company(keeps_spare=wanted)
        started = 0
        for _ in range(20):
            clock.now += 3.0
            processes.keep_up(running=True)
            started += "spare" in children.roles()
            children.lose("spare")
        assert started == most
