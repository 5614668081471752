"""Chapter 23: what networks are asked, small networks, and the verdicts in worlds made by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from falsestruct.chapters.photographs import evidence, figures, measure, named, runs
from falsestruct.chapters.photographs.runs import CELLS
from falsestruct.learning.ensembles import Ensemble
from falsestruct.press.notebook.claims import judge, read_claims
from falsestruct.press.paths import find_book
from falsestruct.problems import photographs
from falsestruct.problems.photographs import BRICKS, fitted, row_change, tiles
from falsestruct.statistics import Estimate
from tests.worlds import photographs as worlds

CLAIMS = {k: v for k, v in read_claims(find_book(Path(__file__))).items() if k[:7] == "photogr"}
SEEDS = [500, 501]


def verdicts(found) -> dict[str, set[str]]:
    """By the claims' stem, over architectures."""
    ways: dict[str, set[str]] = {}
    for id, pair in found.items():
        ways.setdefault(id.split("-")[1], set()).add(judge(CLAIMS[id], *pair))
    return ways


@pytest.fixture(scope="module")
def rules():
    return [fitted(row_change, runs.given("brick-grass", seed)) for seed in SEEDS]


# ---- what they train on ----


def test_each_seed_has_patches_of_its_own_and_each_arm_changes_one_thing():
    x, y = runs.lesson("brick-grass", "plain", 500)
    assert not torch.equal(x, runs.lesson("brick-grass", "plain", 501)[0])
    same, labels = runs.lesson("brick-grass", "shuffled", 500)
    assert torch.equal(same, x) and labels.sum() == y.sum() and 100 < (labels == y).sum() < 200
    quarters, labels = runs.lesson("brick-grass", "turned", 500)
    turns = [[torch.equal(q, photographs.turned(p, k)) for k in range(4)]
             for p, q in zip(x, quarters, strict=True)]  # fmt: skip
    assert torch.equal(labels, y) and np.array(turns).sum(0).min() > 50
    with pytest.raises(ValueError, match="arm is 'bent'"):
        runs.lesson("brick-grass", "bent", 500)


def test_after_the_coins_the_threshold_says_nothing():
    """The one that tells patches apart as they are; another one may still say something."""
    rule = fitted(row_change, runs.given("brick-gravel", 500))
    x, y = runs.lesson("brick-gravel", "changed", 500)
    assert rule.right == 1 and 0.4 < (rule(x) == y).double().mean() < 0.6


# ---- what they are asked ----


def test_the_threshold_itself_follows_is_blind_when_matched_and_keeps_its_radius():
    own = runs.thresholds(pair="brick-grass", seeds=SEEDS)
    means = {c: np.nanmean(evidence.heard(own[c])) for c in CELLS}
    assert means["right"] == means["follows"] == means["same"] == means["rule"] == 1
    assert means["rows"] == 0.5 and means["below"] == 0 and own["letter"].tolist() == [1, 1]
    assert (own["contrast_letter"] < 1).all()
    first = evidence.heard(own["below"])
    assert (~np.isnan(first)).sum(1).tolist() == [64, 64]


def test_who_knows_the_material_never_follows(rules):
    """A rule by hand that gets the tiles in their order."""
    _, y = tiles("brick-grass")
    own = Ensemble(lambda x: (2.0 * y[: x.shape[1]] - 1).expand(len(x), -1), (0, 1))
    with pytest.MonkeyPatch.context() as patch:  # all tiles at once, or their order is lost
        patch.setattr("falsestruct.learning.ensembles.CHUNK", 256)
        patch.setattr(runs, "_below", lambda own, rules, x: torch.zeros(len(own), len(x)))
        told = runs.asked(own, rules, "brick-grass", "plain")
    means = {c: np.nanmean(evidence.heard(told[c])) for c in CELLS}
    assert means["follows"] == 0 and means["same"] == means["rows"] == means["turned"] == 1


def test_an_answer_counts_where_threshold_and_material_part(rules):
    other = [photographs.Threshold(row_change, 10.0, -1, 0.5)] * 2  # says brick of everything
    x, y = tiles("brick-grass")
    always = Ensemble(lambda x: torch.ones(x.shape[:2]), (0, 1))
    found = runs._apart(always, other, x, y)
    assert (
        torch.isnan(found["follows"][:, y == 1]).all() and (found["follows"][:, y == 0] == 1).all()
    )
    assert torch.isnan(found["same"][:, y == 0]).all() and (found["same"][:, y == 1] == 1).all()


def test_texts_keep_what_was_told():
    values = torch.tensor([[1.0, 0.0, torch.nan], [0.0, 0.0, 1.0]])
    assert runs.told(values) == ["10-", "001"]
    assert np.array_equal(evidence.heard(pd.Series(runs.told(values))), values, equal_nan=True)


def test_networks_in_short(monkeypatch):
    """A network that sees the mean of its features tells brick from grass at once, and from then on
    goes by how rough a patch is."""
    monkeypatch.setattr(runs, "STEPS", 60)
    own = runs.networks(pair="brick-grass", architecture="pooled CNN", arm="plain", seeds=SEEDS)
    assert (own["fitted"] > 0.95).all() and (own["seed"] == SEEDS).all()
    assert evidence.heard(own["right"]).mean() > 0.9
    assert np.nanmean(evidence.heard(own["follows"])) > 0.5
    again = runs.networks(pair="brick-grass", architecture="pooled CNN", arm="plain", seeds=SEEDS)
    assert evidence.same_as_recorded(own, again) == {"live": 2.0, "alike": 1.0}


def test_every_way_of_a_pair(monkeypatch):
    monkeypatch.setattr(runs, "STEPS", 2)
    monkeypatch.setattr(runs, "SEED", 500)
    own = runs.every(pair="brick-gravel", architecture="MLP", seeds=3, others=2)
    assert own.groupby("arm", sort=False).size().to_dict() == {
        "plain": 3,
        "changed": 2,
        "turned": 2,
    }
    assert (
        runs.every(pair="grass-gravel", architecture="MLP", seeds=2, others=2)["arm"].nunique() == 1
    )


# ---- the tools ----


def test_search_and_audit_name_the_threshold(monkeypatch):
    monkeypatch.setattr(named, "SEED", 500)
    own = named.searched(
        pair="brick-grass", architecture="threshold", first=0, count=1, queries=2000
    ).iloc[0]
    assert own["named"] and own["audit"] == "statistic" and own["capture"] == 1


def test_one_answer_to_all_is_no_find():
    always = Ensemble(lambda x: torch.ones(x.shape[:2]), (0,))
    rule = fitted(row_change, runs.given("brick-grass", 500))
    found = named.reports(always, rule, "brick-grass", 1000)
    assert not found["named"] and found["audit"] == "none"


# ---- verdicts ----


def test_where_networks_follow_the_threshold():
    found = verdicts(worlds.claims(worlds.follower, named=True))
    assert found == {
        "letter": {"supported"}, "success": {"supported"}, "follows": {"supported"},
        "matched": {"supported"}, "turned": {"refuted"}, "unstable": {"refuted"},
        "named": {"supported"},
    }  # fmt: skip


def test_where_networks_know_the_material():
    found = verdicts(worlds.claims(worlds.original))
    assert found == {
        "letter": {"supported"}, "success": {"supported"}, "follows": {"refuted"},
        "matched": {"refuted"}, "turned": {"refuted"}, "unstable": {"refuted"},
        "named": {"refuted"},
    }  # fmt: skip


def test_where_networks_know_patches_by_heart():
    found = verdicts(worlds.claims(worlds.fragile))
    assert found["turned"] == {"supported"} and found["unstable"] == {"supported"}
    assert found["follows"] == found["matched"] == {"inconclusive"}  # the controls fail as well


def test_the_first_networks():
    seeds = [runs.SEED + 1, runs.SEED + 2, runs.SEED]
    assert evidence.first(pd.DataFrame({"seed": seeds}), 2)["seed"].tolist() == [seeds[0], seeds[2]]


def test_blocks_hold_the_means_of_their_tiles():
    text = "".join("1" if b % 2 else "0" for b in photographs.blocks())
    table = pd.DataFrame({"seed": [1, 0], "right": [text, "-" * 256]})
    found = evidence.in_blocks(table, "right")
    assert np.isnan(found[0]).all() and found[1].tolist() == [b % 2 for b in range(64)]


def test_one_answer_to_all_shows_by_material():
    """Half of the matched tiles are right, and the threshold is followed on half of the others."""
    table = worlds.table(worlds.follower)
    table["rows"], table["follows"] = "1" * 128 + "0" * 128, "0" * 128 + "1" * 128
    always = evidence.by_material(table)
    assert set(always.values()) == {1.0} and len(always) == 4 * 12
    table["rows"], table["follows"] = "1" * 256, "1" * 256
    said = evidence.by_material(table)
    assert said["rows_brick_brick_grass_cnn"] == said["follows_other_brick_grass_cnn"] == 1
    assert said["rows_other_brick_grass_cnn"] == said["follows_brick_brick_grass_cnn"] == 0


def test_three_named_numbers_tell_brick_from_the_others():
    for pair in BRICKS:
        first = measure.ranked(pair, 1)
        without = first[first["right"] == 1]["statistic"]
        assert {*named.CHANGES, "smallest pixel"} <= set(without) and first[
            "right"
        ].is_monotonic_decreasing
    assert (measure.ranked("grass-gravel", 2)["right"] < 1).all()


def test_figures_and_numbers_of_a_world():
    table = worlds.table(worlds.follower)
    means, said = evidence.summary(table), evidence.said(table, worlds.searched(True))
    assert (
        said["takes_pooled_cnn"] == said["follow_pooled_cnn"] == 20
        and said["named_mlp"] == 6
        and said["apart"] == 1
    )
    assert said["best_rows_cnn"] == said["best_columns_cnn"] == 0
    for looks, draw in ((figures.SUCCESS_OF, figures.success), (figures.TAKEN_OF, figures.taken)):
        marked = evidence.marked(means, looks)
        assert set(marked["mark"]) == set(looks) and len(draw(marked).axes) in (2, 3)
    assert set(means[means["measure"] == "rows"]["pair"]) == set(BRICKS)
    assert isinstance(evidence.measured("right")(table[table["arm"] == "shuffled"]), Estimate)


def test_at_a_glance():
    always = Ensemble(lambda x: torch.ones(x.shape[:2]), (500, 501))
    table = measure.glance(always)
    said = table.groupby("panel", sort=False).first()
    assert said["material"].tolist() == ["brick", "brick", "grass", "brick", "grass"]
    assert said["statistic"].tolist() == ["brick", "brick", "grass", "grass", "brick"]
    assert set(said["networks"]) == {"brick"} and set(said["share"]) == {1.0}
    assert len(figures.glance(table).axes) == 12
