"""The claims of chapter 08: over networks and images, both sampled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from falsestruct.chapters.images.measure import (
    KINDS,
    TAKEN,
    crossovers,
    powered,
    taken,
)
from falsestruct.evidence import (
    Claims,
    Found,
    cells,
    contrast,
    extreme,
    share,
    where,
)
from falsestruct.names import slug
from falsestruct.statistics import exact


def captured_claims(at_usual: pd.DataFrame) -> Claims:
    """About what is captured at the usual strengths, from `measure.usual`."""
    found: Claims = {}
    for kind in KINDS[1:]:
        found |= contrast(
            f"digits-{kind}-captured", where(at_usual, kind=kind), "architecture", taken,
            of={"rho": 1.0}, against={"rho": 0.5},
        )  # fmt: skip
    return found


def order_claims(
    table: pd.DataFrame, at_usual: pd.DataFrame, radius: Mapping[str, float]
) -> Claims:
    """About where networks change over to pixel and sinusoid, and which comes first.

    Args:
        table, at_usual: Of `measure.swept` and `measure.usual`.
        radius: Of the original, for each of the two patterns.
    """
    norms, says_nothing = crossovers(table), where(at_usual, rho=0.5)
    found: Claims = {}
    for name in dict.fromkeys(table["architecture"]):
        logs = {kind: _logs(norms, kind, name) for kind in KINDS[1:]}
        own = where(says_nothing, architecture=name)
        for kind, sizes in logs.items():
            fainter = powered(sizes - np.log(radius[kind]))
            found[slug(f"digits-{kind}-fainter", name)] = fainter, sided(where(own, kind=kind))
        first = powered(logs["pixel"] - logs["sinusoid"])
        found[slug("digits-sinusoid-before-pixel", name)] = first, sided(own)
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


def portion(meets: Sequence[bool]) -> Found:
    """Share of training sets that are all there are."""
    return exact(sum(meets) / len(meets), len(meets))


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
        "digits-linear-limit": (portion(bare), portion(few)),
        "digits-linear-waits": (
            powered(_difference(longer, usual)), sided(where(patient, rho=0.5)),
        ),
    }  # fmt: skip
