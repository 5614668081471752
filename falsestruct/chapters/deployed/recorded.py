"""The recorded runs of chapter 21 about lines of text.

Fonts are read from a folder into which packages were unpacked, as `deployed.fonts` says.
"""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pandas as pd

from falsestruct.deployed import fonts, perturbed, reading
from falsestruct.deployed import lines as drawing
from falsestruct.deployed.graph import Graph

USED = ("onnxruntime", "onnx", "foolbox", "pillow", "opencv-python")


def origins(*, script: str, folder: str) -> pd.DataFrame:
    """Where each font of a script comes from, and which network is asked.

    Columns: those of `Font.origin`, script, model, hash of the network, and by, the packages with
    which lines are drawn and asked about.
    """
    who = drawing.identity()
    found = [font.origin() for font in fonts.listed(script, Path(folder))]
    model = f"{who['package']} {who['version']}, {who['model']}"
    by = ", ".join(f"{name} {_version(name)}" for name in USED)
    return pd.DataFrame(found).assign(script=script, model=model, hash=who["sha256"], by=by)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "is missing"


def asked(*, script: str, folder: str, each: int, seed: int) -> pd.DataFrame:
    """`reading.asked`."""
    network, own = drawing.Directions(), fonts.listed(script, Path(folder))
    return _by(reading.asked(own, network.scores, script=script, each=each, seed=seed))


def cropped(*, script: str, folder: str, each: int, seed: int) -> pd.DataFrame:
    """`reading.cropped`."""
    network, own = drawing.Directions(), fonts.listed(script, Path(folder))
    return _by(reading.cropped(own, network.scores, script=script, each=each, seed=seed))


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
    return _by(table.round({"before": 6, "after": 6, "noise ratio": 4, "loud": 2}))


def _by(table: pd.DataFrame) -> pd.DataFrame:
    """Which network answered: `Directions` takes no other."""
    return table.assign(network=drawing.HASH[:12])
