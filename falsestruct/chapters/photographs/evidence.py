"""Claims, figures and numbers of chapter 23, from the tables of `runs` and `named`.

What is sampled are networks, each with training patches of its own, and blocks of the held-out
halves; one photograph a material.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from falsestruct.chapters.photographs.runs import CELLS, SEED
from falsestruct.evidence import Claims, Found, crossed, extreme, share, where
from falsestruct.names import slug
from falsestruct.problems.photographs import BRICKS, PAIRS, blocks
from falsestruct.statistics import Estimate, exact
from falsestruct.success import FOLLOWS, TAKES

THRESHOLD = "threshold"  # the statistic's own rule, in the place of networks
TWINS = {"rows": "edges from row to row", "columns": "edges from column to column"}


def first(table: pd.DataFrame, count: int) -> pd.DataFrame:
    """The rows of the chapter's first so many networks."""
    return where(table, seed=lambda seeds: seeds < SEED + count)


def heard(texts: pd.Series) -> np.ndarray:
    """What `runs.told` wrote, (networks, tiles), NaN for nobody."""
    return np.array([[np.nan if c == "-" else float(c) for c in text] for text in texts])


def in_blocks(table: pd.DataFrame, what: str) -> np.ndarray:
    """Means over the tiles of each block that count, (networks, blocks), in the order of seed."""
    values, own = heard(table.sort_values("seed")[what]), blocks()
    seen = ~np.isnan(values)
    sums, counts = (
        np.stack([part[:, own == b].sum(1) for b in np.unique(own)], axis=1)
        for part in (np.where(seen, values, 0.0), seen)
    )
    return np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)


def measured(what: str) -> Callable[[pd.DataFrame], Found]:
    """From networks of one kind to the mean of one of `CELLS` over networks and blocks."""
    return lambda part: crossed(in_blocks(part, what), bounds=(0, 1))


def lost(part: pd.DataFrame) -> Found:
    """Accuracy less that on turned tiles."""
    return crossed(in_blocks(part, "right") - in_blocks(part, "turned"), bounds=(-1, 1))


def _end(
    part: pd.DataFrame, measure: Callable[[pd.DataFrame], Found], pairs: tuple[str, ...],
    choose: Callable[..., Estimate],
) -> Found:  # fmt: skip
    """The measure for the pair where it is least or largest."""
    return extreme([measure(where(part, pair=pair)) for pair in pairs], choose)


def claims(table: pd.DataFrame) -> Claims:
    """All claims on networks, from `runs.every`."""
    rules = where(table, architecture=THRESHOLD, pair=list(BRICKS))
    found: Claims = {"photographs-letter": (
        exact(rules["letter"].min(), len(rules)), exact(rules["contrast_letter"].max(), len(rules)),
    )}  # fmt: skip
    least, most = (partial(_end, pairs=BRICKS, choose=choose) for choose in (min, max))
    for name in dict.fromkeys(table["architecture"]):
        if name == THRESHOLD:
            continue
        arms = dict(list(where(table, architecture=name).groupby("arm")))
        plain = arms["plain"]
        pairs = {
            "success": (
                _end(plain, measured("right"), PAIRS, min),
                measured("right")(arms["shuffled"]),
            ),
            "follows": (
                least(plain, measured("follows")), most(arms["changed"], measured("follows")),
            ),
            "matched": (most(plain, measured("rows")), least(plain, measured("contrast"))),
            "turned": (most(plain, lost), most(arms["turned"], lost)),
            "unstable": (least(plain, measured("below")), most(rules, measured("below"))),
        }  # fmt: skip
        found |= {slug(f"photographs-{what}", name): pair for what, pair in pairs.items()}
    return found


def about(claims: Claims, *words: str) -> Claims:
    """Those whose id has one of these words second."""
    return {id: own for id, own in claims.items() if id.split("-")[1] in words}


def named_claims(searched: pd.DataFrame) -> Claims:
    """The claims on the search, from `named.searched`."""
    control = share(where(searched, architecture=THRESHOLD)["named"])
    return {
        slug("photographs-named", name): (share(part["named"]), control)
        for name, part in searched.groupby("architecture", sort=False)
        if name != THRESHOLD
    }


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Means over networks and blocks: pair, architecture, arm, measure, value, low, high."""
    rows = []
    for (pair, name, arm), part in table.groupby(["pair", "architecture", "arm"], sort=False):
        for what in CELLS:
            texts = part[what]
            if texts.isna().any() or (texts == "").any():
                continue
            found = measured(what)(part)
            ends = (found.value, found.low, found.high) if isinstance(found, Estimate) else ()
            row = {"pair": pair, "architecture": name, "arm": arm, "measure": what}
            rows.append(row | dict(zip(("value", "low", "high"), ends, strict=False)))
    return pd.DataFrame(rows)


def marked(found: pd.DataFrame, marks: dict[str, tuple[str, str]]) -> pd.DataFrame:
    """The rows of `summary` that a figure draws, with the mark of each: pair, architecture, mark, …

    Args:
        marks: By name, the arm and the measure.
    """
    own = where(found, architecture=lambda c: c != THRESHOLD)
    parts = [where(own, arm=arm, measure=what).assign(mark=mark)
             for mark, (arm, what) in marks.items()]  # fmt: skip
    return pd.concat(parts, ignore_index=True).drop(columns=["arm", "measure"])


def captures(table: pd.DataFrame) -> pd.DataFrame:
    """Networks with brick, plainly trained: pair, architecture, seed, capture of the statistic."""
    own = where(table, arm="plain", pair=list(BRICKS))
    return own[["pair", "architecture", "seed"]].assign(
        capture=np.nanmean(heard(own["follows"]), axis=1)
    )


def said(table: pd.DataFrame, searched: pd.DataFrame) -> dict[str, float]:
    """Numbers for the prose: counts of networks by architecture, and what the data do."""
    found: dict[str, float] = {}
    rules = where(table, architecture=THRESHOLD)
    for pair in PAIRS:
        own = where(rules, pair=pair)
        word = slug(pair).replace("-", "_")
        found |= {
            f"letter_{word}": own["letter"].mean(), f"turns_{word}": own["turns"].mean(),
            f"contrast_{word}": own["contrast_letter"].mean(),
            f"heldout_{word}": heard(own["rule"]).mean(),
        }  # fmt: skip
    apart = np.isfinite(heard(where(rules, pair=list(BRICKS))["follows"])).mean()
    for name, part in captures(table).groupby("architecture", sort=False):
        word = slug(name).replace("-", "_")
        found |= {
            f"{what}_{word}": float((part["capture"] >= least).sum())
            for what, least in (("of", 0), ("takes", TAKES), ("follow", FOLLOWS))
        }
    for name, own in searched.groupby("architecture", sort=False):
        word = slug(name).replace("-", "_")
        found |= {
            f"searched_{word}": float(len(own)), f"named_{word}": float(own["named"].sum()),
            f"foretold_{word}": own["foretold"].mean(),
            f"nothing_{word}": float((own["verdict"] == "none of these").sum()),
            f"audited_{word}": float((own["audit"] == "statistic").sum()),
            f"original_{word}": float((own["audit"] == "original").sum()),
        }  # fmt: skip
        found |= {
            f"best_{what}_{word}": float(own["best"].str.contains(name).sum())
            for what, name in TWINS.items()
        }
    return found | natural(table) | by_material(table) | fits(table) | {"apart": float(apart)}


def natural(table: pd.DataFrame) -> dict[str, float]:
    """Of grass and gravel: accuracy where the threshold is right, and where it is wrong."""
    found: dict[str, float] = {}
    for name, part in where(table, arm="plain", pair=PAIRS[2]).groupby("architecture", sort=False):
        right, rule = heard(part["right"]), heard(part["rule"])
        word = slug(name).replace("-", "_")
        found |= {f"easy_{word}": right[rule == 1].mean(), f"hard_{word}": right[rule == 0].mean()}
    return {key: float(value) for key, value in found.items() if np.isfinite(value)}


def by_material(table: pd.DataFrame) -> dict[str, float]:
    """Share of matched (`rows`) and changed (`follows`) tiles called brick: of brick, of the other.

    An accuracy of one half may be a guess or one answer to all; these tell which.
    """
    found: dict[str, float] = {}
    own = where(table, arm="plain", pair=list(BRICKS))
    for (pair, name), part in own.groupby(["pair", "architecture"], sort=False):
        word = slug(pair, name).replace("-", "_")
        for what in ("rows", "follows"):
            first, second = (np.nanmean(h) for h in np.split(heard(part[what]), 2, axis=1))
            shares = (first, 1 - second) if what == "rows" else (1 - first, second)
            found |= {
                f"{what}_{material}_{word}": float(value)
                for material, value in zip(("brick", "other"), shares, strict=True)
            }
    return found


def fits(table: pd.DataFrame) -> dict[str, float]:
    """The least share of training patches that a network has right, by arm."""
    own = where(table, architecture=lambda c: c != THRESHOLD)
    return {f"fitted_{arm}": float(part["fitted"].min()) for arm, part in own.groupby("arm")}


def same_as_recorded(live: pd.DataFrame, table: pd.DataFrame) -> dict[str, float]:
    """How many answers of the live networks to held-out tiles are those of the record."""
    keys = ["pair", "architecture", "arm", "seed"]
    both = live[[*keys, "right"]].merge(table[[*keys, "right"]], on=keys)
    pairs = [(heard(both[f"right_{side}"])) for side in ("x", "y")]
    return {"live": float(len(live)), "alike": float((pairs[0] == pairs[1]).mean())}
