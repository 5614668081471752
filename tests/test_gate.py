"""What `make test` costs: each chapter is executed twice, and two workers share the tests."""

import json
import os
import re
import runpy
import subprocess
from types import SimpleNamespace

import pytest

from tests.conftest import REPOSITORY, executed
from tests.conftest import pytest_collection_modifyitems as order_of_tests


def test_the_gate_executes_each_chapter_twice():
    """By a forced run, and to compare outputs; the tests that follow execute none."""
    recipe = commands("test")
    assert [bool(re.search("/falsestruct run|--nbval ", line)) for line in recipe].count(True) == 2
    assert recipe[-1].endswith("/pytest -n 2 --dist loadfile")  # its closing line is the gate's


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        (
            "lint",
            [
                "ruff check",
                "ruff format --check",
                "mypy",
                "lint-imports",
                "--validate",
                "zizmor",
                "actionlint",
            ],
        ),
        ("chapters", ["mypy", "falsestruct run --force"]),
        ("again", ["falsestruct run --force", "--nbval"]),
        ("strict", ["falsestruct run --force", "falsestruct claims", "build --strict"]),
        ("test", ["mypy", "run --force", "--nbval", "claims", "build --strict", "pytest -n 2"]),
    ],
)
def test_each_step_comes_after_what_it_needs(target, wanted):
    """Two steps side by side still wait for theirs."""
    recipe = iter(commands(target))
    assert all(any(step in line for line in recipe) for step in wanted), commands(target)


def test_notebooks_are_executed_longest_first(tmp_path):
    """And cells in their order; a chapter's file is never divided."""
    [line] = [line for line in commands("again") if "--nbval " in line]
    assert line.endswith("--dist loadfile --no-loadscope-reorder notebooks")
    for name, run in {"a": {"seconds": 2.5}, "b": {}, "c": {"seconds": 30.0}, "d": None}.items():
        metadata = {} if run is None else {"falsestruct_run": run}
        (tmp_path / name).write_text(json.dumps({"metadata": metadata}))
    items = [SimpleNamespace(path=tmp_path / name, cell=cell) for cell in (1, 2) for name in "dcba"]
    runpy.run_path(str(REPOSITORY / "notebooks" / "conftest.py"))["pytest_collection_modifyitems"](
        items
    )
    assert "".join(f"{item.path.name}{item.cell}" for item in items) == "c1c2a1a2b1b2d1d2"


def test_on_several_workers_slow_files_come_first():
    marked = {"tests/a.py::one": [0], "tests/a.py::two": [0], "tests/c.py::one": [1]}
    marked |= {
        "tests/browser/x.py::one": [1],
        "tests/b.py::one": [0],
        "tests/browser/y.py::one": [1],
    }
    items = [
        SimpleNamespace(nodeid=id, get_closest_marker=lambda name, slow=slow: slow[0] or None)
        for id, slow in marked.items()
    ]
    before = list(items)
    order_of_tests(SimpleNamespace(), items)
    assert items == before
    order_of_tests(SimpleNamespace(workerinput={}), items)
    assert [item.nodeid.removeprefix("tests/") for item in items] == [
        "browser/x.py::one", "browser/y.py::one", "c.py::one", "a.py::one", "a.py::two",
        "b.py::one",
    ]  # fmt: skip


def commands(target):
    """What `make` would run, in order."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MF"))}
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=REPOSITORY, env=clean, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return done.stdout.splitlines()


def test_that_a_chapter_was_executed_is_seen(finished_once, invoke, desk):
    """By a run, whatever came of it and wherever that went; or by hand."""
    assert executed(desk.root) == 0 < executed(finished_once.root)
    before = executed(finished_once.root)
    assert invoke(finished_once, "run")[0] == 0
    assert executed(finished_once.root) > before
    folder = desk.file("_build/by-hand/claims")
    folder.mkdir(parents=True)
    before = executed(desk.root)
    (folder / "one-holds.json").touch()
    assert executed(desk.root) > before > 0
