"""Halving: does it find a place that is known, as closely as it says?"""

import math

import numpy as np
import pandas as pd
import pytest

from falsestruct.learning.halving import apart, halved, over, place, quotients, worst
from falsestruct.statistics import Estimate, Nobody

BETWEEN = (0.03, 0.25)
FACTOR = (BETWEEN[1] / BETWEEN[0]) ** (1 / 32)  # between the last two of five halvings


def steps(where, *, steep=1e6, seeds=range(100)):
    """Networks whose share goes from 0 to 1 at a place, a table of all that were asked."""

    def trained(strengths):
        share = [1 / (1 + np.exp(min(steep * math.log(where / a), 700))) for a in strengths]
        return pd.DataFrame({"seed": seeds, "a": strengths, "share": share, "reached": True})

    return halved(trained, seeds, BETWEEN, 5, share="share")


def places(table):
    return np.array([place(own, strength="a", share="share") for _, own in table.groupby("seed")])


@pytest.mark.parametrize("where", [0.04, 0.0551, 0.07, 0.0866, 0.2])
def test_a_jump_is_found_within_half_of_the_last_factor(where):
    found = places(steps(where)) / where
    assert (found <= FACTOR**0.501).all() and (found >= FACTOR**-0.501).all()
    assert math.exp(np.log(found).mean()) == pytest.approx(1, abs=0.01)  # the shifts even it out
    assert np.log(found).std() > math.log(FACTOR) / 5  # and an interval over seeds sees them


def test_a_slow_rise_is_interpolated():
    assert places(steps(0.07, steep=4)) == pytest.approx(0.07, rel=1e-3)


def test_seeds_are_halved_by_themselves():
    def trained(strengths):
        share = [float(a > where) for a, where in zip(strengths, (0.05, 0.15), strict=True)]
        return pd.DataFrame({"seed": [1, 2], "a": strengths, "share": share, "reached": True})

    table = halved(trained, [1, 2], BETWEEN, 6, share="share")
    assert len(table) == 12 and places(table) == pytest.approx([0.05, 0.15], rel=0.02)


def test_no_place_outside_or_of_networks_that_are_not_done():
    assert np.isnan(places(steps(0.01))).all() and np.isnan(places(steps(1.0))).all()
    table = steps(0.07, seeds=[1, 2])
    table.loc[(table["seed"] == 2) & (table["a"] > 0.08), "reached"] = False
    first, second = places(table)
    assert math.isfinite(first) and math.isnan(second)


# Kinds of networks, compared


def kinds(one, other, steps=(100, 100)):
    rows = [
        (arm, seed, value, count)
        for arm, values, count in zip(("one", "other"), (one, other), steps, strict=True)
        for seed, value in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=["arm", "seed", "crossover", "steps"])


def test_quotients_are_taken_seed_by_seed():
    at = kinds([0.06, 0.1, 0.2], [0.05, 0.05])
    assert quotients(at, "one", "other").tolist() == pytest.approx([1.2, 2.0])
    assert over(at, "one", "other").value == pytest.approx(math.sqrt(2.4))
    assert apart(at, "other", "one").value == pytest.approx(math.sqrt(2.4))


@pytest.mark.parametrize(("steps", "known"), [((100, 125), True), ((126, 100), False)])
def test_steps_that_are_not_equal_leave_no_number(steps, known):
    at = kinds([0.06, 0.07], [0.05, 0.05], steps)
    assert isinstance(over(at, "one", "other", even=True), Estimate) == known
    assert isinstance(over(at, "one", "other"), Estimate)


def test_a_kind_may_lose_a_tenth():
    values = [0.05, math.nan] + [0.06] * 18
    assert over(kinds(values, values[:1] * 20), "one", "other").n == 19
    values[2:4] = [math.nan] * 2
    for pair in (("one", "other"), ("other", "one")):
        assert isinstance(over(kinds(values, [0.05] * 20), *pair), Nobody)


def test_the_worst_is_the_one_whose_end_is():
    near, far = Estimate(1.3, 1.2, 1.4, 9, "exact"), Estimate(1.5, 1.0, 2.0, 9, "exact")
    assert worst([near, far], min) is near and worst([near, far], min, "low") is far
    assert worst([far, near], max, "high") is far
    assert isinstance(worst([near, Nobody("none"), far], min), Nobody)
