"""What a result was computed with."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = ("numpy", "scipy", "pandas", "torch", "matplotlib", "papermill")
_WRITTEN_BY_RUNS = (
    ":!notebooks", ":!book/figures", ":!book/records", ":!book/evidence.json",
    ":!book/history.json",
)  # fmt: skip


def describe() -> dict[str, Any]:
    """Versions, machine class and threads."""
    return {
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in PACKAGES},
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "threads": threads(),
    }


def threads() -> int:
    """Threads that this process computes with; the runner sets them for its chapters."""
    if torch := sys.modules.get("torch"):  # not worth loading to be asked
        return int(torch.get_num_threads())
    return int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)


def commit(root: Path) -> str:
    """The commit of a clone, with "+" if sources differ from it; "unknown" outside of git."""

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "--no-optional-locks", "-C", str(root), *words],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stdout.strip()

    try:
        head = git("rev-parse", "--short=12", "HEAD")
        return (
            head + ("+" if git("status", "--porcelain", "--", ".", *_WRITTEN_BY_RUNS) else "")
            if head
            else "unknown"
        )
    except FileNotFoundError:
        return "unknown"
