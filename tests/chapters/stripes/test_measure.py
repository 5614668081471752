"""The stripes experiment on few seeds: does each measure see what it should?"""

from __future__ import annotations

import pandas as pd
import pytest
import torch

from falsestruct.chapters.stripes import evidence
from falsestruct.chapters.stripes import measure as experiment
from falsestruct.learning.ensembles import Ensemble, Seeds, by_hand, train
from falsestruct.learning.networks import LINEAR, MLP, PAPER
from falsestruct.learning.training import Schedule
from falsestruct.press.notebook.claims import judge, read_claims
from falsestruct.press.paths import find_book
from falsestruct.problems.stripes import Stripes
from falsestruct.statistics import Nobody, proportion
from tests.worlds import stripes as worlds

STRIPES = Stripes()
CLAIMS = {id: c for id, c in read_claims(find_book()).items() if c.chapter == "03_stripes"}


@pytest.fixture(scope="module")
def swept() -> pd.DataFrame:
    return experiment.crossing(
        STRIPES, [0.01, 1.0], seeds=Seeds(2, 2), architectures=[MLP], attacked=[0.01, 1.0]
    )


def test_crossover_lies_between_small_and_large_offset(swept: pd.DataFrame) -> None:
    shares = swept.groupby("a")["colour"].mean()
    assert shares[0.01] < 0.1
    assert shares[1.0] > 0.9
    crossed = experiment.crossovers(swept)
    assert crossed["crossover"].between(0.01, 1.0).all()
    summary = evidence.crossover_summary(swept, crossed)
    assert list(summary["a"]) == [0.01, 1.0]
    assert (summary["crossover_low"] <= summary["crossover"]).all()
    assert summary["share"].tolist() == shares.tolist()


def test_planting_the_offset_on_the_wrong_class_is_seen() -> None:
    """The control of the whole measurement: reversed colours give reversed captures."""
    x, y = STRIPES.conflict_set(1.0)  # horizontal light, vertical dark: the other false structure
    trained = train(MLP, (x, y), range(2), Schedule(300, target=1e-3))
    assert (experiment.captures(STRIPES, trained, 1.0) < 0.1).all()


def test_points_are_those_of_one_training() -> None:
    """However the seeds are cut into points, the table is the same."""
    many = Seeds(experiment.BLOCK + 1, 0)
    whole = experiment.crossing(STRIPES, [0.1], seeds=many, architectures=[LINEAR])
    assert whole["seed"].tolist() == list(range(experiment.BLOCK + 1))
    trained = train(
        LINEAR, STRIPES.described(0.1), range(experiment.BLOCK + 1),
        Schedule(experiment.MOST_STEPS, target=experiment.TARGET, learning_rate=0.01),
    )  # fmt: skip
    assert whole["steps"].tolist() == pytest.approx(trained.facts["steps"], abs=2)
    assert whole["loss"].tolist() == pytest.approx(trained.facts["loss"], rel=2e-2)


def test_architectures_that_train_slowly_have_seeds_of_their_own():
    table = experiment.crossing(
        STRIPES,
        [0.1],
        seeds=Seeds(3, 2),
        architectures=[LINEAR, experiment.by_name("pooled CNN")],
    )
    assert table.groupby("architecture")["seed"].apply(list).to_dict() == {
        "linear": [0, 1, 2], "pooled CNN": [0, 1],
    }  # fmt: skip


def test_constant_images_flip_colour_readers_and_random_ones_do_not(swept: pd.DataFrame) -> None:
    strong, weak = (swept[swept["a"] == a] for a in (1.0, 0.01))
    assert (strong["constant"] < 3).all()
    assert (strong["at_2a"] > 0.8).all()
    assert (weak["constant"] > 5).all()
    assert (weak["random"] == 0).all()
    assert (weak["at_2a"] == 0).all()


def test_a_share_that_does_not_pass_one_half_has_no_crossover() -> None:
    rows = {"architecture": "MLP", "a": [0.1, 0.2, 0.1, 0.2, 0.1, 0.2], "seed": [0, 0, 1, 1, 2, 2]}
    table = pd.DataFrame(rows | {"colour": [0.0, 0.4, 0.6, 1.0, 0.0, 1.0]})
    found = experiment.crossovers(table)["crossover"]
    assert found.isna().tolist() == [True, True, False]
    assert found[2] == pytest.approx(0.1 * 2**0.5)


def test_optimisers_come_to_one_loss_from_the_same_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiment, "ARCHITECTURES", (LINEAR, MLP))
    monkeypatch.setattr(experiment, "FIRST", 5)
    offsets = {"Adam": [0.03, 0.05], "descent": [0.03], "others": [0.06, 0.1]}
    table = experiment.optimisers(STRIPES, offsets, seeds=Seeds(2, 0))
    linear = table[table["architecture"] == "linear"]
    assert set(linear["a"][linear["optimiser"] == "Adam"]) == {0.03, 0.05}
    assert set(linear["a"][linear["optimiser"] != "Adam"]) == {0.03}
    table = table[table["a"] != 0.05]
    assert len(table) == 3 * 2 * 3 and set(table["seed"]) == {5, 6}
    assert table["reached"].all() and (table["loss"] <= experiment.MATCHED).all()
    assert (table["loss"] > experiment.MATCHED / 2).all()
    means = table.groupby(["architecture", "optimiser", "a"])["colour"].mean()
    assert means["linear", "Adam", 0.03] < 0.1 and means["linear", "descent", 0.03] > 0.9
    assert means["MLP", "descent", 0.06] > means["MLP", "Adam", 0.06] + 0.1
    alone = train(
        MLP, STRIPES.described(0.06), [5], Schedule(100, None, 1e-2, 0.5, optimizer="sgd")
    )
    same = table[(table["architecture"] == "MLP") & (table["optimiser"] == "descent")]
    assert alone.facts["steps"] == [same["steps"].iloc[0]]


def test_batches_take_four_steps_a_pass() -> None:
    shape = {"size": 32, "width": 3}
    point = dict(shape=shape, architecture="MLP", a=0.1, seeds=[1])
    whole, batches = (
        experiment.optimiser_point(optimiser=name, **point)["steps"][0]  # type: ignore[arg-type]
        for name in ("descent", "batches")
    )
    assert batches % experiment.BATCHES == 0 and whole % experiment.BATCHES != 0
    assert len(STRIPES.described(0.1)[0]) == experiment.BATCH * experiment.BATCHES


def test_networks_of_unseen_positions_see_every_second_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiment, "FIRST", 5)
    table = experiment.unseen(STRIPES, [0.01, 0.1], seeds=Seeds(2, 0))
    assert len(table) == 2 * 2 * 3 and table["reached"].all() and set(table["seed"]) == {5, 6}
    table = table[table["architecture"] != "deep MLP"]
    weak, strong = (table[table["a"] == a].set_index("architecture") for a in (0.01, 0.1))
    assert (weak["known"] == 1).all() and (strong["known"] < 0.6).all()
    assert (weak.loc["linear", ["positions", "widths"]] < 0.75).all(axis=None)
    assert (weak.loc["MLP", ["positions", "widths"]] > 0.75).all(axis=None)
    found = evidence.unseen_claims(table, 0.01, 0.1)
    assert {id: pair[0].value for id, pair in found.items()} == {
        "stripes-unseen-positions-linear": 0, "stripes-unseen-positions-mlp": 1,
        "stripes-unseen-widths-linear": 0, "stripes-unseen-widths-mlp": 1,
    }  # fmt: skip
    assert all(pair[1].value == 0 for pair in found.values())


def test_independent_offsets_are_not_read() -> None:
    control = experiment.crossing(
        STRIPES, [0.1], seeds=Seeds(2, 2), architectures=[LINEAR, MLP], independent=True
    )
    assert {"architecture", "a", "seed"} <= set(control)
    assert (control["colour"] < 0.5).all()


def test_variants_have_a_row_a_network_band_and_colouring() -> None:
    table = experiment.variants(STRIPES, a=0.01, seeds=2, images=10)
    assert len(table) == 2 * 2 * 6 * 2
    networks = experiment.network_table(table)
    assert networks[["variant", "seed"]].to_numpy().tolist() == [
        ["A", 0], ["A", 1], ["B", 0], ["B", 1],
    ]  # fmt: skip
    none = table[(table["high"] == 0) & (table["variant"] == "A")]
    shares = none.pivot(index="seed", columns="colours", values="accuracy")
    assert shares["true"].tolist() == shares["swapped"].tolist()


def asked(rule: str) -> Ensemble:
    """Five networks that answer by one of the two rules."""
    structure = getattr(STRIPES, rule)
    learn = by_hand(lambda x: torch.stack([2.0 * structure(one) - 1 for one in x]))
    return learn(MLP, STRIPES.described(0.1), range(5), Schedule(1))


def test_rules_built_by_hand_are_named() -> None:
    assert experiment.captures(STRIPES, asked("colour"), 0.1).tolist() == [1] * 5
    assert experiment.captures(STRIPES, asked("orientation"), 0.1).tolist() == [0] * 5


def test_the_offset_on_the_wrong_class_fails_the_ledger() -> None:
    """Plant the released offset on the other class: the claim about reading comes out otherwise."""
    claim = CLAIMS["stripes-b-reads-colour"]
    assert "stripes-a-reads-colour" in claim.aliases
    x, y = STRIPES.released(0.01)
    sets = {"planted": (x, 1 - y), "released": (x, y), "described": STRIPES.described(0.01)}
    tables = {
        name: experiment.band_table(
            STRIPES, train(PAPER, data, range(8), Schedule(experiment.STEPS)), images=40
        )
        for name, data in sets.items()
    }

    def verdict(a: str, b: str) -> str:
        both = pd.concat([tables[a].assign(variant="A"), tables[b].assign(variant="B")])
        return judge(claim, *evidence.reading_claims(both)[claim.id])

    verdicts = {name: verdict("released", name) for name in sets}
    assert verdicts == {"planted": "refuted", "released": "supported", "described": "refuted"}
    assert verdict("planted", "described") == "inconclusive"  # the control fails
    assert verdicts["described"] == claim.pinned


def test_at_a_glance_both_rules_agree_in_training_and_part_on_the_new_picture() -> None:
    table = experiment.glance(STRIPES, 0.1, seeds=2)
    said = table.drop_duplicates("panel").set_index("panel")
    training = said.drop("new picture")
    assert (training["direction"] == training["brightness"]).all()
    assert (training["direction"] == training["networks"]).all()
    new = said.loc["new picture"]
    assert (new["direction"], new["brightness"]) == ("horizontal", "vertical")
    assert table.groupby("panel")["value"].count().eq(32 * 32).all()


def test_at_a_small_offset_the_networks_of_the_glance_go_with_the_direction() -> None:
    said = experiment.glance(STRIPES, 0.01, seeds=2).drop_duplicates("panel").set_index("panel")
    assert said.loc["new picture", "networks"] == "horizontal"


def networks(**columns: object) -> pd.DataFrame:
    """Ten networks of each of five architectures."""
    names = [name for name in "vwxyz" for _ in range(10)]
    return pd.DataFrame({"architecture": names, "seed": list(range(10)) * 5} | columns)


def test_the_weakest_architecture_decides_and_three_quarters_count() -> None:
    colour = [1.0] * 40 + [0.75] * 9 + [0.74]
    least, most = evidence.capture_claims(networks(colour=colour), networks(colour=0.0))[
        "stripes-false-wins"
    ]
    assert (least.value, most.value) == (0.9, 0)


def test_what_architectures_stand_for_decides_the_interval() -> None:
    """Named, they are strata; standing for more, clusters: five can't carry a sharp claim."""
    strong = networks(constant=1.3, random=0.0, **{"at_2a": 1.0, "at_0.2": 1.0})
    kept = [0.0] * 40 + [1.0] * 10  # one architecture of five keeps nothing
    weak = networks(constant=30.0, random=0.0, **{"at_2a": 0.0, "at_0.2": kept})
    found = evidence.attack_claims(strong, weak)
    verdicts = {id: judge(CLAIMS[id], *pair) for id, pair in found.items()}
    assert verdicts.pop("stripes-orientation-withstands-equal") == "inconclusive"
    assert set(verdicts.values()) == {"supported"}
    equal, control = found["stripes-orientation-withstands-equal"]
    assert (equal.value, equal.n, control.n) == (0.8, 5, 5)
    assert found["stripes-random-flips"][0].n == 50
    swapped = evidence.attack_claims(weak, strong)
    assert "supported" not in {judge(CLAIMS[id], *pair) for id, pair in swapped.items()}


def test_descent_is_judged_against_adam_and_batches_against_descent() -> None:
    verdicts = {
        name: {id: judge(CLAIMS[id], *pair) for id, pair in worlds.descent(*shares).items()}
        for name, shares in {
            "as foretold": (0.3, 0.8, 0.8), "all alike": (0.8, 0.8, 0.8), "noise": (0.3, 0.8, 0.3),
        }.items()
    }  # fmt: skip
    linear = [of.pop("stripes-descent-linear") for of in verdicts.values()]
    assert linear == ["supported", "inconclusive", "supported"]
    assert {name: set(of.values()) for name, of in verdicts.items()} == {
        "as foretold": {"supported"}, "all alike": {"refuted"}, "noise": {"inconclusive"},
    }  # fmt: skip


def test_networks_that_are_alike_differ_by_the_step_between_offsets() -> None:
    """Not by a factor of two: ten at 0.012 tell where they change over as the offsets do."""
    found = worlds.descent(0.3, 0.8, 0.8)["stripes-descent-linear"][0]
    at = evidence.margin_offset(STRIPES)
    assert not isinstance(found, Nobody)
    assert found.value == pytest.approx((0.012 * 0.014) ** 0.5 / at)
    widest = 0.01 / 0.008
    tenths = proportion([False] * 10).high
    assert found.high == pytest.approx(found.value * widest**tenths, rel=1e-3)


def test_where_networks_follow_the_orientation_nothing_is_supported() -> None:
    """They have no crossover, and controls that need readers of the colour fail."""
    found = worlds.original()
    components = {id for id, claim in CLAIMS.items() if claim.component != "foundation"}
    assert set(found) == components
    verdicts = {id: judge(CLAIMS[id], *pair) for id, pair in found.items()}
    assert set(verdicts.values()) == {"refuted", "inconclusive"}
    refuted = {"stripes-b-reads-colour", "stripes-false-wins", "stripes-constant-size"}
    refuted |= {id for id in found if id.startswith("stripes-descent-")} - {
        "stripes-descent-linear"
    }
    assert {id for id, verdict in verdicts.items() if verdict == "refuted"} == refuted
    assert isinstance(found["stripes-descent-linear"][0], Nobody)
    assert isinstance(found["stripes-crossover-mlp"][0], Nobody)


def test_what_is_said_of_optimisers() -> None:
    own = {"a": 0.1, "colour": 0.0, "optimiser": "Adam", "reached": True}
    table = networks(**own, loss=[0.01] * 49 + [0.005]).replace("v", "linear")
    later = table.assign(a=0.4, colour=1.0, reached=[False] * 3 + [True] * 47)
    said = evidence.optimisers_said(pd.concat([table, later]))
    assert said == {
        "crossover_adam": pytest.approx(0.2),
        "runs": 100,
        "came": 97,
        "lowest": 0.005,
    }


def test_networks_that_did_not_finish_are_counted() -> None:
    table = networks(reached=[False] * 10 + [True] * 39 + [False]).replace("v", "linear")
    counts = {"linear": 10, "linear_lost": 10, "others": 40, "others_lost": 1}
    assert evidence.unfinished(table) == counts


def test_crossovers_are_judged_with_their_controls() -> None:
    crossed = networks(crossover=[0.05, 0.06] * 25).replace("v", "MLP")
    control = networks(colour=0.0).replace("v", "MLP")
    found = evidence.crossover_claims(crossed, control)
    claim = CLAIMS["stripes-crossover-mlp"]
    assert judge(claim, *found[claim.id]) == "supported"
    assert found[claim.id][0].value == pytest.approx((0.05 * 0.06) ** 0.5)
    sides = evidence.crossover_claims(crossed, control.assign(colour=1.0))
    assert judge(claim, *sides[claim.id]) == "inconclusive"


def test_sets_radii_and_losses_are_those_of_the_claims() -> None:
    sets = evidence.set_claims(STRIPES, 0.01)["stripes-released-set"]
    assert [one.value for one in sets] == [0, 30]
    radii = evidence.radius_claims(Stripes(8, 2), 0.1)["stripes-orientation-radius"]
    assert [one.value for one in radii] == [0, pytest.approx(0.4)]
    margins = evidence.margin_claims(STRIPES, 5)["stripes-margin"]
    assert judge(CLAIMS["stripes-margin"], *margins) == "supported"
    losses = pd.DataFrame({"variant": list("AAABBB"), "loss": [0.4, 0.5, 0.6, 0.1, 0.1, 0.12]})
    found = evidence.loss_claims(losses)["stripes-released-loss"]
    assert judge(CLAIMS["stripes-released-loss"], *found) == "supported"
    assert found[0].value == pytest.approx(0.5)
