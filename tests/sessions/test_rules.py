"""Each rule of the reader is switched off once; then a hostile file gets through."""

import contextlib
import hashlib
import io
import os
import struct
from pathlib import Path
from unittest import mock

import hostile_records
import pytest
import session_samples as samples
from hostile_bytes import IMAGES, image_of
from hostile_contents import CONTENTS
from hostile_structures import STRUCTURES

from engine.sessions import (
    LiveStore,
    SessionFile,
    SessionProblem,
    array_rules,
    chunk_decoding,
    regular_file,
    rules,
    seal,
    session_rules,
)
from engine.sessions.hdf5_reading import StrictFile
from engine.sessions.seal import SealedReader, sealed

MODULES = (rules, array_rules, chunk_decoding, seal, session_rules, regular_file)
ALL = {
    rule: table
    for module in MODULES
    for name, table in vars(module).items()
    if name.isupper() and isinstance(table, dict)
    for rule, judge in table.items()
    if callable(judge)
}
CHANGES = STRUCTURES | CONTENTS
NAME = "x.h5"
assert hostile_records.__name__


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    path = tmp_path_factory.mktemp("rules") / "run.h5"
    with LiveStore.create(path, samples.configuration(), samples.CARD) as store:
        samples.run(store).close(fold=True)
    with path.open("rb") as file:
        return SealedReader(file, NAME).read()


# ------------------------------------------------- what is tried with a hostile file


def strict(data):
    return StrictFile(SealedReader(io.BytesIO(data), NAME), NAME)


def walk(data):
    for _ in strict(data).walk():
        continue


def asked(method, *arguments):
    def ask(data):
        getattr(strict(data), method)(*arguments)

    return ask


def session(method, *arguments):
    def ask(data):
        file = SessionFile.of(Path(NAME), io.BytesIO(data), verify=True)
        getattr(file, method)(*arguments)

    return ask


def opened(data):
    SessionFile.of(Path(NAME), io.BytesIO(data), verify=True)


EPISODE = session("episode", "training", 0)
REPLAY = session("resume_point")
LIMITS = {
    "members": (rules, "MAX_LINKS"),
    "number of chunks": (array_rules, "MAX_CHUNKS"),
}

CASES = {
    "beginning": ("user_block_that_looks_like_us", walk),
    "flags": ("open_flags", walk),
    "base": ("another_base", walk),
    "extension": ("made_by_pages", walk),
    "end": ("another_end", walk),
    "name": ("strange_name", walk),
    "depth": ("deep", walk),
    "hard link": ("soft_link", asked("array", "metrics/soft")),
    "object": ("named_type", asked("kind", "metrics/type")),
    "members": ("many_members", asked("names", "metrics/many")),
    "attributes": ("many_attributes", walk),
    "linked once": ("linked_twice", walk),
    "attribute's name": ("attribute_with_a_strange_name", walk),
    "attribute's type": ("enumerated_attribute", walk),
    "attribute's own type": ("attribute_of_a_named_type", walk),
    "attribute's size": ("very_large_text", walk),
    "one value": ("attribute_of_one_line", walk),
    "finite": ("number_that_is_none", walk),
    "dimensions": ("too_many_dimensions", walk),
    "array's type": ("compound", walk),
    "external storage": ("external_storage_of_nothing", walk),
    "layout": ("compact_nothing", walk),
    "data are there": ("never_written_and_small", walk),
    "chunk size": ("large_chunks", walk),
    "filters": ("unknown_filter", walk),
    "number of chunks": ("many_chunks", walk),
    "all chunks": ("missing_chunks", walk),
    "no filter left out": ("filter_left_out", walk),
    "chunks inside": ("chunk_behind_the_end", walk),
    "stored size": ("swollen_chunk", walk),
    "chunk's place": ("chunk_outside_of_its_array", walk),
    "one chunk for each place": ("two_chunks_of_one_place", walk),
    "chunks apart": ("overlapping_chunks", walk),
    "checksum": ("wrong_checksum", asked("array", "metrics/chunked")),
    "bytes": ("text_in_wide_numbers", session("views")),
    "length of text": ("configuration_that_is_long", session("configuration")),
    "format": ("another_format", opened),
    "types of the head": ("steps_as_text", opened),
    "version": ("no_version_at_all", opened),
    "counts of the head": ("steps_below_zero", opened),
    "times of the head": ("created_never", opened),
    "texts of the head": ("writer_that_is_long", opened),
    "types of a checkpoint": ("reason_that_is_a_number", session("checkpoints")),
    "counts of a checkpoint": ("checkpoint_below_zero", session("checkpoints")),
    "texts of a checkpoint": ("reason_that_is_long", session("checkpoints")),
    "number of a checkpoint": ("another_number", session("checkpoints")),
    "columns": ("columns_with_two_dimensions", session("series_lines", "loss")),
    "types of columns": ("columns_of_other_types", session("series_lines", "loss")),
    "lengths of columns": (
        "columns_of_other_lengths",
        session("series_lines", "loss"),
    ),
    "shares of evaluations": ("evaluations_of_nobody", session("evaluations")),
    "actions": ("actions_with_two_dimensions", EPISODE),
    "numbers of an episode": ("seed_that_is_text", EPISODE),
    "kind of an episode": ("kind_that_is_a_path", EPISODE),
    "lengths of an episode": ("rewards_that_are_short", EPISODE),
    "pictures of an episode": ("pictures_that_are_none", EPISODE),
    "pictures": ("pictures_that_are_none", session("frames", "training", 0, 0, 3)),
    "arrays of an episode": ("values_in_the_place_of_rewards", EPISODE),
    "pairs of progress": ("progress_below_zero", session("progress")),
    "numbers of an event": ("events_of_large_numbers", session("events")),
    "time of an event": ("events_that_are_not_numbers", session("events")),
    "slots are numbers": ("slots_that_are_no_numbers", REPLAY),
    "range of slots": ("slots_far_away", REPLAY),
    "lengths of the replay": ("replay_of_other_lengths", REPLAY),
    "order of series": ("order_beyond_all", session("series")),
}
"""For each rule the file that only this rule refuses, and what is tried with it."""

SEALS = {
    "magic": lambda image: _trailer(image, magic=b"RLSEAL9\0"),
    "block": lambda image: _trailer(image, block=1 << 15),
    "sealed length": lambda image: sealed(image) + sealed(image)[-56:],
    "root": lambda image: sealed(image)[:-32] + bytes(32),
    "block's hash": lambda image: bytes([~image[0] & 255]) + sealed(image)[1:],
}


def _trailer(image, magic=seal.MAGIC, block=seal.BLOCK_BYTES):
    whole = sealed(image)
    hashes = whole[len(image) : -56]
    body = hashes + struct.pack("<8sQQ", magic, len(image), block)
    return image + body + hashlib.sha256(body).digest()


def test_there_is_a_case_for_every_rule():
    assert set(CASES) | set(SEALS) | {"regular file"} == set(ALL)


@contextlib.contextmanager
def without(rule):
    with mock.patch.dict(ALL[rule]):
        del ALL[rule][rule]
        yield


@pytest.mark.parametrize("rule", CASES)
def test_without_the_rule_a_file_gets_through(image, rule):
    name, attempt = CASES[rule]
    spoilt = IMAGES[name](image) if name in IMAGES else image_of(CHANGES[name], image)
    limit = mock.patch.object(*LIMITS[rule], 50) if rule in LIMITS else None
    with limit or contextlib.nullcontext():
        with pytest.raises(SessionProblem, match=r"\.$"):
            attempt(sealed(spoilt))
        with without(rule):
            attempt(sealed(spoilt))


@pytest.mark.parametrize("rule", SEALS)
def test_without_a_rule_of_the_seal_a_file_gets_through(image, rule):
    forged = SEALS[rule](image)
    with pytest.raises(SessionProblem):
        opened(forged)
    with without(rule):
        SealedReader(io.BytesIO(forged), NAME).check()


def test_without_the_rule_of_files_a_pipe_is_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.h5")
    with pytest.raises(SessionProblem, match="not a regular file"):
        regular_file.open_regular(tmp_path / "pipe.h5")
    with without("regular file"):
        regular_file.open_regular(tmp_path / "pipe.h5").close()
