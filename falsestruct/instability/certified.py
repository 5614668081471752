"""What HiGHS proves of small networks: that no perturbation of some size changes the label.

To prove that is much cheaper than to find the smallest perturbation: within a smaller radius more
ReLUs keep their sign, and the program ends as soon as it has no solution.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct.instability import exact
from falsestruct.instability.exact import Dense
from falsestruct.instability.portrait import captures, held_out
from falsestruct.instability.thorough import thorough
from falsestruct.learning.ensembles import Ensemble
from falsestruct.problems.planted import Planted

SECONDS = 60.0  # for HiGHS, for one input; it needs three at most, and a busy machine is no reason
HALF = 0.5  # of the false structure's distance, up to which a label is to stay
CLOSE, PAST = 0.9, 1.1  # of an attack's size: what is to be proved, and what can't be


def certified(network: Dense, x: Tensor, sizes: Tensor, *, seconds: float = SECONDS) -> np.ndarray:
    """Where it is proved that no ℓ∞ perturbation up to a size changes the label, bool (samples,).

    As far as HiGHS' tolerance goes: a change must carry the output by 1e-5 of itself beyond 0. An
    input that HiGHS does not decide in time is not certified.

    Args:
        x: Inputs (samples, *shape).
        sizes: One for each, positive, (samples,).
    """
    points = zip(x.double().flatten(1).numpy(), sizes.double().tolist(), strict=True)
    found = [exact.proved_stable(network, p, radius=r, seconds=seconds) for p, r in points]
    return np.array(found)


def certificate_rows(problem: Planted, own: Ensemble, *, points: int, half: bool) -> pd.DataFrame:
    """Trained dense networks beside a planted structure: a row a member.

    On `points` inputs as `portrait` has them. Columns:

    - capture: share of the conflict set read by the false structure;
    - within: share of points certified up to nine tenths of the attack's size;
    - half_0, half_1: share of the points of each label certified up to half of the false
      structure's distance; only with `half`, else NaN. kept_0, kept_1: share that the attack leaves
      unchanged up to there, an upper bound;
    - beyond: 1 if a tenth more than the attack's size is certified at the point where that is
      smallest, which can't be; without `half` only, else NaN.
    """
    assert own.trained is not None, "rules built by hand have no layers"
    x, y = held_out(problem, points)
    sizes, reach = thorough(own, x.float(), "linf").size, HALF * problem.distance(x, "linf")
    rows = []
    for member, capture in enumerate(captures(problem, own).tolist()):
        network, size = exact.dense(own.trained, member), sizes[member]
        close = certified(network, x, CLOSE * size)
        safe = np.full(len(x), np.nan)
        if half:  # what is proved for a larger size needs no second proof
            safe = close & (CLOSE * size >= reach).numpy()
            safe[~safe] = certified(network, x[~safe], reach[~safe])
        near = [int(size.argmin())]
        past = np.nan if half else certified(network, x[near], PAST * size[near])[0]
        row = {"capture": capture, "within": close.mean()}
        for label in (0, 1):
            rest = (y == label).numpy()
            row[f"half_{label}"] = safe[rest].mean()
            row[f"kept_{label}"] = (size > reach)[torch.from_numpy(rest)].double().mean().item()
        rows.append(row | {"beyond": float(past)})
    return pd.DataFrame(rows).assign(seed=own.seeds)


def numbers(table: pd.DataFrame) -> dict[str, float]:
    """Shares of points with a proof: within (the mean network), least (the worst), and half.

    free, stays: number of networks without a use for the false structure, and how many of them
    keep up to half of its distance at half of the points of either label, as the attack sees it.
    """
    within, half = table["within"], table[["half_0", "half_1"]].to_numpy()
    free = table[table["half_0"].isna()]
    stays = float((free[["kept_0", "kept_1"]] >= 0.5).all(axis=1).sum())
    shares = {"within": within.mean(), "least": within.min(), "half": float(np.nanmean(half))}
    return shares | {"free": float(len(free)), "stays": stays}
