"""Problems with an original structure and a planted, linear false one, behind one interface.

In all of them the false structure is 1{⟨v, x⟩ > t} for a direction v and a level t, so its distance
and its worst perturbation are known in closed form. The chapters on the three components sweep two
numbers: the strength of the false signal, and the share ρ of the data on which it agrees with the
label.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from falsestruct.structures import Structure

Set = tuple[Tensor, Tensor]
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
        make: Draws inputs and labels; use `draw`.
    """

    name: str
    strength: float
    original: Structure
    false: Structure
    direction: Tensor
    level: float
    samples: int
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


def linear(name: str, direction: Tensor, level: float) -> Structure:
    """The rule 1{⟨direction, x⟩ > level}, with its Euclidean radius."""
    flat = direction.flatten()

    def rule(x: Tensor) -> Tensor:
        return (x.double().flatten(1) @ flat > level).long()

    return Structure(name, rule, lambda x: (x.double().flatten(1) @ flat - level).abs())
