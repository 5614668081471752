"""The claims of chapter 03. The sets of images are all there are; networks were sampled."""

from __future__ import annotations

from functools import partial

import pandas as pd

from falsestruct import evidence
from falsestruct.chapters.stripes.measure import vertical_images
from falsestruct.evidence import Claims, Found, extreme, mean, ratio, share, where
from falsestruct.instability.stripes import radius_errors
from falsestruct.names import slug
from falsestruct.problems.stripes import BANDS, Stripes
from falsestruct.statistics import exact, prediction

READS = 0.75  # share of the images from which on a network reads them by colour


def radius_claims(stripes: Stripes, *offsets: float) -> Claims:
    """The two rules' radii, by linear programming."""
    orientation, colour = radius_errors(stripes, offsets)
    return {"stripes-orientation-radius": (exact(round(orientation, 9)), exact(colour))}


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
    a, b = (share(where(reads, variant=name)["share"] >= READS) for name in "AB")
    return {"stripes-b-reads-colour": (b, a)}


def crossover_claims(crossed: pd.DataFrame, control: pd.DataFrame) -> Claims:
    """Where each architecture changes over to colour, from `measure.crossovers`.

    Args:
        control: Networks trained with offsets that are independent of the label.
    """
    return {
        slug("stripes-crossover", name): (
            ratio(own["crossover"]), share(where(control, architecture=name)["colour"] > 0.5)
        )
        for name, own in crossed.groupby("architecture", sort=False)
    }  # fmt: skip


def capture_claims(strong: pd.DataFrame, control: pd.DataFrame) -> Claims:
    """Whether all architectures read colour at a strong offset, and none without a structure."""
    least, most = (
        [share(own["colour"] >= READS) for _, own in table.groupby("architecture")]
        for table in (strong, control)
    )
    return {"stripes-false-wins": (extreme(least, min), extreme(most, max))}


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
