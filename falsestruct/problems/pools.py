"""A pool of stripes in either colour, and which of them one asks about.

A pool shows every second stripe. What was learnt from it is read on the stripes between, which
nobody can have asked about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from falsestruct.problems.stripes import Stripes

Set = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Pool:
    """Images without labels, until somebody asks.

    Attributes:
        x: Flattened images, (samples, pixels).
        y: What the answer would be, (samples,).
        stripe: Which stripe each shows, orientation and place, (samples,).
        offset: What was added to all pixels, (samples,).
        chance: Its rows in a random order, (samples,).
    """

    x: Tensor
    y: Tensor
    stripe: Tensor
    offset: Tensor
    chance: Tensor

    def chosen(self, order: Tensor, count: int, *, spread: bool = False) -> Tensor:
        """The first `count` of its images in this order; with `spread` no stripe twice.

        Args:
            order: Rows of the pool, all of them.
        """
        if not spread:
            return order[:count]
        seen: dict[int, int] = {}
        for image in order.tolist():
            seen.setdefault(int(self.stripe[image]), image)
        return torch.tensor(list(seen.values())[:count])

    def alike(self, rows: Tensor) -> Tensor:
        """Images by chance that repeat stripes as often as those rows do.

        Which stripes are repeated is chance, too: the first that have enough images.
        """
        counts = self.stripe[rows].unique(return_counts=True)[1].sort(descending=True).values
        shown = self.stripe[self.chance]
        stripes = [self.chance[shown == stripe] for stripe in dict.fromkeys(shown.tolist())]
        found = []
        for count in counts.tolist():  # there is one: those rows' own stripes have enough
            place = next(i for i, images in enumerate(stripes) if len(images) >= count)
            found.append(stripes.pop(place)[:count])
        return torch.cat(found)

    def questions(self, least: Tensor, count: int, *, way: str, repeats: str) -> Tensor:
        """Rows of so many images that one asks about.

        Args:
            least: All rows, the least sure first.
            way: "unsure", those; "random", in the order of chance; or "small", by their offset.
            repeats: Of stripes: "any"; "none"; or random images, "alike" the least sure in that.
        """
        if repeats == "alike":
            return self.alike(self.chosen(least, count))
        orders = {"unsure": least, "random": self.chance, "small": self.offset.abs().argsort()}
        return self.chosen(orders[way], count, spread=repeats == "none")

    def added(self, plain: Set, rows: Tensor) -> Set:
        """A training set with some images, and their answers, behind its own."""
        return torch.cat((plain[0], self.x[rows])), torch.cat((plain[1], self.y[rows]))

    def facts(self, rows: Tensor) -> dict[str, float]:
        """Of some images: how many different stripes, share in the other colour, mean offset.

        The offset without its sign; the names are stripes, swapped and size.
        """
        swapped = (self.offset[rows] > 0) == (self.y[rows] > 0)
        return {
            "stripes": float(len(self.stripe[rows].unique())),
            "swapped": float(swapped.double().mean()),
            "size": float(self.offset[rows].abs().mean()),
        }


def pool(stripes: Stripes, offset: float, samples: int, generator: torch.Generator) -> Pool:
    """Random stripes at even places, half of the images in the other colour.

    Offsets are from half of `offset` to one and a half.
    """
    horizontal = torch.rand(samples, generator=generator) < 0.5
    place = 2 * torch.randint((stripes.positions + 1) // 2, (samples,), generator=generator)
    size = offset * (0.5 + torch.rand(samples, dtype=torch.float64, generator=generator))
    signed = torch.where(horizontal, -size, size)
    signed[samples // 2 :] *= -1
    x = stripes.images(horizontal, place, signed).flatten(1)
    stripe = place + stripes.positions * horizontal
    return Pool(
        x, horizontal.double(), stripe, signed, torch.randperm(samples, generator=generator)
    )


def ask(
    plain: Set, pools: Sequence[Pool], outputs: Tensor, count: int, *, way: str, repeats: str
) -> tuple[list[Set], pd.DataFrame]:
    """Training sets of networks that asked about so many images of a pool of their own.

    Args:
        plain: What all of them have already.
        outputs: Of each for its pool, (members, samples): the smallest are the least sure.
        way, repeats: As in `Pool.questions`.

    Returns:
        The sets, and a table of `Pool.facts`, a row a network.
    """
    sets: list[Set] = []
    facts: list[dict[str, float]] = []
    for own, least in zip(pools, outputs.abs().argsort(1), strict=True):
        rows = own.questions(least, count, way=way, repeats=repeats)
        sets.append(own.added(plain, rows))
        facts.append(own.facts(rows))
    return sets, pd.DataFrame(facts)


def between(stripes: Stripes, offset: float) -> Tensor:
    """Every stripe at an odd place, which no pool shows, in the other colour: (samples, n, n)."""
    x, _ = stripes.conflict_set(offset)
    return x[torch.arange(len(x)) % stripes.positions % 2 == 1]
