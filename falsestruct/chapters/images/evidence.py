"""The claims of chapter 08: over networks and images, both sampled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from falsestruct.chapters.images.measure import (
    KINDS,
    TAKEN,
    cells,
    crossovers,
    powered,
    taken,
)
from falsestruct.chapters.images.perturbations import COSINES, mean_of, units
from falsestruct.evidence import Claims, Found, contrast, crossed, extreme, share, slug, where
from falsestruct.statistics import exact


def planted_claims(
    table: pd.DataFrame, at_usual: pd.DataFrame, radius: Mapping[str, float]
) -> Claims:
    """About pixel and sinusoid: capture, crossovers, which comes first.

    Args:
        table, at_usual: Of `measure.swept` and `measure.usual`.
        radius: Of the original, for each of the two patterns.
    """
    norms, says_nothing = crossovers(table), where(at_usual, rho=0.5)
    found: Claims = {}
    for kind in KINDS[1:]:
        own = where(at_usual, kind=kind)
        found |= contrast(f"digits-{kind}-captured", own, "architecture", taken,
                          of={"rho": 1.0}, against={"rho": 0.5})  # fmt: skip
        for name in dict.fromkeys(table["architecture"]):
            logs = _logs(norms, kind, name) - np.log(radius[kind])
            control = sided(where(own, rho=0.5, architecture=name))
            found[slug(f"digits-{kind}-fainter", name)] = powered(logs), control
    for name in dict.fromkeys(table["architecture"]):
        ratio = powered(_logs(norms, "pixel", name) - _logs(norms, "sinusoid", name))
        found[slug("digits-sinusoid-before-pixel", name)] = (
            ratio, sided(where(says_nothing, architecture=name))
        )  # fmt: skip
    found["digits-pixel-cnn-last"] = _last(norms, "pixel"), _last(norms, "sinusoid")
    return found


def _logs(norms: pd.DataFrame, kind: str, architecture: str) -> np.ndarray:
    """Logarithms of crossovers, (seeds, images)."""
    return cells(where(norms, kind=kind, architecture=architecture), "log")


def _last(norms: pd.DataFrame, kind: str) -> Found:
    """The CNN's crossover over that of another architecture, where it is smallest.

    Over the seeds that both have: equal seeds have equal training sets.
    """
    own = _logs(norms, kind, "CNN")
    others = [_logs(norms, kind, n) for n in dict.fromkeys(norms["architecture"]) if n != "CNN"]
    return extreme([powered(_difference(own, other)) for other in others], min)


def _difference(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Over the first networks (or pairs) that both have, and the same images."""
    both = min(len(left), len(right))
    return left[:both] - right[:both]


def sided(table: pd.DataFrame) -> Found:
    """Share of networks that side with a pattern; those of one seed count as one, if several."""
    several = table["seed"].duplicated().any()
    return share(table["capture"] > TAKEN, within=table["seed"] if several else None)


def linear_claims(
    table: pd.DataFrame, patient: pd.DataFrame, bare: Sequence[bool], few: Sequence[bool]
) -> Claims:
    """About the linear network: its limit, and the time that it takes to get there.

    Args:
        table, patient: Of `measure.swept` and `measure.longer`.
        bare, few: Of `measure.bare_sets`, whole training sets and few images.
    """
    usual = _logs(crossovers(table), "sinusoid", "linear")
    longer = _logs(crossovers(where(patient, rho=1.0)), "sinusoid", "linear")
    return {
        "digits-linear-limit": (exact(np.mean(bare), len(bare)), exact(np.mean(few), len(few))),
        "digits-linear-waits": (
            powered(_difference(longer, usual)), sided(where(patient, rho=0.5)),
        ),
    }  # fmt: skip


def plain_claims(table: pd.DataFrame) -> Claims:
    """About adversarial training and about shared perturbations, from `perturbations.plain`."""
    return {
        slug(stem, name): pair
        for name, part in table.groupby("architecture", sort=False)
        for stem, pair in (_robust(part) | _shared(part)).items()
    }


def change(table: pd.DataFrame, measure: str, after: str, before: str) -> Found:
    """Mean of a measure after one treatment less that after another, seed by seed."""
    pair = [units(where(table, treatment=treatment), measure) for treatment in (after, before)]
    size = 2 if measure in COSINES else 1
    return crossed(_difference(*pair), bounds=(-size, size))


def _robust(table: pd.DataFrame) -> Claims:
    def by_norm(after: str, before: str, measure: str) -> list[Found]:
        """`change` for each norm, put in place of a star."""
        norms = ("l2", "linf")
        return [
            change(table, *(w.replace("*", n) for w in (measure, after, before))) for n in norms
        ]

    return {
        "digits-robust-gain": (
            extreme(by_norm("adversary *", "standard", "robust_*"), min),
            extreme(by_norm("noise *", "standard", "robust_*"), max),
        ),
        # A cost is a change downwards.
        "digits-robust-cost": (
            extreme(by_norm("standard", "adversary *", "accuracy"), min),
            extreme(by_norm("standard", "noise *", "accuracy"), max),
        ),
        "digits-robust-look": (
            change(table, "look", "adversary l2", "standard"),
            change(table, "look", "noise l2", "standard"),
        ),
    }


def _shared(table: pd.DataFrame) -> Claims:
    standard, own = (where(table, treatment=way) for way in ("standard", "own shuffles"))
    return {
        "digits-shared-direction": (mean_of("cosine")(standard), mean_of("cosine")(own)),
        "digits-shared-transfer": (mean_of("transfer")(standard), mean_of("random")(standard)),
        "digits-shared-beyond-labels": (
            change(table, "cosine", "standard", "one shuffle"),
            change(table, "cosine", "own shuffles", "one shuffle"),
        ),
    }


def taught_claims(table: pd.DataFrame) -> Claims:
    """About what perturbations teach, from `perturbations.taught`."""
    return contrast(
        "digits-perturbations-teach", table, "architecture",
        lambda part: crossed(cells(part, "right"), bounds=(0, 1)),
        of={"lesson": "perturbation"}, against={"lesson": "random"},
    )  # fmt: skip
