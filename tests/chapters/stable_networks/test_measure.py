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
from falsestruct.problems.alternating import Points, on_one_scale
from falsestruct.theory import stable

CLAIMS = read_claims(Book(Path(__file__).parents[3]))
WIDTHS, SIZES = [4, 20], [5, 10, 20, 50]
RATIOS = [0.25, 4.0, 64.0]


# Training


def test_repeating_the_points_changes_nothing():
    alone = experiment.trained(8, [Points(5)], [0, 1], "label", 60)
    beside = experiment.trained(8, [Points(5), Points(20)], [0, 1], "label", 60)
    x = Points(20).inputs(Points(20).labels).numpy()
    for one, other in zip(alone, beside[:2], strict=True):
        assert other(x) == pytest.approx(one(x), abs=1e-3)


def test_without_a_second_input_it_is_ignored():
    network = experiment.trained(6, [Points(10)], [0], "zero", 50)[0]
    row = hand.measure(network, Points(10), 6)
    assert row["broken"] == 0 and row["accuracy"] == row["follows"] == pytest.approx(
        1 - row["reads"]
    )
    assert (network.weights[0][:, 1] == 0).all()


def test_a_small_step_from_the_stable_network_changes_no_label():
    table = experiment.started([6, 12], seeds=[1, 2], steps=1)
    assert len(table) == 2 * 2 * len(experiment.STARTS) * len(experiment.RATES)
    kept = table[(table["start"] != "random") & (table["rate"] == min(experiment.RATES))]
    assert (kept["broken"] == 0).all() and (kept["follows"] == 1).all()
    assert (table["width"] == table["r"] - 2).all() and (kept["slack"] == 0).all()
    assert (table[table["start"] == "random"]["follows"] < 1).all()


def test_training_leaves_the_stable_network_only_with_a_second_input():
    table = experiment.started([6, 12], seeds=range(15), steps=400)
    means = table.groupby(["start", "ratio", "rate"])[["broken", "follows"]].mean()
    assert (means.loc[("explicit", 0.0), "broken"] > 0.6).all()
    assert (means.loc["alone", "follows"] == 1).all()
    said = found.start_estimates(table)
    assert judge(CLAIMS["stable-left"], *said["stable-left"]) == "supported"


def starts(**shares):
    """What `started` gives, with the share broken of each start and scale; nothing wrong."""
    return pd.DataFrame(
        {"start": start, "ratio": ratio, "rate": rate, "r": r, "seed": seed, "follows": 1.0}
        | {"broken": abs(shares.get(f"{start}_{'faint' if ratio else 'usual'}", 0.0) - off)}
        for start, ratio in experiment.STARTS
        for rate in experiment.RATES
        for r in (6, 12)
        for seed in range(20)
        for off in [seed % 2 / 50 * (start == "random")]
    )


@pytest.mark.parametrize(
    ("shares", "verdicts"),
    [
        # What one would see if training kept what it is given.
        (
            {"random_usual": 1.0, "random_faint": 1.0},
            ("refuted", "refuted", "inconclusive", "inconclusive"),
        ),
        # If it forgot where it began.
        (
            dict.fromkeys(
                ("explicit_usual", "explicit_faint", "random_usual", "random_faint"), 0.9
            ),
            ("supported", "supported", "supported", "refuted"),
        ),
        # If only a hint as large as the other input could draw it away.
        (
            {"explicit_usual": 0.9, "random_usual": 0.9, "random_faint": 0.9},
            ("supported", "refuted", "refuted", "supported"),
        ),
    ],
)
def test_worlds_of_starts(shares, verdicts):
    said = found.start_estimates(starts(**shares))
    names = ("stable-left", "stable-left-faint", "stable-left-faint-slow", "stable-start")
    assert tuple(judge(CLAIMS[id], *said[id]) for id in names) == verdicts


@pytest.mark.parametrize(("ratio", "id"), [(0.0, "stable-left"), (0.25, "stable-left-faint")])
def test_a_rate_that_ruins_the_network_by_itself_decides_nothing_on_that_scale(ratio, id):
    table = starts(explicit_usual=0.9, explicit_faint=0.9)
    ruined = (table["start"] == "alone") & (table["rate"] == max(experiment.RATES))
    ruined &= table["ratio"] == ratio
    said = found.start_estimates(table.assign(follows=1.0 - 0.6 * ruined))
    other = {"stable-left": "stable-left-faint", "stable-left-faint": "stable-left"}[id]
    assert judge(CLAIMS[id], *said[id]) == "inconclusive"
    assert judge(CLAIMS[other], *said[other]) == "supported"


def test_sizes_that_don_t_divide_are_refused():
    with pytest.raises(ValueError, match=r"\[6, 20\]; expected divisors"):
        experiment.trained(8, [Points(6), Points(20)], [0], "label", 1)


def test_training_with_the_second_input_takes_it_and_is_broken():
    table = experiment.phase([10], [[10, 20]], second="label", seeds=range(3), steps=400)
    assert (table["accuracy"] == 1).all() and (table["broken"] >= 0.9).all()
    assert table[["width", "r", "seed"]].drop_duplicates().shape == (6, 3)
    assert set(table["second"]) == {"label"}


def test_no_trained_network_has_negative_slack():
    for second in ("label", "zero", "random"):
        table = experiment.phase([3, 8], [[10, 20]], second=second, seeds=[0, 1], steps=100)
        assert (table["slack"] >= 0).all()


def test_scales_have_a_row_for_each_ratio_and_know_their_distance():
    table = experiment.scales(10, [10], [0.25, 64.0], seeds=[0, 1], steps=1500)
    assert table["ratio"].tolist() == [0.0, 0.0, 0.25, 0.25, 64.0, 64.0]
    assert (table["relative"][2:4] < 0.5).all() and (table["relative"][4:] > 5).all()
    assert (table["broken"][:2] == 0).all()


def test_biases_that_are_drawn_begin_as_those_of_a_third_input():
    case = on_one_scale(10, 0.25, even=True)
    flat, drawn = (
        experiment.trained(12, [case], [3], "label", 1, biased=flag)[0] for flag in (False, True)
    )
    assert np.abs(flat.biases[0]).max() < 0.02 < np.abs(drawn.biases[0]).max()
    assert drawn.weights[0].shape == (12, 2)


def test_even_points_are_told_from_crowded_ones():
    table = experiment.apart([4], seeds=[5, 6], steps=20)
    assert table.groupby(["second", "even", "r"]).size().tolist() == [2] * 8
    zero = table[table["second"] == "zero"]
    assert (zero["broken"] == 0).all()
    even, crowded = (
        experiment.trained(4, [Points(10, even=flag)], [5], "label", 20)[0]
        for flag in (True, False)
    )
    x = Points(10, even=True).inputs(Points(10).labels).numpy()
    assert not np.allclose(even(x), crowded(x))


# Worlds whose answer is known


def world(build, *, without=None, even=None) -> found.Tables:
    """Networks built by hand in place of trained ones, and copies, so that there are intervals."""
    cases = [Points(r) for r in SIZES]

    def copies(table: pd.DataFrame) -> pd.DataFrame:
        return pd.concat([table.assign(seed=seed) for seed in range(40)], ignore_index=True)

    free = copies(hand.by_hand(without or build, WIDTHS, cases))
    coins = hand.by_hand(lambda _, case: hand.explicit(case), WIDTHS, cases)
    coins = copies(coins[found.within(coins)])  # elsewhere the explicit network is too large
    apart, scaled, able = [], [], []
    for flag, kept, width, sizes in ((True, able, 80, [10]), (False, scaled, 20, [10, 20])):
        places = [Points(r, even=flag) for r in (10, 20)]
        alone = even if flag and even else without or build
        for ratio in (0.0, *RATIOS):
            for case in (on_one_scale(r, ratio or 0.25, even=flag) for r in sizes):
                made = build if ratio else alone
                relative = hand.relative_distance(made(width, case), case)
                rows = copies(hand.by_hand(made, [width], [case]))
                kept.append(rows.assign(ratio=ratio, relative=relative))
        for second, made in (("label", build), ("zero", alone)):
            rows = copies(hand.by_hand(made, [20, 80], places))
            apart.append(rows.assign(second=second, even=flag))
    taken = copies(hand.by_hand(build, WIDTHS, cases))
    return found.Tables(taken, free, coins, *map(pd.concat, (scaled, apart, able)))


def few(_, case):
    """Follows the five largest points only; evenly spaced ones by a rule that is as bad."""
    if case.even:
        return hand.placed(stable.through(case.exact[:5]), case)
    return hand.placed(stable.truncated(case.r, 3), case)


def able(_, case):
    """Right on ten points, and on more of them as `few`."""
    return hand.explicit(case) if case.r == 10 else few(_, case)


def verdicts(tables: found.Tables) -> dict[str, str]:
    pairs = found.estimates(tables) | found.count_estimates(tables, cases=4)
    return {id.removeprefix("stable-"): judge(CLAIMS[id], *pair) for id, pair in pairs.items()}


def test_followers_of_the_first_input_refute_the_claims_on_the_second():
    said = verdicts(world(lambda _, case: hand.explicit(case)))
    wrong = "taken-within changeover broken weaker unused not-found single able even-not-found"
    for id in wrong.split():
        assert said[id] == "refuted", id
    assert said["radius"] == "inconclusive"  # its control needs the other structure to win


def test_followers_of_the_second_input_support_them():
    said = verdicts(world(lambda _, case: hand.second_input(case), without=few, even=able))
    # Where points crowd, nobody could have followed the first input.
    assert said.pop("blind") == "inconclusive"
    assert said.pop("changeover") == "refuted"
    assert said.pop("single") == "refuted"  # each vector breaks the points of one label
    assert said.pop("unused") == "refuted"  # one in five widths uses four of its five changes
    assert set(said.values()) == {"supported"}, said


def test_where_even_points_are_no_easier_crowding_explains_nothing():
    said = verdicts(world(lambda _, case: hand.second_input(case), without=few))
    assert said["crowding"] == "refuted"
    assert said["able"] == "inconclusive"  # nobody could have followed the first input


def test_blindness_is_seen_where_networks_could_follow_the_first_input():
    def explicit(_, case):
        return hand.explicit(case)

    said = verdicts(world(lambda _, case: hand.second_input(case), without=explicit))
    assert said["blind"] == said["blind-even"] == "supported"


def test_what_chance_makes_of_crowding_is_told_from_it():
    rows = [
        {"second": "zero", "width": 80, "r": 10, "even": even, "seed": seed}
        | {"follows": 1.0 if even or seed % 2 == 0 else 0.9}
        for even in (True, False)
        for seed in range(20)
    ]
    pair = found._uncrowded(pd.DataFrame(rows))
    assert [each.value for each in pair] == [0.5, 1.0] and pair[1].n == 10
    assert judge(CLAIMS["stable-crowding"], *pair) == "inconclusive"


def test_networks_that_one_vector_breaks():
    said = verdicts(world(lambda _, case: hand.bump(case), without=few, even=able))
    assert said["single"] == "supported" and said["broken"] == "supported"


def test_networks_that_change_over_at_the_line_are_told_from_both():
    said = verdicts(world(hand.where_possible))
    assert said["changeover"] == "supported"
    assert said["taken-within"] == "refuted" and said["broken"] != "supported"


def test_networks_that_take_what_is_more_stable_refute_blindness():
    def stabler(_, case):
        second = 2 * case.strength > case.gap
        return hand.second_input(case) if second else hand.explicit(case)

    said = verdicts(world(stabler, without=lambda _, case: hand.explicit(case)))
    for id in ("blind", "blind-even", "weaker", "able"):
        assert said[id] == "refuted", id


def test_untrained_networks_support_nothing_about_the_second_input():
    def untrained(width, case):
        rng = np.random.default_rng(width + case.r)
        return Dense(
            (rng.normal(size=(width, 2)), rng.normal(size=(1, width))),
            (rng.normal(size=width), rng.normal(size=1)),
        )

    said = verdicts(world(untrained))
    for id in ("taken-within", "changeover", "broken", "not-found", "able", "crowding", "single"):
        assert said[id] != "supported", id


def test_coins_in_training_support_nothing_about_the_second_input():
    options = {"seeds": range(4), "steps": 300}
    free, zero = (
        experiment.phase([20], [[10, 20]], second=second, **options)
        for second in ("random", "zero")
    )
    scaled = pd.concat(
        table.assign(ratio=ratio, relative=1.0)
        for ratio, table in ((0.0, zero), (0.25, free), (4.0, free), (64.0, free))
    )
    apart = experiment.apart([20], **options)
    tables = found.Tables(free, zero, free, scaled, apart, scaled[scaled["r"] == 10])
    said = verdicts(tables)
    for id in (
        "taken-within", "changeover", "broken", "not-found", "weaker", "blind", "radius", "able",
    ):  # fmt: skip
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
    assert len(found.shares(tables)) == 3 * len(RATIOS) * 3


def test_the_plane_has_both_networks_right():
    table = found.plane(6, 6, 0.25, 300)
    points = table[table["what"] == "point"]
    assert points.groupby("panel").size().tolist() == [6, 6]
    assert points["x2"].tolist() == points["value"].tolist()


def test_said_are_finite_numbers():
    tables = world(hand.where_possible)
    said = found.said(tables)
    assert said["within_more"] == 0 and said["solved_first"] == 1
    assert (said["even_right"], said["crowded_narrow"], said["even_weak"]) == (1, 1, 0)
    assert (said["narrow_spaced"], said["widest_spaced"], said["even_faint"]) == (20, 80, 0)
    assert said["tight_alone"] == 1
    assert said["even_more_right"] == said["even_more_tried"] == 80
    said |= found.said_of_starts(starts(explicit_faint=0.25))
    assert said["broken_explicit_faint_slow"] == 0.25 and said["wrong_alone_usual_fast"] == 0
    assert all(np.isfinite(value) for value in said.values())
