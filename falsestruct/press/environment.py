"""What a result was computed with."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = ("numpy", "scipy", "pandas", "torch", "matplotlib", "papermill")


def describe() -> dict[str, Any]:
    """Versions, machine class and threads."""
    return {
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in PACKAGES},
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "threads": threads(),
    }


def threads() -> int:
    """Threads that PyTorch computes with; 1 in every chapter unless the runner says otherwise."""
    import torch

    return torch.get_num_threads()


def commit(root: Path) -> str:
    """The commit of a clone, with "+" if files differ from it; "unknown" outside of git."""

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    try:
        head = git("rev-parse", "--short=12", "HEAD")
        return head + ("+" if git("status", "--porcelain") else "") if head else "unknown"
    except FileNotFoundError:
        return "unknown"
