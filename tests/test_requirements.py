"""Every pin installs on every promised Python; `make` refuses another one in one clear line."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parents[1]
PROMISED = SpecifierSet(
    tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["requires-python"]
)
MINORS = [f"3.{minor}" for minor in range(8, 20)]
# Debian 12's own is 3.11.2, so that the first release of each has to do.
OLDEST = [f"{minor}.0" for minor in MINORS if f"{minor}.0" in PROMISED]
SPAN = " to ".join(version.removesuffix(".0") for version in (OLDEST[0], OLDEST[-1]))
CHOOSE = "choose another one: make PYTHON=python3.12 book"


# ---- the pins: needs the package registry ----


def resolve(version: str) -> subprocess.CompletedProcess[str]:
    """Ask pip: does every pin have a wheel that this Python (such as "3.11.0") may install?

    By Requires-Python and the wheels' tags for this platform; only metadata is fetched. What a pin
    needs is a pin, too (tested below), so nothing is followed.
    """
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--no-deps"]
    command += ["--ignore-installed", "--only-binary=:all:", "--python-version", version]
    command += ["--target", "never-written", "--requirement", "requirements.txt"]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def resolved() -> dict[str, subprocess.CompletedProcess[str]]:
    """What pip says for each version, side by side, since each takes half a minute."""
    if os.environ.get("FALSESTRUCT_REQUIRE_REGISTRY") != "1":
        pytest.skip("needs the package registry: set FALSESTRUCT_REQUIRE_REGISTRY=1")
    with ThreadPoolExecutor() as pool:
        return dict(zip(OLDEST, pool.map(resolve, OLDEST), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("version", OLDEST)
def test_every_pin_installs(resolved, version):
    done = resolved[version]
    # Not its warnings, of indexes that lack a package, nor a line of versions of other packages.
    errors = re.findall(r"^ERROR: (?!Ignored).*", done.stderr, re.MULTILINE)
    assert done.returncode == 0, "\n".join([f"Python {version}:", *errors])


# ---- the pins: what is installed ----


def test_what_a_pin_needs_is_a_pin():
    """On Python 3.11; on 3.12 papermill needs aiohttp too, and a CUDA build of torch its own."""
    lines = (REPOSITORY / "requirements.txt").read_text().splitlines()
    pins = [canonicalize_name(line.split("==")[0]) for line in lines if "==" in line]
    needed = {
        (pin, canonicalize_name(need.name))
        for pin in set(pins) - {"torch"}
        for need in map(Requirement, requires(pin) or [])
        if need.marker is None or need.marker.evaluate({"extra": "", "python_version": "3.11"})
    }
    assert {pair for pair in needed if pair[1] not in pins} == set()


# ---- the Makefile's check ----

# The setting has no single quote in it.
FAKE = """\
#!/bin/sh
case "$1" in
  -c) exec {real} -c 'import sys; {setting}; exec(sys.argv[2])' "$@" ;;
  *) echo "installing: $*"; exit 9 ;;
esac
"""


@pytest.fixture
def make(tmp_path) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """`make book` in a copy, with a Python changed by the setting; ends where it would install."""
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, tmp_path)

    def run(setting: str) -> subprocess.CompletedProcess[str]:
        python = tmp_path / "python"
        python.write_text(FAKE.format(real=sys.executable, setting=setting))
        python.chmod(0o755)
        return book(tmp_path, "./python")

    return run


def book(folder: Path, python: str) -> subprocess.CompletedProcess[str]:
    """As from a shell: below `make test`, make would say which folder it enters."""
    shell = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MF"))
    }
    command = ["make", f"PYTHON={python}", "book"]
    return subprocess.run(
        command, cwd=folder, env=shell, capture_output=True, text=True, check=False
    )


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one line; the other is make's own, that a step failed."""
    assert done.returncode == 2 and done.stdout == "", done
    line, makes_own = done.stderr.splitlines()
    assert makes_own.startswith("make: ***")
    return line


@pytest.mark.parametrize("minor", MINORS)
def test_make_takes_the_pythons_of_pyproject_and_no_other(make, minor):
    done = make(f'sys.version_info = (3, {minor.removeprefix("3.")}, 7, "final", 0)')
    if f"{minor}.7" in PROMISED:
        assert "installing: -m venv .venv" in done.stdout
    else:
        found = f"PYTHON=./python is Python {minor}.7"
        assert refusal(done) == f"{found}, but the pinned packages need {SPAN}; {CHOOSE}"


def test_make_names_what_a_python_without_ensurepip_lacks(make):
    line = refusal(make('sys.modules["ensurepip"] = None'))
    assert "without ensurepip (Debian: apt-get install python3-venv)" in line and CHOOSE in line


def test_make_names_a_python_that_is_not_here(make, tmp_path):
    assert refusal(book(tmp_path, "python3.99")) == f"PYTHON=python3.99 is not here; {CHOOSE}"


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_the_documents_name_the_same_pythons(name):
    assert f"Python {SPAN}" in (REPOSITORY / name).read_text()
