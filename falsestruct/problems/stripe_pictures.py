"""The stripes as tables of pixels, and what their sets hold: for figures and counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct.problems.stripes import Stripes


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


def answered(stripes: Stripes, images: Mapping[str, Tensor], heard: Tensor) -> pd.DataFrame:
    """Pixels of some images, and what direction, brightness and networks say of each.

    Columns: panel, row, column, value; direction, brightness and networks ("horizontal" or
    "vertical"); share, of the networks that say so.

    Args:
        images: By the name of their panel, (n, n).
        heard: Share of the networks that say horizontal, (images,).
    """
    x = torch.stack(list(images.values()))
    said = {"direction": stripes.orientation(x), "brightness": stripes.colour(x)}
    said["networks"] = (heard > 0.5).long()
    tables = []
    for i, (panel, image) in enumerate(images.items()):
        words = {name: ("vertical", "horizontal")[int(labels[i])] for name, labels in said.items()}
        share = max(heard[i].item(), 1 - heard[i].item())
        tables.append(pixels(image).assign(panel=panel, share=share, **words))
    return pd.concat(tables, ignore_index=True)


def vertical_images(x: Tensor, y: Tensor) -> int:
    """How many of the images labelled vertical (0) show a stripe whose columns differ."""
    varies = x[y == 0].std(dim=2).amax(1) > 1e-9  # within a row, from column to column
    return int(varies.sum())


def every_second(data: tuple[Tensor, Tensor], first: int = 0) -> tuple[Tensor, Tensor]:
    """Images and labels at every second position of a set that has every stripe once.

    Args:
        data: Of `Stripes.described` or `Stripes.conflict_set`.
        first: 0 for the positions 0, 2, …; 1 for those between.
    """
    x, y = (part.unflatten(0, (2, -1))[:, first::2].flatten(0, 1) for part in data)
    return x, y
