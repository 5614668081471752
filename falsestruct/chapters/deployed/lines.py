"""Stripes in the wild: lines of text, upright and turned, and what of them the answers follow.

Families of fonts are the unit: every number is a mean over families of their own shares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from falsestruct.deployed import lines
from falsestruct.evidence import Claims, Found, extreme, mean, where

MARGIN, RULE = 40, 4  # pixels, of a line of 48 rows
KINDS = ("words", "boxes", "small", "alike", "high", "low")
CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "even": lambda line: line,
    "margin above": lambda line: lines.margin(line, MARGIN, "above"),
    "margin right": lambda line: lines.margin(line, MARGIN, "right"),
    "overline": lambda line: lines.ruled(line, RULE, "above"),
    "rule right": lambda line: lines.ruled(line, RULE, "right"),
}
Turns = Callable[[Sequence[np.ndarray]], np.ndarray]


def asked(fonts: Mapping[str, Path], turns: Turns, *, each: int, seed: int) -> pd.DataFrame:
    """What a reader says of lines of each family, kind and change, both ways.

    Changes are made to words alone. A change keeps the way of a line: it is made first, and the
    whole picture is turned then.

    Args:
        fonts: As `lines.families` gives them.
        turns: From lines to whether each would be turned.
        each: Lines of a family and kind; the same texts in all families.

    Returns:
        Columns family, kind, change, turned (the truth), right, and high: whether the ink of the
        line as it is shown lies in its upper half.
    """
    rows = []
    for kind in KINDS:
        drawn = lines.boxed if kind == "boxes" else lines.drawn
        like = "words" if kind == "boxes" else kind
        texts = [lines.text(like, np.random.default_rng([seed, i])) for i in range(each)]
        for family, font in fonts.items():
            plain = [drawn(text, font) for text in texts]
            for change in CHANGES if kind == "words" else ("even",):
                made = [CHANGES[change](line) for line in plain]
                for way in (False, True):
                    shown = [lines.turned(line) if way else line for line in made]
                    rows += [
                        {"family": family, "kind": kind, "change": change, "turned": way,
                         "right": float(said == way), "high": lines.ink_is_high(line)}
                        for line, said in zip(shown, turns(shown), strict=True)
                    ]  # fmt: skip
    return pd.DataFrame(rows)


def share(table: pd.DataFrame, column: str = "right") -> Found:
    """Mean over families of their shares."""
    each = table.groupby("family")[column].mean()
    return mean(each.to_numpy(dtype=float), bounds=(0.0, 1.0))


def worse(table: pd.DataFrame) -> Found:
    """The share read rightly, for the way in which it is smaller."""
    return extreme([share(where(table, turned=way)) for way in (False, True)], min)


def cost(table: pd.DataFrame, change: str) -> Found:
    """Right answers that a change costs, family by family."""
    each = where(table, kind="words").groupby(["family", "change"])["right"].mean().unstack()
    return mean((each["even"] - each[change]).to_numpy(dtype=float), bounds=(-1.0, 1.0))


def claims(table: pd.DataFrame) -> Claims:
    """All claims about lines, from `asked`."""
    even = where(table, change="even")
    kinds = {kind: where(even, kind=kind) for kind in KINDS}
    drawn = pd.concat([kinds["high"], kinds["low"]])
    # Upright lines with high ink, turned ones with high ink when upright, and so on.
    parts = [drawn[(drawn["high"] ^ drawn["turned"]) == high] for high in (False, True)]
    said = drawn["turned"] == (drawn["right"] == 1)  # whether it was called turned
    foretold = drawn.assign(foretold=(said != drawn["high"]).astype(float))
    return {
        "lines-read": (worse(kinds["words"]), worse(kinds["boxes"])),
        "lines-letters": (worse(kinds["small"]), worse(kinds["boxes"])),
        "lines-height": (extreme(map(worse, parts), min), share(foretold, "foretold")),
        "lines-margin": (cost(table, "margin above"), cost(table, "margin right")),
        "lines-overline": (cost(table, "overline"), cost(table, "rule right")),
    }
