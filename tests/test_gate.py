"""What `make test` costs: each chapter is executed twice, and two workers share the tests."""

import os
import re
import subprocess

import pytest

from tests.conftest import REPOSITORY, executed


def test_the_gate_executes_each_chapter_twice():
    """By a forced run, and to compare outputs; the tests that follow execute none."""
    recipe = commands("test")
    assert [bool(re.search("/falsestruct run|--nbval ", line)) for line in recipe].count(True) == 2
    assert recipe[-1].endswith("/pytest -n 2 --dist loadfile")  # its closing line is the gate's


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        ("lint", ["ruff check", "ruff format --check", "mypy", "lint-imports", "--validate"]),
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
