"""Chapter 23: what is computed live, and pictures."""

from __future__ import annotations

import pandas as pd
import torch

from falsestruct.chapters.photographs import runs
from falsestruct.characterise import search
from falsestruct.learning.ensembles import Ensemble
from falsestruct.learning.networks import by_name
from falsestruct.names import slug
from falsestruct.problems import photographs
from falsestruct.problems.photographs import changed, fitted, row_change, tiles
from falsestruct.problems.pictures import pixel_table
from falsestruct.success import TAKES

SHOWN = (9, 168)  # a tile of brick and one of grass
PANELS = ("brick", "brick, turned", "grass", "brick with grain", "grass, paled")


def learnt(pair: str, architecture: str, count: int) -> Ensemble:
    """The chapter's first networks of this kind, plainly trained."""
    kind = by_name(architecture, runs.KINDS)
    return runs.trained(kind, pair, "plain", range(runs.SEED, runs.SEED + count))


def live(own: Ensemble, pair: str, architecture: str) -> pd.DataFrame:
    """`runs.asked` of plainly trained networks."""
    rules = [fitted(row_change, runs.given(pair, seed)) for seed in own.seeds]
    return runs.asked(own, rules, pair, "plain").assign(architecture=architecture)


def glance(own: Ensemble) -> pd.DataFrame:
    """Five patches, and what material, threshold and networks say of each; trained on brick-grass.

    Columns: panel, row, column, value, material, statistic, networks, share (of the networks).
    """
    x, y = (part[list(SHOWN)] for part in tiles("brick-grass"))
    moved = changed(x, y, runs.stream(0, runs.GRAIN))
    shown = torch.stack([x[0], photographs.turned(x[0]), x[1], moved[0], moved[1]])
    names = {1: "brick", 0: "grass"}
    rule = fitted(row_change, runs.given("brick-grass", own.seeds[0]))(shown)
    heard = own.labels(shown.float()).double().mean(0)
    rows = []
    for i, panel in enumerate(PANELS):
        most, material = int(heard[i] >= 0.5), panel.split()[0].strip(",")
        rows.append(pixel_table(
            shown[i], panel=panel, material=material, statistic=names[int(rule[i])],
            networks=names[most], share=float(heard[i] if most else 1 - heard[i]),
        ))  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def ranked(pair: str, count: int) -> pd.DataFrame:
    """The library's statistics, best first: statistic, right (share, of the best threshold).

    Args:
        count: On the training patches of so many networks together.
    """
    sets = [runs.given(pair, runs.SEED + i) for i in range(count)]
    x, y = (torch.cat(parts) for parts in zip(*sets, strict=True))
    own = search.library(x)
    right = [fitted(lambda values: values, (values, y)).right for values in own.values]
    table = pd.DataFrame({"statistic": own.names, "right": right})
    return table.sort_values("right", ascending=False, kind="stable", ignore_index=True)


def ranks(count: int) -> dict[str, float]:
    """For the prose: how many statistics there are, how many are always right; and the next one."""
    found: dict[str, float] = {}
    for pair in photographs.PAIRS:
        right, word = ranked(pair, count)["right"], slug(pair).replace("-", "_")
        found |= {
            "statistics": float(len(right)), f"always_{word}": float((right == 1).sum()),
            f"next_{word}": float(right[right < 1].max()),
        }  # fmt: skip
    return found


def constants() -> dict[str, float]:
    """Numbers of the design, for the prose."""
    return {
        "samples": float(runs.SAMPLES), "batch": float(runs.BATCH), "target": runs.TARGET,
        "steps": float(runs.STEPS), "side": float(photographs.SIDE), "grain": photographs.GRAIN,
        "tiles": float(len(tiles("brick-grass")[0])), "takes": TAKES,
    }  # fmt: skip
