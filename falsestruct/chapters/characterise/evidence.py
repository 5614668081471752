"""Chapter 09: from tables to estimates, a claim's id to its estimate and its control."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from falsestruct import statistics
from falsestruct.characterise.benchmark import FIXED, HANDED, HOWS, SAMPLES
from falsestruct.characterise.search import LEVEL
from falsestruct.evidence import Claims, Found, Pair, mean, ratio, share, summary, too_few, where
from falsestruct.problems.plants import FAMILIES, NAMELESS
from falsestruct.statistics import exact
from falsestruct.success import TAKES

PLANTED = FAMILIES[:-1]
STRAIGHT = ("mask", "phase", "window", "unseen")  # without a name, and with one direction
RIGHT = 0.9  # agreement on fresh probes from which on a name is right
STRONG = 2 / 3  # level of a plant's strength from which on it is strong
EXPLAINERS = {
    "library": "statistics and sums of two", "learned": "learned directions",
    "sum": "sparse sum of both", "means": "class means", "neighbours": "nearest neighbours",
    "random": "random directions",
}  # fmt: skip
SHARE = partial(mean, bounds=(0.0, 1.0))

# ---- the benchmark ----


def judged(table: pd.DataFrame) -> pd.DataFrame:
    """`runs.searched`, and columns set, takes, named, right.

    A network is named if its p-value is kept by Benjamini and Hochberg's procedure at LEVEL over
    all networks of its set that trained alike. Nothing is right of what was not planted.
    """
    numbers = table.select_dtypes(exclude="number").columns.intersection(
        ["agrees", "network", "another", "mask", "cosine", "cosine_other", "flips"]
    )
    table = table.astype(dict.fromkeys(numbers, float))  # all missing, JSON has no type
    planted = table["family"] != "none"
    named = table.groupby(["draw", "how"])["p"].transform(
        lambda p: statistics.benjamini_hochberg(p.to_numpy()) <= LEVEL
    )
    return table.assign(
        set=np.where(table["draw"] == FIXED, "first", "second"),
        takes=planted & (table["capture"] >= TAKES),
        named=named.astype(bool),
        right=planted & named.astype(bool) & (table["agrees"] >= RIGHT),
    )


def counted(table: pd.DataFrame, draws: Sequence[str], recorded: int) -> pd.DataFrame:
    """The rows of the fixed set and of the last draw, with their controls.

    Raises:
        ValueError: these are not so many networks; say, because the last draw is not in the record.
    """
    own = where(table, draw=[FIXED, *draws[-1:]])
    if (found := int((own["how"] == HOWS[0]).sum())) != recorded:
        raise ValueError(
            f"the record has {found} networks of the fixed set and of the last of {list(draws)}; "
            f"expected {recorded}: run `falsestruct record blind-benchmark`"
        )
    return own


def benchmark_claims(table: pd.DataFrame) -> Claims:
    """All claims of the benchmark, from `judged`."""
    own, beside = where(table, how="planted"), where(table, how="independent")
    taken = where(own, takes=True)
    found: Claims = {}
    for family in PLANTED:
        parts = where(taken, family=family), where(beside, family=family)
        found[f"blind-recall-{family}"] = pair(*(share(part["right"]) for part in parts))
    return found | {
        **name_claims(own), **explainer_claims(taken), **control_claims(table),
        "blind-sets": pair(two_sets(taken), two_sets(
            pd.concat([where(taken, set="first"), beside.assign(set="second")]))),
        "blind-takes": takes_pair(own, beside),
    }  # fmt: skip


def takes_pair(own: pd.DataFrame, beside: pd.DataFrame) -> Pair:
    """Who takes a strong plant without a name; over families, the control over networks."""
    strong = where(own, family=NAMELESS, level=lambda level: level >= STRONG)
    taken = strong["takes"].astype(float)
    return SHARE(taken, within=strong["family"]), share(where(beside, family=NAMELESS)["takes"])


def about(claims: Claims, *words: str) -> Claims:
    """Those whose id has one of these words."""
    return {id: own for id, own in claims.items() if any(word in id for word in words)}


def pair(of: Found, against: Found) -> Pair:
    """An estimate and its control's."""
    return of, against


def name_claims(own: pd.DataFrame) -> Claims:
    """Claims on what is named, and on nothing planted."""
    named = where(own, named=True)
    none, plain = where(own, family="none"), where(own, family="named", takes=True)
    return {
        "blind-precision": (share(~named["right"]), share(named["mask"] < RIGHT)),
        "blind-faithful": (share(named["network"] < RIGHT), share(named["another"] < RIGHT)),
        "blind-none": (share(~none["named"]), share(~plain["named"])),
    }


def explainer_claims(taken: pd.DataFrame) -> Claims:
    """Claims on directions and on who explains networks that take their plant."""
    straight, nameless = where(taken, family=STRAIGHT), where(taken, family=NAMELESS)
    named = where(taken, family="named")
    both = taken[["library", "learned"]]
    return {
        "blind-cosine": pair(*(
            SHARE(straight[column], strata=straight["family"])
            for column in ("cosine", "cosine_other"))),
        "blind-learned-beyond": (
            mean(nameless["learned"] - nameless["library"], within=nameless["family"]),
            mean(named["learned"] - named["library"]),
        ),
        "blind-sum-beyond": pair(*(
            mean(taken["sum"] - end, within=taken["family"])
            for end in (both.max(axis=1, skipna=False), both.min(axis=1, skipna=False)))),
    }  # fmt: skip


def control_claims(table: pd.DataFrame) -> Claims:
    """Claims on networks that have nothing to do with the plant of their data."""
    found: Claims = {}
    planted = where(table, family=PLANTED)
    for how in ("independent", "shuffled", "untrained"):
        own = where(planted, how=how)
        same = where(planted, how="planted", takes=True, seed=set(own["seed"]))
        found[f"blind-control-{how}"] = share(own["right"]), share(same["right"])
    return found


def two_sets(taken: pd.DataFrame) -> Found:
    """Share that is named rightly, second set less first."""
    if taken["set"].nunique() < 2:
        return too_few(taken["set"].nunique(), "sets")
    sign = np.where(taken["set"] == "second", 2.0, -2.0)  # the mean of two strata is half of it
    return mean(sign * taken["right"], strata=taken["set"])


def recall_summary(table: pd.DataFrame) -> pd.DataFrame:
    """For the figure: family, what (the two sets, and who takes), value, low, high."""
    own = where(table, how="planted", family=PLANTED)
    takes = summary(own.assign(what="takes its plant"), ["family", "what"], "takes", measure=share)
    parts = where(own, takes=True).assign(what=lambda t: "named rightly, " + t["set"] + " set")
    return pd.concat([takes, summary(parts, ["family", "what"], "right", measure=share)])


def outcomes(table: pd.DataFrame) -> pd.DataFrame:
    """For the figure: family, level, capture, outcome (rightly, wrongly, not named)."""
    own = where(table, how="planted", family=PLANTED)
    other = np.where(own["named"], "named wrongly", "not named")
    said = np.where(own["right"], "named rightly", other)
    return own.assign(outcome=said)[["family", "level", "capture", "outcome"]]


def cosine_table(table: pd.DataFrame) -> pd.DataFrame:
    """For the figure: family, seed, cosine, cosine_other of networks that take a straight plant."""
    own = where(table, how="planted", takes=True, family=STRAIGHT)
    return own[["family", "seed", "cosine", "cosine_other"]]


def explainer_summary(table: pd.DataFrame) -> pd.DataFrame:
    """For the figure: family, explainer, value, low, high, of networks that take their plant."""
    taken = where(table, how="planted", takes=True)
    long = taken.melt(["family"], list(EXPLAINERS), "explainer", "foretold")
    long = long.assign(explainer=long["explainer"].map(EXPLAINERS))
    return summary(long, ["family", "explainer"], "foretold", measure=SHARE)


def said_of_benchmark(table: pd.DataFrame) -> dict[str, float]:
    """Counts and shares for the prose."""
    own = where(table, how="planted")
    named, taken = where(own, named=True), where(own, takes=True)
    none, nameless = where(own, family="none"), where(taken, named=False)
    strong = where(taken, level=lambda level: level >= STRONG)
    reasons = nameless["why"].replace("", "p").value_counts()  # kept by one search, not by the set
    return {
        "all": float(len(own)), "taken": float(len(taken)), "named": float(len(named)),
        "right": float(named["right"].sum()), "untaken": float((~named["takes"]).sum()),
        "by_original": float(originals(named).sum()), "of_right": float(taken["right"].sum()), "none_named": float(none["named"].sum()),
        "none_all": float(len(none)), "fitted": own["fitted"].min(), "flips": taken["flips"].mean(),
        "by_library": float(named["tier"].isin(["statistic", "sum of two"]).sum()),
        "samples": float(SAMPLES), "handed": float(HANDED), "nameless": float(len(nameless)),
        **{f"by_{name}": float(reasons.get(name, 0)) for name in ("floor", "excess", "p")},
        "strong": float(len(strong)), "strong_nameless": float((~strong["named"]).sum()),
        "strong_undecided": strong["undecided"].median(),
        "other_undecided": where(own, takes=False)["undecided"].median(),
    }  # fmt: skip


def originals(named: pd.DataFrame) -> pd.Series:
    """Which of some named rules are the original: on fresh probes it and the plant part."""
    of_none = (named["family"] == "none") & (named["agrees"] >= RIGHT)
    return of_none | ((named["family"] != "none") & (named["agrees"] <= 1 - RIGHT))


def said_of_live(live: pd.DataFrame, recorded: pd.DataFrame) -> dict[str, float]:
    """How many of the live networks have the recorded verdict."""
    both = live.merge(where(recorded, how="planted", draw=FIXED), on="seed")
    same = both["verdict_x"] == both["verdict_y"]
    return {"live": float(len(live)), "same": float(same.sum())}


# ---- level and audits ----


def level_claims(levels: pd.DataFrame) -> Claims:
    """The claim about false discoveries among many statistics."""
    return {"characterise-level": (share(levels["p"] <= LEVEL), share(levels["p_single"] <= LEVEL))}


def audit_claims(mixed: pd.DataFrame, null: pd.DataFrame) -> Claims:
    """The claims about shares and verdicts.

    Mixtures of one problem and seed are audited on the same inputs, and cut by the same numbers.
    """
    null_origin = null["kind"] + null["seed"].astype(str)
    origin = mixed["problem"] + mixed["seed"].astype(str)
    true = mixed[mixed["p"].between(0.2, 0.8)]
    wrong = true["p"].where(true["p"] > 0.5, true["p"] + 0.5) - 0.25  # a quarter off, in (0, 1)
    return {
        "audit-coverage": pair(*(
            share(p.between(true["low"], true["high"]), within=origin[true.index])
            for p in (true["p"], wrong))),
        "audit-verdict": (
            share(mixed["right"], within=origin),
            share(~null["verdict"].isin(["none", "undecided"]), within=null_origin),
        ),
    }  # fmt: skip


def size_claims(sizes: pd.DataFrame, gap: pd.DataFrame) -> Claims:
    """The claims about perturbations."""
    images = where(sizes, norm="l2", problem=lambda problem: problem != "oscillation")
    return {
        "audit-distance": (
            exact(sizes["ratio"].max(), len(sizes)), exact(images["random"].min(), len(images)),
        ),
        "audit-gap": pair(*(ratio(gap[how], within=gap["kind"]) for how in ("ratio", "random"))),
    }  # fmt: skip


def model_claims(table: pd.DataFrame) -> Claims:
    """The claim about logistic regression."""
    of, against = (share(where(table, rho=rho)["verdict"] == "sinusoid") for rho in (1.0, 0.5))
    return {"audit-scikit-learn": (of, against)}
