"""The stripes experiment on few seeds: does each measure see what it should?"""

from __future__ import annotations

import pandas as pd
import pytest

from falsestruct import statistics
from falsestruct.chapters.stripes import measure as experiment
from falsestruct.learning import training
from falsestruct.learning.networks import LINEAR, MLP, PAPER
from falsestruct.learning.training import Schedule
from falsestruct.press.notebook.claims import check, judge, read_claims
from falsestruct.press.paths import find_book
from falsestruct.problems.stripes import BANDS, Stripes

STRIPES = Stripes()


@pytest.fixture(scope="module")
def swept() -> pd.DataFrame:
    return experiment.crossing(
        STRIPES, [0.01, 1.0], seeds=2, architectures=[MLP], attacked=[0.01, 1.0]
    )


def test_vertical_images_are_counted() -> None:
    assert experiment.vertical_images(*STRIPES.released(0.01)) == 0
    assert experiment.vertical_images(*STRIPES.described(0.01)) == 30


@pytest.mark.parametrize(("position", "a"), [(0, 0.01), (15, 0.01), (29, 0.3)])
def test_linear_program_finds_the_radius_of_the_proof(position: int, a: float) -> None:
    assert experiment.orientation_radius(STRIPES, position, a) == pytest.approx(0.5, abs=1e-9)


def test_radius_follows_the_contrast_not_the_size() -> None:
    assert experiment.orientation_radius(Stripes(12, 2), 4, 0.1) == pytest.approx(0.5, abs=1e-9)


def test_crossover_lies_between_small_and_large_offset(swept: pd.DataFrame) -> None:
    shares = swept.groupby("a")["colour"].mean()
    assert shares[0.01] < 0.1
    assert shares[1.0] > 0.9
    crossed = experiment.crossovers(swept)
    assert crossed["crossover"].between(0.01, 1.0).all()
    summary = experiment.crossover_summary(swept, crossed)
    assert list(summary["a"]) == [0.01, 1.0]
    assert (summary["crossover_low"] <= summary["crossover"]).all()


def test_planting_the_offset_on_the_wrong_class_is_seen() -> None:
    """The control of the whole measurement: reversed colours give reversed captures."""
    x, y = STRIPES.conflict_set(1.0)  # horizontal light, vertical dark: the other false structure
    trained = training.train(MLP, (x, y), range(2), Schedule(300, target=1e-3))
    assert (experiment.captures(STRIPES, trained, 1.0) < 0.1).all()


def test_points_are_those_of_one_training() -> None:
    """However the seeds are cut into points, the table is the same."""
    whole = experiment.crossing(STRIPES, [0.1], seeds=experiment.BLOCK + 1, architectures=[LINEAR])
    assert whole["seed"].tolist() == list(range(experiment.BLOCK + 1))
    trained = training.train(
        LINEAR, STRIPES.described(0.1), range(experiment.BLOCK + 1),
        Schedule(experiment.MOST_STEPS, target=experiment.TARGET, learning_rate=0.01),
    )  # fmt: skip
    assert whole["steps"].tolist() == pytest.approx(trained.steps.tolist(), abs=2)
    assert whole["loss"].tolist() == pytest.approx(trained.loss.tolist(), rel=2e-2)


def test_architectures_that_train_slowly_have_seeds_of_their_own():
    table = experiment.crossing(
        STRIPES,
        [0.1],
        seeds=3,
        slow_seeds=2,
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


def test_independent_offsets_are_not_read() -> None:
    control = experiment.crossing(
        STRIPES, [0.1], seeds=2, architectures=[LINEAR, MLP], independent=True
    )
    assert list(control.columns[:3]) == ["architecture", "a", "seed"]
    assert (control["colour"] < 0.5).all()


def test_a_larger_learning_rate_needs_fewer_steps() -> None:
    slow, fast = (
        experiment.crossing(STRIPES, [0.1], seeds=2, architectures=[LINEAR], factor=factor)
        for factor in (1.0, 3.0)
    )
    assert (fast["steps"] < slow["steps"]).all()


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


def test_examples_hold_every_pixel() -> None:
    table = experiment.examples(STRIPES, 0.1)
    assert isinstance(table, pd.DataFrame)
    assert table.groupby("panel").size().eq(1024).all()
    released = table[table["panel"] == "“vertical”, as released"]
    assert released.groupby("row")["value"].nunique().eq(1).all()


def test_the_offset_on_the_wrong_class_fails_the_ledger() -> None:
    """Plant the released offset on the other class: the claim about (A) must come out otherwise."""
    claim = read_claims(find_book())["stripes-a-reads-colour"]
    x, y = STRIPES.released(0.01)
    sets = {"planted": (x, 1 - y), "released": (x, y), "described": STRIPES.described(0.01)}
    tables = []
    for name, data in sets.items():
        trained = training.train(PAPER, data, range(8), Schedule(experiment.STEPS))
        tables.append(experiment.band_table(STRIPES, trained, images=40).assign(variant=name))
    reads = experiment.band_captures(pd.concat(tables), BANDS[-1])
    share = {name: statistics.proportion(value >= 0.75) for name, value in reads.items()}
    verdict = {name: judge(claim, share[name], share["described"]) for name in sets}
    assert verdict["released"] == "supported"
    assert verdict["planted"] == "refuted"
    keys = {claim.chapter: "key"}
    for name, problems in (("released", 0), ("planted", 1)):
        evidence = {claim.id: {"key": "key", "verdict": verdict[name]}}
        assert len(check({claim.id: claim}, evidence, keys)) == problems


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


def test_shares_of_colour_readers_count_three_quarters() -> None:
    table = pd.DataFrame({"architecture": ["x", "x", "y"], "colour": [0.75, 0.74, 1.0]})
    assert [share.value for share in experiment.colour_shares(table)] == [0.5, 1.0]
