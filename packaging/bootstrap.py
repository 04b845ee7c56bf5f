"""Set up a private environment, then open the lab, test it or check it.

    python3 packaging/bootstrap.py                     set up, open the lab
    python3 packaging/bootstrap.py test [--all] [...]  set up, run the tests
    python3 packaging/bootstrap.py check               set up, run the style checks

Without a display the first command runs the demo, which leaves a session, a film
and pictures in ``demo-output``. ``RLLAB_VENV`` names another folder for the
environment; it is ``.venv`` in the checkout otherwise.

Standard library only, and only syntax of Python 3.6, so that an old Python can
read this file far enough to say which one is needed.
"""

import ctypes
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = Path(os.environ.get("RLLAB_VENV") or ROOT / ".venv").absolute()
CONSTRAINTS = ROOT / "packaging" / "constraints.txt"
STAMP = VENV / "rllab-setup.json"
OLDEST, NEWEST_TESTED = (3, 11), (3, 13)

# Shared library -> Debian package, each found missing on a bare system.
LIBRARIES = {
    "libglib-2.0.so.0": "libglib2.0-0",
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libfontconfig.so.1": "libfontconfig1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
}
DISPLAY_LIBRARIES = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}


# What 'test --all' asks of the campaigns that can run at several sizes.
FULL_COUNTS = {"RLLAB_REFERENCE_SEEDS": "5", "RLLAB_KILLS": "200"}

# What starts engines and looks at the clock gets the machine to itself.
TOGETHER, ALONE = "not alone and not long", "alone and not long"
MOST_TESTERS = 4
NO_TESTS = 5  # what pytest exits with


class CannotGoOn(Exception):
    """The set-up cannot be finished; the text says what, why and how to fix it."""


def main(arguments: list) -> int:
    """Run one command; the exit status of what it ran."""
    commands = {"test": run_tests, "check": run_checks}
    command = arguments[0] if arguments else ""
    if command in ("-h", "--help"):
        print(__doc__.strip())
        return 0
    if arguments and command not in commands:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    try:
        add_system_libraries()
        set_up({"test": "test", "check": "lint"}.get(command, ""))
    except CannotGoOn as problem:
        print(problem, file=sys.stderr)
        return 1
    if command:
        return commands[command](arguments[1:])
    return open_lab()


# ------------------------------------------------------------------ commands


def open_lab() -> int:
    """The lab where there is a display, the demo where there is none."""
    if has_display():
        say("Opening the lab. Next time: " + str(script("rllab")))
        return run([str(script("rllab"))])
    say("There is no display, so the demo drives the window and leaves pictures.")
    out = str(ROOT / "demo-output")
    return run([str(script("rllab")), "demo", "--out", out])


def run_tests(arguments: list) -> int:
    """The tests, offscreen and away from the user's own sessions and settings."""
    everything = "--all" in arguments
    selection = [it for it in arguments if it != "--all"]
    # The last -m counts: it replaces the one of pyproject.toml.
    parts = (
        [["-m", ""]]
        if everything
        else [[*side_by_side(), "-m", TOGETHER], ["-m", ALONE]]
    )
    with tempfile.TemporaryDirectory(prefix="rllab-test-") as home:
        extra = {
            "QT_QPA_PLATFORM": "offscreen",
            "SDL_VIDEODRIVER": "dummy",
            "SDL_AUDIODRIVER": "dummy",
            "RLLAB_HOME": home,
            "OMP_NUM_THREADS": "1",
            # Hundreds of processes begin: what one has compiled, others need not.
            "PYTHONDONTWRITEBYTECODE": "",
        }
        if everything:
            extra.update(FULL_COUNTS)
        command = [str(script("python")), "-m", "pytest"]
        statuses = [run(command + part + selection, **extra) for part in parts]
    return worst(statuses)


def side_by_side() -> list:
    """Words that let tests run in several processes, where that is quicker."""
    count = min(os.cpu_count() or 1, MOST_TESTERS)
    return [] if count < 2 else ["-n", str(count), "--dist", "loadfile"]


def worst(statuses: list) -> int:
    """Of parts of the tests; that one of them selects none is no failure."""
    counted = [it for it in statuses if it != NO_TESTS]
    # Whoever is ended by a signal has a status below 0.
    return next((it for it in counted if it), 0) if counted else NO_TESTS


def run_checks(arguments: list) -> int:
    """Style, form, types and import rules; all of them, then the worst status."""
    checks = [
        [str(script("ruff")), "check", "."],
        [str(script("ruff")), "format", "--check", "."],
        [str(script("mypy"))],
        [str(script("lint-imports"))],
    ]
    failed = []
    for command in checks:
        say("checking: " + " ".join([Path(command[0]).stem, *command[1:]]))
        if run(command):
            failed.append(Path(command[0]).stem)
    say("Checks failed: " + ", ".join(failed) if failed else "All checks passed.")
    return 1 if failed else 0


# -------------------------------------------------------------------- set-up


def set_up(extra: str) -> None:
    """Make the environment or bring it up to date; quick where it is."""
    wanted = {"core", extra} - {""}
    done = read_stamp()
    if wanted <= done:
        return
    if not script("python").exists() or not answers(script("python")):
        python = find_python()
        say("Making a private environment in " + str(VENV))
        venv = [python, "-m", "venv", "--clear", str(VENV)]
        must(venv, "The private environment could not be made in " + str(VENV) + ".")
    if STAMP.exists():
        STAMP.unlink()
    if not done:
        install_base()
    for name in sorted((wanted | {"core"}) - done):
        install(name)
    if wanted - done - {"lint"}:  # of those programs little is Python
        compile_all()
    content = {"fingerprint": fingerprint(), "has": sorted(wanted | done)}
    STAMP.write_text(json.dumps(content), encoding="utf-8")


def install_base() -> None:
    """The builder, then torch alone, so that a plain CPU gets its small wheel."""
    pip("setuptools", what="the package builder")
    say("Installing torch; on a slow line this takes some minutes.")
    pip("torch", what="torch")


def install(name: str) -> None:
    """The lab itself, or one of its groups of helpers for developers."""
    say("Installing " + ("the lab." if name == "core" else f"what '{name}' needs."))
    target = str(ROOT) if name == "core" else f"{ROOT}[{name}]"
    pip("--no-build-isolation", "--editable", target, what="the lab")
    if name == "test":
        # Its declared requirements are plotting libraries that it never needs here.
        pip("--no-deps", "minatar", what="MinAtar")


def compile_all() -> None:
    """Make the bytecode of all that is new, in as many processes as there are cores.

    pip would make it in one, which takes half of the set-up. Some libraries bring
    files that are for another Python: what becomes of them does not matter.
    """
    folder = VENV / ("Lib" if os.name == "nt" else "lib")
    words = ["-W", "ignore", "-m", "compileall", "-qq", "-j", "0", str(folder)]
    run([str(script("python")), *words])


def read_stamp() -> set:
    """What is installed already for exactly this state of the checkout."""
    try:
        content = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return set()
    if content.get("fingerprint") != fingerprint() or not script("python").exists():
        return set()
    return set(content["has"])


def fingerprint() -> str:
    """Changes with whatever decides what has to be installed, and where."""
    digest = hashlib.sha256(str((ROOT, VENV)).encode("utf-8"))
    for path in (ROOT / "pyproject.toml", CONSTRAINTS, Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def pip(*arguments: str, what: str) -> None:
    """``pip install``, with our versions."""
    command = [str(script("python")), "-m", "pip", "install", "--quiet"]
    command += ["--disable-pip-version-check", "--constraint", str(CONSTRAINTS)]
    command += ["--no-compile"]
    must(command + list(arguments), "Installing " + what + " failed.")


# -------------------------------------------------------- Python and libraries


def find_python() -> str:
    """A Python that suits, this one first.

    Raises:
      CannotGoOn: If there is none.
    """
    fallback = ""
    for candidate in python_candidates():
        version = python_version(candidate)
        if OLDEST <= version <= NEWEST_TESTED:
            return need_venv(candidate)
        if version > NEWEST_TESTED and not fallback:
            fallback = candidate
    if fallback:
        return need_venv(fallback)
    raise CannotGoOn(
        f"RL Lab needs Python {OLDEST[0]}.{OLDEST[1]} or newer and found none (this "
        f"is {platform.python_version()}). Install one and start this command again."
    )


def python_candidates() -> list:
    """Interpreters worth asking: this one, those on PATH, those of pyenv."""
    found = [sys.executable]
    for minor in range(NEWEST_TESTED[1], OLDEST[1] - 1, -1):
        found.append(shutil.which(f"python3.{minor}") or "")
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for folder in sorted(pyenv.glob("3.*"), reverse=True):
        found.append(str(folder / "bin" / "python3"))
    found += [shutil.which("python3") or "", shutil.which("python") or ""]
    return [it for it in found if it]


def python_version(python: str) -> tuple:
    """Major and minor version of an interpreter, (0, 0) where it does not run."""
    if python == sys.executable:
        return tuple(sys.version_info[:2])
    code = "import sys; print(*sys.version_info[:2])"
    try:
        text = subprocess.check_output([python, "-c", code], stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return (0, 0)
    return tuple(int(it) for it in text.split())


def need_venv(python: str) -> str:
    """This interpreter, with the parts that make environments."""
    if answers(python, "import ensurepip, venv"):
        return python
    package = "python{}.{}-venv".format(*python_version(python))
    add_packages([package], "Python cannot make environments without it")
    return python


def add_system_libraries() -> None:
    """Install what the window needs from the system, or say how to."""
    if platform.system() != "Linux":
        return
    needed = dict(LIBRARIES)
    if has_display():
        needed.update(DISPLAY_LIBRARIES)
    missing = [package for name, package in needed.items() if not loads(name)]
    if missing:
        add_packages(missing, "the window cannot open without them")


def loads(name: str) -> bool:
    """Whether the system has this shared library."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def add_packages(packages: list, why: str) -> None:
    """Install Debian packages where that is allowed.

    Raises:
      CannotGoOn: With the exact line to type where it is not.
    """
    line = "apt-get install -y --no-install-recommends " + " ".join(packages)
    have_apt = shutil.which("apt-get") is not None
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if not (have_apt and root):
        how = "run: sudo " + line
        if not have_apt:
            how = "install what Debian calls: " + " ".join(packages)
        raise CannotGoOn(f"System packages are missing; {why}. Please {how}")
    say("Installing system packages: " + " ".join(packages))
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    # A stale package list is no failure as long as the install works.
    subprocess.call(["apt-get", "update", "-qq"], env=environment)
    if subprocess.call([*line.split(), "-qq"], env=environment):
        raise CannotGoOn(f"System packages are missing; {why}. Please run: {line}")


# --------------------------------------------------------------------- parts


def has_display() -> bool:
    """Whether a window could open here."""
    if platform.system() != "Linux":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def script(name: str) -> Path:
    """A program of the private environment."""
    if os.name == "nt":
        return VENV / "Scripts" / (name + ".exe")
    return VENV / "bin" / name


def answers(python: object, code: str = "") -> bool:
    """Whether this interpreter runs this code."""
    try:
        return not subprocess.call(
            [str(python), "-c", code],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return False


def must(command: list, sentence: str) -> None:
    """Run a command that may not fail.

    Raises:
      CannotGoOn: If it does.
    """
    if run(command):
        why = " The lines above say why; mend that and start this command again."
        raise CannotGoOn(sentence + why)


def run(command: list, **extra: str) -> int:
    """Exit status of a command, run in the checkout; Ctrl+C is the command's."""
    with_extra = dict(os.environ, **extra)
    process = subprocess.Popen(command, cwd=str(ROOT), env=with_extra)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def say(text: str) -> None:
    """One line of progress."""
    print("rllab: " + text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
