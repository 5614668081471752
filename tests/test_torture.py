"""`make torture` says what it did not try; here, one kill of a build."""

import os
import random
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.conftest import REPOSITORY
from tests.torture import __main__ as torture
from tests.torture import harm, kills, toy

KINDS = list(torture.KILLS)


def rows(text):
    """The first cells of a table's rows."""
    return re.findall(r"^\| (?!what)(.+?) \|", text, re.M)


def test_the_table_has_the_rows_of_contributing():
    found = dict.fromkeys(torture.chosen(""), (1, []))
    written = (REPOSITORY / "CONTRIBUTING.md").read_text().partition("| what was tried |")[2]
    assert rows(torture.table(found, 0)) == rows(written.partition("\n\n")[0])


@pytest.mark.parametrize(
    ("only", "names"),
    [
        ("SIGKILL", KINDS), ("kill", [*KINDS, "a worker killed"]), ("a run with", [KINDS[1]]),
        ("in a build", [KINDS[3]]), ("clocks", ["clocks set back"]), ("nothing has this", []),
    ],
)  # fmt: skip
def test_rows_are_chosen_by_their_names(only, names):
    assert torture.chosen(only) == names


def test_kills_are_shared_out_to_the_chosen_kinds(monkeypatch):
    asked = []
    monkeypatch.setattr(kills, "several", lambda *words: asked.append(words[1:]) or (0, []))
    for only, wanted in {
        "": {"run": 2, "sweep": 2, "record": 2, "build": 1},
        "in a build": {"build": 7},
    }.items():
        given = SimpleNamespace(only=only, kills=7, seed=3, small_disk=None)
        made = torture.rows(toy.Toy(Path()), Path(), given)
        for name in torture.chosen(only):
            if name in torture.KILLS:
                made[name][0]()
        assert asked == [(kind, count, 3) for kind, count in wanted.items()]
        asked.clear()


def test_without_a_small_disk_it_is_said_and_fails(monkeypatch, tmp_path, capsys):
    """Where nothing can be mounted."""
    made = toy.Toy(tmp_path / "book", tmp_path / "tmp")
    refused = subprocess.CompletedProcess([], 1, "", "mount: permission denied")
    monkeypatch.setattr(toy, "make", lambda *_: made)
    monkeypatch.setattr(torture.os, "geteuid", lambda: 1)
    monkeypatch.setattr(torture.subprocess, "run", lambda *_, **__: refused)
    monkeypatch.setattr("sys.argv", ["torture", "--only", "a disk"])
    with pytest.raises(SystemExit) as ended:
        torture.main()
    out, err = capsys.readouterr()
    assert ended.value.code == 1
    assert "| a disk with 0, 20 and 400 kB left | **not tried** |  |" in out
    assert "not tried: a disk" in err and "permission denied" in err


def test_faults_are_counted_in_the_row():
    assert "| x | 3 | **1 faults** |" in torture.table({"x": (3, ["one"])}, 0)


def test_a_build_on_a_full_disk_must_not_end_in_a_traceback():
    done = subprocess.CompletedProcess([], 1, "", "Traceback (most recent call last)")
    assert harm.told(done, "0 kB left, build")


def test_another_page_is_noticed_whatever_differs_in_it(tmp_path):
    made = toy.Toy(tmp_path)
    pages = {name: made.file(f"_build/html/{name}.html") for name in ("a", "b/c")}
    told = (
        '<link href="mystnb.ab1.css?v=12"><p>Re-executes in about 5 seconds on 1 core.</p>'
        "<p>Seconds\n: 1.5</p><p>1.5 networks</p>"
    )
    for path in pages.values():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(told)
    made = toy.Toy(tmp_path, reference=made.pages())
    others = told.replace("?v=12", "").replace("about 5", "about 10").replace(": 1.5", ": 20.1")
    pages["a"].write_text(others)
    assert made.misbuilt() == []
    pages["b/c"].write_text(told.replace("1.5 networks", "1.6 networks"))
    assert made.misbuilt() == ["the page b/c.html is another one"]
    pages["b/c"].unlink()
    assert made.misbuilt() == ["the page b/c.html is another one"]


class Ended(toy.Toy):
    """Its commands have ended when they are to be killed."""

    def start(self, *_):
        process = subprocess.Popen([sys.executable, "-c", ""])
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # a zombie from now on
        return process


@pytest.fixture
def ended(tmp_path):
    made = Ended(tmp_path)
    made.file("notebooks").mkdir()
    for name in ("01_one", "02_two"):
        made.file(f"notebooks/{name}.ipynb").touch()
    return made


def test_who_has_ended_was_not_killed(ended):
    assert kills.one(ended, "run", lambda: None, random.Random(0)) is None


def test_only_kills_that_met_a_process_are_counted(ended, monkeypatch):
    results = iter([[], None, ["a fault"], None, []])
    monkeypatch.setattr(kills, "longest", lambda *_: 0.0)
    monkeypatch.setattr(kills, "one", lambda *_: next(results))
    assert kills.several(ended, "run", 3, 0) == (3, ["a fault"])
    assert next(results, "all") == "all"


def test_kills_that_all_come_too_late_are_a_fault(ended, monkeypatch):
    monkeypatch.setattr(kills, "longest", lambda *_: 0.0)
    count, (fault,) = kills.several(ended, "build", 2, 0)
    assert count == 0 and "only 0 of 2" in fault


@pytest.mark.slow
def test_a_killed_build_leaves_nothing_behind(finished, tmp_path):
    """The command itself is killed when it has begun with the pages; what it started goes on.

    Of a run, test_runner.py.
    """
    for name, text in toy.PAGES.items():
        finished.file(name).write_text(text)
    made = toy.after(finished, tmp_path / "tmp", ("build",))
    assert {"book/index.html", "notebooks/01_one.html", "notebooks/02_two.html"} <= set(
        made.reference
    )
    begun, whom = made.file("_build/pages.begun"), random.Random(0)  # its first draw: no child
    assert not begun.exists()
    assert kills.one(made, "build", lambda: toy.wait_for(begun.exists, 60), whom) == []
