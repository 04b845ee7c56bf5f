"""What a window is told that comes later than what happened."""

from __future__ import annotations

from msgspec.structs import replace

from engine.contract.messages import (
    Problem,
    SessionStatus,
    SetViewer,
    ShowAgent,
    Solved,
)
from engine.service.standing_news import StandingNews


def names(news: StandingNews) -> list[str]:
    return [it.id for it in news.problems]


def test_a_problem_holds_until_it_is_solved() -> None:
    news = StandingNews()
    for id in ("disk", "trainer"):
        news.remember(Problem(id, "Something is wrong."))
    news.remember(Problem("disk", "It has become worse."))
    assert [it.what for it in news.problems] == [
        "It has become worse.",
        "Something is wrong.",
    ]
    news.remember(Solved("disk"))
    news.remember(Solved("never.heard.of"))
    assert names(news) == ["trainer"]


def test_what_only_informs_is_not_kept() -> None:
    news = StandingNews()
    news.remember(Problem("checkpoint", "Kept.", severity="information"))
    assert names(news) == []


def test_a_window_that_comes_later_hears_nothing_of_a_session_that_is_closed() -> None:
    news = StandingNews()
    diverged = Problem("training.diverged", "The loss is not finite.")
    unwritten = Problem("engine.save", "'run.h5' could not be written.")
    opened = SessionStatus(path="/run.h5", uuid="u")
    for message in (opened, diverged, unwritten, replace(opened, live=True)):
        news.remember(message)
    assert list(news.problems) == [diverged, unwritten]
    news.remember(SessionStatus())
    assert list(news.problems) == [unwritten]


def test_of_what_is_shown_the_last_counts() -> None:
    news = StandingNews()
    assert news.viewer is None
    assert news.shown is None
    for speed in (1.0, 2.0):
        news.remember(SetViewer(speed=speed))
    news.remember(ShowAgent("{}"))
    assert news.viewer == SetViewer(speed=2.0)
    assert news.shown == ShowAgent("{}")
