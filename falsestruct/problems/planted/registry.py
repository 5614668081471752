"""All planted problems by name, at their usual strengths.

What imports this reaches every problem; who needs one only imports that.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from falsestruct.problems.planted import Planted
from falsestruct.problems.planted import digits as patterns
from falsestruct.problems.planted.digits import digits
from falsestruct.problems.planted.oscillation import oscillation
from falsestruct.problems.planted.stripes import stripes

PROBLEMS: dict[str, Callable[[float], Planted]] = {
    "stripes": stripes,
    "oscillation": oscillation,
    "digits-brightness": lambda strength: digits("brightness", strength),
    "digits-pixel": lambda strength: digits("pixel", strength),
    "digits-sinusoid": lambda strength: digits("sinusoid", strength),
}
# Strong enough that most architectures take the false structure; chapters 05 and 08 say which do.
STRENGTHS = {"stripes": 0.1, "oscillation": 1e-2} | patterns.STRENGTHS


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
