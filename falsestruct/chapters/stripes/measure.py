"""The stripes experiment (arXiv:1906.01478): as released, as described, swept, and beyond."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import torch

from falsestruct import success
from falsestruct.instability.stripes import band_table, captures, known_and_unseen, withstood
from falsestruct.learning.ensembles import Seeds, train
from falsestruct.learning.networks import ARCHITECTURES, MLP, PAPER, Architecture, by_name
from falsestruct.learning.training import Schedule, Set
from falsestruct.problems.stripe_pictures import answered, every_second, in_the_middle
from falsestruct.problems.stripes import Stripes
from falsestruct.sweep.grid import sweep

STEPS = 10  # 10 epochs of one batch, as released
TARGET = 1e-3  # training loss at which a network of the sweep is done
MOST_STEPS = 2_000
SWEPT = Schedule(MOST_STEPS, target=TARGET)
OPTIMISERS = ("Adam", "descent", "batches")
# Rates of gradient descent, with all images and with batches: tried with the seeds 1 and 2, the
# loss hardly ever rises. Adam's are those of the sweep.
DESCENT = {"linear": 1.0, "MLP": 0.5, "deep MLP": 0.25, "pooled CNN": 0.2, "paper's CNN": 0.05}
BATCH, BATCHES = 15, 4  # images in one, batches in a pass
MATCHED = 1e-2  # training loss at which optimisers are compared
PASSES = 12_000  # at most so many through the training set, with each
FIRST = 1_000  # seed of what was tried on smaller seeds
BLOCK = 10  # seeds that train together: a point of a sweep
VARIANTS = ("A", "B")  # as released, as described
VARIANT_COLUMNS = ["variant", "seed", "loss", "colour", "low", "high", "colours", "accuracy"]


def glance(stripes: Stripes, a: float, *, seeds: int) -> pd.DataFrame:
    """The false structure at one look: what MLPs are trained on, and one image of the conflict set.

    As `stripe_pictures.answered`, with what the networks say, and the share that says so.
    """
    asked = train(MLP, stripes.described(a), range(seeds), SWEPT)
    x = in_the_middle(stripes, [True, False, True], [-a, a, a])
    heard = asked.labels(x).double().mean(0)  # share of the networks that say horizontal
    names = ("training picture 1", "training picture 2", "new picture")
    return answered(stripes, dict(zip(names, x, strict=True)), heard)


def variants(stripes: Stripes, *, a: float, seeds: int, images: int) -> pd.DataFrame:
    """Both variants: a row a network, band and colouring.

    Columns: variant, seed, loss, colour (share of the conflict set at a), and those of
    `band_table`.
    """
    common = {"shape": asdict(stripes), "a": a, "images": images}
    grid = [
        common | {"variant": name, "seeds": block} for name in VARIANTS for block in _blocks(seeds)
    ]
    return sweep(variant_point, grid)[VARIANT_COLUMNS]


def variant_point(
    *, shape: dict[str, int], variant: str, a: float, seeds: list[int], images: int
) -> pd.DataFrame:
    """One point of `variants`: the paper's network, ten steps at the paper's settings.

    The paper trains in float64. On a processor that is six times slower; `precision_gap` says what
    float32 changes.
    """
    stripes = Stripes(**shape)
    asked = train(PAPER, _variant(stripes, variant, a), seeds, Schedule(STEPS))
    own = asked.table(variant=variant, colour=captures(stripes, asked, a))
    return own.merge(band_table(stripes, asked, images=images), on="seed")


def _variant(stripes: Stripes, variant: str, a: float) -> Set:
    return {"A": stripes.released, "B": stripes.described}[variant](a)


def network_table(table: pd.DataFrame) -> pd.DataFrame:
    """One row a network of `variants`: variant, seed, loss, colour."""
    columns = ["variant", "seed", "loss", "colour"]
    return table[columns].drop_duplicates(ignore_index=True)


def crossing(
    stripes: Stripes,
    offsets: Sequence[float],
    *,
    seeds: Seeds,
    architectures: Sequence[Architecture] = ARCHITECTURES,
    attacked: Sequence[float] = (),
    **options: float,
) -> pd.DataFrame:
    """Train every architecture at every offset to a loss of 1e-3: one row a network.

    Columns: those of `crossing_point`, and those of `withstood` at the offsets in `attacked`.

    Args:
        options: Of `crossing_point`: `independent`.
    """
    points = _grid(stripes, offsets, seeds, architectures)
    grid = [point | {"attacked": point["a"] in attacked, **options} for point in points]
    return sweep(crossing_point, grid).drop(columns=["attacked", *options])


def crossing_point(
    *,
    shape: dict[str, int],
    architecture: str,
    a: float,
    seeds: list[int],
    attacked: bool = False,
    independent: bool = False,
) -> pd.DataFrame:
    """One point of `crossing`: some seeds of one architecture at one offset.

    Columns: architecture, a, those of `Ensemble.table`, accuracy (true colours), colour (share of
    the conflict set read by colour).

    Args:
        independent: The control: offsets drawn independently of the label.
    """
    stripes, network = Stripes(**shape), by_name(architecture)
    data: Set | list[Set] = stripes.described(a)
    if independent:
        data = [stripes.independent(a, torch.Generator().manual_seed(seed)) for seed in seeds]
    asked = train(network, data, seeds, SWEPT)
    x, y = stripes.described(a)
    table = asked.table(
        architecture=network.name, a=a, accuracy=success.accuracy(asked.labels(x), y),
        colour=captures(stripes, asked, a),
    )  # fmt: skip
    return table.join(withstood(stripes, asked, a)) if attacked else table


def _grid(
    stripes: Stripes,
    offsets: Sequence[float],
    seeds: Seeds,
    architectures: Sequence[Architecture] = ARCHITECTURES,
    *,
    first: int = 0,
) -> list[dict[str, Any]]:
    """The points of a sweep: every architecture, every offset, its seeds in blocks."""
    return [
        {"shape": asdict(stripes), "architecture": network.name, "a": a, "seeds": block}
        for network in architectures
        for a in offsets
        for block in _blocks(seeds.of(network), first)
    ]


def _blocks(seeds: int, first: int = 0) -> list[list[int]]:
    """So many seeds from the first one on, in the parts that train together."""
    last = first + seeds
    return [list(range(i, min(i + BLOCK, last))) for i in range(first, last, BLOCK)]


def crossovers(table: pd.DataFrame) -> pd.DataFrame:
    """The offset at which each seed changes over to colour: architecture, seed, crossover.

    NaN where its share doesn't pass one half within the offsets.
    """
    rows = []
    for key, part in table.groupby(["architecture", "seed"], sort=False):
        points = part.sort_values("a")
        a, colour = (torch.tensor(points[name].to_numpy()) for name in ("a", "colour"))
        passes = colour[0] < success.SIDES <= colour.max()
        rows.append((*key, success.crossover(a, colour) if passes else np.nan))
    return pd.DataFrame(rows, columns=["architecture", "seed", "crossover"])


def optimisers(
    stripes: Stripes, offsets: Mapping[str, Sequence[float]], *, seeds: Seeds
) -> pd.DataFrame:
    """Every architecture with every optimiser to the same loss: columns of `optimiser_point`.

    Args:
        offsets: Of the linear network with "Adam", of it with "descent" and batches, of "others".
    """
    grid = [
        point | {"optimiser": name}
        for network in ARCHITECTURES
        for name in OPTIMISERS
        for point in _grid(
            stripes, offsets[_compared(network.name, name)], seeds, [network], first=FIRST
        )
    ]
    return sweep(optimiser_point, grid)


def _compared(architecture: str, optimiser: str) -> str:
    """Which offsets: the linear network changes over elsewhere with Adam than with the others."""
    if architecture != "linear":
        return "others"
    return "Adam" if optimiser == "Adam" else "descent"


def optimiser_point(
    *, shape: dict[str, int], architecture: str, optimiser: str, a: float, seeds: list[int]
) -> pd.DataFrame:
    """One point of `optimisers`: the whole set a step with Adam and descent, or batches.

    Columns: architecture, optimiser, a, those of `Ensemble.table`, colour.
    """
    stripes, network = Stripes(**shape), by_name(architecture)
    rate = DESCENT[architecture]
    schedule = {
        "Adam": Schedule(PASSES, target=MATCHED),
        "descent": Schedule(PASSES, None, MATCHED, rate, optimizer="sgd"),
        "batches": Schedule(BATCHES * PASSES, BATCH, MATCHED, rate, optimizer="sgd"),
    }[optimiser]
    asked = train(network, stripes.described(a), seeds, schedule)
    columns = {"architecture": architecture, "optimiser": optimiser, "a": a}
    return asked.table(**columns, colour=captures(stripes, asked, a))


def unseen(stripes: Stripes, offsets: Sequence[float], *, seeds: Seeds) -> pd.DataFrame:
    """Train on every second position, and ask about what training lacks: as `unseen_point`."""
    return sweep(unseen_point, _grid(stripes, offsets, seeds, first=FIRST))


def unseen_point(
    *, shape: dict[str, int], architecture: str, a: float, seeds: list[int]
) -> pd.DataFrame:
    """One point of `unseen`: architecture, a, `Ensemble.table`, and `known_and_unseen`."""
    stripes = Stripes(**shape)
    asked = train(by_name(architecture), every_second(stripes.described(a)), seeds, SWEPT)
    return asked.table(architecture=architecture, a=a).join(known_and_unseen(stripes, asked, a))
