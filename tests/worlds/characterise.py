"""Chapter 09's table of the benchmark for networks and searches whose answer is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from falsestruct.chapters.characterise import evidence
from falsestruct.characterise.benchmark import FIRST, FIXED, HOWS
from falsestruct.evidence import Claims
from falsestruct.problems.plants import FAMILIES, PROBLEMS

EACH = 16  # networks of a family and set


@dataclass(frozen=True)
class Network:
    """One network and what a search says of it.

    Attributes:
        capture: Share of the conflict set on which it sides with its plant.
        named: Whether a rule is named.
        agrees: Of the rule with the plant, on fresh probes.
        network: Of the rule with the network.
    """

    capture: float = 1.0
    named: bool = True
    agrees: float = 0.98
    network: float = 0.98
    another: float = 0.5
    mask: float = 0.5
    learned: float = 0.97
    library: float = 0.7
    sum: float = 0.9
    cosine: float = 0.9
    cosine_other: float = 0.1


Make = Callable[[str, str], Network]  # family and how


def blind(family: str, how: str) -> Network:
    """Every plant is taken where it gives the label, and named rightly; nothing else is named."""
    library = 0.96 if family == "named" else 0.7
    if how == "planted" and family != "none":
        return Network(library=library)
    return Network(capture=0.0, named=False, learned=0.6, library=0.6)


def original(family: str, how: str) -> Network:
    """Every network follows the original, and nothing is named."""
    return Network(capture=0.02, named=False, learned=0.6, library=0.6, sum=0.5, cosine=0.1)


def table(make: Make, *, sets: Sequence[str] = (FIXED, "digest")) -> pd.DataFrame:
    """What `runs.searched` gives for all sets and controls."""
    rows = []
    for how in HOWS:
        for draw in sets if how == HOWS[0] else sets[:1]:
            for i in range(EACH * len(FAMILIES)):
                family = FAMILIES[i % len(FAMILIES)]
                own: dict[str, object] = dict(vars(make(family, how)))
                own |= {"family": family, "how": how, "draw": draw}
                level = i / (EACH * len(FAMILIES))
                seed = FIRST + i + (0 if draw == FIXED else 10**6)
                p = 5e-4 if own.pop("named") else 1.0
                rest = {"level": level, "seed": seed, "p": p, "fitted": 1.0, "flips": 0.5}
                rest |= {"means": 0.6, "neighbours": 0.7, "random": 0.6}
                rest |= {"verdict": "1 direction" if p < 1 else "none of these", "tier": ""}
                rest |= {"problem": PROBLEMS[i // len(FAMILIES) % 2]}
                rest |= {"why": "" if p < 1 else "floor", "undecided": 0.1}
                rows.append(own | rest)
    return evidence.judged(pd.DataFrame(rows))


def claims(make: Make) -> Claims:
    """All claims of the benchmark in that world."""
    return evidence.benchmark_claims(table(make))
