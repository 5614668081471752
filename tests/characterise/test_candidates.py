"""Rules are fitted to one part, chosen by another, and scored by clusters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score

from falsestruct.characterise import candidates
from falsestruct.characterise.candidates import (
    FAMILIES,
    Half,
    Look,
    at_random,
    by_cluster,
    chosen,
    class_means,
    families,
    learned,
    neighbours,
    read,
    sparse,
    statistic,
    sum_of_two,
    thresholds,
)

NAMES = [f"s{i}" for i in range(8)]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def half(rule: object, *, n: int = 900, classes: int = 2, seed: int = 0) -> Half:
    """Answers of a rule of statistics (n, 8) and coordinates (n, 5); three probes a cluster."""
    values, z = rng(seed).normal(size=(n, 8)), rng(seed + 1).normal(size=(n, 5))
    codes = np.asarray(rule(values, z)).astype(int)  # type: ignore[operator]
    cluster = np.arange(n) // 3
    return Half(Look(values, z), codes, classes, cluster, np.arange(2 * n // 3),
                np.arange(2 * n // 3, n))  # fmt: skip


def fresh(rule: object) -> tuple[Look, np.ndarray]:
    own = half(rule, seed=50)
    return own.look, own.codes


# ---- scores ----


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 4))
def test_the_mean_over_clusters_is_the_balanced_accuracy(seed: int, classes: int) -> None:
    codes = np.concatenate([np.arange(classes), rng(seed).integers(classes, size=60)])
    said = rng(seed + 1).integers(classes, size=len(codes))
    cluster = rng(seed + 2).integers(9, size=len(codes))
    own = by_cluster((said == codes).astype(float), codes, cluster)
    assert own.mean() == pytest.approx(balanced_accuracy_score(codes, said))
    assert own.shape == (len(np.unique(cluster)),)
    stacked = by_cluster(np.stack([said == codes] * 2).astype(float), codes, cluster)
    assert np.allclose(stacked, own)


def test_copies_of_probes_add_no_certainty() -> None:
    """The spread over clusters is that of independent units, however often each was asked."""
    codes = np.tile([0, 1], 50)
    right = (rng().random(100) < 0.7).astype(float)
    one = by_cluster(right, codes, np.arange(100) // 2)
    many = by_cluster(
        np.repeat(right, 20), np.repeat(codes, 20), np.repeat(np.arange(100) // 2, 20)
    )
    assert np.allclose(one, many)


def test_the_spread_is_that_of_the_balanced_accuracy() -> None:
    """By simulation, with a rare label."""

    def drawn(seed: int) -> np.ndarray:
        codes = (rng(seed).random(400) < 0.15).astype(int)
        right = rng(seed + 10**6).random(400) < np.where(codes, 0.6, 0.9)
        return by_cluster(right.astype(float), codes, np.arange(400) // 4)

    every = [drawn(seed) for seed in range(300)]
    told = np.mean([own.std(ddof=1) / np.sqrt(len(own)) for own in every])
    assert told == pytest.approx(np.std([own.mean() for own in every]), rel=0.15)


def test_the_best_rule_is_chosen_and_a_smaller_one_if_it_is_as_good() -> None:
    codes, cluster = rng().integers(2, size=600), np.arange(600) // 2
    good = rng(1).random(600) < 0.9
    same = good.copy()
    same[:2] = ~same[:2]
    bad = rng(2).random(600) < 0.7
    assert chosen(np.stack([bad, good, same]), codes, cluster) == np.argmax(
        [by_cluster(one.astype(float), codes, cluster).mean() for one in (bad, good, same)]
    )
    assert chosen(np.stack([good, good]), codes, cluster) == 0
    assert chosen(np.stack([good, same, bad]), codes, cluster, [3, 2, 1]) == 1


# ---- readings ----


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_the_threshold_is_the_best_of_all(seed: int) -> None:
    values = rng(seed).integers(6, size=(30, 3)).astype(float)  # with ties
    codes = np.concatenate([[0, 1], rng(seed + 1).integers(2, size=28)])
    cut, sign, j = thresholds(values, codes)
    for i in range(3):
        tried = [
            2 * balanced_accuracy_score(codes, (s * (values[:, i] - c) > 0).astype(int)) - 1
            for c in np.arange(0.5, 6) for s in (1, -1)
        ]  # fmt: skip
        own = 2 * balanced_accuracy_score(codes, (sign[i] * (values[:, i] - cut[i]) > 0)) - 1
        assert j[i] == pytest.approx(max(0.0, *tried)) and (own == pytest.approx(j[i]) or j[i] == 0)


def test_readings() -> None:
    x = rng().normal(size=(500, 2))
    assert (read(x[:, :1], (x[:, 0] < 0.3).astype(int), 2)(x[:, :1]) == (x[:, 0] < 0.3)).all()
    three = np.digitize(x[:, 0], [-0.5, 0.5])
    assert (read(x[:, :1], three, 3)(x[:, :1]) == three).all()
    both = (x @ [1, 2] > 0).astype(int)
    assert (read(x, both, 2)(x) == both).mean() > 0.97


# ---- tiers ----


def test_a_statistic_is_found() -> None:
    def rule(values: np.ndarray, z: np.ndarray) -> np.ndarray:
        return values[:, 4] < 0.2

    own = half(rule)
    found = statistic(own, NAMES)
    look, codes = fresh(rule)
    assert (found.name, found.family, found.features) == ("s4", "statistic", 1)
    assert (own.refitted(found).predict(look) == codes).mean() > 0.99


def test_a_statistic_with_three_labels() -> None:
    own = half(lambda values, z: np.digitize(values[:, 2], [-0.4, 0.4]), classes=3)
    assert statistic(own, NAMES).name == "s2" and sum_of_two(own, NAMES) is None


def test_a_sum_of_two_is_found() -> None:
    def rule(values: np.ndarray, z: np.ndarray) -> np.ndarray:
        return values[:, 1] - 2 * values[:, 6] > 0.3

    own = half(rule)
    found = sum_of_two(own, NAMES)
    look, codes = fresh(rule)
    assert found is not None and found.name == "s1 and s6"
    assert (own.refitted(found).predict(look) == codes).mean() > 0.97
    assert (own.refitted(statistic(own, NAMES)).predict(look) == codes).mean() < 0.9


def test_two_names_of_one_statistic_are_no_sum() -> None:
    own = half(lambda values, z: values[:, 0] > 0)
    own.look.values[:, 1] = own.look.values[:, 0]
    found = sum_of_two(own, NAMES)
    assert found is not None and found.name != "s0 and s1"


V = np.array([0.6, 0, 0.8, 0, 0])


@pytest.mark.parametrize("squares", [False, True])
def test_directions_are_found(squares: bool) -> None:
    def rule(values: np.ndarray, z: np.ndarray) -> np.ndarray:
        return np.abs(z @ V) > 0.6 if squares else z @ V > 0.2

    own = half(rule)
    found = learned(own, "squares" if squares else "plain")
    assert found is not None
    look, codes = fresh(rule)
    fitted = own.refitted(found)
    assert found.features == (2 if squares else 1)
    assert abs(fitted.vectors[0] @ V) > 0.98
    assert (fitted.predict(look) == codes).mean() > 0.95


def test_a_switch_is_found_and_read() -> None:
    def rule(values: np.ndarray, z: np.ndarray) -> np.ndarray:
        return np.where(z[:, 4] > 0, z[:, 0], z[:, 1]) > 0

    own = half(rule, n=2400)
    found = learned(own, "switch")
    assert found is not None and found.family == "directions and a switch" and found.features == 3
    look, codes = fresh(rule)
    assert (own.refitted(found).predict(look) == codes).mean() > 0.93
    straight = learned(own, "squares")
    assert straight is not None and own.score(own.fitted(straight)) < 0.92
    three = half(lambda values, z: np.digitize(z[:, 0], [0, 1]), classes=3)
    assert learned(three, "switch") is None


def test_gradients_are_used_where_there_are_any() -> None:
    own = half(lambda values, z: rng(9).random(len(z)) < 0.5)  # the answers tell nothing
    slopes = rng(3).normal(size=(900, 1)) * V
    look = Look(own.look.values, own.look.z, slopes)
    given = Half(look, (look.z @ V > 0).astype(int), 2, own.cluster, own.first, own.second)
    found = learned(given, "plain")
    assert found is not None
    assert "gradients" in found.name and abs(given.refitted(found).vectors[0] @ V) > 0.9999


def test_a_sparse_sum_of_steps_is_found() -> None:
    def rule(values: np.ndarray, z: np.ndarray) -> np.ndarray:
        return (values[:, 0] > 0).astype(int) + (values[:, 3] > 0.5) + (z @ V > 0) >= 2

    own = half(rule, n=2400)
    straight = learned(own, "plain")
    assert straight is not None
    learners = [straight]
    found = sparse(own, NAMES, learners)
    look, codes = fresh(rule)
    rule_found = own.refitted(found)
    assert {"s0", "s3", "direction 1"} <= set(rule_found.terms) and len(rule_found.terms) < 9
    assert (rule_found.predict(look) == codes).mean() > 0.93
    assert (own.refitted(learners[0]).predict(look) == codes).mean() < 0.9


def test_every_family_has_its_say_and_simple_ones_come_first() -> None:
    for classes in (2, 3):
        own = half(lambda values, z, k=classes: np.digitize(values[:, 2], [0, 1][: k - 1]),
                   classes=classes)  # fmt: skip
        found = [one.family for one in families(own, NAMES)]
        assert found == [
            name
            for name in FAMILIES
            if classes == 2 or name not in ("sum of two", "directions and a switch")
        ]


def test_fits_see_the_first_part_only() -> None:
    """Answers of the second part may be anything: rules fitted to the first don't change."""
    own = half(lambda values, z: values[:, 4] < 0.2)
    codes = own.codes.copy()
    codes[own.second] = 1 - codes[own.second]
    other = Half(own.look, codes, 2, own.cluster, own.first, own.second)
    for one in families(own, NAMES):
        said = [case.fitted(one).predict(own.look) for case in (own, other)]
        assert np.array_equal(*said)
        assert own.score(own.fitted(one)) == pytest.approx(1 - other.score(other.fitted(one)))


# ---- baselines ----


def test_class_means_get_a_threshold() -> None:
    centres = np.zeros((2, 5))
    centres[1] = 3 * V
    own = half(lambda values, z: z @ V > -0.7)  # their direction, another threshold
    look, codes = fresh(lambda values, z: z @ V > -0.7)
    assert (own.refitted(class_means(centres)).predict(look) == codes).mean() > 0.98


def test_neighbours_foretell_what_is_smooth_and_not_what_is_not() -> None:
    smooth = half(lambda values, z: z[:, 0] > 0, n=3000)
    look, codes = fresh(lambda values, z: z[:, 0] > 0)
    assert (smooth.refitted(neighbours(smooth)).predict(look) == codes).mean() > 0.85
    own = half(lambda values, z: values[:, 0] > 0)  # coordinates say nothing about statistics
    look, codes = fresh(lambda values, z: values[:, 0] > 0)
    assert (own.refitted(neighbours(own)).predict(look) == codes).mean() < 0.6


def test_neighbours_are_balanced() -> None:
    own = half(lambda values, z: z[:, 0] > 1.2, n=3000)
    look, codes = fresh(lambda values, z: z[:, 0] > 1.2)
    said = own.refitted(neighbours(own)).predict(look)
    assert said[codes == 1].mean() > 0.75


def test_random_directions_read_as_learned_ones() -> None:
    own = half(lambda values, z: z @ V > 0)
    look, codes = fresh(lambda values, z: z @ V > 0)
    shares = [
        (own.refitted(at_random(own, q, "plain", seed=0)).predict(look) == codes).mean()
        for q in (1, 5)
    ]
    assert shares[0] < 0.9 and shares[1] > 0.95  # five of them span all that there is
    candidate = at_random(own, 4, "squares", seed=0)
    assert candidate.features == 4 and own.refitted(candidate).predict(look).shape == codes.shape


def test_the_best_of_many_draws_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    own = half(lambda values, z: z @ V > 0)

    def scores() -> list[float]:
        draws = [at_random(own, 1, "plain", seed=seed) for seed in range(4)]
        return [own.score(own.fitted(one)) for one in draws]

    many = scores()
    monkeypatch.setattr(candidates, "DRAWS", 1)
    assert np.mean(many) > np.mean(scores()) + 0.05
