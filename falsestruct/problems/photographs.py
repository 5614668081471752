"""Patches of three photographs, with nothing planted: brick, grass and gravel.

One photograph a material, 512 × 512 (`data/README.md`: sources, CC0). The left halves are for
training, the right halves are held out. Grey values run from −1, black, to 1, white. A pair is
named by its materials, "brick-grass"; label 1 is the first one.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

Set = tuple[Tensor, Tensor]
Statistic = Callable[[Tensor], Tensor]  # (…, rows, columns) → (…)

PAIRS = ("brick-grass", "brick-gravel", "grass-gravel")
BRICKS = PAIRS[:2]  # a threshold tells these apart
SIDE, PATCH, BLOCK = 512, 32, 64  # pixels a side: photograph, patch, block of four tiles
GREY = -0.075  # mean of the three left halves: where mean grey says nothing
GRAIN = 0.12  # deviation of the grain: six in a hundred of the way from black to white
PALE = 0.2  # what is left of the contrast of a patch that is paled
HASHES = {
    "brick": "7966caf324f6ba843118d98f7a07746d22f6a343430add0233eca5f6eaaa8fcf",
    "grass": "b6b6022426b38936c43a4ac09635cd78af074e90f42ffa8227ac8b7452d39f89",
    "gravel": "c48615b451bf1e606fbd72c0aa9f8cc0f068ab7111ef7d93bb9b0f2586440c12",
}


@cache
def photograph(material: str) -> Tensor:
    """Grey values (512, 512), float64.

    Raises:
        ValueError: no such material, or the file is not the one that the book was made with.
    """
    if material not in HASHES:
        raise ValueError(f"no photograph {material!r}; expected one of {', '.join(HASHES)}")
    path = Path(__file__).parent / "data" / f"{material}.png"
    if (found := hashlib.sha256(path.read_bytes()).hexdigest()) != HASHES[material]:
        raise ValueError(
            f"{path} has the SHA-256 {found}; expected {HASHES[material]}: take the file of "
            "scikit-image 0.26.0"
        )
    return torch.from_numpy(np.asarray(Image.open(path), dtype=np.float64)) / 127.5 - 1


def training(pair: str, samples: int, generator: torch.Generator) -> Set:
    """So many patches of each material from anywhere in the left halves; they may overlap.

    Returns:
        Patches (2·samples, 32, 32) and labels.
    """
    cut = []
    for material in pair.split("-"):
        image = photograph(material)[:, : SIDE // 2]
        windows = image.unfold(0, PATCH, 1).unfold(1, PATCH, 1)  # (rows, columns, 32, 32)
        rows, columns = (
            torch.randint(n, (samples,), generator=generator) for n in windows.shape[:2]
        )
        cut.append(windows[rows, columns])
    return torch.cat(cut), _labels(samples)


def tiles(pair: str, *, left: bool = False) -> Set:
    """All disjoint patches of the right halves, row by row: (256, 32, 32) and labels.

    Args:
        left: Of the left halves instead.
    """
    half = slice(None, SIDE // 2) if left else slice(SIDE // 2, None)
    cut = [
        photograph(m)[:, half].unfold(0, PATCH, PATCH).unfold(1, PATCH, PATCH).flatten(0, 1)
        for m in pair.split("-")
    ]
    return torch.cat(cut), _labels(len(cut[0]))


def blocks() -> np.ndarray:
    """For each tile of a pair the square of four tiles that it lies in, (256,): 0 … 63."""
    rows, columns = SIDE // BLOCK, SIDE // 2 // BLOCK
    own = np.arange(rows * columns).reshape(rows, columns).repeat(2, 0).repeat(2, 1).ravel()
    return np.concatenate([own, own + rows * columns])


def _labels(samples: int) -> Tensor:
    return torch.tensor([1] * samples + [0] * samples)


# ---- statistics ----


def row_change(x: Tensor) -> Tensor:
    """Mean size of the change from one row to the next."""
    return x.diff(dim=-2).abs().mean((-2, -1))


def column_change(x: Tensor) -> Tensor:
    """Mean size of the change from one column to the next."""
    return x.diff(dim=-1).abs().mean((-2, -1))


def contrast(x: Tensor) -> Tensor:
    """Standard deviation of the pixels."""
    return x.flatten(-2).std(-1, correction=0)


@dataclass(frozen=True)
class Threshold:
    """The rule that says 1 where sign·(statistic − cut) is positive.

    Attributes:
        right: Share of the patches that it was fitted to on which it is right.
    """

    statistic: Statistic
    cut: float
    sign: int
    right: float

    def __call__(self, x: Tensor) -> Tensor:
        """Labels (…) of patches (…, 32, 32)."""
        return (self.margin(x) > 0).long()

    def margin(self, x: Tensor) -> Tensor:
        """How far the statistic is on the side of label 1."""
        return self.sign * (self.statistic(x) - self.cut)


def fitted(statistic: Statistic, patches: Set) -> Threshold:
    """The threshold that is right most often; halfway between the two values next to it."""
    x, y = patches
    values, order = statistic(x).sort()
    ones = torch.nn.functional.pad(y[order].cumsum(0), (1, 0))  # among the smallest k
    places = torch.arange(len(y) + 1)
    below = (ones + (len(y) - places) - (ones[-1] - ones)).double() / len(y)  # 1 below the cut
    right = torch.maximum(below, 1 - below)[1:-1].clone()
    right[values[1:] == values[:-1]] = 0
    best = int(right.argmax())
    sign = -1 if below[best + 1] >= 0.5 else 1
    cut = (values[best] + values[best + 1]).item() / 2
    return Threshold(statistic, cut, sign, right[best].item())


def radius(rule: Threshold, x: Tensor) -> Tensor:
    """Distance (…) up to which a threshold on `row_change` keeps its label, Euclidean norm.

    A lower bound, proposition photographs-radius: √N/2 of the way to the cut, N changes.
    """
    changes = (x.shape[-2] - 1) * x.shape[-1]
    return rule.margin(x).abs() * math.sqrt(changes) / 2


# ---- what keeps the material and moves the statistics ----


def turned(x: Tensor, quarters: int = 1) -> Tensor:
    """Patches (…, 32, 32) turned by so many times 90 degrees."""
    return x.rot90(quarters, (-2, -1))


def at_grey(x: Tensor) -> Tensor:
    """Every patch moved to the mean GREY."""
    return x - x.mean((-2, -1), keepdim=True) + GREY


def grained(x: Tensor, generator: torch.Generator) -> Tensor:
    """Patches with the grain of a film added, at the mean GREY."""
    return at_grey(x + GRAIN * torch.randn(x.shape, generator=generator, dtype=x.dtype))


def paled(x: Tensor) -> Tensor:
    """Patches with PALE of their contrast, at the mean GREY."""
    return at_grey(PALE * x)


def changed(x: Tensor, y: Tensor, generator: torch.Generator, *, agree: bool = False) -> Tensor:
    """Patches whose change from row to row is moved to the other material's, for pairs with brick.

    Brick (y = 1) gets grain, the other material is paled. With `agree` it is the other way round:
    the same two changes, and the statistic stays on its side.
    """
    grain = (y == 1) != agree
    return torch.where(grain[:, None, None], grained(x, generator), paled(x))


def matched(x: Tensor, statistic: Statistic) -> Tensor:
    """Patches of the mean GREY, with as much contrast as gives all the same value of a statistic.

    That value is its mean over the tiles of brick's left half. The statistic must scale with the
    contrast, as `row_change` and `contrast` do.
    """
    bricks, y = tiles("brick-grass", left=True)
    factor = statistic(bricks[y == 1]).mean() / statistic(x)
    return at_grey(x * factor[..., None, None])
