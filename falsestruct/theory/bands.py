"""A small ReLU network that reads the orientation of the stripes and keeps most of its radius.

One ReLU for each band of w adjacent rows or columns: the band's mean less a threshold halfway
between a stripe and what a band sees of one that crosses it. Row bands count 1, column bands −1
(chapter 06).
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np


def means(size: int, width: int) -> np.ndarray:
    """Weights of the means of all row bands, then of all column bands: (2(n − w + 1), n²).

    Args:
        size, width: n and w, 1 ≤ w < n.
    """
    places = size - width + 1
    bands = np.zeros((places, size, size))
    for first in range(places):
        bands[first, first : first + width] = 1 / (size * width)
    return np.concatenate([bands, bands.transpose(0, 2, 1)]).reshape(2 * places, -1)


def threshold(size: int, width: int) -> Fraction:
    """θ = (1 + w/n)/2, which every band's mean must pass."""
    return (1 + Fraction(width, size)) / 2


def kept(size: int, width: int, offset: Fraction) -> Fraction:
    """ℓ∞ size below which no perturbation changes the label of an image: (1 − w/n)/2 − a.

    Args:
        offset: Largest absolute offset a of the images, so small that the number is positive.

    Raises:
        ValueError: it is not.
    """
    room = (1 - Fraction(width, size)) / 2 - abs(offset)
    if room <= 0:
        raise ValueError(f"offset {offset} leaves {room}; expected less than {room + abs(offset)}")
    return room


def euclidean(size: int, width: int) -> float:
    """The orientation's own Euclidean radius on an image with one stripe: √(w(n − w)/2)."""
    return math.sqrt(width * (size - width) / 2)
