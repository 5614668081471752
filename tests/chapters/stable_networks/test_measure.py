"""Chapter 10: measuring, training, and the verdicts in worlds whose answer is known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from falsestruct.chapters.stable_networks import evidence as found
from falsestruct.chapters.stable_networks import measure as experiment
from falsestruct.instability import alternating as hand
from falsestruct.instability.exact import Dense
from falsestruct.press.notebook.claims import judge, read_claims
from falsestruct.press.paths import Book
from falsestruct.problems.alternating import Points, on_one_scale, standardised
from falsestruct.theory import stable

CLAIMS = read_claims(Book(Path(__file__).parents[3]))
WIDTHS, SIZES = [4, 20], [5, 10, 20, 50]
RATIOS = [0.25, 4.0, 64.0]


# The points


# Measuring


@pytest.mark.parametrize("r", [5, 10, 50, 200])
def test_the_explicit_network_survives_and_uses_all_it_can(r):
    row = experiment.measure(hand.explicit(Points(r)), Points(r), r - 2)
    assert row | {"pieces": r - 1, "crossings": r - 1} == row
    assert (row["accuracy"], row["broken"], row["reads"], row["follows"]) == (1, 0, 0, 1)
    assert row["slack"] == 0


def test_the_second_input_s_rule_is_broken_everywhere():
    row = experiment.measure(hand.second_input(Points(10, 0.01)), Points(10, 0.01), 1)
    assert (row["accuracy"], row["broken"], row["reads"], row["follows"]) == (1, 1, 1, 0.5)
    assert (row["pieces"], row["crossings"], row["slack"]) == (1, 0, 10 - 7)


def test_a_mixture_gets_its_share():
    # x₁'s rule on the largest points, and x₂'s to their left: the sum of both, one of them flat.
    points, half = Points(10), stable.midpoints(10)[4]
    _, mean, spread = standardised(10)
    left = Dense(
        (np.array([[-1.0, 0.0], [0.0, 1.0]]), np.array([[1e6, 1.0]])),
        (np.array([(float(half) - mean) / spread, 1.0]), np.array([-1.0])),
    )
    row = experiment.measure(left, points, 2)
    # Left of the middle always 1; right of it as x₂ says: five points.
    assert row["broken"] == 0.5 and row["accuracy"] == 0.5 + 0.2


# Training


def test_repeating_the_points_changes_nothing():
    alone = experiment.trained(8, [Points(5)], [0, 1], "label", 60)
    beside = experiment.trained(8, [Points(5), Points(20)], [0, 1], "label", 60)
    x = Points(20).inputs(Points(20).labels).numpy()
    for one, other in zip(alone, beside[:2], strict=True):
        assert other(x) == pytest.approx(one(x), abs=1e-3)


def test_without_a_second_input_it_is_ignored():
    network = experiment.trained(6, [Points(10)], [0], "zero", 50)[0]
    row = experiment.measure(network, Points(10), 6)
    assert row["broken"] == 0 and row["accuracy"] == row["follows"] == pytest.approx(
        1 - row["reads"]
    )
    assert (network.weights[0][:, 1] == 0).all()


def test_no_steps_from_the_stable_network_change_nothing():
    for ratio in (None, 0.25):
        table = experiment.from_stable([6, 12], ratio=ratio, seeds=2, steps=0)
        assert (table["broken"] == 0).all() and (table["follows"] == 1).all()
        assert table["slack"].tolist() == [0] * 4


def test_seeds_draw_the_weights_of_the_start_and_not_its_function():
    data = Points(12).training_set("label", 0)
    one, other = experiment._descend(hand.explicit(Points(12)), data, seeds=2, steps=0)
    x = data[0].numpy()
    assert np.abs(one(x)).min() == pytest.approx(1)
    assert other(x) == pytest.approx(one(x), rel=1e-9)
    assert not np.allclose(one.weights[0], other.weights[0])


def test_training_leaves_the_stable_network_only_with_a_second_input():
    options = {"seeds": 15, "steps": 300}
    left = experiment.from_stable([6, 12], **options)
    kept = experiment.from_stable([6, 12], second="zero", **options)
    faint = experiment.from_stable([6, 12], ratio=0.25, **options)
    assert (
        (left["broken"] >= 0.5).all()
        and left["broken"].mean() > 0.6
        and (kept["follows"] == 1).all()
    )
    said = found.start_estimates(left, kept, faint)
    assert judge(CLAIMS["stable-left"], *said["stable-left"]) == "supported"
    same = found.start_estimates(kept, kept, kept)
    assert all(judge(CLAIMS[id], *pair) == "refuted" for id, pair in same.items())


def test_sizes_that_don_t_divide_are_refused():
    with pytest.raises(ValueError, match=r"\[6, 20\]; expected divisors"):
        experiment.trained(8, [Points(6), Points(20)], [0], "label", 1)


def test_training_with_the_second_input_takes_it_and_is_broken():
    table = experiment.phase([10], [[10, 20]], second="label", seeds=3, steps=400)
    assert (table["accuracy"] == 1).all() and (table["broken"] >= 0.9).all()
    assert table[["width", "r", "seed"]].drop_duplicates().shape == (6, 3)
    assert set(table["second"]) == {"label"}


def test_no_trained_network_has_negative_slack():
    for second in ("label", "zero", "random"):
        table = experiment.phase([3, 8], [[10, 20]], second=second, seeds=2, steps=100)
        assert (table["slack"] >= 0).all()


def test_scales_have_a_row_for_each_ratio_and_know_their_distance():
    table = experiment.scales(10, [10], [0.25, 64.0], seeds=2, steps=1500)
    assert table["ratio"].tolist() == [0.25, 0.25, 64.0, 64.0]
    assert (table["relative"][:2] < 0.5).all() and (table["relative"][2:] > 5).all()


# Worlds whose answer is known


def world(build, *, without=None) -> found.Tables:
    """Networks built by hand in place of trained ones, and copies, so that there are intervals."""
    cases = [Points(r) for r in SIZES]

    def copies(table: pd.DataFrame) -> pd.DataFrame:
        return pd.concat([table.assign(seed=seed) for seed in range(40)], ignore_index=True)

    free = copies(experiment.by_hand(without or build, WIDTHS, cases))
    coins = experiment.by_hand(lambda _, case: hand.explicit(case), WIDTHS, cases)
    coins = copies(coins[found.within(coins)])  # elsewhere the explicit network is too large
    scaled = []
    for ratio in RATIOS:
        for case in (on_one_scale(r, ratio) for r in (10, 20)):
            relative = hand.relative_distance(build(20, case), case)
            rows = copies(experiment.by_hand(build, [20], [case]))
            scaled.append(rows.assign(ratio=ratio, relative=relative))
    taken = copies(experiment.by_hand(build, WIDTHS, cases))
    return found.Tables(taken, free, coins, pd.concat(scaled, ignore_index=True))


def few(_, case):
    """Follows the five largest points only."""
    return hand.placed(stable.truncated(case.r, 3), case)


def verdicts(tables: found.Tables) -> dict[str, str]:
    pairs = found.estimates(tables) | found.count_estimates(tables, cases=4)
    return {id.removeprefix("stable-"): judge(CLAIMS[id], *pair) for id, pair in pairs.items()}


def test_followers_of_the_first_input_refute_the_claims_on_the_second():
    said = verdicts(world(lambda _, case: hand.explicit(case)))
    for id in ("taken-within", "changeover", "broken", "weaker", "unused", "not-found"):
        assert said[id] == "refuted", id
    assert said["radius"] == "inconclusive"  # its control needs the other structure to win


def test_followers_of_the_second_input_support_them():
    said = verdicts(world(lambda _, case: hand.second_input(case), without=few))
    assert said.pop("changeover") == "refuted"
    assert said.pop("unused") == "refuted"  # one in five widths uses four of its five changes
    assert set(said.values()) == {"supported"}, said


def test_networks_that_change_over_at_the_line_are_told_from_both():
    said = verdicts(world(hand.where_possible))
    assert said["changeover"] == "supported"
    assert said["taken-within"] == "refuted" and said["broken"] != "supported"


def test_networks_that_take_what_is_more_stable_refute_blindness():
    def stabler(_, case):
        second = 2 * case.strength > case.gap
        return hand.second_input(case) if second else hand.explicit(case)

    said = verdicts(world(stabler, without=few))
    assert said["blind"] == "refuted" and said["weaker"] == "refuted"


def test_untrained_networks_support_nothing_about_the_second_input():
    def untrained(width, case):
        rng = np.random.default_rng(width + case.r)
        return Dense(
            (rng.normal(size=(width, 2)), rng.normal(size=(1, width))),
            (rng.normal(size=width), rng.normal(size=1)),
        )

    said = verdicts(world(untrained))
    for id in ("taken-within", "changeover", "broken", "not-found"):
        assert said[id] != "supported", id


def test_coins_in_training_support_nothing_about_the_second_input():
    free = experiment.phase([20], [[10, 20]], second="random", seeds=4, steps=300)
    zero = experiment.phase([20], [[10, 20]], second="zero", seeds=4, steps=300)
    scaled = free.assign(ratio=0.25, relative=1.0)
    more = free.assign(ratio=64.0, relative=1.0)
    tables = found.Tables(free, zero, free, pd.concat([scaled, more], ignore_index=True))
    said = verdicts(tables)
    for id in ("taken-within", "changeover", "broken", "not-found", "weaker", "blind", "radius"):
        assert said[id] != "supported", id


def test_a_violation_of_the_theorem_would_be_seen():
    tables = world(lambda _, case: hand.explicit(case))
    assert verdicts(tables)["tradeoff"] == "refuted"  # explicit networks are wider than stated
    honest = world(hand.where_possible)
    assert verdicts(honest)["tradeoff"] == "supported"


# Tables and numbers for the page


def test_the_page_s_tables():
    tables = world(hand.where_possible)
    grid = found.cells(tables)
    assert len(grid) == 3 * len(WIDTHS) * len(SIZES)
    assert set(found.used(tables)["what"]) == {"pieces", "crossings"}
    points = found.wrong_or_broken(tables, 20)
    assert points["bound"].unique() == pytest.approx(1 - 22 / 50)
    own = points[points["kind"] == "built by hand"]
    assert own[["wrong", "broken"]].to_numpy().tolist() == [[0, 0]]
    assert len(found.shares(tables.scaled)) == 3 * len(RATIOS) * 2


def test_the_plane_has_both_networks_right():
    table = found.plane(6, 6, 0.25, 300)
    points = table[table["what"] == "point"]
    assert points.groupby("panel").size().tolist() == [6, 6]
    assert points["x2"].tolist() == points["value"].tolist()


def test_said_are_finite_numbers():
    tables = world(hand.where_possible)
    said = found.said(tables)
    assert said["networks"] == sum(map(len, tables.all))
    assert said["within_more"] == 0 and said["solved_first"] == 1
    assert all(np.isfinite(value) for value in said.values())
