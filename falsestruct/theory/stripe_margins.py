"""The linear rule of largest margin on the stripes, exactly: the proposition of chapter 03.

A linear rule x ↦ ⟨W, x⟩ + b has the margin ±(⟨W, x⟩ + b) on an image with the label ±1. The rule of
*largest margin* is the one of smallest norm among those with margins of at least 1 on all training
images. The norm is that of W, with b *free*, or that of W and b together, with b *counted*, as for
gradient descent (arXiv:1710.10345).

All numbers are fractions. `largest_margin` returns multipliers with the rule, and `Rule.certify`
checks the conditions of Karush, Kuhn and Tucker, which are sufficient, wherever they come from.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

SHORT = 10**6  # denominators of offsets: enough for a hundredth of any threshold here


def threshold_squared(size: int, width: int, *, counted: bool) -> Fraction:
    """The square of the offset at which the rule of largest margin changes over to colour.

    With n = qw + s, 0 < s < w, and K = s(w − s)/(q(q + 1)): K/2n² where b is free, and that times
    (K + 2w² + 2)/(K + 2) where it is counted.

    Raises:
        ValueError: the width divides the size; then orientation alone is not linearly separable.
    """
    gap = _gap(size, width)
    factor = (gap + 2 * width**2 + 2) / (gap + 2) if counted else Fraction(1)
    return gap * factor / (2 * size**2)


def threshold(size: int, width: int, *, counted: bool) -> float:
    """The offset itself."""
    return math.sqrt(threshold_squared(size, width, counted=counted))


def _gap(size: int, width: int) -> Fraction:
    """K, n times the sum of r² less w², for the row sums r of `position_weights`."""
    q, s = divmod(size, width)
    if not (q and s):
        raise ValueError(f"width {width}, size {size}; expected a width that doesn't divide a size")
    return Fraction(s * (width - s), q * (q + 1))


def position_weights(size: int, width: int) -> list[Fraction]:
    """Convex weights of the positions: weighted, the stripes cover row i with r_i.

    r_i is 1/(q + 1) on the first s of every w rows, and 1/q on the others: over each band of w
    adjacent rows it has the same sum, which makes Σ r² as small as it can be.
    """
    q, s = divmod(size, width)
    _gap(size, width)
    weights = [Fraction(0)] * (size - width + 1)
    for k in range(q):
        weights[k * width] = Fraction(q - k, q * (q + 1))
        weights[k * width + s] = Fraction(k + 1, q * (q + 1))
    return weights


@dataclass(frozen=True)
class Rule:
    """A linear rule with what certifies it.

    W is Σ over positions p of horizontal_p times the horizontal stripe at p, less the same for
    vertical ones.

    Attributes:
        size, width, offset: Of the problem.
        horizontal, vertical: A multiplier for each training image, by position.
        b: The intercept.
        counted: Whether it counts in the norm.
    """

    size: int
    width: int
    offset: Fraction
    horizontal: tuple[Fraction, ...]
    vertical: tuple[Fraction, ...]
    b: Fraction
    counted: bool

    def margins(self, offset: Fraction) -> tuple[list[Fraction], list[Fraction]]:
        """Margins of the horizontal stripes with −offset and the vertical ones with +offset.

        Positive where the orientation's label is given; `-self.offset` makes the conflict set.
        """
        n, w, a = self.size, self.width, self.offset
        up, across = sum(self.horizontal), sum(self.vertical)
        # ⟨W, 1⟩, and ⟨W, stripe⟩ at each position: two stripes across each other share w² pixels.
        whole = n * w * (up - across) - a * (up + across) * n**2
        level = -a * (up + across) * n * w
        rows = [n * one - w**2 * across + level for one in self._over(self.horizontal)]
        columns = [w**2 * up - n * one + level for one in self._over(self.vertical)]
        return (
            [x - offset * whole + self.b for x in rows],
            [-(x + offset * whole + self.b) for x in columns],
        )

    def _over(self, weights: tuple[Fraction, ...]) -> list[Fraction]:
        """Rows shared by the stripe at each position and the weighted ones."""
        w, last = self.width, len(weights)
        return [
            sum((weights[k] * (w - abs(k - p)) for k in range(max(0, p - w + 1), min(last, p + w))),
                Fraction(0))
            for p in range(last)
        ]  # fmt: skip

    def certify(self) -> bool:
        """Is this the rule of largest margin? Feasible, stationary, complementary."""
        multipliers = (*self.horizontal, *self.vertical)
        margins = [one for part in self.margins(self.offset) for one in part]
        balance = sum(self.horizontal) - sum(self.vertical)
        return (
            all(one >= 0 for one in multipliers)
            and all(one >= 1 for one in margins)
            and all(one == 1 for m, one in zip(multipliers, margins, strict=True) if m)
            and balance == (self.b if self.counted else 0)
        )

    def read_by_colour(self) -> int:
        """How many images of the conflict set it reads by colour, of twice the positions."""
        return sum(one < 0 for part in self.margins(-self.offset) for one in part)


def largest_margin(size: int, width: int, offset: Fraction, *, counted: bool) -> Rule:
    """The rule of largest margin on the training set that the paper describes.

    Args:
        offset: At least 0.
    """
    n, w, a, gap = size, width, offset, _gap(size, width)
    if not counted:
        up = across = 1 / (gap + 2 * a**2 * n**2)
        b = 2 * a * n * w * up
    elif 2 * a * n * w < gap + 2 * w**2 + 2:
        skew = 2 * a * n * w / (gap + 2 * w**2 + 2)  # b over the sum of all multipliers
        total = 2 / (gap + 2 * a**2 * n**2 - 2 * a * n * w * skew)
        up, across, b = total * (1 + skew) / 2, total * (1 - skew) / 2, total * skew
    else:  # the vertical images are further away, and don't count
        up = 1 / (gap + w**2 - 2 * a * n * w + a**2 * n**2 + 1)
        across, b = Fraction(0), up
    weights = position_weights(n, w)
    scaled = [tuple(total * one for one in weights) for total in (up, across)]
    return Rule(n, w, a, scaled[0], scaled[1], b, counted)


def misread(sizes: Iterable[tuple[int, int]], *, as_if_free: bool = False) -> int:
    """Images of the conflict set that certified rules read otherwise than the proposition says.

    At offsets one hundredth below and above the threshold, and at ten times it, with b free and
    with b counted.

    Args:
        sizes: Pairs of a size and a width.
        as_if_free: The control: the threshold for a free b is taken for both.

    Raises:
        ArithmeticError: a rule is not the one of largest margin.
    """
    wrong = 0
    for size, width in sizes:
        for counted in (False, True):
            at = threshold(size, width, counted=counted and not as_if_free)
            for factor in (0.99, 1.01, 10.0):
                offset = Fraction(factor * at).limit_denominator(SHORT)
                rule = largest_margin(size, width, offset, counted=counted)
                if not rule.certify():
                    raise ArithmeticError(f"{rule}: not the rule of largest margin")
                every = 2 * (size - width + 1)
                read = rule.read_by_colour()
                wrong += read if factor < 1 else every - read
    return wrong


def all_sizes(largest: int, widths: Iterable[int]) -> list[tuple[int, int]]:
    """Every size up to `largest` with every width that doesn't divide it and is smaller."""
    return [(n, w) for w in widths for n in range(w + 1, largest + 1) if n % w]
