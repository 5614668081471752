"""Binary images of 4 × 4 pixels, all 65,536 of them, with a rule and simpler ones beside it.

They are few enough that everything can be asked of every image: how often two structures disagree,
what a network captures, which masks of an image keep its label.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, reduce
from itertools import permutations, product

import numpy as np

SIDE = 4
PIXELS = SIDE**2
ODD = (0, 5, 10)  # pixels of the parity: three on the diagonal
SEVEN = (0, 3, 5, 6, 9, 10, 15)  # of the longer one: both diagonals but for a corner


@cache
def images() -> np.ndarray:
    """All images, (65536, 16) of 0 and 1: image n has the binary digits of n, pixel 0 the last."""
    numbers = np.arange(1 << PIXELS)
    return ((numbers[:, None] >> np.arange(PIXELS)) & 1).astype(np.float32)


def original(x: np.ndarray) -> np.ndarray:
    """Whether the fullest row has more ones than the fullest column, (samples,)."""
    square = x.reshape(-1, SIDE, SIDE)
    return (square.sum(2).max(1) > square.sum(1).max(1)).astype(np.int64)


def corner(x: np.ndarray) -> np.ndarray:
    """Whether the first pixel is one."""
    return (x[:, 0] > 0.5).astype(np.int64)


def brightness(x: np.ndarray) -> np.ndarray:
    """Whether most of the fifteen pixels besides the first are ones: at least eight."""
    return (x[:, 1:].sum(1) > (PIXELS - 1) / 2).astype(np.int64)


def parity(x: np.ndarray) -> np.ndarray:
    """Whether an odd number of three pixels on the diagonal are ones."""
    return (x[:, ODD].sum(1) % 2).astype(np.int64)


def seven(x: np.ndarray) -> np.ndarray:
    """Whether an odd number of seven pixels are ones."""
    return (x[:, SEVEN].sum(1) % 2).astype(np.int64)


def middle(x: np.ndarray) -> np.ndarray:
    """Whether seven or eight of the fifteen pixels besides the first are ones."""
    return (np.abs(x[:, 1:].sum(1) - (PIXELS - 1) / 2) < 1).astype(np.int64)


RULES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "corner": corner,
    "parity": parity,
    "brightness": brightness,
    "seven": seven,
    "middle": middle,
}


@cache
def labels(rule: str) -> np.ndarray:
    """Labels of all images by "original" or a rule of `RULES`, (65536,).

    Raises:
        KeyError: no rule has this name.
    """
    return ({"original": original} | RULES)[rule](images())


def _orders(x: np.ndarray) -> np.ndarray:
    """The least number that an image gets if its rows and columns are put into other orders."""
    powers = (1 << np.arange(PIXELS)).reshape(SIDE, SIDE).astype(np.float32)  # sums are exact
    orders = product(permutations(range(SIDE)), repeat=2)
    return reduce(np.minimum, (x @ powers[np.ix_(*pair)].ravel() for pair in orders))


def _ones(x: np.ndarray) -> np.ndarray:
    """How many of the fifteen pixels besides the first are ones."""
    return x[:, 1:].sum(1)


def _same(x: np.ndarray) -> np.ndarray:
    """One class: if a pixel is flipped, all labels stay or all change, and masks stay masks."""
    return np.zeros(len(x))


CLASSES = {"original": _orders, "brightness": _ones, "middle": _ones}
CLASSES |= dict.fromkeys(("corner", "parity", "seven"), _same)


def classes(rule: str) -> tuple[np.ndarray, np.ndarray]:
    """Images that a symmetry of "original" or a rule turns into one another have equal masks.

    Returns:
        The number of one image of each class, and how many images the class has, (classes,) each.
    """
    names = CLASSES[rule](images())
    return np.unique(names, return_index=True, return_counts=True)[1:]


def draw(samples: int, beside: str, rng: np.random.Generator) -> np.ndarray:
    """Numbers (samples,) of random images on which `beside` agrees with the original.

    An image may come twice.

    Args:
        beside: A rule of `RULES`; "original" agrees everywhere, so that all images are drawn from.
    """
    pool = np.flatnonzero(labels("original") == labels(beside))
    return pool[rng.integers(len(pool), size=samples)]
