"""Importing this keeps environments from opening windows or printing banners."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

# pygame reads these when it is first imported, which is when something is drawn.
# The lab only ever asks for arrays, so no display and no sound device is needed.
os.environ["SDL_VIDEODRIVER"] = "dummy"
os.environ["SDL_AUDIODRIVER"] = "dummy"
os.environ["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"


@contextmanager
def hushed() -> Iterator[None]:
    """Swallow the warnings that packages print while they are imported and made.

    They concern precision of bounds, missing plotting packages and generated
    code: nothing that a user of the lab can act on.
    """
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
