"""Identifiers of exact bytes, as Software Heritage gives them (ISO/IEC 18670).

Who has the bytes can compute it, offline and forever; no registry hands it out. `swh.model`
computes it too, and tests compare; for one line, readers need not install it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path


def of(path: Path) -> str:
    """A file's identifier, `swh:1:cnt:` and forty hexadecimal digits: the hash of git's blob."""
    data = path.read_bytes()
    blob = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False)
    return f"swh:1:cnt:{blob.hexdigest()}"
