"""Claims, figures and numbers of chapter 19, from the tables of `measure`.

What is sampled are seeds: of first weights, of noise, and, on grids and in pools, of what networks
see. Words of training are all that there are; long words are the same for all networks.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd

from falsestruct.evidence import Claims, Found, Part, mean, said, share, summary, where
from falsestruct.statistics import Nobody, exact, proportion
from falsestruct.success import TAKES
from falsestruct.theory import concepts

QUIET = 0.0  # noise of the networks that a claim is about
FINE = 32  # centres
LEARNT, UNFINISHED = 0.99, 0.1  # accuracy in training; share of the networks that may miss it
SHARE, DIFFERENCE = partial(mean, bounds=(0.0, 1.0)), partial(mean, bounds=(-1.0, 1.0))
PAIRS = ("joined", "apart")
# Grids or words on which a proof is tried, and its control, where no number of draws says it.
TRIED = {"near": (512, 512), "symbols": (550, 536), "restored": (550, 550)}


def proved(cases: int) -> Claims:
    """Claims in exact arithmetic; `cases` random networks and pairs of automata."""
    found: Claims = {}
    for name, (value, control) in concepts.evidence(cases).items():
        one, other = TRIED.get(name, (cases, cases))
        found[f"concepts-{name}"] = exact(float(value), one), exact(float(control), other)
    return found


def lengths(table: pd.DataFrame) -> list[int]:
    """Lengths of words that networks were tested on, increasing."""
    return sorted(int(name[3:]) for name in table.columns if name.startswith("at "))


def solved(table: pd.DataFrame, *, quiet: bool) -> pd.DataFrame:
    """Networks that are right on all words of training, trained without noise, or with the most."""
    noise = QUIET if quiet else float(table["noise"].max())
    return where(table, noise=noise, known=lambda known: known == 1)


def word_claims(table: pd.DataFrame) -> Claims:
    """Claims on longer words, and on states that are rounded, to centres or to random states."""
    quiet, loud = (solved(table, quiet=kind) for kind in (True, False))
    last = f"at {lengths(table)[-1]}"
    more, chance = (
        DIFFERENCE(quiet[f"{points} {FINE}"].astype(float) - (quiet[last] == 1))
        for points in ("rounded", "random")
    )
    return {
        "concepts-longer": (share(quiet[last] == 1), share(loud[last] == 1)),
        "concepts-certified": (more, chance),
    }


def trained(table: pd.DataFrame) -> pd.DataFrame:
    """The table, without captures of networks that did not learn what they trained on."""
    return table.assign(capture=table["capture"].where(table["accuracy"] >= LEARNT))


def difference(table: pd.DataFrame, left: Part, right: Part) -> Found:
    """Mean over seeds of some networks' capture, less that of others with the same seed.

    Nobody, if more than a tenth of the seeds have a network without a capture.
    """
    one, other = (where(table, **part).set_index("seed")["capture"] for part in (left, right))
    less = one - other
    if (missing := float(less.isna().mean())) > UNFINISHED:
        return Nobody(f"{missing:.0%} of the seeds have a network that did not learn its data")
    return DIFFERENCE(less.to_numpy())


def hint_claims(table: pd.DataFrame) -> Claims:
    """Claims on who takes a hint: by network, and by which words have labels."""
    faint, loud = float(table["hint"].min()), float(table["hint"].max())

    def less(left: tuple[str, str], right: tuple[str, str], *, size: float = faint) -> Found:
        parts = ({"network": n, "labels": label, "hint": size} for n, label in (left, right))
        return difference(trained(table), *parts)

    networks = [(name, "all") for name in ("MLP", "recurrent")]
    found: Claims = {"concepts-hint": (less(*networks), less(*networks, size=loud))}
    for name, _ in networks:
        full, half, every = ((name, labels) for labels in ("full", "half", "all"))
        found[f"concepts-labels-{name.lower()}"] = (less(full, every), less(half, full))
    return found


def distance_claim(table: pd.DataFrame) -> Claims:
    """The claim on distance; control: networks whose training set says nothing by it."""
    less = table.assign(less=table["near"] - table["far"])
    own, control = (DIFFERENCE(where(less, level=level)["less"]) for level in (False, True))
    return {"concepts-distance": (own, control)}


def asking_claims(table: pd.DataFrame) -> Claims:
    """Claims on who asks about what."""

    def less(left: tuple[str, str], right: tuple[str, str]) -> Found:
        parts = ({"way": way, "repeats": repeats} for way, repeats in (left, right))
        return difference(trained(table), *parts)

    none, unsure, chance = ((way, "any") for way in ("none", "unsure", "random"))
    spread, small, others = ((way, "none") for way in ("unsure", "small", "random"))
    return {
        "concepts-asking": (less(chance, unsure), less(none, chance)),
        "concepts-spread": (less(unsure, spread), less(unsure, ("random", "alike"))),
        "concepts-offsets": (less(small, others), less(spread, small)),
    }


def readers(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Networks that take the colour, and those that don't, by what they were trained to read."""
    return {
        "colour": where(table, what="colour", capture=lambda c: c >= TAKES),
        "orientation": where(table, what="orientation", capture=lambda c: c <= 1 - TAKES),
    }


def synthetic_claim(table: pd.DataFrame) -> Claims:
    """The claim on images that were made for readers of the colour; control: for the others."""
    colour, orientation = (SHARE(own["orientation"]) for own in readers(table).values())
    return {"concepts-synthetic": (colour, orientation)}


def right_by_length(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.lengths` draws: columns noise, length, value, low, high.

    Mean share of right labels over the networks that are right on all words of training.
    """
    own = pd.concat([solved(table, quiet=quiet) for quiet in (True, False)])
    known = [own.assign(length=n, right=own[f"at {n}"]) for n in lengths(table)]
    return summary(pd.concat(known), ["noise", "length"], "right", measure=SHARE)


def captures(table: pd.DataFrame, *by: str) -> pd.DataFrame:
    """What `figures.hints` and `figures.asked` draw: columns `by`, value, low, high.

    Of networks that learnt what they trained on.
    """
    return summary(trained(table), by, "capture", measure=SHARE)


def by_distance(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.distances` draws: share called joined, by training, pair and distance.

    Columns level, pair, distance, value, low, high.
    """
    names = [name for name in table.columns if name.partition(" ")[0] in PAIRS]
    long = table.melt(["level"], names, value_name="said").dropna(subset="said")
    long[["pair", "distance"]] = long["variable"].str.split(expand=True)
    long = long.astype({"distance": int})
    return summary(long, ["level", "pair", "distance"], "said", measure=SHARE)


def spoken(words: pd.DataFrame, hints: pd.DataFrame) -> dict[str, float | str]:
    """Numbers of the words for the prose; of hints the captures, and how well all were learnt."""
    last = f"at {lengths(words)[-1]}"
    seeds = words["seed"].nunique()
    found: dict[str, float | str] = {"longest": float(lengths(words)[-1]), "seeds": float(seeds)}
    for name, quiet in (("quiet", True), ("loud", False)):
        own = solved(words, quiet=quiet)
        long = int((own[last] == 1).sum())
        found |= {f"{name}_solved": float(len(own)), f"{name}_long": float(long)}
        found |= {f"{name}_missed": float(seeds - len(own)), f"{name}_all": spelled(long, seeds)}
        for points in own.filter(regex="^(rounded|random) ").columns:
            found[f"{name}_{points.replace(' ', '_')}"] = float(own[points].sum())
    size = np.where(hints["hint"] < hints["hint"].max(), "faint", "loud")
    own = trained(hints).assign(size=size)
    found |= {"trained": float(len(own)), "unlearnt": float(own["capture"].isna().sum())}
    found["least_hints"] = float(hints["accuracy"].min())
    return found | texts(said(own, ["network", "labels", "size"], "capture"), ".2f")


def spoken_of_others(
    grids: pd.DataFrame, asking: pd.DataFrame, synthetic: pd.DataFrame
) -> dict[str, float | str]:
    """Numbers of grids and stripes for the prose."""
    own = grids.assign(kind=np.where(grids["level"], "level", "random"), least=grids["accuracy"])
    found = said(own, "kind", ["near", "far", "accuracy"])
    found |= said(own, "kind", "least", measure=pd.Series.min)
    by, chosen = ["way", "repeats"], where(asking, way=lambda way: way != "none")
    found |= said(chosen, by, ["stripes", "swapped", "size"])
    kinds = readers(synthetic)
    found |= {f"readers_{what}": float(len(part)) for what, part in kinds.items()}
    found["unreached"] = float((~synthetic["reached"].astype(bool)).sum())
    found["unconvinced"] = 1 - float(synthetic["convinced"].mean())
    found["least_asking"] = float(asking["accuracy"].min())
    made = {f"made_{what}": float(part["orientation"].mean()) for what, part in kinds.items()}
    return found | texts(said(trained(asking), by, "capture"), ".0%") | texts(made, ".1%")


def spelled(hits: int, count: int) -> str:
    """A share of networks with its 95 % interval, as text."""
    found = proportion(np.arange(count) < hits)
    return f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"


def texts(numbers: Mapping[str, float], form: str) -> dict[str, str]:
    """Numbers as texts; a dash where there is nobody."""
    return {name: "–" if np.isnan(x) else format(x, form) for name, x in numbers.items()}
