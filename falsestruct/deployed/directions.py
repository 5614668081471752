"""Stripes in the wild: what of lines of text, upright and turned, the answers follow.

Families of fonts are the unit: every number is a mean over families of their own shares.
"""

from __future__ import annotations

import pandas as pd

from falsestruct.deployed import lines
from falsestruct.deployed.reading import SCRIPTS
from falsestruct.evidence import Claims, Found, Pair, extreme, mean, ratio, where
from falsestruct.names import slug


def share(table: pd.DataFrame, column: str = "right") -> Found:
    """Mean over families of their shares, each over all lines."""
    known = table.dropna(subset=column)
    sums = (known[column] * known["lines"]).groupby(known["family"]).sum()
    each = sums / known.groupby("family")["lines"].sum()
    return mean(each.to_numpy(dtype=float), bounds=(0.0, 1.0))


def worse(table: pd.DataFrame, **part: object) -> Found:
    """The share read rightly, for the way in which it is smaller."""
    own = where(table, **part)
    return extreme([share(where(own, turned=way)) for way in (False, True)], min)


def cost(table: pd.DataFrame, change: str) -> Found:
    """Right answers to words that a change costs, family by family."""
    each = where(table, kind="words").groupby(["family", "change"])["right"].mean().unstack()
    return mean((each["even"] - each[change]).to_numpy(dtype=float), bounds=(-1.0, 1.0))


def claims(table: pd.DataFrame, crops: pd.DataFrame, smallest: pd.DataFrame) -> Claims:
    """All claims about lines, from the recorded runs asked, cropped and smallest."""
    found: Claims = {}
    for script in SCRIPTS:
        own, cut = where(table, script=script), where(crops, script=script)
        even = where(own, change="even")
        parts: dict[str, Pair] = {
            "read": (worse(even, kind="words"), worse(even, kind="boxes")),
            "alike": (worse(even, kind="alike"), worse(even, kind="alike boxes")),
            "mirrored": (worse(own, kind="words", change="mirrored"),
                         worse(even, kind="alternated")),
            "margin": (cost(own, "margin above"), cost(own, "margin both")),
            "overline": (cost(own, "overline"), cost(own, "rule right")),
            "cropped": (worse(cut, kind="words", change="even"),
                        worse(cut, kind="boxes", change="even")),
            "cropped-overline": (cost(cut, "overline"), cost(cut, "rule right")),
            **_of_changes(where(smallest, script=script, bar=lines.SURE)),
        }  # fmt: skip
        if script == "Latin":
            parts |= _of_letters(even)
        found |= {slug(script, f"lines-{name}"): pair for name, pair in parts.items()}
    return found


def _of_letters(even: pd.DataFrame) -> Claims:
    """Claims about Latin letters and where their ink lies."""
    inks = ("ink high", "ink low")
    return {
        "letters": (worse(even, kind="small"), worse(even, kind="boxes")),
        "hung": (worse(even, kind="hung"), worse(even, kind="hung boxes")),
        "height": (extreme([worse(even, kind=kind) for kind in inks], min),
                   share(where(even, kind=list(inks)), "foretold")),
    }  # fmt: skip


def _of_changes(own: pd.DataFrame) -> Claims:
    """Claims about the smallest changes, from `perturbed.smallest` of one script and bar."""
    each = own.groupby("family")[["small flips", "noise flips", "ratio", "noise ratio"]].mean()
    small, noise = (mean(each[name].to_numpy(dtype=float), bounds=(0.0, 1.0))
                    for name in ("small flips", "noise flips"))  # fmt: skip
    # Quotients of sizes: a geometric mean.
    return {
        "smallest": (small, noise),
        "distance": (ratio(each["ratio"]), ratio(each["noise ratio"])),
    }


def numbers(crops: pd.DataFrame, smallest: pd.DataFrame) -> dict[str, float]:
    """What the text names. By script: found, the share of lines at which the detector finds one
    box; size, half, the middle sizes of the smallest changes found at the package's bar and at one
    half, grey levels; some, the share of lines for which one was found at the package's bar."""
    found: dict[str, float] = {}
    for script in SCRIPTS:
        cut = where(crops, script=script, kind="words", change="even")
        own, half = (where(smallest, script=script, bar=bar) for bar in (lines.SURE, 0.5))
        named = {"found": cut["found"].mean(), "size": own["size"].median(),
                 "half": half["size"].median(), "some": own["size"].notna().mean()}  # fmt: skip
        found |= {f"{script.lower()}_{name}": float(value) for name, value in named.items()}
    return found


def shown(smallest: pd.DataFrame) -> pd.DataFrame:
    """For a figure: of each script the line whose pictures were kept, at the package's bar."""
    own = where(smallest, bar=lines.SURE, clean=lambda column: column != "")
    return own[["script", "size", "clean", "changed"]]
