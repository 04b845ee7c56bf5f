import pytest

from engine.contract.plain_text import LONGEST, visible


@pytest.mark.parametrize("text", ["", "plain", "Größe ≤ 3 · 日本語", "<img src=x>"])
def test_what_can_be_seen_stays(text):
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202egpj.exe", "a\\u202egpj.exe"),
        ("\x1b[2J", "\\u001b[2J"),
        ("a\0b", "a\\u0000b"),
        ("one\ntwo", "one\\u000atwo"),
        ("\u200bhidden\u2066", "\\u200bhidden\\u2066"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_what_cannot_be_seen_is_written_out(text, shown):
    assert visible(text) == shown
    assert visible(text).isprintable()


def test_lines_may_stay():
    assert visible("one\ntwo\r", lines=True) == "one\ntwo\\u000d"


def test_a_long_text_is_cut():
    assert len(visible("x" * 1_000_000)) == LONGEST
    assert visible("x" * 1_000_000).endswith("…")
    assert visible("abcdef", 4) == "abc…"
    assert visible("x" * LONGEST) == "x" * LONGEST
