"""The stripes experiment on few seeds: does each measure see what it should?"""

from __future__ import annotations

import pandas as pd
import pytest
import torch

from falsestruct import statistics, training
from falsestruct.experiments import stripes as experiment
from falsestruct.networks import LINEAR, MLP, PAPER
from falsestruct.press.claims import check, judge, read_claims
from falsestruct.press.paths import find_book
from falsestruct.problems.stripes import BANDS, Stripes

STRIPES = Stripes()


@pytest.fixture(scope="module")
def swept() -> experiment.Sweep:
    return experiment.sweep(STRIPES, [0.01, 1.0], seeds=2, architectures=[MLP])


def test_vertical_images_are_counted() -> None:
    assert experiment.vertical_images(*STRIPES.released(0.01)) == 0
    assert experiment.vertical_images(*STRIPES.described(0.01)) == 30


@pytest.mark.parametrize(("position", "a"), [(0, 0.01), (15, 0.01), (29, 0.3)])
def test_linear_program_finds_the_radius_of_the_proof(position: int, a: float) -> None:
    assert experiment.orientation_radius(STRIPES, position, a) == pytest.approx(0.5, abs=1e-9)


def test_radius_follows_the_contrast_not_the_size() -> None:
    assert experiment.orientation_radius(Stripes(12, 2), 4, 0.1) == pytest.approx(0.5, abs=1e-9)


def test_crossover_lies_between_small_and_large_offset(swept: experiment.Sweep) -> None:
    shares = swept.table.groupby("a")["colour"].mean()
    assert shares[0.01] < 0.1
    assert shares[1.0] > 0.9
    crossed = experiment.crossovers(swept.table)
    assert crossed["crossover"].between(0.01, 1.0).all()
    summary = experiment.crossover_summary(swept.table, crossed)
    assert list(summary["a"]) == [0.01, 1.0]
    assert (summary["crossover_low"] <= summary["crossover"]).all()


def test_planting_the_offset_on_the_wrong_class_is_seen() -> None:
    """The control of the whole measurement: reversed colours give reversed captures."""
    x, y = STRIPES.conflict_set(1.0)  # horizontal light, vertical dark: the other false structure
    trained = training.train(MLP, [(x, y)] * 2, range(2), steps=300, target=1e-3)
    assert (experiment.captures(STRIPES, trained, 1.0) < 0.1).all()


def test_networks_of_one_offset_are_picked_out(swept: experiment.Sweep) -> None:
    at = swept.at("MLP", 1.0)
    assert len(at) == 2
    own = swept.table[swept.table["a"] == 1.0]["loss"].tolist()
    assert at.loss.tolist() == own


def test_constant_images_flip_colour_readers_and_random_ones_do_not(
    swept: experiment.Sweep,
) -> None:
    table = experiment.attacks(STRIPES, swept.at("MLP", 1.0), 1.0, draws=1, seed=0)
    assert (table["constant"] < 3).all()
    assert (table["at_2a"] > 0.8).all()
    weak = experiment.attacks(STRIPES, swept.at("MLP", 0.01), 0.01, draws=1, seed=0)
    assert (weak["constant"] > 5).all()
    assert (weak["random"] == 0).all()
    assert (weak["at_2a"] == 0).all()


def test_independent_offsets_are_not_read() -> None:
    control = experiment.sweep(
        STRIPES, [0.1], seeds=2, architectures=[LINEAR, MLP], independent=True
    )
    assert (control.table["colour"] < 0.5).all()


def test_band_table_has_a_row_a_network_band_and_colouring(swept: experiment.Sweep) -> None:
    trained = {"A": swept.at("MLP", 1.0)}
    table = experiment.band_table(STRIPES, trained, images=10)
    assert len(table) == 2 * 6 * 2
    none = table[table["high"] == 0].pivot(index="seed", columns="colours", values="accuracy")
    assert torch.equal(torch.tensor(none["true"].values), torch.tensor(none["swapped"].values))


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
    trained = {
        name: training.train(PAPER, [data] * 8, range(8), steps=experiment.STEPS)
        for name, data in sets.items()
    }
    reads = experiment.band_captures(experiment.band_table(STRIPES, trained, images=40), BANDS[-1])
    share = {name: statistics.proportion(value >= 0.75) for name, value in reads.items()}
    verdict = {name: judge(claim, share[name], share["described"]) for name in sets}
    assert verdict["released"] == "supported"
    assert verdict["planted"] == "refuted"
    keys = {claim.chapter: "key"}
    for name, problems in (("released", 0), ("planted", 1)):
        evidence = {claim.id: {"key": "key", "verdict": verdict[name]}}
        assert len(check({claim.id: claim}, evidence, keys)) == problems
