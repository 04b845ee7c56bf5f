"""Films hold the pictures they were given, keep time, and end whole or not at all."""

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from engine.media import MediaCancelled, MediaProblem, encode_video, open_film
from engine.media import mp4 as mp4_module
from engine.media.leftovers import discard, growing, part, rescue

PLAYABLE = b"\0\0\0\x20ftypisom....moof...."


@pytest.fixture(scope="module")
def ended() -> int:
    """A process that is no more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    return child.pid


def left_by(pid: int, path: Path) -> Path:
    """What this process left of a film."""
    return path.with_name(f".{path.name}.{pid}.growing.mp4")


def moving_square(count: int, height: int = 60, width: int = 90) -> list[np.ndarray]:
    """A red square that moves two pixels to the right with each picture."""
    frames = []
    for t in range(count):
        frame = np.full((height, width, 3), 250, np.uint8)
        frame[20:40, 2 * t : 2 * t + 20] = (200, 30, 30)
        frames.append(frame)
    return frames


def decoded(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as film:
        return [it.to_ndarray(format="rgb24") for it in film.decode(video=0)]


def left_edge(frame: np.ndarray) -> int:
    """First column in which the square is red."""
    return int(np.flatnonzero(frame[30, :, 1] < 140)[0])


def test_an_mp4_shows_every_picture_in_its_place(tmp_path):
    path = tmp_path / "film.mp4"
    assert encode_video(path, moving_square(20), fps=50) == 20
    frames = decoded(path)
    assert [abs(left_edge(it) - 2 * t) <= 1 for t, it in enumerate(frames)] == [
        True
    ] * 20
    assert abs(frames[0][5, 5].astype(int) - 250).max() < 6


def test_an_mp4_is_h264_yuv420p_at_the_given_rate(tmp_path):
    path = tmp_path / "film.mp4"
    encode_video(path, moving_square(10), fps=12.5)
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert stream.average_rate == Fraction(25, 2)
        assert stream.duration * stream.time_base == Fraction(10) / Fraction(25, 2)


def test_odd_sizes_are_made_even(tmp_path):
    path = tmp_path / "film.mp4"
    encode_video(path, moving_square(3, height=61, width=91), fps=10)
    assert decoded(path)[0].shape == (62, 92, 3)


def test_a_growing_mp4_can_be_played_before_it_is_finished(tmp_path):
    film = open_film(tmp_path / "film.mp4", 30)
    for frame in moving_square(15, 200, 300) * 40:
        film.add(frame)
    (growing,) = tmp_path.iterdir()
    assert len(decoded(growing)) > 100
    film.abandon()


def test_a_gif_shows_the_pictures_and_keeps_time(tmp_path):
    path = tmp_path / "film.gif"
    encode_video(path, moving_square(31), fps=50)
    with Image.open(path) as film:
        durations = []
        for t in range(film.n_frames):
            film.seek(t)
            durations.append(film.info["duration"])
            edge = left_edge(np.asarray(film.convert("RGB")))
            assert edge == 2 * 2 * t
        assert film.info["loop"] == 0
    # 31 pictures at 50 per second, every second one kept: 16 of 40 ms.
    assert durations == [40] * 16


def test_a_gif_ends_with_the_last_picture_even_if_it_would_be_skipped(tmp_path):
    path = tmp_path / "film.gif"
    encode_video(path, moving_square(10), fps=50)
    with Image.open(path) as film:
        film.seek(film.n_frames - 1)
        assert left_edge(np.asarray(film.convert("RGB"))) == 18


def test_gif_delays_do_not_drift(tmp_path):
    path = tmp_path / "film.gif"
    encode_video(path, moving_square(30), fps=15)
    with Image.open(path) as film:
        total = 0
        for t in range(film.n_frames):
            film.seek(t)
            total += film.info["duration"]
    assert total == 2000


def test_png_pictures_are_lossless_and_numbered(tmp_path):
    frames = moving_square(3)
    encode_video(tmp_path / "pictures", frames, fps=10, kind="png")
    names = sorted(it.name for it in (tmp_path / "pictures").iterdir())
    assert names == ["000000.png", "000001.png", "000002.png"]
    with Image.open(tmp_path / "pictures" / names[2]) as picture:
        np.testing.assert_array_equal(np.asarray(picture), frames[2])


@pytest.mark.parametrize("kind", ["mp4", "gif", "png"])
def test_a_cancelled_film_leaves_nothing_behind(tmp_path, kind):
    path = tmp_path / f"film.{kind}"
    counted: list[int] = []
    with pytest.raises(MediaCancelled):
        encode_video(
            path,
            moving_square(10),
            fps=10,
            kind=kind,
            progress=counted.append,
            cancelled=lambda: len(counted) == 4,
        )
    assert counted == [1, 2, 3, 4]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["mp4", "gif", "png"])
def test_a_failing_source_leaves_the_old_film_alone(tmp_path, kind):
    path = tmp_path / f"film.{kind}"
    if kind != "png":
        path.write_bytes(b"the old film")

    def broken():
        yield from moving_square(2)
        raise RuntimeError("no more pictures")

    with pytest.raises(RuntimeError):
        encode_video(path, broken(), fps=10, kind=kind)
    left = [it.read_bytes() for it in tmp_path.iterdir()]
    assert left == ([] if kind == "png" else [b"the old film"])


@pytest.mark.parametrize("kind", ["mp4", "gif", "png"])
def test_a_missing_folder_is_one_sentence(tmp_path, kind):
    with pytest.raises(MediaProblem, match="there is no folder 'nowhere'"):
        open_film(tmp_path / "nowhere" / "film", 10, kind)


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path, monkeypatch):
    film = open_film(tmp_path / "film.gif", 10)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.media.gif.GifEncoder._take", full)
    with pytest.raises(MediaProblem, match="the disk is full"):
        film.add(moving_square(1)[0])
    assert list(tmp_path.iterdir()) == []


def test_a_missing_encoder_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(mp4_module, "CODEC", "libnothing")
    with pytest.raises(MediaProblem, match=r"encoder libnothing.*record a GIF"):
        open_film(tmp_path / "film.mp4", 10)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_format_names_the_known_ones(tmp_path):
    with pytest.raises(MediaProblem, match=r"'avi'\. Choose one of mp4, gif, png"):
        open_film(tmp_path / "film.avi", 10)


def test_a_film_without_pictures_is_refused(tmp_path):
    with pytest.raises(MediaProblem, match="would be empty"):
        encode_video(tmp_path / "film.mp4", [], fps=10)
    assert list(tmp_path.iterdir()) == []


def test_pictures_of_another_size_are_refused(tmp_path):
    frames = [moving_square(1)[0], moving_square(1, 10, 10)[0]]
    with pytest.raises(MediaProblem, match="from 90 x 60 to 10 x 10"):
        encode_video(tmp_path / "film.gif", frames, fps=10)


def test_what_is_no_picture_is_refused(tmp_path):
    with pytest.raises(MediaProblem, match="uint8"):
        encode_video(tmp_path / "film.gif", [np.zeros((4, 4))], fps=10)


def test_png_pictures_never_go_into_a_folder_with_other_things(tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "notes.txt").write_text("mine")
    with pytest.raises(MediaProblem, match="not an empty folder"):
        open_film(tmp_path / "pictures", 10, "png")


def test_of_a_killed_mp4_what_was_filmed_is_kept(tmp_path, ended):
    path = tmp_path / "film [1].mp4"
    film = open_film(path, 10)
    for frame in moving_square(60, width=180):
        film.add(frame)
    # What a killed process leaves is a copy of the folder at that moment.
    dead = tmp_path / "dead"
    dead.mkdir()
    for it in tmp_path.glob(".*"):
        gone = it.name.replace(f".{os.getpid()}.", f".{ended}.")
        assert gone != it.name
        (dead / gone).write_bytes(it.read_bytes())
    (dead / f".{path.name}.{ended}.part").write_bytes(b"half")
    film.abandon()
    left = rescue(dead / path.name)
    assert left == dead / "film [1] (unfinished).mp4"
    assert [it.name for it in dead.iterdir()] == [left.name]
    kept = decoded(left)
    assert len(kept) >= 30  # the last of them refer to some that were not written
    assert all(abs(left_edge(kept[t]) - 2 * t) <= 1 for t in range(30))


def test_a_film_that_was_not_begun_leaves_nothing(tmp_path, ended):
    path = tmp_path / "film.mp4"
    assert rescue(path) is None
    left_by(ended, path).write_bytes(b"\0\0\0\x20ftypisom")
    folder = tmp_path / f".film.mp4.{ended}.part"
    folder.mkdir()
    (folder / "000000.png").write_bytes(b"half")
    assert rescue(path) is None
    assert not list(tmp_path.iterdir())


def test_an_unfinished_film_replaces_no_other(tmp_path, ended):
    path = tmp_path / "film.mp4"
    names = []
    for _ in range(2):
        left_by(ended, path).write_bytes(PLAYABLE)
        names.append(rescue(path).name)
    assert names == ["film (unfinished).mp4", "film (unfinished 2).mp4"]


def test_what_somebody_is_writing_is_left_to_him(tmp_path, ended):
    path = tmp_path / "film.mp4"
    mine = [growing(path), part(path), tmp_path / ".film.mp4.mine.part"]
    for it in mine:
        it.write_bytes(PLAYABLE)
    left_by(ended, path).write_bytes(PLAYABLE)
    assert rescue(path) == tmp_path / "film (unfinished).mp4"
    discard(path)
    assert all(it.exists() for it in mine)


def test_a_new_film_keeps_what_is_left_of_an_unfinished_one(tmp_path, ended):
    path = tmp_path / "film.mp4"
    left_by(ended, path).write_bytes(PLAYABLE)
    film = open_film(path, 10)
    for frame in moving_square(3, width=20):
        film.add(frame)
    film.finish()
    names = {it.name for it in tmp_path.iterdir()}
    assert names == {"film.mp4", "film (unfinished).mp4"}
