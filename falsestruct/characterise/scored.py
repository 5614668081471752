"""How right a search is about a network whose plant is known, and what else is true of it."""

from __future__ import annotations

import numpy as np

from falsestruct.characterise.asking import AuditError
from falsestruct.characterise.benchmark import OTHER, Asked, Case, handed
from falsestruct.characterise.blind import NONE, Found, search
from falsestruct.characterise.candidates import LEARNED
from falsestruct.problems.plants import Set, plant

TIERS = {
    "library": ("statistic", "sum of two"),
    "learned": tuple(LEARNED.values()),
    "sum": ("sparse sum",),
}
BASELINES = {
    "means": "class means",
    "neighbours": "distilled nearest neighbour",
    "random": "random directions",
}
AGREEMENTS = ("agrees", "network", "another", "mask")
LEARNT = 0.75  # of labels of two kinds: the interval of the success must lie above, as in `blind`


def facts(case: Case, asked: Asked) -> dict[str, object]:
    """What is known of a network, and the search doesn't know.

    Keys: family, problem, plant (its name), level, strength, seed, how, architecture, loss, fitted
    (accuracy on its training set), capture (share of the conflict set on which it sides with the
    plant).
    """
    own = case.plant
    return {
        "family": own.family, "problem": case.problem, "plant": own.name, "level": own.level,
        "strength": own.strength, "seed": case.seed, "how": case.how,
        "architecture": case.architecture, "loss": float(asked.network.facts["loss"][0]),
        "fitted": asked.agreement(case.training()),
        "capture": asked.agreement(case.conflict_set()),
    }  # fmt: skip


def reading(case: Case, asked: Asked, other: Asked, *, queries: int) -> dict[str, object]:
    """What the search says about a network, and how right it is.

    Keys: verdict; tier (family of the named rule); p (of that rule, 1 without); answered (share of
    the inputs with the label given); queries; undecided (share of the probes); why (of `why`; the
    error, if it can't be searched); cosine and cosine_other (of the learned direction with the
    plant's, and with another one's); those of `foretold`; and of the named rule, NaN without one,
    its agreement on fresh probes with the plant, `agrees`, with the network, with `another` one,
    and with another `mask` that is put into such probes instead.
    """
    nothing = {"verdict": NONE, "tier": "", "p": 1.0, "queries": 0}
    try:
        found = search(asked, *handed(case, asked), queries=queries, seed=case.seed)
    except AuditError as error:  # one answer to all: there is nothing to search for
        empty = ("cosine", "cosine_other", *TIERS, *BASELINES, "flips", *AGREEMENTS)
        numbers = dict.fromkeys(("answered", "undecided", *empty), np.nan)
        return nothing | {"why": str(error)} | numbers
    named = next((one for one in found.ranked if one.named and one.name == found.verdict), None)
    return {
        "verdict": found.verdict, "tier": named.family if named else "",
        "p": named.p if named else 1.0, "answered": found.success.value, "queries": found.queries,
        "undecided": found.undecided, "why": why(found),
        **cosines(case, found), **foretold(found), **agreements(case, asked, other, found),
    }  # fmt: skip


def why(found: Found) -> str:
    """Why nothing is named: "" if a rule is, else which condition fails first for all rules.

    "labels": the network has not learnt them. "floor": no rule foretells enough. "excess": those
    that do foretell no more than some baseline. "p": they do, but may owe it to chance.
    """
    if found.rule is not None:
        return ""
    if found.success.low <= LEARNT:
        return "labels"
    enough = [rule.excess.value for rule in found.ranked if rule.enough]
    return "floor" if not enough else "excess" if max(enough) <= 0 else "p"


def foretold(found: Found) -> dict[str, float]:
    """Balanced accuracy on undecided probes, by tier and baseline; flips of the best rule.

    The largest of a tier's rules that were judged; NaN if none was.
    """
    values = dict.fromkeys((*TIERS, *BASELINES, "flips"), np.nan)
    for name, families in TIERS.items():
        own = [r.foretold.decisions.value for r in found.ranked if r.family in families]
        values[name] = max(own, default=np.nan)
    for name, long in BASELINES.items():
        if long in found.baselines:
            values[name] = found.baselines[long].decisions.value
    if found.foretold is not None and found.foretold.flips is not None:
        values["flips"] = found.foretold.flips.value
    return values


def cosines(case: Case, found: Found) -> dict[str, float]:
    """Of the learned direction that is read plainly, in size; NaN if there is none."""
    values = dict.fromkeys(("cosine", "cosine_other"), np.nan)
    best = next((r for r in found.ranked if r.family == LEARNED["plain"] and r.pictures), None)
    if best is None or case.plant.family == "none":
        return values
    own = np.asarray(best.pictures[0]).ravel()
    strange = plant(case.plant.family, case.seed + OTHER, problem=case.plant.images.name)
    for name, one in zip(values, (case.plant, strange), strict=True):
        values[name] = float(abs(own @ one.direction.numpy()))
    return values


def agreements(case: Case, asked: Asked, other: Asked, found: Found) -> dict[str, float]:
    """Of the named rule, on fresh probes; NaN without one."""
    if found.rule is None:
        return dict.fromkeys(AGREEMENTS, np.nan)
    rule, (x, side) = found.rule, case.fresh()
    said = rule(x.numpy())

    def strange(own: Set) -> float:
        return float((rule(own[0].numpy()) == own[1].numpy()).mean())

    return {
        "agrees": float((said == side.numpy()).mean()),
        "network": float((said == asked(x.numpy())).mean()),
        "another": float((said == other(x.numpy())).mean()),
        "mask": strange(case.strange()),
    }
