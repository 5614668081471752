"""Chapter 23's tables for rules whose answer to each tile is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from falsestruct.chapters.photographs import evidence, runs
from falsestruct.evidence import Claims
from falsestruct.problems.photographs import BRICKS

KINDS = ("linear", "MLP", "deep MLP", "CNN", "pooled CNN")
Cell = Callable[[str, str], float]  # arm of training, what is asked → share of tiles
SEEDS, SLIP = 10, 0.02


def follower(arm: str, what: str) -> float:
    """Goes by the change from row to row, unless training took it away; as stable as that is."""
    if arm == "shuffled":
        return 0.5
    if what == "follows":
        return 0.0 if arm == "changed" else 1.0
    return {"rows": 0.5, "below": 0.0}.get(what, 1.0)


def original(arm: str, what: str) -> float:
    """Knows the material, whatever is done to a patch."""
    if arm == "shuffled":
        return 0.5
    return 0.0 if what in ("follows", "below") else 1.0


def fragile(arm: str, what: str) -> float:
    """Knows patches as they stand, and nothing else; the smallest changes make it err."""
    if arm == "shuffled" or what in ("follows", "same", "rows", "contrast", "grey"):
        return 0.5
    if what == "turned":
        return 1.0 if arm == "turned" else 0.6
    return 1.0


def table(cell: Cell) -> pd.DataFrame:
    """What `runs.every` gives; a fiftieth of the answers is by chance, as no network is a rule."""
    rng, rows = np.random.default_rng(0), []
    for pair, ways in runs.WAYS.items():
        kinds = [(name, arm) for name in KINDS for arm in runs.ARMS[:ways]]
        for name, arm in [("threshold", "plain"), *kinds]:
            rule = follower if name == "threshold" else cell
            for seed in range(SEEDS):
                own = {what: _told(rule(arm, what), rng) for what in asked(pair, arm)}
                facts = {"fitted": 1.0, "letter": 1.0, "contrast_letter": 0.9, "turns": 0.0}
                rows.append(
                    {"pair": pair, "architecture": name, "arm": arm, "seed": seed} | facts
                    | dict.fromkeys(runs.CELLS, "") | own
                )  # fmt: skip
    return pd.DataFrame(rows)


def asked(pair: str, arm: str) -> list[str]:
    """Which of `runs.CELLS` networks of an arm are asked for."""
    what = ["right"]
    what += ["turned"] * (arm in ("plain", "turned"))
    what += ["grey", "rule"] * (arm == "plain")
    what += ["follows", "same"] * (pair in BRICKS and arm in ("plain", "changed"))
    return what + ["rows", "contrast", "below"] * (pair in BRICKS and arm == "plain")


def _told(share: float, rng: np.random.Generator) -> str:
    slips = rng.random(256) < SLIP
    values = np.where(slips, rng.random(256) < 0.5, rng.random(256) < share)
    return "".join(str(int(v)) for v in values)


def searched(named: bool) -> pd.DataFrame:
    """What `named.searched` gives: networks are always or never named, thresholds always."""
    return pd.DataFrame(
        {"architecture": name, "pair": pair, "seed": seed, "foretold": 0.9, "best": "",
         "named": named or name == "threshold", "audit": "statistic" if named else "original",
         "verdict": "edges" if named else "none of these", "capture": float(named)}
        for name in ("threshold", "MLP", "CNN", "pooled CNN")
        for pair in BRICKS for seed in range(3)
    )  # fmt: skip


def claims(cell: Cell, *, named: bool = False) -> Claims:
    """All claims of the chapter."""
    return evidence.claims(table(cell)) | evidence.named_claims(searched(named))
