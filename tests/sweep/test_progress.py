"""How far a sweep is."""

import io
import json
import sys
import warnings

import pytest

from falsestruct.sweep import progress
from falsestruct.sweep.progress import Progress, Tally


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_the_time_left_is_at_the_pace_of_this_runs_own_points():
    """2 stored points in 3 s, then 2 of our own in 10 s: 4 more take 20 s."""
    clock = Clock()
    tally = Tally(8, clock=clock)
    assert tally.progress() == Progress(0, 8, 0, 0, 0.0, None)
    clock.now += 3
    tally.ended(2, from_store=True)
    assert tally.progress() == Progress(2, 8, 0, 2, 3.0, None)
    tally.submitted()
    clock.now += 4
    tally.submitted()
    assert tally.progress().left is None
    tally.ended(1)
    assert tally.progress() == Progress(3, 8, 0, 2, 7.0, 4.0 * 5)
    clock.now += 6
    tally.ended(1, failed=True)
    assert tally.progress() == Progress(3, 8, 1, 2, 13.0, 10.0 / 2 * 4)
    tally.ended(4)
    assert tally.progress() == Progress(7, 8, 1, 2, 13.0, 0.0)


def test_nothing_to_do_takes_no_time():
    assert Tally(0).progress().left == 0.0


def test_stored_points_alone_take_no_more_time_in_the_end():
    tally = Tally(2)
    tally.ended(2, from_store=True)
    assert tally.progress().left == 0.0


def at(done, total=10, left=None):
    return Progress(done, total, 0, 0, 1.0, left)


def test_the_file_is_rewritten_twice_a_second_and_at_the_end(tmp_path, monkeypatch):
    clock, path = Clock(), tmp_path / "progress"
    monkeypatch.setenv("FALSESTRUCT_PROGRESS", str(path))
    monkeypatch.setattr(progress.time, "monotonic", clock)
    seen = []
    with progress.reports(None, "name") as report:
        for step, done in ((0, 0), (0.4, 1), (0.1, 2), (0.1, 3), (0.5, 4), (0, 10)):
            clock.now += step
            report(at(done, left=2.5))
            seen.append(json.loads(path.read_text())["done"])
    assert seen == [0, 0, 2, 2, 4, 10]
    assert json.loads(path.read_text()) == {
        "done": 10, "total": 10, "failed": 0, "from_store": 0, "seconds": 1.0, "left": 2.5,
    }  # fmt: skip


def test_a_file_that_cannot_be_written_is_a_warning(tmp_path, monkeypatch):
    monkeypatch.setenv("FALSESTRUCT_PROGRESS", str(tmp_path / "absent" / "file"))
    with progress.reports(None, "name") as report, pytest.warns(UserWarning, match="absent/file"):
        report(at(1))


def test_without_a_terminal_nothing_is_printed(monkeypatch, capsys):
    monkeypatch.delenv("FALSESTRUCT_PROGRESS", raising=False)
    with warnings.catch_warnings(action="error"), progress.reports(None, "name") as report:
        report(at(10))
    assert capsys.readouterr() == ("", "")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_shows_a_bar_with_the_time_left(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", screen := Terminal())
    with progress.reports(None, "jobs:train") as report:
        report(Progress(3, 8, 1, 2, 5.0, 75.4))
    text = screen.getvalue()
    for part in ("jobs:train", "4/8", "0:01:15 left", "2 from the store", "1 failed"):
        assert part in text


def test_who_asks_is_told_instead(monkeypatch):
    monkeypatch.setattr(sys, "stderr", screen := Terminal())
    seen = []
    with progress.reports(seen.append, "name") as report:
        report(at(3))
    assert seen == [at(3)] and screen.getvalue() == ""
