"""Chapter 16: small networks whose answer is known, and the verdicts in worlds made by hand."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from falsestruct.chapters.depth_and_width import evidence as found
from falsestruct.chapters.depth_and_width import measure as experiment
from falsestruct.evidence import where
from falsestruct.learning.deep import weights
from falsestruct.learning.ensembles import by_hand
from falsestruct.learning.networks import count_parameters
from falsestruct.press.notebook.claims import judge, read_claims
from falsestruct.press.paths import find_book
from falsestruct.statistics import Nobody
from tests.worlds import depth_and_width as worlds

BOOK = find_book(Path(__file__))
CLAIMS = {k: v for k, v in read_claims(BOOK).items() if v.chapter == "16_depth_and_width"}
HALF = experiment.SMALL.size * experiment.SMALL.width  # what the pixels of a stripe add up to


def verdicts(pairs) -> dict[str, str]:
    return {id: judge(CLAIMS[id], *pair) for id, pair in pairs.items()}


# Arms


def test_what_is_compared_has_equal_weights():
    counts = {name: count_parameters(arm.network) for name, arm in experiment.ARMS.items()}
    others = {"16 units", "256 units"} | {name for name in counts if name.startswith("8 wide")}
    for name in set(counts) - others:
        assert abs(counts[name] / experiment.WEIGHTS - 1) < 0.02, name
    assert (counts["16 units"], counts["256 units"]) == (257 * 16 + 17, 257 * 256 + 257)
    said = experiment.counts()
    assert counts["8 wide"] == said["weights_wide"] == 257 * 64 + 7 * 65 * 64 + 65
    assert said["weights_8"] == counts["8"] == counts["8 descent"] and said["units_1"] == 64
    assert said["units_8"] < said["units_4"] < said["units_2"] < 64
    assert counts["max-pooled images"] == weights(64, said["units_pooled"], 4)
    assert abs(said["weights_more"] / said["weights_six"] - 1) < 0.02
    assert said["weights_two"] < said["weights_six"] / 3


def test_arms_differ_in_what_their_claim_is_about():
    arms = experiment.ARMS
    assert arms["1 slow"].rate == arms["8"].rate and arms["8 fast"].rate == arms["1"].rate
    assert arms["lazy"].rate == arms["rich"].rate
    for half in ("1 half", "8 half", "8 wide half"):
        whole = arms[half.removesuffix(" half")]
        own = {"level": whole.level, "count": whole.count, "rate": whole.rate}
        assert replace(arms[half], **own) == whole
    for end in ("", " descent", " half"):
        narrow, wide = arms[f"8{end}"], arms[f"8 wide{end}"]
        assert (wide.depth, wide.width, wide.optimiser) == (8, 64, narrow.optimiser)
        assert wide.level == narrow.level == arms[f"1{end}"].level
    assert {arms[name].depth for name in found.FINE} == {4}


@pytest.mark.parametrize("kind", experiment.POOLS)
def test_pools_see_two_by_two_pixels(kind):
    x = torch.zeros(1, 16, 16, dtype=torch.float64)
    x[0, 0, 0], x[0, 3, 3] = 4.0, -4.0
    seen = experiment.Arm(4, 1e-3, kind).seen(x)
    assert seen.shape == (1, 64)
    wanted = {"mean-pooled images": (1.0, -1.0), "max-pooled images": (4.0, 0.0)}[kind]
    assert (seen[0, 0].item(), seen[0, 9].item()) == wanted


def test_the_largest_of_four_pixels_makes_neighbouring_positions_alike():
    x = experiment.SMALL.described(0.1)[0]
    counts = {
        kind: len(experiment.Arm(4, 1e-3, kind).seen(x).unique(dim=0)) for kind in experiment.POOLS
    }
    assert len(x) == 28 and counts == {"mean-pooled images": 28, "max-pooled images": 14}


# Small networks


@pytest.fixture
def early(monkeypatch):
    """Other seeds than those of the claims."""
    monkeypatch.setattr(experiment, "FIRST", 0)


def colour(x):
    return HALF - x.sum(-1)


def stripe(x):
    image = x.unflatten(-1, (16, 16))
    return image.sum(-1).amax(-1) - image.sum(-2).amax(-1)


OPTIONS = {"arm": "1", "between": [0.05, 0.4], "halvings": 5, "seeds": [1, 2], "steps": 1}


def test_readers_of_the_colour_are_told_from_readers_of_the_stripe():
    for rule, wanted in ((colour, 1.0), (stripe, 0.0)):
        table = experiment.stripes_point(**OPTIONS, learn=by_hand(rule))
        assert len(table) == 10 and table["seed"].tolist() == [1, 2] * 5
        assert (table["accuracy"] == 1).all() and (table["colour"] == wanted).all()
        assert table["a"].iloc[-1] == pytest.approx(0.4 if wanted == 0 else 0.05, rel=0.1)


def test_a_reader_of_strong_colours_is_found_where_it_changes_over():
    def rule(x):
        return torch.where(x.median(-1).values.abs() > 0.1, colour(x), stripe(x))

    table = experiment.stripes_point(**OPTIONS, learn=by_hand(rule))
    places = found.crossovers(table.assign(arm="1"))["crossover"]
    assert (abs(np.log(places / 0.1)) < 0.034).all()


@pytest.mark.parametrize(("arm", "end"), [("1", 0.4), ("1 half", 0.05)])
def test_one_label_for_all_is_half_of_the_set_and_does_not_take_the_colour(arm, end):
    always = by_hand(lambda x: torch.ones(x.shape[:-1]))
    table = experiment.stripes_point(**{**OPTIONS, "arm": arm}, learn=always)
    assert (table["colour"] == 0.5).all()
    assert table["a"].iloc[-1] == pytest.approx(end, rel=0.1)


def test_each_network_trains_on_its_own_offset():
    seen = []

    def noted(architecture, data, seeds, schedule):
        seen.extend(x.max().item() - 1 for x, _ in data)
        return by_hand(lambda x: x.sum(-1))(architecture, data, seeds, schedule)

    table = experiment.stripes_point(**OPTIONS, learn=noted)
    assert seen == pytest.approx(table["a"].tolist()) and len(set(seen)) == 10


def test_all_arms_train(early):
    table = experiment.stripes([0.01, 0.9], halvings=2, steps=3, few=1, seeds=2, many=3)
    assert set(table["arm"]) == set(experiment.ARMS)
    for arm, seeds in (("2", [0]), ("1", [0, 1]), ("4", [0, 1, 2])):
        assert where(table, arm=arm)["seed"].tolist() == seeds * 2
    assert where(table, arm="rich")[["moved", "travelled"]].notna().all(axis=None)
    assert where(table, arm="1")["moved"].isna().all()
    assert table["steps"].max() == 3


def test_a_strong_colour_is_read_and_a_faint_one_is_not():
    options = {"arm": "1", "halvings": 1, "seeds": [0, 1], "steps": 2000}
    faint, strong = (experiment.stripes_point(**options, between=[a, a]) for a in (0.01, 0.9))
    for table in (faint, strong):
        assert table["reached"].all() and (table["accuracy"] == 1).all()
    assert (faint["colour"] < 0.25).all() and (strong["colour"] > 0.75).all()


def test_tents_are_asked_with_the_opposite_hint():
    rules = {"hint": lambda x: x[..., 1], "never": lambda x: -torch.ones(x.shape[:-1])}
    options = {"shape": "three", "k": 3, "rate": 1e-3, "seeds": [0, 1], "steps": 1}
    hint, never = (
        experiment.tents_point(**options, size=0.1, learn=by_hand(rule)) for rule in rules.values()
    )
    assert (hint[["accuracy", "capture"]] == 1).all(axis=None)
    assert never["accuracy"].tolist() == pytest.approx([5 / 9] * 2)
    assert never["capture"].tolist() == pytest.approx([4 / 9] * 2)  # the hint says 0 at four points
    silent = experiment.tents_point(**options, size=0.0, learn=by_hand(rules["hint"]))
    assert silent["accuracy"].tolist() == pytest.approx([5 / 9] * 2)  # a hint of zero says 0


def test_who_remembers_the_points_and_says_0_elsewhere_sides_with_neither():
    """It fits, and by two labels it counts for the original where the hint says 1."""

    def rule(x):
        odd = ((x[..., 0] + 1) / 2 * 8).round().long() % 2 == 1
        return torch.where(odd & (x[..., 1] > 0), 1.0, -1.0)

    options = {"shape": "six", "k": 3, "rate": 1e-3, "seeds": [0, 1], "steps": 1, "size": 0.003}
    table = experiment.tents_point(**options, learn=by_hand(rule))
    assert (table["accuracy"] == 1).all() and table["capture"].tolist() == [4 / 9] * 2


def test_all_shapes_see_tents(early):
    table = experiment.tents([0.003, 0.1], seeds=2, many=3, steps=3)
    own = table.groupby(["shape", "k"])["size"].unique().map(sorted).to_dict()
    assert own["six", 3] == [0.003, 0.1] and own["three", 3] == [0.0, 0.1]
    assert own["four", 4] == own["four of two", 4] == [0.0]
    rates = where(table, shape="two", size=0.003)["rate"]
    assert set(rates) == set(experiment.RATES)
    slow = where(table, rate=experiment.EVEN)
    assert set(slow["shape"]) == {"six"} and set(slow["size"]) == {0.003}
    assert where(table, size=0.003)["seed"].max() == 2 and where(table, size=0.1)["seed"].max() == 1


def test_sawtooths_have_a_knot_at_every_half_tent():
    table = experiment.sawtooths([1, 3])
    own = where(table, k=3)
    assert own["x"].tolist() == [j / 8 for j in range(9)]
    assert own["value"].tolist() == [j % 2 for j in range(9)]


# Worlds whose answer is known


def test_every_claim_has_an_estimate():
    pairs = found.proved(1) | worlds.claims(worlds.follow, worlds.FORETOLD)
    assert set(pairs) == set(CLAIMS)
    assert verdicts(found.proved(1)) == {
        id: "supported" for id in ("depth-tents", "depth-count", "depth-average")
    }


def test_worlds_look_where_the_page_does():
    page = (BOOK.root / "book" / "16_depth_and_width.md").read_text(encoding="utf-8")
    for name, value in (
        ("between", list(worlds.BETWEEN)), ("halvings", worlds.HALVINGS), *worlds.COUNTS.items(),
    ):  # fmt: skip
        assert f"\n{name} = {value} " in page, name


def test_in_the_world_that_is_foretold_every_verdict_is():
    said = verdicts(worlds.claims(worlds.follow, worlds.FORETOLD))
    assert said == {id: CLAIMS[id].predicted for id in said}


def test_where_nothing_matters_nothing_is_said_to():
    said = verdicts(worlds.original())
    for id in ("reachable", "composition", "crossover-rate", "crossover-scale"):
        assert said[f"depth-{id}"] == "refuted", id
    for name in ("crossover-adam", "width", "lazy", "fine-skip-connections"):
        assert said[f"depth-{name}"] == "inconclusive", name  # their controls see nothing


@pytest.mark.parametrize(
    ("changed", "id", "verdict"),
    [
        ({"8": 0.175}, "crossover-adam", "refuted"),
        ({"8 wide": 0.175}, "crossover-adam", "inconclusive"),  # narrowness does it
        ({"8 descent": 0.130}, "crossover-gradient-descent", "refuted"),
        ({"8 wide descent": 0.130}, "crossover-gradient-descent", "inconclusive"),
        ({"8 half": 0.128}, "crossover-half-of-the-set", "refuted"),
        ({"8": 0.175, "8 half": 0.100}, "crossover-half-of-the-set", "supported"),
        ({"1": 0.130, "1 slow": 0.130}, "crossover-rate", "refuted"),  # less than a tenth
        ({"1 slow": 0.140}, "crossover-rate", "inconclusive"),  # the rate does it
        ({"1 slow": 0.220, "8 fast": 0.100}, "crossover-rate", "inconclusive"),
        ({"8 scaled": 0.175}, "crossover-scale", "refuted"),
        ({"8 scaled": 0.160}, "crossover-scale", "supported"),  # less, but still
        ({"1 scaled": 0.220}, "crossover-scale", "inconclusive"),  # the factor moves one layer
        ({"16 units": 0.210}, "width", "supported"),
        ({"1": 0.136}, "width", "inconclusive"),
        ({"lazy": 0.110}, "lazy", "refuted"),
        ({"lazy": 0.160}, "lazy", "refuted"),
        ({"1": 0.136}, "lazy", "inconclusive"),
        ({"skip connections": 0.100}, "fine-skip-connections", "refuted"),
        ({"max-pooled images": 0.130}, "fine-max-pooled-images", "supported"),
        ({"1": 0.136}, "fine-mean-pooled-images", "inconclusive"),
    ],
)
def test_a_network_that_would_make_it_fail(changed, id, verdict):
    table = worlds.stripes({**worlds.FORETOLD, **changed})
    assert verdicts(found.stripe_claims(table))[f"depth-{id}"] == verdict


@pytest.mark.parametrize(
    ("arm", "ids"),
    [
        ("8", {"crossover-adam"}),
        ("8 wide descent", {"crossover-gradient-descent"}),
        ("1 half", {"crossover-half-of-the-set"}),
        ("1 scaled", {"crossover-scale"}),
        ("16 units", {"width"}),
        ("normalisation", {"fine-normalisation"}),
        ("8 fast", set()),
        ("rich", set()),
    ],
)
def test_where_steps_have_to_be_equal_and_are_not_there_is_no_verdict(arm, ids):
    said = verdicts(found.stripe_claims(worlds.stripes(worlds.FORETOLD, steps={arm: 400})))
    for id, verdict in said.items():
        lost = id.removeprefix("depth-") in ids
        assert verdict == ("inconclusive" if lost else CLAIMS[id].predicted), id
    near = worlds.stripes(worlds.FORETOLD, steps={arm: 240})  # within a quarter
    assert verdicts(found.stripe_claims(near)) == {id: CLAIMS[id].predicted for id in said}


def test_regimes_that_are_none():
    table = worlds.stripes(worlds.FORETOLD, moved={"lazy": 0.2})
    assert isinstance(found.stripe_claims(table)["depth-lazy"][0], Nobody)


@pytest.mark.parametrize(
    ("captures", "verdict"),
    [
        (lambda shape, size: 0.7 if size == worlds.FAINT else 1.0, "refuted"),  # depth does nothing
        (lambda s, _: {"two": 0.9, "two, more weights": 0.5}.get(s, 0.1), "inconclusive"),
        (lambda shape, _: 0.1 if shape == "two" else 0.9, "refuted"),
    ],
)
def test_depth_on_tents(captures, verdict):
    assert verdicts(found.tent_claims(worlds.tents(captures)))["depth-composition"] == verdict


def test_all_rates_decide():
    table = worlds.tents(worlds.follow)
    for rate in (experiment.RATES[1], experiment.EVEN):
        own = table.copy()
        slow = (own["shape"] == "six") & np.isclose(own["rate"], rate)
        own.loc[slow, "capture"] = 0.7
        assert verdicts(found.tent_claims(own))["depth-composition"] == "refuted"
        own = table.copy()
        own.loc[slow, "steps"] = 200  # equal steps are asked for in one of the comparisons
        wanted = "inconclusive" if rate == experiment.EVEN else "supported"
        assert verdicts(found.tent_claims(own))["depth-composition"] == wanted


def test_of_two_rates_the_one_with_the_lower_end_decides():
    """A mean that is larger but scattered shows less."""
    table = worlds.tents(lambda shape, size: 0.6 if shape == "six" else 0.9)
    assert verdicts(found.tent_claims(table))["depth-composition"] == "supported"
    even, slow = table["seed"] % 2 == 0, np.isclose(table["rate"], experiment.RATES[1])
    for shape, high, low in (("two, more weights", 1.0, 0.2), ("six", 0.0, 0.5), ("two", 1.0, 0.2)):
        own = slow & (table["shape"] == shape)
        table.loc[own, "capture"] = np.where(even[own], high, low)
    claim, control = found.tent_claims(table)["depth-composition"]
    assert claim.value == pytest.approx(0.35) and claim.low < 0.2 and control.high < 0.2
    assert verdicts(found.tent_claims(table))["depth-composition"] == "inconclusive"


@pytest.mark.parametrize(
    ("shares", "id", "verdict"),
    [
        ({"learnt": 0.3}, "reachable", "inconclusive"),
        ({"fitted": 0.2}, "optimisation", "refuted"),
        ({"least": 0.9}, "optimisation", "inconclusive"),
    ],
)
def test_networks_that_do_not_learn(shares, id, verdict):
    said = verdicts(found.tent_claims(worlds.tents(worlds.follow, **shares)))
    assert said[f"depth-{id}"] == verdict


def test_networks_that_do_not_fit_leave_no_number():
    table = worlds.tents(worlds.follow)
    lost = (table["shape"] == "six") & (table["seed"] < 5)
    table.loc[lost, "reached"] = False
    assert isinstance(found.tent_claims(table)["depth-composition"][0], Nobody)
    sizes, said = found.by_size(table), found.said_of_tents(table)
    assert where(sizes, shape="six")["value"].isna().all()
    assert where(sizes, shape="two")["value"].notna().all()
    assert "capture_six_fast" not in said and said["points_unfinished"] == 5 * 4
    table.loc[lost & (table["seed"] > 1), "reached"] = True
    assert found.tent_claims(table)["depth-composition"][0].n == 38


def test_a_crossover_beyond_the_offsets_is_none():
    table = worlds.stripes({**worlds.FORETOLD, "8": math.inf, "1": 1e-9})
    at = found.crossovers(table)
    assert where(at, arm=["1", "8"])["crossover"].isna().all()
    claim, control = found.stripe_claims(table)["depth-crossover-adam"]
    assert isinstance(claim, Nobody) and isinstance(control, Nobody)


def test_a_network_that_has_not_reached_the_loss_has_no_place():
    table = worlds.stripes(worlds.FORETOLD)
    table.loc[(table["arm"] == "1") & (table["seed"] == 4) & (table["a"] > 0.08), "reached"] = False
    own = where(found.crossovers(table), arm="1").set_index("seed")["crossover"]
    assert own.isna().sum() == 1 and math.isnan(own[4])
    assert found.over(found.crossovers(table), "1", "8").n == 39


def test_survivors_of_an_arm_are_not_its_place():
    table = worlds.stripes(worlds.FORETOLD)
    table.loc[(table["arm"] == "4") & (table["seed"] < 9), "reached"] = False
    lines, rows, said = found.depths(table), found.others(table), found.stripe_numbers(table)
    assert where(lines, panel="Adam", depth=4)["value"].isna().all()
    assert where(rows, row="plain")["value"].isna().all()
    assert lines["value"].isna().sum() == rows["value"].isna().sum() == 1
    assert "crossover_4" not in said and said["outside"] == 9
    assert said["unfinished"] == 9 * worlds.HALVINGS
    assert isinstance(found.stripe_claims(table)["depth-fine-skip-connections"][0], Nobody)


# Tables and numbers for the page


def test_places_are_those_of_the_world():
    at = found.crossovers(worlds.stripes(worlds.FORETOLD))
    for arm, place in worlds.FORETOLD.items():
        own = where(at, arm=arm)["crossover"]
        assert math.exp(np.log(own).mean()) == pytest.approx(place, rel=0.03), arm


def test_the_page_s_tables():
    table = worlds.stripes(worlds.FORETOLD)
    lines = found.depths(table)
    for panel in found.LINES:
        own = where(lines, panel=panel, line="equal weights")
        assert own["depth"].tolist() == [1, 2, 4, 8]
        assert where(lines, panel=panel, line="equal width")["depth"].tolist() == [1, 8]
    assert set(lines["panel"]) == set(found.LINES) and lines["value"].notna().all()
    rows = found.others(table)
    assert len(rows) == 11 and set(rows["panel"]) == set(found.ROWS)
    assert where(rows, row="256 ReLUs")["value"].item() == pytest.approx(0.18, rel=0.03)
    sizes = found.by_size(worlds.tents(worlds.follow))
    own = sizes.set_index(["shape", "size"])["value"]
    assert own["six", worlds.FAINT] == pytest.approx(0.1, abs=0.01)
    assert own["two", worlds.LOUD] == pytest.approx(1, abs=0.01)


def test_said_are_finite_numbers():
    said = found.stripe_numbers(worlds.stripes(worlds.FORETOLD))
    assert said["crossover_1"] == pytest.approx(0.18, rel=0.03)
    assert said["unfinished"] == said["outside"] == 0 and said["steps_8_fast"] == 200
    assert said["moved_rich"] == pytest.approx(0.5, rel=0.05)
    steps = 200 * experiment.ARMS["lazy"].rate * math.log(2)
    assert said["bound_used"] == pytest.approx(0.004 * 100 / math.sqrt(steps), rel=0.1)
    tents = found.said_of_tents(worlds.tents(worlds.follow))
    assert tents["capture_six_fast"] == pytest.approx(0.1, abs=0.01)
    assert tents["points_unfinished"] == 0
    numbers = list((said | tents).values())
    assert np.isfinite(numbers).all() and len(numbers) > 2 * len(experiment.ARMS)
