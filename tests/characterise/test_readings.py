"""Scores are balanced and clustered; readings are the best of their kind."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score

from falsestruct import statistics
from falsestruct.characterise.readings import (
    Way,
    by_cluster,
    chosen,
    estimated,
    rarest,
    read,
    read_along,
    read_steps,
    share,
    thresholds,
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


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


def test_large_numbers_are_read() -> None:
    """Their squares are no float32."""
    codes = np.arange(40) % 2
    large = np.where(codes > 0, 1e30, -1e30).astype(np.float32)
    features = np.stack([large, np.linspace(0, 1, 40, dtype=np.float32)], axis=1)
    assert (read(features, codes, 2)(features) == codes).all()


def test_ways_to_read_directions() -> None:
    """Each reads its own kind of rule, whatever centre and scale."""
    x = 3 + rng(3).normal(size=(1500, 3)) * [1, 5, 0.2]
    unit = (x - 3) / [1, 5, 0.2]
    rules = [
        unit @ [1, -1, 1] > 0,
        (unit**2).sum(1) > 2.4,
        np.where(unit[:, 1] > 0, unit[:, 0], unit[:, 2]) > 0,
    ]
    ways: tuple[Way, ...] = ("plain", "squares", "switch")
    right = np.array([
        [(read_along(x[:1000], rule[:1000].astype(int), 2, way)(x[1000:]) == rule[1000:]).mean()
         for way in ways]
        for rule in rules
    ])  # fmt: skip
    assert (np.diag(right) > 0.94).all()
    assert right[1, 0] < 0.7 and (right[2, :2] < 0.9).all()


def test_steps_are_read() -> None:
    columns = rng().normal(size=(1500, 3))
    codes = (np.abs(columns[:, 1]) > 0.7).astype(int)
    own = read_steps(columns, codes, 2, 0.1)
    assert own.weight.argmax() == 1 and (own(columns) == codes).mean() > 0.9
    three = np.digitize(columns[:, 2], [-0.5, 0.5])
    assert read_steps(columns, three, 3, 0.1).weight.argmax() == 2
    way: Way = "steps"
    assert (read_along(columns, codes, 2, way)(columns) == codes).mean() > 0.9


# ---- how sure they are ----


def test_the_rarest_answer_is_counted_in_clusters() -> None:
    assert rarest(np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 2, 2, 2, 3])) == 2


def test_the_freedom_is_that_of_the_rarest_answer() -> None:
    from scipy import stats

    values = rng().normal(size=80)
    whole, fewer = estimated(values, 80, 1e-9), estimated(values, 12, 1e-9)
    assert whole.low == pytest.approx(statistics.mean(values).low)
    ratio = (fewer.value - fewer.low) / (whole.value - whole.low)
    assert ratio == pytest.approx(stats.t.isf(0.025, 11) / stats.t.isf(0.025, 79))
    assert "11 degrees" in fewer.method and estimated(values, 1, 1e-9).low < fewer.low
    assert share(values * 0 + 1, 12).high == 1


def test_p_values_hold_with_a_rare_answer() -> None:
    """Two rules that are equally often right, and the rare answer in 30 of 80 clusters."""
    own, clusters, repeats = rng(), np.arange(80), 1500
    codes = (clusters < 30).astype(int)
    gains = own.choice([-1.0, 0.0, 1.0], p=[0.1, 0.8, 0.1], size=(repeats, 80))
    gains[:, 30:] = 0.0  # they agree on the common answer
    rows = by_cluster(gains, codes, clusters)
    p = [statistics.alpha(estimated(row, 30, 1.0 / 10), lambda low, _: low > 0) for row in rows]
    wrong = np.array([1.0 if one is None else one for one in p])
    assert (wrong <= 0.05).mean() < 0.035 and (wrong <= 0.01).mean() < 0.01
