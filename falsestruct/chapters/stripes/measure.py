"""The stripes experiment (arXiv:1906.01478) in three ways: as released, as described, swept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct import success
from falsestruct.instability import attacks
from falsestruct.learning import training
from falsestruct.learning.ensembles import Ensemble, Seeds, train
from falsestruct.learning.networks import ARCHITECTURES, LINEAR, PAPER, Architecture, by_name
from falsestruct.learning.training import Schedule, Set
from falsestruct.problems.stripes import BANDS, Colours, Stripes
from falsestruct.sweep.grid import sweep

COLOURINGS: tuple[Colours, Colours] = ("true", "swapped")
STEPS = 10  # 10 epochs of one batch, as released
TARGET = 1e-3  # training loss at which a network of the sweep is done
MOST_STEPS = 2_000
TEST_SEED = 10_000
LARGEST = 0.5  # constant images are tried up to this size; the contrast of a stripe is 1
BLOCK = 10  # seeds that train together: a point of a sweep
VARIANTS = ("A", "B")  # as released, as described
VARIANT_COLUMNS = ["variant", "seed", "loss", "colour", "low", "high", "colours", "accuracy"]


def examples(stripes: Stripes, a: float) -> pd.DataFrame:
    """Pixels of one image of each kind: panel, row, column, value."""
    kinds = {
        "horizontal": (True, -a),
        "vertical, as described": (False, a),
        "“vertical”, as released": (True, a),
        "horizontal, swapped": (True, a),
        "vertical, swapped": (False, -a),
    }
    images = in_the_middle(stripes, *zip(*kinds.values(), strict=True))
    return pd.concat(
        [pixels(image).assign(panel=name) for name, image in zip(kinds, images, strict=True)],
        ignore_index=True,
    )


def in_the_middle(stripes: Stripes, horizontal: Sequence[bool], offsets: Sequence[float]) -> Tensor:
    """Images with a stripe in the middle."""
    middle = torch.full((len(offsets),), stripes.positions // 2)
    return stripes.images(torch.tensor(horizontal), middle, torch.tensor(offsets))


def pixels(image: Tensor) -> pd.DataFrame:
    """A row a pixel: row, column, value."""
    values = image.double().numpy()
    row, column = np.indices(values.shape)
    return pd.DataFrame({"row": row.ravel(), "column": column.ravel(), "value": values.ravel()})


def glance(stripes: Stripes, a: float, *, seeds: int) -> pd.DataFrame:
    """The false structure at one look: what MLPs are trained on, and one image of the conflict set.

    Columns: panel, row, column, value; and, for each panel, what direction, brightness and the
    networks say ("horizontal" or "vertical"), and share, of the networks that say so.
    """
    network = by_name("MLP")
    schedule = Schedule(MOST_STEPS, target=TARGET, learning_rate=network.learning_rate)
    asked = train(network, stripes.described(a), range(seeds), schedule)
    x = in_the_middle(stripes, [True, False, True], [-a, a, a])
    heard = asked.labels(x).double().mean(0)  # share of the networks that say horizontal
    words = {
        name: [("vertical", "horizontal")[int(label)] for label in labels]
        for name, labels in (
            ("direction", stripes.orientation(x)),
            ("brightness", stripes.colour(x)),
            ("networks", heard > 0.5),
        )
    }
    tables = []
    for i, panel in enumerate(("training picture 1", "training picture 2", "new picture")):
        said = {name: labels[i] for name, labels in words.items()}
        share = max(heard[i].item(), 1 - heard[i].item())
        tables.append(pixels(x[i]).assign(panel=panel, share=share, **said))
    return pd.concat(tables, ignore_index=True)


def vertical_images(x: Tensor, y: Tensor) -> int:
    """How many of the images labelled vertical (0) show a stripe whose columns differ."""
    varies = x[y == 0].std(dim=2).amax(1) > 1e-9  # within a row, from column to column
    return int(varies.sum())


def captures(stripes: Stripes, asked: Ensemble, a: float) -> Tensor:
    """Share of the conflict set at offset a on which each member reads colour: (members,)."""
    x, _ = stripes.conflict_set(a)
    return success.capture(asked.labels(x), stripes.colour, stripes.orientation, x)


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


def precision_gap(stripes: Stripes, outcome: pd.DataFrame, a: float, *, seeds: int) -> float:
    """Largest difference in final loss when the first seeds train in float64 instead."""
    gaps = []
    for variant, own in outcome[outcome["seed"] < seeds].groupby("variant"):
        data, numbers = _variant(stripes, str(variant), a), own["seed"].tolist()
        exact = training.train(PAPER, data, numbers, Schedule(STEPS), dtype=torch.float64)
        gaps.append((exact.loss - torch.tensor(own["loss"].to_numpy())).abs().max().item())
    return max(gaps)


def band_table(stripes: Stripes, asked: Ensemble, *, images: int) -> pd.DataFrame:
    """Accuracy in the paper's bands of a, and without offset: seed, low, high, colours, accuracy.

    Every network sees the same `images` random images a band and colouring.
    """
    tables = []
    for index, (low, high) in enumerate(((0.0, 0.0), *BANDS)):
        for colours in COLOURINGS:
            generator = torch.Generator().manual_seed(TEST_SEED + index)
            x, y = stripes.test(images, (low, high), colours, generator)
            share = success.accuracy(asked.labels(x), y).tolist()
            seen = {"low": low, "high": high, "colours": colours, "accuracy": share}
            tables.append(pd.DataFrame({"seed": asked.seeds} | seen))
    return pd.concat(tables, ignore_index=True)


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
        options: Of `crossing_point`: `independent`, `factor`.
    """
    grid = [
        {"shape": asdict(stripes), "architecture": architecture.name, "a": a, "seeds": block}
        | {"attacked": a in attacked, **options}
        for architecture in architectures
        for a in offsets
        for block in _blocks(seeds.of(architecture))
    ]
    return sweep(crossing_point, grid).drop(columns=["attacked", *options])


def crossing_point(
    *,
    shape: dict[str, int],
    architecture: str,
    a: float,
    seeds: list[int],
    attacked: bool = False,
    independent: bool = False,
    factor: float = 1.0,
) -> pd.DataFrame:
    """One point of `crossing`: some seeds of one architecture at one offset.

    Columns: architecture, a, those of `Ensemble.table`, accuracy (true colours), colour (share of
    the conflict set read by colour).

    Args:
        independent: The control: offsets drawn independently of the label.
        factor: Multiplies the learning rate.
    """
    stripes, network = Stripes(**shape), by_name(architecture)
    data: Set | list[Set] = stripes.described(a)
    if independent:
        data = [stripes.independent(a, torch.Generator().manual_seed(seed)) for seed in seeds]
    schedule = Schedule(MOST_STEPS, target=TARGET, learning_rate=factor * network.learning_rate)
    asked = train(network, data, seeds, schedule)
    x, y = stripes.described(a)
    table = asked.table(
        architecture=network.name, a=a, accuracy=success.accuracy(asked.labels(x), y),
        colour=captures(stripes, asked, a),
    )  # fmt: skip
    return table.join(withstood(stripes, asked, a)) if attacked else table


def _blocks(seeds: int) -> list[list[int]]:
    """The seeds 0 … seeds − 1 in the parts that train together."""
    return [list(range(i, min(i + BLOCK, seeds))) for i in range(0, seeds, BLOCK)]


def crossovers(table: pd.DataFrame) -> pd.DataFrame:
    """The offset at which each seed changes over to colour: architecture, seed, crossover."""
    rows = []
    for key, part in table.groupby(["architecture", "seed"], sort=False):
        points = part.sort_values("a")
        a, colour = (torch.tensor(points[name].to_numpy()) for name in ("a", "colour"))
        rows.append((*key, success.crossover(a, colour)))
    return pd.DataFrame(rows, columns=["architecture", "seed", "crossover"])


def faster(stripes: Stripes, offsets: Sequence[float], *, seeds: Seeds) -> pd.DataFrame:
    """`crossovers` of linear networks that are trained with three times their learning rate."""
    return crossovers(crossing(stripes, offsets, seeds=seeds, architectures=[LINEAR], factor=3.0))


def withstood(stripes: Stripes, asked: Ensemble, a: float, *, draws: int = 5) -> pd.DataFrame:
    """Constant against random images on the training images: one row a member.

    `size`: mean over images of the smallest constant image, against the label's colour, that flips
    the label; 0.5 where none up to that does. `constant`: the same in units of a. `at_2a`: share
    of images flipped by the constant image of size 2a, which swaps the colours. `at_0.2`: the same
    for size 0.2, whatever a is. `random`: share flipped by random images whose ℓ2 norm is that of
    the image's own smallest constant, `draws` of them an image.
    """
    x, y = stripes.described(a)
    towards = torch.where(y > 0, 1.0, -1.0).double()[:, None, None]
    generator = torch.Generator().manual_seed(TEST_SEED)
    units = [attacks.random_directions(x, stripes.size, generator) for _ in range(draws)]
    rows = []
    for member in range(len(asked)):
        one = asked.select([member]).labels
        size = attacks.smallest_step(one, x, towards, largest=LARGEST)
        norm = size.clamp(max=LARGEST)
        random = [attacks.flipped(one, x, norm[:, None, None] * unit) for unit in units]
        rows.append(
            {
                "size": norm.mean().item(),
                "constant": (norm.mean() / a).item(),
                "random": torch.cat(random).double().mean().item(),
                "at_2a": attacks.flipped(one, x, 2 * a * towards).double().mean().item(),
                "at_0.2": attacks.flipped(one, x, 0.2 * towards).double().mean().item(),
            }
        )
    return pd.DataFrame(rows)
