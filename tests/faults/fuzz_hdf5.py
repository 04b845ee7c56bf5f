"""P16: sessions with changed metadata whose checksums are right again, and the seal.

And checkpoints of a live folder. Each mutation follows from a seed and its number; the
ones that ever made a reader fail are in ``REGRESSIONS`` and come first.
"""

import faulthandler
import io
import os
import random
import shutil
import signal
import struct
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import hdf5_bytes
import hostile_corpus
from hdf5_bytes import Part
from hostile_files import refused
from trials import Trials

from engine.sessions import LiveStore, SessionFile, open_session
from engine.sessions.checkpoint_files import (
    checkpoint_path,
    read_checkpoint_file,
    read_row_file,
)
from engine.sessions.reader_process import told
from engine.sessions.seal import SealedReader, sealed

BATCH = 25
REAL_EVERY = 50
ANSWER_S = 5.0
REGRESSIONS = (108, 284, 2973)
"""libhdf5 2.0 ends by a signal: by invalid memory, and by a division by zero. The last
one was refused with more sentences than are shown."""
CHECKPOINT_REGRESSIONS = (271, 284)
"""These end whoever reads them: it must not be the keeper."""
INTERESTING = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0xFFFF,
    2**31 - 1,
    2**32 - 1,
    2**63,
    2**64 - 1,
)


class Kind(NamedTuple):
    """What is mutated.

    Attributes:
      image: A good one, without its seal.
      read: All that a reader is ever asked, of a sealed one.
      place: Puts a sealed one into a folder, as something that a person opens.
    """

    image: bytes
    parts: list[Part]
    read: Callable[[bytes], None]
    place: Callable[[Path, bytes], Path]
    regressions: tuple[int, ...]


def mutated(kind: Kind, number: int) -> bytes:
    """The sealed file of this number."""
    chance = random.Random(number)
    changed = bytearray(kind.image)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        if chance.random() < 0.85:
            part = chance.choice(kind.parts)
            _change(changed, part, chance)
            hdf5_bytes.repair(changed, part)
        else:
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return sealed(changed)


def _change(changed: bytearray, part: Part, chance: random.Random) -> None:
    at = chance.randrange(part.start + 4, part.end)
    match chance.randrange(4):
        case 0:
            changed[at] ^= 1 << chance.randrange(8)
        case 1:
            changed[at] = chance.randrange(256)
        case 2:
            width = chance.choice((1, 2, 4, 8))
            value = chance.choice(INTERESTING) % (1 << 8 * width)
            _put(changed, part, at, value.to_bytes(width, "little"))
        case 3:
            _put(changed, part, at, struct.pack("<Q", chance.randrange(len(changed))))


def _put(changed: bytearray, part: Part, at: int, data: bytes) -> None:
    at = max(part.start + 4, min(at, part.end - len(data)))
    data = data[: part.end - at]
    changed[at : at + len(data)] = data


def read_everything(data: bytes) -> None:
    """All that a reader is ever asked."""
    with SessionFile.of(Path("mutated.h5"), io.BytesIO(data), verify=True) as file:
        for ask in (file.summary, file.configuration, file.card, file.views):
            ask()
        for name in file.series():
            file.history(name, 100)
        file.episodes(), file.events(), file.evaluations(), file.verify()
        for kind, number in file.recorded_keys()[:3]:
            file.episode(kind, number)
        file.resume_point()


def read_checkpoint(data: bytes) -> None:
    """All that a checkpoint is ever asked."""
    read_checkpoint_file(io.BytesIO(data), "mutated.h5")
    read_row_file(io.BytesIO(data), "mutated.h5")


def _session(folder: Path) -> Kind:
    def place(where: Path, data: bytes) -> Path:
        path = where / "mutated.h5"
        path.write_bytes(data)
        return path

    image = hostile_corpus.whole_image(folder)
    return Kind(image, hdf5_bytes.parts(image), read_everything, place, REGRESSIONS)


def _checkpoint(folder: Path) -> Kind:
    """Of a live folder that somebody else has made."""
    live = hostile_corpus.live_session(folder)
    path = checkpoint_path(live, 0)
    with path.open("rb") as file:
        image = SealedReader(file, path.name).read()

    def place(where: Path, data: bytes) -> Path:
        copied = shutil.copytree(live, where / "mutated.live")
        checkpoint_path(copied, 0).write_bytes(data)
        return where / "mutated.h5"

    parts = hdf5_bytes.parts(image)
    return Kind(image, parts, read_checkpoint, place, CHECKPOINT_REGRESSIONS)


def run(folder: Path, count: int, first: int = 0) -> Trials:
    """``count`` mutations in readers' code, every 50th through the real process."""
    result = Trials("P16", "mutations with repaired checksums and seal")
    _run(result, _session(folder), count, first)
    return result


def checkpoints(folder: Path, count: int, first: int = 0) -> Trials:
    """The same of the checkpoints of a live folder."""
    result = Trials("P16", "mutated checkpoints in a live folder")
    _run(result, _checkpoint(folder), count, first)
    return result


def _run(result: Trials, kind: Kind, count: int, first: int) -> None:
    numbers = [*kind.regressions, *range(first, first + count)]
    ended = []
    for at in range(0, len(numbers), BATCH):
        ended += _batch(result, kind, numbers[at : at + BATCH])
    for number in ended:
        # A reader that ends is one message: the parent goes on.
        result.trial(f"mutation {number}", _through_process, kind, number)
    for number in numbers[::REAL_EVERY]:
        result.trial(f"mutation {number}", _through_process, kind, number)
    result.worst = f"{len(ended)} ended their reader: {ended[:9]}"


def _batch(result: Trials, kind: Kind, numbers: list[int]) -> list[int]:
    """Those that end a child that reads; each takes 5 s at most."""
    ended = []
    while numbers:
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            _child(write, kind, numbers)
        os.close(write)
        done = _listen(read)
        os.close(read)
        os.waitpid(child, 0)
        result.count += len(done)
        result.failures += [it for it in done if it]
        numbers = numbers[len(done) :]
        if numbers:
            ended.append(numbers[0])
            numbers = numbers[1:]
    return ended


def _child(write: int, kind: Kind, numbers: list[int]) -> None:
    """Read one after the other; a line for each that is done."""
    faulthandler.disable()  # that one may end by a signal is part of the trial
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    for number in numbers:
        signal.setitimer(signal.ITIMER_REAL, ANSWER_S)
        data = mutated(kind, number)
        start = time.monotonic()
        answer = told(0, "mutated.h5", lambda d=data: kind.read(d))
        took = time.monotonic() - start
        line = "" if took < ANSWER_S else f"mutation {number} took {took:.1f} s"
        if answer.error and not answer.error.endswith("."):
            line = f"mutation {number}: {answer.error}"
        os.write(write, line.encode() + b"\n")
    os._exit(0)


def _listen(read: int) -> list[str]:
    data = b""
    while part := os.read(read, 1 << 16):
        data += part
    return data.decode().split("\n")[:-1]


def _through_process(kind: Kind, number: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = kind.place(Path(name), mutated(kind, number))
        start = time.monotonic()
        refused(lambda: _preview(path))
        took = time.monotonic() - start
        assert took < 2 * ANSWER_S, f"{took:.1f} s"


def _preview(path: Path) -> None:
    with open_session(path) as source:
        source.summary()
        source.episodes()
        source.resume_point()
        if isinstance(source, LiveStore):
            source.seal()
