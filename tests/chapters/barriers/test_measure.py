"""Chapter 11's experiments, small, and its estimates in worlds where the answer is known."""

import math

import numpy as np
import pandas as pd
import pytest

from falsestruct.chapters.barriers import evidence as estimates
from falsestruct.chapters.barriers import measure as barriers
from falsestruct.press.notebook import claims
from falsestruct.press.paths import find_book
from falsestruct.theory import barrier
from falsestruct.theory.recovery import largest_sparsity

CLAIMS = claims.read_claims(find_book())


def verdict(id, found):
    return claims.judge(CLAIMS[id], *found[id])


@pytest.fixture(scope="module")
def convergence():
    return barriers.convergence(count=3, inner=[10, 50])


@pytest.fixture(scope="module")
def solved():
    return barriers.gaps(count=2, looks=(1, 10, 100, 1000)), barriers.solvers(count=2)


@pytest.fixture(scope="module")
def inexact():
    return barriers.inexact(seeds=2)


@pytest.fixture(scope="module")
def moves():
    return barriers.depths(inner=[50, 200, 800], precisions=range(10))


def test_what_holds_is_supported(convergence, solved):
    found = estimates.of_convergence(convergence, *solved)
    assert {id: verdict(id, found) for id in found} == dict.fromkeys(found, "supported")
    said = estimates.said_of_convergence(convergence)
    assert said["plain_steps"] == 4000 and said["network_late"] < 1e-5 < said["plain_last"]


@pytest.mark.parametrize(
    ("law", "expected"),
    [
        (lambda k, steps: np.exp(-k), "supported"),
        (lambda k, steps: np.exp(-k / 2), "refuted"),
        (lambda k, steps: np.exp(-2.0 * k), "refuted"),
        (lambda k, steps: 1 / np.maximum(steps, 1), "refuted"),
    ],
)
def test_networks_of_another_rate_are_refuted(convergence, solved, law, expected):
    table, deep = convergence.copy(), convergence["inner"] == 50
    own = table[deep]
    # Problems differ a little, as they do: equal ones leave an interval for what was never seen.
    apart = np.exp(1e-3 * own["problem"] * own["restarts"])
    table.loc[deep, "error"] = apart * law(own["restarts"], own["steps"])
    assert verdict("barriers-exponential", estimates.of_convergence(table, *solved)) == expected


def test_an_accelerated_method_is_not_of_order_one_over_k(convergence, solved):
    table, plain = convergence.copy(), convergence["inner"] == 0
    table.loc[plain, "error"] = table.loc[plain, "steps"] ** (-2 - 1e-3 * table["problem"])
    assert verdict("barriers-ergodic", estimates.of_convergence(table, *solved)) == "refuted"


def test_networks_without_a_threshold_or_a_wrong_solver_are_not_supported(convergence, solved):
    table, few = convergence.copy(), convergence["inner"] == 10
    table.loc[few, "error"] = np.exp(-table.loc[few, "restarts"])
    found = estimates.of_convergence(table, *solved)
    assert verdict("barriers-exponential", found) == "inconclusive"
    gaps, solvers = solved
    found = estimates.of_convergence(
        convergence, gaps.assign(excess=2 * gaps["bound"]),
        solvers.assign(firenet=solvers["squares"]),
    )  # fmt: skip
    assert verdict("barriers-gap", found) == "refuted"
    assert verdict("barriers-solver", found) == "refuted"


def test_the_barrier_and_who_stands_before_it(inexact, moves):
    found = estimates.of_barrier(inexact, barriers.certificates(), moves)
    assert {id: verdict(id, found) for id in found} == dict.fromkeys(found, "supported")
    worse = estimates.quotients(inexact)
    assert (worse["worse"] > 0.99).all()  # nobody does better than what nobody can avoid
    said = estimates.said_of_barrier(inexact)
    assert said["learnt_same"] < 0.3 and 1.7 < said["learnt_worse"] < 2.3


def test_a_method_that_decides_is_not_at_the_midpoint(inexact, moves):
    fake = inexact.copy()
    program = fake[fake["method"] == "linear program"]
    fake.loc[fake["method"] == "FIRENET", "error"] = program["error"].to_numpy()
    found = estimates.of_barrier(fake, barriers.certificates(), moves)
    assert verdict("barriers-midpoint", found) == "refuted"


def test_a_wrong_closed_form_and_a_depth_without_cost_are_refuted(inexact, moves):
    wrong = barriers.certificates().assign(gap=0.1)
    free = moves.assign(share=(moves["n"] < 4 + np.log2(moves["p"]) / 4) + 1e-9)
    found = estimates.of_barrier(inexact, wrong, free)
    assert verdict("barriers-minimisers", found) == "refuted"
    assert verdict("barriers-depth", found) == "refuted"
    with pytest.raises(ValueError, match="p = 50 crosses one half at no n"):
        estimates.doubling(moves[moves["n"] > 6])


def test_the_release_and_a_release_without_the_slip(inexact):
    table, indistinct = barriers.released(), barrier.indistinct(digits=6, precision=60)
    found = estimates.of_release(table, inexact, indistinct)
    assert {id: verdict(id, found) for id in found} == dict.fromkeys(found, "supported")
    assert indistinct == pytest.approx(math.sqrt(2))
    assert barrier.indistinct(digits=6, precision=30) == 0
    mended = table.assign(coded=table["corrected"])
    assert verdict("barriers-as-coded", estimates.of_release(mended, inexact, 1.0)) == "refuted"
    rounded = inexact.copy()
    rounded.loc[rounded["method"] == "FIRENET", "error"] *= 1.1
    assert verdict("barriers-precision", estimates.of_release(table, rounded, 1.0)) == "refuted"
    assert (
        verdict("barriers-precision", estimates.of_release(table, inexact, 0.0)) == "inconclusive"
    )
    np.testing.assert_allclose(table["corrected"], 1.5 * 10.0 ** -table["K"], rtol=1e-3)


def test_half_way_reads_the_last_fall():
    sparsity = np.array([1.0, 2.0, 4.0])
    assert barriers.half_way(sparsity, np.array([1.0, 0.75, 0.25])) == 3
    assert barriers.half_way(sparsity, np.array([1.0, 1.0, 0.6])) == 4
    assert barriers.half_way(sparsity, np.array([0.4, 0.1, 0.0])) == 0
    assert barriers.half_way(sparsity, np.array([0.4, 0.8, 0.2])) == 3


def test_the_transition_is_where_theory_puts_it():
    found = barriers.transition(unknowns=40, trials=3, inner=[20, 150])
    assert len(found) == 9 * barriers.GRID**2 and set(found["trial"]) == {0, 1, 2}
    every = barriers.borders(found, unknowns=40)
    middle = every[every["without"] == -1]
    middle = middle[middle["rows"].between(12, 32)]
    deep, shallow = (middle[middle["inner"] == p] for p in (150, 20))
    assert (deep["measured"] - deep["theory"]).abs().mean() < 0.05
    assert deep["measured"].mean() > shallow["measured"].mean()
    squares = middle[middle["inner"] == 0]
    assert (squares["measured"] == 0).all()
    table = estimates.transition_table(found, every)
    assert len(table) == 2 * barriers.GRID**2 and (table["inner"] > 0).all()
    said = estimates.said_of_transition(every)
    assert said["deep_off"] < said["shallow_off"]


def swept(rows, measured, *, inner):
    """Borders as `borders` gives them, nearly the same whichever of ten trials is left out."""
    theory = np.array([largest_sparsity(m / rows.max()) for m in rows])
    table = pd.DataFrame({"inner": inner, "rows": rows, "theory": theory})
    jitter = {without: 1e-4 * without for without in range(-1, 10)}
    return pd.concat(
        table.assign(without=without, measured=measured(theory) + by)
        for without, by in jitter.items()
    )


@pytest.mark.parametrize(
    ("deep", "squares", "expected"),
    [
        (1.0, 0.0, "supported"),
        (0.0, 0.0, "refuted"),
        (1.0, 1.0, "inconclusive"),  # a least squares that is as good leaves the claim undecided
    ],
)
def test_a_network_that_solves_nothing_or_everything_is_refuted(deep, squares, expected):
    rows = np.arange(5, 101, 5)
    found = pd.concat([
        swept(rows, lambda theory: deep * theory, inner=1),
        swept(rows, lambda theory: squares * theory, inner=0),
    ])  # fmt: skip
    assert verdict("barriers-transition", estimates.of_transition(found)) == expected


def test_the_interval_of_the_transition_is_over_trials():
    """Trials that agree leave a short one, however the distance varies with the measurements."""
    rows = np.arange(5, 101, 5)
    apart = swept(rows, lambda theory: theory**2, inner=1)
    found = estimates.of_transition(pd.concat([apart, apart.assign(inner=0)]))
    whole = apart[apart["without"] == -1]
    value = (whole["measured"] - whole["theory"]).abs().mean()
    (estimate, _) = found["barriers-transition"]
    assert estimate.value == pytest.approx(value) and estimate.high - estimate.low < 0.01


def test_all_claims_of_the_chapter_have_an_estimate(convergence, solved, inexact, moves):
    decoding = pd.concat(
        pd.DataFrame({"kind": kind, "noise": noise, "trace": 0.1, "seed": [0, 1], "point": 0,
                      "told": 1.0, "error": 0.1, "size": 1.0})
        for kind, noise in (("network", 0.0), ("network", 1.0), ("network, no detail", 0.0),
                            ("FIRENET", 0.0))
    )  # fmt: skip
    rows = np.arange(10, 101, 10)
    borders = pd.concat(
        pd.DataFrame({"inner": p, "rows": rows, "measured": 0.1, "theory": 0.2, "without": -1})
        for p in (0, 1)
    )
    tables = estimates.Tables(
        convergence, *solved, barriers.certificates(), inexact, barriers.released(), moves,
        decoding, borders, 1.0,
    )  # fmt: skip
    wanted = {id for id, claim in CLAIMS.items() if claim.chapter == "11_barriers"}
    assert set(estimates.estimates(tables)) == wanted
