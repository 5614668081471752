"""Chapter 18: networks whose structure is known, and the verdicts in worlds made by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from falsestruct.chapters.explanations import evidence as found
from falsestruct.chapters.explanations import measure as experiment
from falsestruct.characterise.explanations import METHODS, Effort, Question
from falsestruct.learning.ensembles import by_hand
from falsestruct.press.notebook.claims import judge, read_claims
from falsestruct.press.paths import find_book
from falsestruct.problems import binary
from falsestruct.problems.planted import followers
from falsestruct.statistics import Nobody
from tests.worlds import explanations as worlds

CLAIMS = {k: v for k, v in read_claims(find_book(Path(__file__))).items() if "explanations-" in k}
SIDES = {"corner": 0.95, "parity": 0.1, "brightness": 0.8, "seven": 0.1, "middle": 0.8}
SIZES = {
    "original": 7.5,
    "corner": 1.0,
    "parity": 7.5,
    "brightness": 6.0,
    "seven": 7.5,
    "middle": 6.0,
}


def verdicts(pairs) -> dict[str, str]:
    return {id: judge(CLAIMS[id], *pair) for id, pair in pairs.items()}


def of(said: dict[str, str], word: str) -> set[str]:
    return {verdict for id, verdict in said.items() if f"-{word}" in id}


# Measuring


@pytest.fixture(scope="module", autouse=True)
def _small():
    """Little effort, and other seeds than those of the claims."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiment, "FIRST", 0)
        patch.setattr(experiment, "EFFORT", Effort(points=4, orders=4, steps=30, draws=2))
        patch.setattr(experiment, "CONFLICT", 60)
        patch.setattr(experiment, "ROWS", 300)
        yield


POINT = {"seeds": 2, "images": 8, "steps": 150}


@pytest.fixture(scope="module")
def trained(_small) -> pd.DataFrame:
    return experiment.maps_point(kind="brightness", rho=1.0, **POINT)


def test_a_pattern_that_tells_the_label_is_taken_and_named(trained):
    plain = trained[trained["arm"] == "plain"]
    assert set(plain["method"]) == set(METHODS) and len(plain) == 2 * len(METHODS)
    assert (plain["captured"] > 0.75).all() and (plain["right"] > 0.95).all()
    assert plain[plain["method"] == "integrated gradients"]["named"].all()
    assert (plain[plain["method"] == "integrated gradients"]["one"] > 0.5).all()


def test_a_wave_fools_the_gradient_at_every_image_and_a_flat_one_does_not(trained):
    waved = trained[trained["arm"] != "plain"]
    assert set(waved["arm"]) == {"bright", "faint"}
    assert (waved["fooled"] == 1).all() and (waved["flat"] < 1).all()
    gradient = waved[waved["method"] == "gradient"]
    assert gradient["decoy"].all() and not gradient["named"].any()
    assert waved[waved["method"] == "occlusion"]["named"].all()
    bright = waved[waved["arm"] == "bright"].set_index("method")
    assert bright.loc["gradient times difference", "decoy"].all()


def test_who_follows_the_original_is_not_named():
    given = experiment.plant("sinusoid")
    learn = by_hand(followers.of_original(given))
    table = experiment.maps_point(kind="sinusoid", rho=0.5, learn=learn, **POINT)
    assert (table["captured"] == 0).all() and not table["named"].any() and (table["one"] == 0).all()
    assert (table["changes"] == 0).all() and table[["auc", "margin"]].isna().all(axis=None)


def test_who_follows_the_pattern_changes_every_answer():
    given = experiment.plant("pixel")
    learn = by_hand(followers.of_pattern(given))
    table = experiment.maps_point(kind="pixel", rho=0.5, learn=learn, **POINT)
    assert table["named"].all() and (table[["captured", "asks", "changes"]] == 1).all(axis=None)


def test_every_pattern_and_share_is_there():
    table = experiment.maps([0.5], seeds=1, images=8, steps=2)
    own = table.drop_duplicates(["kind", "rho", "steps"])[["kind", "rho", "steps"]]
    wanted = {(kind, rho, steps) for kind in experiment.DICTIONARIES
              for rho, steps in ((0.5, 2), (1.0, 0))}  # fmt: skip
    assert set(own.itertuples(index=False, name=None)) == wanted


def test_networks_have_images_and_data_of_their_own(monkeypatch):
    seen = []

    def noted(given, kind, ask: Question, decoy):
        seen.append(ask.x)
        return pd.DataFrame({"member": range(2), "method": "gradient"})

    monkeypatch.setattr(experiment, "asked", noted)
    experiment.maps_point(kind="pixel", rho=0.5, **POINT)
    assert not torch.equal(seen[0][0], seen[0][1])


def test_followers_built_by_hand_are_told_apart():
    said = verdicts(found.built_claims(experiment.built(8)))
    assert said == {"explanations-built": "supported"}


def reads(rule: str):
    """A learner of binary images that knows this rule."""
    labels = torch.from_numpy(2.0 * binary.labels(rule) - 1)
    powers = 2.0 ** torch.arange(binary.PIXELS)

    def outputs(x):
        nearest = labels[(x.detach().round() @ powers).long().clamp(0, len(labels) - 1)]
        return nearest + 0 * x.sum(-1)  # a gradient that is zero

    return by_hand(outputs)


@pytest.mark.parametrize(("rule", "size"), [("corner", 1), ("parity", 3), ("seven", 7)])
def test_masks_of_a_rule_are_exact(rule, size):
    point = {"beside": rule, "seeds": 2, "images": 3, "steps": 5}
    table = experiment.masks_point(**point, learn=reads(rule))
    assert (table["mask"] == size).all() and (table[f"sides_{rule}"] == 1).all()
    assert (table[f"off_{rule}"] == 0).all()
    assert (table["learnt"] == 1).all() and (table["right"] < 0.7).all()


def test_who_reads_the_original_sides_with_nobody():
    point = {"beside": "original", "seeds": 2, "images": 2, "steps": 5}
    table = experiment.masks_point(**point, learn=reads("original"))
    assert (table[[f"sides_{rule}" for rule in binary.RULES]] == 0).all(axis=None)
    assert (table["kept_exact"] == table["mask"]).all() and (table["right"] == 1).all()
    assert (table["kept_shapley"] >= table["kept_exact"]).all()
    assert table["off_corner"].tolist() == pytest.approx((table["mask"] - 1).tolist())


def test_a_corner_is_taken_by_training():
    table = experiment.masks_point(beside="corner", seeds=2, images=2, steps=300)
    assert (table["sides_corner"] > 0.75).all() and (table["mask"] < 5).all()


def test_masks_of_the_rules():
    sizes = experiment.of_rules()
    assert sizes["corner"] == 1 and sizes["parity"] == 3
    assert sizes["brightness"] == 6 and sizes["seven"] == 7
    chance = 2 * math.comb(15, 7) / 2**15  # of seven or eight ones of fifteen
    assert sizes["middle"] == pytest.approx(14 * chance + 7 * (1 - chance))
    says = binary.labels("original").mean()
    both = says * sizes["original 1"] + (1 - says) * sizes["original 0"]
    assert sizes["original"] == pytest.approx(both)
    assert sizes["original 0"] < 5 < sizes["original"] < 6 and sizes["original 1"] > 8


@pytest.mark.parametrize("kind", experiment.DICTIONARIES)
def test_a_pattern_varies_more_than_any_other_coordinate(kind):
    given = experiment.plant(kind)
    x = given.draw(2, experiment.generator(0), rho=0.5)[0][None]
    ask = experiment.question(given, experiment.DICTIONARIES[kind], lambda x: x.sum(-1), x)
    assert ask.donors.var(0).argmax() == experiment.place(given, kind)


# Worlds whose answer is known


def test_every_claim_has_an_estimate():
    digits = worlds.maps(taken=1.0, named=1.0)
    pairs = [
        found.proved(1), found.map_claims(digits), found.wave_claims(worlds.waved({})),
        found.mask_claims(worlds.masks(SIDES, SIZES, ahead=1.0)), {"explanations-built": None},
    ]  # fmt: skip
    assert {id for part in pairs for id in part} == set(CLAIMS)


def test_what_is_proved_is_supported():
    assert set(verdicts(found.proved(2)).values()) == {"supported"}


def test_the_world_that_is_foretold():
    table = worlds.maps(taken=1.0, named=1.0, before=worlds.SEEN)
    said = verdicts(found.map_claims(table))
    assert of(said, "single") == of(said, "untrained") == {"refuted"}
    rest = {id for id in said if "-single-" not in id and "-untrained-" not in id}
    assert len(rest) == 15 and {said[id] for id in rest} == {"supported"}
    said = verdicts(found.mask_claims(worlds.masks(SIDES, SIZES, ahead=1.0)))
    assert {said.pop(f"explanations-sided-binary-{rule}") for rule in ("parity", "seven")} == {
        "refuted"
    }
    assert set(said.values()) == {"supported"}


def test_maps_that_tell_by_which_an_answer_was_given():
    said = verdicts(found.map_claims(worlds.maps(taken=1.0, named=1.0, auc=0.9)))
    assert of(said, "single") == {"supported"}
    said = verdicts(found.map_claims(worlds.maps(taken=1.0, named=1.0, auc=0.9, margin=0.6)))
    assert of(said, "single") == {"inconclusive"}  # the question has no answer to compare with


def test_one_bad_method_is_enough():
    table = worlds.maps(taken=1.0, named=1.0, worst={"masks": 0.1})
    said = verdicts(found.map_claims(table))
    assert of(said, "named-sizes") == of(said, "one") == {"refuted"}
    assert of(said, "named-slopes") == {"supported"}


def test_who_sides_with_the_digit_and_is_named_nevertheless():
    table = worlds.maps(taken=1.0, named=1.0)
    assert of(verdicts(found.map_claims(table)), "minor") == {"supported"}
    often = table["rho"] == experiment.OFTEN
    for method, verdict in (("masks", "supported"), ("occlusion", "refuted")):
        own = table.assign(named=table["named"] & ~(often & (table["method"] == method)))
        assert of(verdicts(found.map_claims(own)), "minor") == {verdict}
    takers = table.assign(captured=table["captured"].where(~often, 0.6))
    assert of(verdicts(found.map_claims(takers)), "minor") == {"inconclusive"}


def test_methods_that_blame_the_innocent_decide_nothing():
    said = verdicts(found.map_claims(worlds.maps(taken=1.0, named=1.0, blamed=1.0)))
    assert of(said, "named") == of(said, "one") == {"inconclusive"}
    assert of(said, "untrained") == {"supported"}


def test_a_slope_that_names_the_pattern_before_training_decides_nothing():
    table = worlds.maps(taken=1.0, named=1.0, before={"SmoothGrad": 1.0})
    said = verdicts(found.map_claims(table))
    assert of(said, "named-slopes") == {"inconclusive"}
    assert of(said, "named-sizes") == of(said, "untrained") == {"supported"}


def test_where_nobody_takes_the_pattern_nothing_is_said_of_maps():
    said = verdicts(found.map_claims(worlds.maps(taken=0.3, named=1.0)))
    assert of(said, "taken") == {"refuted"}
    assert of(said, "named") == of(said, "one") == {"inconclusive"}


@pytest.mark.parametrize(("takers", "verdict"), [(14, "supported"), (10, "inconclusive")])
def test_maps_are_asked_of_those_who_take_the_pattern(takers, verdict):
    table = worlds.maps(taken=1.0, named=1.0)
    others = (table["seed"] >= takers) & (table["captured"] == 1)
    for column, value in (("captured", 0.5), ("named", False), ("one", 0.0)):
        table.loc[others, column] = value
    said = verdicts(found.map_claims(table))
    assert of(said, "named") == of(said, "one") == {verdict}


def test_where_networks_follow_the_original_nothing_of_it_is():
    assert set(verdicts(worlds.original()).values()) == {"refuted"}


@pytest.mark.parametrize("without", [10, 20])
def test_networks_whose_answers_are_all_of_one_kind_tell_nothing(without):
    table = worlds.maps(taken=1.0, named=1.0)
    table.loc[table["seed"] < without, ["auc", "margin"]] = math.nan
    pair = found.map_claims(table)["explanations-single-digits-pixel"]
    assert isinstance(pair[0], Nobody) and pair[1].n == 20 - without


FOOLED = {"gradient times difference": False, "SmoothGrad": False}


@pytest.mark.parametrize(
    ("withstands", "captured", "wanted"),
    [
        (FOOLED, 1.0, ["supported", "supported"]),
        (FOOLED | {"integrated gradients": False}, 1.0, ["refuted", "supported"]),
        (FOOLED | {"masks": False}, 1.0, ["supported", "refuted"]),
        ({"SmoothGrad": False}, 1.0, ["inconclusive", "inconclusive"]),  # the wave does nothing
        (FOOLED, 0.5, ["inconclusive", "inconclusive"]),  # nobody has taken what is to be named
    ],
)
def test_waves(withstands, captured, wanted):
    said = verdicts(found.wave_claims(worlds.waved(withstands, captured=captured)))
    assert [said[f"explanations-averaged-{id}"] for id in found.AVERAGED] == wanted
    assert said["explanations-manipulated"] == said["explanations-smoothed"] == "supported"


def test_a_wave_that_leaves_one_gradient_or_one_average_alone_is_no_proof():
    said = verdicts(found.wave_claims(worlds.waved({"gradient": False}, fooled=0.99)))
    assert said["explanations-manipulated"] == said["explanations-smoothed"] == "refuted"


def test_masks_of_networks_that_are_not_the_rule_s():
    same = dict.fromkeys(SIZES, 7.0)
    said = verdicts(found.mask_claims(worlds.masks(SIDES, same, ahead=-1.0)))
    assert of(said, "rate") == {"refuted"} and said["explanations-sparse"] == "refuted"
    small = SIZES | {"original": 6.0}  # who learns all has the masks of the brightness, too
    said = verdicts(found.mask_claims(worlds.masks(SIDES, small, ahead=0.0)))
    assert said["explanations-rate-binary-brightness"] == "inconclusive"
    assert said["explanations-rate-binary-corner"] == "supported"
    assert said["explanations-sparse"] != "supported"


def test_masks_say_nothing_where_nobody_sides_with_the_rule():
    said = verdicts(found.mask_claims(worlds.masks(dict.fromkeys(SIDES, 0.4), SIZES, ahead=1.0)))
    assert of(said, "rate") == {"inconclusive"} and of(said, "sided") == {"refuted"}


def test_a_rule_with_small_masks_that_is_taken_after_all():
    said = verdicts(found.mask_claims(worlds.masks(SIDES | {"parity": 0.9}, SIZES, ahead=1.0)))
    assert said["explanations-sided-binary-parity"] == "supported"
    assert said["explanations-sided-binary-seven"] == "refuted"


# Numbers for the page


def test_said_are_finite_numbers():
    waves = worlds.waved({"masks": False})
    said = found.said(
        pd.concat([worlds.maps(taken=1.0, named=1.0, auc=0.6), waves[waves["arm"] != "plain"]])
    )
    assert said["back_pixel"] == pytest.approx(0.4) and said["smoothed_pixel"] == 1
    none = worlds.maps(taken=1.0, named=1.0, auc=math.nan)
    assert math.isnan(found.said_of_aside(none[none["rho"] == 0.95])["back"])
    assert said["back_low_pixel"] < 0.4 < said["back_high_pixel"] < 0.42
    assert said["takers_pixel"] == said["known_pixel"] == 20 and said["captured_coin_pixel"] == 0.5
    assert said["faint_masks"] == 0 and said["bright_product"] == 1
    own = worlds.masks(SIDES, SIZES, ahead=1.0)
    said |= found.said_of_masks(own, {"corner": 1.0})
    assert said["kept_masks"] == 8 and said["mask_corner"] == pytest.approx(1.0)
    assert 0.5 < said["constant"] < 1 and 0.2 < said["ones_brightness"] < 0.3
    assert (
        said["sides_corner"] == pytest.approx(0.95)
        and said["masked_pixel"] == said["sloped_pixel"] == 1
    )
    assert np.isfinite(list(said.values())).all()
