"""P22: no folder, user or machine is in a session file."""

import getpass
import os
import socket
from pathlib import Path
from unittest import mock

import h5py
import session_samples as samples
from trials import Trials

from engine.contract.messages import Event, Rows
from engine.sessions import LiveStore

USER, HOST = "canaryuser", "canaryhost"


def run(folder: Path) -> Trials:
    """A session whose events are full of places, sealed as another person."""
    result = Trials("P22", "names of folders, users and machines in a session file")
    home = folder / "home" / USER / "secret-folder"
    home.mkdir(parents=True)
    texts = [
        f'Traceback: File "{home}/agent.py", line 3, in step',
        f"{USER} on {HOST} stopped the run",
        f"C:\\Users\\{USER}\\secret-folder\\file.py is missing",
    ]
    with (
        mock.patch.dict(os.environ, {"HOME": str(home), "USER": USER, "LOGNAME": USER}),
        mock.patch.object(socket, "gethostname", return_value=HOST),
    ):
        assert getpass.getuser() == USER
        path = home / "run.h5"
        with LiveStore.create(path, samples.configuration(), samples.CARD) as store:
            samples.run(store)
            events = [Event("problem", 1, text, 1e9, {"at": text}) for text in texts]
            store.append(Rows("trainer", 41, 300, events=events))
            store.close(fold=True)
    data = decompressed(path)
    real = [str(Path.home()), str(folder), socket.gethostname(), os.getcwd()]
    # A short word occurs by chance in compressed data.
    for word in [USER, HOST, "secret-folder", *(it for it in real if len(it) > 4)]:
        result.trial(word, _absent, word, data)
    return result


def _absent(word: str, data: bytes) -> None:
    assert word.encode() not in data, f"'{word}' is in the file"


def decompressed(path: Path) -> bytes:
    """The file's own bytes, every data set, and every attribute."""
    parts = [path.read_bytes()]

    def visit(name: str, item: object) -> None:
        parts.append(name.encode())
        parts.extend(str(it).encode() for it in item.attrs.values())
        if isinstance(item, h5py.Dataset):
            parts.append(item[()].tobytes())

    with h5py.File(path, "r") as file:
        visit("", file)
        file.visititems(visit)
    return b"".join(parts)
