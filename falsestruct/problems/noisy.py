"""Data with wrong labels, on a share of the inputs that does not depend on what they show."""

from __future__ import annotations

import torch
from torch import Tensor

from falsestruct.problems.stripes import Stripes

SEED = 30_000  # added to that of the network that trains on the data
STRIPED = ("nothing", "labels", "left out")


def mislabelled(y: Tensor, share: float, classes: int, *, seed: int) -> Tensor:
    """Labels (samples,) of which this share, rounded, are others, drawn uniformly.

    With the same seed, the wrong labels of a larger share contain those of a smaller one.
    """
    generator = torch.Generator().manual_seed(SEED + seed)
    wrong = torch.randperm(len(y), generator=generator)[: round(share * len(y))]
    shift = torch.randint(1, classes, (len(y),), generator=generator)
    given = y.clone()
    given[wrong] = (y + shift)[wrong] % classes
    return given


def striped(
    stripes: Stripes, what: str, a: float, share: float, *, copies: int, seed: int
) -> tuple[Tensor, Tensor]:
    """Every stripe several times, offsets from a/2 to 3a/2: images (samples, n, n) and labels.

    With the same seed, the same images are meant, and the same ones are hit; those hit at a larger
    share contain those of a smaller one.

    Args:
        what: What happens to this share of the images, rounded: their "labels" are wrong, they are
            "left out", or "nothing".
        copies: Images of every stripe.
    """
    if what not in STRIPED:
        raise ValueError(f"what is {what!r}; expected one of {', '.join(STRIPED)}")
    generator = torch.Generator().manual_seed(SEED + seed)
    position = torch.arange(stripes.positions).repeat(2 * copies)
    horizontal = torch.arange(len(position)) < len(position) // 2
    sizes = a * (0.5 + torch.rand(len(position), generator=generator, dtype=torch.float64))
    wrong = torch.zeros_like(horizontal)
    order = torch.randperm(len(position), generator=generator)
    wrong[order[: round(share * len(position))]] = True
    label = (horizontal ^ wrong if what == "labels" else horizontal).double()
    x = stripes.images(horizontal, position, torch.where(horizontal, -sizes, sizes))
    return (x[~wrong], label[~wrong]) if what == "left out" else (x, label)
