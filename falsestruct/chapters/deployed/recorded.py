"""The recorded runs of chapter 21 about lines of text.

Fonts are read from a folder into which packages were unpacked, as `deployed.fonts` says.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from falsestruct.deployed import fonts, perturbed, reading
from falsestruct.deployed import lines as drawing
from falsestruct.deployed.graph import Graph


def origins(*, script: str, folder: str) -> pd.DataFrame:
    """Where each font of a script comes from, and which network is asked.

    Columns: those of `Font.origin`, script, model, and hash of the network.
    """
    who = drawing.identity()
    found = [font.origin() for font in fonts.listed(script, Path(folder))]
    model = f"{who['package']} {who['version']}, {who['model']}"
    return pd.DataFrame(found).assign(script=script, model=model, hash=who["sha256"])


def asked(*, script: str, folder: str, each: int, seed: int) -> pd.DataFrame:
    """`reading.asked`."""
    network, own = drawing.Directions(), fonts.listed(script, Path(folder))
    return reading.asked(own, network.turns, script=script, each=each, seed=seed)


def cropped(*, script: str, folder: str, each: int, seed: int) -> pd.DataFrame:
    """`reading.cropped`."""
    network, own = drawing.Directions(), fonts.listed(script, Path(folder))
    return reading.cropped(own, network.turns, script=script, each=each, seed=seed)


def smallest(
    *, script: str, folder: str, each: int, seed: int, bar: float, steps: int
) -> pd.DataFrame:
    """`perturbed.smallest` of words, both ways, of those that are read rightly at this bar.

    Columns: also script, family, turned, bar. Only the line whose change has the middle size keeps
    its pictures.
    """
    network, graph, rows = drawing.Directions(), Graph(drawing.model()), []
    for font in fonts.listed(script, Path(folder)):
        upright = reading.drawn("words", font, script=script, each=each, seed=seed)
        for way in (False, True):
            both = perturbed.pictures([drawing.turned(one) if way else one for one in upright])
            right = (network.scores(both) > bar) == way
            shown = [line for line, known in zip(both, right, strict=True) if known]
            if shown:
                found = perturbed.smallest(shown, network, graph, bar=bar, steps=steps, seed=seed)
                rows.append(found.assign(family=font.family, turned=way))
    table = pd.concat(rows, ignore_index=True).assign(script=script, bar=bar)
    middle = (table["size"] - table["size"].median()).abs().idxmin()
    table.loc[table.index != middle, ["clean", "changed"]] = ""
    return table.drop(columns="before")
