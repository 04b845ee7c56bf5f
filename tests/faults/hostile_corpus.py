"""Every hostile session there is, as something that lies in a folder."""

import contextlib
import json
import os
import shutil
import socket
import sqlite3
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import hostile_records
import numpy as np
import session_samples as samples
from hostile_bytes import IMAGES, image_of
from hostile_contents import CONTENTS
from hostile_structures import STRUCTURES

from engine.sessions import LiveStore
from engine.sessions.hdf5 import LIBVER
from engine.sessions.packing import checksum
from engine.sessions.seal import SealedReader, sealed
from engine.sessions.source import CheckpointRow

CHANGES = STRUCTURES | CONTENTS
SECRET = "secret.txt"
assert hostile_records.__name__


class Case(NamedTuple):
    """One of them; ``make`` puts it into a folder and says where it is."""

    name: str
    make: Callable[[Path], Path]


def whole_image(folder: Path) -> bytes:
    """A good session without its seal."""
    path = folder / "whole.h5"
    with LiveStore.create(path, samples.configuration(), samples.CARD) as store:
        samples.run(store).close(fold=True)
    with path.open("rb") as file:
        return SealedReader(file, path.name).read()


def cases(image: bytes) -> list[Case]:
    """All of them; each file with and without a seal."""
    found = []
    for name in (*CHANGES, *IMAGES):
        found.append(Case(name, partial(_file, image, name, True)))
        found.append(Case(f"{name}, unsealed", partial(_file, image, name, False)))
    found += [Case(name, partial(_place, make, image)) for name, make in PLACES.items()]
    return found


def live_cases(image: bytes) -> list[Case]:
    """Folders of a live store that somebody else has made."""
    return [Case(name, partial(_live, spoil, image)) for name, spoil in LIVE.items()]


def _file(image: bytes, name: str, seal: bool, folder: Path) -> Path:
    made = IMAGES[name](image) if name in IMAGES else image_of(CHANGES[name], image)
    path = folder / "hostile.h5"
    path.write_bytes(sealed(made) if seal else made)
    return path


# ------------------------------------------------------------------------ places

PLACES = {}


def place(make):
    PLACES[make.__name__] = make
    return make


def _place(make, image: bytes, folder: Path) -> Path:
    (folder / SECRET).write_text("nobody reads this")
    path = folder / "hostile.h5"
    return make(path, image) or path


@place
def pipe(path, image):
    os.mkfifo(path)


@place
def link_to_a_session(path, image):
    path.with_name("real.bin").write_bytes(sealed(image))
    path.symlink_to("real.bin")


@place
def link_to_itself(path, image):
    path.symlink_to(path.name)


@place
def link_to_a_device(path, image):
    path.symlink_to("/dev/zero")


@place
def link_to_a_secret(path, image):
    path.symlink_to(SECRET)


@place
def folder_of_that_name(path, image):
    path.mkdir()


@place
def device(path, image):
    with contextlib.suppress(OSError):  # only the administrator can make one
        os.mknod(path, 0o20600, os.makedev(1, 5))


@place
def local_socket(path, image):
    end = socket.socket(socket.AF_UNIX)
    before = os.getcwd()
    os.chdir(path.parent)  # names of sockets are short
    try:
        end.bind(path.name)
    finally:
        os.chdir(before)
        end.close()


@place
def empty(path, image):
    path.write_bytes(b"")


@place
def nothing(path, image):
    return path.with_name("nothing.h5")


@place
def very_sparse(path, image):
    path.write_bytes(sealed(image))
    os.truncate(path, 1 << 40)


@place
def sealed_and_cut(path, image):
    path.write_bytes(sealed(image)[:-1])


@place
def sealed_twice(path, image):
    path.write_bytes(sealed(sealed(image)))


@place
def seal_of_something_else(path, image):
    path.write_bytes(sealed(b"#!/bin/sh\ntouch owned\n"))


@place
def name_like_an_option(path, image):
    path = path.with_name("--help.h5")
    path.write_bytes(sealed(image)[:-9])
    return path


@place
def name_with_markup(path, image):
    path = path.with_name("<img src=secret.txt>\u202egpj.h5")
    path.write_bytes(sealed(image)[:-9])
    return path


@place
def modules_beside_it(path, image):
    """What lies beside a file is not imported because somebody stands there."""
    for name in ("numpy", "json", "h5py", "engine", "msgspec", "sitecustomize"):
        text = "open('owned', 'w').write('owned')\n"
        path.with_name(f"{name}.py").write_text(text)
    path.write_bytes(sealed(image))


# ------------------------------------------------------------------- live stores

LIVE = {}


def live(spoil):
    LIVE[spoil.__name__] = spoil
    return spoil


def live_session(folder: Path) -> Path:
    """A good live folder, as a killed process leaves it."""
    path = folder / "hostile.h5"
    with LiveStore.create(path, samples.configuration(), samples.CARD) as store:
        samples.run(store, last_row=12, checkpoint_rows=(9,))
    return store.folder


def _live(spoil, image: bytes, folder: Path) -> Path:
    (folder / SECRET).write_text("nobody reads this")
    spoil(live_session(folder))
    return folder / "hostile.h5"


@contextlib.contextmanager
def database(folder):
    connection = sqlite3.connect(folder / "live.sqlite", isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


@live
def a_trigger(folder):
    with database(folder) as db:
        db.execute(
            "CREATE TRIGGER own AFTER INSERT ON event BEGIN DELETE FROM telemetry; END"
        )


@live
def a_view_in_place_of_a_table(folder):
    with database(folder) as db:
        db.execute("DROP TABLE event")
        db.execute(
            "CREATE VIEW event AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT "
            "i + 1 FROM n) SELECT i AS seq, i AS row, i AS step, 0 AS crc, '{}' AS "
            "json FROM n"
        )


@live
def a_table_that_computes(folder):
    with database(folder) as db:
        db.execute("DROP TABLE event")
        db.execute(
            "CREATE TABLE event(seq INTEGER PRIMARY KEY, row, step, crc, json, "
            "more AS (zeroblob(1000000000)))"
        )


@live
def a_blob_that_is_large(folder):
    with database(folder) as db:
        db.execute("UPDATE replay_log SET data = zeroblob(300000000) WHERE row = 1")


@live
def a_bomb_in_an_episode(folder):
    body = b"\1" + zlib.compress(bytes(500_000_000), 9)
    with database(folder) as db:
        query = "SELECT id, owner, name, piece FROM episode_piece LIMIT 1"
        number, *keys = db.execute(query).fetchone()
        crc = checksum(body, "episode_piece", *keys)
        query = "UPDATE episode_piece SET crc = ?, data = ? WHERE id = ?"
        db.execute(query, (crc, body, number))


def _meta(folder, key, text):
    with database(folder) as db:
        row = (key, checksum(text, "meta", key), text)
        db.execute("INSERT OR REPLACE INTO meta VALUES(?, ?, ?)", row)


@live
def deep_views(folder):
    _meta(folder, "views", "[" * 100_000 + "]" * 100_000)


@live
def no_series(folder):
    _meta(folder, "series", "5")


@live
def a_module_as_environment(folder):
    configuration = json.loads(samples.configuration())
    configuration["environment"]["id"] = "os:system"
    _meta(folder, "configuration", json.dumps(json.dumps(configuration)))


@live
def an_event_that_is_none(folder):
    with database(folder) as db:
        row = (1, 1, checksum("[1]", "event", 1, 1), "[1]")
        db.execute("INSERT INTO event(row, step, crc, json) VALUES(?, ?, ?, ?)", row)


@live
def slots_far_away(folder):
    slots = (2**61).to_bytes(8, "little")
    with database(folder) as db:
        (data,) = db.execute("SELECT data FROM replay_log LIMIT 1").fetchone()
        (previous,) = db.execute("SELECT max(row) FROM replay_log").fetchone()
        row = previous + 1
        sums = (
            checksum(slots, "replay_slots", row, previous),
            checksum(data, "replay_log", row),
        )
        query = "INSERT INTO replay_log VALUES(?, ?, ?, ?, ?, ?)"
        db.execute(query, (row, previous, *sums, slots, data))


@live
def another_program(folder):
    (folder / "live.sqlite").write_bytes(b"#!/bin/sh\ntouch owned\n" * 1000)


def _checkpoint_entry(folder, text):
    with database(folder) as db:
        row = (0, checksum(text, "checkpoint", 0), text)
        db.execute("INSERT OR REPLACE INTO checkpoint VALUES(?, ?, ?)", row)


@live
def an_entry_of_a_checkpoint_that_is_text(folder):
    _checkpoint_entry(folder, '"x"')


@live
def an_entry_of_a_checkpoint_that_counts_in_words(folder):
    words = dict.fromkeys(CheckpointRow._fields, "many")
    _checkpoint_entry(folder, json.dumps(words))


@live
def an_entry_of_a_checkpoint_with_more(folder):
    _checkpoint_entry(folder, json.dumps({"number": 0, "step": 1, "__class__": "os"}))


@live
def an_evaluation_that_is_none(folder):
    with database(folder) as db:
        for step, data in enumerate((b"", b"x", b"\x00" * 9, b"\xff" * 40)):
            row = (step, checksum(data, "evaluation", step), data)
            db.execute("INSERT OR REPLACE INTO evaluation VALUES(?, ?, ?)", row)


@live
def progress_of_words(folder):
    _meta(folder, "progress", '{"trainer": ["a", "b"]}')


@live
def progress_that_is_a_number(folder):
    _meta(folder, "progress", "5")


@live
def a_revision_of_words(folder):
    _meta(folder, "revision", '"many"')


@live
def a_seal_of_words(folder):
    _meta(folder, "sealed", '"yesterday"')


@live
def an_episode_whose_head_is_none(folder):
    with database(folder) as db:
        number, *keys = db.execute(
            "SELECT id, kind, episode, row, step FROM episode LIMIT 1"
        ).fetchone()
        for head in ("[]", '{"shapes": {"actions": ["<i8", [-5]]}}'):
            crc = checksum(head, "episode", *keys)
            query = "UPDATE episode SET crc = ?, head = ? WHERE id = ?"
            db.execute(query, (crc, head, number))


@live
def a_block_of_another_length(folder):
    with database(folder) as db:
        number, part, row, step, count, data = db.execute(
            "SELECT seq, part, last_row, last_step, count, data FROM telemetry LIMIT 1"
        ).fetchone()
        crc = checksum(data, "telemetry", part, row, step, count + 9)
        query = "UPDATE telemetry SET crc = ?, count = ? WHERE seq = ?"
        db.execute(query, (crc, count + 9, number))


@live
def many_checkpoints(folder):
    for number in range(1, 3000):
        (folder / f"ck-{number:08d}.h5").write_bytes(b"x")


def _other_checkpoint(name, change):
    """The session's own checkpoint is another file, whole and sealed."""

    def spoil(folder):
        path = folder / "ck-00000000.h5"
        with path.open("rb") as file:
            image = SealedReader(file, path.name).read()
        path.unlink()
        path.write_bytes(sealed(change(image)))

    LIVE[f"a checkpoint that is {name}"] = spoil


_other_checkpoint("a picture", lambda image: b"\x89PNG\r\n\x1a\n" + bytes(5000))
_other_checkpoint("half", lambda image: image[: len(image) // 2])
_other_checkpoint("nothing", lambda image: b"")


def _with_structure(name, image):
    """A structure of the strangest among its own arrays."""

    def change(file):
        for text in ("config_json", "views_json"):
            file[text] = np.zeros(9, np.uint8)
        file["metrics/loss"] = np.zeros(9)
        STRUCTURES[name](file)
        file.move("metrics", "state/metrics")

    dense = {"libver": LIBVER} if name == "very_large_text" else {}
    return image_of(change, image, **dense)


for _name in sorted(STRUCTURES.keys() - {"ring_of_groups"}):  # which nobody can move
    _other_checkpoint(f"{_name} inside", partial(_with_structure, _name))


def _replaced(name, make):
    def spoil(folder):
        path = folder / name
        if path.is_file():
            path.unlink()
        make(path)

    return spoil


for _name in ("live.sqlite", "lock", "session.json", "ck-00000000.h5", "ballast"):
    LIVE[f"{_name} is a pipe"] = _replaced(_name, os.mkfifo)
    LIVE[f"{_name} is a link"] = _replaced(
        _name, lambda path: path.symlink_to(path.parents[1] / SECRET)
    )
LIVE["live.sqlite-wal is a pipe"] = _replaced("live.sqlite-wal", os.mkfifo)


@live
def the_folder_is_a_link(folder):
    moved = folder.with_name("elsewhere")
    shutil.move(folder, moved)
    folder.symlink_to(moved)
