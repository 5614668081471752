"""How stable the two rules of the stripes are, recomputed, and what networks make of other images.

The propositions on radii are in chapter 03.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from scipy.optimize import linprog, nnls
from scipy.sparse import csr_matrix
from torch import Tensor

from falsestruct import success
from falsestruct.instability.attacks import Predict, random_directions
from falsestruct.learning.ensembles import Ensemble
from falsestruct.problems.stripe_pictures import every_second
from falsestruct.problems.stripes import BANDS, Colours, Stripes

LARGEST = 0.5  # constant images are tried up to this size; the contrast of a stripe is 1
GRID, HALVINGS = 20, 5  # sizes that are tried, and how often the step between two is halved
TEST_SEED = 10_000  # of random images
COLOURINGS: tuple[Colours, Colours] = ("true", "swapped")
WIDTHS = (2, 4)  # of stripes that no training set shows


def _bands(stripes: Stripes, position: int, a: float) -> tuple[Tensor, Tensor]:
    """By how much each row band's mean exceeds the first column band's, and what makes it so.

    Of a horizontal stripe. Any column band will do: row bands don't see the order of the columns.

    Returns:
        (bands, n, n), what is multiplied with an image and summed, and (bands,), of this image.
    """
    n, w = stripes.size, stripes.width
    image = stripes.images(torch.tensor([True]), torch.tensor([position]), torch.tensor([-a]))[0]
    functionals = torch.zeros(stripes.positions, n, n, dtype=torch.float64)
    for first in range(stripes.positions):
        functionals[first, first : first + w] = 1 / (n * w)
    functionals[:, :, :w] -= 1 / (n * w)
    return functionals, (functionals * image).sum((1, 2))


def orientation_radius(stripes: Stripes, position: int, a: float) -> float:
    """Smallest ℓ∞ perturbation that makes the orientation rule miss a horizontal stripe, by HiGHS.

    Linear program over the perturbation η and its size ε: |η_i| ≤ ε, and no row band's mean exceeds
    that of one column band.
    """
    functionals, excess = _bands(stripes, position, a)
    pixels = stripes.size**2
    identity = torch.eye(pixels, dtype=torch.float64)
    bound = torch.full((pixels, 1), -1.0, dtype=torch.float64)
    sizes = torch.cat((torch.cat((identity, bound), 1), torch.cat((-identity, bound), 1)))
    rows = torch.cat((functionals.flatten(1), torch.zeros(len(excess), 1).double()), 1)
    matrix = csr_matrix(torch.cat((rows, sizes)).numpy())
    limits = [*(-excess).tolist(), *[0.0] * (2 * pixels)]
    cost = np.append(np.zeros(pixels), 1.0)
    found = linprog(cost, A_ub=matrix, b_ub=limits, bounds=(None, None), method="highs")
    if found.status != 0:
        raise ArithmeticError(f"HiGHS ended with status {found.status}: {found.message}")
    return float(found.fun)


def euclidean_radius(stripes: Stripes, position: int, a: float) -> float:
    """The same in the Euclidean norm: the smallest η with ⟨u_p, x + η⟩ ≤ 0 for all row bands p.

    A least-distance problem, solved by non-negative least squares (Lawson and Hanson, 1974,
    chapter 23).
    """
    functionals, excess = _bands(stripes, position, a)
    rows = np.vstack((-functionals.flatten(1).numpy().T, excess.numpy()))
    goal = np.append(np.zeros(len(rows) - 1), 1.0)
    residual = rows @ nnls(rows, goal)[0] - goal
    return float(np.linalg.norm(residual[:-1] / residual[-1]))


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


def euclidean_errors(stripes: Stripes, offsets: Sequence[float]) -> tuple[float, float]:
    """Largest relative distance of the two rules' ℓ2 radii from √(w(n − w)/2).

    The colour rule's radius is na, in closed form.
    """
    n, w = stripes.size, stripes.width
    said = math.sqrt(w * (n - w) / 2)
    orientation = [
        abs(euclidean_radius(stripes, position, a) / said - 1)
        for a in offsets
        for position in range(stripes.positions)
    ]
    return max(orientation), max(abs(n * a / said - 1) for a in offsets)


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
    units = [random_directions(x, stripes.size, generator) for _ in range(draws)]
    rows = []
    for member in range(len(asked)):
        one = asked.select([member]).labels
        before = one(x)
        size = smallest_constant(one, x, towards, before[0])
        norm = size.clamp(max=LARGEST)
        random = [one(x + norm[:, None, None] * unit) != before for unit in units]
        rows.append(
            {
                "size": norm.mean().item(),
                "constant": (norm.mean() / a).item(),
                "random": torch.cat(random).double().mean().item(),
                "at_2a": (one(x + 2 * a * towards) != before).double().mean().item(),
                "at_0.2": (one(x + 0.2 * towards) != before).double().mean().item(),
            }
        )
    return pd.DataFrame(rows)


def smallest_constant(predict: Predict, x: Tensor, towards: Tensor, before: Tensor) -> Tensor:
    """`attacks.smallest_step` up to `LARGEST`, without asking again about images that flipped.

    Args:
        predict: One network: inputs (samples, ...) to labels (1, samples).
        before: Its labels of x (samples,).

    Returns:
        (samples,), float64; infinite where no constant image of the grid flips the label.
    """
    step = LARGEST / GRID
    found = torch.full(before.shape, torch.inf, dtype=torch.float64)

    def flips(t: Tensor, rows: Tensor) -> Tensor:
        return predict(x[rows] + t[:, None, None] * towards[rows])[0] != before[rows]

    for i in range(1, GRID + 1):
        left = found.isinf().nonzero().flatten()
        if not len(left):
            break
        t = torch.full_like(left, i * step, dtype=torch.float64)
        found[left] = torch.where(flips(t, left), t, torch.inf)
    done = found.isfinite().nonzero().flatten()
    low, high = found[done] - step, found[done]
    for _ in range(HALVINGS if len(done) else 0):
        middle = (low + high) / 2
        past = flips(middle, done)
        low, high = torch.where(past, low, middle), torch.where(past, middle, high)
    found[done] = high
    return found


def known_and_unseen(stripes: Stripes, asked: Ensemble, a: float) -> pd.DataFrame:
    """How networks trained on every second position read stripes in swapped colours: a row each.

    Shares that are read by orientation: `known` of those at the positions of training, `positions`
    of those between, `widths` of those of another width at all positions, the one of `WIDTHS` where
    it is smallest.
    """
    swapped = stripes.conflict_set(a)
    others = [Stripes(stripes.size, width).conflict_set(a) for width in WIDTHS]
    sets = [every_second(swapped), every_second(swapped, 1), *others]
    known, between, *rest = (success.accuracy(asked.labels(x), y).numpy() for x, y in sets)
    return pd.DataFrame({"known": known, "positions": between, "widths": np.min(rest, axis=0)})


def captures(stripes: Stripes, asked: Ensemble, a: float) -> Tensor:
    """Share of the conflict set at offset a on which each member reads colour: (members,)."""
    x, _ = stripes.conflict_set(a)
    return success.capture(asked.labels(x), stripes.colour, stripes.orientation, x)


def band_table(stripes: Stripes, asked: Ensemble, *, images: int) -> pd.DataFrame:
    """Accuracy in the paper's bands of a, and without offset: seed, low, high, colours, accuracy.

    Every network sees the same `images` random images a band and colouring.
    """
    tables: list[pd.DataFrame] = []
    share: list[float] = []
    for index, (low, high) in enumerate(((0.0, 0.0), *BANDS)):
        for colours in COLOURINGS:
            if high > 0 or not tables:  # without offset the images are the same in all colours
                generator = torch.Generator().manual_seed(TEST_SEED + index)
                x, y = stripes.test(images, (low, high), colours, generator)
                share = success.accuracy(asked.labels(x), y).tolist()
            seen = {"low": low, "high": high, "colours": colours, "accuracy": share}
            tables.append(pd.DataFrame({"seed": asked.seeds} | seen))
    return pd.concat(tables, ignore_index=True)
