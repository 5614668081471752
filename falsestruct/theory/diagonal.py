"""Two linear structures of the same 1-norm, and which one a deep diagonal network takes.

Statements and proofs are in chapter 07. Inputs are in two groups; the original is the sum of the
first with weights q, the false structure that of the second with weights p, both positive and of
sum one. On all data the two sums are equal. The network is x ↦ Σ w_i x_i with w_i = u_i^L, all u_i
from one start. That the choice among minimisers of the 1-norm depends on depth is shown in
arXiv:2307.07410 for networks that start small; here the start may have any size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.integrate import solve_ivp

LAYERS, STARTS = (2, 3, 4, 8), (0.3, 1.0)  # of the checks
END = 1e-12  # of the squared error, where the flow has arrived


def renyi(weights: Sequence[float], order: float) -> float:
    """Rényi entropy of a probability vector, in nats: order 1 is Shannon's, order 0 counts.

    Raises:
        ValueError: weights that are not positive with sum one, or a negative order.
    """
    p = np.asarray(weights, dtype=float)
    if p.min() <= 0 or abs(p.sum() - 1) > 1e-9 or order < 0:
        raise ValueError(f"weights {weights}, order {order}; expected positive with sum 1, and ≥ 0")
    if order == 1:
        return float(-(p * np.log(p)).sum())
    return float(np.log((p**order).sum()) / (1 - order))


@dataclass(frozen=True)
class Pair:
    """Weights of the original and of the false structure, each positive with sum one."""

    original: tuple[float, ...]
    false: tuple[float, ...]

    def share(self, layers: int) -> float:
        """The false structure's share t after training: the network is (1 − t) q + t p.

        t/(1 − t) = exp(H(p) − H(q)) with Rényi's entropy of order 2/L (chapter 07).

        Args:
            layers: L, at least 2.
        """
        if layers < 2:
            raise ValueError(f"{layers} layers; expected 2 or more")
        order = 2 / layers
        gap = renyi(self.false, order) - renyi(self.original, order)
        return 1 / (1 + math.exp(-gap))

    def data(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Inputs (samples, n) that span all on which the two sums are equal, and these sums.

        One input less than coordinates: normal vectors, their part along (q, −p) taken away.
        """
        across = np.concatenate((self.original, -np.asarray(self.false)))
        x = rng.normal(size=(len(across) - 1, len(across)))
        x -= np.outer(x @ across, across) / (across @ across)
        return x, x[:, : len(self.original)] @ np.asarray(self.original)

    def trained(self, layers: int, start: float, rng: np.random.Generator) -> np.ndarray:
        """Weights w (n,) at the end of the gradient flow on half the squared error.

        Integrated in the logarithms of u, which keeps them positive, until `END`.

        Args:
            start: Of every u_i, above 0. Not too small: what decides are differences of u^(2 − L),
                which is start^(2 − L) at first, so that rounding decides where that is large.
        """
        x, y = self.data(rng)
        n = x.shape[1]

        def slope(_: float, log: np.ndarray) -> np.ndarray:
            residual = y - x @ np.exp(layers * log)
            rise: np.ndarray = layers * np.exp((layers - 2) * log) * (x.T @ residual)
            return rise

        def arrived(_: float, log: np.ndarray) -> float:
            return float(((y - x @ np.exp(layers * log)) ** 2).sum()) - END

        arrived.terminal = True  # type: ignore[attr-defined]
        begin = np.full(n, math.log(start))
        end = 1e7 * start ** (2 - layers)  # so long a small start of a deep network stands still
        found = solve_ivp(
            slope, (0, end), begin, method="LSODA", events=arrived, rtol=1e-9, atol=1e-11
        )
        if found.status != 1:
            raise RuntimeError(f"the flow did not arrive: {found.message}")
        return np.exp(layers * found.y[:, -1])

    def taken(self, weights: np.ndarray) -> float:
        """The false structure's share t in a network that fits: 1 less the first group's sum."""
        return float(1 - weights[: len(self.original)].sum())


# For the checks: even against uneven, as many inputs on both sides, and one input against many.
PAIRS = (
    Pair((0.5, 0.5), (0.97, 0.01, 0.01, 0.01)),
    Pair((0.8, 0.1, 0.1), (0.5, 0.3, 0.2)),
    Pair((1.0,), (0.9, 0.05, 0.05)),
)


def shares(layers: Sequence[int] = LAYERS, starts: Sequence[float] = STARTS) -> pd.DataFrame:
    """Shares of the false structure for each of `PAIRS`, by the formula and at the flow's end.

    A pair has the same data at all depths.

    Columns: layers, start, pair, formula, trained.
    """
    rows = []
    for index, pair in enumerate(PAIRS):
        for depth in layers:
            for start in starts:
                weights = pair.trained(depth, start, np.random.default_rng(index))
                found = {"formula": pair.share(depth), "trained": pair.taken(weights)}
                rows.append({"layers": depth, "start": start, "pair": index} | found)
    return pd.DataFrame(rows)
