"""Chapter 09: from tables to estimates, a claim's id to its estimate and its control."""

from __future__ import annotations

import pandas as pd

from falsestruct.chapters.characterise.measure import BLOCK, DIGITS, KINDS
from falsestruct.characterise.search import LEVEL, NONE
from falsestruct.evidence import Claims, ratio, share, where
from falsestruct.statistics import exact

MAY_BE_NAMED = ("untrained", "shuffled")  # of the null networks


def name_estimates(table: pd.DataFrame) -> Claims:
    """The claims about what the search names, from `measure.readings`."""
    found: Claims = {}
    for kind, own in KINDS.items():
        control = {"kind": kind, "training": "independent"}
        if kind == "orientation":
            control = {"kind": "colour", "training": "planted"}
        parts = where(table, kind=kind, training="planted"), where(table, **control)
        of, against = (share(part["named"] == own.expected) for part in parts)
        found[f"characterise-{kind}"] = of, against
    # A seed draws the same digits and weights for all three patterns.
    digits = [where(table, kind=DIGITS, training=how) for how in ("independent", "planted")]
    of, against = (share(part["named"] == NONE, within=part["seed"]) for part in digits)
    return found | {"characterise-none": (of, against)}


def null_estimates(table: pd.DataFrame, levels: pd.DataFrame) -> Claims:
    """The claims about false discoveries.

    Networks that answer by coins can't be named, so they are left out. Untrained networks and ones
    trained on shuffled labels begin alike and are read on inputs that their block shares.
    """
    null = where(table, training=MAY_BE_NAMED)
    block = null["kind"] + (null["seed"] // BLOCK).astype(str)
    return {
        "characterise-null": (
            share(null["named"] != NONE, within=block),
            share(null["p_single"] <= LEVEL, within=block),
        ),
        "characterise-level": (share(levels["p"] <= LEVEL), share(levels["p_single"] <= LEVEL)),
    }


def audit_estimates(mixed: pd.DataFrame, null: pd.DataFrame) -> Claims:
    """The claims about shares and verdicts.

    Mixtures of one problem and seed are audited on the same inputs, and cut by the same numbers.
    """
    null_origin = null["kind"] + null["seed"].astype(str)
    origin = mixed["problem"] + mixed["seed"].astype(str)
    true = mixed[mixed["p"].between(0.2, 0.8)]
    wrong = true["p"].where(true["p"] > 0.5, true["p"] + 0.5) - 0.25  # a quarter off, in (0, 1)
    return {
        "audit-coverage": (
            share(true["p"].between(true["low"], true["high"]), within=origin[true.index]),
            share(wrong.between(true["low"], true["high"]), within=origin[true.index]),
        ),
        "audit-verdict": (
            share(mixed["right"], within=origin),
            share(~null["verdict"].isin(["none", "undecided"]), within=null_origin),
        ),
    }  # fmt: skip


def size_estimates(sizes: pd.DataFrame, gap: pd.DataFrame) -> Claims:
    """The claims about perturbations."""
    images = where(sizes, norm="l2", problem=lambda problem: problem != "oscillation")
    return {
        "audit-distance": (
            exact(sizes["ratio"].max(), len(sizes)), exact(images["random"].min(), len(images)),
        ),
        "audit-gap": (
            ratio(gap["ratio"], within=gap["kind"]), ratio(gap["random"], within=gap["kind"]),
        ),
    }  # fmt: skip


def model_estimates(table: pd.DataFrame) -> Claims:
    """The claim about logistic regression."""
    own = where(table, model="logistic regression", kind="sinusoid")
    of, against = (share(where(own, rho=rho)["verdict"] == "sinusoid") for rho in (1.0, 0.5))
    return {"audit-scikit-learn": (of, against)}


# Numbers for the prose


def said_of_luck(lucky: pd.DataFrame) -> dict[str, float]:
    """The size of the library, and the best of it on coin flips."""
    best = where(lucky, of="the best of the library").sort_values("inputs")
    return {
        "library": float(best["statistics"].max()),
        "lucky": best["score"].iloc[0], "unlucky": best["score"].iloc[-1],
        "fewest": float(best["inputs"].min()), "most": float(best["inputs"].max()),
    }  # fmt: skip


def said_of_names(found: pd.DataFrame) -> dict[str, float]:
    """What networks took, how clearly they were read, and how many of a kind were not named so."""
    trained = where(found, training="planted")
    taken = trained["captured"].where(trained["kind"] != "orientation", 1 - trained["captured"])
    parity = where(found, kind=DIGITS, training="independent")
    wrong = trained["named"] != trained["kind"].map(lambda kind: KINDS[kind].expected)
    return {
        "least_captured": taken.min(), "score": trained["score"].min(),
        "ahead": trained["ahead"].mean(), "networks": float(len(trained)),
        "parity": parity["score"].max(), "parity_p": parity["p"].max(),
        **{f"blurred_{kind}": float(own.sum()) for kind, own in wrong.groupby(trained["kind"])},
    }  # fmt: skip


def said_of_null(null: pd.DataFrame) -> dict[str, float]:
    """How many null networks are named, and how many of these on two coordinates."""
    null = where(null, training=MAY_BE_NAMED)
    wrong = null[null["named"] != NONE]
    hint = where(wrong, kind="hint")
    return {"wrong": float(len(wrong)), "nulls": float(len(null)), "wrong_hint": float(len(hint))}


def said_of_offsets(swept: pd.DataFrame, row: str) -> dict[str, float]:
    """The offset at which a row of pixels is furthest ahead of both structures, and the scores."""
    at = swept.pivot(index="a", columns="statistic", values="score")
    middle = (at[row] - at[["mean", "orientation"]].max(axis=1)).argmax()
    scores = at.iloc[middle].to_dict()
    found = {f"middle_{str(name)[:4]}": float(score) for name, score in scores.items()}
    return {"middle": float(at.index.to_numpy()[middle])} | found


def said_of_reach(reach: pd.DataFrame) -> dict[str, float]:
    """Scores of the planted statistic at the size in training, and as far as inputs go."""
    far = reach["reach"].max()
    at = reach.set_index(["training", "reach"])["score"]
    near = {f"reach_{how}": at[how, 1.0] for how in ("planted", "independent", "untrained")}
    return near | {"far_independent": at["independent", far], "far": far}


def said_of_models(fitted: pd.DataFrame) -> dict[str, float]:
    """The least and the largest share that a random forest reads the corner pixel on."""
    forests = where(fitted, model="random forest", kind="pixel")["share"]
    return {"forest_low": forests.min(), "forest_high": forests.max()}
