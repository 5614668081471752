"""Real handwritten digits: the 1,797 images of 8 × 8 pixels that scikit-learn ships.

Alpaydin and Kaynak, *Optical Recognition of Handwritten Digits* (UCI, 1998, doi:10.24432/C50P49).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from sklearn.datasets import load_digits
from torch import Tensor

HELD_OUT = 597  # of the 1,797; 1,200 are for training
SPLIT_SEED = 0
CLASSES = 10


@dataclass(frozen=True)
class Digits:
    """Labelled images in two parts.

    Attributes:
        train_images, test_images: (samples, side, side), float64 in [0, 1].
        train_labels, test_labels: The digit that each shows, 0 … 9, (samples,).
    """

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor

    def __post_init__(self) -> None:
        for images, labels in (self.train, self.test):
            if images.ndim != 3 or len(images) != len(labels) or not len(images):
                raise ValueError(
                    f"images have shape {tuple(images.shape)}, labels {tuple(labels.shape)}; "
                    "expected (samples, side, side) and (samples,), samples ≥ 1"
                )

    @property
    def train(self) -> tuple[Tensor, Tensor]:
        """Images and labels for training."""
        return self.train_images, self.train_labels

    @property
    def test(self) -> tuple[Tensor, Tensor]:
        """Images and labels that no network trains on."""
        return self.test_images, self.test_labels

    @property
    def side(self) -> int:
        """Pixels along an image's side."""
        return self.train_images.shape[-1]


def digits() -> Digits:
    """scikit-learn's digits, shuffled once and for all, 1,200 for training and 597 held out.

    The order as shipped goes by writer, so a split in that order would test on other hands only.
    """
    bundle = load_digits()
    images = torch.from_numpy(bundle.images).double() / 16
    labels = torch.from_numpy(bundle.target).long()
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(SPLIT_SEED))
    train, test = order[:-HELD_OUT], order[-HELD_OUT:]
    return Digits(images[train], labels[train], images[test], labels[test])


def few(data: Digits, train: int, test: int) -> Digits:
    """So many of the images of each part, drawn once and for all; all of them where there are less.

    Raises:
        ValueError: a number is below 1.
    """
    if min(train, test) < 1:
        raise ValueError(f"{train} and {test} images; expected at least 1 of each part")
    parts = []
    for (images, labels), most in ((data.train, train), (data.test, test)):
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(SPLIT_SEED))
        kept = order[:most].sort().values  # in the data's own order: all of them are the data
        parts += [images[kept], labels[kept]]
    return Digits(*parts)
