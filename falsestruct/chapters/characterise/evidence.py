"""Chapter 09: from tables to estimates, a claim's id to its estimate and its control."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from falsestruct import statistics
from falsestruct.characterise.benchmark import FIXED, HANDED, HOWS, SAMPLES
from falsestruct.characterise.candidates import MEANS
from falsestruct.characterise.found import NONE
from falsestruct.characterise.scored import TIERS
from falsestruct.characterise.search import LEVEL
from falsestruct.evidence import Claims, Found, Pair, mean, ratio, share, summary, too_few, where
from falsestruct.problems.plants import FAMILIES, NAMELESS, PROBLEMS
from falsestruct.statistics import exact
from falsestruct.success import TAKES

PLANTED = FAMILIES[:-1]
STRAIGHT = ("mask", "phase", "window", "unseen")  # without a name, and with one direction
RIGHT = 0.9  # agreement on fresh probes from which on a name is right
KINDS = {
    "library": TIERS["library"],
    "learned": TIERS["learned"],
    "sum": TIERS["sum"],
    "means": (MEANS,),
}  # of names, by the family of the rule
FAILS = "floor"  # of `scored.why`: no rule foretells enough
STRONG = 2 / 3  # level of a plant's strength from which on it is strong
EXPLAINERS = {
    "library": "statistics and sums of two", "learned": "learned directions",
    "sum": "sparse sum of both", "means": "class means", "neighbours": "nearest neighbours",
    "random": "random directions",
}  # fmt: skip
SETS = ["Search", "Set", "Networks", "take their plant", "of these named rightly", "Names",
        "of these right"]  # fmt: skip
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
    """All claims of the benchmark, from `judged`: of the second set, their controls of the first.

    `blind-sets` is of both.
    """
    both, beside = where(table, how="planted"), where(table, how="independent")
    own = where(both, set="second")
    taken = where(own, takes=True)
    found: Claims = {}
    for family in PLANTED:
        parts = where(taken, family=family), where(beside, family=family)
        found[f"blind-recall-{family}"] = pair(*(share(part["right"]) for part in parts))
    return found | {
        **name_claims(own), **explainer_claims(taken), **control_claims(table),
        "blind-sets": pair(*(
            two_sets(pd.concat([where(both, takes=True, set="first"), other]))
            for other in (taken, beside.assign(set="second")))),
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


def set_rows(former: pd.DataFrame, table: pd.DataFrame, search: str) -> list[list[str]]:
    """The rows of SETS: what former searches and this one say of their sets, in this order.

    Args:
        former: Columns search (its digest), and those of `runs.searched` that `judged` needs.
        table: Of this search, from `judged`.
        search: Its digest.
    """
    parts = [*((name, judged(own)) for name, own in former.groupby("search", sort=False)),
             (search, where(table, how="planted"))]  # fmt: skip
    rows = []
    for name, part in parts:
        for which in ("first", "second"):
            own = where(part, set=which)
            taken, named = where(own, takes=True), where(own, named=True)
            counts = len(own), len(taken), taken["right"].sum(), len(named), named["right"].sum()
            rows.append([f"`{name}`", which, *map(str, counts)])
    return rows


def recall_summary(table: pd.DataFrame) -> pd.DataFrame:
    """For the figure: family, what (the two sets, and who takes), value, low, high."""
    own = where(table, how="planted", family=PLANTED)
    takes = summary(own.assign(what="takes its plant"), ["family", "what"], "takes", measure=share)
    parts = where(own, takes=True).assign(what=lambda t: "named rightly, " + t["set"] + " set")
    return pd.concat([takes, summary(parts, ["family", "what"], "right", measure=share)])


def outcomes(table: pd.DataFrame) -> pd.DataFrame:
    """For the figure: family, level, capture, outcome (rightly, wrongly, not named)."""
    own = where(table, how="planted", family=PLANTED, set="second")
    other = np.where(own["named"], "named wrongly", "not named")
    said = np.where(own["right"], "named rightly", other)
    return own.assign(outcome=said)[["family", "level", "capture", "outcome"]]


def cosine_table(table: pd.DataFrame) -> pd.DataFrame:
    """For the figure: family, seed, cosine, cosine_other of networks that take a straight plant."""
    own = where(table, how="planted", takes=True, set="second", family=STRAIGHT)
    return own[["family", "seed", "cosine", "cosine_other"]]


def explainer_summary(table: pd.DataFrame) -> pd.DataFrame:
    """For the figure: family, explainer, value, low, high, of networks that take their plant."""
    taken = where(table, how="planted", takes=True, set="second")
    long = taken.melt(["family"], list(EXPLAINERS), "explainer", "foretold")
    long = long.assign(explainer=long["explainer"].map(EXPLAINERS))
    return summary(long, ["family", "explainer"], "foretold", measure=SHARE)


def said_of_benchmark(table: pd.DataFrame) -> dict[str, float]:
    """Counts and shares for the prose: of the second set, but for `fitted` and the controls."""
    both = where(table, how="planted")
    own, known = where(both, set="second"), where(both, set="first", takes=True)
    named, taken, none = where(own, named=True), where(own, takes=True), where(own, family="none")
    groups = {"taken": taken, "named": named, "none": none} | {
        f"{kind}_taken": where(taken, problem=kind) for kind in PROBLEMS
    }
    return {
        **{name: float(len(part)) for name, part in groups.items()}, "all": float(len(own)),
        "first_taken": float(len(known)), "first_right": float(known["right"].sum()),
        "right": float(named["right"].sum()), "of_right": float(taken["right"].sum()),
        "untaken": float((~named["takes"]).sum()),
        "by_original": float(originals(named).sum()), "none_named": float(none["named"].sum()),
        "none_stripes": float(where(none, problem="stripes")["named"].sum()),
        **{f"{kind}_right": float(groups[f"{kind}_taken"]["right"].sum()) for kind in PROBLEMS},
        "named_taken": float(taken["named"].sum()), "flips": taken["flips"].mean(),
        "fitted": both["fitted"].min(), "samples": float(SAMPLES), "handed": float(HANDED),
        **{f"by_{k}": float(len(where(named, tier=tiers))) for k, tiers in KINDS.items()},
        "unfaithful": float((named["network"] < RIGHT).sum()),
        "other_undecided": where(own, takes=False)["undecided"].median(),
        **_said_of_names(own, taken), **_said_of_strength(taken), **_said_of_controls(table),
    }  # fmt: skip


def said_of_former(former: pd.DataFrame) -> dict[str, float]:
    """Counts for the prose of the first sealed search, over both of its sets."""
    taken = where(judged(where(former, search=former["search"].iloc[0])), takes=True)
    misses, second = where(taken, named=False), where(taken, set="second")
    return {
        "former_first_right": float(where(taken, set="first")["right"].sum()),
        "former_second": float(len(second)),
        "former_digits": float(len(where(second, problem="digits"))),
        "former_taken": float(len(taken)), "former_right": float(taken["right"].sum()),
        "former_misses": float(len(misses)), "former_floor": float((misses["why"] == FAILS).sum()),
    }  # fmt: skip


def _said_of_names(own: pd.DataFrame, taken: pd.DataFrame) -> dict[str, float]:
    """What names are called, why there is none, and what the procedure drops."""
    phase, plain = (where(taken, family=name, right=True) for name in ("phase", "named"))
    given = where(own, verdict=lambda verdict: verdict != NONE)
    nameless, dropped = where(taken, named=False), where(given, named=False)
    reasons = nameless["why"].replace("", "p").value_counts()  # kept by one search, not by the set
    counts = {
        "phase_right": phase, "phase_two": where(phase, tier="sum of two"), "plain_right": plain,
        "plain_called": where(plain, tier="statistic"), "nameless": nameless,
        "searched_named": given, "dropped": dropped,
        "dropped_right": where(dropped, agrees=lambda part: part >= RIGHT, family=PLANTED),
    }  # fmt: skip
    return {name: float(len(part)) for name, part in counts.items()} | {
        f"by_{name}": float(reasons.get(name, 0)) for name in (FAILS, "excess", "p")
    }


def _said_of_strength(taken: pd.DataFrame) -> dict[str, float]:
    """How many strong plants and how many fainter ones are named rightly."""
    strong = taken["level"] >= STRONG
    found: dict[str, float] = {"strong_undecided": taken["undecided"][strong].median()}
    for name, part in (("strong", taken[strong]), ("weak", taken[~strong])):
        found |= {name: float(len(part)), f"{name}_right": float(part["right"].sum())}
    return found


def _said_of_controls(table: pd.DataFrame) -> dict[str, float]:
    """Of networks where the plant says nothing, and of those that don't take what it says."""
    both, beside = where(table, how="planted"), where(table, how="independent")
    unread = where(both, set="second", family=PLANTED, capture=lambda part: part < 1 - TAKES)
    same = where(both, family=PLANTED, takes=True, seed=set(beside["seed"]))
    return {
        "unread": float(len(unread)), "unread_named": float(unread["named"].sum()),
        "unread_right": float(unread["right"].sum()), "each_control": float(len(beside)),
        "independent_named": float(beside["named"].sum()),
        "independent_original": float(originals(where(beside, named=True)).sum()),
        "fifty": float(len(same)), "fifty_right": float(same["right"].sum()),
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
