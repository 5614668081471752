"""Outputs that follow either structure of planted digits exactly: networks built by hand."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from falsestruct.problems import digits as handwriting
from falsestruct.problems.planted import Planted

Outputs = Callable[[Tensor], Tensor]  # (members, samples, side, side) → (members, samples)


def of_pattern(given: Planted) -> Outputs:
    """The component along the pattern less its level: follows the false structure."""
    return lambda x: x.double().flatten(2) @ given.direction.flatten() - given.level


def of_original(given: Planted) -> Outputs:
    """Squared distance to the nearest even digit less that to the nearest odd one.

    Seen without the pattern's direction: follows the original, the parity of the nearest image.
    """
    data, v = handwriting.digits(), given.direction.flatten()
    images = torch.cat((data.train_images, data.test_images)).flatten(1)
    odd = torch.cat((data.train_labels, data.test_labels)) % 2 == 1

    def bare(x: Tensor) -> Tensor:
        return x - (x @ v)[..., None] * v

    known = bare(images)

    def outputs(x: Tensor) -> Tensor:
        seen = bare(x.double().flatten(2))
        square = (seen**2).sum(-1)[..., None] - 2 * seen @ known.T + (known**2).sum(-1)
        return square[..., ~odd].amin(-1) - square[..., odd].amin(-1)

    return outputs
