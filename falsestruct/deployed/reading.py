"""What a reader says of lines of text, upright and turned, family by family of fonts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from falsestruct.deployed import lines
from falsestruct.deployed.fonts import Font
from falsestruct.deployed.pages import Detector, page

SCRIPTS = ("Latin", "Chinese")
SIGNS = {"Latin": 10, "Chinese": 5}  # of a line: about as wide as the network's input
MARGIN, RULE = 40, 4  # pixels, of a line of 48 rows
MARGINS = (8, 16, 24, 32)  # smaller ones, for the curve
KINDS = {
    "Latin": ("words", "boxes", "alternated", "small", "alike", "alike boxes", "high", "low",
              "hung", "hung boxes"),
    "Chinese": ("words", "boxes", "alternated", "alike", "alike boxes"),
}  # fmt: skip
CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "even": lambda line: line,
    "mirrored": lines.mirrored,
    "margin above": lambda line: lines.margin(line, MARGIN, "above"),
    "margin both": lambda line: lines.margin(line, MARGIN, "both"),
    "margin right": lambda line: lines.margin(line, MARGIN, "right"),
    "overline": lambda line: lines.ruled(line, RULE, "above"),
    "rule right": lambda line: lines.ruled(line, RULE, "right"),
} | {
    f"margin above {size}": lambda line, size=size: lines.margin(line, size, "above")
    for size in MARGINS
}  # fmt: skip
CROPPED = ("even", "overline", "rule right")  # made on the page, before the detector looks
Turns = Callable[[Sequence[np.ndarray]], np.ndarray]


def drawn(kind: str, font: Font, *, script: str, each: int, seed: int) -> list[np.ndarray]:
    """Lines of a kind, the same texts in all fonts."""
    base = kind.removesuffix(" boxes")
    like = "words" if base in ("boxes", "alternated", "hung") else base
    texts = [lines.text(like, np.random.default_rng([seed, i]), script=script, signs=SIGNS[script])
             for i in range(each)]  # fmt: skip
    if kind == "alternated":
        # By turns: of five signs, two or three are turned.
        return [lines.alternated(text, font, first=i % 2) for i, text in enumerate(texts)]
    look = {"boxes": kind.endswith("boxes"), "hung": base == "hung"}
    return [lines.drawn(text, font, **look) for text in texts]


def asked(
    fonts: Sequence[Font], turns: Turns, *, script: str, each: int, seed: int
) -> pd.DataFrame:
    """What a reader says of lines of each family, kind and change, both ways.

    Changes are made to words alone. A change keeps the way of a line: it is made first, and the
    whole picture is turned then. The kinds "ink high" and "ink low" are the lines of the kinds high
    and low once more, by where the ink of the upright line lies.

    Args:
        turns: From lines to whether each would be turned.
        each: Lines of a family and kind.

    Returns:
        Columns script, family, kind, change, turned (the truth), right (the share), lines (of how
        many), and foretold: of the kinds ink high and ink low, the share of answers that "ink above
        the middle is upright" foretells.
    """
    parts = []
    for kind in KINDS[script]:
        for font in fonts:
            plain = drawn(kind, font, script=script, each=each, seed=seed)
            changes = CHANGES if kind == "words" else ("even",)
            parts += [_read(kind, plain, turns, change).assign(family=font.family)
                      for change in changes]  # fmt: skip
    keys = ["family", "kind", "change", "turned"]
    found = pd.concat(parts).groupby(keys, sort=False)
    table = found[["right", "foretold"]].mean().assign(lines=found.size()).reset_index()
    return table.assign(script=script)


def _read(kind: str, plain: Sequence[np.ndarray], turns: Turns, change: str) -> pd.DataFrame:
    """A row a line and way, and two for the kinds high and low."""
    ink = np.array(["ink high" if lines.ink_is_high(line) else "ink low" for line in plain])
    made, rows = [CHANGES[change](line) for line in plain], []
    for way in (False, True):
        shown = [lines.turned(line) if way else line for line in made]
        said = np.asarray(turns(shown), dtype=bool)
        own = pd.DataFrame({"kind": kind, "change": change, "turned": way, "right": said == way})
        rows.append(own.assign(foretold=np.nan))
        if kind in ("high", "low"):
            low = np.array([not lines.ink_is_high(line) for line in shown])
            rows.append(own.assign(kind=ink, foretold=(said == low).astype(float)))
    return pd.concat(rows)


def cropped(
    fonts: Sequence[Font], turns: Turns, *, script: str, each: int, seed: int
) -> pd.DataFrame:
    """The same for words on a page, all upright or all turned, as the package's detector crops
    them; boxes in place of signs are cropped where the signs were.

    Returns:
        Columns as `asked` without foretold, and found: the share of lines at which the detector
        finds one box.
    """
    detector, rows = Detector(), []
    for font in fonts:
        own = {kind: drawn(kind, font, script=script, each=each, seed=seed)
               for kind in ("words", "boxes")}  # fmt: skip
        for change in CROPPED:
            for way in (False, True):
                pages = {kind: page([CHANGES[change](line) for line in drawings])
                         for kind, drawings in own.items()}  # fmt: skip
                pages = {kind: one.turned() if way else one for kind, one in pages.items()}
                quads = detector.quads(pages["words"])
                for kind in own if change == "even" else ("words",):
                    shown = [crop for crop in detector.crops(pages[kind], quads)
                             if crop is not None]  # fmt: skip
                    right = float(np.mean(turns(shown) == way)) if shown else np.nan
                    rows.append({
                        "script": script, "family": font.family, "kind": kind, "change": change,
                        "turned": way, "right": right, "lines": len(shown),
                        "found": len(shown) / each,
                    })  # fmt: skip
    return pd.DataFrame(rows)
