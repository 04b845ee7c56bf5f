"""P16: sessions with changed metadata whose checksums are right again, and the seal.

Each mutation follows from a seed and its number; the ones that ever made a reader
fail are in ``REGRESSIONS`` and come first.
"""

import faulthandler
import io
import os
import random
import signal
import struct
import tempfile
import time
from pathlib import Path

import hdf5_bytes
import hostile_corpus
from hdf5_bytes import Part
from hostile_files import refused
from trials import Trials

from engine.sessions import SessionFile, open_session
from engine.sessions.reader_process import told
from engine.sessions.seal import sealed

BATCH = 25
REAL_EVERY = 50
ANSWER_S = 5.0
REGRESSIONS = (108, 284)
"""libhdf5 2.0 ends by a signal: by invalid memory, and by a division by zero."""
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


def mutated(image: bytes, parts: list[Part], number: int) -> bytes:
    """The sealed file of this number."""
    chance = random.Random(number)
    changed = bytearray(image)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        if chance.random() < 0.85:
            part = chance.choice(parts)
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


def run(folder: Path, count: int, first: int = 0) -> Trials:
    """``count`` mutations in readers' code, every 50th through the real process."""
    result = Trials("P16", "mutations with repaired checksums and seal")
    image = hostile_corpus.whole_image(folder)
    parts = hdf5_bytes.parts(image)
    numbers = [*REGRESSIONS, *range(first, first + count)]
    ended = []
    for at in range(0, len(numbers), BATCH):
        ended += _batch(result, image, parts, numbers[at : at + BATCH])
    for number in ended:
        # A reader that ends is one message: the parent goes on.
        result.trial(f"mutation {number}", _through_process, image, parts, number)
    for number in numbers[::REAL_EVERY]:
        result.trial(f"mutation {number}", _through_process, image, parts, number)
    result.worst = f"{len(ended)} ended their reader: {ended[:9]}"
    return result


def _batch(
    result: Trials, image: bytes, parts: list[Part], numbers: list[int]
) -> list[int]:
    """Those that end a child that reads; each takes 5 s at most."""
    ended = []
    while numbers:
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            _child(write, image, parts, numbers)
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


def _child(write: int, image: bytes, parts: list[Part], numbers: list[int]) -> None:
    """Read one after the other; a line for each that is done."""
    faulthandler.disable()  # that one may end by a signal is part of the trial
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    for number in numbers:
        signal.setitimer(signal.ITIMER_REAL, ANSWER_S)
        data = mutated(image, parts, number)
        start = time.monotonic()
        answer = told(0, "mutated.h5", lambda d=data: read_everything(d))
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


def _through_process(image: bytes, parts: list[Part], number: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "mutated.h5"
        path.write_bytes(mutated(image, parts, number))
        start = time.monotonic()
        refused(lambda: _preview(path))
        took = time.monotonic() - start
        assert took < 2 * ANSWER_S, f"{took:.1f} s"


def _preview(path: Path) -> None:
    with open_session(path) as source:
        source.summary()
        source.episodes()
        source.resume_point()
