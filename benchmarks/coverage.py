"""How often the interval of each design holds the truth: `python -m benchmarks.coverage`.

Proportions are summed over all outcomes; the rest is simulated, with fixed seeds. Near 0 and 1 and
with few networks is where intervals fail, so most scenarios are there.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator

from falsestruct import statistics
from falsestruct.statistics import Estimate

SHARES = (0, 1)
LEVELS = (0.95, 0.99)
TRIALS = 500
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(60)


@dataclass(frozen=True)
class Scenario:
    """A design, a law, its true value, and one run of it."""

    design: str
    name: str
    truth: float
    run: Callable[[Generator], Estimate]


@dataclass(frozen=True)
class Row:
    """Coverage of one scenario at one level, and the median (of exact rows, mean) width."""

    design: str
    name: str
    level: float
    coverage: float
    width: float


def binomial() -> Iterator[Row]:
    """Independent draws, and networks that are right on all or on nothing, exactly.

    Shares from 0.002 to 0.5; the rest by symmetry.
    """

    def zero_or_one(outcomes: np.ndarray) -> Estimate:
        return statistics.mean(outcomes, bounds=SHARES)

    yield from _summed("proportion", statistics.proportion, (1, 2, 3, 5, 8, 10, 20, 50, 200))
    yield from _summed("mean, 0 or 1", zero_or_one, (2, 3, 4, 5, 7, 10, 20, 50))


def _summed(
    design: str, interval: Callable[[np.ndarray], Estimate], sizes: tuple[int, ...]
) -> Iterator[Row]:
    from scipy import stats

    for n in sizes:
        found = [interval(np.arange(n) < k) for k in range(n + 1)]
        for p in np.r_[0.002, 0.005, 0.01:0.5:50j]:
            weight = stats.binom.pmf(np.arange(n + 1), n, p)
            for level in LEVELS:
                ends = np.array([estimate.at(level) for estimate in found])
                inside = (ends[:, 0] <= p) & (p <= ends[:, 1])
                width = float(weight @ np.ptp(ends, axis=1))
                yield Row(design, f"n={n} p={p:.3f}", level, float(weight @ inside), width)


def simulated(scenario: Scenario, trials: int = TRIALS) -> list[Row]:
    """Coverage of one scenario over `trials` runs, at each of LEVELS."""
    rng = np.random.default_rng(1)
    found = [scenario.run(rng) for _ in range(trials)]
    rows = []
    for level in LEVELS:
        ends = np.array([estimate.at(level) for estimate in found])
        inside = (ends[:, 0] <= scenario.truth) & (scenario.truth <= ends[:, 1])
        numbers = float(inside.mean()), float(np.median(np.ptp(ends, axis=1)))
        rows.append(Row(scenario.design, scenario.name, level, *numbers))
    return rows


def few_networks() -> Iterator[Scenario]:
    """Shares of n networks: beta laws from nearly 0 or 1 to nearly equal; normal numbers."""
    for n in (3, 5, 10, 20):
        for share, size in itertools.product((0.5, 0.9, 0.98), (0.1, 1, 5, 30)):
            a, b = share * size, (1 - share) * size
            yield Scenario(
                "mean, shares", f"n={n} beta({a:.3g}, {b:.3g})", share,
                lambda rng, n=n, a=a, b=b: statistics.mean(rng.beta(a, b, n), bounds=SHARES),
            )  # fmt: skip
        yield Scenario(
            "mean, unbounded", f"n={n} normal", 3.0,
            lambda rng, n=n: statistics.mean(rng.normal(3, 2, n)),
        )  # fmt: skip


def pairs() -> Iterator[Scenario]:
    """Differences of two shares of one network, with what they have in common."""
    from scipy import special

    def run(rng: Generator, n: int, left: float, right: float, size: float) -> Estimate:
        common = rng.random(n)
        both = [special.betaincinv(p * size, (1 - p) * size, common) for p in (left, right)]
        own = rng.beta(left * size, (1 - left) * size, n)
        return statistics.paired_difference((both[0] + own) / 2, both[1], bounds=SHARES)

    cases = itertools.product((3, 5, 20), ((0.98, 0.95), (0.98, 0.98), (0.9, 0.5)), (1, 30))
    for n, (left, right), size in cases:
        yield Scenario(
            "paired difference", f"n={n} {left}-{right} size {size}", left - right,
            lambda rng, n=n, p=left, q=right, size=size: run(rng, n, p, q, size),
        )  # fmt: skip


def crossed() -> Iterator[Scenario]:
    """Right or wrong by network and input: logistic with both effects; some with cells missing."""

    def run(rng: Generator, shape: tuple[int, int], law: tuple[float, float, float], kept: float):
        centre, own, ease = law
        effects = own * rng.standard_normal((shape[0], 1)), ease * rng.standard_normal(shape[1])
        right = rng.random(shape) < 1 / (1 + np.exp(-centre - sum(effects)))
        cells = np.where(rng.random(shape) < kept, right, np.nan)
        return statistics.two_way(cells, bounds=SHARES)

    laws = list(itertools.product((0.0, 4.0), ((0.1, 1.5), (0.5, 0.5), (1.0, 3.0), (2.0, 0.5))))
    for shape, kept in (((3, 50), 1), ((5, 50), 1), ((10, 30), 1), ((20, 200), 1), ((10, 60), 0.6)):
        for centre, (own, ease) in laws:
            logits = centre + math.hypot(own, ease) * NODES
            truth = float(WEIGHTS @ (1 / (1 + np.exp(-logits))) / WEIGHTS.sum())
            yield Scenario(
                "two-way", f"{shape} kept {kept} share {truth:.3f} effects {own} {ease}", truth,
                lambda rng, a=shape, b=(centre, own, ease), c=kept: run(rng, a, b, c),
            )  # fmt: skip


def grouped() -> Iterator[Scenario]:
    """Sampled clusters of networks' shares, of equal and unequal sizes; strata that are all."""

    def cluster(rng: Generator, sizes: np.ndarray, share: float, size: float) -> Estimate:
        own = np.clip(rng.beta(share * size, (1 - share) * size, len(sizes)), 1e-9, 1 - 1e-9)
        names = np.repeat(np.arange(len(sizes)), sizes)
        values = rng.beta(20 * own[names], 20 * (1 - own[names]))
        return statistics.clustered(values, names, bounds=SHARES)

    def stratum(rng: Generator, shares: tuple[float, ...], n: int, size: float) -> Estimate:
        names = np.repeat(np.arange(len(shares)), n)
        own = np.array(shares)[names]
        values = rng.beta(own * size, (1 - own) * size)
        return statistics.stratified(values, names, bounds=SHARES)

    for k, share, size in itertools.product((3, 5, 8), (0.5, 0.98), (0.5, 5)):
        for sizes in (np.full(k, 5), np.arange(1, 2 * k, 2)):
            yield Scenario(
                "clustered", f"k={k} of {sizes[0]}–{sizes[-1]}, beta {share} × {size}", share,
                lambda rng, a=sizes, b=share, c=size: cluster(rng, a, b, c),
            )  # fmt: skip
    profiles = (0.98,) * 5, (0.5, 0.9, 0.98), (0.02, 0.5, 0.9, 0.95, 0.98)
    for shares, n, size in itertools.product(profiles, (2, 3, 10), (0.5, 5)):
        yield Scenario(
            "stratified", f"{shares} n={n} size {size}", float(np.mean(shares)),
            lambda rng, a=shares, b=n, c=size: stratum(rng, a, b, c),
        )  # fmt: skip


def others() -> Iterator[Scenario]:
    """Medians, geometric means and ratios, of normal laws and of such with long tails."""
    laws: dict[str, tuple[float, Callable[[Generator, int], np.ndarray]]] = {
        "normal": (0.0, lambda rng, n: rng.standard_normal(n)),
        "exponential": (math.log(2), lambda rng, n: rng.standard_exponential(n)),
        "Cauchy": (0.0, lambda rng, n: rng.standard_cauchy(n)),
        "log-normal": (1.0, lambda rng, n: np.exp(rng.standard_normal(n))),
        "uniform": (0.5, lambda rng, n: rng.random(n)),
    }
    for n in (2, 3, 4, 5, 8, 20):
        for name, (truth, draw) in laws.items():
            yield Scenario("median", f"n={n} {name}", truth, lambda rng, n=n, draw=draw: (
                statistics.median(draw(rng, n))
            ))  # fmt: skip
        yield Scenario("geometric mean", f"n={n} log-normal", 1.0, lambda rng, n=n: (
            statistics.geometric_mean(np.exp(rng.standard_normal(n)))
        ))  # fmt: skip
        yield Scenario("ratio", f"n={n} log-normal", 2.0, lambda rng, n=n: (
            statistics.ratio(2 * np.exp(rng.standard_normal(n)), np.exp(rng.standard_normal(n)))
        ))  # fmt: skip


def coverages(trials: int = TRIALS) -> list[Row]:
    """All rows of the table."""
    scenarios = itertools.chain(few_networks(), pairs(), crossed(), grouped(), others())
    return [*binomial(), *(row for one in scenarios for row in simulated(one, trials))]


def table() -> list[dict[str, Any]]:
    """The average and the least coverage of each design and level, and where it is least."""

    def key(row: Row) -> tuple[str, float]:
        return row.design, row.level

    found = []
    for (design, level), part in itertools.groupby(sorted(coverages(), key=key), key=key):
        own = list(part)
        worst = min(own, key=lambda row: row.coverage)
        numbers = {
            "average": float(np.mean([row.coverage for row in own])),
            "least": worst.coverage,
            "width": float(np.mean([row.width for row in own])),
        }
        found.append({"design": design, "level": level} | numbers | {"least in": worst.name})
    return found


def main() -> None:
    """Print the table."""
    print(pd.DataFrame(table()).to_string(index=False, float_format="%.3g"))


if __name__ == "__main__":
    main()
