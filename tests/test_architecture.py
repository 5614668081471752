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
    assert done.returncode == 0 and "1 kept, 0 broken" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("lower", "upper"),
    [("statistics", "press.claims"), ("structures", "success"), ("plots", "experiments")],
)
def test_a_planted_violation_is_caught(copy, lower, upper):
    path = copy / "falsestruct" / f"{lower}.py"
    path = path if path.exists() else copy / "falsestruct" / lower / "__init__.py"
    with path.open("a") as file:
        file.write(f"\n\ndef planted():\n    import falsestruct.{upper}\n")
    done = lint(copy)
    assert done.returncode == 1
    assert f"falsestruct.{lower} is not allowed to import falsestruct" in done.stdout
