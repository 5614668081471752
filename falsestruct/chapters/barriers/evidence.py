"""Chapter 11: from tables to estimates, a claim's id to its estimate and its control."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from falsestruct.evidence import Claims, Found, mean, ratio, where
from falsestruct.instability import decoding as decoders
from falsestruct.statistics import Nobody, exact
from falsestruct.theory import barrier

FROM, TO = 4, 16  # restarts between which the rate is read
LATE = 250  # steps from which rates are read
ENOUGH, TOO_FEW = 50, 10  # inner steps of the network and of its control
NEARER = 25  # inner steps nearer to the threshold
OFTEN, TOO_OFTEN = 18, 5  # inner steps of networks that take last steps
TWENTY = 20  # inner steps of means that are restarted as often as most problems allow
EVERY = (TOO_OFTEN, TOO_FEW, 15, OFTEN, TWENTY, NEARER, ENOUGH)  # all of these
RESTARTS = ["Steps between restarts", "Layers", "FIRENET, median", "FIRENET, farthest problem",
            "Last step, median", "Last step, farthest problem"]  # fmt: skip
RELEASED = ["K", "n", "Error, as released", "Index corrected", "Steps corrected too",
            "τσ‖A‖² as released"]  # fmt: skip
ACCURATE = 0.25  # error, over the detail's norm, below which a decoder must be unstable


def rates(table: pd.DataFrame, by: str) -> np.ndarray:
    """Slope of the error's logarithm a problem, by least squares.

    Args:
        by: The column that it is against; "steps" on its logarithm.
    """
    at = np.log(table[by]) if by == "steps" else table[by]
    own = pd.DataFrame({"x": at, "y": np.log(table["error"]), "problem": table["problem"]})
    return np.array([np.polyfit(part["x"], part["y"], 1)[0] for _, part in own.groupby("problem")])


def of_convergence(convergence: pd.DataFrame, gaps: pd.DataFrame, solvers: pd.DataFrame) -> Claims:
    """Rates with and without restarts, the proved bound, and the other solver."""
    means = where(convergence, last=False)
    middle = means[means["restarts"].between(FROM, TO)]
    network, few = where(middle, inner=ENOUGH), where(middle, inner=TOO_FEW)
    plain = where(means, inner=0, steps=lambda steps: steps >= LATE)
    same = where(network, steps=lambda steps: steps.between(LATE, TO * ENOUGH))
    quotient, n = gaps["excess"] / gaps["bound"], len(solvers)
    return {
        "barriers-exponential": (mean(rates(network, "restarts")), mean(rates(few, "restarts"))),
        "barriers-ergodic": (mean(rates(plain, "steps")), mean(rates(same, "steps"))),
        "barriers-gap": (
            exact(quotient.max(), len(gaps)), exact((quotient * gaps["steps"]).max(), len(gaps)),
        ),
        "barriers-solver": (exact(solvers["firenet"].max(), n), exact(solvers["squares"].min(), n)),
    }  # fmt: skip


def late(table: pd.DataFrame, inner: int, *, last: bool) -> pd.Series:
    """Errors by problem after about `LATE` layers; with inner 0 without restarts."""
    look = {"restarts": round(LATE / inner)} if inner else {"steps": LATE}
    return where(table, inner=inner, last=last, **look).set_index("problem")["error"]


def of_last(fresh: pd.DataFrame) -> Claims:
    """Means against last steps after as many layers, with and without restarts."""
    plain, rare = late(fresh, 0, last=True), late(fresh, ENOUGH, last=False)
    averaged = ratio(rare / late(fresh, 0, last=False))
    gain = {p: ratio(late(fresh, p, last=True) / plain) for p in (ENOUGH, OFTEN, TOO_OFTEN)}
    means = [ratio(late(fresh, p, last=False) / plain) for p in (TWENTY, TOO_FEW)]
    return {
        "barriers-last": (ratio(rare / plain), averaged),
        "barriers-restarted-means": (means[0], means[1]),
        "barriers-restarted-last": (gain[ENOUGH], averaged),
        "barriers-restarted-often": (gain[OFTEN], gain[TOO_OFTEN]),
    }


def restart_rows(fresh: pd.DataFrame) -> list[list[str]]:
    """The rows of `RESTARTS`: errors after about `LATE` layers, last without restarts."""
    rows = []
    for p in (*EVERY, 0):
        errors = (late(fresh, p, last=last) for last in (False, True))
        numbers = [f"{number:.0e}" for own in errors for number in (own.median(), own.max())]
        rows.append([str(p or "none"), str(p * round(LATE / p) if p else LATE), *numbers])
    return rows


def of_readers(readers: pd.DataFrame, promises: pd.DataFrame) -> Claims:
    """What algorithms that read digit by digit can be sure of."""
    kinds, n = readers.groupby("reader"), int(readers["part"].max())
    least, over, halting = kinds["excess"].min(), kinds["over"].max(), kinds["halts"].all()
    kept = promises[["patient", "single"]].to_numpy()
    more = promises[["patient more", "single more"]].to_numpy()
    return {
        "barriers-stopping": (exact(least["geometric"], n), exact(least["always twenty"], n)),
        "barriers-no-fixed-chance": (
            exact(over[halting].max(), int(readers["halts"].sum())),
            exact(over[~halting].max(), n),
        ),
        "barriers-digits": (exact(kept.max(), kept.size), exact(more.min(), more.size)),
    }


def of_pairs(pairs: pd.DataFrame) -> Claims:
    """FIRENET where the two minimisers are no mirror images."""
    one, mirrored = where(pairs, kind="one against k"), where(pairs, kind="k against k")
    off = (one["quotient"] / one["wanted"] - 1).abs()
    middle = (one["middle"] / one["wanted"] - 1).abs()[one["k"] > 1]
    largest = exact(mirrored["quotient"].max(), len(mirrored))
    return {
        "barriers-uneven": (exact(off.max(), len(off)), exact(middle.min(), len(middle))),
        "barriers-uneven-random": (mean(where(pairs, kind="random")["quotient"]), largest),
    }


def quotients(inexact: pd.DataFrame) -> pd.DataFrame:
    """Errors in units of half the distance of the minimisers, and the worse role of each cell.

    Returns:
        A row a method, K, n and seed: same, other, worse.
    """
    table = inexact.assign(quotient=inexact["error"] / inexact["half"])
    roles = table.pivot(index=["method", "K", "n", "seed"], columns="role", values="quotient")
    return roles.assign(worse=roles.max(axis=1)).reset_index()


def of_barrier(inexact: pd.DataFrame, certificates: pd.DataFrame, depths: pd.DataFrame) -> Claims:
    """The minimisers, what nobody can avoid, and who comes how near to it."""
    worse = quotients(inexact)
    network = where(worse, method="FIRENET")[["same", "other"]].to_numpy()
    program = where(worse, method="linear program")["worse"]
    wrong = certificates[certificates["K"] < certificates["K"].max()]["coded"]
    half, cells = (inexact["half"] * 10.0 ** inexact["K"]).min(), len(certificates)
    shares = {int(p): where(depths, p=p).sort_values("n")["share"].tolist()
              for p in sorted(set(depths["p"]))}  # fmt: skip
    return {
        "barriers-minimisers": (
            exact(certificates["gap"].max(), cells), exact(wrong.min(), len(wrong)),
        ),
        "barriers-unavoidable": (exact(half, cells), exact(certificates["error"].max(), cells)),
        "barriers-midpoint": (
            exact(np.abs(network - 1).max(), network.size), exact((program - 1).min(), cells),
        ),
        "barriers-depth": (exact(barrier.doubling(shares), len(shares)),
                           exact(where(depths, n=0)["share"].min(), len(shares))),
    }  # fmt: skip


def of_release(released: pd.DataFrame, inexact: pd.DataFrame, indistinct: float) -> Claims:
    """The released script's index, and whether precision matters."""
    off = (released["coded"] / released["corrected"] - math.sqrt(3)).abs()
    last = released["K"] == released["K"].max()
    errors = where(inexact, role="other").pivot_table(
        index=["K", "n"], columns="method", values="error"
    )
    change = (errors["FIRENET"] / errors["FIRENET, sixty digits"] - 1).abs()
    return {
        "barriers-as-coded": (
            exact(off[~last].max(), int((~last).sum())), exact(off[last].min(), int(last.sum())),
        ),
        "barriers-precision": (exact(change.max(), len(change)), exact(indistinct)),
    }  # fmt: skip


def points(decoding: pd.DataFrame) -> pd.DataFrame:
    """A row a decoder and seed: kind, noise, trace, seed, told, the medians of error and size.

    And the amplification, `times`: how far the answer moves over how far the measurements did.
    """
    grouped = decoding.groupby(["kind", "noise", "trace", "seed"], sort=False)
    seeds = grouped[["told", "error", "size"]].median().reset_index()
    return seeds.assign(times=decoders.MOVE / (seeds["size"] * seeds["trace"]))


def of_decoders(decoding: pd.DataFrame) -> Claims:
    """What learned decoders restore and what it costs, beside FIRENET."""
    seeds = points(decoding)
    kinds = {key: own.set_index("seed") for key, own in seeds.groupby(["kind", "noise"])}
    learnt, noisy = kinds["network", 0.0], kinds["network", seeds["noise"].max()]
    fire, absent = kinds["FIRENET", 0.0], kinds["network, no detail", 0.0]
    steep = decoding.groupby(["kind", "noise", "seed"])["steep"].max()
    accurate = where(decoding, kind="network", error=lambda error: error <= ACCURATE)["size"]
    blind = where(decoding, kind="FIRENET")["size"]
    largest: Found = Nobody("no signal is restored to a quarter of the detail's norm")
    if len(accurate):
        largest = exact(accurate.max(), len(accurate))

    def tells(networks: pd.DataFrame) -> Found:
        return mean(networks["told"], bounds=(0.0, 1.0))

    return {
        "barriers-detail": (tells(learnt), tells(fire)),
        "barriers-decoder": (
            ratio(fire["size"] / learnt["size"]), ratio(fire["size"] / absent["size"]),
        ),
        "barriers-amplification": (mean(steep["FIRENET", 0.0]), mean(steep["network", 0.0])),
        "barriers-noise-stable": (
            mean(steep["network", seeds["noise"].max()]), mean(steep["network", 0.0]),
        ),
        "barriers-kernel": (largest, exact(blind.min(), len(blind))),
        "barriers-noise": (tells(noisy), tells(learnt)),
    }  # fmt: skip


def off(borders: pd.DataFrame) -> pd.DataFrame:
    """Distances from theory, |measured − theory|, in a column `off`; all trials together."""
    own = where(borders, without=-1)
    return own.assign(off=(own["measured"] - own["theory"]).abs())


def transition_table(transition: pd.DataFrame, borders: pd.DataFrame) -> pd.DataFrame:
    """What the figure of the phase transition shows, without least squares.

    Returns:
        A row a network and cell: inner, measurements (over the unknowns), fraction, share, theory
        (sparsity over measurements).
    """
    networks = transition[transition["inner"] > 0]
    table = networks.groupby(["inner", "rows", "fraction"])["solved"].mean().rename("share")
    edge = where(borders, without=-1)[["inner", "rows", "theory"]]
    merged = table.reset_index().merge(edge, on=["inner", "rows"])
    measurements = merged["rows"] / transition["rows"].max()
    merged = merged.assign(measurements=measurements, theory=merged["theory"] / measurements)
    return merged[["inner", "measurements", "fraction", "share", "theory"]]


def of_transition(borders: pd.DataFrame) -> Claims:
    """Where the deepest network ceases to find sparse solutions, and where least squares does."""
    deepest = borders["inner"].max()
    return {"barriers-transition": (_jackknifed(borders, deepest), _jackknifed(borders, 0))}


def of_weights(weights: pd.DataFrame) -> Claims:
    """A smaller weight against more depth, and what no depth would mend."""
    arms = {key: own.set_index("trial") for key, own in weights.groupby(["share", "lam", "inner"])}
    gains = [mean(arms[share, 0.01, 200]["solved"] - arms[share, 0.05, 800]["solved"])
             for share in (1.0, 0.5)]  # fmt: skip
    large, small = (arms[1.0, lam, 200]["less"] for lam in (0.05, 0.01))
    return {
        "barriers-weight": (gains[0], gains[1]),
        "barriers-weight-misses": (mean(large, bounds=(0, 1)), mean(small, bounds=(0, 1))),
    }


def _jackknifed(borders: pd.DataFrame, inner: int) -> Found:
    """Mean distance from theory; the interval is over trials, by what leaving out each changes.

    The columns are a grid that nobody drew, the trials were. Tukey's pseudo-values are moved to
    have the mean of all trials together.
    """
    own = where(borders, inner=inner)
    means = (own["measured"] - own["theory"]).abs().groupby(own["without"]).mean()
    without = means.drop(-1)
    return mean(means[-1] + (len(without) - 1) * (without.mean() - without))


def said_of_convergence(convergence: pd.DataFrame) -> dict[str, float]:
    """Errors that the prose names: late, with and without restarts."""
    means = where(convergence, last=False)
    plain = where(means, inner=0, steps=means["steps"].max())
    return {
        "count": int(convergence["problem"].nunique()),
        "plain_last": plain["error"].median(), "plain_steps": int(plain["steps"].iloc[0]),
        "network_late": where(means, inner=ENOUGH, restarts=TO)["error"].median(),
        "late_steps": TO * ENOUGH,
    }  # fmt: skip


def said_of_last(fresh: pd.DataFrame) -> dict[str, float]:
    """Errors after as many layers, of networks of both kinds."""
    arms = {"network_same": (ENOUGH, False), "nearer_same": (NEARER, False), "last_same": (0, True),
            "twenty_same": (TWENTY, False), "often_same": (OFTEN, True),
            "rare_same": (ENOUGH, True)}  # fmt: skip
    found = {name: late(fresh, p, last=last).median() for name, (p, last) in arms.items()}
    return found | {"same_steps": LATE}


def said_of_barrier(inexact: pd.DataFrame) -> dict[str, float]:
    """How the learned decoders and the linear program do, in units of the unavoidable error."""
    by = {name: own for name, own in quotients(inexact).groupby("method")}
    learnt, program = by["learned decoder"], by["linear program"]
    return {
        "learnt_same": learnt["same"].mean(), "learnt_worse": learnt["worse"].mean(),
        "program_wrong": int((program["same"] > 1).sum()), "program_cells": len(program),
    }  # fmt: skip


def said_of_pairs(pairs: pd.DataFrame) -> dict[str, float]:
    """FIRENET's errors on random pairs, in units of the unavoidable one."""
    own = where(pairs, kind="random")["quotient"]
    return {"uneven_mean": own.mean(), "uneven_most": own.max()}


def released_rows(released: pd.DataFrame) -> list[list[str]]:
    """The rows of `RELEASED`."""
    errors = ["coded", "corrected", "admissible"]
    return [
        [str(row["K"]), str(row["n"]), *(f"{row[name]:.7f}" for name in errors),
         f"{row['product']:.3g}"]
        for row in released.to_dict("records")
    ]  # fmt: skip


def said_of_release(released: pd.DataFrame) -> dict[str, float]:
    """The script's products of steps and norm, and what they change."""
    change, product = released["corrected"] / released["admissible"] - 1, released["product"]
    return {
        "product_low": product.min(), "product_high": product.max(),
        "steps_matter": change.abs().max(),
    }  # fmt: skip


def said_of_decoders(decoding: pd.DataFrame) -> dict[str, float]:
    """How well networks trained with noise tell the detail."""
    networks = where(points(decoding), kind="network")
    means = networks.groupby("noise")[["told", "error"]].mean()
    four = 4.0 if 4.0 in means.index else means.index.max()
    last = means.iloc[-1]
    kinds = ["kind", "noise"]
    by = decoding.groupby([*kinds, "seed"])["steep"].max().groupby(kinds).mean()
    return {
        "steep_fire": by["FIRENET", 0.0], "steep_learnt": by["network", 0.0],
        "steep_noisy": by["network", means.index.max()],
        "told_four": means["told"][four], "told_most": last["told"], "error_most": last["error"],
    }  # fmt: skip


def said_of_transition(borders: pd.DataFrame) -> dict[str, float]:
    """Mean distances of borders from theory, and the deepest network's in the left half."""
    networks = off(borders[borders["inner"] > 0])
    means, half = networks.groupby("inner")["off"].mean(), networks["rows"].max() / 2
    left = where(networks, inner=means.index.max(), rows=lambda rows: rows <= half)
    return {
        "shallow_off": means.iloc[0], "deep_off": means.iloc[-1], "deep_few": left["off"].mean(),
    }  # fmt: skip


def said_of_weights(weights: pd.DataFrame) -> dict[str, float]:
    """Shares solved with as many measurements as unknowns, and of misses that no depth mends."""
    by = where(weights, share=1.0).groupby(["lam", "inner"])[["solved", "less", "blocked"]].mean()
    return {
        "solved_deep": by["solved"][0.05, 800], "solved_usual": by["solved"][0.05, 200],
        "solved_light": by["solved"][0.01, 200], "missed_less": by["less"][0.05, 200],
        "missed_blocked": by["blocked"][0.05, 200],
    }  # fmt: skip
