"""One-hidden-layer ReLU networks in exact rational arithmetic.

A floating-point number is a rational number, so a trained network can be counted exactly as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class ReluNetwork:
    """x ↦ bias + Σ_i output_i · max(0, ⟨weights_i, x⟩ + biases_i), all rational.

    Attributes:
        weights: One tuple of input weights a hidden unit.
        biases: One a hidden unit.
        outputs: One output weight a hidden unit.
        bias: Of the output.
    """

    weights: tuple[tuple[Fraction, ...], ...]
    biases: tuple[Fraction, ...]
    outputs: tuple[Fraction, ...]
    bias: Fraction

    def __post_init__(self) -> None:
        sizes = len(self.weights), len(self.biases), len(self.outputs)
        if len(set(sizes)) != 1:
            raise ValueError(f"weights, biases and outputs have lengths {sizes}; expected equal")

    @property
    def size(self) -> int:
        """Number of hidden ReLUs."""
        return len(self.weights)

    def __call__(self, x: Sequence[Fraction]) -> Fraction:
        """The network's value at the input x, exactly."""
        return self.bias + sum(
            (
                v * (z if z > 0 else 0)
                for w, b, v in zip(self.weights, self.biases, self.outputs, strict=True)
                if (z := sum(wi * xi for wi, xi in zip(w, x, strict=True)) + b)
            ),
            Fraction(0),
        )

    def along_first(self, rest: Sequence[Fraction]) -> ReluNetwork:
        """The network of x₁ alone, the other inputs fixed at `rest`."""
        shifted = tuple(
            sum((wi * xi for wi, xi in zip(w[1:], rest, strict=True)), b)
            for w, b in zip(self.weights, self.biases, strict=True)
        )
        return ReluNetwork(tuple((w[0],) for w in self.weights), shifted, self.outputs, self.bias)


def from_floats(
    weights: Sequence[Sequence[float]],
    biases: Sequence[float],
    outputs: Sequence[float],
    bias: float,
) -> ReluNetwork:
    """The network with exactly these floating-point weights.

    Raises:
        ValueError, OverflowError: a weight is NaN or infinite.
    """
    return ReluNetwork(
        tuple(tuple(Fraction(w) for w in row) for row in weights),
        tuple(Fraction(b) for b in biases),
        tuple(Fraction(v) for v in outputs),
        Fraction(bias),
    )


def knots(network: ReluNetwork, low: Fraction, high: Fraction) -> list[Fraction]:
    """Where the slope of a network of one input changes, strictly between low and high."""
    jumps: dict[Fraction, Fraction] = {}
    for (w,), b, v in zip(network.weights, network.biases, network.outputs, strict=True):
        if w != 0:
            # Past −b/w the unit switches on (w > 0) or off (w < 0): the slope gains v·|w|.
            jumps[-b / w] = jumps.get(-b / w, Fraction(0)) + v * abs(w)
    return sorted(t for t, jump in jumps.items() if jump != 0 and low < t < high)


def pieces(network: ReluNetwork, low: Fraction, high: Fraction) -> int:
    """Number of linear pieces of a network of one input on [low, high]; at most size + 1."""
    return len(knots(network, low, high)) + 1


def sign_changes(
    network: ReluNetwork, low: Fraction, high: Fraction, *, level: Fraction = Fraction(0)
) -> int:
    """How often a network of one input changes sides of `level` on [low, high], exactly.

    Between knots the network is linear, so the signs at the knots and the ends tell all. Touching
    the level without crossing doesn't count.
    """
    points = [low, *knots(network, low, high), high]
    signs = [1 if value > level else -1 for t in points if (value := network((t,))) != level]
    return sum(left != right for left, right in zip(signs, signs[1:], strict=False))
