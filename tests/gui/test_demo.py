"""The demo drives the real window with the real engine, and says when it cannot."""

import os
import subprocess
import sys
from pathlib import Path

import av
import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QPushButton, QWidget

from rllab_gui.demo.hands import DemoProblem, Hands

PICTURES = ("train-light", "train-dark", "step-light", "step-dark")


@pytest.fixture
def room(qtbot):
    room = QWidget()
    room.setObjectName("room")
    qtbot.addWidget(room)
    button = QPushButton("press", room)
    button.setObjectName("room.button")
    room.show()
    return room


def test_hands_click_what_they_see(room):
    clicked = []
    room.findChild(QPushButton).clicked.connect(lambda: clicked.append(True))
    Hands(room).click("room.button")
    assert clicked == [True]


def test_what_does_not_appear_is_told(room):
    with pytest.raises(DemoProblem, match=r"'room\.door' is to be seen"):
        Hands(room, until_s=0.05).click("room.door")


def test_what_cannot_be_used_is_told(room):
    room.findChild(QPushButton).setEnabled(False)
    with pytest.raises(DemoProblem, match=r"'room\.button' can be used"):
        Hands(room, until_s=0.05).click("room.button")


def test_a_picture_that_cannot_be_written_is_told(room, tmp_path):
    with pytest.raises(DemoProblem, match=r"x\.png"):
        Hands(room).picture(tmp_path / "nowhere" / "x.png")


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(600)
def test_the_demo_trains_steps_through_exports_and_saves(tmp_path):
    words = ["-m", "rllab_gui.demo", "--out", str(tmp_path), "--train-seconds", "3"]
    done = subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    looks = {name: QImage(str(tmp_path / f"{name}.png")) for name in PICTURES}
    assert {it.width() for it in looks.values()} == {1440}
    for workspace in ("train", "step"):
        light, dark = looks[f"{workspace}-light"], looks[f"{workspace}-dark"]
        corner = (5, light.height() - 5)
        assert light.pixelColor(*corner).value() > dark.pixelColor(*corner).value()
    with av.open(str(tmp_path / "episode.mp4")) as film:
        assert sum(1 for _ in film.decode(video=0)) > 5
    assert (tmp_path / "demo.h5").stat().st_size > 10_000
