"""Films of episodes and of the shown agent show what was there."""

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from test_frames import truth
from theatre import tiny

from engine.contract.messages import (
    Ask,
    Cancel,
    JobProgress,
    Picture,
    Problem,
    SetViewer,
)
from engine.media.themes import THEMES
from engine.stage.questions.record_side_by_side import LINE


def decoded(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as film:
        return [it.to_ndarray(format="rgb24") for it in film.decode(video=0)]


def close_to(frame: np.ndarray, other: np.ndarray) -> float:
    """Mean difference of two pictures; films lose a little."""
    return float(np.abs(frame.astype(int) - other.astype(int)).mean())


def test_a_film_without_panels_is_the_episode(theatre, tmp_path):
    theatre.open(tiny(), live=False)
    path = tmp_path / "episode.mp4"
    found = theatre.result(
        "record", kind="training", episode=0, path=str(path), panels=""
    )
    expected, frames = truth(theatre, 0), decoded(path)
    assert found["frames"] == len(frames) == len(expected)
    assert max(close_to(a, b) for a, b in zip(frames, expected, strict=True)) < 1.0
    middle = len(frames) // 2
    assert close_to(frames[middle], expected[middle]) < close_to(
        frames[middle], expected[0]
    )


def test_progress_rises_to_the_end_and_names_the_file(theatre, tmp_path):
    theatre.open(tiny(), live=False)
    path = tmp_path / "episode.gif"
    theatre.result("record", kind="training", episode=0, path=str(path))
    told = [it for it in theatre.of(JobProgress) if it.job == "record.1"]
    fractions = [it.fraction for it in told]
    assert fractions == sorted(fractions)
    assert [it.done for it in told] == [False] * (len(told) - 1) + [True]
    assert told[-1].result == str(path)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_panels_stand_beside_the_frame(theatre, tmp_path, theme):
    theatre.open(tiny(), live=False)
    folder = tmp_path / "pictures"
    theatre.result(
        "record",
        kind="training",
        episode=0,
        path=str(folder),
        format="png",
        theme=theme,
        last=3,
    )
    expected = truth(theatre, 0)
    for t, name in enumerate(sorted(it.name for it in folder.iterdir())):
        with Image.open(folder / name) as image:
            picture = np.asarray(image.convert("RGB"))
        np.testing.assert_array_equal(picture[40:, :600], expected[t])
        column = picture[40:, 600:]
        taken = (column == THEMES[theme].taken).all(axis=2)
        assert taken[:180].sum() > 50
        assert (picture[0, 0] == THEMES[theme].ground).all()


def test_cancelling_leaves_nothing_and_says_so(theatre, tmp_path):
    theatre.open(tiny(), live=False)
    path = tmp_path / "episode.mp4"
    arguments = {"kind": "training", "episode": 0, "path": str(path)}
    theatre.tell(Ask(7, "record", arguments))
    theatre.run(lambda: [it for it in theatre.of(JobProgress) if it.fraction > 0])
    theatre.tell(Cancel(7))
    last = theatre.of(JobProgress)[-1]
    assert (last.job, last.done, last.result, last.text) == (
        "record.7",
        True,
        "",
        "cancelled",
    )
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_a_sentence(theatre, tmp_path):
    theatre.open(tiny(), live=False)
    path = str(tmp_path / "nowhere" / "film.mp4")
    found = theatre.ask("record", kind="training", episode=0, path=path)
    assert "there is no folder 'nowhere'" in found.error
    assert theatre.of(JobProgress)[-1].done


def test_a_panel_that_does_not_exist_is_a_sentence(theatre, tmp_path):
    theatre.open(tiny(), live=False)
    path = str(tmp_path / "film.mp4")
    found = theatre.ask(
        "record", kind="training", episode=0, path=path, panels="saliency"
    )
    assert found.error == "There is no panel 'saliency'. Choose from title, q, value."


def test_the_shown_agent_is_filmed_as_it_plays(theatre, tmp_path):
    theatre.look()
    theatre.open(tiny(), live=False)
    theatre.run(lambda: theatre.of(Picture)[-1:] and theatre.of(Picture)[-1].q.size)
    theatre.tell(SetViewer(speed=2.0))
    path = tmp_path / "live.mp4"
    theatre.result("record_live", do="start", path=str(path), panels="")
    assert (
        "is being recorded"
        in theatre.ask("record_live", do="start", path=str(path)).error
    )
    theatre.sent.clear()
    theatre.run(lambda: len(theatre.of(Picture)) > 12)
    shown = theatre.of(Picture)[1:10]
    found = theatre.result("record_live", do="stop")
    frames = decoded(path)
    assert found == {"job": "record.live", "path": str(path), "frames": len(frames)}
    assert len(frames) >= len(shown)
    for picture in shown:
        assert min(close_to(picture.frame, frame) for frame in frames) < 1.0
    with av.open(str(path)) as film:
        assert float(film.streams.video[0].average_rate) == pytest.approx(100.0)


def test_stopping_what_was_not_started_is_a_sentence(theatre):
    found = theatre.ask("record_live", do="stop")
    assert found.error == "Nothing is being recorded."
    assert (
        "No agent is shown"
        in theatre.ask("record_live", do="start", path="x.mp4").error
    )


def test_a_running_film_is_kept_when_another_agent_is_shown(theatre, tmp_path):
    theatre.look()
    theatre.open(tiny(), live=False)
    path = tmp_path / "live.gif"
    theatre.result("record_live", do="start", path=str(path))
    theatre.sent.clear()
    theatre.run(lambda: len(theatre.of(Picture)) > 4)
    theatre.open(tiny(training__seed=5), live=False)
    assert path.stat().st_size > 1000
    assert theatre.of(JobProgress)[-1].result == str(path)
    assert theatre.of(Problem) == []


def test_several_checkpoints_play_one_seed_side_by_side(theatre, tmp_path):
    theatre.open(tiny(), live=False)
    steps = [it.step for it in theatre.source.checkpoints()][:2]
    path = tmp_path / "both.mp4"
    given = {"kind": "training", "episode": 0, "path": str(path)}
    found = theatre.result("record_side_by_side", **given, checkpoints=steps)
    assert found["steps"] == steps
    frames = decoded(path)
    assert len(frames) == found["frames"] == max(found["returns"]) + 1
    alone = tmp_path / "alone.mp4"
    theatre.result("record", **(given | {"path": str(alone)}), panels="title")
    wide = decoded(alone)[0].shape[1]
    assert frames[0].shape[1] == 2 * wide + LINE
    left, right = frames[0][60:, :wide], frames[0][60:, -wide:]  # below the titles
    assert close_to(left, right) < 1.0  # one seed: both begin alike


def test_a_checkpoint_that_is_not_kept_is_named(theatre, tmp_path):
    theatre.open(tiny(), live=False)
    given = {"kind": "training", "episode": 0, "path": str(tmp_path / "a.gif")}
    wrong = theatre.ask("record_side_by_side", **given, checkpoints=[1, 2])
    assert wrong.error.startswith("There is no checkpoint of step 1; the nearest")
    one = theatre.ask("record_side_by_side", **given, checkpoints=[100])
    assert "2 to 6 checkpoints" in one.error
    assert not (tmp_path / "a.gif").exists()
