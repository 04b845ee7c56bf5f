"""Settings, presets and pictures: old or new, a failure is told, nothing is left."""

import os

import pytest

from rllab_gui import problems, settings
from rllab_gui.plots.export import ExportProblem, write
from rllab_gui.saving import save, sweep
from rllab_gui.settings import NAME, Settings


def test_what_is_saved_replaces_what_was_there(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"before")
    save(path, b"after")
    assert path.read_bytes() == b"after"
    assert [it.name for it in tmp_path.iterdir()] == ["x.csv"]


def test_a_failed_save_leaves_the_old_file_and_is_told(tmp_path, monkeypatch):
    path = tmp_path / "x.csv"
    path.write_bytes(b"before")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(ExportProblem, match="No space left"):
        write(str(path), b"after")
    assert path.read_bytes() == b"before"
    assert [it.name for it in tmp_path.iterdir()] == ["x.csv"]


def test_only_what_a_dead_saver_of_this_file_left_is_swept(tmp_path):
    names = [f".x.csv.{os.getpid()}.part", ".y.csv.1999999999.part", ".x.csv.me.part"]
    for name in (*names, ".x.csv.1999999999.part"):
        (tmp_path / name).touch()
    sweep(tmp_path / "x.csv")
    assert sorted(it.name for it in tmp_path.iterdir()) == sorted(names)


def test_what_qt_left_beside_the_settings_goes_when_it_is_old(tmp_path):
    for name in (
        NAME,
        f"{NAME}.AbcdeF",
        f"{NAME}.backup",
        f"{NAME}.Xyzxyz",
        f"{NAME}.lock",
    ):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1e9, 1e9))
    os.utime(tmp_path / f"{NAME}.Xyzxyz")
    Settings(tmp_path)
    left = sorted(it.name for it in tmp_path.iterdir())
    assert left == [NAME, f"{NAME}.Xyzxyz", f"{NAME}.backup"]


def test_settings_that_cannot_be_kept_are_told_once(qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "CHECK_AFTER_MS", 0)
    (tmp_path / "file").touch()
    kept = Settings(tmp_path / "file")  # no folder: nothing can be written there
    told = []
    kept.tell(lambda: told.append(problems.NOT_KEPT))
    kept.set("theme", "dark")
    qtbot.waitUntil(lambda: bool(told))
    kept.set("theme", "light")
    qtbot.wait(20)
    assert len(told) == 1
    assert told[0].sentence().count(".") >= 2
