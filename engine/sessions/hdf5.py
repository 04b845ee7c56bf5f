"""The one import of h5py here, and the rules that writer and reader share."""

from __future__ import annotations

import os
import re

# Read by libhdf5 when it is loaded: no filter plug-in is ever run for a file.
os.environ["HDF5_PLUGIN_PRELOAD"] = "::"

import h5py

__all__ = [
    "CHECKPOINT",
    "CHUNK_LIMIT_BYTES",
    "LIBVER",
    "MAJOR",
    "MAX_ATTRIBUTES",
    "MAX_ATTRIBUTE_BYTES",
    "MAX_CHUNKS",
    "MAX_DEPTH",
    "MAX_LINKS",
    "MAX_RANK",
    "MINOR",
    "NAME",
    "SESSION",
    "h5py",
    "safe_name",
]

SESSION = b"rllab-session"
CHECKPOINT = b"rllab-checkpoint"
MAJOR, MINOR = 1, 0

LIBVER = ("v110", "v110")
NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}\Z")
MAX_DEPTH = 6
MAX_RANK = 5
MAX_ATTRIBUTES = 64
MAX_ATTRIBUTE_BYTES = 1 << 16
CHUNK_LIMIT_BYTES = 16 << 20
MAX_CHUNKS = 1 << 18
MAX_LINKS = 2_000_000


def safe_name(text: str) -> str:
    """The text as a name that the rules allow."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", text)[:120] or "_"
    return name.replace(".", "_") if set(name) == {"."} else name
