"""How a Minari data set is laid out: a folder with an HDF5 file and its description.

``NAME/data/main_data.hdf5`` has a group for each episode, ``NAME/data/metadata.json``
says of which spaces. We write and read these two; the package is not needed for it.
"""

from __future__ import annotations

import re

DATA_FOLDER = "data"
MAIN_FILE = "main_data.hdf5"
METADATA_FILE = "metadata.json"

MINARI_VERSION = "0.5.3"
"""Of the layout; later versions read it."""

PER_STEP = ("actions", "rewards", "terminations", "truncations")
OPTIONS_KEY = "rllab_environment"
"""Ours among the metadata: the options of the environment, as JSON."""

_ID = re.compile(r"[-_A-Za-z0-9]+-v\d+\Z")


def dataset_id(name: str) -> str:
    """The name of a folder as Minari wants it, with a version at its end."""
    if _ID.match(name):
        return name
    return f"{re.sub(r'[^-_A-Za-z0-9]', '_', name) or '_'}-v0"
