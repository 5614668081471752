"""Chapter 11: from tables to estimates, a claim's id to its estimate and its control."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from falsestruct.chapters.barriers import decoders
from falsestruct.statistics import Estimate, exact, geometric_mean, mean

Found = dict[str, tuple[Estimate, Estimate]]

FROM, TO = 4, 16  # restarts between which the rate is read
LATE = 250  # steps from which rates are read
ENOUGH, TOO_FEW = 50, 10  # inner steps of the network and of its control


@dataclass(frozen=True, eq=False)
class Tables:
    """All that the chapter measures; functions of `barriers` and `barriers_decoders`."""

    convergence: pd.DataFrame
    gaps: pd.DataFrame
    solvers: pd.DataFrame
    certificates: pd.DataFrame
    inexact: pd.DataFrame
    released: pd.DataFrame
    depths: pd.DataFrame
    decoding: pd.DataFrame
    borders: pd.DataFrame
    indistinct: float


def estimates(tables: Tables) -> Found:
    """All claims of the chapter."""
    return (
        of_convergence(tables.convergence, tables.gaps, tables.solvers)
        | of_barrier(tables.inexact, tables.certificates, tables.depths)
        | of_release(tables.released, tables.inexact, tables.indistinct)
        | of_decoders(tables.decoding)
        | of_transition(tables.borders)
    )


def rates(table: pd.DataFrame, by: str) -> np.ndarray:
    """Slope of the error's logarithm a problem, by least squares.

    Args:
        by: The column that it is against; "steps" on its logarithm.
    """
    slopes = []
    for _, own in table.groupby("problem"):
        at = np.log(own[by]) if by == "steps" else own[by]
        slopes.append(np.polyfit(at, np.log(own["error"]), 1)[0])
    return np.array(slopes)


def of_convergence(convergence: pd.DataFrame, gaps: pd.DataFrame, solvers: pd.DataFrame) -> Found:
    """Rates with and without restarts, the proved bound, and the other solver."""
    middle = convergence[convergence["restarts"].between(FROM, TO)]
    plain = convergence[(convergence["inner"] == 0) & (convergence["steps"] >= LATE)]
    network = middle[middle["inner"] == ENOUGH]
    same = network[network["steps"].between(LATE, TO * ENOUGH)]
    ratio = gaps["excess"] / gaps["bound"]
    n = len(solvers)
    return {
        "barriers-exponential": (
            mean(rates(network, "restarts")),
            mean(rates(middle[middle["inner"] == TOO_FEW], "restarts")),
        ),
        "barriers-ergodic": (mean(rates(plain, "steps")), mean(rates(same, "steps"))),
        "barriers-gap": (
            exact(ratio.max(), len(gaps)), exact((ratio * gaps["steps"]).max(), len(gaps)),
        ),
        "barriers-solver": (exact(solvers["firenet"].max(), n), exact(solvers["squares"].min(), n)),
    }  # fmt: skip


def quotients(inexact: pd.DataFrame) -> pd.DataFrame:
    """Errors in units of half the distance of the minimisers, and the worse role of each cell.

    Returns:
        A row a method, K, n and seed: same, other, worse.
    """
    table = inexact.assign(quotient=inexact["error"] / inexact["half"])
    roles = table.pivot(index=["method", "K", "n", "seed"], columns="role", values="quotient")
    return roles.assign(worse=roles.max(axis=1)).reset_index()


def of_barrier(inexact: pd.DataFrame, certificates: pd.DataFrame, depths: pd.DataFrame) -> Found:
    """The minimisers, what nobody can avoid, and who comes how near to it."""
    worse = quotients(inexact)
    by = {name: own for name, own in worse.groupby("method")}
    network = by["FIRENET"][["same", "other"]].to_numpy()
    half = (inexact["half"] * 10.0 ** inexact["K"]).min()
    wrong = certificates[certificates["K"] < certificates["K"].max()]["coded"]
    cells = len(certificates)
    slope, n = doubling(depths)
    start = depths[depths["n"] == 0]["share"].min()
    return {
        "barriers-minimisers": (
            exact(certificates["gap"].max(), cells), exact(wrong.min(), len(wrong)),
        ),
        "barriers-unavoidable": (exact(half, cells), exact(certificates["error"].max(), cells)),
        "barriers-midpoint": (
            exact(np.abs(network - 1).max(), network.size),
            exact((by["linear program"]["worse"] - 1).min(), cells),
        ),
        "barriers-depth": (exact(slope, n), exact(start, n)),
    }  # fmt: skip


def doubling(depths: pd.DataFrame) -> tuple[float, int]:
    """Slope of log₂ p against the precision at which p inner steps go half the way; how many p."""
    where = {}
    for p in sorted(set(depths["p"].tolist())):
        own = depths[depths["p"] == p].sort_values("n")
        below = np.flatnonzero(own["share"].to_numpy() < 0.5)
        if len(below) == 0 or below[0] == 0:
            raise ValueError(f"p = {p} crosses one half at no n of {own['n'].tolist()}; widen it")
        pair = own.iloc[below[0] - 1 : below[0] + 1]
        # Between the two, the logarithm of the share is nearly linear in n.
        share = np.log(pair["share"].to_numpy())
        where[p] = np.interp(-math.log(0.5), -share, pair["n"].to_numpy())
    slope = np.polyfit(list(where.values()), np.log2(list(where)), 1)[0]
    return float(slope), len(where)


def of_release(released: pd.DataFrame, inexact: pd.DataFrame, indistinct: float) -> Found:
    """The released script's index, and whether precision matters."""
    off = (released["coded"] / released["corrected"] - math.sqrt(3)).abs()
    last = released["K"] == released["K"].max()
    errors = inexact[inexact["role"] == "other"].pivot_table(
        index=["K", "n"], columns="method", values="error"
    )
    double, digits = errors["FIRENET"], errors["FIRENET, sixty digits"]
    return {
        "barriers-as-coded": (
            exact(off[~last].max(), int((~last).sum())), exact(off[last].min(), int(last.sum())),
        ),
        "barriers-precision": (
            exact((double / digits - 1).abs().max(), len(errors)), exact(indistinct),
        ),
    }  # fmt: skip


def by_seed(decoding: pd.DataFrame) -> pd.DataFrame:
    """A row a decoder and seed: kind, noise, seed, told, and the medians of error and size."""
    grouped = decoding.groupby(["kind", "noise", "trace", "seed"], sort=False)
    return grouped[["told", "error", "size"]].median().reset_index()


def amplification(size: pd.Series, trace: pd.Series) -> pd.Series:
    """How far the answer moves over how far the measurements did."""
    return decoders.MOVE / (size * trace)


def of_decoders(decoding: pd.DataFrame) -> Found:
    """What learned decoders restore and what it costs, beside FIRENET."""
    seeds = points(decoding)
    kinds = {key: own.set_index("seed") for key, own in seeds.groupby(["kind", "noise"])}
    learnt, noisy = kinds["network", 0.0], kinds["network", seeds["noise"].max()]
    fire, absent = kinds["FIRENET", 0.0], kinds["network, no detail", 0.0]
    accurate = decoding[(decoding["kind"] == "network") & (decoding["error"] <= 0.25)]
    blind = decoding[decoding["kind"] == "FIRENET"]
    # Without one accurate signal the theorem says nothing, and the claim must not be supported.
    largest = accurate["size"].max() if len(accurate) else 1e9
    return {
        "barriers-detail": (mean(learnt["told"].to_numpy()), mean(fire["told"].to_numpy())),
        "barriers-decoder": (
            geometric_mean((fire["size"] / learnt["size"]).to_numpy()),
            geometric_mean((fire["size"] / absent["size"]).to_numpy()),
        ),
        "barriers-amplification": (
            mean(fire["times"].to_numpy()), mean(learnt["times"].to_numpy()),
        ),
        "barriers-kernel": (
            exact(largest, max(1, len(accurate))), exact(blind["size"].min(), len(blind)),
        ),
        "barriers-noise": (mean(noisy["told"].to_numpy()), mean(learnt["told"].to_numpy())),
    }  # fmt: skip


def points(decoding: pd.DataFrame) -> pd.DataFrame:
    """What the figure of the trade-off shows: `by_seed` and the amplification, `times`."""
    seeds = by_seed(decoding)
    return seeds.assign(times=amplification(seeds["size"], seeds["trace"]))


def transition_table(transition: pd.DataFrame, borders: pd.DataFrame) -> pd.DataFrame:
    """What the figure of the phase transition shows, without least squares.

    Returns:
        A row a network and cell: inner, measurements (over the unknowns), fraction, share, theory
        (sparsity over measurements).
    """
    unknowns = transition["rows"].max()
    networks = transition[transition["inner"] > 0]
    table = networks.merge(borders[["inner", "rows", "theory"]], on=["inner", "rows"])
    measurements = table["rows"] / unknowns
    table = table.assign(measurements=measurements, theory=table["theory"] / measurements)
    return table[["inner", "measurements", "fraction", "share", "theory"]]


def of_transition(borders: pd.DataFrame) -> Found:
    """Where the deepest network ceases to find sparse solutions, and where least squares does."""
    off = (borders["measured"] - borders["theory"]).abs()
    deepest = borders["inner"] == borders["inner"].max()
    return {
        "barriers-transition": (
            mean(off[deepest].to_numpy()),
            mean(off[borders["inner"] == 0].to_numpy()),
        )
    }


def said_of_convergence(convergence: pd.DataFrame) -> dict[str, float]:
    """Errors that the prose names: late, with and without restarts."""
    plain = convergence[convergence["inner"] == 0]
    last = plain[plain["steps"] == plain["steps"].max()]
    network = convergence[convergence["inner"] == ENOUGH]
    late = network[network["restarts"] == TO]
    return {
        "count": int(convergence["problem"].nunique()),
        "plain_last": last["error"].median(),
        "plain_steps": int(last["steps"].iloc[0]),
        "network_late": late["error"].median(),
        "late_steps": TO * ENOUGH,
    }


def said_of_barrier(inexact: pd.DataFrame) -> dict[str, float]:
    """How the learned decoders and the linear program do, in units of the unavoidable error."""
    by = {name: own for name, own in quotients(inexact).groupby("method")}
    learnt, program = by["learned decoder"], by["linear program"]
    return {
        "learnt_same": learnt["same"].mean(),
        "learnt_worse": learnt["worse"].mean(),
        "program_wrong": int((program["same"] > 1).sum()),
        "program_cells": len(program),
    }


def said_of_release(released: pd.DataFrame) -> dict[str, float]:
    """The script's products of steps and norm, and what they change."""
    change = (released["corrected"] / released["admissible"] - 1).abs().max()
    product = released["product"]
    return {
        "product_low": product.min(), "product_high": product.max(), "steps_matter": change,
    }  # fmt: skip


def said_of_decoders(decoding: pd.DataFrame) -> dict[str, float]:
    """How well networks trained with noise tell the detail."""
    seeds = by_seed(decoding)
    means = seeds[seeds["kind"] == "network"].groupby("noise")[["told", "error"]].mean()
    four = 4.0 if 4.0 in means.index else means.index.max()
    return {
        "told_four": means["told"][four],
        "told_most": means["told"].iloc[-1],
        "error_most": means["error"].iloc[-1],
    }


def said_of_transition(borders: pd.DataFrame) -> dict[str, float]:
    """Mean distances of borders from theory, and the deepest network's in the left half."""
    networks = borders[borders["inner"] > 0]
    off = networks.assign(off=(networks["measured"] - networks["theory"]).abs())
    mean_off = off.groupby("inner")["off"].mean()
    left = off[(off["inner"] == off["inner"].max()) & (off["rows"] <= off["rows"].max() / 2)]
    return {
        "shallow_off": mean_off.iloc[0], "deep_off": mean_off.iloc[-1],
        "deep_few": left["off"].mean(),
    }  # fmt: skip
