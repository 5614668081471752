"""Chapter 15's tables for networks whose answer is known: when they learn is decided by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

import pandas as pd

from falsestruct.chapters.failures import evidence
from falsestruct.evidence import Claims

BUDGET, SEEDS = 1000, 20
SHARES = (0.5, 0.65, 0.8, 0.9, 0.95)
Learnt = Callable[[str, int, float], float]  # optimiser, size, q → steps until learnt


def stretch(q: float) -> float:
    return 1 / (4 * q * (1 - q)) if q < 1 else math.inf


def by_the_law(optimiser: str, size: int, q: float) -> float:
    """The world that the chapter foretells."""
    return 100 * size * stretch(q) ** (1 if optimiser == "descent" else 0.5)


def at_once(optimiser: str, size: int, q: float) -> float:
    """Networks follow the original, whatever the hint."""
    return 100 * size


def never(optimiser: str, size: int, q: float) -> float:
    """Beside a hint that says anything the parity is never learnt."""
    return 100 * size if q == 0.5 else math.inf


def hints(learnt: Learnt, added: Learnt = by_the_law) -> pd.DataFrame:
    """What `measure.hints` gives for all that the claims need, several tables in one."""
    last = evidence.PATIENCE * BUDGET
    rows: list[dict[str, object]] = []
    for optimiser, size in (("descent", 2), ("descent", 4), ("descent", 6), ("Adam", 4)):
        for q in (*SHARES, 1.0):
            for arm in ("hint", "unseen"):
                rows += _network(optimiser, size, arm, q, learnt(optimiser, size, q), last)
        for q in SHARES:
            rows += _network(optimiser, size, "added", q, added(optimiser, size, q), last)
        for q in SHARES[1:]:
            at = 100 * size / (2 * q - 1)
            rows += _network(optimiser, size, "label", q, at, last)
    return pd.DataFrame(rows)


def _network(
    optimiser: str, size: int, arm: str, q: float, at: float, last: int
) -> list[dict[str, object]]:
    """One that knows nothing but the hint until a step, and then all; a copy for each seed."""
    before = 0.0 if arm != "label" and q > 0.5 else 0.5
    looks = sorted({0, BUDGET, last} | ({math.ceil(at)} if at <= last else set()))
    own = {"optimiser": optimiser, "size": size, "arm": arm, "q": q}
    known = {"learnt": min(at, last), "alone": min(at, last), "reached": at <= last}
    return [
        own | known | {"seed": seed, "step": step, "apart": 1.0 if step >= at else before}
        for seed in range(SEEDS)
        for step in looks
        if step == 0 or step < at + 1
    ]


def mixed(optimiser: str, size: int, q: float) -> float:
    """ReLUs that see the hint take longer than the law says."""
    return 100 * size * stretch(q) ** (1.6 if optimiser == "descent" else 1.0)


def biased(own: float, other: float) -> pd.DataFrame:
    """Right on own bits, and about as often as said on fair ones, after training on biased ones."""
    return pd.DataFrame(
        {"mean": mean, "seed": seed, "when": when, "step": 9, "own": a}
        | {"other": b + (-1) ** seed / 100}
        for mean, a, b in ((0.0, 1.0, 1.0), (0.7, own, other))
        for seed in range(SEEDS)
        for when in ("learnt", "end")
    )


def parities(most: float) -> pd.DataFrame:
    """Right on eight bits, and on twenty about as often as said, with both optimisers."""
    return pd.DataFrame(
        {"bits": bits, "optimiser": optimiser, "seed": seed, "step": 10 * bits}
        | {"right": right - (bits == 20) * (seed % 2) / 50}
        for bits, right in ((8, 1.0), (20, most))
        for optimiser in ("descent", "Adam")
        for seed in range(10)
    )


def layers(fixed: float, equal: float, *, exact: float = 12.0) -> pd.DataFrame:
    """Bits at the end with fixed bins and others, about ten before; shuffled labels keep those."""
    rows = []
    for shuffled in (False, True):
        for seed in range(10):
            for steps in (0, 50, 800):
                end, shift = steps == 800 and not shuffled, seed % 2 / 50
                own = {"fixed": fixed if end else 10.0, "equal": equal if end else 10.0}
                own |= {"fine": own["fixed"] + shift * end}
                own = {name: value - shift * end for name, value in own.items()}
                rows.append(
                    {"steps": steps, "shuffled": shuffled, "seed": seed, "right": 1.0, **own}
                    | {"exact": exact, "sign": 2.0}
                )
    return pd.DataFrame(rows)


def claims(learnt: Learnt, added: Learnt = by_the_law, *, other: float) -> Claims:
    """All claims about a component of the conjecture."""
    table = hints(learnt, added)
    return {
        **evidence.proved(1),
        **evidence.hint_claims(table, BUDGET),
        **evidence.law_claims(table),
        **evidence.biased_claims(biased(1.0, other)),
    }
