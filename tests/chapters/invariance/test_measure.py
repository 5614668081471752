"""Chapter 14: measuring rules that are known, and the verdicts in worlds whose answer is known."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from falsestruct.chapters.invariance import evidence as found
from falsestruct.chapters.invariance import figures as plots
from falsestruct.chapters.invariance import measure as experiment
from falsestruct.evidence import crossed
from falsestruct.learning.ensembles import by_hand
from falsestruct.press.notebook.claims import judge, read_claims
from falsestruct.press.notebook.figures import STYLES, draw
from falsestruct.press.paths import Book
from falsestruct.problems.coloured import Coloured
from falsestruct.problems.hierarchy import Hierarchy
from tests.worlds import invariance as worlds

CLAIMS = read_claims(Book(Path(__file__).parents[3]))


def verdicts(pairs):
    return {id.removeprefix("invariance-"): judge(CLAIMS[id], *pair) for id, pair in pairs.items()}


# Rules built by hand


def on_images(rule):
    """A learner that labels images by a rule, whatever the data are."""

    def outputs(x):
        images = x.reshape(-1, 16, 16).double()
        return (2.0 * rule(images) - 1).view(x.shape[:2])

    return by_hand(outputs)


def coloured(learner):
    arms = [("seeing", "mean"), ("blind", "mean"), ("blind", "contrast")]
    table = experiment.coloured([0.5, 2.0], [1, 2, 3], arms, steps=1, learner=learner)
    return table.groupby(["sight", "kind"])["capture"].mean().to_dict(), table


def test_who_reads_the_direction_takes_no_colour():
    captures, table = coloured(on_images(Coloured("mean", 1.0).orientation))
    assert set(captures.values()) == {0.0} and (table["accuracy"] == 1).all()
    assert len(table) == 3 * 2 * 3 and set(table["seed"]) == {1, 2, 3}


def test_who_reads_the_mean_takes_it_only_if_it_is_seen():
    level = Coloured("mean", 1.0).brightness
    captures, _ = coloured(on_images(lambda x: (x.mean((1, 2)) < level).long()))
    assert captures["seeing", "mean"] == 1 and captures["blind", "mean"] == 0.5


def test_a_constant_answer_takes_half_of_every_colour():
    captures, table = coloured(on_images(lambda x: torch.ones(x.shape[:-2])))
    assert set(captures.values()) == {0.5} and (table["horizontal"] == 1).all()


def test_brightness_is_taken_off_and_no_colour():
    x, _ = Coloured("mean", 2.0).described()
    left = experiment.SIGHTS["levelled"](x).mean((1, 2))
    assert left.unique().tolist() == pytest.approx([-2 / 16, 2 / 16])


def test_who_reads_the_contrast_takes_it_though_blind():
    captures, _ = coloured(on_images(Coloured("contrast", 1.0).colour))
    assert captures["blind", "contrast"] == 1


def spelt(rule, seeds=(3, 4)):
    """A learner for hierarchies; the rule gets a member's problem and inputs."""

    def outputs(x):
        labels = [
            rule(Hierarchy(6, 3, seed=seed), own.argmax(-1).numpy())
            for seed, own in zip(seeds, x, strict=True)
        ]
        return torch.nn.functional.one_hot(torch.as_tensor(np.array(labels)), 6).float()

    learner = by_hand(outputs)
    return experiment.hierarchies([20], seeds, symbols=6, synonyms=3, steps=1, learner=learner)


def test_who_looks_up_is_right_and_keeps_its_label_under_synonyms():
    table = spelt(lambda problem, x: np.maximum(problem.look_up(x), 0))
    assert (table["error"] == 0).all() and (table["synonym"] == 0).all()
    assert (table["other"] > 0.5).all() and (table["worst"] == 0).all()
    assert (table["accuracy"] == 1).all() and table["nothing"].between(0.6, 0.9).all()
    assert set(table["network"]) == {"deep", "shallow", "dense"}


def test_who_reads_the_first_symbol_is_wrong_and_changes_with_every_fourth_exchange():
    table = spelt(lambda _, x: x[:, 0])
    assert (table["error"] > 0.6).all()
    assert table["synonym"].between(0.1, 0.27).all()
    assert (table["worst"] > 0.5).all()  # there is an exchange, if not each is one


def test_only_what_is_right_can_be_lost():
    """A constant answer keeps its label, right or wrong."""
    table = spelt(lambda _, x: np.zeros(len(x), dtype=int))
    assert (table["worst"] == 0).all() and (table["error"] > 0.7).all()


def test_who_knows_one_spelling_loses_whatever_is_spelt_otherwise():
    """Right where the first pair is the first of its synonyms, and wrong elsewhere."""

    def rule(problem, x):
        pair = problem.symbols * x[:, 0] + x[:, 1]
        first = np.isin(pair, problem.rules[-1][:, 0])
        label = np.maximum(problem.look_up(x), 0)
        return np.where(first, label, (label + 1) % problem.symbols)

    table = spelt(rule)
    assert (table["worst"] == 1).all() and (abs(table["error"] - 2 / 3) < 0.1).all()


def test_signals_have_a_row_an_architecture_moment_and_seed():
    learner = by_hand(lambda x: x[..., 10:20])
    table = experiment.stabilities([5, 6], samples=12, steps=1, learner=learner)
    assert len(table) == 8 * 2 * 2
    assert np.allclose(table["R"], table["D"] / table["G"])
    assert table["error"].between(0.7, 1).all() and table["accuracy"].between(0, 0.5).all()


def test_the_same_signals_are_asked_before_and_after():
    table = experiment.stabilities([5], samples=30, steps=0)
    wide = table.pivot(index="architecture", columns="moment", values="R")
    assert np.allclose(wide["before"], wide["after"])
    assert wide.loc["wide", "before"] == pytest.approx(1, abs=0.6)


def test_interpolants_of_few_points():
    table = experiment.interpolants([3], [0, 1], samples=20, atoms=150)
    assert len(table) == 2 * 2 * 2
    used = table.groupby("solver")["used"]
    assert used.max()["sparse"] <= 20 < used.min()["spread"]
    said = found.quotients(table)
    assert said["quotient_constant_few"] == said["quotient_constant_many"] > 1


# Worlds whose answer is known


def test_what_is_proved_is_supported():
    assert set(verdicts(found.proved(5)).values()) == {"supported"}


@pytest.mark.parametrize(
    ("constant", "first", "verdict"),
    [(9.0, 0.5, "supported"), (0.5, 0.5, "refuted"), (9.0, 2.0, "inconclusive")],
)
def test_sparse_worlds(constant, first, verdict):
    pairs = found.sparse_claim(worlds.interpolants(constant, first))
    assert verdicts(pairs) == {"sparse": verdict}


@pytest.mark.parametrize(
    ("follows", "verdict", "beyond"),
    [
        ("R", "supported", "inconclusive"),  # nothing follows D: its control can't be seen
        ("both", "supported", "supported"),
        ("D", "refuted", "refuted"),
    ],
)
def test_ratio_worlds(follows, verdict, beyond):
    noisy, quiet = worlds.stabilities(follows), worlds.stabilities("D")
    expected = {"ratio": verdict, "ratio-architectures": beyond, "ratio-quiet": "refuted"}
    assert verdicts(found.ratio_claims(noisy, quiet)) == expected


def test_over_architectures_a_mean_has_the_interval_of_a_crossed_design():
    """Pseudo-values of a mean are what it is a mean of."""
    values = np.random.default_rng(0).normal(size=(4, 3)) + np.array([0, 2, 7])
    rows = [
        {"architecture": str(j), "seed": i, "value": values[i, j]}
        for i in range(4)
        for j in range(3)
    ]
    by_hand = crossed(values)
    table = pd.DataFrame(rows)
    again, cut = (
        found._beyond(table, lambda t: t.groupby("seed")["value"].mean().array, most=most)
        for most in (math.inf, by_hand.value)
    )
    assert (again.value, again.low) == pytest.approx((by_hand.value, by_hand.low))
    assert again.method.endswith("4 networks × 3 architectures")
    assert cut.high == by_hand.value == cut.ends[-1][1] and cut.low >= -by_hand.value


def test_networks_that_learn_the_hierarchy_as_the_paper_says():
    deep = {
        "error": worlds.falling(0.8, 300), "synonym": worlds.falling(0.5, 330),
        "other": lambda _: 0.7, "worst": worlds.falling(0.9, 330),
    }  # fmt: skip
    shallow = {name: lambda _: 0.5 for name in ("error", "synonym", "other", "worst")}
    said = verdicts(found.synonym_claims(worlds.hierarchies(deep, shallow)))
    assert set(said) == {"synonyms", "coincide", "depth", "form", "worst"}
    assert set(said.values()) == {"supported"}


def test_networks_that_become_right_without_becoming_invariant():
    deep = {
        "error": worlds.falling(0.8, 150), "synonym": worlds.falling(0.5, 650),
        "other": lambda _: 0.7, "worst": worlds.never,
    }  # fmt: skip
    said = verdicts(found.synonym_claims(worlds.hierarchies(deep, deep)))
    assert said["coincide"] == "refuted" and said["synonyms"] == "refuted"
    assert said["depth"] == said["form"] == said["worst"] == "refuted"


def test_networks_that_take_whatever_they_see():
    every = {arm: worlds.rising(0.9) for arm in worlds.ARMS if arm != ("blind", "mean")}
    said = verdicts(found.colour_claims(worlds.colours(every)))
    assert said["blind"] == "supported" and said["contrast"] == "supported"
    assert said["substitute"] == "inconclusive"  # the contrast is as cheap: nothing is told
    assert said["sight"] == "inconclusive"  # the checkerboard is no cheaper than the mean


def test_networks_that_take_directions_and_no_contrast():
    arms = {
        ("seeing", "mean"): worlds.rising(1.4), ("blind", "checkerboard"): worlds.rising(1.1),
        ("seeing", "checkerboard"): worlds.rising(0.7),
    }  # fmt: skip
    said = verdicts(found.colour_claims(worlds.colours(arms)))
    assert (said["blind"], said["contrast"]) == ("supported", "refuted")
    assert (said["substitute"], said["sight"]) == ("supported", "refuted")
    arms["blind", "checkerboard"] = worlds.rising(0.7)
    said = verdicts(found.colour_claims(worlds.colours(arms)))
    assert (said["substitute"], said["sight"]) == ("refuted", "supported")


def test_a_share_that_never_falls_counts_with_the_largest_size():
    table = worlds.hierarchies({"error": lambda _: 0.5}, {}, seeds=1)
    assert found._falls(table[table["network"] == "deep"], "error") == worlds.SAMPLES[-1]
    half = worlds.hierarchies({"error": worlds.falling(0.8, 200)}, {}, seeds=1)
    at = found._falls(half[half["network"] == "deep"], "error")
    assert at == pytest.approx(200, rel=0.1)


# The page's tables and figures


def drawn(plot, table, **options):
    return draw(plot, table.to_csv(index=False), options, STYLES["book"])


def test_the_circle_s_interpolants_are_right_at_the_points():
    table = found.circle(0, samples=8, atoms=60)
    for (_, what), part in table.groupby(["target", "what"]):
        if what != "data":
            at = table[(table["what"] == "data") & (table["target"] == part["target"].iloc[0])]
            values = np.interp(at["angle"], part["angle"], part["value"])
            assert np.abs(values).max() < 0.02
    assert len(drawn(plots.circle, table).axes) == 2


def test_figures_show_a_line_or_mark_for_each():
    stability = found.ordered(worlds.stabilities("R"))
    assert [len(axis.containers) for axis in drawn(plots.stability, stability).axes] == [8, 8]
    deep = {name: worlds.falling(0.8, 300) for name in found.LOOK}
    table = found.learnt(worlds.hierarchies(deep, deep))
    picture = drawn(plots.hierarchy, table, expected=162)
    assert [len(axis.containers) for axis in picture.axes] == [4, 4, 4]
    captures = found.captures(worlds.colours({("seeing", "mean"): worlds.rising(1.0)}))
    lines = [axis.containers for axis in drawn(plots.captures, captures).axes]
    seen = [sum(len(bars[0].get_xdata()) > 0 for bars in own) for own in lines]
    assert seen == [2, 2, 1]  # a sight that was not asked has no curve


def test_said_are_finite_numbers():
    deep = {name: worlds.falling(0.8, 300) for name in found.LOOK}
    stability = worlds.stabilities("D")
    both = [stability, stability.assign(moment="before")]
    colours = worlds.colours({("seeing", "mean"): worlds.rising(1.0)})
    said = (
        found.answered(worlds.hierarchies(deep, deep))
        | found.correlations(pd.concat(both))
        | found.read(colours)
    )
    assert all(isinstance(value, str) or np.isfinite(value) for value in said.values())
    assert said["rank_D"] > 0.9 and said["without_high"] < 0
    assert said["low_D"] < said["rank_D"] < said["high_D"]
    assert said["who_after_low"] == "max pool" and said["who_right"] == "n0"
    at = 0.8 / (1 + (800 / 300) ** 6)  # its error
    assert said["strewn"] == pytest.approx(8 * at, rel=0.02) and said["nothing"] == 0.5
    assert said["half_seeing_mean"] == pytest.approx(1, rel=0.05)
