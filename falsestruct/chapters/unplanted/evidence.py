"""The claims of chapter 20: over networks and images, both sampled."""

from __future__ import annotations

import numpy as np
import pandas as pd

from falsestruct.chapters.unplanted.measure import COSINES, mean_of, units
from falsestruct.evidence import (
    LEAST,
    Claims,
    Found,
    cells,
    contrast,
    crossed,
    extreme,
    too_few,
    where,
)
from falsestruct.names import slug

WAYS = ("adversary", "noise")  # of training; noise is the control


def _difference(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Over the first networks (or pairs) that both have, and the same images."""
    both = min(len(left), len(right))
    return left[:both] - right[:both]


def change(table: pd.DataFrame, measure: str, after: str, before: str) -> Found:
    """Mean of a measure after one treatment less that after another, seed by seed."""
    pair = [units(where(table, treatment=treatment), measure) for treatment in (after, before)]
    size = 2 if measure in COSINES else 1
    return crossed(_difference(*pair), bounds=(-size, size))


def between(left: np.ndarray, right: np.ndarray) -> Found:
    """Mean of the left cells less that of the right ones, where others qualify on each side.

    What `crossed` does with cells that don't qualify, for two matrices at once: deviations from a
    side's mean over its share of cells that qualify, the two sides paired by cells. Where all
    qualify, that is the mean of left − right.

    Args:
        left, right: (pairs, images) each, NaN where a cell does not qualify.
    """
    both = min(len(left), len(right))
    sides: list[np.ndarray] = []
    for side in (left[:both], right[:both]):
        seen = ~np.isnan(side)
        if (rows := int(seen.any(1).sum())) < LEAST:
            return too_few(rows, "pairs of networks")
        if (columns := int(seen.any(0).sum())) < LEAST:
            return too_few(columns, "images")
        mean = np.nanmean(side)
        sides.append(mean + np.where(seen, side - mean, 0.0) / seen.mean())
    return crossed(sides[0] - sides[1])


def robust_claims(table: pd.DataFrame) -> Claims:
    """About adversarial training, from `measure.plain`."""

    def by_norm(part: pd.DataFrame, after: str, before: str, measure: str) -> list[Found]:
        """`change` for each norm, put in place of a star."""
        words = measure, after, before
        return [change(part, *(w.replace("*", n) for w in words)) for n in ("l2", "linf")]

    found: Claims = {}
    for name, part in table.groupby("architecture", sort=False):
        gain, noise = (by_norm(part, f"{w} *", "standard", "robust_*") for w in WAYS)
        found[slug("digits-robust-gain", name)] = extreme(gain, min), extreme(noise, max)
        # A cost is a change downwards.
        cost, noise = (by_norm(part, "standard", f"{w} *", "accuracy") for w in WAYS)
        found[slug("digits-robust-cost", name)] = extreme(cost, min), extreme(noise, max)
        look, noise_look = (change(part, "look", f"{w} l2", "standard") for w in WAYS)
        found[slug("digits-robust-look", name)] = look, noise_look
    return found


def shared_claims(table: pd.DataFrame) -> Claims:
    """About perturbations that networks share, from `measure.plain`."""
    found: Claims = {}
    for name, part in table.groupby("architecture", sort=False):
        ways = {str(way): rows for way, rows in part.groupby("treatment", sort=False)}
        standard, other = ways["standard"], ways["apart"]
        own, other_own = ways["own shuffles"], ways["apart, own shuffles"]
        led = [units(ways[way], "same way") for way in ("standard", "one shuffle", "longer")]
        # With shuffles of their own hardly any two networks are led alike: controls ask for less.
        alike = mean_of("same label")
        pairs = {
            "direction": (mean_of("cosine")(standard), alike(own)),
            "transfer": (mean_of("transfer")(standard), mean_of("random")(standard)),
            "beyond-labels": (between(led[0], led[1]), between(led[0], led[2])),
            "apart": (mean_of("same way")(other), alike(other_own)),
            "transfer-apart": (mean_of("transfer")(other), mean_of("random")(other)),
        }
        found |= {slug(f"digits-shared-{what}", name): pair for what, pair in pairs.items()}
    return found


def taught_claims(table: pd.DataFrame) -> Claims:
    """About what perturbations teach, from `measure.taught`."""
    return contrast(
        "digits-perturbations-teach", table, "architecture",
        lambda part: crossed(cells(part, "right"), bounds=(0, 1)),
        of={"lesson": "perturbation"}, against={"lesson": "random"},
    )  # fmt: skip


def told_claims(table: pd.DataFrame) -> Claims:
    """About one lesson told in several ways, from `measure.told`."""
    found: Claims = {}
    for name, part in table.groupby("architecture", sort=False):
        right = {str(arm): cells(own, "right") for arm, own in part.groupby("arm")}

        def less(arm: str, other: str, right: dict[str, np.ndarray] = right) -> Found:
            return crossed(right[arm] - right[other], bounds=(-1, 1))

        found |= {
            slug("digits-lesson-geometry", name): (
                less("mean", "perturbation"), less("random", "perturbation"),
            ),
            slug("digits-lesson-across", name): (
                less("perturbation", "across means"), less("perturbation", "across others"),
            ),
            slug("digits-lesson-beyond", name): (
                less("across means", "random"), less("across means", "across random"),
            ),
        }  # fmt: skip
    return found
