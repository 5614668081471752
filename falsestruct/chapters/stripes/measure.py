"""The stripes experiment (arXiv:1906.01478) in three ways: as released, as described, swept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd
import torch
from scipy.optimize import linprog
from scipy.sparse import csr_matrix
from torch import Tensor

from falsestruct import statistics, success
from falsestruct.instability import attacks
from falsestruct.learning import training
from falsestruct.learning.networks import ARCHITECTURES, LINEAR, PAPER, Architecture, by_name
from falsestruct.learning.training import Schedule, Set, Trained
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


def glance(stripes: Stripes, a: float, *, seeds: int) -> pd.DataFrame:
    """The false structure at one look: what MLPs are trained on, and one image of the conflict set.

    Columns: panel, row, column, value; and, for each panel, what direction, brightness and the
    networks say ("horizontal" or "vertical"), and share, of the networks that say so.
    """
    network = by_name("MLP")
    schedule = Schedule(MOST_STEPS, target=TARGET, learning_rate=network.learning_rate)
    trained = training.train(network, stripes.described(a), range(seeds), schedule)
    middle = torch.full((3,), stripes.positions // 2)
    x = stripes.images(torch.tensor([True, False, True]), middle, torch.tensor([-a, a, a]))
    heard = predict(trained)(x).double().mean(0)  # share of the networks that say horizontal
    panels = ("training picture 1", "training picture 2", "new picture")
    direction, brightness = (rule(x) for rule in (stripes.orientation, stripes.colour))
    says = [["vertical", "horizontal"][int(label)] for label in [*direction, *brightness]]
    tables = []
    for i, panel in enumerate(panels):
        row, column = torch.meshgrid(*[torch.arange(stripes.size)] * 2, indexing="ij")
        columns = {"row": row.flatten(), "column": column.flatten(), "value": x[i].flatten()}
        share = max(heard[i].item(), 1 - heard[i].item())
        words = {"direction": says[i], "brightness": says[3 + i], "share": share}
        network_says = "horizontal" if heard[i] > 0.5 else "vertical"
        own = pd.DataFrame({name: value.numpy() for name, value in columns.items()})
        tables.append(own.assign(panel=panel, **words, networks=network_says))
    return pd.concat(tables, ignore_index=True)


def vertical_images(x: Tensor, y: Tensor) -> int:
    """How many of the images labelled vertical (0) show a stripe whose columns differ."""
    varies = x[y == 0].std(dim=2).amax(1) > 1e-9  # within a row, from column to column
    return int(varies.sum())


def variant_networks(
    stripes: Stripes,
    variant: str,
    *,
    a: float,
    seeds: Sequence[int],
    dtype: torch.dtype = torch.float32,
) -> Trained:
    """The paper's network on one of the two training sets at the paper's settings, ten steps.

    The paper trains in float64. On a processor that is six times slower; `precision_gap` says what
    float32 changes.
    """
    data = {"A": stripes.released, "B": stripes.described}[variant](a)
    return training.train(PAPER, data, seeds, Schedule(STEPS), dtype=dtype)


def precision_gap(stripes: Stripes, outcome: pd.DataFrame, a: float, *, seeds: int) -> float:
    """Largest difference in final loss when the first seeds train in float64 instead."""
    gaps = []
    for variant, own in outcome[outcome["seed"] < seeds].groupby("variant"):
        exact = variant_networks(
            stripes, str(variant), a=a, seeds=own["seed"].tolist(), dtype=torch.float64
        )
        gaps.append((exact.loss - torch.tensor(own["loss"].to_numpy())).abs().max().item())
    return max(gaps)


def predict(trained: Trained) -> attacks.Predict:
    """The networks as a map from images (samples, 32, 32) to labels (members, samples)."""
    return lambda x: success.labels(training.outputs(trained, x))


def captures(stripes: Stripes, trained: Trained, a: float) -> Tensor:
    """Share of the conflict set at offset a on which each member reads colour: (members,)."""
    x, _ = stripes.conflict_set(a)
    return success.capture(predict(trained)(x), stripes.colour, stripes.orientation, x)


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
    """One point of `variants`: some seeds of one variant."""
    stripes = Stripes(**shape)
    trained = variant_networks(stripes, variant, a=a, seeds=seeds)
    columns = {"loss": trained.loss.tolist(), "colour": captures(stripes, trained, a).tolist()}
    own = pd.DataFrame({"variant": variant, "seed": seeds} | columns)
    return own.merge(band_table(stripes, trained, images=images), on="seed")


def band_table(stripes: Stripes, trained: Trained, *, images: int) -> pd.DataFrame:
    """Accuracy in the paper's bands of a, and without offset: seed, low, high, colours, accuracy.

    Every network sees the same `images` random images a band and colouring.
    """
    tables = []
    for index, (low, high) in enumerate(((0.0, 0.0), *BANDS)):
        for colours in COLOURINGS:
            generator = torch.Generator().manual_seed(TEST_SEED + index)
            x, y = stripes.test(images, (low, high), colours, generator)
            share = success.accuracy(predict(trained)(x), y).tolist()
            seen = {"low": low, "high": high, "colours": colours, "accuracy": share}
            tables.append(pd.DataFrame({"seed": trained.seeds} | seen))
    return pd.concat(tables, ignore_index=True)


def network_table(table: pd.DataFrame) -> pd.DataFrame:
    """One row a network of `variants`: variant, seed, loss, colour."""
    columns = ["variant", "seed", "loss", "colour"]
    return table[columns].drop_duplicates(ignore_index=True)


def band_captures(bands: pd.DataFrame, band: tuple[float, float]) -> dict[str, pd.Series[float]]:
    """Share of the swapped images in a band that each network reads by colour, by variant."""
    rows = bands[(bands["low"] == band[0]) & (bands["high"] == band[1])]
    swapped = rows[rows["colours"] == "swapped"]
    return {str(name): 1 - part["accuracy"] for name, part in swapped.groupby("variant")}


def crossing(
    stripes: Stripes,
    offsets: Sequence[float],
    *,
    seeds: int,
    slow_seeds: int | None = None,
    architectures: Sequence[Architecture] = ARCHITECTURES,
    attacked: Sequence[float] = (),
    **options: float,
) -> pd.DataFrame:
    """Train every architecture at every offset to a loss of 1e-3: one row a network.

    Columns: architecture, a, seed, loss, steps, reached, accuracy (true colours), colour (share of
    the conflict set read by colour), and those of `withstood` at the offsets in `attacked`.

    Args:
        slow_seeds: Of architectures that are more than layers of dense units; None: as many.
        options: Of `crossing_point`: `independent`, `factor`.
    """
    grid = [
        {"shape": asdict(stripes), "architecture": architecture.name, "a": a, "seeds": block}
        | {"attacked": a in attacked, **options}
        for architecture in architectures
        for a in offsets
        for block in _blocks(
            seeds if slow_seeds is None or architecture.engine == "dense" else slow_seeds
        )
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

    Args:
        independent: The control: offsets drawn independently of the label.
        factor: Multiplies the learning rate.
    """
    stripes, network = Stripes(**shape), by_name(architecture)
    data: Set | list[Set] = stripes.described(a)
    if independent:
        data = [stripes.independent(a, torch.Generator().manual_seed(seed)) for seed in seeds]
    schedule = Schedule(MOST_STEPS, target=TARGET, learning_rate=factor * network.learning_rate)
    trained = training.train(network, data, seeds, schedule)
    x, y = stripes.described(a)
    columns = {
        "architecture": network.name,
        "a": a,
        "seed": seeds,
        "loss": trained.loss.tolist(),
        "steps": trained.steps.tolist(),
        "reached": trained.reached.tolist(),
        "accuracy": success.accuracy(predict(trained)(x), y).tolist(),
        "colour": captures(stripes, trained, a).tolist(),
    }
    table = pd.DataFrame(columns)
    return table.join(withstood(stripes, trained, a)) if attacked else table


def _blocks(seeds: int) -> list[list[int]]:
    """The seeds 0 … seeds − 1 in the parts that train together."""
    return [list(range(i, min(i + BLOCK, seeds))) for i in range(0, seeds, BLOCK)]


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


def colour_shares(table: pd.DataFrame) -> list[statistics.Estimate]:
    """For each architecture, the share of networks that read three quarters or more by colour."""
    parts = table.groupby("architecture")
    return [statistics.proportion((own["colour"] >= 0.75).to_numpy()) for _, own in parts]


def faster(stripes: Stripes, offsets: Sequence[float], *, seeds: int) -> pd.Series:
    """Crossovers of linear networks that are trained with three times their learning rate."""
    table = crossing(stripes, offsets, seeds=seeds, architectures=[LINEAR], factor=3.0)
    return crossovers(table)["crossover"]


def withstood(stripes: Stripes, trained: Trained, a: float, *, draws: int = 5) -> pd.DataFrame:
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
    for member in range(len(trained)):
        one = predict(training.select(trained, [member]))
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
