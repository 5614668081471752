"""The claims on simplicity, in worlds made by hand: the verdict follows the world."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from falsestruct import simplicity
from falsestruct.experiments import simplicity as experiment
from falsestruct.experiments.seeds import Seeds
from falsestruct.plots import simplicity as plots
from falsestruct.press.claims import judge, read_claims
from falsestruct.press.paths import find_book
from falsestruct.problems import planted
from falsestruct.simplicity import Learn, Learnt, Trial
from falsestruct.training import Set

CLAIMS = read_claims(find_book())
OFFSETS = [0.01, 0.1, 1.0]


def verdicts(found: experiment.Found) -> dict[str, str]:
    return {id: judge(CLAIMS[id], *pair) for id, pair in found.items()}


def follower(which: str, problem: planted.Planted, share: float = 1.0) -> Learn:
    """Sides with a structure on a share of the inputs, and with the other on the rest."""
    rules = {"original": problem.original, "false": problem.false}
    rule = rules[which]
    other = rules["false" if which == "original" else "original"]

    def learn(sets: Sequence[Set], seeds: Sequence[int], test: Set | None) -> Learnt:
        def outputs(x: Tensor) -> Tensor:
            flat = x.flatten(0, 1).double()
            chosen = torch.arange(len(flat)) % 10 < 10 * share
            labels = torch.where(chosen, rule(flat), other(flat)).view(x.shape[:2])
            return 20.0 * labels - 10

        return Learnt(outputs)

    return learn


def board_of(learners: dict[float, Learn | None], name: str, architecture: str) -> pd.DataFrame:
    """A board's table of one cell: a learner a factor of the strength; None knows nothing."""
    tables = []
    for factor, learn in learners.items():
        problem = planted.by_name(name, factor * planted.STRENGTHS[name])
        for which in simplicity.LABELLINGS:
            bits = (
                torch.randn(6, generator=torch.Generator().manual_seed(len(which))) + 60
                if learn is None
                else simplicity.bits(problem, which, learn, Trial([8], 40, range(6)))
            )
            table = {"seed": range(6), "bits": bits, "structure": which, "a": problem.strength}
            tables.append(pd.DataFrame(table))
    return pd.concat(tables).assign(problem=name, architecture=architecture)


@pytest.mark.parametrize(
    ("name", "architecture", "id"),
    [
        ("stripes", "paper's CNN", "simplicity-stripes-paper-cnn"),
        ("oscillation", "2-104-1", "simplicity-oscillation-2-104-1"),
        ("digits-brightness", "attention", "simplicity-digits-attention"),
    ],
)
def test_board_in_worlds_made_by_hand(name: str, architecture: str, id: str) -> None:
    usual = planted.by_name(name)
    weak = planted.by_name(name, experiment.WEAKER * planted.STRENGTHS[name])
    original, false = follower("original", usual), follower("false", usual)

    def verdict(at_usual: Learn | None, at_weak: Learn | None) -> str:
        table = board_of({1: at_usual, experiment.WEAKER: at_weak}, name, architecture)
        return verdicts(experiment.board_claims(table))[id]

    assert verdict(false, follower("original", weak)) == "supported"
    assert verdict(original, follower("original", weak)) == "refuted"
    assert verdict(None, None) != "supported"
    # A measure that calls the false structure simpler at any strength. The oscillation's control is
    # a coin, so there a hint may be simpler at both.
    both = verdict(false, follower("false", weak))
    assert both == ("supported" if name == "oscillation" else "inconclusive")


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
    planted_, nothing = (experiment.differences(point) for point in points)
    assert planted_.low > 0
    assert nothing.high < 0


def world(
    cross: dict[tuple[str, int], float], shift: float = 1.0, seeds: int = 4
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Tables in which all measures cross at `shift` times the measured crossover."""
    ambiguous, isolated, kernels = [], [], []
    for (name, width), at in cross.items():
        for a in np.geomspace(0.01, 1, 9):
            for seed in range(seeds):
                key = {"architecture": name, "width": width, "a": a, "seed": seed}
                share = 1 / (1 + at / a)
                ambiguous.append(key | {"step": 5, "accuracy": 1.0, "colour": share, "last": True})
                predicted = 1 / (1 + shift * at / a)
                for which, value in (("original", 10.0), ("false", 10 * shift * at / a)):
                    isolated.append(
                        key | {"structure": which}
                        | dict.fromkeys(("samples", "steps", "bits"), value)
                    )  # fmt: skip
                    own = {"norm": value, "alignment": value, "colour": predicted}
                    kernels.append(key | {"structure": which} | own)
    ambiguous_, isolated_, kernels_ = map(pd.DataFrame, (ambiguous, isolated, kernels))
    return ambiguous_, isolated_, kernels_


SPREAD = {("linear", 3): 0.04, ("deep MLP", 3): 0.1, ("deep MLP", 8): 0.4}


@pytest.mark.parametrize(
    ("shift", "verdict"),
    [(1.0, "supported"), (1.4, "supported"), (0.5, "refuted"), (2.0, "refuted")],
)
def test_predictions_are_judged_by_their_factor(shift: float, verdict: str) -> None:
    crossed = experiment.crossings(*world(SPREAD, shift))
    found = experiment.prediction_claims(experiment.ranking(crossed))
    assert set(verdicts(found).values()) == {verdict}
    for estimate, control in found.values():
        assert estimate.value == pytest.approx(max(shift, 1 / shift), rel=0.05)
        assert control.value > 1.5


def test_one_crossover_proves_nothing() -> None:
    """If all networks cross at the same offset, a constant predicts as well: never supported."""
    ranked = experiment.ranking(experiment.crossings(*world(dict.fromkeys(SPREAD, 0.1))))
    assert set(verdicts(experiment.prediction_claims(ranked)).values()) == {"inconclusive"}
    constant, _ = ranked["constant"]
    assert constant.value == pytest.approx(1, abs=0.05)


def test_a_measure_that_never_crosses_is_charged_to_the_end_of_the_sweep() -> None:
    ambiguous, isolated, kernels = world(SPREAD)
    level = isolated.assign(samples=math.inf)
    crossed = experiment.crossings(ambiguous, level, kernels)
    own = crossed[(crossed["predictor"] == "samples") & (crossed["draw"] == -1)]
    assert not own["inside"].any()
    found = experiment.prediction_claims(experiment.ranking(crossed))
    assert verdicts(found)["simplicity-predicts-samples"] != "supported"
    assert verdicts(found)["simplicity-predicts-steps"] == "supported"
    table = experiment.ranking_table(crossed, dict.fromkeys(experiment.NAMES, 1.0))
    assert len(table) == 7 * 3 and (table["low"] <= table["high"]).all()
    assert plots.ranking(table).axes


def readings(fit: Sequence[float], end: Sequence[float], start: float = 0.4) -> pd.DataFrame:
    rows = []
    for seed, (middle, last) in enumerate(zip(fit, end, strict=True)):
        for step, accuracy, colour in ((0, 0.5, start), (3, 1.0, middle), (9, 1.0, last)):
            rows.append({"seed": seed, "step": step, "accuracy": accuracy, "colour": colour})
    table = pd.DataFrame(rows).assign(architecture="MLP", width=3, a=0.1)
    return table.assign(last=table["step"] == 9)


def test_first_captured_needs_the_first_fit_to_tell_and_the_start_not_to() -> None:
    ends = [1.0, 0.0] * 25
    assert verdicts(experiment.first_claim(readings(ends, ends))) == {
        "simplicity-first-captured": "supported"
    }
    turned = [1 - end for end in ends]
    assert set(verdicts(experiment.first_claim(readings(turned, ends))).values()) == {"refuted"}
    # Where every network reads the same, before training too, the first fit is no news.
    same = readings([1.0] * 50, [1.0] * 50, start=0.9)
    assert set(verdicts(experiment.first_claim(same)).values()) == {"inconclusive"}


def test_a_network_that_never_fits_has_no_first_fit() -> None:
    table = readings([1.0], [1.0]).assign(accuracy=0.5)
    assert experiment.first_fit(table)["fit"].isna().all()


def widths(problem: str, original: float, false: float) -> pd.DataFrame:
    values = {"original": original, "false": false}
    return pd.DataFrame(
        [
            {"structure": which, "seed": seed, "needs": value, "problem": problem, "largest": 16}
            for which, value in values.items()
            for seed in range(4)
        ]
    )


@pytest.mark.parametrize(
    ("stripes", "oscillation", "verdict"),
    [
        ((8, 1), (math.inf, 1), "supported"),
        ((1, 1), (math.inf, 1), "refuted"),
        ((1, 8), (math.inf, 1), "refuted"),
        ((8, 1), (1, 1), "inconclusive"),
    ],
)
def test_width_is_judged(stripes: tuple, oscillation: tuple, verdict: str) -> None:
    table = pd.concat((widths("stripes", *stripes), widths("oscillation", *oscillation)))
    assert verdicts(experiment.width_claim(table)) == {"simplicity-width": verdict}


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
    rows = [
        {"a": a, "structure": which, "seed": seed, "samples": value}
        for a, pair in ((0.01, usual), (1e-4, faint))
        for which, value in zip(simplicity.WHICH, pair, strict=True)
        for seed in range(20)
    ]
    assert verdicts(experiment.hint_claim(pd.DataFrame(rows))) == {
        "simplicity-hint-samples": verdict
    }


def test_thin_stripes_have_equal_means_and_wide_ones_do_not() -> None:
    assert verdicts(experiment.thin_claim()) == {"simplicity-linear-thin": "supported"}


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
    crossed = experiment.crossings(ambiguous, isolated, kernels)
    first = crossed[crossed["draw"] == -1].set_index("predictor")
    assert 0.01 < first["measured"].iloc[0] < 1
    assert simplicity.factor(first.loc["bits", "predicted"], first["measured"].iloc[0]) < 3
    wide = isolated.pivot_table(index="a", columns="structure", values="bits")
    assert wide.loc[0.01, "original"] < wide.loc[0.01, "false"]
    assert wide.loc[1.0, "false"] < wide.loc[1.0, "original"]
    needs = experiment.needs(isolated, steps=500)
    assert set(needs["largest"].dropna()) == {60, 500}
    for figure in (
        plots.needs(needs),
        plots.history(experiment.history_table(ambiguous, OFFSETS)),
        plots.linearised(experiment.linearised_table(ambiguous, kernels)),
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


def test_a_ranking_counts_the_networks_of_the_cell_that_has_the_fewest() -> None:
    some, few = world({("linear", 3): 0.04}, seeds=6), world({("pooled CNN", 3): 0.1}, seeds=3)
    together = [pd.concat(pair, ignore_index=True) for pair in zip(some, few, strict=True)]
    crossed = experiment.crossings(*together)
    assert dict(crossed.groupby("architecture")["networks"].first()) == {
        "linear": 6, "pooled CNN": 3,
    }  # fmt: skip
    found, control = experiment.ranking(crossed)["bits"]
    assert found.n == control.n == 3


def test_plain_descent_is_judged_against_adam() -> None:
    plain = experiment.descent(0.02, seeds=1, steps=3_000, rate=0.05)
    assert plain["accuracy"].item() > 0.9
    rows = [{"seed": seed, "colour": 0.0} for seed in range(10)]
    adam = pd.DataFrame(rows).assign(architecture="linear", width=3, a=0.02, last=True)
    taken = pd.DataFrame(rows).assign(colour=1.0)
    for own, other, verdict in (
        (taken, adam, "supported"),
        (adam, adam, "refuted"),
        (taken, adam.assign(colour=1.0), "inconclusive"),
    ):
        found = experiment.optimiser_claim(own, other, 0.02)
        assert verdicts(found) == {"simplicity-optimiser": verdict}


def test_widths_of_the_oscillation_tell_its_structures_apart() -> None:
    table = experiment.width_point(name="oscillation", seeds=2, samples=64, widths=[1, 2])
    needs = table.groupby("structure")["needs"].min()
    assert needs["original"] == math.inf and needs["false"] <= 2
