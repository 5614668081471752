"""What `make test` costs: each chapter is executed twice, and two workers share the tests."""

import re

from tests.conftest import REPOSITORY, executed


def test_the_gate_executes_each_chapter_twice():
    """By a forced run, and to compare outputs; the tests that follow execute none."""
    lines = (REPOSITORY / "Makefile").read_text().splitlines()
    begin = lines.index("test: $(READY) lint")
    recipe = lines[begin + 1 : lines.index("", begin)]
    assert [bool(re.search("/falsestruct run|--nbval ", line)) for line in recipe].count(True) == 2
    *_, last = recipe
    assert last.endswith("$(BIN)/pytest -n 2 --dist loadfile")  # its closing line is the gate's


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
