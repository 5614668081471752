"""Chapter 12's experiments, small, and its claims in worlds whose answer is known."""

from random import Random

import numpy as np
import pandas as pd
import pytest
import torch

from falsestruct.chapters.artifacts import evidence, measure
from falsestruct.chapters.artifacts import figures as plots
from falsestruct.evidence import cells, spread, where
from falsestruct.instability import linear
from falsestruct.press.notebook.claims import judge, read_claims
from falsestruct.press.notebook.figures import STYLES, draw
from falsestruct.press.paths import find_book
from falsestruct.problems import waves
from tests.worlds import artifacts as world

CLAIMS = {id: c for id, c in read_claims(find_book()).items() if c.chapter == "12_artifacts"}
SMALL = measure.school(3, images=200, teach=60, learn=60, ascent=5)


def verdicts(found):
    return {id.removeprefix("artifacts-"): judge(CLAIMS[id], *pair) for id, pair in found.items()}


def test_every_claim_is_measured_or_counted():
    counted = evidence.proved(20)
    assert set(verdicts(counted).values()) == {"supported"}
    known = {id for id, claim in CLAIMS.items() if claim.kind != "measured"}
    assert known == {*counted, "artifacts-planted-captured"}


# Waves


def test_networks_that_go_by_periods_are_right_in_the_slow_world_only():
    assert verdicts(world.wave_world(world.ALIASES, world.seen_at(59.5))) == {
        "instrument": "supported",
        "second-instrument": "supported",
    }


def test_networks_that_know_the_fast_waves_refute_it_and_those_that_guess_settle_nothing():
    knowing = world.wave_world(world.seen_at(59.5), world.seen_at(59.5, 59.0))
    assert set(verdicts(knowing).values()) == {"refuted"}
    guess = ((7.0,), (9.0,))
    assert set(verdicts(world.wave_world(guess, guess)).values()) == {"inconclusive"}


def test_at_the_exchanging_rate_success_in_the_two_worlds_adds_up_to_one():
    how = world.school(world.knows_the_waves(world.ALIASES))
    table = measure.waves(how, samples=20, rates=[59.0, 64.0])
    fast, slow = (where(table, world=w).set_index(["rate", "seed"])["accuracy"] for w in ("fast", "slow"))  # fmt: skip # noqa: E501
    assert (fast[64.0] == slow[64.0]).all()
    assert (fast[59.0] + slow[59.0]).tolist() == pytest.approx([1.0] * 20, abs=0.02)
    assert fast[59.0].max() < 0.1


def test_trained_networks_are_right_at_their_own_rate():
    how = measure.school(2, learn=200)
    table = measure.waves(how, samples=500, rates=[64.0])
    assert table["seed"].tolist() == [1000, 1001] * 2
    assert (table["accuracy"] > 0.8).all()


def test_the_pictures_meet_at_the_usual_rate_only():
    table = waves.pictures([64.0, 59.5])
    marks = table[table["what"] == "sample"]
    for rate, apart in (("64", 0.0), ("59.5", 0.5)):
        fast, slow = (marks[(marks["panel"] == rate) & (marks["world"] == w)] for w in ("fast", "slow"))  # fmt: skip # noqa: E501
        gap = np.abs(fast["value"].to_numpy() - slow["value"].to_numpy()).max()
        assert gap > apart if apart else gap < 1e-4
    moved = [waves.moved_by(rate, measure.generator(1)) for rate in (64.0, 59.5)]
    assert moved[0] == 0 and moved[1] > 1


# Lessons


def test_targets_are_as_many_of_each_distance_and_the_next_one():
    _, y = SMALL.train()
    targets, eta = measure.attacked(SMALL, "any", 0.5)
    assert eta.shape == (3, 200, 8, 8)
    for own in targets:
        assert ((own - y) % 10).bincount().tolist() == [20] * 10
    assert not torch.equal(targets[0], targets[1])
    assert torch.equal(measure.attacked(SMALL, "next", 0.5)[0][2], (y + 1) % 10)


@pytest.fixture(scope="module")
def lessons():
    return measure.lessons(SMALL, [0.5, 1.0])


def test_the_strip_shows_one_digit_at_the_norms_that_it_names():
    table = measure.strip(SMALL).set_index(["panel", "row", "column"])["value"].unstack([1, 2])
    gap = (table - table.loc["clean"]).pow(2).sum(axis=1).pow(0.5)
    assert gap["attack, 0.5"] <= 0.5 + 1e-6 < gap["attack, 1"] <= 1 + 1e-6
    assert gap["leak only, 1"] == pytest.approx(1) and len(table) == len(measure.STRIP)


def test_lessons_have_the_images_that_they_should(lessons):
    sizes = lessons.groupby(["targets", "lesson"])["images"].unique()
    assert sizes["all ten", "attack"] == 200 and sizes["wrong only", "noise"] == 180
    assert (sizes["all ten", "kept"] <= 24).all() and sizes["next", "twin"] == 200
    assert len(lessons) == 3 * 12 * 2
    assert lessons["accuracy"].tolist() == pytest.approx(
        lessons.filter(regex="^right ").mean(axis=1).tolist()
    )
    few, aimed = (where(lessons, targets=t, lesson="attack") for t in ("wrong only", "all ten"))
    for name in ("arrived", "norm"):  # images that have their target count where they are shown
        gap = few[name].to_numpy() - aimed[name].to_numpy()
        assert (gap < 0).all() if name == "arrived" else (gap > 0).all()
    arrived = lessons.groupby("size")["arrived"].mean()
    assert 0 < arrived[0.5] < arrived[1.0] <= 1
    norm = lessons.groupby("size")["norm"].mean()
    assert 0 < norm[0.5] < 0.5 < norm[1.0] < 1 and lessons["inside"].min() > 0.9


def test_kept_images_alone_are_a_clean_sample_of_the_teacher(lessons):
    kept = where(lessons, lesson="kept")["accuracy"].mean()
    noise = where(lessons, lesson="noise", targets="wrong only")["accuracy"].mean()
    assert kept > 0.4 and noise < 0.15


def table_of(**accuracies):
    """Lessons with these accuracies of pupils: one number for each of targets and lesson."""
    rng, tables = np.random.default_rng(0), []
    for size in (0.5, 1.0):
        for arms in measure.ARMS.values():
            for targets, lesson in arms:
                mean = accuracies[f"{targets} {lesson}".replace(" ", "_")]
                right = spread("right", (rng.random((20, 300)) < mean).astype(float))
                names = {"seed": range(20), "targets": targets, "lesson": lesson, "size": size}
                tables.append(pd.DataFrame(names).join(right))
    return pd.concat(tables, ignore_index=True)


FOUND = {
    "all_ten_attack": 0.5, "all_ten_leak_only": 0.7, "all_ten_kept": 0.8, "wrong_only_attack": 0.4,
    "wrong_only_leak_only": 0.05, "wrong_only_noise": 0.01, "wrong_only_twin": 0.35,
    "wrong_only_swapped": 0.05, "next_attack": 0.4, "next_leak_only": 0.01, "next_twin": 0.42,
    "next_noise": 0.01,
}  # fmt: skip


def test_claims_follow_the_numbers():
    assert set(verdicts(evidence.lesson_claims(table_of(**FOUND))).values()) == {"supported"}
    for change, id in (
        ({"next_attack": 0.1}, "lesson"),
        ({"all_ten_leak_only": 0.3}, "leak"),
        ({"next_twin": 0.2}, "swapped"),
        ({"wrong_only_swapped": 0.3}, "swapped-digits"),
    ):
        said = verdicts(evidence.lesson_claims(table_of(**FOUND | change)))
        assert said[id] == "refuted", id
    for change, id in (
        ({"next_noise": 0.4}, "lesson"),
        ({"wrong_only_leak_only": 0.5}, "leak"),
        ({"next_leak_only": 0.4}, "swapped"),
        ({"wrong_only_attack": 0.8}, "swapped-digits"),
    ):
        said = verdicts(evidence.lesson_claims(table_of(**FOUND | change)))
        assert said[id] == "inconclusive", id


# What a pupil sees


def test_views_leave_nine_directions_and_what_lies_in_them():
    for kind in ("robust", "random"):
        view = measure.view_of(kind, SMALL, 0.5)
        assert view.shape == (3, 64, 64)
        assert view.diagonal(dim1=1, dim2=2).sum(1).tolist() == pytest.approx([9] * 3)
        x = SMALL.train()[0].expand(3, -1, -1, -1)
        once = linear.seen(x, view)
        assert (linear.seen(once, view) - once).abs().max() < 1e-9
    table = measure.certified(SMALL, 0.5)
    robust, ordinary = (where(table, view=v)["certified"].mean() for v in ("robust", "ordinary"))
    assert robust > ordinary and table["certified"].between(0.1, 0.9).all()


def seen_as(**accuracies):
    """Views with these accuracies of pupils: one number for each view and lesson."""
    rng, tables = np.random.default_rng(1), []
    for view, lesson in measure.VIEWS:
        mean = accuracies[f"{view}_{lesson}".replace(" ", "_")]
        right = spread("right", (rng.random((20, 300)) < mean).astype(float))
        own = pd.DataFrame({"seed": range(20), "view": view, "lesson": lesson})
        tables.append(own.join(right))
    return pd.concat(tables, ignore_index=True)


SEEN = {
    "robust_attack": 0.2, "robust_outputs_attack": 0.2, "ordinary_attack": 0.35,
    "random_attack": 0.2, "robust_noise": 0.02, "robust_truth": 0.95, "robust_outputs_truth": 0.95,
    "ordinary_truth": 0.97,
}  # fmt: skip


def test_claims_about_views_follow_the_numbers():
    whole = table_of(**FOUND)
    assert set(verdicts(evidence.view_claims(seen_as(**SEEN), whole)).values()) == {"supported"}
    for change, id, verdict in (
        ({"robust_attack": 0.6}, "robust-features", "refuted"),
        ({"robust_attack": 0.4}, "robust-features", "inconclusive"),
        ({"robust_outputs_attack": 0.6}, "robust-outputs", "refuted"),
        ({"robust_outputs_truth": 0.5}, "robust-outputs", "inconclusive"),
        ({"ordinary_attack": 0.15}, "ordinary-directions", "refuted"),
        ({"robust_truth": 0.6}, "ordinary-directions", "inconclusive"),
    ):
        found = evidence.view_claims(seen_as(**SEEN | change), whole)
        assert verdicts(found)[id] == verdict, id


def test_views_are_shown_what_they_say(lessons):
    views = measure.views(SMALL, 0.5)
    assert len(views) == 3 * len(measure.VIEWS)
    attack, truth = (where(views, view="robust", lesson=name) for name in ("attack", "truth"))
    assert truth["accuracy"].min() > attack["accuracy"].max()
    outputs = where(views, view="robust outputs", lesson="truth")["accuracy"]
    assert outputs.min() > 0.6  # in the test, too, pupils see outputs
    passes = views.groupby("view")["passes"].mean()
    assert passes["random"] < 0.3 < passes["robust"] < 1
    names = evidence.compared(views, lessons)[["view", "lesson"]].drop_duplicates()
    assert list(names.itertuples(index=False, name=None)) == [
        ("whole", "attack"), ("whole", "noise"), *measure.VIEWS
    ]  # fmt: skip


# Features that are known


def test_a_pattern_that_is_planted_strongly_is_taught_and_noise_teaches_the_digits():
    how = measure.school(3, images=300, teach=100, learn=150, ascent=10)
    table = measure.planted(how, [(1.0, 2.0, "attack"), (1.0, 2.0, "noise")])
    attack, noise = (where(table, lesson=name)["accuracy"] for name in ("attack", "noise"))
    assert attack.min() > 0.8 and noise.max() < 0.5
    assert (
        table["captured"].min() > 0.9 and where(table, lesson="noise")["size"].tolist() == [2] * 3
    )
    for lesson, low, high in (("attack", 0.8, 1.0), ("noise", 0.0, 0.2)):
        own = where(table, lesson=lesson)
        assert low <= own["sided"].mean() <= high
        assert own["sided"].tolist() == pytest.approx(cells(own, "sides").mean(1).tolist())
        reads = cells(own, "sides") * cells(own, "right")
        assert (cells(own, "reads") == reads).all() and low <= reads.mean() <= high
    assert where(table, lesson="noise")["exchanged"].max() < 0.1  # of what is shown
    on = measure.planted(how, [(1.0, 2.0, "onward")])
    for name in ("exchanged", "component"):
        assert (on[name] > where(table, lesson="attack")[name]).all()


def test_the_sign_is_exchanged_on_the_same_digits():
    problem = measure.parity(SMALL, 0.8)[0]
    held, truth = problem.draw(9, measure.generator(1), held_out=True)
    other, unlike = problem.conflict_set(9, measure.generator(1))
    assert torch.equal(truth, unlike)
    apart = (held - other).flatten(1)
    assert apart.norm(dim=1).tolist() == pytest.approx([1.6] * 9)


def test_who_reads_the_digit_and_turns_it_round_does_not_read_the_sinusoid():
    """On wrong signs alone, such a pupil can't be told from one that reads the sinusoid."""
    tables = [
        pd.DataFrame({"seed": range(20), "norm": norm, "size": size, "lesson": lesson}).join(
            [spread(name, np.full((20, 50), value)) for name, value in reader]
        )
        for norm, size, lesson in evidence.KINDS
        for reader in [(("right", 0.0), ("sides", float(lesson != "noise")), ("reads", 0.0))]
    ]
    errors = pd.DataFrame({"seed": range(20)}).join(spread("right", np.zeros((20, 50))))
    mistakes = pd.concat([errors.assign(labels=name) for name in ("the teacher's", "random")])
    found = verdicts(evidence.known_claims(pd.concat(tables), mistakes))
    assert (found["planted-captured"], found["planted-read"]) == ("supported", "refuted")


def test_mistakes_are_the_images_that_a_teacher_misreads():
    table = measure.mistakes(SMALL)
    own, other = (where(table, labels=name) for name in ("the teacher's", "random"))
    assert own["images"].tolist() == other["images"].tolist()
    assert own["images"].iloc[0] < 200 and len(table) == 6
    assert own["copied"].mean() > other["copied"].mean() + 0.1
    assert (own["foreign"] != own["copied"]).all()
    assert own["teacher"].tolist() == other["teacher"].tolist()


def test_linear_features_of_the_parity():
    table = measure.parity_features().set_index("feature")
    assert table.loc["least squares", "accuracy"] > table.loc["mean difference", "accuracy"] > 0.8
    breaks = table["breaks"]
    assert breaks["mean difference"] > 0.5 > breaks["least squares"]
    assert breaks["mean difference"] > breaks["best pixel"] > 0


# The page's figures


def test_figures_are_drawn_from_their_tables(lessons):
    right = pd.DataFrame([
        {"seed": s, "world": w, "rate": r, "accuracy": 0.5 + 0.01 * s}
        for s in range(3) for w in ("fast", "slow") for r in (59.5, 64.0)
    ])  # fmt: skip
    shown = {
        plots.worlds: waves.pictures([64.0, 59.5]),
        plots.strip: measure.strip(SMALL),
        plots.rates: evidence.curves(right, right),
        plots.lessons: evidence.accuracies(lessons, ["size", "targets", "lesson"]),
        plots.views: evidence.accuracies(
            evidence.compared(measure.views(SMALL, 0.5), lessons), ["view", "lesson"]
        ),
    }
    for plot, table in shown.items():
        assert draw(plot, table.to_csv(index=False), {}, STYLES["book"]).axes


def test_proved_shares_do_not_depend_on_the_draw():
    from falsestruct.theory.artifacts import SHARES

    for shares in SHARES.values():
        own, other = shares(10, Random(5))
        assert own == 1 and other < 1
    assert cells(table_of(**FOUND).head(20), "right").shape == (20, 300)
