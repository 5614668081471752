"""A second build rewrites what has become stale, and only that; it executes and draws nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import CONFIG, TOC

EDITS = [
    ("falsestruct/press/site/chapter_pages.py", "What this chapter shows", "Its results"),
    ("book/claims/01_one.yml", "It holds.", "It still holds."),
    ("book/figures/one-line.json", "A line.", "A rising line."),
]


def build(desk):
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", str(desk.root), "-q"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=desk.environment()
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [desk.file(f"_build/html/{name}.html") for name in ("notebooks/01_one", "book/index")]


@pytest.mark.slow
def test_a_second_build_rewrites_what_is_stale(finished):
    finished.file("_config.yml").write_text(CONFIG)
    finished.file("_toc.yml").write_text(TOC)
    finished.file("book/index.md").write_text("# A book\n\nWords.\n")
    before = finished.digest("notebooks", "book/figures", "book")
    page, front = build(finished)
    times = page.stat().st_mtime_ns, front.stat().st_mtime_ns
    build(finished)
    assert (page.stat().st_mtime_ns, front.stat().st_mtime_ns) == times
    assert finished.digest("notebooks", "book/figures", "book") == before
    for name, old, new in EDITS:
        finished.edit(name, old, new)
        time = page.stat().st_mtime_ns
        build(finished)
        assert page.stat().st_mtime_ns > time, name
    assert "Its results" in page.read_text() and "It still holds." in page.read_text()
