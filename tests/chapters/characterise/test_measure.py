"""Chapter 09: its claims fail in the worlds where they must; its audits see what they should."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from falsestruct.chapters.characterise import evidence as estimates
from falsestruct.chapters.characterise import figures as plots
from falsestruct.chapters.characterise import measure as experiment
from falsestruct.characterise import benchmark
from falsestruct.evidence import Claims, where
from falsestruct.press.notebook.claims import judge, read_claims
from falsestruct.press.paths import find_book
from falsestruct.press.run.chapters import read_chapters
from falsestruct.press.run.records import former, plan
from falsestruct.statistics import Nobody
from tests.worlds import characterise
from tests.worlds.characterise import Make, Network, blind, original

CLAIMS = read_claims(find_book())
RECALL = [f"blind-recall-{family}" for family in estimates.PLANTED]
CONTROLS = [f"blind-control-{how}" for how in ("independent", "shuffled", "untrained")]


def verdicts(found: Claims) -> dict[str, str]:
    return {id: judge(CLAIMS[id], *pair) for id, pair in found.items()}


def changed(how: str = "planted", **values: object) -> Make:
    """The blind world with other values of networks that trained so."""

    def make(family: str, trained: str) -> Network:
        own = blind(family, trained)
        return replace(own, **values) if trained == how else own  # type: ignore[arg-type]

    return make


# ---- worlds ----


def test_every_claim_is_judged() -> None:
    stated = {id for id, claim in CLAIMS.items() if claim.chapter == "09_characterise"}
    blind_ones = {id for id in stated if id.startswith("blind-")}
    assert set(characterise.claims(blind)) == blind_ones
    assert {id for id in stated if not id.startswith("blind-")} == {
        "characterise-level", "audit-coverage", "audit-verdict", "audit-distance", "audit-gap",
        "audit-scikit-learn",
    }  # fmt: skip


def test_a_search_that_names_every_plant_and_nothing_else() -> None:
    found = verdicts(characterise.claims(blind))
    assert found.pop("blind-sum-beyond") == "refuted"
    assert set(found.values()) == {"supported"}


def test_where_networks_follow_the_original_nobody_qualifies() -> None:
    claims = characterise.claims(original)
    found = verdicts(claims)
    assert all(isinstance(claims[id][0], Nobody) for id in RECALL)
    assert found["blind-takes"] == "refuted"
    assert "supported" not in found.values()


def test_names_that_are_not_the_plant() -> None:
    found = verdicts(characterise.claims(changed(agrees=0.6)))
    assert {found[id] for id in (*RECALL, "blind-precision")} == {"refuted"}
    assert found["blind-faithful"] == "supported"


def test_names_that_are_not_the_network_s() -> None:
    found = verdicts(characterise.claims(changed(network=0.6)))
    assert found["blind-faithful"] == "refuted" and found["blind-precision"] == "supported"


def test_names_that_fit_everybody() -> None:
    found = verdicts(characterise.claims(changed(mask=0.95, another=0.95)))
    assert found["blind-precision"] == found["blind-faithful"] == "inconclusive"


def test_a_search_that_always_has_a_name() -> None:
    found = verdicts(characterise.claims(changed(named=True)))
    assert found["blind-none"] == found["blind-precision"] == "refuted"


def test_a_search_that_never_has_one() -> None:
    found = verdicts(characterise.claims(changed(named=False)))
    assert {found[id] for id in RECALL} == {"refuted"}
    assert found["blind-none"] == found["blind-sets"] == found[CONTROLS[0]] == "inconclusive"


@pytest.mark.parametrize("how", ["independent", "shuffled", "untrained"])
def test_a_search_that_sees_the_plant_in_the_data(how: str) -> None:
    found = verdicts(characterise.claims(changed(how, named=True)))
    assert found[f"blind-control-{how}"] == "refuted"
    if how == "independent":
        assert {found[id] for id in RECALL} == {"inconclusive"}


def test_directions_that_are_not_the_plant_s() -> None:
    assert verdicts(characterise.claims(changed(cosine=0.3)))["blind-cosine"] == "refuted"
    both = changed(cosine=0.9, cosine_other=0.9)
    assert verdicts(characterise.claims(both))["blind-cosine"] == "inconclusive"


def test_a_library_that_foretells_as_much() -> None:
    same = verdicts(characterise.claims(changed(library=0.99)))
    assert same["blind-learned-beyond"] == "refuted"
    more = verdicts(characterise.claims(changed(sum=0.99)))
    assert more["blind-sum-beyond"] == "supported"
    nearly = verdicts(characterise.claims(changed(library=0.96, sum=0.965)))
    assert nearly["blind-sum-beyond"] == "inconclusive"


def test_a_search_that_was_fitted_to_the_first_set() -> None:
    table = characterise.table(blind)
    table.loc[table["set"] == "second", "agrees"] = 0.6
    found = verdicts(estimates.benchmark_claims(estimates.judged(table)))
    assert found["blind-sets"] == "refuted"
    alone = estimates.judged(characterise.table(blind, sets=["fixed"]))
    assert isinstance(estimates.benchmark_claims(alone)["blind-sets"][0], Nobody)


def test_the_first_set_decides_nothing_but_what_compares_the_sets() -> None:
    table = characterise.table(blind)
    first = (table["set"] == "first") & (table["how"] == "planted")
    table.loc[first, ["agrees", "network", "cosine", "capture"]] = 0.0
    table.loc[first & (table["family"] == "none"), "p"] = 5e-4
    found = verdicts(estimates.benchmark_claims(estimates.judged(table)))
    assert found.pop("blind-sum-beyond") == "refuted" and found.pop("blind-sets") == "inconclusive"
    assert {found.pop(id) for id in CONTROLS} == {"inconclusive"}  # their networks are of the first
    assert set(found.values()) == {"supported"}


def test_networks_that_take_their_plant_whatever_the_label() -> None:
    found = verdicts(characterise.claims(changed("independent", capture=1.0)))
    assert found["blind-takes"] == "inconclusive"


# ---- the table ----


def test_names_are_kept_at_the_level_over_a_set() -> None:
    table = characterise.table(blind)
    table.loc[:, "p"] = 0.04  # all of them: none is too many
    assert estimates.judged(table)["named"].all()
    table.loc[table["family"] != "mask", "p"] = 1.0
    assert not estimates.judged(table)["named"].any()


def test_nothing_is_right_of_what_was_not_planted() -> None:
    table = characterise.table(changed(named=True))
    assert not where(table, family="none")["right"].any()
    assert not where(table, family="none")["takes"].any()


def test_a_record_s_columns_without_any_number() -> None:
    table = characterise.table(original).astype({"agrees": object})
    table["agrees"] = None
    assert estimates.judged(table)["agrees"].dtype == float


def test_figures_and_prose() -> None:
    table = characterise.table(blind)
    recalled, explained = estimates.recall_summary(table), estimates.explainer_summary(table)
    assert len(recalled) == 3 * 7 and set(explained["explainer"]) == set(
        estimates.EXPLAINERS.values()
    )
    assert plots.recall(recalled) and plots.explainers(explained)
    assert plots.cosines(estimates.cosine_table(table))
    assert plots.outcomes(estimates.outcomes(table))
    wrong = estimates.outcomes(characterise.table(changed(agrees=0.6)))
    assert set(estimates.outcomes(table)["outcome"]) == {"named rightly"}
    assert set(wrong["outcome"]) == {"named wrongly"}
    assert len(wrong) == 112  # of the second set


def test_numbers_for_the_prose_are_of_the_second_set() -> None:
    table = characterise.table(blind)
    table.loc[table["set"] == "first", ["named", "right"]] = False
    said = estimates.said_of_benchmark(table)
    assert said["all"] == 128 and said["taken"] == said["right"] == said["of_right"] == 112
    assert (said["first_taken"], said["first_right"]) == (112, 0)
    assert said["strong"] == said["strong_right"] > 0 == said["nameless"]
    assert said["strong"] + said["weak"] == 112 == said["weak_right"] + said["strong_right"]
    assert said["digits_taken"] == said["stripes_right"] == 56 and said["unfaithful"] == 0
    assert said["plain_right"] == 16 == said["phase_right"] and said["plain_called"] == 0
    assert (said["fifty"], said["fifty_right"], said["independent_named"]) == (112, 0, 0)
    silent = estimates.said_of_benchmark(characterise.table(changed(named=False)))
    assert (silent["nameless"], silent["by_floor"], silent["by_excess"]) == (112, 112, 0)


def test_names_that_are_none_or_another_s() -> None:
    other = estimates.said_of_benchmark(characterise.table(changed(agrees=0.05)))
    assert estimates.said_of_benchmark(characterise.table(blind))["by_original"] == 0
    assert other["by_original"] == 112
    everywhere = estimates.said_of_benchmark(characterise.table(changed(named=True)))
    assert (everywhere["none"], everywhere["none_named"], everywhere["none_stripes"]) == (16, 16, 8)
    assert everywhere["unread"] == 0
    faint = changed(named=True, capture=0.1, agrees=0.6)
    unread = estimates.said_of_benchmark(characterise.table(faint))
    assert (unread["unread"], unread["unread_named"], unread["unread_right"]) == (112, 112, 0)


def test_what_the_procedure_drops() -> None:
    table = characterise.table(blind)
    table.loc[(table["family"] == "mask") & (table["set"] == "second"), ["named", "right"]] = False
    said = estimates.said_of_benchmark(table)
    assert said["searched_named"] == 112 and said["dropped"] == said["dropped_right"] == 16


def test_former_searches_stand_beside_this_one() -> None:
    table = characterise.table(blind)
    old = characterise.table(changed(named=False)).drop(columns=["set", "takes", "named", "right"])
    old = where(old, how="planted").assign(search="old")
    rows = estimates.set_rows(old, table, "new")
    assert rows[0] == ["`old`", "first", "128", "112", "0", "0", "0"]
    assert rows[3] == ["`new`", "second", "128", "112", "112", "112", "112"]
    assert len({len(row) for row in (*rows, estimates.SETS)}) == 1 and len(rows) == 4
    said = estimates.said_of_former(old)
    assert (said["former_taken"], said["former_right"], said["former_floor"]) == (224, 0, 224)
    assert (said["former_second"], said["former_digits"], said["former_first_right"]) == (
        112,
        56,
        0,
    )


def test_the_former_search_is_the_one_that_the_claims_tell_of() -> None:
    kept = former("blind-benchmark")
    own = read_chapters(find_book())["09_characterise"].parameters
    assert list(kept["search"].unique()) == own["draws"][:-1]
    assert kept.groupby(["search", "draw"]).size().eq(benchmark.SIZE).all()
    said = estimates.said_of_former(kept)
    assert (said["former_right"], said["former_taken"]) == (85, 174)
    assert "85 of the 174 networks" in (find_book().claims / "09_characterise.yml").read_text()


def test_live_networks_with_the_recorded_verdict() -> None:
    table = characterise.table(blind)
    live = where(table, draw="fixed", how="planted").head(25)
    assert estimates.said_of_live(live, table) == {"live": 25, "same": 25}


# ---- level and audits ----


def test_the_level_fails_for_a_search_that_believes_anything() -> None:
    levels = pd.DataFrame({"p": [0.04] * 40, "p_single": [0.04] * 40})
    assert verdicts(estimates.level_claims(levels)) == {"characterise-level": "refuted"}
    small = experiment.level(labellings=6, samples=80, permutations=19)
    assert list(small) == ["labelling", "p", "p_single"] and (small["p_single"] <= small["p"]).all()


def test_the_gap_is_over_kinds_and_not_over_networks() -> None:
    gap = pd.DataFrame({"kind": list("aabb"), "ratio": [1.0, 1.0, 2.0, 2.0], "random": 9.0})
    sizes = pd.DataFrame({"problem": "stripes", "norm": "l2", "ratio": [1.0], "random": [4.0]})
    found, _ = estimates.size_claims(sizes, gap)["audit-gap"]
    assert not isinstance(found, Nobody)
    assert found.value == pytest.approx(2**0.5) and found.n == 2


def test_the_audits_of_hand_built_networks_support_the_claims() -> None:
    mixed = experiment.mixtures(
        ["oscillation", "digits-pixel"], [0.0, 0.25, 0.5, 0.75, 1.0], seeds=15, samples=120
    )
    null = experiment.null_audits(["hint"], seeds=30, samples=60)
    found = estimates.audit_claims(mixed, null)
    coverage, wrong = found["audit-coverage"]
    assert not isinstance(coverage, Nobody) and not isinstance(wrong, Nobody)
    assert coverage.n == 30 and coverage.value > 0.9 and wrong.high < 0.2
    assert judge(CLAIMS["audit-verdict"], *found["audit-verdict"]) == "supported"
    moved = mixed.assign(low=mixed["low"] + 0.25, high=mixed["high"] + 0.25, right=False)
    broken = verdicts(estimates.audit_claims(moved, null.assign(verdict="hint")))
    assert "supported" not in broken.values()
    assert plots.mixtures(mixed) is not None


def test_wrong_shares_are_a_quarter_off_and_stay_inside() -> None:
    rows = [
        {"problem": "a", "seed": seed, "p": p, "low": p - 0.01, "high": p + 0.01, "right": True}
        for seed, p in enumerate((0.25, 0.5, 0.75))
    ]
    shifted = [row | {"low": row["p"] + 0.24, "high": row["p"] + 0.26} for row in rows]  # type: ignore[operator]
    null = pd.DataFrame({"kind": "a", "seed": [0, 1], "verdict": "none"})
    _, wrong = estimates.audit_claims(pd.DataFrame(rows), null)["audit-coverage"]
    of, against = estimates.audit_claims(pd.DataFrame(shifted), null)["audit-coverage"]
    assert not any(isinstance(one, Nobody) for one in (of, against, wrong))
    assert wrong.value == of.value == 0  # type: ignore[union-attr]
    assert against.value == pytest.approx(2 / 3)  # type: ignore[union-attr]  # ¾ goes down to ½


def test_sizes_and_their_controls() -> None:
    exact = experiment.exact_sizes(["oscillation", "digits-sinusoid"], points=4)
    gap = experiment.gaps(["sinusoid"], seeds=2, points=4)
    found = estimates.size_claims(exact, gap)
    assert judge(CLAIMS["audit-distance"], *found["audit-distance"]) == "supported"
    assert gap["ratio"].between(0.99, 1.5).all() and (gap["random"] > 1.5).all()
    worse = exact.assign(ratio=exact["random"])
    broken = estimates.size_claims(worse, gap.assign(ratio=gap["random"] * 2))
    assert judge(CLAIMS["audit-distance"], *broken["audit-distance"]) == "refuted"


def test_logistic_regression() -> None:
    own = experiment.models(fits=1, samples=100)
    assert own["verdict"][0] == "sinusoid" and own["share"][1] < 0.3
    many = pd.concat([own] * 20)
    found = estimates.model_claims(many)["audit-scikit-learn"]
    assert judge(CLAIMS["audit-scikit-learn"], *found) == "supported"
    assert judge(CLAIMS["audit-scikit-learn"], *found[::-1]) != "supported"


def test_live_networks_are_the_recorded_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, object]] = []
    monkeypatch.setattr(experiment, "sweep", lambda function, grid: asked.extend(grid))
    experiment.live(30, queries=1000)
    assert [(own["start"], own["count"]) for own in asked] == [(0, 25), (25, 5)]
    assert {own["draw"] for own in asked} == {"fixed"}


def test_the_last_draw_is_of_the_search_as_it_is() -> None:
    """A changed search is asked about networks that nobody has seen.

    Former draws stay listed, and the record has the last one.
    """
    own = read_chapters(find_book())["09_characterise"].parameters
    assert own["draws"][-1:] == [benchmark.digest()] and len(set(own["draws"])) == len(own["draws"])
    tasks = plan(find_book())["blind-benchmark"]["tasks"]
    assert {task["draw"] for task in tasks} == {benchmark.FIXED, own["draws"][-1]}
    assert {task["queries"] for task in tasks} == {own["queries"]}
    size = {"fixed": 0, own["draws"][-1]: 0}
    for task in tasks:
        size[task["draw"]] += task["count"] if task["how"] == "planted" else 0
    assert sum(size.values()) == own["recorded"][0] and set(size.values()) == {benchmark.SIZE}


def test_a_record_without_the_last_draw() -> None:
    table = characterise.table(blind, sets=["fixed", "old"])
    assert len(estimates.counted(table, ["old"], 256)) == len(table)
    with pytest.raises(ValueError, match="128 networks of the fixed set and of the last of"):
        estimates.counted(table, ["old", "new"], 256)


def test_a_stranger_s_forest() -> None:
    predict, x, y, corner = experiment.forest()
    assert x.shape == (400, 8, 8) and (predict(x) == y).mean() > 0.8
    assert (corner == y).mean() == 0.9
