"""Where results wait until they count."""

import subprocess
import sys

import pytest

from falsestruct.press.notebook import staging


def test_a_run_is_told_to_its_kernel(run_of_one):
    run = staging.current()
    assert (run.chapter, run.parameters, run.key) == ("01_one", {"seeds": 3}, "a key")
    assert run.folder == run_of_one.root / "_build" / "staged"


def test_by_hand_nothing_reaches_the_book(desk, monkeypatch):
    monkeypatch.delenv(staging.VARIABLE, raising=False)
    monkeypatch.setenv("FALSESTRUCT_ROOT", str(desk.root))
    run = staging.current()
    assert run.chapter == "by-hand" and run.key == ""
    assert run.folder == desk.root / "_build" / "by-hand"


def test_a_folder_is_gone_when_its_run_ends(desk):
    with staging.folder(desk.book.build) as one, staging.folder(desk.book.build) as two:
        assert one != two and one.is_dir() and two.is_dir()
    assert not one.exists() and not two.exists()
    with pytest.raises(KeyboardInterrupt), staging.folder(desk.book.build) as three:
        raise KeyboardInterrupt
    assert not three.exists()


def test_the_folder_of_a_killed_run_is_removed_and_that_of_a_running_one_is_not(desk):
    code = (
        "import os, pathlib, sys\n"
        "from falsestruct.press.notebook import staging\n"
        "with staging.folder(pathlib.Path(sys.argv[1]) / '_build') as folder:\n"
        "    (folder / 'half').write_text('x')\n"
        "    os._exit(9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(desk.root)], check=False)
    base = desk.root / "_build" / "staging"
    assert done.returncode == 9 and len(list(base.glob("run-*/half"))) == 1
    with staging.folder(desk.book.build) as one, staging.folder(desk.book.build) as two:
        assert set(base.glob("run-*")) == {one, two}
