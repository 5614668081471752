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
    ":!book/history.json", ":!book/certificates",
)  # fmt: skip
# By these, a hook of git's, say, would point us to a repository that isn't the book's.
_OTHER_REPOSITORY = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY",
    "GIT_NAMESPACE", "GIT_PREFIX",
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
    """The commit of a clone, with "+" if sources differ from it; "unknown" outside of git.

    Sources are what git tracks, and what is new below `book` and `falsestruct`. What commands leave
    elsewhere in the clone changes nothing.
    """
    if why_unknown(root):
        return "unknown"
    head = git(root, "rev-parse", "--short=12", "HEAD").stdout.strip()
    found = git(root, "status", "--porcelain", "--", ".", *_WRITTEN_BY_RUNS).stdout.splitlines()
    new = ("?? book/", '?? "book/', "?? falsestruct/", '?? "falsestruct/')
    return head + "+" * any(not line.startswith("??") or line.startswith(new) for line in found)


def why_unknown(root: Path) -> str:
    """Why git can't tell the commit of the book, in one line; empty if it can."""
    try:
        found = git(root, "rev-parse", "--show-toplevel", "--verify", "HEAD")
    except OSError:
        return "git is not installed"
    top, *_ = found.stdout.splitlines() or [""]
    if top and not os.path.samefile(top, root):
        return f"{root} is no repository of its own: it lies in that of {top}"
    lines = [line for line in found.stderr.splitlines() if line.startswith("fatal: ")]
    return lines[0].removeprefix("fatal: ") if lines else "git has no commit" * (not top)


def git(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Ask git about this folder and no other.

    A clone that belongs to another user is asked as well: whoever runs this runs the clone's code.

    Raises:
        OSError: git can't be started.
    """
    kept = {k: v for k, v in os.environ.items() if k not in _OTHER_REPOSITORY}
    settings = ("-c", f"safe.directory={root}", "-c", "core.fsmonitor=false")
    command = ["git", "--no-optional-locks", *settings, "-C", str(root), *words]
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", errors="replace", check=False, env=kept
    )
