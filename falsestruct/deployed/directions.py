"""Stripes in the wild: what of lines of text, upright and turned, the answers follow.

Families of fonts are the unit, each with texts of its own: every number is a mean over families of
their own shares.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from falsestruct.deployed import lines, reading
from falsestruct.deployed.fonts import Font
from falsestruct.deployed.reading import SCRIPTS
from falsestruct.evidence import Claims, Found, Pair, extreme, mean, ratio, summary, where
from falsestruct.names import slug
from falsestruct.statistics import Estimate


def share(table: pd.DataFrame, column: str = "right") -> Found:
    """Mean over families of their shares, each over all lines."""
    known = table.dropna(subset=column)
    sums = (known[column] * known["lines"]).groupby(known["family"]).sum()
    each = sums / known.groupby("family")["lines"].sum()
    return mean(each.to_numpy(dtype=float), bounds=(0.0, 1.0))


def worse(
    table: pd.DataFrame, *, column: str = "right", large: bool = False, **part: object
) -> Found:
    """The share read rightly, or another, for the way in which it is smaller, or larger."""
    own = where(table, **part)
    both = [share(where(own, turned=way), column) for way in (False, True)]
    return extreme(both, max if large else min)


def cost(table: pd.DataFrame, change: str, *, beside: str = "even") -> Found:
    """Right answers to words that a change costs beside another, family by family."""
    each = where(table, kind="words").groupby(["family", "change"])["right"].mean().unstack()
    return mean((each[beside] - each[change]).to_numpy(dtype=float), bounds=(-1.0, 1.0))


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
            "undecided": (worse(even, kind="boxes", column="doubt"),
                          worse(even, kind="words", column="doubt", large=True)),
            "pieces": (worse(even, kind="sides"), worse(even, kind="ends")),
            **_of_changes(where(smallest, script=script)),
        }  # fmt: skip
        if script == "Latin":
            parts |= _of_letters(even)
            parts["side"] = (cost(own, "margin above", beside="margin below"),
                             cost(own, "margin above", beside="margin both"))  # fmt: skip
        found |= {slug(script, f"lines-{name}"): pair for name, pair in parts.items()}
    return found


def _of_letters(even: pd.DataFrame) -> Claims:
    """Claims about Latin letters and where their ink lies."""
    inks = ("ink high", "ink low")
    return {
        "letters": (worse(even, kind="small"), worse(even, kind="small boxes")),
        "hung": (worse(even, kind="hung"), worse(even, kind="hung boxes")),
        "height": (extreme([worse(even, kind=kind) for kind in inks], min),
                   share(where(even, kind=list(inks)), "foretold")),
    }  # fmt: skip


def _of_changes(own: pd.DataFrame) -> Claims:
    """Claims about the smallest changes, from `perturbed.smallest` of one script."""
    names = ["small", "noise", "own", "order", "other"]
    each = own.groupby("family")[
        [*(f"{name} flips" for name in names), "ratio", "noise ratio"]
    ].mean()
    small, noise, again, order, other = (
        mean(each[f"{name} flips"].to_numpy(dtype=float), bounds=(0.0, 1.0)) for name in names
    )
    # Quotients of sizes: a geometric mean.
    return {
        "smallest": (small, noise),
        "own-change": (other, again),
        "order": (order, again),
        "distance": (ratio(each["ratio"]), ratio(each["noise ratio"])),
    }


def numbers(asked: pd.DataFrame, crops: pd.DataFrame, smallest: pd.DataFrame) -> dict[str, float]:
    """What the text names, by script, shares over families.

    boxes, signs: the mean answer for "turned" for boxes and for turned signs; upright, topped: how
    many mirrored lines are read as their top says, mirrored left to right and top to bottom;
    above, below, both: of turned lines with so much white read rightly, above_16 to above_32 with
    less; kept: of upright lines with white above; halves: of turned lines with white above, the
    share with an answer above one half; alike: look-alike signs read rightly, the worse way;
    alternated, likewise, where every second sign is turned; found: lines at which the detector
    finds one box; white: most white rows above or below a crop's ink; lines: how many were changed;
    some: of these, for how many a change was found; noisy_upright, noisy_turned: how many a larger
    random one takes, and loud, the middle size of these, in grey levels.
    """
    found: dict[str, float] = {}
    for script in SCRIPTS:
        own, cut = where(asked, script=script), where(crops, script=script)
        named = _of_asked(own) | _of_changed(where(smallest, script=script))
        cut = where(cut, kind="words", change="even")
        named |= {"found": cut["found"].mean(), "white": cut["white"].max()}
        found |= {f"{script.lower()}_{name}": float(value) for name, value in named.items()}
    return found


def _of_asked(own: pd.DataFrame) -> dict[str, float]:
    def one(kind: str, change: str = "even", column: str = "right", **part: object) -> float:
        return float(where(own, kind=kind, change=change, **part)[column].mean())

    words = {change: one("words", change, turned=True)
             for change in own["change"].unique() if change.startswith("margin")}  # fmt: skip
    return {
        "boxes": one("boxes", column="answer"), "signs": one("words", column="answer", turned=True),
        "upright": one("words", "mirrored", turned=False),
        "topped": one("words", "mirrored", turned=True),
        "above": words["margin above"], "below": words["margin below"],
        "both": words["margin both"],
        **{f"above_{size}": words[f"margin above {size}"] for size in (16, 24, 32)},
        "kept": one("words", "margin above", turned=False),
        "halves": one("words", "margin above", column="half", turned=True),
        "alike": min(one("alike", turned=way) for way in (False, True)),
        "sides": min(one("sides", turned=way) for way in (False, True)),
        "alternated": min(one("alternated", turned=way) for way in (False, True)),
    }  # fmt: skip


def _of_changed(own: pd.DataFrame) -> dict[str, float]:
    noisy = own["loud"].notna()
    return {
        "lines": len(own), "some": own["size"].notna().mean(), "loud": own["loud"].median(),
        "noisy_upright": noisy[~own["turned"].astype(bool)].mean(),
        "noisy_turned": noisy[own["turned"].astype(bool)].mean(),
    }  # fmt: skip


def sizes(smallest: pd.DataFrame) -> pd.DataFrame:
    """The sizes of the smallest changes by script and way, grey levels: middle size in each family,
    mean over families with its interval. Columns script, way, lines, size, from, to."""
    rows = list[dict[str, object]]()
    for (script, way), own in smallest.groupby(["script", "turned"], sort=False):
        found = mean(own.groupby("family")["size"].median().to_numpy(dtype=float))
        row = {"script": script, "way": "turned" if way else "upright", "lines": len(own)}
        ends = (
            {"size": found.value, "from": found.low, "to": found.high}
            if isinstance(found, Estimate)
            else {}
        )
        rows.append(row | ends)
    return pd.DataFrame(rows).round(1)


def shown(smallest: pd.DataFrame) -> pd.DataFrame:
    """For a figure: of each script the line whose pictures were kept."""
    own = where(smallest, clean=lambda column: column != "")
    return own[["script", "turned", "before", "after", "size", "clean", "changed"]]


ROWS = {  # of the figure of lines: kind and change, and what a reader calls it
    ("words", "even"): "text",
    ("boxes", "even"): "a box for each sign",
    ("small", "even"): "letters a c e m n r u v w",
    ("alike", "even"): "signs alike when turned",
    ("hung", "even"): "letters hang from a line",
    ("words", "mirrored"): "mirrored text",
    ("sides", "even"): "halves of signs exchanged",
    ("words", "margin above"): "white above",
    ("words", "margin below"): "white below",
    ("words", "margin both"): "white above and below",
    ("words", "margin right"): "white at the end",
    ("words", "overline"): "a rule above",
    ("words", "rule right"): "a rule at the end",
}


def lines_read(asked: pd.DataFrame) -> pd.DataFrame:
    """What the figure of lines draws: script, row, turned, value, low, high, n over families."""
    parts = []
    for (kind, change), row in ROWS.items():
        own = where(asked, kind=kind, change=change)
        parts.append(summary(own, ["script", "turned"], None, measure=share).assign(row=row))
    return pd.concat(parts, ignore_index=True)


def live(*, each: int = 6, seed: int = 1) -> pd.DataFrame:
    """Lines in a font that comes with matplotlib, asked now: kind, turned, right, answer."""
    import matplotlib

    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    table = reading.asked([Font("DejaVu Sans", path)], lines.Directions().scores, script="Latin",
                          each=each, seed=seed)  # fmt: skip
    own = where(table, kind=["words", "boxes"], change="even")
    return own[["kind", "turned", "right", "answer"]].reset_index(drop=True)
