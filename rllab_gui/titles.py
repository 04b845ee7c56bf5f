"""Options as a person reads them in the window: by their titles, not their keys."""

from __future__ import annotations

import re

from engine.contract.options import specs

_KEY = re.compile(r"\b[a-z_]+\.[a-z_]+\b(?!=)")
"""An assignment keeps its key: it is a line for the command line."""


def with_titles(sentence: str) -> str:
    """The sentence with the titles of form rows in place of the keys of options."""
    known = specs()
    return _KEY.sub(
        lambda key: known[key[0]].title if key[0] in known else key[0], sentence
    )
