"""Chapter 13's experiments, small, and its claims in worlds where the answer is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from falsestruct.chapters.label_noise import evidence as found
from falsestruct.chapters.label_noise import measure as experiment
from falsestruct.evidence import spread
from falsestruct.learning.ensembles import by_hand
from falsestruct.press.notebook.claims import judge, read_claims
from falsestruct.press.paths import find_book
from falsestruct.theory import nearest
from tests.worlds import label_noise as world

CLAIMS = read_claims(find_book())
SHARE, SEEDS, IMAGES = 0.1, 10, 300
POINT = {"steps": 20, "seeds": [1, 2]}


def verdicts(claims) -> dict[str, str]:
    return {id.removeprefix("noise-"): judge(CLAIMS[id], *pair) for id, pair in claims.items()}


# Small runs


@pytest.fixture(scope="module")
def noisy():
    return experiment.point(kind="plain", noise=0.2, **POINT)


def test_a_row_a_network_with_its_errors(noisy):
    assert noisy["seed"].tolist() == [1, 2] and set(noisy["kind"]) == {"plain"}
    errors = noisy[[f"error {at}" for at in experiment.LENGTHS]].to_numpy()
    assert (np.diff(errors, axis=1) >= 0).all() and (errors[:, -1] > 0.9).all()
    wrong, fallen = (noisy.filter(regex=f"^{name} ").mean(axis=1) for name in ("wrong", "fallen"))
    np.testing.assert_allclose(wrong, noisy["error 0.0"])
    np.testing.assert_allclose(fallen, noisy[f"error {experiment.NEAR}"])
    assert (noisy["learnt"] > 0.5).all() and (noisy["memorised"] < 0.3).all()


def test_the_bound_is_below_what_is_seen_where_the_network_misreads_much(noisy):
    """A search may miss a perturbation, but not at lengths at which everything falls."""
    assert (noisy["infected 2.0"] <= noisy["error 2.0"] + 1e-9).all()
    assert (noisy["infected 2.0"] > 0.3).all() and (noisy["infected 0.5"] < 0.1).all()


@pytest.mark.parametrize("kind", list(experiment.KINDS))
def test_every_kind_trains(kind):
    table = experiment.point(kind=kind, noise=0.0, **POINT)
    assert len(table) == 2 and table["memorised"].isna().all() and (table["norm"] > 0).all()
    if "rank" in kind:
        assert (table["rank"] <= experiment.RANK * (1 + 1e-4)).all()
    if "size" in kind:
        bound = experiment.NORM if kind == "size 2" else experiment.LARGE
        assert (table["norm"] <= bound * 1.05).all()


def test_wrong_labels_that_are_left_out_are_not_learnt(noisy):
    table = experiment.point(kind="wrong ones left out", noise=0.2, **POINT)
    assert (table["memorised"] < noisy["memorised"]).all() and (table["learnt"] > 0.7).all()


def test_decay_makes_weights_smaller():
    plain, decayed = (
        experiment.point(kind=kind, noise=0.0, **POINT) for kind in ("plain", "weight decay")
    )
    assert (decayed["norm"] < plain["norm"]).all()


def test_more_starts_find_no_less(monkeypatch):
    monkeypatch.setattr(experiment, "CHECKED", ("plain",))
    found = experiment.checked(steps=20)
    same = experiment.point(kind="plain", noise=0.0, steps=20, seeds=[1000, 1001])
    assert found["seed"].tolist() == [1000, 1001]
    assert (found["error 0.25"] >= same["error 0.25"]).all()


def test_early_is_a_tenth_of_the_steps():
    few = experiment.point(kind="stopped early", noise=0.0, steps=100, seeds=[1])
    same = experiment.point(kind="plain", noise=0.0, steps=10, seeds=[1])
    pd.testing.assert_frame_equal(few.drop(columns="kind"), same.drop(columns="kind"))


def test_the_table_has_every_kind_at_its_shares(monkeypatch):
    monkeypatch.setattr(experiment, "sweep", lambda function, grid: pd.DataFrame(grid))
    table = experiment.networks([0.0, 0.2], SHARE, seeds=3, steps=5)
    counts = table.groupby("kind")["noise"].apply(list).to_dict()
    assert counts["plain"] == counts["stopped early"] == [0.0, 0.1, 0.2]
    assert counts["stable rank"] == counts["weight decay"] == [0.0, 0.1]
    assert counts["focal loss"] == [0.0] and counts["wrong ones left out"] == [0.1]
    assert set(counts) == set(experiment.KINDS)
    assert table["seeds"].tolist()[0] == [1000, 1001, 1002]


def test_a_rule_that_is_right_everywhere_is_not_infected():
    learn = by_hand(world.right_labels)
    table = experiment.point(kind="plain", noise=0.1, steps=1, seeds=[1], learn=learn)
    assert table["memorised"].item() == 0 and table["learnt"].item() == 1
    assert table["infected 2.0"].item() == 0 and table["rank"].isna().all()


def test_the_rule_that_fits_errs_where_nearest_neighbour_may(noisy):
    """No wrong label is as near as a quarter: what is left is nearest neighbour on right ones."""
    fitting = noisy.filter(regex="^fitting ").mean(axis=1)
    x, y = experiment.images().test
    misread = (nearest.rule(*experiment.images().train, x) != y).double().mean().item()
    assert fitting.nunique() == 1 and misread < fitting.iloc[0] < 0.2


def test_stripes_of_followers():
    small = experiment.SMALL

    def colour(x: torch.Tensor) -> torch.Tensor:
        labels = small.colour(x.reshape(-1, small.size, small.size).double())
        return (2.0 * labels - 1).view(x.shape[:2])

    fixed = {"what": "labels", "a": 0.1, "share": 0.2, "steps": 1, "seeds": [1, 2]}
    follows = experiment.stripes_point(**fixed, learn=by_hand(colour))
    other = experiment.stripes_point(**fixed, learn=by_hand(world.orientation))
    assert follows["colour"].tolist() == [1, 1] and other["colour"].tolist() == [0, 0]
    assert follows["accuracy"].tolist() == other["accuracy"].tolist() == [1, 1]
    assert follows["memorised"].tolist() == [0, 0]


def test_trained_networks_on_stripes_read_a_strong_colour_and_not_a_faint_one():
    table = experiment.stripes([0.001, 1.0], 0.2, seeds=2, steps=60)
    means = table.groupby(["what", "a"])["colour"].mean()
    assert (means.xs(1.0, level="a") > 0.6).all() and means["nothing", 1.0] > 0.95
    assert means["nothing", 0.001] < 0.5 and len(table) == 5 * 2 * 2
    counts = table.groupby("what")["share"].unique().map(sorted)
    assert counts["labels"] == [0.1, 0.2, 0.3] and counts["left out"] == [0.2]


def test_crossovers_are_the_last_passage_of_one_half():
    shares = {
        "nothing": (0, 0.25, 0.75, 1),
        "chance": (0.75, 0.25, 0.75, 1),  # one half at the faintest doesn't count
        "never": (0, 0, 0.2, 0.4),
        "always": (0.6, 0.7, 0.8, 1),
        "lost": (0, 0.25, 0.75, 1),
    }
    rows = [
        (what, 0.0, 1, a, share, 0.7 if what == "lost" else 1.0)
        for what, values in shares.items()
        for a, share in zip((0.1, 0.2, 0.4, 0.8), values, strict=True)
    ]
    columns = ["what", "share", "seed", "a", "colour", "accuracy"]
    table = experiment.crossovers(pd.DataFrame(rows, columns=columns)).set_index("what")
    place = table["crossover"]
    assert place["nothing"] == place["chance"] == pytest.approx(0.2 * 2**0.5)
    assert place[["never", "always", "lost"]].isna().all()


# Worlds whose answer is known


def networks(**numbers: dict[tuple[str, float], float]) -> pd.DataFrame:
    """Networks of every kind with these numbers, by kind and share of wrong labels.

    As in training, what is hard for one network of a seed is hard for its others: each image of
    each seed has one difficulty, and it falls where that is below the number.

    Args:
        numbers: wrong, fallen, random, fitting, memorised, learnt, infected, confidence,
            calibration; what is not named is 0.
    """
    difficulty = np.random.default_rng(0).random((SEEDS, IMAGES))
    tables, spread_out = list[pd.DataFrame](), np.linspace(0.97, 1.03, SEEDS)
    for kind in experiment.KINDS:
        for noise in (0.0, SHARE):

            def number(name: str, who: tuple[str, float] = (kind, noise)) -> float:
                return numbers.get(name, {}).get(who, 0.0)

            table = pd.DataFrame({"kind": kind, "noise": noise, "seed": range(SEEDS)})
            for name in ("memorised", "learnt", "confidence", "calibration"):
                table[name] = np.minimum(number(name) * spread_out, 1)
            for at in experiment.LENGTHS:
                table[f"infected {at}"] = number("infected") * spread_out
                table[f"error {at}"] = 0.9
            table = table.assign(rank=1.0, norm=1.0, shy=0.0)
            cells = {
                name: (difficulty < number(name)).astype(float)
                for name in ("wrong", "fallen", "random", "fitting")
            }
            cells["fallen"] = np.maximum(cells["fallen"], cells["wrong"])
            tables.append(table.join([spread(name, cell) for name, cell in cells.items()]))
    return pd.concat(tables, ignore_index=True)


def squares(infected: float) -> pd.DataFrame:
    rows = {"seed": range(SEEDS), "length": found.SIZE, "error": 0.1, "fallen": 0.8}
    return pd.DataFrame(rows).assign(infected=np.linspace(0.99, 1.01, SEEDS) * infected)


def judged(table: pd.DataFrame, infected: float = 0.6) -> dict[str, str]:
    return verdicts(
        found.robust(table, SHARE)
        | found.explained(table, squares(infected), SHARE)
        | found.bounded(table, SHARE)
        | found.sure(table)
    )


PLAIN, NOISY, WITHOUT = ("plain", 0.0), ("plain", SHARE), ("wrong ones left out", SHARE)
RANK, RANKED, SIZE = ("stable rank", 0.0), ("stable rank", SHARE), ("size 2", 0.0)
LARGE, SHAPE, FOCAL = ("size 4", 0.0), ("rank and size 4", 0.0), ("focal loss", 0.0)
NARROW, WIDE = ("four units", 0.0), ("hundred units", 0.0)
EXPECTED = {
    "wrong": {PLAIN: 0.03, NOISY: 0.15, WITHOUT: 0.035, RANK: 0.05},
    "fallen": {PLAIN: 0.25, NOISY: 0.85, WITHOUT: 0.26, RANK: 0.7, SIZE: 0.3, LARGE: 0.26,
               SHAPE: 0.5, NARROW: 0.5, WIDE: 0.26},
    "random": {PLAIN: 0.04}, "fitting": {NOISY: 0.11},
    "memorised": {NOISY: 0.95, RANKED: 0.1}, "learnt": {NOISY: 1.0, RANKED: 0.97},
    "infected": {NOISY: 0.01},
    "confidence": {PLAIN: 0.98, FOCAL: 0.9}, "calibration": {PLAIN: 0.02, FOCAL: 0.06},
}  # fmt: skip


def test_what_is_predicted_would_be_seen():
    said = judged(networks(**EXPECTED))
    assert said.pop("explained") == said.pop("impossible") == "supported"
    assert said == {
        id.removeprefix("noise-"): claim.predicted
        for id, claim in CLAIMS.items()
        if claim.chapter == "13_label_noise"
        and claim.kind == "measured"
        and claim.problem == "digits"
    }


@pytest.mark.parametrize(
    ("id", "name", "numbers", "expected"),
    [
        ("robustness", "fallen", {NOISY: 0.3}, "refuted"),
        ("robustness", "fallen", {WITHOUT: 0.8}, "inconclusive"),  # fewer right labels do the same
        ("robustness", "memorised", {NOISY: 0.5}, "inconclusive"),  # nobody has learnt them
        ("benign", "wrong", {NOISY: 0.031}, "supported"),
        ("benign", "wrong", {WITHOUT: 0.15}, "inconclusive"),
        ("impossible", "fitting", {NOISY: 0.8}, "refuted"),
        ("impossible", "fallen", {NOISY: 0.3}, "inconclusive"),
        ("not-enough", "fallen", {PLAIN: 0.08}, "refuted"),
        ("not-enough", "random", {PLAIN: 0.5}, "inconclusive"),
        ("memorised", "memorised", {RANKED: 0.8}, "refuted"),
        ("memorised", "learnt", {RANKED: 0.3}, "inconclusive"),  # it learns nothing at all
        ("simple-unstable", "fallen", {RANK: 0.3}, "refuted"),
        ("simple-unstable", "fallen", {SIZE: 0.9}, "inconclusive"),
        ("shape", "fallen", {SHAPE: 0.1}, "refuted"),
        ("shape", "fallen", {LARGE: 0.4}, "inconclusive"),
        ("representation", "fallen", {NARROW: 0.05}, "supported"),
        ("representation", "fallen", {WIDE: 0.4}, "inconclusive"),
        ("focal", "calibration", {FOCAL: 0.005}, "supported"),
        ("focal", "confidence", {FOCAL: 1.0}, "inconclusive"),
    ],
)  # fmt: skip
def test_another_world_gives_another_verdict(id, name, numbers, expected):
    changed = EXPECTED | {name: EXPECTED.get(name, {}) | numbers}
    assert judged(networks(**changed))[id] == expected


def test_a_bound_that_binds_nowhere_is_no_measure():
    assert judged(networks(**EXPECTED), infected=0.1)["explained"] == "inconclusive"


def crossing(blurred: float = 0.0, **places: float) -> pd.DataFrame:
    """Networks whose share jumps at a place that is a little scattered, by their names' kinds.

    Args:
        blurred: What wrong labels add to the share below the place, and take from it above.
    """
    rows = [
        (what.replace("_", " "), 0.0 if what == "nothing" else 0.2, seed, a,
         abs(float(a > place * 1.02 ** (seed % 4)) - hides * (what == "labels")),
         1 - a / 4, 0.5)
        for what, place in places.items()
        for seed in range(20)
        for hides in [blurred * (0.9 + 0.2 * (seed % 2))]
        for a in np.geomspace(0.01, 1, 40)
    ]  # fmt: skip
    columns = ["what", "share", "seed", "a", "colour", "accuracy", "memorised"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize(
    ("labels", "without", "expected"),
    [
        (0.05, 0.1, "supported"),
        (0.2, 0.1, "refuted"),
        (0.05, 0.05, "inconclusive"),  # fewer images do the same
        (0.1, 0.1, "inconclusive"),
    ],
)
def test_where_networks_change_over(labels, without, expected):
    table = crossing(nothing=0.1, labels=labels, left_out=without)
    assert verdicts(found.earlier(table, 0.2))["earlier"] == expected


@pytest.mark.parametrize(("blurred", "expected"), [(0.3, "supported"), (0.0, "refuted")])
def test_how_sharply_they_do(blurred, expected):
    table = crossing(blurred, nothing=0.1, labels=0.1, left_out=0.1)
    said = verdicts(found.earlier(table, 0.2))
    assert said["faint"] == said["strong"] == expected


def test_what_is_proved_is_supported():
    assert set(verdicts(found.proved(10)).values()) == {"supported"}


# Tables and numbers for the page


@pytest.fixture(scope="module")
def seen() -> pd.DataFrame:
    return networks(**EXPECTED)


def test_the_page_s_tables(seen):
    assert len(found.by_share(seen)) == 2 * 2 * 2
    kinds = found.by_kind(seen, SHARE)
    assert list(dict.fromkeys(kinds["kind"])) == list(experiment.KINDS)
    lines = found.by_length(seen, squares(0.6), SHARE)
    assert len(lines) == 3 * len(experiment.LENGTHS) + 2 and lines["value"].notna().all()
    table = crossing(nothing=0.1, labels=0.05)
    assert set(found.by_offset(table)["what"]) == {"nothing", "labels 0.2"}


def test_said_are_finite_numbers(seen):
    searched = seen.assign(**{"error 0.25": seen["error 0.25"] + 0.05})
    said = found.said(seen, searched, SHARE)
    assert said["memorised_noisy_plain"] == pytest.approx(0.95, abs=0.01)
    assert said["missed"] == pytest.approx(0.05) and said["infected"] == pytest.approx(0.01)
    draws = found.cells(found.where(seen, kind="plain", noise=SHARE), "fitting").mean(1)
    assert said["fitting"] == draws.max() > draws.mean() > 0.1
    places = crossing(nothing=0.1, labels=0.05, left_out=0.2)
    said |= found.said_elsewhere(squares(0.6), places, SHARE)
    assert 0.04 < said["place_labels_0_2"] < said["place_nothing"] < said["place_left_out"] < 0.3
    assert said["square_infected"] == pytest.approx(0.6) and said["nobody_labels_0_2"] == 0
    assert said["faint_nothing"] == 0 and said["strong_nothing"] == 1
    rights = [said[f"right_{end}_labels_0_2"] for end in ("faint", "strong")]
    assert rights == pytest.approx([0.9975, 0.75])
    assert all(np.isfinite(value) for value in said.values())
