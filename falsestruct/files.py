"""Files that are whole at every moment."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

PART = ".part"  # how a file ends while it is being written


def write_atomically(path: Path, raw: bytes) -> None:
    """Write a file in a folder that exists: it holds the old content or the new, never half.

    Raises:
        OSError: it can't be written; the old content is still there then.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=PART)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
