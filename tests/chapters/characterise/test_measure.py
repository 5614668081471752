"""Chapter 09's experiment: its measures see what they should; its claims fail where they must."""

from __future__ import annotations

import pandas as pd
import pytest

from falsestruct.chapters.characterise import evidence as estimates
from falsestruct.chapters.characterise import figures as plots
from falsestruct.chapters.characterise import measure as experiment
from falsestruct.chapters.characterise.measure import DIGITS, KINDS, NULL
from falsestruct.evidence import share
from falsestruct.press.notebook.claims import judge, read_claims, satisfies
from falsestruct.press.paths import find_book
from tests.worlds.characterise import CASES, follows, world

CLAIMS = read_claims(find_book())


@pytest.fixture(scope="module")
def conjecture_false() -> pd.DataFrame:
    """Every network follows the original structure, however it was trained."""
    return world({"planted": follows(0.0), "independent": follows(0.0)})


@pytest.fixture(scope="module")
def conjecture_true() -> pd.DataFrame:
    """Networks follow the false structure where it gives the label away, else the original."""
    return world({"planted": follows(1.0), "independent": follows(0.0)})


def verdicts(table: pd.DataFrame) -> dict[str, str]:
    return {
        id: judge(CLAIMS[id], estimate, control)
        for id, (estimate, control) in estimates.name_estimates(table).items()
    }


def test_where_no_network_takes_a_false_structure_none_is_named(
    conjecture_false: pd.DataFrame,
) -> None:
    found = verdicts(conjecture_false)
    for kind in ("colour", "hint", "brightness", "pixel", "sinusoid"):
        assert found[f"characterise-{kind}"] == "refuted"
    assert found["characterise-none"] == "inconclusive"  # the control: something must be named
    assert found["characterise-orientation"] == "inconclusive"  # named for the large offset too


def test_where_networks_take_them_they_are_named(conjecture_true: pd.DataFrame) -> None:
    found = verdicts(conjecture_true)
    assert found.pop("characterise-orientation") == "refuted"  # they follow the colour there too
    assert set(found.values()) == {"supported"}


def test_a_mixture_is_named_after_neither() -> None:
    found = verdicts(world({"planted": follows(0.5), "independent": follows(0.0)}))
    assert "supported" not in found.values()


def test_null_networks_refute_every_name() -> None:
    tables = []
    for kind in ("brightness", "hint"):
        for how in (*NULL, "planted", "independent"):
            source = "random" if how in ("planted", "independent") else how
            predict = experiment.networks(KINDS[kind], source, range(3))
            table = experiment.read_networks(
                KINDS[kind].planted, predict, [0, 1, 2], samples=240, permutations=19
            )
            tables.append(table.assign(kind=kind, training=how))
    copies = [table.assign(seed=table["seed"] + 5 * copy) for table in tables for copy in range(40)]
    table = pd.concat(copies, ignore_index=True)
    null = estimates.null_estimates(table, pd.DataFrame({"p": [1.0] * 20, "p_single": [0.05] * 20}))
    assert satisfies(null["characterise-null"][0], CLAIMS["characterise-null"].supported)
    for kind in ("brightness", "hint"):
        rows = table[(table["kind"] == kind) & (table["training"] == "planted")]
        estimate = share(rows["named"] == KINDS[kind].expected)
        assert satisfies(estimate, CLAIMS[f"characterise-{kind}"].refuted)


def test_a_search_that_names_anything_fails_the_null() -> None:
    table = pd.DataFrame(
        {"kind": "hint", "training": "untrained", "seed": range(80), "named": "mean"}
        | {"p_single": [0.05] * 80}
    )
    levels = pd.DataFrame({"p": [0.04] * 40, "p_single": [0.04] * 40})
    found = estimates.null_estimates(table, levels)
    assert judge(CLAIMS["characterise-null"], *found["characterise-null"]) == "refuted"
    assert judge(CLAIMS["characterise-level"], *found["characterise-level"]) == "refuted"


def test_coin_flips_do_not_count_and_networks_on_the_same_inputs_are_one() -> None:
    rows = [
        {"kind": "hint", "training": how, "seed": seed, "named": "mean", "p_single": 1.0}
        for how in NULL
        for seed in range(20)
    ]
    table = pd.DataFrame(rows)
    table.loc[table["training"] == "random", "named"] = experiment.NONE
    levels = pd.DataFrame({"p": [1.0] * 20, "p_single": [0.05] * 20})
    found, _ = estimates.null_estimates(table, levels)["characterise-null"]
    assert found.value == 1 and found.n == 4


def test_the_gap_is_over_kinds_and_not_over_networks() -> None:
    gap = pd.DataFrame({"kind": list("aabb"), "ratio": [1.0, 1.0, 2.0, 2.0], "random": 9.0})
    sizes = pd.DataFrame({"problem": "stripes", "norm": "l2", "ratio": [1.0], "random": [4.0]})
    found, _ = estimates.size_estimates(sizes, gap)["audit-gap"]
    assert found.value == pytest.approx(2**0.5) and found.n == 2


# ---- networks ----


def test_trained_networks_take_what_they_are_said_to_take() -> None:
    for kind in ("orientation", "colour", "sinusoid"):
        own = KINDS[kind]
        predict = experiment.networks(own, "planted", range(2))
        table = experiment.read_networks(own.planted, predict, [0, 1], samples=600, permutations=19)
        expected = 0.0 if kind == "orientation" else 1.0
        assert table["captured"].tolist() == pytest.approx([expected] * 2, abs=0.02)
        assert table["named"].tolist() == [own.expected] * 2


def test_shuffled_labels_and_no_training_leave_nothing() -> None:
    own = KINDS["brightness"]
    for how in ("untrained", "shuffled"):
        x, y = own.planted.draw(400, experiment.generator(5), held_out=True)
        share = (experiment.networks(own, how, range(3))(x) == y).double().mean().item()
        assert share == pytest.approx(0.5, abs=0.15)


def test_a_training_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="how is 'random'; expected one of planted"):
        experiment.train(KINDS["colour"], "random", [0])


# ---- the audit's measures ----


def test_the_audits_of_hand_built_networks_support_the_claims() -> None:
    mixed = experiment.mixtures(
        ["oscillation", "digits-pixel"], [0.0, 0.25, 0.5, 0.75, 1.0], seeds=15, samples=120
    )
    null = experiment.null_audits(["hint"], seeds=30, samples=60)
    found = estimates.audit_estimates(mixed, null)
    coverage, wrong = found["audit-coverage"]
    assert coverage.n == 30 and coverage.value > 0.9 and wrong.high < 0.2
    assert judge(CLAIMS["audit-verdict"], *found["audit-verdict"]) == "supported"
    moved = mixed.assign(low=mixed["low"] + 0.25, high=mixed["high"] + 0.25, right=False)
    named = null.assign(verdict="hint")
    broken = estimates.audit_estimates(moved, named)
    assert judge(CLAIMS["audit-coverage"], *broken["audit-coverage"]) != "supported"
    assert judge(CLAIMS["audit-verdict"], *broken["audit-verdict"]) == "inconclusive"
    assert plots.mixtures(mixed) is not None


def test_wrong_shares_are_a_quarter_off_and_stay_inside() -> None:
    rows = [
        {"problem": "a", "seed": seed, "p": p, "low": p - 0.01, "high": p + 0.01, "right": True}
        for seed, p in enumerate((0.25, 0.5, 0.75))
    ]
    shifted = [row | {"low": row["p"] + 0.24, "high": row["p"] + 0.26} for row in rows]
    null = pd.DataFrame({"kind": "a", "seed": [0, 1], "verdict": "none"})
    assert estimates.audit_estimates(pd.DataFrame(rows), null)["audit-coverage"][1].value == 0
    found = estimates.audit_estimates(pd.DataFrame(shifted), null)["audit-coverage"]
    assert found[0].value == 0 and found[1].value == pytest.approx(2 / 3)  # ¾ goes down to ½


def test_sizes_and_their_controls() -> None:
    exact = experiment.exact_sizes(["oscillation", "digits-sinusoid"], points=4)
    gap = experiment.gaps(["sinusoid"], seeds=2, points=4)
    found = estimates.size_estimates(exact, gap)
    assert judge(CLAIMS["audit-distance"], *found["audit-distance"]) == "supported"
    assert gap["ratio"].between(0.99, 1.5).all() and (gap["random"] > 1.5).all()
    worse = exact.assign(ratio=exact["random"])
    broken = estimates.size_estimates(worse, gap.assign(ratio=gap["random"] * 2))
    assert judge(CLAIMS["audit-distance"], *broken["audit-distance"]) == "refuted"
    assert plots.sizes(gap) is not None


def test_models_that_are_no_networks() -> None:
    problem = KINDS["sinusoid"].planted
    table = experiment.audits(
        problem, experiment.fit("logistic regression", problem, 0), [0], samples=100
    )
    assert table["verdict"].tolist() == ["sinusoid"]
    own = experiment.model_point(
        kind="sinusoid", model="logistic regression", rho=0.5, fits=1, samples=100
    )
    assert own["share"][0] < 0.3 and own["rho"][0] == 0.5
    many = pd.concat([table.assign(kind="sinusoid", model="logistic regression", rho=1.0)] * 20 +
                     [own] * 20)  # fmt: skip
    found = estimates.model_estimates(many)["audit-scikit-learn"]
    assert judge(CLAIMS["audit-scikit-learn"], *found) == "supported"
    assert judge(CLAIMS["audit-scikit-learn"], *found[::-1]) != "supported"


# ---- tables of figures ----


def test_the_confusion_counts_every_network(conjecture_true: pd.DataFrame) -> None:
    table = experiment.confusion(experiment.both(conjecture_true, conjecture_true.iloc[:0]))
    totals = table.groupby("networks")["count"].sum()
    assert (totals == 20).all() and len(totals) == len(CASES)
    assert table["networks"].iloc[0] == "orientation"
    row = table[(table["networks"] == "sinusoid") & (table["named"] == KINDS["sinusoid"].expected)]
    assert row["count"].tolist() == [20]
    assert plots.confusion(table) is not None


def test_luck_falls_with_the_inputs_and_the_best_is_luckier() -> None:
    table = experiment.luck([40, 200], labellings=40)
    best = table[table["of"] == "the best of the library"]["score"].tolist()
    one = table[table["of"] == "one statistic"]["score"].tolist()
    assert best[0] > best[1] > one[1] and best[0] > one[0] > one[1]
    assert plots.luck(table, floor=0.9) is not None


def test_the_offset_decides_between_the_candidates() -> None:
    table = experiment.offsets([0.01, 0.2], seeds=2, samples=400)
    at = table.pivot(index="a", columns="statistic", values="score")
    assert at.loc[0.01, "orientation"] > 0.99 and at.loc[0.01, "mean"] < 0.7
    assert at.loc[0.2, "mean"] > 0.95 and at.loc[0.2, "orientation"] < 0.6
    assert (table["low"] <= table["score"]).all() and (table["score"] <= table["high"]).all()
    assert plots.offsets(table, floor=0.9) is not None


def test_the_reach_makes_everybody_follow_the_pattern() -> None:
    table = experiment.reaches([0.5, 16.0], "brightness", seeds=2, samples=300)
    at = table.set_index(["training", "reach"])["score"]
    assert at["planted", 0.5] > 0.75 and at["independent", 0.5] < 0.6
    assert at["independent", 16.0] > at["independent", 0.5]
    assert plots.reaches(table, floor=0.9) is not None


def test_models_are_drawn() -> None:
    rows = [{"kind": kind, "model": "m", "rho": 1.0, "share": 0.5} for kind in DIGITS]
    assert plots.models(pd.DataFrame(rows)) is not None
