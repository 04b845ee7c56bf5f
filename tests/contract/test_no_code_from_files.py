"""P13: nothing in the lab's own source turns a file's contents into code."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    [*(ROOT / "engine").rglob("*.py"), *(ROOT / "rllab_gui").rglob("*.py")]
)
MODULES = {
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "joblib",
    "jsonpickle",
    "marshal",
    "shelve",
    "runpy",
    "code",
    "yaml",
}
CALLS = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "os.system",
    "os.popen",
    "torch.load",
    "torch.jit.load",
    "torch.hub.load",
    "EnvSpec.from_json",
    "gymnasium.make_vec",
    "importlib.metadata.entry_points",
    "recover_environment",
    "np.load",
    "numpy.load",
    "np.memmap",
}
LAST = {"from_json", "recover_environment", "entry_points", "load_state_dict_from_url"}
ALLOWED = {
    ("engine/commands/arguments.py", "importlib.import_module"),
    ("engine/environments/catalogue.py", "importlib.import_module"),
    ("engine/stage/questions/__init__.py", "importlib.import_module"),
    ("rllab_gui/views/discover.py", "importlib.import_module"),
}
"""Modules that the user named, or that are part of the program."""


def dotted(node):
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def offences(text, name):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (it.name for it in node.names if it.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            yield node.module
        elif isinstance(node, ast.Call):
            called = dotted(node.func)
            if called in CALLS or called.rpartition(".")[2] in LAST:
                yield called
            if called.endswith("import_module") and (name, called) not in ALLOWED:
                yield called
            if any(it.arg == "shell" for it in node.keywords):
                yield f"{called}(shell)"
            if any(it.arg == "allow_pickle" for it in node.keywords):
                yield f"{called}(allow_pickle)"


@pytest.mark.parametrize(
    "bad",
    [
        "import pickle",
        "from marshal import loads",
        "eval('1')",
        "torch.load(path)",
        "gymnasium.envs.registration.EnvSpec.from_json(text)",
        "subprocess.run('x', shell=True)",
        "importlib.import_module(name)",
        "np.load(path, allow_pickle=True)",
    ],
)
def test_the_check_finds(bad):
    assert list(offences(bad, "engine/some.py"))


def test_no_source_turns_a_file_into_code():
    found = {
        (str(path.relative_to(ROOT)), it)
        for path in SOURCES
        for it in offences(path.read_text(), path.relative_to(ROOT).as_posix())
    }
    assert found == set()
    assert len(SOURCES) > 300


def test_hdf5_is_parsed_in_its_own_room_only():
    """h5py is imported once, after its plug-ins are switched off."""
    importing = [
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        if any(line.startswith("import h5py") for line in path.read_text().splitlines())
    ]
    assert importing == ["engine/sessions/hdf5.py"]


def test_a_session_file_is_parsed_by_the_reader_only():
    """Everybody else asks it: no other module opens a SessionFile."""
    opening = [
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        if "SessionFile.open(" in path.read_text()
        or "SessionFile.of(" in path.read_text()
    ]
    assert opening == ["engine/sessions/reader_process.py"]
