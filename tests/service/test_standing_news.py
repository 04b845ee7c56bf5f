"""What a window is told that comes later than what happened."""

from __future__ import annotations

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


def test_problems_of_a_session_go_with_it() -> None:
    news = StandingNews()
    news.remember(SessionStatus(uuid="one"))
    news.remember(Problem("training.nan", "The loss is NaN."))
    news.remember(Problem("disk", "The disk is full."))
    news.remember(SessionStatus(uuid="one", durable_step=7))
    assert names(news) == ["training.nan", "disk"]
    news.remember(SessionStatus(uuid="two"))
    assert names(news) == ["disk"]


def test_of_what_is_shown_the_last_counts() -> None:
    news = StandingNews()
    assert news.viewer is None
    assert news.shown is None
    for speed in (1.0, 2.0):
        news.remember(SetViewer(speed=speed))
    news.remember(ShowAgent("{}"))
    assert news.viewer == SetViewer(speed=2.0)
    assert news.shown == ShowAgent("{}")
