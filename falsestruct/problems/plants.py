"""Structures planted by a seeded generator, from families that a search need not know.

A plant is a rule of one to three components of an image, along directions that the generator draws.
It is put into bare images, handwritten digits or noisy stripes: their own components along these
directions go, and new ones come, whose side of the rule tells the label. So the plant is exact, and
the original structure, which looks at bare images, never sees it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from falsestruct.problems import digits as handwriting
from falsestruct.problems.stripes import Stripes
from falsestruct.structures import Structure

Family = Literal[
    "named", "mask", "phase", "window", "unseen", "quadratic", "conditional", "none"
]  # fmt: skip
Problem = Literal["digits", "stripes"]
Part = Literal["training", "search", "fresh"]
Rng = np.random.Generator
Set = tuple[Tensor, Tensor]
Draw = Callable[[int, Rng, Part], Set]

FAMILIES: tuple[Family, ...] = get_args(Family)
NAMELESS = FAMILIES[1:-1]  # planted, and no statistic of the library
PROBLEMS: tuple[Problem, ...] = get_args(Problem)
# Euclidean length of what is put in, at least and at most; trials on other seeds showed crossovers.
STRENGTHS: dict[Problem, tuple[float, float]] = {"digits": (0.2, 3.2), "stripes": (0.4, 6.4)}
HARDER: dict[Family, float] = {"quadratic": 2.0, "conditional": 2.0}  # times as strong
SEARCHED = 397  # held-out digits for the search; the other 200 are fresh
SIDE, WIDTH, GRAIN = 16, 3, 0.1  # of stripes: pixels, and noise on each of them
WINDOW = 3  # pixels a side
BLOCK = 600  # stripes from which means and principal directions are taken
PHASES = 1.0  # radians that a phase is off its plant's at most


@dataclass(frozen=True)
class Images:
    """Bare images and what they show.

    Attributes:
        name: Of the problem.
        reference: Some of them, (images, side, side), for means and principal directions.
        draw: Bare images (samples, side, side), float64, and labels (samples,), 0 or 1.
        original: Of bare images, and of the reference likewise bare, to labels.
    """

    name: Problem
    reference: Tensor
    draw: Draw
    original: Callable[[Tensor, Tensor], Tensor]

    @property
    def side(self) -> int:
        """Pixels along an image's side."""
        return self.reference.shape[-1]


@dataclass(frozen=True)
class Plant:
    """A structure and how it is put into images.

    Attributes:
        name: What it looks at; of the family "named" the library's own name.
        level: Of its strength between the ends for its problem and family, in [0, 1], logarithmic.
        strength: Euclidean length of what is put in.
        basis: Directions that it changes, (q, pixels), orthonormal; q is 0 without a plant. The
            first is the planted direction.
        centre: Mean component of bare images along each, (q,).
    """

    family: Family
    name: str
    images: Images
    level: float
    strength: float
    basis: Tensor
    centre: Tensor

    @property
    def original(self) -> Structure:
        """What bare images are about: parity of the nearest digit, or orientation."""
        bare = self.bare(self.images.reference)
        return Structure("original", lambda x: self.images.original(self.bare(x), bare))

    @property
    def false(self) -> Structure:
        """The planted structure; where nothing is planted, the original."""
        return self.original if self.family == "none" else Structure(self.name, self._rule)

    @property
    def direction(self) -> Tensor:
        """The planted direction, of unit length, (pixels,); zeros without a plant."""
        return self.basis[0] if len(self.basis) else torch.zeros(self.images.side**2).double()

    def bare(self, x: Tensor) -> Tensor:
        """Images with the mean components along the basis instead of their own."""
        return x.double() - (self._components(x) @ self.basis).view(x.shape)

    def put(self, x: Tensor, side: Tensor, size: Tensor, rng: Rng) -> Tensor:
        """Images (samples, …) with the plant: float64.

        Args:
            side: The planted rule's label of each, (samples,), 0 or 1.
            size: Of each, in units of the strength, at least ¾, (samples,).
        """
        places = torch.from_numpy(_PLACES[self.family](side.numpy() > 0, rng))
        away = self.strength * size.double()[:, None] * places
        return self.bare(x) + (away @ self.basis).view(x.shape)

    def draw(self, samples: int, rng: Rng, part: Part, *, rho: float = 1.0) -> Set:
        """Inputs (samples, side, side) and the original's labels (samples,), float64.

        Args:
            part: For training, for the search, or fresh ones; digits are in one part only.
            rho: Share of the samples on which the plant gives the label, up to rounding.

        Raises:
            ValueError: rho is outside of [0, 1], or a part has fewer images.
        """
        if not 0 <= rho <= 1:
            raise ValueError(f"rho is {rho}; expected a share in [0, 1]")
        x, y = self.images.draw(samples, rng, part)
        agrees = rng.permutation(np.arange(samples) < round(rho * samples))
        side = torch.where(torch.from_numpy(agrees), y, 1 - y)
        return self.put(x, side, torch.ones(samples), rng), y

    def conflict(self, x: Tensor, rng: Rng, *, sizes: tuple[float, float] = (1.0, 1.0)) -> Set:
        """The images with the plant on the side against the original, and that side (samples,).

        Without a plant the images as they are, and the original's labels.

        Args:
            sizes: Ends between which sizes are drawn, evenly on a logarithmic scale.
        """
        side = self.original(x) if self.family == "none" else 1 - self.original(x)
        low, high = (math.log(end) for end in sizes)
        size = torch.from_numpy(np.exp(rng.uniform(low, high, len(x))))
        return self.put(x, side, size, rng), side.double()

    def _components(self, x: Tensor) -> Tensor:
        """Away from the mean of bare images, (samples, q)."""
        return x.double().flatten(1) @ self.basis.T - self.centre

    def _rule(self, x: Tensor) -> Tensor:
        along = self._components(x)
        if self.family == "quadratic":
            return (along[:, 0].abs() > self.strength / 2).long()
        if self.family == "conditional":
            return (torch.where(along[:, 2] > 0, along[:, 0], along[:, 1]) > 0).long()
        return (along[:, 0] > 0).long()


def plant(family: Family, seed: int, *, problem: Problem | None = None) -> Plant:
    """The plant of a family with this seed: its problem, its directions and its strength.

    Families: "named", the mean, a pixel, or a part of a Fourier bin; "mask", random signs of all
    pixels; "phase", the phase of a bin, whose size is the same for both labels; "window", random
    signs of nine pixels less their mean; "unseen", a random direction among those along which bare
    images differ least; "quadratic", far off or not along a random mask, whichever way;
    "conditional", one mask or another, by the sign of a third; "none".

    Args:
        problem: Instead of the one that the seed says.

    Raises:
        ValueError: there is no such family or problem.
    """
    if family not in FAMILIES:
        raise ValueError(f"family is {family!r}; expected one of {', '.join(FAMILIES)}")
    if problem is not None and problem not in PROBLEMS:
        raise ValueError(f"problem is {problem!r}; expected one of {', '.join(PROBLEMS)}")
    rng = np.random.default_rng([seed, 0])
    drawn, level = PROBLEMS[int(rng.integers(len(PROBLEMS)))], float(rng.random())
    own = images(problem or drawn)
    name, rows = _DIRECTIONS[family](own, rng)
    basis, flat = torch.from_numpy(rows), own.reference.flatten(1)
    low, high = strengths(own.name, family)
    strength = low * (high / low) ** level
    return Plant(family, name, own, level, strength, basis, (flat @ basis.T).mean(0))


def strengths(problem: Problem, family: Family) -> tuple[float, float]:
    """Between which a plant's strength is drawn."""
    low, high = STRENGTHS[problem]
    factor = HARDER.get(family, 1.0)
    return factor * low, factor * high


# ---- images ----


@cache
def images(problem: Problem) -> Images:
    """Bare images of a problem."""
    if problem == "digits":
        return _digits()
    shape = Stripes(SIDE, WIDTH)

    def draw(samples: int, rng: Rng, part: Part) -> Set:
        horizontal = torch.from_numpy(rng.random(samples) < 0.5)
        place = torch.from_numpy(rng.integers(shape.positions, size=samples))
        contrast = torch.from_numpy(rng.uniform(0.5, 1.5, (samples, 1, 1)))
        grain = torch.from_numpy(rng.normal(scale=GRAIN, size=(samples, SIDE, SIDE)))
        x = contrast * shape.images(horizontal, place, torch.zeros(samples)) + grain
        return x, horizontal.double()

    reference, _ = draw(BLOCK, np.random.default_rng(0), "training")
    return Images("stripes", reference, draw, lambda x, _: shape.orientation(x))


def _digits() -> Images:
    own = handwriting.digits()
    everything = torch.cat((own.train_images, own.test_images))
    parity = torch.cat((own.train_labels, own.test_labels)) % 2
    parts: dict[Part, Set] = {
        "training": own.train,
        "search": (own.test_images[:SEARCHED], own.test_labels[:SEARCHED]),
        "fresh": (own.test_images[SEARCHED:], own.test_labels[SEARCHED:]),
    }

    def draw(samples: int, rng: Rng, part: Part) -> Set:
        pool, labels = parts[part]
        if samples > len(pool):
            raise ValueError(f"{samples} samples; expected at most {len(pool)} for {part}")
        which = torch.from_numpy(rng.permutation(len(pool))[:samples])
        return pool[which], (labels[which] % 2).double()

    def nearest(x: Tensor, bare: Tensor) -> Tensor:
        return parity[torch.cdist(x.flatten(1), bare.flatten(1)).argmin(1)]

    return Images("digits", everything, draw, nearest)


@cache
def principal(problem: Problem) -> np.ndarray:
    """Principal directions of bare images, (pixels, pixels), the main one first."""
    flat = images(problem).reference.flatten(1).numpy()
    rows = np.linalg.svd(flat - flat.mean(0), full_matrices=False)[2]
    return np.asarray(rows * np.where(rows.sum(1, keepdims=True) < 0, -1.0, 1.0))


# ---- directions ----


def _unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True))


def _signs(own: Images, rng: Rng, count: int) -> np.ndarray:
    """Random signs of all pixels, (count, pixels), of unit length."""
    return _unit(np.where(rng.random((count, own.side**2)) < 0.5, -1.0, 1.0))


def _wave(side: int, k: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Even and odd part of a Fourier bin with the image's centre as origin, (pixels,) each."""
    place = np.arange(side) - (side - 1) / 2
    angle = 2 * math.pi * (k * place[:, None] + m * place) / side
    return _unit(np.cos(angle).ravel()), _unit(np.sin(angle).ravel())


def _named(own: Images, rng: Rng) -> tuple[str, np.ndarray]:
    side, pixels = own.side, own.side**2
    i, j = (int(one) for one in rng.integers(side, size=2))
    k, m, odd = int(rng.integers(4)), int(rng.integers(1, 4)), int(rng.integers(2))
    rows = {
        "mean": np.full(pixels, pixels**-0.5),
        f"pixel ({i}, {j})": np.eye(pixels)[i * side + j],
        f"Fourier ({k}, {m}), {('even', 'odd')[odd]}": _wave(side, k, m)[odd],
    }
    name = list(rows)[int(rng.integers(len(rows)))]
    return name, rows[name][None]


def _phase(own: Images, rng: Rng) -> tuple[str, np.ndarray]:
    """Neither part of the bin tells it alone."""
    k, m = (int(one) for one in rng.integers(1, 4, size=2))
    angle = math.pi / 2 * rng.integers(4) + rng.uniform(math.pi / 8, 3 * math.pi / 8)
    even, odd = _wave(own.side, k, m)
    c, s = math.cos(angle), math.sin(angle)
    return f"phase of Fourier ({k}, {m})", np.stack([c * even + s * odd, c * odd - s * even])


def _window(own: Images, rng: Rng) -> tuple[str, np.ndarray]:
    i, j = (int(one) for one in rng.integers(own.side - WINDOW + 1, size=2))
    signs = rng.permutation(np.resize([1.0, -1.0], WINDOW**2))  # both occur
    image = np.zeros((own.side, own.side))
    image[i : i + WINDOW, j : j + WINDOW] = (signs - signs.mean()).reshape(WINDOW, WINDOW)
    return f"window at ({i}, {j})", _unit(image.reshape(1, -1))


def _unseen(own: Images, rng: Rng) -> tuple[str, np.ndarray]:
    least = principal(own.name)[-(own.side**2 // 4) :]
    return "unseen direction", _unit(rng.normal(size=(1, len(least))) @ least)


def _conditional(own: Images, rng: Rng) -> tuple[str, np.ndarray]:
    """Two masks and their gate, which says by its sign which of them counts, at right angles."""
    return "one mask or another", np.linalg.qr(_signs(own, rng, 3).T)[0].T.copy()


_DIRECTIONS: dict[Family, Callable[[Images, Rng], tuple[str, np.ndarray]]] = {
    "named": _named,
    "mask": lambda own, rng: ("random mask", _signs(own, rng, 1)),
    "phase": _phase,
    "window": _window,
    "unseen": _unseen,
    "quadratic": lambda own, rng: ("off a random mask", _signs(own, rng, 1)),
    "conditional": _conditional,
    "none": lambda own, rng: ("none", np.zeros((0, own.side**2))),
}


# ---- what is put in, in units of its size ----


def _linear(side: np.ndarray, rng: Rng) -> np.ndarray:
    return np.where(side, 1.0, -1.0)[:, None]


def _turned(side: np.ndarray, rng: Rng) -> np.ndarray:
    off = rng.uniform(-PHASES, PHASES, len(side))
    return np.stack([np.where(side, 1.0, -1.0) * np.cos(off), np.sin(off)], axis=1)


def _off(side: np.ndarray, rng: Rng) -> np.ndarray:
    way = np.where(rng.random(len(side)) < 0.5, -1.0, 1.0)
    return np.where(side, way, 0.0)[:, None]


def _either(side: np.ndarray, rng: Rng) -> np.ndarray:
    """The direction that counts has the side; the other one, and the gate, a random sign."""
    rows = np.where(rng.random((len(side), 3)) < 0.5, -1.0, 1.0)
    rows[np.arange(len(side)), np.where(rows[:, 2] > 0, 0, 1)] = np.where(side, 1.0, -1.0)
    return rows / math.sqrt(3)


def _nothing(side: np.ndarray, rng: Rng) -> np.ndarray:
    return np.zeros((len(side), 0))


_PLACES: dict[Family, Callable[[np.ndarray, Rng], np.ndarray]] = {
    "named": _linear, "mask": _linear, "phase": _turned, "window": _linear, "unseen": _linear,
    "quadratic": _off, "conditional": _either, "none": _nothing,
}  # fmt: skip
