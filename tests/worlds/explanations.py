"""Chapter 18's tables for networks whose answer is known: what maps name is decided by hand."""

from __future__ import annotations

import math

import pandas as pd

from falsestruct.chapters.explanations import evidence
from falsestruct.chapters.explanations.measure import ALWAYS, COIN, DICTIONARIES, OFTEN
from falsestruct.characterise.explanations import METHODS
from falsestruct.evidence import Claims
from falsestruct.problems import binary

SEEDS, FEW = 20, 10


def maps(
    *,
    taken: float,
    named: float,
    blamed: float = 0.0,
    auc: float = 0.5,
    margin: float = 0.95,
    worst: dict[str, float] | None = None,
) -> pd.DataFrame:
    """What `measure.maps` gives.

    Args:
        taken: Capture of networks trained where the pattern tells the label.
        named: Share of their maps that name it.
        blamed: The same share of networks trained beside a coin, and before training.
        auc, margin: How well a map, and the output alone, tell by which an answer was given.
        worst: Other shares of maps, by method.
    """
    rows = []
    for kind in DICTIONARIES:
        for rho, steps in ((ALWAYS, 800), (OFTEN, 800), (COIN, 800), (ALWAYS, 0)):
            learnt = rho > COIN and steps
            captured = taken if learnt else 0.5
            for method in METHODS:
                share = (worst or {}).get(method, named) if learnt else blamed
                for seed in range(SEEDS):
                    rows.append(
                        {"kind": kind, "rho": rho, "steps": steps, "seed": seed, "arm": "plain"}
                        | {"method": method, "captured": captured, "right": 1.0}
                        | {"named": share > 0.5, "one": share, "decoy": False, "changes": 0.5}
                        | {"auc": auc + (-1) ** seed / 100, "beside": 0.9}
                        | {"margin": margin + (-1) ** seed / 100 if margin else math.nan}
                    )
    return pd.DataFrame(rows)


def waved(withstands: dict[str, bool], *, fooled: float = 1.0, flat: float = 0.1) -> pd.DataFrame:
    """The rows of networks with a wave; by method, whether its mean map still names the pattern."""
    return pd.DataFrame(
        {"kind": "brightness", "rho": ALWAYS, "steps": 800, "arm": "waved", "seed": seed}
        | {"method": method, "captured": 1.0, "named": withstands.get(method, True)}
        | {"decoy": not withstands.get(method, True), "fooled": fooled, "flat": flat}
        for method in METHODS
        for seed in range(SEEDS)
    )


def masks(sides: dict[str, float], sizes: dict[str, float], *, ahead: float) -> pd.DataFrame:
    """What `measure.exact_masks` gives.

    Args:
        sides: By rule, its share of the images of conflict for networks trained beside it.
        sizes: Mean masks by what networks were trained beside.
        ahead: Pixels that rate-distortion masks need less than the best rival.
    """
    rows = []
    for beside in ("original", *binary.RULES):
        for seed in range(FEW):
            off = (-1) ** seed / 20
            row = {"beside": beside, "seed": seed, "right": 1.0, "learnt": 1.0}
            row |= {"mask": sizes[beside] + off}
            row |= {f"sides_{r}": sides[r] if r == beside else 0.1 for r in binary.RULES}
            if beside == "original":
                row |= {f"kept_{name}": 9.0 + off for name in evidence.RIVALS}
                row |= {"kept_masks": 9.0 - ahead, "kept_exact": 7.0, "kept_random": 14.0}
            rows.append(row)
    return pd.DataFrame(rows)


def claims(digits: pd.DataFrame, binaries: pd.DataFrame) -> Claims:
    """All claims about a component of the conjecture."""
    every = evidence.map_claims(digits) | evidence.mask_claims(binaries)
    wanted = ("-named-", "-one-", "-single-", "-rate-", "-smaller-")
    return {id: pair for id, pair in every.items() if any(word in id for word in wanted)}


def original() -> Claims:
    """Nobody takes a pattern or a simpler rule, no map names one, all masks are the original's."""
    digits = maps(taken=0.0, named=0.0, auc=math.nan, margin=0.0)
    same = dict.fromkeys(("original", *binary.RULES), 7.0)
    return claims(digits, masks(dict.fromkeys(binary.RULES, 0.05), same, ahead=1.0))
