"""The stripes experiment (arXiv:1906.01478) in three ways: as released, as described, swept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd
import torch
from scipy.optimize import linprog
from scipy.sparse import csr_matrix
from torch import Tensor

from falsestruct import instability, statistics, success, training
from falsestruct.networks import ARCHITECTURES, PAPER, Architecture
from falsestruct.problems.stripes import BANDS, Colours, Stripes
from falsestruct.training import Trained

COLOURINGS: tuple[Colours, Colours] = ("true", "swapped")
STEPS = 10  # 10 epochs of one batch, as released
TARGET = 1e-3  # training loss at which a network of the sweep is done
MOST_STEPS = 2_000
TEST_SEED = 10_000
LARGEST = 0.5  # constant images are tried up to this size; the contrast of a stripe is 1

VARIANTS = {"A": "as released", "B": "as described"}


def examples(stripes: Stripes, a: float) -> pd.DataFrame:
    """Pixels of one image of each kind: panel, row, column, value."""
    middle = torch.tensor([stripes.positions // 2])
    kinds = {
        "horizontal": (True, -a),
        "vertical, as described": (False, a),
        "“vertical”, as released": (True, a),
        "horizontal, swapped": (True, a),
        "vertical, swapped": (False, -a),
    }
    tables = []
    for panel, (horizontal, offset) in kinds.items():
        image = stripes.images(torch.tensor([horizontal]), middle, torch.tensor([offset]))[0]
        cells = [
            {"panel": panel, "row": i, "column": j, "value": image[i, j].item()}
            for i in range(stripes.size)
            for j in range(stripes.size)
        ]
        tables.append(pd.DataFrame(cells))
    return pd.concat(tables, ignore_index=True)


def vertical_images(x: Tensor, y: Tensor) -> int:
    """How many of the images labelled vertical (0) show a stripe whose columns differ."""
    varies = x[y == 0].std(dim=2).amax(1) > 1e-9  # within a row, from column to column
    return int(varies.sum())


def train_variants(
    stripes: Stripes, *, a: float, seeds: int, dtype: torch.dtype = torch.float32
) -> dict[str, Trained]:
    """The paper's network on both training sets at the paper's settings, ten steps.

    The paper trains in float64. On a processor that is six times slower; `precision_gap` says what
    float32 changes.
    """
    sets = {"A": stripes.released(a), "B": stripes.described(a)}
    return {
        variant: training.train(PAPER, [data] * seeds, range(seeds), steps=STEPS, dtype=dtype)
        for variant, data in sets.items()
    }


def precision_gap(stripes: Stripes, trained: dict[str, Trained], a: float, *, seeds: int) -> float:
    """Largest difference in final loss when the first seeds train in float64 instead."""
    exact = train_variants(stripes, a=a, seeds=seeds, dtype=torch.float64)
    gaps = [(exact[name].loss - trained[name].loss[:seeds]).abs().max() for name in exact]
    return max(gap.item() for gap in gaps)


def predict(trained: Trained) -> instability.Predict:
    """The networks as a map from images (samples, 32, 32) to labels (members, samples)."""
    return lambda x: success.labels(training.outputs(trained, x))


def captures(stripes: Stripes, trained: Trained, a: float) -> Tensor:
    """Share of the conflict set at offset a on which each member reads colour: (members,)."""
    x, _ = stripes.conflict_set(a)
    return success.capture(predict(trained)(x), stripes.colour, stripes.orientation, x)


def variant_table(stripes: Stripes, trained: dict[str, Trained], a: float) -> pd.DataFrame:
    """One row a variant and seed: variant, seed, loss, colour (share of the conflict set)."""
    tables = []
    for variant, networks in trained.items():
        columns = {
            "variant": variant,
            "seed": range(len(networks)),
            "loss": networks.loss.tolist(),
            "colour": captures(stripes, networks, a).tolist(),
        }
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def band_table(stripes: Stripes, trained: dict[str, Trained], *, images: int) -> pd.DataFrame:
    """Accuracy in the paper's bands of a, and without offset: variant, seed, band, colours.

    Every network sees the same `images` random images a band and colouring.
    """
    rows = []
    for index, band in enumerate(((0.0, 0.0), *BANDS)):
        for colours in COLOURINGS:
            generator = torch.Generator().manual_seed(TEST_SEED + index)
            x, y = stripes.test(images, band, colours, generator)
            for variant, networks in trained.items():
                share = success.accuracy(predict(networks)(x), y)
                rows += [
                    {"variant": variant, "seed": seed, "low": band[0], "high": band[1]}
                    | {"colours": colours, "accuracy": value}
                    for seed, value in enumerate(share.tolist())
                ]
    return pd.DataFrame(rows)


def band_captures(bands: pd.DataFrame, band: tuple[float, float]) -> dict[str, pd.Series[float]]:
    """Share of the swapped images in a band that each network reads by colour, by variant."""
    rows = bands[(bands["low"] == band[0]) & (bands["high"] == band[1])]
    swapped = rows[rows["colours"] == "swapped"]
    return {str(name): 1 - part["accuracy"] for name, part in swapped.groupby("variant")}


@dataclass(frozen=True)
class Sweep:
    """Networks trained at many offsets.

    Attributes:
        table: One row a network: architecture, a, seed, loss, steps, reached, accuracy (true
            colours) and colour (share of the conflict set read by colour).
        trained: The networks, by architecture name, in the table's order.
    """

    table: pd.DataFrame
    trained: dict[str, Trained]

    def at(self, architecture: str, a: float) -> Trained:
        """The networks of one architecture trained at the offset a."""
        own = self.table[self.table["architecture"] == architecture].reset_index(drop=True)
        return training.select(self.trained[architecture], own.index[own["a"] == a].tolist())


def sweep(
    stripes: Stripes,
    offsets: Sequence[float],
    *,
    seeds: int,
    architectures: Sequence[Architecture] = ARCHITECTURES,
    independent: bool = False,
) -> Sweep:
    """Train every architecture at every offset to a loss of 1e-3.

    Args:
        independent: The control: offsets drawn independently of the label.
    """
    tables, networks = [], {}
    pairs = [(a, seed) for a in offsets for seed in range(seeds)]
    for architecture in architectures:
        sets = [_training_set(stripes, a, seed, independent) for a, seed in pairs]
        order = [seed for _, seed in pairs]
        trained = training.train(architecture, sets, order, steps=MOST_STEPS, target=TARGET)
        networks[architecture.name] = trained
        tables.append(_sweep_table(stripes, architecture, pairs, trained))
    return Sweep(pd.concat(tables, ignore_index=True), networks)


def _training_set(
    stripes: Stripes, a: float, seed: int, independent: bool
) -> tuple[Tensor, Tensor]:
    if independent:
        return stripes.independent(a, torch.Generator().manual_seed(seed))
    return stripes.described(a)


def _sweep_table(
    stripes: Stripes,
    architecture: Architecture,
    pairs: Sequence[tuple[float, int]],
    trained: Trained,
) -> pd.DataFrame:
    rows = []
    for member, (a, seed) in enumerate(pairs):
        one = training.select(trained, [member])
        x, y = stripes.described(a)
        rows.append(
            {
                "architecture": architecture.name,
                "a": a,
                "seed": seed,
                "loss": trained.loss[member].item(),
                "steps": int(trained.steps[member]),
                "reached": bool(trained.reached[member]),
                "accuracy": success.accuracy(predict(one)(x), y).item(),
                "colour": captures(stripes, one, a).item(),
            }
        )
    return pd.DataFrame(rows)


def faster(architecture: Architecture, factor: float) -> Architecture:
    """The same architecture, trained with a multiple of its learning rate."""
    return replace(architecture, learning_rate=factor * architecture.learning_rate)


def crossovers(table: pd.DataFrame) -> pd.DataFrame:
    """The offset at which each seed changes over to colour: architecture, seed, crossover."""
    rows = []
    for (name, seed), part in table.groupby(["architecture", "seed"], sort=False):
        points = part.sort_values("a")
        value = success.crossover(
            torch.tensor(points["a"].to_numpy()), torch.tensor(points["colour"].to_numpy())
        )
        rows.append({"architecture": name, "seed": seed, "crossover": value})
    return pd.DataFrame(rows)


def attacks(stripes: Stripes, trained: Trained, a: float, *, draws: int, seed: int) -> pd.DataFrame:
    """Constant against random images on the training images: one row a member.

    `size`: mean over images of the smallest constant image, against the label's colour, that flips
    the label; 0.5 where none up to that does. `constant`: the same in units of a. `at_2a`: share
    of images flipped by the constant image of size 2a, which swaps the colours. `at_0.2`: the same
    for size 0.2, whatever a is. `random`: share flipped by random images whose ℓ2 norm is that of
    the image's own smallest constant.
    """
    x, y = stripes.described(a)
    towards = torch.where(y > 0, 1.0, -1.0).double()[:, None, None]
    generator = torch.Generator().manual_seed(seed)
    units = [instability.random_directions(x, stripes.size, generator) for _ in range(draws)]
    rows = []
    for member in range(len(trained)):
        one = predict(training.select(trained, [member]))
        size = instability.smallest_step(one, x, towards, largest=LARGEST)
        norm = size.clamp(max=LARGEST)
        random = [instability.flipped(one, x, norm[:, None, None] * unit) for unit in units]
        rows.append(
            {
                "architecture": trained.architecture.name,
                "a": a,
                "seed": member,
                "size": norm.mean().item(),
                "constant": (norm.mean() / a).item(),
                "random": torch.cat(random).double().mean().item(),
                "at_2a": instability.flipped(one, x, 2 * a * towards).double().mean().item(),
                "at_0.2": instability.flipped(one, x, 0.2 * towards).double().mean().item(),
            }
        )
    return pd.DataFrame(rows)


def attack_table(
    stripes: Stripes, swept: Sweep, offsets: Sequence[float], *, draws: int = 5
) -> pd.DataFrame:
    """`attacks` for every architecture at these offsets."""
    return pd.concat(
        [
            attacks(stripes, swept.at(name, a), a, draws=draws, seed=TEST_SEED)
            for a in offsets
            for name in swept.trained
        ],
        ignore_index=True,
    )


def orientation_radius(stripes: Stripes, position: int, a: float) -> float:
    """Smallest ℓ∞ perturbation that makes the orientation rule miss a horizontal stripe, by HiGHS.

    Linear program over the perturbation η and its size ε: |η_i| ≤ ε, and every row band's mean is
    at most that of one column band. Which one does not matter: row bands don't see the order of
    the columns.
    """
    n, w = stripes.size, stripes.width
    image = stripes.images(torch.tensor([True]), torch.tensor([position]), torch.tensor([-a]))[0]
    column = torch.zeros(n, n, dtype=torch.float64)
    column[:, :w] = 1 / (n * w)
    rows, limits = [], []
    for first in range(stripes.positions):
        band = torch.zeros_like(column)
        band[first : first + w] = 1 / (n * w)
        rows.append(torch.cat(((band - column).flatten(), torch.zeros(1).double())))
        limits.append(((column - band) * image).sum().item())
    identity = torch.eye(n * n, dtype=torch.float64)
    bound = torch.full((n * n, 1), -1.0, dtype=torch.float64)
    sizes = torch.cat((torch.cat((identity, bound), 1), torch.cat((-identity, bound), 1)))
    matrix = csr_matrix(torch.cat((torch.stack(rows), sizes)).numpy())
    cost = torch.zeros(n * n + 1).double()
    cost[-1] = 1
    limits += [0.0] * (2 * n * n)
    found = linprog(cost.numpy(), A_ub=matrix, b_ub=limits, bounds=(None, None), method="highs")
    if found.status != 0:
        raise ArithmeticError(f"HiGHS ended with status {found.status}: {found.message}")
    return float(found.fun)


def crossover_summary(table: pd.DataFrame, crossed: pd.DataFrame) -> pd.DataFrame:
    """What `plots.stripe_crossover` draws: mean shares and crossovers with 95 % intervals."""
    rows = []
    for (name, a), part in table.groupby(["architecture", "a"], sort=False):
        share = statistics.mean(part["colour"].to_numpy())
        own = crossed[crossed["architecture"] == name]["crossover"]
        cross = statistics.geometric_mean(own.to_numpy())
        rows.append(
            {"architecture": name, "a": a}
            | {"share": share.value, "low": share.low, "high": share.high}
            | {"crossover": cross.value, "crossover_low": cross.low, "crossover_high": cross.high}
        )
    return pd.DataFrame(rows)


def radius_errors(stripes: Stripes, offsets: Sequence[float]) -> tuple[float, float]:
    """Largest distance of the two rules' ℓ∞ radii from 1/2 over all horizontal stripes.

    The orientation rule's radius comes from `orientation_radius`, the colour rule's in closed form.
    """
    orientation, colour = [], []
    for a in offsets:
        x, _ = stripes.described(a)
        assert stripes.colour.radius is not None
        colour.append((stripes.colour.radius(x) - 0.5).abs().max().item())
        orientation += [
            abs(orientation_radius(stripes, position, a) - 0.5)
            for position in range(stripes.positions)
        ]
    return max(orientation), max(colour)
