"""What runs on GitHub: the same script, the whole history, as few permissions as can be."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PATHS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def workflow(request):
    return yaml.safe_load(request.param.read_text())


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_actions_of_others_are_pinned_by_a_hash(workflow):
    used = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert [action for action in used if not re.search("@[0-9a-f]{40}$", action)] == []


def test_nothing_is_permitted_that_is_not_said(workflow):
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert set(job["permissions"]) == {"contents"} and job["timeout-minutes"] <= 120


def test_the_whole_history_is_checked_out(workflow):
    first = steps(workflow)[0]["run"]
    assert "refs/heads/*" in first and "--depth" not in first and "GITHUB_SHA" in first


def test_no_text_of_others_gets_into_a_script(workflow):
    assert all("${{" not in step["run"] for step in steps(workflow))


def test_the_tests_are_those_of_everywhere():
    text = (ROOT / ".github/workflows/tests.yml").read_text()
    assert "run: bash .ci/run\n" in text and "contents: write" not in text


def test_what_they_make_is_there():
    made = (ROOT / "Makefile").read_text()
    used = re.findall(r"^ +make ([a-z ]+)$", "\n".join(p.read_text() for p in PATHS), re.M)
    assert used and all(f"\n{name}: " in made for line in used for name in line.split())
