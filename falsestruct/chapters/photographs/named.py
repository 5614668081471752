"""What the search and the audit say of the networks: a record of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch

from falsestruct.chapters.photographs.runs import KINDS, SEED, by_threshold, given, trained
from falsestruct.characterise.asking import AuditError
from falsestruct.characterise.blind import NONE, search
from falsestruct.characterise.suspicion import audit
from falsestruct.learning.ensembles import Ensemble
from falsestruct.learning.networks import by_name
from falsestruct.problems.photographs import (
    Threshold,
    fitted,
    grained,
    paled,
    row_change,
    tiles,
)

CHANGES = ("edges from row to row", "edges from column to column")  # the library's names


def searched(*, pair: str, architecture: str, first: int, count: int, queries: int) -> pd.DataFrame:
    """Search and audit of networks that trained plainly, or of thresholds: a row a network.

    Columns: pair, architecture, seed, and those of `reports`.

    Args:
        first, count: Which of the chapter's networks.
    """
    own = range(SEED + first, SEED + first + count)
    rules = [fitted(row_change, given(pair, seed)) for seed in own]
    if architecture == "threshold":
        asked = by_threshold(rules)
    else:
        asked = trained(by_name(architecture, KINDS), pair, "plain", own)
    rows = [
        reports(asked.select([i]) if asked.trained else by_threshold([rule]), rule, pair, queries)
        | {"pair": pair, "architecture": architecture, "seed": seed}
        for i, (seed, rule) in enumerate(zip(own, rules, strict=True))
    ]
    return pd.DataFrame(rows)


def reports(own: Ensemble, rule: Threshold, pair: str, queries: int) -> dict[str, Any]:
    """Of one network, by the tiles of the held-out halves.

    Keys: verdict (of the search), named (it looks at one of `CHANGES`), terms, best (the first of
    its rules, named or not), foretold (its balanced accuracy on undecided probes), audit (its
    verdict), capture (of the statistic where it parts from the material, as the audit finds it).
    """
    x, y = tiles(pair)

    def predict(batch: np.ndarray) -> np.ndarray:
        return own.labels(torch.as_tensor(batch).float())[0].numpy()

    return _search(predict, x.numpy(), y.numpy(), queries) | _audit(predict, x.numpy(), y, rule)


def _search(predict: Any, x: np.ndarray, y: np.ndarray, queries: int) -> dict[str, Any]:
    try:
        found = search(predict, x, y, queries=queries)
    except AuditError:  # one answer to all: there is nothing to search for
        return {"verdict": NONE, "named": False, "terms": "", "best": "", "foretold": np.nan}
    rule = next((one for one in found.ranked if one.named and one.name == found.verdict), None)
    first = found.ranked[0] if found.ranked else None
    return {
        "verdict": found.verdict,
        "named": rule is not None and any(name in rule.terms for name in CHANGES),
        "terms": "; ".join(rule.terms) if rule else "",
        "best": first.name if first else "",
        "foretold": first.foretold.decisions.value if first else np.nan,
    }


def _audit(predict: Any, x: np.ndarray, y: torch.Tensor, rule: Threshold) -> dict[str, Any]:
    def statistic(batch: np.ndarray) -> np.ndarray:
        return np.asarray(rule(torch.as_tensor(batch)))

    found = audit(predict, x, original=y.numpy(), false=statistic, intervene=intervene, points=0)
    share = found.captures[1].share
    return {"audit": found.verdict, "capture": np.nan if share is None else share}


def intervene(x: np.ndarray, structure: str, value: Any, rng: np.random.Generator) -> np.ndarray:
    """Grain where the statistic shall say "not brick", paled where it shall say "brick"."""
    own = torch.as_tensor(x)
    if value:
        return paled(own).numpy()
    return grained(own, torch.Generator().manual_seed(int(rng.integers(2**31)))).numpy()
