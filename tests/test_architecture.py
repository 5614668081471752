"""Arrows go down only."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture
def copy(tmp_path):
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "falsestruct", tmp_path / "falsestruct", ignore=ignore)
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    return tmp_path


def lint(root):
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def test_the_contract_is_kept():
    done = lint(REPOSITORY)
    assert done.returncode == 0 and "3 kept, 0 broken" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("lower", "upper", "contract"),
    [
        ("statistics.py", "success", "falsestruct.statistics is not allowed to import"),
        ("evidence.py", "learning.ensembles", "falsestruct.evidence is not allowed to import"),
        ("names.py", "statistics", "falsestruct.names is not allowed to import"),
        ("theory/relu.py", "evidence", "falsestruct.theory is not allowed to import"),
        ("learning/ensembles.py", "success", "falsestruct.learning is not allowed to import"),
        ("structures.py", "success", "falsestruct.structures is not allowed to import"),
        ("plots/style.py", "chapters.stripes.measure", "falsestruct.plots is not allowed"),
        ("problems/stripes.py", "learning.networks", "falsestruct.problems is not allowed"),
        ("chapters/stripes/measure.py", "chapters.success.measure", "No chapter imports another"),
        ("success.py", "press.paths", "falsestruct.success is not allowed to import"),
    ],
)
def test_a_planted_violation_is_caught(copy, lower, upper, contract):
    with (copy / "falsestruct" / lower).open("a") as file:
        file.write(f"\n\ndef planted():\n    import falsestruct.{upper}\n")
    done = lint(copy)
    assert done.returncode == 1
    assert contract in done.stdout and " broken." in done.stdout


def test_a_module_without_a_place_is_caught(copy):
    (copy / "falsestruct" / "extra.py").write_text('"""Nowhere."""\n')
    done = lint(copy)
    assert done.returncode == 1 and "extra" in done.stdout, done.stdout + done.stderr
