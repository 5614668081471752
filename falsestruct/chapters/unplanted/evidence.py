"""The claims of chapter 20: over networks and images, both sampled."""

from __future__ import annotations

import numpy as np
import pandas as pd

from falsestruct.chapters.unplanted.measure import COSINES, mean_of, units
from falsestruct.evidence import Claims, Found, cells, contrast, crossed, extreme, where
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


def robust_claims(table: pd.DataFrame) -> Claims:
    """About adversarial training, from `perturbations.plain`."""

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
    """About perturbations that networks share, from `perturbations.plain`."""
    found: Claims = {}
    for name, part in table.groupby("architecture", sort=False):
        standard, own = (where(part, treatment=way) for way in ("standard", "own shuffles"))
        pairs = {
            "direction": (mean_of("cosine")(standard), mean_of("cosine")(own)),
            "transfer": (mean_of("transfer")(standard), mean_of("random")(standard)),
            "beyond-labels": (
                change(part, "cosine", "standard", "one shuffle"),
                change(part, "cosine", "own shuffles", "one shuffle"),
            ),
        }
        apart, random = (where(part, treatment=f"apart{own}") for own in ("", ", own shuffles"))
        pairs["apart"] = mean_of("same way")(apart), mean_of("same way")(random)
        pairs["transfer-apart"] = mean_of("transfer")(apart), mean_of("random")(apart)
        found |= {slug(f"digits-shared-{what}", name): pair for what, pair in pairs.items()}
    return found


def taught_claims(table: pd.DataFrame) -> Claims:
    """About what perturbations teach, from `perturbations.taught`."""
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
                less("perturbation", "across means"), less("perturbation", "across random"),
            ),
            slug("digits-lesson-beyond", name): (
                crossed(right["across means"], bounds=(0, 1)),
                crossed(right["random"], bounds=(0, 1)),
            ),
        }  # fmt: skip
    return found
