"""What the search says about the networks of the blind benchmark, recorded and live.

It imports as little as possible: the record is outdated only when a number in it could change.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from falsestruct.characterise.benchmark import Asked, Case, drawn, networks
from falsestruct.characterise.scored import facts, reading
from falsestruct.problems.plants import plant

BLOCK = 25  # networks of a task, which train side by side


def searched(*, draw: str, start: int, count: int, how: str, queries: int) -> pd.DataFrame:
    """Some networks of a set, trained side by side and searched one by one: a row a network.

    Columns: draw, and those of `searched_cases`.

    Args:
        draw: FIXED or a digest, as for `benchmark.drawn`.
        start, count: Which of the set.
        how: Of `benchmark.HOWS`.
        queries: Of each search.
    """
    chosen = drawn(draw, start + count)[start:]
    cases = [Case(plant(family, seed), seed, how) for family, seed in chosen]
    return searched_cases(cases, queries=queries).assign(draw=draw)


def searched_cases(cases: Sequence[Case], *, queries: int) -> pd.DataFrame:
    """Columns: those of `scored.facts` and of `scored.reading`, a row a network."""
    asked = networks(cases)
    return pd.DataFrame([
        facts(case, asked[i]) | reading(case, asked[i], _next(cases, asked, i), queries=queries)
        for i, case in enumerate(cases)
    ])  # fmt: skip


def _next(cases: Sequence[Case], asked: Sequence[Asked], i: int) -> Asked:
    """The next network of the same problem, round the end; itself, if it is alone."""
    order = [*range(i + 1, len(cases)), *range(i + 1)]
    return asked[next(k for k in order if cases[k].problem == cases[i].problem)]
