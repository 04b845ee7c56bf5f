"""The commands that move the cursor."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rllab_gui.commands import Command
from rllab_gui.lab import Lab

if TYPE_CHECKING:
    from rllab_gui.main_window import MainWindow


def transport_commands(lab: Lab, window: MainWindow) -> list[Command]:
    """Going through an episode, from one to another, and along the training."""
    cursor, playback = lab.cursor, lab.playback
    table: tuple[tuple[str, str, str, Callable[[], object], str], ...] = (
        ("play", "Play or pause", "Play the episode", window.play_or_pause, "Space"),
        ("stepBack", "Step back", "One step back", lambda: cursor.step(-1), "Left"),
        ("stepFwd", "Step forward", "One step on", lambda: cursor.step(1), "Right"),
        (
            "back10",
            "Ten steps back",
            "Ten steps back; at the root of a branch, out of it",
            lambda: lab.branches.back(10),
            "Shift+Left",
        ),
        (
            "fwd10",
            "Ten steps forward",
            "Ten steps on",
            lambda: cursor.step(10),
            "Shift+Right",
        ),
        ("first", "First step", "To the first step", lambda: cursor.seek(0), "Home"),
        (
            "last",
            "Last step",
            "To the last step",
            lambda: cursor.seek(cursor.last),
            "End",
        ),
        (
            "prevEpisode",
            "Previous episode",
            "To the episode before",
            lambda: playback.go(-1),
            "PgUp",
        ),
        (
            "nextEpisode",
            "Next episode",
            "To the episode after",
            lambda: playback.go(1),
            "PgDown",
        ),
        (
            "nextMark",
            "Next mark",
            "To the next step that is marked as telling",
            lambda: playback.go_to_mark(1),
            "N",
        ),
        (
            "prevMark",
            "Previous mark",
            "To the marked step before",
            lambda: playback.go_to_mark(-1),
            "Shift+N",
        ),
        (
            "prevCheckpoint",
            "Judge by an earlier checkpoint",
            "Let the checkpoint before judge; before the first: as recorded",
            lambda: lab.axis.next(-1),
            "Shift+PgUp",
        ),
        (
            "nextCheckpoint",
            "Judge by a later checkpoint",
            "Let the next kept checkpoint judge what is shown",
            lambda: lab.axis.next(1),
            "Shift+PgDown",
        ),
        (
            "mark",
            "Bookmark this step",
            "Mark the step at the cursor, and write a note to it",
            lab.noting.mark,
            "M",
        ),
        (
            "prevBookmark",
            "Previous bookmark",
            "To the bookmark before, also in another episode",
            lambda: lab.noting.go(-1),
            "[",
        ),
        (
            "nextBookmark",
            "Next bookmark",
            "To the bookmark after, also in another episode",
            lambda: lab.noting.go(1),
            "]",
        ),
        ("slower", "Slower", "Play more slowly", lambda: playback.faster(-1), ","),
        ("faster", "Faster", "Play faster", lambda: playback.faster(1), "."),
        (
            "loop",
            "Loop",
            "Play once, everything again, or the selection again",
            cursor.next_loop,
            "O",
        ),
    )
    commands = [
        Command(f"transport.{name}", text, tip, deed, (keys,), plain=True)
        for name, text, tip, deed, keys in table
    ]
    follow = Command(
        "transport.follow",
        "Follow live",
        "Always show the newest episode",
        playback.set_follow,
        ("L",),
        checkable=True,
        plain=True,
    )
    return [*commands, follow]
