"""From the tables of chapter 07 to the estimates of its claims, and to what its figures draw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from falsestruct import evidence, simplicity, statistics, success
from falsestruct.chapters.simplicity.measure import FITS, LOOKS, TRAINED, WEAKER, mean_difference
from falsestruct.evidence import Claims, Found, Pair, Values, mean, ratio, share, summary, where
from falsestruct.learning.networks import LINEAR
from falsestruct.names import slug
from falsestruct.problems.planted import registry
from falsestruct.problems.stripes import Stripes
from falsestruct.simplicity import WHICH, Crossing
from falsestruct.statistics import Estimate

PREDICTORS = {
    "samples": "samples",
    "steps": "steps",
    "bits": "code length",
    "norm": "kernel norm",
    "alignment": "kernel alignment",
    "linearised": "linearised network",
    "volume": "volume",
    "constant": "a constant",
}
CELL = ["architecture", "width"]


def crossings(
    ambiguous: pd.DataFrame, isolated: pd.DataFrame, kernels: pd.DataFrame, volumes: pd.DataFrame
) -> pd.DataFrame:
    """Predicted and measured crossovers, a row a predictor and cell of architecture and width.

    "constant" predicts the middle of the kernels' offsets, and knows nothing. Volume is that of
    dense networks.

    Columns: predictor, architecture, width, predicted, inside (whether it lies in the sweep),
    measured.
    """
    rows = []
    for name, width in ambiguous[CELL].drop_duplicates().itertuples(index=False):
        cell = {"architecture": name, "width": width}
        measured = _half(where(ambiguous, last=True, **cell)).value
        for predictor in PREDICTORS:
            source = volumes if predictor == "volume" else kernels
            table = where(isolated if predictor in TRAINED else source, **cell)
            if table.empty:
                continue
            found = _predict(predictor, table)
            row = {"predicted": found.value, "inside": found.inside, "measured": measured}
            rows.append({"predictor": predictor} | cell | row)
    return pd.DataFrame(rows)


def _predict(name: str, table: pd.DataFrame) -> Crossing:
    """A predictor's crossing in one cell."""
    if name == "constant":
        return Crossing(math.sqrt(table["a"].min() * table["a"].max()), True)
    if name == "volume":
        return _half(table)
    if name == "linearised":
        return _half(where(table, structure="false"))
    # What 95 % of the seeds need, where a need may be infinite; else the mean over seeds.
    total = simplicity.quantile if name in ("samples", "steps") else np.mean
    wide = table.groupby(["a", "structure"])[name].agg(lambda v: float(total(v.to_numpy())))
    curves = wide.unstack()
    return simplicity.crossing(curves.index.tolist(), *(curves[which].tolist() for which in WHICH))


def _half(table: pd.DataFrame) -> Crossing:
    """Where the share read by colour is one half; the end of the sweep if it isn't inside of it."""
    read = table.groupby("a")["colour"].mean().sort_index()
    if read.iloc[0] >= 0.5:
        return Crossing(float(read.index[0]), False)
    if read.max() < 0.5:
        return Crossing(float(read.index[-1]), False)
    offsets, shares = torch.tensor(read.index.tolist()), torch.tensor(read.tolist())
    return Crossing(success.crossover(offsets, shares), True)


def ranking(crossed: pd.DataFrame) -> dict[str, Pair]:
    """For each predictor by what factor it is off, and its control; the cells are what varies.

    The factor is the geometric mean of max(p/m, m/p) over architectures and widths, predicted p and
    measured m. In the control each prediction is held against all other crossovers instead.
    """
    return {str(name): _off(part) for name, part in crossed.groupby("predictor", sort=False)}


def _off(part: pd.DataFrame) -> Pair:
    logs = np.log(part[["predicted", "measured"]].to_numpy(dtype=float))
    gaps = np.abs(logs[:, None, 0] - logs[None, :, 1])  # (cells, cells)
    own = np.diagonal(gaps)
    others = (gaps.sum(1) - own) / max(len(own) - 1, 1)
    return ratio(np.exp(own)), ratio(np.exp(others))


def prediction_claims(ranked: dict[str, Pair]) -> Claims:
    """Estimates of the claims that a measure predicts the crossover, from `ranking`."""
    called = {"norm": "kernel-norm"}
    return {
        slug("simplicity-predicts", called.get(name, name)): pair
        for name, pair in ranked.items()
        if name != "constant"
    }


def first_fit(ambiguous: pd.DataFrame) -> pd.DataFrame:
    """What each network reads before training, at its first fit, and in the end.

    Columns: architecture, width, a, seed, start, fit, end: shares of the conflict set read by
    colour. Fit is the first step looked at with a training accuracy of at least `FITS`; networks
    that never get there have NaN.
    """
    keys = [*CELL, "a", "seed"]
    ordered = ambiguous.sort_values("step", kind="stable")
    whole = ordered.groupby(keys, sort=False)["colour"]
    fitting = ordered[ordered["accuracy"] >= FITS].groupby(keys, sort=False)["colour"]
    parts = {"start": whole.first(), "fit": fitting.first(), "end": whole.last()}
    return pd.DataFrame(parts).reset_index()


def first_claim(ambiguous: pd.DataFrame) -> Claims:
    """Estimate of the claim that the first structure captured is the last.

    About these pairs of architecture and width, each of which counts the same. A seed has the same
    weights and order at every offset, so its mean over them is one number.
    """
    table = first_fit(ambiguous).dropna()
    same = table[[*CELL, "seed"]].assign(
        **{name: (table[name] > 0.5) == (table["end"] > 0.5) for name in ("fit", "start")}
    )
    seeds = same.groupby([*CELL, "seed"], as_index=False).mean()
    pairs = seeds["architecture"] + seeds["width"].astype(str)
    ours, theirs = (mean(seeds[name], strata=pairs, bounds=(0, 1)) for name in ("fit", "start"))
    return {"simplicity-first-captured": (ours, theirs)}


def width_claim(widths: pd.DataFrame) -> Claims:
    """Estimate of the claim on widths: the usual offset against a tenth; `width_point`'s columns.

    A width beyond the largest counts as the largest.
    """
    needs = np.log2(widths["needs"].clip(upper=widths["largest"]))
    wide = widths.assign(needs=needs).pivot(
        index=["a", "seed"], columns="structure", values="needs"
    )
    gap = wide["original"] - wide["false"]
    weak, usual = (mean(gap.loc[a]) for a in sorted(set(widths["a"])))
    return {"simplicity-width": (usual, weak)}


def last_layer_claims(table: pd.DataFrame) -> Claims:
    """Estimates of the claims on new last layers; columns of `last_layer_point`."""
    found: Claims = {}
    for problem, own in table.groupby("problem", sort=False):
        right = {str(arm): evidence.cells(part, "right") for arm, part in own.groupby("arm")}
        better, control = (
            evidence.crossed(right["trained"] - right[arm], bounds=(-1, 1))
            for arm in ("untrained", "shuffled")
        )
        found[slug("simplicity-last-layer", str(problem))] = better, control
        taken = where(own, arm="trained", before=lambda c: c <= 1 - success.TAKES)
        parts = taken, where(own, arm="untrained")
        enough, random = (share(part["after"] >= success.TAKES) for part in parts)
        found[slug("simplicity-last-layer-enough", str(problem))] = enough, random
    return found


def depth_claim(found: pd.DataFrame) -> Claims:
    """Estimate of the claim on diagonal networks; columns of `depths`.

    A distance of one where the first pair's share does not pass one half from the least depth to
    the largest.
    """
    keys = ["pair", "start"]
    first = where(found, pair=0).groupby("layers")["trained"].agg(["min", "max"])
    passes = first["max"].iloc[0] < 0.5 < first["min"].iloc[-1]
    two = where(found, layers=2).set_index(keys)["formula"].rename("two")
    deeper = where(found, layers=sorted(set(found["layers"]))[1:]).join(two, on=keys)
    ours = (found["formula"] - found["trained"]).abs().max() if passes else 1.0
    theirs = (deeper["two"] - deeper["trained"]).abs().max()
    return {"simplicity-depth-chooses": (statistics.exact(ours), statistics.exact(theirs))}


def hint_claim(hints: pd.DataFrame) -> Claims:
    """Estimate of the claim that the hint needs fewer samples than the oscillation."""
    wide = hints.pivot(index=["a", "seed"], columns="structure", values="samples").reset_index()
    wide["fewer"] = wide["false"] < wide["original"]
    deltas = registry.STRENGTHS["oscillation"], float(hints["a"].min())
    usual, least = (share(where(wide, a=delta)["fewer"]) for delta in deltas)
    return {"simplicity-hint-samples": (usual, least)}


def optimiser_claim(plain: pd.DataFrame, ambiguous: pd.DataFrame, a: float) -> Claims:
    """Estimate of the claim that plain descent takes the colour where Adam does not.

    Args:
        plain: Of `descent` at offset a.
        ambiguous: With the linear network at that offset and at the paper's width.
    """
    adam = where(ambiguous, last=True, architecture=LINEAR.name, width=Stripes().width, a=a)
    ours, theirs = (share(table["colour"] >= 0.75) for table in (plain, adam))
    return {"simplicity-optimiser": (ours, theirs)}


def thin_claim() -> Claims:
    """Estimate of the claim that linear networks can't read thin stripes: see `mean_difference`."""
    thin, usual = (statistics.exact(mean_difference(Stripes(width=width))) for width in (1, 3))
    return {"simplicity-linear-thin": (thin, usual)}


def board_claims(board: pd.DataFrame) -> Claims:
    """Estimates of the status board's cells, at the problem's usual strength.

    The control: the same at the weaker strength; for the oscillation at its smallest.

    Args:
        board: Columns problem, architecture, a, structure, seed, bits.
    """
    found: Claims = {}
    for (name, architecture), own in board.groupby(["problem", "architecture"], sort=False):
        strength = registry.STRENGTHS[str(name)]
        weak = own["a"].min() if name == "oscillation" else WEAKER * strength
        id = slug("simplicity", str(name).split("-")[0], architecture)
        usual, weaker = (differences(where(own, a=float(a))) for a in (strength, weak))
        found[id] = usual, weaker
    return found


def differences(table: pd.DataFrame) -> Estimate:
    """Bits of the original less bits of the false structure, mean over paired seeds."""
    wide = table.pivot(index="seed", columns="structure", values="bits")
    return statistics.paired_difference(wide["original"].to_numpy(), wide["false"].to_numpy())


def board(isolated: pd.DataFrame, hints: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """The status board's table: what was measured already, and the cells of their own."""
    stripes = where(isolated, width=Stripes().width).assign(problem="stripes")
    tables = stripes, others, hints.assign(problem="oscillation")
    columns = ["problem", "architecture", "a", "structure", "seed", "bits"]
    return pd.concat([table[columns] for table in tables], ignore_index=True)


# What the figures draw


def needs(table: pd.DataFrame, *, steps: int) -> pd.DataFrame:
    """Each measure, by architecture, strength and structure.

    Columns: learner, a, structure, measure, value, low, high, largest. Of code lengths the mean
    with its interval; of samples and steps what 95 % of the seeds need, with the range of all of
    them, for no interval of twenty values bounds that quantile. Infinite is more than `largest`,
    the largest that was tried.

    Args:
        table: As `both` gives it, with architecture and a.
        steps: The learner's largest number.
    """
    keys, tables = ["architecture", "a", "structure"], []
    for name in TRAINED:
        group = table.groupby(keys, sort=False)[name]
        if name == "bits":
            found = summary(table, keys, name)
        else:
            value = group.agg(lambda v: float(simplicity.quantile(v.to_numpy())))
            found = pd.DataFrame({"value": value, "low": group.min(), "high": group.max()})
            found = found.reset_index()
        tried = table.groupby(keys, sort=False)["tried"].first().to_numpy()
        largest: Any = {"samples": tried, "steps": steps, "bits": math.nan}[name]
        tables.append(found.assign(measure=name, largest=largest))
    return pd.concat(tables, ignore_index=True).rename(columns={"architecture": "learner"})


def learners(table: pd.DataFrame) -> pd.DataFrame:
    """The table with a column learner, "architecture, w = width"."""
    names = table["architecture"] + ", w = " + table["width"].astype(str)
    return table.assign(learner=names)


def history_table(ambiguous: pd.DataFrame, offsets: Sequence[float]) -> pd.DataFrame:
    """Reading over time at the paper's width: what `figures.history` draws.

    A network that has met the target is done, and stays as it was.
    """
    own = where(ambiguous, width=Stripes().width, a=list(offsets))
    keys = ["architecture", "a"]
    seen = own.pivot(index="step", columns=[*keys, "seed"], values="colour").sort_index().ffill()
    long = seen.loc[seen.index.isin(LOOKS)].melt(ignore_index=False, value_name="colour")
    table = summary(long.reset_index(), [*keys, "step"], "colour", name="mean", measure=_shares)
    fits = own[own["accuracy"] >= FITS].groupby([*keys, "seed"])["step"].min()
    median = fits.groupby(level=keys).median().to_frame("fit")
    table = table.join(median, on=keys)
    return table.rename(columns={"architecture": "learner"})


def _shares(values: Values) -> Found:
    return mean(values, bounds=(0, 1))


def linearised_table(ambiguous: pd.DataFrame, kernels: pd.DataFrame) -> pd.DataFrame:
    """Shares read by colour, trained and linearised: what `figures.linearised` draws."""
    tables = {
        "trained": where(ambiguous, last=True),
        "linearised": where(kernels, structure="false"),
    }
    return pd.concat([
        summary(learners(table), ["learner", "a"], "colour", name="share", measure=_shares).assign(
            kind=kind
        )
        for kind, table in tables.items()
    ], ignore_index=True)  # fmt: skip


def factors(ranked: dict[str, Pair]) -> dict[str, float]:
    """By what factor each predictor is off."""
    return {name: getattr(off, "value", math.nan) for name, (off, _) in ranked.items()}


def ranking_table(crossed: pd.DataFrame, ranked: dict[str, Pair]) -> pd.DataFrame:
    """Predicted over measured crossovers, with each predictor's factor and its interval."""
    table = learners(crossed).assign(ratio=crossed["predicted"] / crossed["measured"])
    for column, part in (("factor", "value"), ("low", "low"), ("high", "high")):
        table[column] = [getattr(ranked[name][0], part, math.nan) for name in table["predictor"]]
    table["predictor"] = table["predictor"].map(PREDICTORS)
    return table[["predictor", "learner", "ratio", "inside", "factor", "low", "high"]]


def said_layers(layers: pd.DataFrame, depths: pd.DataFrame) -> dict[str, float]:
    """Numbers for the prose on last layers and on depth.

    `pixel_takes` is the number of networks that take the planted pixel with their own last layer,
    `one_trained` and the like the share of new last layers that give the oscillation one answer.
    """
    pixel = where(layers, problem="digits-pixel", arm="trained")["before"]
    one = where(layers, problem="oscillation").groupby("arm")["one"].mean()
    keys = layers["arm"] + "_" + layers["problem"].str.replace("-", "_")
    found = layers.groupby(keys)["after"].mean()
    first = where(depths, pair=0).groupby("layers")["trained"].mean()
    return {
        **{str(name): value for name, value in found.items()},
        **{f"share_{depth}": value for depth, value in first.items()},
        **{f"one_{arm}": value for arm, value in one.items()},
        "pixel_takes": float((pixel <= 1 - success.TAKES).sum()),
    }


def said_width(widths: pd.DataFrame) -> dict[str, float]:
    """The logarithm of widths at a tenth of the offset, with its interval."""
    _, weak = width_claim(widths)["simplicity-width"]
    return {f"width_{name}": getattr(weak, name, math.nan) for name in ("value", "low", "high")}


def said_volume(volumes: pd.DataFrame) -> dict[str, float]:
    """How far walks are apart at most, their starts at least, and the most steps of a walk.

    `volumes` has the columns of `volume_point`.
    """
    kinds = volumes.groupby([*CELL, "a", "start"])[["colour", "begins"]].mean().unstack()
    colour, begins = (np.ptp(kinds[name].to_numpy(), axis=1) for name in ("colour", "begins"))
    most = float(volumes["steps"].max())
    return {"volume_apart": colour.max(), "volume_starts": begins.min(), "walk_most": most}


def said_ranking(crossed: pd.DataFrame, ranked: dict[str, Pair]) -> dict[str, float]:
    """Numbers for the prose: factors, also over the pairs that volume covers; sweeps that ended."""
    volume = where(crossed, predictor="volume")
    six = factors(ranking(crossed.merge(volume[CELL])))
    made = where(crossed, predictor=lambda c: c != "constant")
    return {
        **{f"{name}_off": value for name, value in factors(ranked).items()},
        **{f"{name}_six": six[name] for name in ("constant", "bits")},
        "predictions": float(len(made)),
        "ended": float((~made["inside"].astype(bool)).sum()),
        "volume_below": float((volume["predicted"] < volume["measured"]).sum()),
        "least": crossed["measured"].min(),
        "most_crossover": crossed["measured"].max(),
    }


def said(ambiguous: pd.DataFrame, hints: pd.DataFrame) -> dict[str, float]:
    """Numbers for the prose: who turned, bits."""
    late = first_fit(ambiguous)
    at_fit, at_end = late["fit"] > 0.5, late["end"] > 0.5
    bits = where(hints, a=registry.STRENGTHS["oscillation"]).groupby("structure")["bits"].mean()
    return {
        "captured": simplicity.CAPTURED,
        "from_colour": float((at_fit & ~at_end).sum()),
        "to_colour": float((~at_fit & at_end & late["fit"].notna()).sum()),
        "bits_oscillation": bits["original"],
        "bits_hint": bits["false"],
        "faint": differences(where(hints, a=1e-3)).value,
    }
