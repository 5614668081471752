"""The claims on simplicity, in worlds made by hand: the verdict follows the world."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from falsestruct import simplicity
from falsestruct.chapters.simplicity import evidence
from falsestruct.chapters.simplicity import figures as plots
from falsestruct.chapters.simplicity import measure as experiment
from falsestruct.evidence import Claims, where
from falsestruct.learning import linearised
from falsestruct.learning.ensembles import Seeds
from falsestruct.learning.networks import LINEAR
from falsestruct.press.notebook.claims import judge, read_claims
from falsestruct.press.paths import find_book
from falsestruct.problems.planted import registry
from falsestruct.problems.stripes import Stripes
from falsestruct.simplicity import Learn
from falsestruct.statistics import Nobody
from falsestruct.theory import diagonal
from tests.worlds.simplicity import (
    SPREAD,
    board_of,
    follower,
    hints,
    last_layers,
    linear_readings,
    readings,
    widths,
    world,
)

CLAIMS = read_claims(find_book())
OFFSETS = [0.01, 0.1, 1.0]


def verdicts(found: Claims) -> dict[str, str]:
    return {id: judge(CLAIMS[id], *pair) for id, pair in found.items()}


@pytest.mark.parametrize(
    ("name", "architecture", "id"),
    [
        ("stripes", "paper's CNN", "simplicity-stripes-paper-cnn"),
        ("oscillation", "2-104-1", "simplicity-oscillation-2-104-1"),
        ("digits-brightness", "attention", "simplicity-digits-attention"),
    ],
)
def test_board_in_worlds_made_by_hand(name: str, architecture: str, id: str) -> None:
    usual = registry.by_name(name)
    weak = registry.by_name(name, experiment.WEAKER * registry.STRENGTHS[name])
    original, false = follower("original", usual), follower("false", usual)

    def verdict(at_usual: Learn | None, at_weak: Learn | None) -> str:
        table = board_of({1: at_usual, experiment.WEAKER: at_weak}, name, architecture)
        return verdicts(evidence.board_claims(table))[id]

    assert verdict(false, follower("original", weak)) == "supported"
    assert verdict(original, follower("original", weak)) == "refuted"
    assert verdict(None, None) != "supported"
    # A measure that calls the false structure simpler at any strength.
    assert verdict(false, follower("false", weak)) == "inconclusive"


def test_board_covers_every_cell_of_the_claims() -> None:
    labels = {"stripes": 120, "digits-brightness": 128}
    cells = {
        (point["name"], point["architecture"])
        for point in experiment.board_grid(Seeds(2, 1), labels=labels)
    }
    cells |= {("stripes", name) for name in ("linear", "MLP", "deep MLP", "pooled CNN")}
    cells |= {("oscillation", "2-104-1")}
    stated = {
        id for id in CLAIMS
        if id.split("-")[1] in ("stripes", "oscillation", "digits") and id.startswith("simplicity")
    }  # fmt: skip
    slugs = {f"simplicity-{name.split('-')[0]}-{a.lower()}" for name, a in cells}
    assert {slug.replace("'s", "").replace(" ", "-") for slug in slugs} == stated


def test_a_small_board_point_agrees_with_its_world() -> None:
    """Real training: without a signal the false structure is not the simpler one."""
    points = [
        experiment.board_point(
            name="digits-brightness", strength=strength, architecture="linear", seeds=4,
            sizes=[8, 32], labels=128,
        )
        for strength in (0.2, 0.0)
    ]  # fmt: skip
    planted_, nothing = (evidence.differences(point) for point in points)
    assert planted_.low > 0
    assert nothing.high < 0


@pytest.mark.parametrize(
    ("shift", "verdict"),
    [(1.0, "supported"), (1.4, "supported"), (0.5, "refuted"), (2.0, "refuted")],
)
def test_predictions_are_judged_by_their_factor(shift: float, verdict: str) -> None:
    crossed = evidence.crossings(*world(SPREAD, shift))
    found = evidence.prediction_claims(evidence.ranking(crossed))
    assert set(verdicts(found).values()) == {verdict}
    for estimate, control in found.values():
        assert estimate.value == pytest.approx(max(shift, 1 / shift), rel=0.05)
        assert control.value > 1.5


def test_one_crossover_proves_nothing() -> None:
    """If all networks cross at the same offset, a constant predicts as well: never supported."""
    ranked = evidence.ranking(evidence.crossings(*world(dict.fromkeys(SPREAD, 0.1))))
    assert set(verdicts(evidence.prediction_claims(ranked)).values()) == {"inconclusive"}
    constant, _ = ranked["constant"]
    assert constant.value == pytest.approx(1, abs=0.05)


def test_a_measure_that_never_crosses_is_charged_to_the_end_of_the_sweep() -> None:
    ambiguous, isolated, kernels, volumes = world(SPREAD)
    level = isolated.assign(samples=math.inf)
    crossed = evidence.crossings(ambiguous, level, kernels, volumes)
    own = crossed[crossed["predictor"] == "samples"]
    assert not own["inside"].any()
    ranked = evidence.ranking(crossed)
    found = verdicts(evidence.prediction_claims(ranked))
    assert found["simplicity-predicts-samples"] != "supported"
    assert found["simplicity-predicts-steps"] == "supported"
    table = evidence.ranking_table(crossed, ranked)
    assert len(table) == 8 * len(SPREAD) - 1 and (table["low"] <= table["high"]).all()
    assert plots.ranking(table).axes


def test_first_captured_needs_the_first_fit_to_tell_and_the_start_not_to() -> None:
    ends = [1.0, 0.0] * 25
    assert verdicts(evidence.first_claim(readings(ends, ends))) == {
        "simplicity-first-captured": "supported"
    }
    turned = [1 - end for end in ends]
    assert set(verdicts(evidence.first_claim(readings(turned, ends))).values()) == {"refuted"}
    # Where every network reads the same, before training too, the first fit is no news.
    same = readings([1.0] * 50, [1.0] * 50, start=0.9)
    assert set(verdicts(evidence.first_claim(same)).values()) == {"inconclusive"}


def test_a_network_that_never_fits_has_no_first_fit() -> None:
    table = readings([1.0], [1.0]).assign(accuracy=0.5)
    assert evidence.first_fit(table)["fit"].isna().all()


@pytest.mark.parametrize(
    ("usual", "weak", "verdict"),
    [
        ((8, 1), (1, math.inf), "supported"),
        ((8, 1), (8, 8), "supported"),
        ((1, 1), (1, math.inf), "refuted"),
        ((1, 8), (1, math.inf), "refuted"),
        ((8, 1), (8, 1), "inconclusive"),
    ],
)
def test_width_is_judged(usual: tuple, weak: tuple, verdict: str) -> None:
    table = pd.concat((widths(0.1, *usual), widths(0.01, *weak)))
    assert verdicts(evidence.width_claim(table)) == {"simplicity-width": verdict}


@pytest.mark.parametrize(
    ("usual", "faint", "verdict"),
    [
        ((math.inf, 16), (math.inf, math.inf), "supported"),
        ((16, math.inf), (math.inf, math.inf), "refuted"),
        ((math.inf, math.inf), (math.inf, math.inf), "refuted"),
        ((math.inf, 16), (math.inf, 16), "inconclusive"),
    ],
)
def test_hint_is_judged(usual: tuple, faint: tuple, verdict: str) -> None:
    assert verdicts(evidence.hint_claim(hints(usual, faint))) == {
        "simplicity-hint-samples": verdict
    }


def test_thin_stripes_have_equal_means_and_wide_ones_do_not() -> None:
    assert verdicts(evidence.thin_claim()) == {"simplicity-linear-thin": "supported"}


CELLS = ["deep MLP 3"]


def test_points_give_what_the_tables_need() -> None:
    """One small live run through every table and figure of the stripes."""
    grid = experiment.grid(CELLS, OFFSETS, seeds=Seeds(2, 1))
    ambiguous = pd.concat(
        [experiment.ambiguous_point(**point) for point in grid], ignore_index=True
    )
    isolated = pd.concat(
        [experiment.alone_point(**point, sizes=[8, 60], labels=120) for point in grid],
        ignore_index=True,
    )
    kernels = pd.concat([experiment.kernel_point(**point) for point in grid], ignore_index=True)
    volumes = pd.concat([
        experiment.volume_point(architecture="deep MLP", width=3, a=a, seeds=2) for a in OFFSETS
    ])  # fmt: skip
    assert 0 <= volumes["colour"].min() < volumes["colour"].max() <= 1
    told = evidence.said_volume(volumes)
    assert told["volume_apart"] <= experiment.AGREE and told["volume_starts"] == 1
    assert (volumes["begins"] == (volumes["start"] == "colour")).all()
    crossed = evidence.crossings(ambiguous, isolated, kernels, volumes)
    first = crossed.set_index("predictor")
    assert 0.01 < first["measured"].iloc[0] < 1
    assert simplicity.factor(first.loc["bits", "predicted"], first["measured"].iloc[0]) < 3
    wide = isolated.pivot_table(index="a", columns="structure", values="bits")
    assert wide.loc[0.01, "original"] < wide.loc[0.01, "false"]
    assert wide.loc[1.0, "false"] < wide.loc[1.0, "original"]
    needs = evidence.needs(isolated, steps=500)
    assert set(needs["largest"].dropna()) == {60, 500}
    for figure in (
        plots.needs(needs),
        plots.history(evidence.history_table(ambiguous, OFFSETS)),
        plots.linearised(evidence.linearised_table(ambiguous, kernels)),
    ):
        assert figure.axes


def test_convolutions_get_their_own_offsets_and_options() -> None:
    cells, seeds = ["deep MLP 8", "pooled CNN 3"], Seeds(20, 10)
    grid = experiment.grid(cells, [0.1, 0.2], [0.1], seeds=seeds)
    points = experiment.extended(grid, {"sizes": [4, 8]}, slow={"sizes": [4]})
    assert [(p["architecture"], p["width"], p["a"], p["seeds"], p["sizes"]) for p in points] == [
        ("deep MLP", 8, 0.1, 20, [4, 8]),
        ("deep MLP", 8, 0.2, 20, [4, 8]),
        ("pooled CNN", 3, 0.1, 10, [4]),
    ]
    board = experiment.board_grid(seeds, labels={"stripes": 120, "digits-brightness": 128})
    assert {p["architecture"]: p["seeds"] for p in board} == {
        "paper's CNN": 10, "linear": 20, "MLP": 20, "deep MLP": 20, "CNN": 10, "attention": 10,
    }  # fmt: skip


def test_a_ranking_is_over_architectures_and_widths() -> None:
    """More seeds make it no surer: they say nothing about another pair."""
    some, many = (evidence.ranking(evidence.crossings(*world(SPREAD, 1.2, n))) for n in (4, 12))
    assert some["bits"][0].n == len(SPREAD)
    assert some["bits"][0].high == pytest.approx(many["bits"][0].high)
    alone = evidence.ranking(evidence.crossings(*world({("linear", 3): 0.04})))
    assert alone["bits"][0] == Nobody("1 networks qualify; an interval needs 2", 1)


def test_plain_descent_is_judged_against_adam() -> None:
    plain = experiment.descent(0.02, seeds=1, steps=3_000, rate=0.05)
    assert plain["accuracy"].item() > 0.9
    for own, adam, verdict in ((1, 0, "supported"), (0, 0, "refuted"), (1, 1, "inconclusive")):
        found = evidence.optimiser_claim(linear_readings(own), linear_readings(adam), 0.02)
        assert verdicts(found) == {"simplicity-optimiser": verdict}


def test_widths_of_the_oscillation_tell_its_structures_apart() -> None:
    table = experiment.width_point(
        name="oscillation", strength=0.01, seeds=2, samples=64, widths=[1, 2]
    )
    needs = table.groupby("structure")["needs"].min()
    assert needs["original"] == math.inf and needs["false"] <= 2


@pytest.mark.parametrize(
    ("world", "better", "enough"),
    [
        (last_layers(0.9), "supported", "supported"),
        (last_layers(0.6), "inconclusive", "refuted"),
        (last_layers(0.4, shuffled=0.2), "refuted", "refuted"),
        (last_layers(0.9, shuffled=0.9), "inconclusive", "supported"),  # any training would do
        (last_layers(0.9, untrained=0.9), "inconclusive", "inconclusive"),  # it takes none
        (last_layers(0.9, before=0.9), "supported", "inconclusive"),  # they took it before
    ],
)
def test_new_last_layers_are_judged(world: pd.DataFrame, better: str, enough: str) -> None:
    assert verdicts(evidence.last_layer_claims(world)) == {
        "simplicity-last-layer-stripes": better,
        "simplicity-last-layer-enough-stripes": enough,
    }


def test_depth_decides_between_equal_norms() -> None:
    table = diagonal.shares([2, 3, 8], [0.5, 1.0])
    assert verdicts(evidence.depth_claim(table)) == {"simplicity-depth-chooses": "supported"}
    shallow = table.assign(trained=table["formula"].where(table["layers"] == 2, 0.5))
    assert verdicts(evidence.depth_claim(shallow)) == {"simplicity-depth-chooses": "refuted"}
    # The formula holds, but the pair that should pass one half is another one.
    other = table.assign(pair=table["pair"].map({0: 1, 1: 0, 2: 2}))
    assert verdicts(evidence.depth_claim(other)) == {"simplicity-depth-chooses": "refuted"}
    first = table[table["pair"] == 0].groupby("layers")["trained"].mean()
    assert first[2] < 0.5 < first[8]


def test_the_kernel_of_a_sequence_is_that_of_its_images() -> None:
    found = where(experiment.kernel_point(architecture="linear", width=8, a=0.1, seeds=2), seed=1)
    count = 2 * Stripes(width=8).positions
    x, y = simplicity.sequences(experiment.problem(8, 0.1), "false", count, [1])[0]
    norm = linearised.norm(linearised.tangents(LINEAR, 1, x)[1], 2 * y - 1)
    assert where(found, structure="false")["norm"].item() == pytest.approx(norm)


def test_how_far_walks_are_apart_is_the_most_of_all_points_and_their_starts_the_least() -> None:
    rows = [("linear", 3, 0.1, 0.2, 0.3), ("linear", 3, 0.2, 0.5, 0.9), ("MLP", 3, 0.1, 0.4, 0.4)]
    volumes = pd.DataFrame([
        {"architecture": name, "width": width, "a": a, "start": start, "colour": colour + off,
         "begins": colour / 2, "steps": round(100 * a)}
        for name, width, a, *shares in rows
        for start, colour in zip(experiment.ENDS, shares, strict=True)
        for off in (-0.01, 0.01)
    ])  # fmt: skip
    told = evidence.said_volume(volumes.iloc[:8])
    assert told == pytest.approx({"volume_apart": 0.4, "volume_starts": 0.05, "walk_most": 20})


def test_the_prose_counts_sweeps_without_a_crossing_and_compares_on_the_same_pairs() -> None:
    ambiguous, isolated, kernels, volumes = world(SPREAD, 0.8)
    tables = ambiguous, isolated.assign(samples=math.inf), kernels, volumes
    crossed = evidence.crossings(*tables)
    said = evidence.said_ranking(crossed, evidence.ranking(crossed))
    assert (said["predictions"], said["ended"], said["volume_below"]) == (48, len(SPREAD), 6)
    assert said["bits_six"] == pytest.approx(said["bits_off"], rel=0.05)
    assert said["constant_six"] != pytest.approx(said["constant_off"], rel=1e-3)
    table = pd.concat((widths(0.1, 8, 1), widths(0.01, 4, 4)))
    told = evidence.said_width(table)
    assert told["width_value"] == 0 and told["width_low"] <= 0 <= told["width_high"]


def test_the_prose_on_last_layers_counts_who_takes_the_pixel_and_who_gives_one_answer() -> None:
    pixel, oscillation = last_layers(0.9), last_layers(0.6)
    pixel.loc[pixel["seed"] < 5, "before"] = 0.3  # with the pixel on less than three quarters
    pixel.loc[pixel["arm"] == "untrained", "before"] = 0.5
    oscillation["one"] = (oscillation["arm"] == "trained") | (oscillation["seed"] < 10)
    stripes = last_layers(0.9, shuffled=0.2)
    tables = {"digits-pixel": pixel, "stripes": stripes, "oscillation": oscillation}
    layers = pd.concat([table.assign(problem=name) for name, table in tables.items()])
    told = evidence.said_layers(layers, diagonal.shares([2, 8], [1.0]))
    assert told["pixel_takes"] == 15
    assert (told["one_trained"], told["one_untrained"], told["one_shuffled"]) == (1, 0.5, 0.5)
    assert told["trained_stripes"] == 0.9 and told["share_2"] < 0.5 < told["share_8"]
