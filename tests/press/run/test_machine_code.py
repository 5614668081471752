"""Who compiles rounds otherwise than who loads: chapters and records only load."""

from __future__ import annotations

import os
from pathlib import Path
from unittest.mock import patch

import pytest

from falsestruct.press.paths import find_book
from falsestruct.press.run import chapters, freshness, machine_code, records
from falsestruct.sweep.reach import reachable


@pytest.mark.parametrize(("reached", "calls"), [("fused.py", 1), ("engines.py", 0)])
def test_it_is_compiled_only_for_who_needs_it(monkeypatch, reached, calls):
    seen = []
    monkeypatch.setattr(machine_code.subprocess, "run", lambda command, **_: seen.append(command))
    machine_code.keep(Path(), [Path("learning") / reached])
    assert [command[-1] for command in seen] == ["falsestruct.learning.compiled"] * calls


def test_the_oscillation_and_its_record_need_it_and_chapter_02_does_not():
    book = find_book()
    known = chapters.read_chapters(book)

    def needs(files):
        return any(path.name == machine_code.COMPILES for path in files)

    assert needs(freshness.computed_by(book, known["04_oscillation"].code))
    assert not needs(freshness.computed_by(book, known["02_structures"].code))
    assert needs(reachable(book.root, ["falsestruct.chapters.oscillation.runs"]))


def test_both_ask_for_it_before_they_compute(desk, monkeypatch):
    class AskedError(Exception):
        pass

    def ask(root, reached):
        raise AskedError(str(root))

    monkeypatch.setattr(machine_code, "keep", ask)
    with patch.dict(os.environ):  # an execution sets its process's environment for good
        found = chapters.execute(
            chapters.Job(desk.root, "01_one", {}, {}, "", desk.root / "staged", 1, None)
        )
    assert "AskedError" in found.error
    (desk.root / "book" / "records.yml").write_text(
        "r: {chapter: 01_one, function: 'falsestruct.names:slug', tasks: [{}]}\n"
    )
    with pytest.raises(AskedError):
        records.make("r", book=desk.book)
