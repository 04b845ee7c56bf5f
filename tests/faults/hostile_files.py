"""P13, P14, P15: every hostile session through every door of the lab."""

import contextlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import hostile_corpus
from hostile_corpus import SECRET, Case
from trials import Trials

from engine.contract.exports import EXPORTS
from engine.sessions import (
    LiveStore,
    SessionProblem,
    find_sessions,
    inspect,
    open_session,
    reader,
)
from engine.sessions.exporters import export

AUDIT = Path(__file__).with_name("audit")
FORBIDDEN_STATUS = 97
FIRST_ANSWER_S = 5.0
MEMORY_BYTES = 256 << 20
PARENT_BANNED = (
    "pickle.find_class",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "socket.connect",
)


class Watch:
    """The readers that were started, what became of them, and what was forbidden."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.peak_bytes = 0
        self.forbidden: list[str] = []
        self.folder = ""

    @contextlib.contextmanager
    def reading(self, path: Path) -> Iterator[None]:
        """Readers that are started meanwhile are audited."""
        self.statuses, self.forbidden = [], []
        self.folder = str(path.parent)
        plain = reader._environment()
        more = {"RLLAB_WATCHED": str(path.absolute())}
        more["PYTHONPATH"] = f"{AUDIT}:{plain.get('PYTHONPATH', '')}".rstrip(":")
        with (
            mock.patch.object(reader, "_environment", return_value=plain | more),
            mock.patch.object(reader.Reader, "close", self._close()),
        ):
            yield
        self.folder = ""

    def _close(self):
        watch = self

        def close(it: reader.Reader) -> None:
            process = it._process
            if process.returncode is None:
                watch.peak_bytes = max(watch.peak_bytes, _peak_bytes(process.pid))
                process.kill()
                watch.statuses.append(process.wait())
            for pipe in (process.stdin, process.stdout):
                pipe.close()

        return close

    def audit(self, event: str, arguments: tuple) -> None:
        """Of this process: for ever, but it only looks while something is read."""
        if not self.folder:
            return
        started = event == "subprocess.Popen"
        if event.startswith(PARENT_BANNED) or (started and not _is_reader(arguments)):
            self.forbidden.append(f"{event} {arguments!r:.100}")
        elif event == "open" and isinstance(arguments[0], str):
            name = arguments[0]
            if SECRET in name or name.startswith(("/etc/passwd", "/dev/zero")):
                self.forbidden.append(f"{event} {name}")


def _peak_bytes(pid: int) -> int:
    """The most memory that a process has had so far; 0 where nobody says.

    The figure that comes with its end counts the parent's memory as well, which the
    process shares until it becomes another program.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0


def _is_reader(arguments: tuple) -> bool:
    return "reader_process" in str(arguments)


WATCH = Watch()
sys.addaudithook(WATCH.audit)


def picked(cases: list[Case], count: int | None) -> list[Case]:
    """So many of them, or all."""
    if count is None or count >= len(cases):
        return cases
    return random.Random(count).sample(cases, count)


def run(folder: Path, count: int | None = None) -> Trials:
    """Open, preview, list, inspect, resume and export each of them."""
    result = Trials("P13", "hostile sessions opened, previewed, resumed, exported")
    image = hostile_corpus.whole_image(folder)
    cases = hostile_corpus.cases(image) + hostile_corpus.live_cases(image)
    good = Case("a good session", lambda it: _good(image, it))
    slowest = opened = 0.0
    for case in [good, *picked(cases, count)]:
        took, through = result.trial(case.name, _one, case) or (0.0, 0)
        slowest, opened = max(slowest, took), opened + through
    result.worst = (
        f"{slowest:.1f} s to the first answer at most, reader up to "
        f"{WATCH.peak_bytes / 2**20:.0f} MB, {opened:.0f} opened harmlessly"
    )
    return result


def _good(image: bytes, folder: Path) -> Path:
    path = folder / "hostile.h5"
    path.write_bytes(hostile_corpus.sealed(image))
    return path


def _one(case: Case) -> tuple[float, int]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "theirs"
        out = Path(name) / "ours"
        folder.mkdir()
        out.mkdir()
        path = case.make(folder)
        with WATCH.reading(path), contextlib.chdir(folder):
            took, through = _doors(path, out)
        _check(case, folder)
    return took, through


def _doors(path: Path, out: Path) -> tuple[float, int]:
    start = time.monotonic()
    through = refused(lambda: _preview(path))
    took = time.monotonic() - start
    find_sessions(path.parent)
    refused(lambda: inspect(path, verify=True))
    refused(lambda: _exports(path, out))
    refused(lambda: _resume(path))
    return took, not through


def refused(door) -> str:
    """The sentence of a refusal, or nothing; anything else is a failure."""
    try:
        door()
    except SessionProblem as problem:
        text = str(problem)
        assert text.endswith("."), f"no sentence: {text}"
        assert len(text) < 2000, "a sentence without end"
        return text
    return ""


def _preview(path: Path) -> None:
    start = time.monotonic()
    source = open_session(path)
    took = time.monotonic() - start
    assert took < FIRST_ANSWER_S, f"{took:.1f} s to the first answer"
    try:
        source.summary(), source.configuration(), source.card(), source.views()
        for name in source.series():
            source.history(name, 100)
        source.events(), source.evaluations(), source.checkpoints()
        table = source.episodes()
        columns = (table[it] for it in ("kind", "episode", "recorded"))
        for kind, episode, recorded in list(zip(*columns, strict=True))[:5]:
            if recorded:
                source.episode(kind, int(episode))
                source.frames(kind, int(episode), 0, 3)
        source.resume_point()
    finally:
        source.close()


def _exports(path: Path, out: Path) -> None:
    source = open_session(path)
    try:
        for name, kind in EXPORTS.items():
            if not kind.missing:
                arguments = {"episode": 0, "kind": "training"}
                target = out / f"out{kind.ending}"
                refused(lambda n=name, t=target, a=arguments: export(source, n, t, a))
    finally:
        source.close()


def _resume(path: Path) -> None:
    with LiveStore.open(path) as store:
        store.resume_point()
        store.seal()


def _check(case: Case, folder: Path) -> None:
    assert FORBIDDEN_STATUS not in WATCH.statuses, "a forbidden call in the reader"
    assert not WATCH.forbidden, f"forbidden here: {WATCH.forbidden[0]}"
    crashed = [it for it in WATCH.statuses if it not in (0, -9)]
    assert not crashed, f"the reader ended with {crashed}"
    secret = folder / SECRET
    assert not secret.exists() or secret.read_text() == "nobody reads this"
    owned = [it.name for it in folder.parent.rglob("owned*")]
    assert not owned, "a file of theirs was carried out"
    assert WATCH.peak_bytes < MEMORY_BYTES + _baseline(), "too much memory"


def _baseline() -> int:
    """What a reader takes that has read a small good session, at least."""
    return 48 << 20


def bounds(folder: Path, count: int | None = None) -> Trials:
    """P15: how long and how much memory it takes to look into each of them."""
    result = Trials("P15", "time and memory to open or refuse hostile files")
    image = hostile_corpus.whole_image(folder)
    base = _bounds(Case("a good session", lambda it: _good(image, it)), 0)
    most = 0
    for case in picked(hostile_corpus.cases(image), count):
        most = max(most, result.trial(case.name, _bounds, case, base) or 0)
    result.worst = f"{(most - base) / 2**20:.0f} MB above {base / 2**20:.0f} MB at most"
    return result


def _bounds(case: Case, base: int) -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "theirs"
        folder.mkdir()
        path = case.make(folder)
        WATCH.peak_bytes = 0
        with WATCH.reading(path):
            refused(lambda: _preview(path))
        _check(case, folder)
    more = WATCH.peak_bytes - base
    assert not base or more < MEMORY_BYTES, f"{more / 2**20:.0f} MB more"
    return WATCH.peak_bytes


# ------------------------------------------------------------------ system calls

_OWN = ("/proc/self/statm", "/proc/self/fd")


def traced(folder: Path, count: int | None = None) -> Trials:
    """P14: the reader under strace opens nothing but the file."""
    result = Trials("P14", "hostile files read under strace and Landlock")
    if shutil.which("strace") is None:
        result.worst = "left out: strace is not installed"
        return result
    image = hostile_corpus.whole_image(folder)
    for case in picked(hostile_corpus.cases(image), count):
        result.trial(case.name, _traced, case)
    return result


def _traced(case: Case) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, log = Path(name) / "theirs", Path(name) / "log"
        folder.mkdir()
        path = case.make(folder)
        calls = "trace=%file,%network,execve,execveat,fork,vfork,clone,clone3,kill"
        words = ["strace", "-f", "-o", str(log), "-e", calls]
        popen = subprocess.Popen

        def start(command: list[str], **options: object) -> subprocess.Popen[bytes]:
            return popen([*words, *command], **options)

        with mock.patch.object(reader.subprocess, "Popen", start):
            refused(lambda: _preview_of_file(path))
        assert log.exists(), "strace did not start"
        strange = strange_calls(log.read_text(errors="replace"), str(path))
        assert not strange, strange[0]


def _preview_of_file(path: Path) -> None:
    with open_session(path) as source:
        source.verify()
        source.episodes()


def strange_calls(log: str, path: str) -> list[str]:
    """Calls after the session file was opened that touch anything else."""
    lines = [line.partition(" ")[2].strip() for line in log.splitlines()]
    quoted = path.replace("\\", "\\\\")
    begin = next((i for i, it in enumerate(lines) if f'"{quoted}"' in it), len(lines))
    named = [it for it in lines[begin + 1 :] if "(" in it and not it.startswith("---")]
    calls = [it for it in named if not it.startswith(("+++", "exit", "rt_"))]
    own = (*_OWN, f'"{quoted}"', "AT_EMPTY_PATH", "getcwd")
    return [it for it in calls if not any(word in it for word in own)]
