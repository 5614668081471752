"""Chapter 11's experiments, small, and its estimates in worlds where the answer is known."""

import math

import numpy as np
import pandas as pd
import pytest

from falsestruct.chapters.barriers import evidence as estimates
from falsestruct.chapters.barriers import measure as barriers
from falsestruct.press.notebook import claims
from falsestruct.press.paths import find_book
from falsestruct.theory import barrier, oracle, pairs, recovery, released

CLAIMS = claims.read_claims(find_book())


def verdict(id, found):
    return claims.judge(CLAIMS[id], *found[id])


@pytest.fixture(scope="module")
def convergence():
    return barriers.convergence(count=3, inner=[10, 50], last_of=[50])


@pytest.fixture(scope="module")
def fresh():
    every = estimates.EVERY
    return barriers.convergence(count=5, inner=every, last_of=every, layers=250, seed=1)


@pytest.fixture(scope="module")
def solved():
    return barriers.gaps(count=2, looks=(1, 10, 100, 1000)), barriers.solvers(count=2)


@pytest.fixture(scope="module")
def readers():
    return oracle.table(60), oracle.promises(range(2, 5), 12)


@pytest.fixture(scope="module")
def uneven():
    return pairs.table(20, first=1)


@pytest.fixture(scope="module")
def weights():
    return barriers.weights(unknowns=80, trials=12)


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
    table, deep = convergence.copy(), (convergence["inner"] == 50) & ~convergence["last"]
    own = table[deep]
    # Problems differ a little, as they do: equal ones leave an interval for what was never seen.
    apart = np.exp(1e-3 * own["problem"] * own["restarts"])
    table.loc[deep, "error"] = apart * law(own["restarts"], own["steps"])
    assert verdict("barriers-exponential", estimates.of_convergence(table, *solved)) == expected


def test_an_accelerated_method_is_not_of_order_one_over_k(convergence, solved):
    table, plain = convergence.copy(), (convergence["inner"] == 0) & ~convergence["last"]
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


def test_last_steps_are_nearer_and_restarts_must_come_as_often_as_they_should(fresh):
    found = estimates.of_last(fresh)
    assert {id: verdict(id, found) for id in found} == dict.fromkeys(found, "supported")
    said = estimates.said_of_last(fresh)
    assert said["often_same"] < said["last_same"] < said["nearer_same"] < said["network_same"]
    *rows, none = estimates.restart_rows(fresh)
    assert [row[:2] for row in rows[3:]] == [
        ["18", "252"],
        ["20", "240"],
        ["25", "250"],
        ["50", "250"],
    ]
    assert float(rows[4][2]) == pytest.approx(said["twenty_same"], rel=0.5)
    assert none[:2] == ["none", "250"] and float(none[4]) < float(none[2])


def test_last_steps_that_are_means_or_gain_by_restarts_are_refuted(fresh):
    def exchanged(inner, last, error):
        table = fresh.copy()
        own = (table["inner"] == inner) & (table["last"] == last)
        table.loc[own, "error"] = error * (1 + 1e-2 * table.loc[own, "problem"])
        found = estimates.of_last(table)
        return {id: verdict(id, found) for id in found}

    assert exchanged(0, True, 0.1)["barriers-last"] == "refuted"
    assert exchanged(50, True, 1e-9)["barriers-restarted-last"] == "refuted"
    assert exchanged(18, True, 1e-2)["barriers-restarted-often"] == "refuted"
    assert exchanged(20, False, 1e-3)["barriers-restarted-means"] == "refuted"
    assert exchanged(10, False, 1e-9)["barriers-restarted-means"] == "inconclusive"
    assert exchanged(0, False, 1e-9)["barriers-last"] == "inconclusive"


def test_readers_keep_the_bound_and_their_promises(readers):
    found = estimates.of_readers(*readers)
    assert {id: verdict(id, found) for id in found} == dict.fromkeys(found, "supported")


def test_readers_that_know_more_or_promise_too_much_are_refuted(readers):
    table, promises = readers
    own = table["reader"] == "geometric"
    seeing = table.assign(over=table["over"].where(~own, 0.1))
    assert verdict("barriers-no-fixed-chance", estimates.of_readers(seeing, promises)) == "refuted"
    late = table.assign(excess=table["excess"].where(~own, 0.0))
    assert verdict("barriers-stopping", estimates.of_readers(late, promises)) == "refuted"
    fewer = promises.assign(patient=10 * promises["patient"])
    assert verdict("barriers-digits", estimates.of_readers(table, fewer)) == "refuted"


def test_on_uneven_pairs_firenet_is_not_at_the_midpoint(uneven):
    found = estimates.of_pairs(uneven)
    assert {id: verdict(id, found) for id in found} == dict.fromkeys(found, "supported")


def test_who_answers_the_midpoint_of_uneven_pairs_is_refuted(uneven):
    noise = 1 + 1e-3 * np.arange(len(uneven))
    found = estimates.of_pairs(uneven.assign(quotient=uneven["middle"] * noise))
    assert {verdict(id, found) for id in found} == {"refuted"}


def test_weights_help_where_the_columns_are_many(weights):
    found = estimates.of_weights(weights)
    assert {id: verdict(id, found) for id in found} == dict.fromkeys(found, "supported")
    said = estimates.said_of_weights(weights)
    assert said["solved_usual"] <= said["solved_deep"] < said["solved_light"]
    assert 0 < said["missed_blocked"] <= said["missed_less"] <= 1


def test_depth_that_helps_as_much_is_refuted(weights):
    deep = weights.copy()
    own = (deep["lam"] == 0.05) & (deep["inner"] == 800)
    deep.loc[own, "solved"] = 0.9 + 1e-3 * deep.loc[own, "trial"]
    assert verdict("barriers-weight", estimates.of_weights(deep)) == "refuted"
    converging = weights.assign(less=0.1 + 1e-3 * weights["trial"])
    assert verdict("barriers-weight-misses", estimates.of_weights(converging)) == "refuted"


def test_the_barrier_and_who_stands_before_it(inexact, moves):
    found = estimates.of_barrier(inexact, released.certificates(), moves)
    assert {id: verdict(id, found) for id in found} == dict.fromkeys(found, "supported")
    worse = estimates.quotients(inexact)
    assert (worse["worse"] > 0.99).all()  # nobody does better than what nobody can avoid
    said = estimates.said_of_barrier(inexact)
    assert said["learnt_same"] < 0.3 and 1.7 < said["learnt_worse"] < 2.3


def test_a_method_that_decides_is_not_at_the_midpoint(inexact, moves):
    fake = inexact.copy()
    program = fake[fake["method"] == "linear program"]
    fake.loc[fake["method"] == "FIRENET", "error"] = program["error"].to_numpy()
    found = estimates.of_barrier(fake, released.certificates(), moves)
    assert verdict("barriers-midpoint", found) == "refuted"


def test_a_wrong_closed_form_and_a_depth_without_cost_are_refuted(inexact, moves):
    wrong = released.certificates().assign(gap=0.1)
    free = moves.assign(share=(moves["n"] < 4 + np.log2(moves["p"]) / 4) + 1e-9)
    found = estimates.of_barrier(inexact, wrong, free)
    assert verdict("barriers-minimisers", found) == "refuted"
    assert verdict("barriers-depth", found) == "refuted"


def test_the_release_and_a_release_without_the_slip(inexact):
    table, indistinct = released.table(), barrier.indistinct(digits=6, precision=60)
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


def test_the_transition_is_where_theory_puts_it():
    found = barriers.transition(unknowns=40, trials=3, inner=[20, 150])
    assert len(found) == 9 * barriers.GRID**2 and set(found["trial"]) == {0, 1, 2}
    every = recovery.borders(found, unknowns=40)
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
    theory = np.array([recovery.largest_sparsity(m / rows.max()) for m in rows])
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


@pytest.fixture(scope="module")
def judged(fresh, readers, uneven, weights):
    return (
        estimates.of_last(fresh), estimates.of_readers(*readers), estimates.of_pairs(uneven),
        estimates.of_weights(weights),
    )  # fmt: skip


def test_all_claims_of_the_chapter_have_an_estimate(convergence, solved, inexact, moves, judged):
    decoding = pd.concat(
        pd.DataFrame({"kind": kind, "noise": noise, "trace": 0.1, "seed": [0, 1], "point": 0,
                      "told": 1.0, "error": 0.1, "size": 1.0, "steep": [1.0, 2.0]})
        for kind, noise in (("network", 0.0), ("network", 1.0), ("network, no detail", 0.0),
                            ("FIRENET", 0.0))
    )  # fmt: skip
    rows = np.arange(10, 101, 10)
    borders = pd.concat(
        pd.DataFrame({"inner": p, "rows": rows, "measured": 0.1, "theory": 0.2, "without": -1})
        for p in (0, 1)
    )
    parts = (
        *judged, estimates.of_convergence(convergence, *solved),
        estimates.of_barrier(inexact, released.certificates(), moves),
        estimates.of_release(released.table(), inexact, 1.0), estimates.of_decoders(decoding),
        estimates.of_transition(borders),
    )  # fmt: skip
    wanted = {id for id, claim in CLAIMS.items() if claim.chapter == "11_barriers"}
    assert {id for part in parts for id in part} == wanted
