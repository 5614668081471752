"""The claims of chapter 03. The sets of images are all there are; networks were sampled."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd

from falsestruct import evidence, statistics
from falsestruct.chapters.stripes.measure import crossovers
from falsestruct.evidence import Claims, Found, contrast, extreme, mean, most, ratio, share, where
from falsestruct.instability.stripes import euclidean_errors, radius_errors
from falsestruct.names import slug
from falsestruct.problems.stripe_pictures import vertical_images
from falsestruct.problems.stripes import BANDS, Stripes
from falsestruct.statistics import exact, prediction
from falsestruct.success import SIDES, TAKES
from falsestruct.theory import stripe_margins


def radius_claims(stripes: Stripes, *offsets: float) -> Claims:
    """The two rules' radii, by optimisation."""
    largest, euclidean = radius_errors(stripes, offsets), euclidean_errors(stripes, offsets)
    return {
        "stripes-orientation-radius": (exact(round(largest[0], 9)), exact(largest[1])),
        "stripes-orientation-radius-euclidean": (
            exact(round(euclidean[0], 6)),
            exact(euclidean[1]),
        ),
    }


def margin_claims(stripes: Stripes, largest: int) -> Claims:
    """The rule of largest margin, for sizes up to `largest` and the chapter's own."""
    sizes = [*stripe_margins.all_sizes(largest, range(2, 7)), (stripes.size, stripes.width)]
    wrong, control = (stripe_margins.misread(sizes, as_if_free=free) for free in (False, True))
    return {"stripes-margin": (exact(wrong), exact(control))}


def set_claims(stripes: Stripes, a: float) -> Claims:
    """What the released code makes, and what the paper describes."""
    counts = [exact(vertical_images(*data(a))) for data in (stripes.released, stripes.described)]
    return {"stripes-released-set": (counts[0], counts[1])}


def loss_claims(networks: pd.DataFrame) -> Claims:
    """Which set the released network was trained on: the next loss that a set would give."""
    a, b = (prediction(where(networks, variant=name)["loss"].to_numpy()) for name in "AB")
    return {"stripes-released-loss": (a, b)}


def band_captures(bands: pd.DataFrame) -> pd.DataFrame:
    """Share of the swapped images in the paper's last band that each network reads by colour.

    Columns: variant, seed, share.
    """
    low, high = BANDS[-1]
    rows = where(bands, low=low, high=high, colours="swapped")
    return rows.assign(share=1 - rows["accuracy"])[["variant", "seed", "share"]]


def reading_claims(bands: pd.DataFrame) -> Claims:
    """Which structure the paper's network reads, trained on either set."""
    reads = band_captures(bands)
    a, b = (share(where(reads, variant=name)["share"] >= TAKES) for name in "AB")
    return {"stripes-b-reads-colour": (b, a)}


def crossover_claims(crossed: pd.DataFrame, control: pd.DataFrame) -> Claims:
    """Where each architecture changes over to colour, from `measure.crossovers`.

    Args:
        control: Networks trained with offsets that are independent of the label.
    """
    return {
        slug("stripes-crossover", name): (
            most(own["crossover"], ratio),
            share(where(control, architecture=name)["colour"] > SIDES),
        )
        for name, own in crossed.groupby("architecture", sort=False)
    }  # fmt: skip


def capture_claims(strong: pd.DataFrame, control: pd.DataFrame) -> Claims:
    """Whether all architectures read colour at a strong offset, and none without a structure."""
    least, most = (
        [share(own["colour"] >= TAKES) for _, own in table.groupby("architecture")]
        for table in (strong, control)
    )
    return {"stripes-false-wins": (extreme(least, min), extreme(most, max))}


def margin_offset(stripes: Stripes) -> float:
    """Where the rule of largest margin changes over to colour, its intercept counted."""
    return stripe_margins.threshold(stripes.size, stripes.width, counted=True)


def descent_claims(stripes: Stripes, table: pd.DataFrame) -> Claims:
    """Gradient descent beside Adam at the same loss, from `measure.optimisers`."""
    linear = where(table, architecture="linear")
    descent, adam = (
        _over_margin(stripes, where(linear, optimiser=name)) for name in ("descent", "Adam")
    )
    claims: Claims = {"stripes-descent-linear": (descent, adam)}
    step = 1 / (2 * stripes.positions)  # one image of the conflict set
    for name, own in where(table, architecture=lambda c: c != "linear").groupby("architecture"):
        colour = own.pivot(index="seed", columns="optimiser", values="colour")
        more, noise = colour["descent"] - colour["Adam"], colour["batches"] - colour["descent"]
        claims[slug("stripes-descent", name)] = (
            statistics.mean(more.to_numpy(), resolution=step),
            statistics.mean(noise.to_numpy(), resolution=step),
        )
    return claims


def _over_margin(stripes: Stripes, table: pd.DataFrame) -> Found:
    """Crossovers in units of the margin's; networks differ by no less than neighbouring offsets."""
    pairs = pairwise(sorted(set(table["a"])))
    apart = max((b / a for a, b in pairs), default=statistics.FACTOR)

    def measure(values: np.ndarray) -> Found:
        return statistics.geometric_mean(values[~np.isnan(values)], resolution=apart)

    return most(crossovers(table)["crossover"] / margin_offset(stripes), measure)


def unseen_claims(table: pd.DataFrame, weak: float, strong: float) -> Claims:
    """Whether networks take the orientation of stripes that training lacks."""
    claims: Claims = {}
    for kind in ("positions", "widths"):
        takes = table.assign(takes=table[kind] >= TAKES)
        claims |= contrast(
            f"stripes-unseen-{kind}", takes, "architecture", lambda part: share(part["takes"]),
            of={"a": weak}, against={"a": strong},
        )  # fmt: skip
    return claims


def attacked(swept: pd.DataFrame, seeds: int) -> pd.DataFrame:
    """The networks of the first seeds that were attacked, by offset."""
    rows = where(swept, seed=lambda c: c < seeds).dropna(subset=["size"])
    return rows.sort_values("a", kind="stable")


def attack_claims(strong: pd.DataFrame, weak: pd.DataFrame) -> Claims:
    """What constant and random images do to networks trained at a strong and at a weak offset.

    The sentences are about the five architectures of the chapter, which are strata. Only
    `stripes-orientation-withstands-equal` is about networks that took the orientation, whichever
    they are: there the architectures stand for more.
    """

    def none(table: pd.DataFrame, column: str) -> Found:
        return share(table[column] == 0, strata=table["architecture"])

    def kept(table: pd.DataFrame) -> Found:
        return share(table["at_0.2"] < 0.5, within=table["architecture"])

    def size(table: pd.DataFrame) -> Found:
        return mean(table["constant"], strata=table["architecture"])

    return {
        "stripes-constant-size": (size(strong), size(weak)),
        "stripes-random-flips": (none(strong, "random"), none(strong, "at_2a")),
        "stripes-orientation-withstands": (none(weak, "at_2a"), none(strong, "at_2a")),
        "stripes-orientation-withstands-equal": (kept(weak), kept(strong)),
    }


def crossover_summary(swept: pd.DataFrame, crossed: pd.DataFrame) -> pd.DataFrame:
    """Mean shares and crossovers with intervals: architecture, a, share, low, high, crossover,
    crossover_low, crossover_high."""
    keys, portion = ["architecture", "a"], partial(mean, bounds=(0, 1))
    shares = evidence.summary(swept, keys, "colour", name="share", measure=portion)
    means = evidence.summary(crossed, "architecture", "crossover", name="crossover", measure=ratio)
    means = means.rename(columns={"low": "crossover_low", "high": "crossover_high"})
    return shares.merge(means, on="architecture")


def optimiser_summary(table: pd.DataFrame) -> pd.DataFrame:
    """Mean shares with intervals: architecture, optimiser, a, share, low, high."""
    keys, portion = ["architecture", "optimiser", "a"], partial(mean, bounds=(0, 1))
    return evidence.summary(table, keys, "colour", name="share", measure=portion)


def optimisers_said(table: pd.DataFrame) -> dict[str, float]:
    """Crossovers of the linear network by optimiser; `runs`, how many `came`, the `lowest` loss."""
    linear = where(table, architecture="linear")
    means = {
        f"crossover_{str(name).lower()}": float(np.exp(np.log(crossovers(own)["crossover"]).mean()))
        for name, own in linear.groupby("optimiser")
    }
    came, lowest = int(table["reached"].sum()), float(table["loss"].min())
    return means | {"runs": len(table), "came": came, "lowest": lowest}


def unfinished(swept: pd.DataFrame) -> dict[str, int]:
    """How many networks are `linear` and `others`, and which did not come to the loss (`lost`)."""
    linear, lost = swept["architecture"] == "linear", ~swept["reached"]
    parts = {"linear": linear, "linear_lost": linear & lost}
    parts |= {"others": ~linear, "others_lost": ~linear & lost}
    return {name: int(rows.sum()) for name, rows in parts.items()}
