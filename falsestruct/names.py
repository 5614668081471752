"""Names as parts of ids."""

from __future__ import annotations

import re


def slug(*words: object) -> str:
    """Words as an id: ("instability", "stripes", "paper's CNN") is instability-stripes-paper-cnn.

    Raises:
        ValueError: nothing is left of a word.
    """
    parts = [
        re.sub(r"[^a-z0-9]+", "-", str(word).lower().replace("'s", "")).strip("-") for word in words
    ]
    if not all(parts):
        raise ValueError(f"words are {words}; expected words with letters or digits")
    return "-".join(parts)
