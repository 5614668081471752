"""Readers of one structure beside readers of the other: the tables of the chapter on instability.

A table has a row a network, with the columns of `portrait` and problem, architecture, strength, rho
and seed.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from falsestruct.evidence import where
from falsestruct.instability.rules import STRIPE_RADIUS, original_distance
from falsestruct.instability.trained import SWEPT
from falsestruct.problems.planted.registry import STRENGTHS, by_name
from falsestruct.success import TAKES, crossover

READS = 0.9  # share of the conflict set from which a network counts as a reader of one structure
BAND = (0.5, 2.0)  # sizes between half and twice the structure's distance count as its own
FAINT = 0.5  # of the usual strength: there the brightness is less stable than parity


def usual(networks: pd.DataFrame, rho: float) -> pd.DataFrame:
    """The networks trained at the usual strength and this ρ."""
    strengths = networks["problem"].map(STRENGTHS).astype(float)  # a problem may be left out
    return networks[np.isclose(networks["strength"], strengths) & (networks["rho"] == rho)]


def readers(networks: pd.DataFrame) -> pd.DataFrame:
    """Those that read the false structure."""
    return where(networks, capture=lambda c: c >= READS)


def swept(networks: pd.DataFrame) -> pd.DataFrame:
    """Those that are trained at every strength."""
    return networks[networks["architecture"] == networks["problem"].map(SWEPT)]


def in_band(table: pd.DataFrame) -> pd.Series:
    """Which networks have perturbations of the false structure's size, for either label."""
    both = [table[f"ratio_{label}"].between(*BAND) for label in (0, 1)]
    return both[0] & both[1]


def quotients(networks: pd.DataFrame) -> pd.DataFrame:
    """Size of each reader of the false structure over that of its pair, who reads the original.

    At the usual strength. Columns: problem, architecture, seed, quotient.
    """
    free = where(usual(networks, 0.5), capture=lambda c: c <= 1 - READS)
    return pairs(readers(usual(networks, 1.0)), free)


def faint(networks: pd.DataFrame, rho: float) -> pd.DataFrame:
    """MLPs on digits whose brightness has half of the usual strength."""
    name = "digits-brightness"
    return where(swept(networks), problem=name, strength=FAINT * STRENGTHS[name], rho=rho)


def faint_quotients(networks: pd.DataFrame) -> pd.DataFrame:
    """As `quotients` of the `faint` ones, each of which takes its structure."""
    free = where(faint(networks, 0.5), capture=lambda c: c <= 1 - TAKES)
    return pairs(where(faint(networks, 1.0), capture=lambda c: c >= TAKES), free)


def pairs(left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
    """The size of each network by that of its pair in the other table."""
    keys = ["problem", "architecture", "seed"]
    both = left.merge(right, on=keys, suffixes=("_left", "_right"))
    return both[keys].assign(quotient=both["size_left"] / both["size_right"])


def weakest_pairs(networks: pd.DataFrame) -> pd.DataFrame:
    """The same, whatever they read, of those that are swept, where the false signal is weakest."""
    own = swept(networks)
    weakest = own[own["strength"] == own.groupby("problem")["strength"].transform("min")]
    return pairs(where(weakest, rho=1.0), where(weakest, rho=0.5))


def originals(networks: pd.DataFrame) -> pd.DataFrame:
    """Those that read the orientation of the stripes, with the share `inherited` of its radius."""
    own = where(usual(networks, 0.5), problem="stripes", capture=lambda c: c <= 1 - READS)
    return own.assign(inherited=own["size"] / STRIPE_RADIUS)


def slopes(table: pd.DataFrame) -> list[float]:
    """Slope of log size against log radius of each seed that has at least two strengths."""
    return [
        float(np.polyfit(np.log(own["radius"]), np.log(own["size"]), 1)[0])
        for _, own in table.groupby("seed")
        if own["radius"].nunique() > 1
    ]


def size_table(networks: pd.DataFrame) -> pd.DataFrame:
    """Size beside the two structures' distances, one row a network.

    Columns: problem, radius, size, group (what it reads), original (`rules.original_distance`).
    """
    group = np.select(
        [networks["capture"] >= READS, networks["capture"] <= 1 - READS],
        ["reads the false structure", "reads the original"],
        "a mixture, or neither",
    )
    table = networks[["problem", "radius", "size"]]
    return table.assign(group=group, original=networks["problem"].map(original_distance))


def said_of_faint(networks: pd.DataFrame) -> dict[str, float]:
    """Strengths at which MLPs side with the brightness, and as of which parity is less stable.

    Keys: side, equal; readers, originals: sizes at half of the usual strength, of `faint`; usual,
    norm, the usual strength and its Euclidean norm; parity, the proved part of its ℓ2 radius.
    """
    name = "digits-brightness"
    own = where(swept(networks), problem=name, rho=1.0).groupby("strength")["capture"].mean()
    if not len(own):
        return {}
    at = torch.tensor(own.index.to_numpy()), torch.tensor(own.to_numpy())
    sizes = {
        key: float(np.exp(np.log(faint(networks, rho)["size"]).mean()))
        for key, rho in (("readers", 1.0), ("originals", 0.5))
    }
    usual, equal = STRENGTHS[name], original_distance(name)
    root = by_name(name).direction.numel() ** 0.5
    norms = {"usual": usual, "norm": root * usual, "parity": root * equal}
    return {"side": crossover(*at), "equal": equal} | sizes | norms
