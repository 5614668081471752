"""Many claims at once: a p-value for each verdict, adjusted for their number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from falsestruct import statistics
from falsestruct.press.notebook.claims import estimate, verdict
from falsestruct.press.notebook.stated import Claim, judge
from falsestruct.statistics import Nobody

LEVEL = 0.05  # of error; a verdict whose adjusted p is larger does not survive


def multiplicity(
    claims: Mapping[str, Claim], evidence: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    """p-values of the verdicts of all measured claims that have a record.

    Returns:
        A row an id. Columns: verdict; p, as `p_value` has it; holm and bh, the same adjusted for
        the chance of any false verdict (Holm 1979) and for the share of false ones (Benjamini and
        Hochberg 1995) among all that have one. NaN where there is none.
    """
    asked = {
        id: (claim, evidence[id])
        for id, claim in claims.items()
        if claim.kind == "measured" and id in evidence
    }
    rows = [(verdict(*pair), p_value(*pair)) for pair in asked.values()]
    table = pd.DataFrame(rows, index=pd.Index(asked, name="id"), columns=["verdict", "p"])
    table["p"] = table["p"].astype(float)
    known = table["p"].dropna()
    values = known.to_numpy()
    return table.assign(
        holm=pd.Series(statistics.holm(values), known.index),
        bh=pd.Series(statistics.benjamini_hochberg(values), known.index),
    )


def p_value(claim: Claim, record: Mapping[str, Any]) -> float | None:
    """The smallest α whose 1 − α interval gives the verdict; of an inconclusive claim, *supported*.

    The control keeps its 95 % interval. 1 if no interval gives the verdict: where nobody qualifies,
    or the rule asks for what no interval can make sure of, the value alone, or that the interval
    contains something, which the least sure one does best. None without a choice
    of intervals: exact, or a record that kept only one.
    """
    found, control = estimate(record), estimate(record["control"])
    if isinstance(found, Nobody):
        return 1.0
    if not found.ends:
        return None
    wanted = judge(claim, found, control)
    wanted = "supported" if wanted == "inconclusive" else wanted
    if not all(any(map(_excludes, part, part.values())) for part in getattr(claim, wanted)):
        return 1.0

    def holds(low: float, high: float) -> bool:
        return judge(claim, replace(found, low=low, high=high, ends=()), control) == wanted

    return statistics.alpha(found, holds)


def _excludes(end: str, comparison: str) -> bool:
    """Does a rule's part keep the interval to one side of a number?"""
    return (end, comparison.strip()[0]) in (("low", ">"), ("high", "<"))


def fallen(table: pd.DataFrame, by: str) -> list[str]:
    """Ids whose verdict does not survive the adjustment `by`: "holm" or "bh"."""
    decided = table["verdict"] != "inconclusive"
    return list(table.index[decided & (table[by] > LEVEL)])
