"""The status board of the book: every component is asked of every problem and architecture."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from falsestruct.learning.networks import fitting
from falsestruct.press.notebook import claims
from falsestruct.press.notebook.claims import Claim
from falsestruct.press.paths import Book
from falsestruct.problems.planted import registry

CLAIMS = claims.read_claims(Book(Path(__file__).parents[1]))
PROBLEMS = ("stripes", "oscillation", "digits-brightness")
CELLS = [
    (name, a.name) for name in PROBLEMS for a in fitting(registry.by_name(name).direction.shape)
]
CHAPTERS = {"success": "05_success", "instability": "06_instability", "simplicity": "07_simplicity"}


def cell(component: str, problem: str, architecture: str) -> list[Claim]:
    return [
        claim
        for claim in CLAIMS.values()
        if (claim.component, claim.problem, claim.architecture)
        == (component, problem, architecture)
        and claim.chapter == CHAPTERS[component]
    ]


@pytest.mark.parametrize(("problem", "architecture"), CELLS)
@pytest.mark.parametrize("component", CHAPTERS)
def test_every_cell_has_one_claim(component: str, problem: str, architecture: str) -> None:
    assert len(cell(component, problem, architecture)) == 1


@pytest.mark.parametrize("component", CHAPTERS)
def test_a_column_has_one_measure_and_one_rule(component: str) -> None:
    """Otherwise its cells could not be compared."""
    rules = {
        (str(claim.supported), str(claim.refuted))
        for place in CELLS
        for claim in cell(component, *place)
    }
    assert len(rules) == 1


def test_chapters_have_at_least_four_claims() -> None:
    numbered = sorted(claim.chapter for claim in CLAIMS.values())
    counts = {name: len(list(part)) for name, part in itertools.groupby(numbered)}
    assert min(counts.values()) >= 4, counts
