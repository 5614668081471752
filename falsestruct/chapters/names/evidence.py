"""The claims of chapter 22: over the second half's networks and images, both sampled.

The rules are frozen before. So the intervals don't cover the choice of the first half.
"""

from __future__ import annotations

from functools import partial
from random import Random

import numpy as np
import pandas as pd

from falsestruct import evidence, statistics
from falsestruct.chapters.names.measure import BASELINES, RULES, SPACES, TOLD
from falsestruct.evidence import Claims, Found, cells, crossed, extreme, where
from falsestruct.names import slug
from falsestruct.statistics import Nobody
from falsestruct.theory import forbidden

LEARNED, NAMED, DRAWN = "learned directions", "named statistics", "random statistics"
MISSING = 0.1  # of attacks may find nothing, at most: else the rest would be a selection


def proved(cases: int, seed: int) -> Claims:
    """The law of growth, in rational arithmetic."""
    off, other = forbidden.law_evidence(cases, Random(seed))
    return {
        "names-law": (statistics.exact(float(off), cases), statistics.exact(float(other), cases))
    }


def more(part: pd.DataFrame, rule: str, than: str) -> Found:
    """Share of flips that one rule foretells less that of another, on the same flips."""
    return crossed(cells(part, rule) - cells(part, than), bounds=(-1, 1))


def excess(part: pd.DataFrame, front: str = "") -> Found:
    """What the learned directions foretell beyond the baseline that comes next to them.

    Args:
        front: One of `TOLD`.
    """
    return extreme([more(part, front + LEARNED, front + than) for than in BASELINES], min)


def growth(part: pd.DataFrame, space: str, than: str = "") -> Found:
    """Factor by which the smallest perturbation grows when a space is forbidden; or, over that when
    another one is. Geometric mean over networks and images."""
    logs = cells(part, f"log {space}") - (cells(part, f"log {than}") if than else 0.0)
    known = int(np.isfinite(logs).sum())
    if known < (1 - MISSING) * logs.size:
        return Nobody(f"only {known} of {logs.size} attacks found something", known)
    found = crossed(logs)
    return found if isinstance(found, Nobody) else statistics.exponential(found)


def claims(table: pd.DataFrame) -> Claims:
    """From `measure.measured`: one question for all architectures, then the next."""
    found: dict[str, Claims] = {}
    for name, both in table.groupby("architecture", sort=False):
        part, control = (where(both, labels=labels) for labels in ("true", "shuffled"))
        pairs = {
            "names-learned": (excess(part), excess(part, "images ")),
            "names-named": (more(part, NAMED, LEARNED), more(part, DRAWN, LEARNED)),
            "names-growth": (
                growth(part, "learned", "random"), growth(control, "learned", "random"),
            ),
            "names-growth-held": (
                growth(part, "learned", "as learned"), growth(part, "random", "as random"),
            ),
        }  # fmt: skip
        for stem, pair in pairs.items():
            found.setdefault(stem, {})[slug(stem, name)] = pair
    return {id: pair for own in found.values() for id, pair in own.items()}


def shares(table: pd.DataFrame) -> pd.DataFrame:
    """What each rule foretells: architecture, labels, value, low, high, rule, what
    (of `TOLD`)."""
    keys, found = ["architecture", "labels"], []
    for front, what in TOLD.items():
        for rule in RULES:
            own = partial(_share, name=front + rule)
            rows = evidence.summary(table, keys, None, measure=own)
            found.append(rows.assign(rule=rule, what=what))
    return pd.concat(found, ignore_index=True)


def _share(part: pd.DataFrame, name: str) -> Found:
    return crossed(cells(part, name), bounds=(0, 1))


def growths(table: pd.DataFrame) -> pd.DataFrame:
    """How much the smallest perturbation grows: architecture, labels, value, low, high, space; held
    (share of the perturbations, mean over networks) and law, by which a linear rule of two classes
    would grow."""
    keys, found = ["architecture", "labels"], []
    for space in SPACES:
        rows = evidence.summary(table, keys, None, measure=partial(growth, space=space))
        held = table.groupby(keys, sort=False)[f"held {space}"].mean().reset_index(name="held")
        found.append(rows.merge(held, on=keys).assign(space=space))
    whole = pd.concat(found, ignore_index=True)
    return whole.assign(law=1 / np.sqrt(1 - whole["held"]))


def terms(table: pd.DataFrame, architecture: str) -> str:
    """The names of the nine statistics that networks of an architecture chose, true labels."""
    return str(where(table, architecture=architecture, labels="true")["terms"].iloc[0])
