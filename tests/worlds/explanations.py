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
RULES = {
    "corner": 1.0,
    "parity": 3.0,
    "brightness": 6.0,
    "seven": 7.0,
    "middle": 9.6,
}  # sizes of their masks
ASIDE = 0.35  # capture of a pattern that is wrong on one in twenty
SEEN = dict.fromkeys(evidence.GROUPS["sizes"], 1.0)  # large coordinates are named by these


def maps(
    *,
    taken: float,
    named: float,
    blamed: float = 0.0,
    before: dict[str, float] | None = None,
    auc: float = 0.5,
    margin: float = 0.95,
    worst: dict[str, float] | None = None,
) -> pd.DataFrame:
    """What `measure.maps` gives.

    Args:
        taken: Capture of networks trained where the pattern tells the label.
        named: Share of their maps that name it.
        blamed: The same share of networks trained beside a coin.
        before: The same share before training, by method.
        auc, margin: How well a map, and the output alone, tell by which an answer was given.
        worst: Other shares of maps, by method.
    """
    rows = []
    for kind in DICTIONARIES:
        for rho, steps in ((ALWAYS, 800), (OFTEN, 800), (COIN, 800), (ALWAYS, 0)):
            for method in METHODS:
                for seed in range(SEEDS):
                    share = blamed if steps else (before or {}).get(method, 0.0)
                    if learnt := rho > COIN and steps > 0:
                        share = (worst or {}).get(method, named)
                    rows.append(
                        {"kind": kind, "rho": rho, "steps": steps, "seed": seed, "arm": "plain"}
                        | {"method": method, "right": 1.0}
                        | {"captured": (taken if rho == ALWAYS else ASIDE) if learnt else 0.5}
                        | {"named": share > 0.5, "one": share, "decoy": False}
                        | {"asks": 0.7, "changes": 0.5, "beside": 0.9}
                        | {"auc": auc + (-1) ** seed / 100}
                        | {"margin": margin + (-1) ** seed / 100 if margin else math.nan}
                    )
    return pd.DataFrame(rows)


def waved(
    withstands: dict[str, bool], *, captured: float = 1.0, fooled: float = 1.0, flat: float = 0.1
) -> pd.DataFrame:
    """The rows of networks without and with waves.

    Args:
        withstands: By method, whether its mean map still names the pattern; else True.
    """
    rows = []
    for arm in ("plain", "bright", "faint"):
        for method in METHODS:
            named = arm == "plain" or withstands.get(method, True)
            for seed in range(SEEDS):
                rows.append(
                    {"kind": "brightness", "rho": ALWAYS, "steps": 800, "arm": arm, "seed": seed}
                    | {"method": method, "captured": captured, "named": named}
                    | {"decoy": not named, "fooled": fooled, "flat": flat}
                )
    return pd.DataFrame(rows)


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
            row |= {f"off_{r}": abs(sizes[beside] - own) + abs(off + 0.05) / 2
                    for r, own in RULES.items() if beside in (r, "original")}  # fmt: skip
            if beside == "original":
                rivals = (*evidence.RIVALS, *evidence.EXACT)
                row |= {f"kept_{name}": 9.0 + off for name in rivals}
                row |= {"kept_masks": 9.0 - ahead, "kept_exact": 7.0, "kept_random": 14.0}
            rows.append(row)
    return pd.DataFrame(rows)


def claims(digits: pd.DataFrame, binaries: pd.DataFrame) -> Claims:
    """All claims about a component of the conjecture."""
    every = evidence.map_claims(digits) | evidence.mask_claims(binaries)
    wanted = ("-taken-", "-sided-")
    return {id: pair for id, pair in every.items() if any(word in id for word in wanted)}


def original() -> Claims:
    """Nobody takes a pattern or a simpler rule, no map names one, all masks are the original's."""
    digits = maps(taken=0.0, named=0.0, auc=math.nan, margin=0.0)
    same = dict.fromkeys(("original", *binary.RULES), 7.0)
    return claims(digits, masks(dict.fromkeys(binary.RULES, 0.05), same, ahead=1.0))
