"""Machine code that a run needs is compiled and kept before it, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

COMPILES = "fused.py"  # the file whose functions are compiled


def keep(root: Path, reached: Iterable[Path]) -> None:
    """Compile what these files of the package need, so that who runs them only loads it.

    `falsestruct.learning.compiled` says why. Nothing happens if they need nothing.

    Raises:
        subprocess.CalledProcessError: it can't be compiled.
    """
    if any(path.name == COMPILES for path in reached):
        command = [sys.executable, "-m", "falsestruct.learning.compiled"]
        subprocess.run(command, cwd=root, check=True)
