"""Problems with an original structure and a planted, linear false one, behind one interface.

In all of them the false structure is 1{⟨v, x⟩ > t} for a direction v and a level t, so its distance
and its worst perturbation are known in closed form. The chapters on the three components sweep two
numbers: the strength of the false signal, and the share ρ of the data on which it agrees with the
label.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal

import torch
from torch import Tensor

from falsestruct.networks import ARCHITECTURES, Architecture, for_images, shallow
from falsestruct.problems import digits as handwriting
from falsestruct.problems.digits import Digits
from falsestruct.problems.oscillation import Oscillation
from falsestruct.problems.stripes import Stripes
from falsestruct.structures import Structure

Set = tuple[Tensor, Tensor]
Kind = Literal["brightness", "pixel", "sinusoid"]
Norm = Literal["l2", "linf"]
# Samples, generator, which samples agree (samples,), held out or not → inputs and labels.
Draw = Callable[[int, torch.Generator, Tensor, bool], Set]


@dataclass(frozen=True)
class Planted:
    """A problem with two labels and two structures.

    Attributes:
        name: "stripes", "oscillation", "digits-brightness", "digits-pixel" or "digits-sinusoid".
        strength: Of the false signal: the offset a, δ, or the largest change of a pixel.
        original, false: The two structures. `false` is 1{⟨direction, x⟩ > level}.
        direction: Of unit Euclidean length, in the shape of an input.
        level: Where the false structure changes its label along the direction.
        samples: The usual size of a training set.
        architectures: That fit the inputs.
        make: Draws inputs and labels; use `draw`.
    """

    name: str
    strength: float
    original: Structure
    false: Structure
    direction: Tensor
    level: float
    samples: int
    architectures: tuple[Architecture, ...]
    make: Draw

    def draw(
        self,
        samples: int,
        generator: torch.Generator,
        *,
        rho: float = 1.0,
        held_out: bool = False,
    ) -> Set:
        """Inputs (samples, …) and the original's labels (samples,), float64.

        Args:
            rho: Share of the samples on which the false structure agrees with the label, up to
                rounding: 1 in training as the papers do it, ½ where it says nothing, 0 on the
                conflict set.
            held_out: Inputs that training sets don't contain, where the problem has such.

        Raises:
            ValueError: rho is outside of [0, 1], or there are not so many samples.
        """
        if not 0 <= rho <= 1:
            raise ValueError(f"rho is {rho}; expected a share in [0, 1]")
        agrees = torch.zeros(samples, dtype=torch.bool)
        chosen = torch.randperm(samples, generator=generator)[: round(rho * samples)]
        agrees[chosen] = True
        return self.make(samples, generator, agrees, held_out)

    def conflict_set(self, samples: int, generator: torch.Generator) -> Set:
        """Held-out inputs on which the two structures disagree, and the original's labels."""
        return self.draw(samples, generator, rho=0.0, held_out=True)

    def distance(self, x: Tensor, norm: Norm) -> Tensor:
        """Distance (samples,) at which the false structure changes its label, exactly.

        |⟨v, x⟩ − t| over the dual norm of v, which has length 1 in the Euclidean norm.
        """
        if norm not in ("l2", "linf"):
            raise ValueError(f"norm is {norm!r}; expected 'l2' or 'linf'")
        value = (self._score(x) - self.level).abs()
        return value if norm == "l2" else value / self.direction.abs().sum()

    def _score(self, x: Tensor) -> Tensor:
        return x.double().flatten(1) @ self.direction.flatten()


def _linear(name: str, direction: Tensor, level: float) -> Structure:
    flat = direction.flatten()

    def rule(x: Tensor) -> Tensor:
        return (x.double().flatten(1) @ flat > level).long()

    return Structure(name, rule, lambda x: (x.double().flatten(1) @ flat - level).abs())


def stripes(a: float = 0.1, *, shape: Stripes | None = None) -> Planted:
    """The stripes problem: orientation against colour, at offset a."""
    own = shape or Stripes()
    direction = torch.full((own.size, own.size), -1 / own.size, dtype=torch.float64)
    level = -float(own.width)  # the pixels add up to n·w, each counts −1/n

    def make(samples: int, generator: torch.Generator, agrees: Tensor, held_out: bool) -> Set:
        # Every stripe once before one comes twice: a training set of 60 is the paper's.
        places = 2 * own.positions
        repeats = math.ceil(samples / places)
        order = [torch.randperm(places, generator=generator) for _ in range(repeats)]
        which = torch.cat(order)[:samples]
        horizontal, position = which < own.positions, which % own.positions
        offset = a * torch.where(horizontal == agrees, -1.0, 1.0).double()
        return own.images(horizontal, position, offset), horizontal.double()

    return Planted(
        "stripes", a, own.orientation, _linear("colour", direction, level), direction, level,
        2 * own.positions, ARCHITECTURES, make,
    )  # fmt: skip


def oscillation(delta: float = 1e-2, *, shape: Oscillation | None = None) -> Planted:
    """The oscillation problem: f_a against the hint in x₂, of size δ."""
    given = shape or Oscillation()
    own = Oscillation(given.a, given.K, given.epsilon, delta)

    def make(samples: int, generator: torch.Generator, agrees: Tensor, held_out: bool) -> Set:
        x, y = own.sample(samples, "zero", generator)
        hint = torch.where(agrees, y, 1 - y)
        return torch.stack((x[:, 0], delta * hint), 1), y

    direction = torch.tensor([0.0, 1.0], dtype=torch.float64)
    return Planted(
        "oscillation", delta, own.original, own.false, direction, delta / 2,
        500, (shallow(2, 104),), make,
    )  # fmt: skip


def pattern(kind: Kind, side: int) -> Tensor:
    """What is added to a digit, largest value 1: (side, side), float64.

    "brightness": every pixel. "pixel": the one in the upper left corner. "sinusoid": two periods
    along the rows; on 8 pixels it only takes the values 1 and −1.

    Raises:
        ValueError: the kind is unknown.
    """
    if kind == "brightness":
        return torch.ones(side, side, dtype=torch.float64)
    if kind == "pixel":
        image = torch.zeros(side, side, dtype=torch.float64)
        image[0, 0] = 1
        return image
    if kind == "sinusoid":
        wave = torch.sin(4 * math.pi * (torch.arange(side, dtype=torch.float64) + 0.5) / side)
        return (wave / wave.abs().max()).expand(side, side).clone()
    raise ValueError(f"kind is {kind!r}; expected 'brightness', 'pixel' or 'sinusoid'")


@cache
def _bundled() -> Digits:
    return handwriting.digits()


def digits(
    kind: Kind = "brightness", strength: float = 0.1, *, data: Digits | None = None
) -> Planted:
    """Handwritten digits, even (0) or odd (1), with a planted pattern of a sign that tells which.

    The pattern's direction is set to one value in every image first, so that the planted rule is
    exact: without it, some digits are brighter than others by nature. The original structure is
    the parity of the nearest image of the whole data set, seen without that direction; its radius
    is half of the difference of the distances to the nearest image of the other and of the own
    parity, a lower bound by the triangle inequality.

    Args:
        strength: Largest change of a pixel; pixels lie in [0, 1]. 0 plants nothing.
    """
    own = data or _bundled()
    image = pattern(kind, own.side)
    direction = image / image.norm()
    everything = torch.cat((own.train_images, own.test_images))
    level = (everything.flatten(1) @ direction.flatten()).mean().item()
    parity = torch.cat((own.train_labels, own.test_labels)) % 2
    bare = _without(everything, direction).flatten(1)

    def nearest(x: Tensor) -> Tensor:
        """Distances (samples, 2) to the nearest even and odd image."""
        seen = _without(x.double(), direction).flatten(1)
        return torch.stack([torch.cdist(seen, bare[parity == p]).amin(1) for p in (0, 1)], 1)

    def rule(x: Tensor) -> Tensor:
        return nearest(x).argmin(1)

    def radius(x: Tensor) -> Tensor:
        return nearest(x).diff(dim=1).abs()[:, 0] / 2

    def make(samples: int, generator: torch.Generator, agrees: Tensor, held_out: bool) -> Set:
        pool, labels = own.test if held_out else own.train
        if samples > len(pool):
            raise ValueError(f"{samples} samples; expected at most {len(pool)} from this pool")
        which = torch.randperm(len(pool), generator=generator)[:samples]
        y = labels[which] % 2
        sign = torch.where((y == 1) == agrees, 1.0, -1.0).double()[:, None, None]
        x = _without(pool[which], direction) + level * direction + strength * sign * image
        return x, y.double()

    return Planted(
        f"digits-{kind}", strength, Structure("parity", rule, radius),
        _linear(kind, direction, level), direction, level,
        len(own.train_images), for_images(own.side), make,
    )  # fmt: skip


def _without(x: Tensor, direction: Tensor) -> Tensor:
    """Images without their component along a unit direction."""
    return x - (x.flatten(1) @ direction.flatten())[:, None, None] * direction


PROBLEMS: dict[str, Callable[[float], Planted]] = {
    "stripes": stripes,
    "oscillation": oscillation,
    "digits-brightness": lambda strength: digits("brightness", strength),
    "digits-pixel": lambda strength: digits("pixel", strength),
    "digits-sinusoid": lambda strength: digits("sinusoid", strength),
}
# Strong enough that most architectures take the false structure; chapters 05 and 08 say which do.
STRENGTHS = {
    "stripes": 0.1,
    "oscillation": 1e-2,
    "digits-brightness": 0.2,
    "digits-pixel": 1.0,
    "digits-sinusoid": 0.1,
}


def by_name(name: str, strength: float | None = None) -> Planted:
    """The problem of this name, at this strength or its usual one.

    Raises:
        ValueError: there is none, or the strength is negative or not finite.
    """
    if name not in PROBLEMS:
        raise ValueError(f"no problem {name!r}; expected one of {', '.join(PROBLEMS)}")
    value = STRENGTHS[name] if strength is None else strength
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"strength is {value}; expected a finite number ≥ 0")
    return PROBLEMS[name](value)
