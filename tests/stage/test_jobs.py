"""Jobs take turns, wait for answers, are cancelled, and fail alone."""

import pytest

from engine.contract.messages import Answer, Ask
from engine.stage.jobs import (
    ANSWER_WITHIN_S,
    OTHERS,
    JobQueue,
    Priority,
    RequestFailed,
    ask,
    at_leisure,
    finish,
)


class Clock:
    """Time that moves when it is told to, and a little with each look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


@pytest.fixture
def bench():
    """A queue, its clock, what it has sent, and a tape of what jobs did."""

    class Bench:
        clock, sent, tape = Clock(), [], []

        def __init__(self) -> None:
            self.sent, self.tape, self.clock = [], [], Clock()
            self.queue = JobQueue(lambda m, who: self.sent.append((m, who)), self.clock)

        def start(self, job, priority=Priority.QUESTION, owner=None):
            self.queue.start(
                job,
                priority,
                lambda result: self.tape.append(("done", result)),
                lambda error: self.tape.append(("failed", str(error))),
                owner,
            )

        def steps(self, name, count):
            for number in range(count):
                self.tape.append(f"{name}{number}")
                yield

    return Bench()


def test_the_most_urgent_job_goes_first(bench):
    bench.start(bench.steps("film", 2), Priority.FILM)
    bench.start(bench.steps("ask", 2), Priority.QUESTION)
    bench.queue.run(until=1e9)
    assert bench.tape == [
        "ask0",
        "ask1",
        ("done", None),
        "film0",
        "film1",
        ("done", None),
    ]


def test_a_slice_ends_in_time_but_always_gets_on(bench):
    bench.start(bench.steps("a", 1000))
    bench.queue.run(until=bench.clock.now)
    assert bench.tape == ["a0"]
    bench.queue.run(until=bench.clock.now + 0.02)
    assert 5 < len(bench.tape) < 25


def test_a_job_that_waits_for_an_answer_lets_others_go_on(bench):
    def curious():
        result = yield from ask("keeper", "summary", what=1)
        return result["steps"]

    bench.start(curious())
    bench.start(bench.steps("other", 1), Priority.FILM)
    bench.queue.run(until=1e9)
    message, who = bench.sent[0]
    assert (who, message) == ("keeper", Ask(message.id, "summary", {"what": 1}))
    assert bench.tape == ["other0", ("done", None)]
    assert bench.queue.on_answer(Answer(message.id, {"steps": 7}))
    bench.queue.run(until=1e9)
    assert bench.tape[-1] == ("done", 7)


def test_what_another_job_brings_is_waited_for_without_looking_again_and_again(bench):
    found, looks = [], []

    def waiter():
        while not found:
            looks.append(0)
            yield OTHERS
        return found[0]

    def bringer():
        found.append((yield from ask("keeper", "summary"))["steps"])

    bench.start(bringer(), Priority.FILM)
    bench.start(waiter())
    bench.queue.run(until=1e9)
    assert len(looks) == 2  # at first, and when the other one had asked
    assert bench.queue.wait_s() > 1  # so nobody has to come back for it
    bench.queue.on_answer(Answer(bench.sent[0][0].id, {"steps": 7}))
    bench.queue.run(until=1e9)
    assert len(looks) == 2
    assert bench.tape == [("done", None), ("done", 7)]


def test_who_waits_for_a_job_hears_that_it_was_cancelled(bench):
    def waiter():
        while bench.queue.count(Priority.FILM):
            yield OTHERS

    def bringer():
        yield from ask("keeper", "summary")

    bench.start(bringer(), Priority.FILM, owner="bringer")
    bench.start(waiter())
    bench.queue.run(until=1e9)
    assert bench.tape == []
    bench.queue.cancel("bringer")
    bench.queue.run(until=1e9)
    assert bench.tape == [("done", None)]


def test_jobs_that_wait_for_each_other_leave_the_core_alone(bench):
    def waiter():
        while len(bench.tape) < 100:
            bench.tape.append("look")
            yield OTHERS

    bench.start(waiter())
    bench.start(waiter())
    bench.queue.run(until=1e9)
    assert bench.tape == ["look", "look"]


def test_an_answer_that_nobody_waits_for_is_refused(bench):
    assert not bench.queue.on_answer(Answer(99, {}))


def test_an_error_of_the_other_side_can_be_caught(bench):
    def careful():
        try:
            yield from ask("keeper", "summary")
        except RequestFailed as error:
            return f"caught: {error}"

    bench.start(careful())
    bench.queue.run(until=1e9)
    bench.queue.on_answer(Answer(bench.sent[0][0].id, error="No session is open."))
    bench.queue.run(until=1e9)
    assert bench.tape == [("done", "caught: No session is open.")]


def test_an_answer_that_never_comes_is_an_error(bench):
    bench.start(ask("keeper", "summary"))
    bench.queue.run(until=1e9)
    bench.clock.now += ANSWER_WITHIN_S + 1
    assert bench.queue.wait_s() == 0.0
    bench.queue.run(until=1e9)
    assert bench.tape == [("failed", "No answer came within 30 seconds. Try again.")]


def test_a_job_may_ask_to_be_left_alone_for_a_while(bench):
    def sleepy():
        yield 10.0
        bench.tape.append("awake")

    bench.start(sleepy())
    bench.queue.run(until=1e9)
    assert bench.tape == []
    assert 9.9 < bench.queue.wait_s() <= 10.0
    bench.clock.now += 10.0
    bench.queue.run(until=1e9)
    assert bench.tape == ["awake", ("done", None)]


@pytest.mark.parametrize(("hasty", "rests"), [(False, [0.036, 0.036]), (True, [])])
def test_a_job_at_leisure_rests_four_times_as_long_as_it_works(hasty, rests):
    now = [0.0]

    def work():
        for _ in range(6):
            now[0] += 0.003
            yield
        return "made"

    def keep():
        made.append((yield from at_leisure(work(), 0.2, lambda: hasty, lambda: now[0])))

    made = []
    assert [round(it, 6) for it in keep() if it] == rests
    assert made == ["made"]


def test_nobody_rests_from_a_haste_that_is_over():
    now, made = [0.0], 0

    def work():
        nonlocal made
        for made in range(1_000):  # noqa: B007
            now[0] += 0.003
            yield

    job = at_leisure(work(), 0.2, lambda: made < 990, lambda: now[0])
    rests = [it for it in job if it]
    assert len(rests) == 3
    assert max(rests) < 0.05


def test_a_failing_job_fails_alone(bench):
    def broken():
        yield
        raise KeyError("q")

    bench.start(broken())
    bench.start(bench.steps("other", 1))
    bench.queue.run(until=1e9)
    assert bench.tape == [("failed", "'q'"), "other0", ("done", None)]


def test_cancelling_closes_the_jobs_of_one_owner_only(bench):
    def film():
        try:
            while True:
                yield
        finally:
            bench.tape.append("put away")

    bench.start(film(), owner="w1")
    bench.start(bench.steps("other", 1), Priority.FILM, owner="w2")
    bench.queue.run(until=bench.clock.now)
    assert bench.queue.cancel("w1")
    assert not bench.queue.cancel("w1")
    bench.queue.run(until=1e9)
    assert bench.tape == ["put away", "other0", ("done", None)]


def test_a_cancelled_job_gets_no_late_answer(bench):
    bench.start(ask("keeper", "summary"), owner="w1")
    bench.queue.run(until=1e9)
    bench.queue.cancel("w1")
    assert not bench.queue.on_answer(Answer(bench.sent[0][0].id, {}))


def test_finishing_a_job_that_needs_a_session_is_refused():
    with pytest.raises(RequestFailed, match="open session"):
        finish(ask("keeper", "summary"))


def test_a_branch_shares_the_time_with_questions(bench):
    bench.start(bench.steps("film", 1), Priority.FILM)
    bench.start(bench.steps("ask", 3), Priority.QUESTION)
    bench.start(bench.steps("branch", 2), Priority.BRANCH)
    bench.queue.run(until=1e9)
    told = [it for it in bench.tape if isinstance(it, str)]
    assert told == ["branch0", "ask0", "branch1", "ask1", "ask2", "film0"]
